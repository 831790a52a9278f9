"""Writes `lerobot_v3/`, `lerobot_v3.expected.json` and `picture.jpg` beside this file.

The data set is written by LeRobot itself; what a reader must make of it is worked out here a second
time, in numpy and Pillow, and never by the code under test. Run once, with

    python3 -m pip install "lerobot==0.4.4"
    python3 make_lerobot_v3.py

The tests read the committed files and need no Python.
"""

import json
import shutil
from pathlib import Path

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from PIL import Image

HERE = Path(__file__).resolve().parent
ROOT = HERE / "lerobot_v3"
FPS, HORIZON = 10, 8
SIZE, POLICY_SIZE = (160, 120), (128, 96)  # width, height (px)

# What the policy wants, in its order.
STATE = ["tool.x", "tool.y", "tool.z", "tool.r11", "tool.r21", "tool.r12", "tool.r22",
         "gripper.position", "gripper.command"]
ACTION = ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"]
# What this data set stores: another order, and the bottom row of the rotation.
STORED_STATE = ["gripper.position", "gripper.command", "tool.r11", "tool.r12", "tool.r21", "tool.r22",
                "tool.r31", "tool.r32", "tool.z", "tool.y", "tool.x"]
STORED_ACTION = ["gripper", "rx", "ry", "rz", "dx", "dy", "dz"]

EPISODES = [  # frames with their sentences
    [("pick up the red block", 14)],
    [("push the green block to the left", 12)],
    [("fold the blue towel twice", 11)],
    [("pick up the yellow cube", 9), ("place the yellow block in the cyan bowl", 10)],
    [("fold the blue towel twice", 13)],
]


def exp(vector):
    """The rotation matrix of a rotation vector."""
    vector = np.asarray(vector, np.float64)
    angle = np.linalg.norm(vector)
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def log(matrix):
    """The rotation vector of a rotation matrix with an angle below pi."""
    angle = np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))
    axis = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]])
    return axis / 2 if angle < 1e-9 else axis * angle / (2 * np.sin(angle))


def paint(goal, tool, color, noise):
    """A table from above: a block at `goal` and the tool as a grey spot."""
    rows, columns = np.mgrid[0:SIZE[1], 0:SIZE[0]]
    y = (0.5 - (columns + 0.5) / SIZE[0]) * 0.72
    x = 0.45 + (0.5 - (rows + 0.5) / SIZE[1]) * 0.45
    picture = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    picture[:] = (200, 190, 180)
    picture[:, :, 1] -= (columns // 8 % 4).astype(np.uint8)
    picture[(abs(x - goal[0]) < 0.03) & (abs(y - goal[1]) < 0.03)] = color
    picture[(x - tool[0]) ** 2 + (y - tool[1]) ** 2 < 0.02**2] = (90, 90, 90 + noise)
    return picture


def episode(seed, pieces):
    """Frames of one recorded episode: an arm that lags behind its targets."""
    random = np.random.default_rng(seed)
    colors = [(220, 40, 40), (40, 180, 60), (40, 80, 220), (240, 230, 50)]
    position = np.array([0.35, 0.15, 0.2]) + random.uniform(-0.05, 0.05, 3)
    rotation = exp([0, 0, random.uniform(-0.5, 0.5)]) @ exp([np.pi, 0, 0]) @ exp([0.1, -0.05, 0])
    frames = []
    for sentence, count in pieces:
        goal = np.array([random.uniform(0.35, 0.55), random.uniform(-0.25, 0.25), 0.03])
        color = colors[seed % len(colors)]
        for _ in range(count):
            move = np.clip(goal - position, -0.04, 0.04)
            turn = random.uniform(-0.15, 0.15, 3)
            gripper = float(np.linalg.norm(goal - position) > 0.05)
            values = dict(zip(["tool.x", "tool.y", "tool.z"], position, strict=True))
            values |= {f"tool.r{r}{c}": rotation[r - 1, c - 1] for r in (1, 2, 3) for c in (1, 2)}
            values |= {"gripper.position": 0.25 + gripper / 2, "gripper.command": gripper}
            values |= dict(zip(["dx", "dy", "dz", "rx", "ry", "rz"], [*move, *turn], strict=True))
            values["gripper"] = gripper
            frames.append({
                "values": {name: np.float32(value) for name, value in values.items()},
                "position": position, "rotation": rotation, "move": move, "turn": exp(turn),
                "picture": paint(goal, position, color, len(frames)), "task": sentence,
            })
            position = position + 0.8 * move
            rotation = exp(0.8 * turn) @ rotation
    return frames


def chunk(frames, t):
    """Rows of displacements from the pose of frame t, as the policy's action space wants them."""
    rows = []
    for i in range(HORIZON):
        then = frames[min(t + i, len(frames) - 1)]
        here = frames[t]
        move = then["position"] + then["move"] - here["position"]
        turn = log(then["turn"] @ then["rotation"] @ here["rotation"].T)
        rows.append([*move, *turn, float(then["values"]["gripper"])])
    return rows


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    vector = lambda names: {"dtype": "float32", "shape": (len(names),), "names": names}
    data = LeRobotDataset.create(
        repo_id="vola/lerobot_v3", root=ROOT, fps=FPS, robot_type="tabletop/franka", use_videos=False,
        features={
            "observation.state": vector(STORED_STATE),
            "action": vector(STORED_ACTION),
            "observation.images.front": {
                "dtype": "image", "shape": (SIZE[1], SIZE[0], 3), "names": ["height", "width", "channels"],
            },
        },
    )
    expected = {"episodes": [], "frames": []}
    for number, pieces in enumerate(EPISODES):
        frames = episode(number, pieces)
        for frame in frames:
            data.add_frame({
                "observation.state": np.array([frame["values"][n] for n in STORED_STATE], np.float32),
                "action": np.array([frame["values"][n] for n in STORED_ACTION], np.float32),
                "observation.images.front": frame["picture"],
                "task": frame["task"],
            })
        data.save_episode()
        start = 0
        for sentence, count in pieces:
            piece = frames[start:start + count]
            start += count
            expected["episodes"].append({"task": sentence, "frames": count})
            for t, frame in enumerate(piece):
                small = np.asarray(Image.fromarray(frame["picture"]).resize(POLICY_SIZE, Image.BILINEAR))
                expected["frames"].append({
                    "state": [round(float(frame["values"][n]), 7) for n in STATE],
                    "chunk": [[round(float(x), 6) for x in row] for row in chunk(piece, t)],
                    "done": int(t >= count - -(-count // 10)),
                    # Every 601st byte: each channel and every part of the picture is met.
                    "pixels": small.reshape(-1)[::601].tolist() if t % 6 == 0 else None,
                })
    data.finalize()
    text = json.dumps(expected, separators=(",", ":")).replace('{"state"', '\n{"state"')
    (HERE / "lerobot_v3.expected.json").write_text(text + "\n")

    ramp = np.zeros((24, 32, 3), np.uint8)
    ramp[:, :, 0] = np.arange(32) * 8
    ramp[:, :, 1] = 128
    ramp[:, :, 2] = np.arange(24)[:, None] * 10
    Image.fromarray(ramp).save(HERE / "picture.jpg", quality=95, subsampling=0)


if __name__ == "__main__":
    main()
