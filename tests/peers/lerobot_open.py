"""Opens a data set with LeRobot's own loader and tells what it yields, as JSON.

Usage: python lerobot_open.py FOLDER
Packages: lerobot 0.4.x (its loader needs torch; a CPU is enough).
"""

import json
import sys

from lerobot.datasets.lerobot_dataset import LeRobotDataset


def main(folder):
    dataset = LeRobotDataset("vola/recorded", root=folder)
    first, last = dataset[0], dataset[len(dataset) - 1]
    cameras = {}
    for key in dataset.meta.camera_keys:
        picture = first[key]
        cameras[key] = {
            "shape": list(picture.shape),
            "mean": float(picture.mean()),
            "stats_mean": [float(v) for v in dataset.meta.stats[key]["mean"].flatten()],
        }
    frames = [dataset[i] for i in range(0, len(dataset), max(1, len(dataset) // 20))]
    told = {
        "fps": dataset.fps,
        "robot": dataset.meta.robot_type,
        "episodes": dataset.num_episodes,
        "frames": len(dataset),
        "keys": sorted(first.keys()),
        "cameras": cameras,
        "tasks": sorted({frame["task"] for frame in frames}),
        "subtasks": sorted({frame["subtask"] for frame in frames}),
        "who": sorted({frame["who"] for frame in frames}),
        "first_state": [float(v) for v in first["observation.state"]],
        "first_action": [float(v) for v in first["action"]],
        "last_timestamp": float(last["timestamp"]),
        "last_done": bool(last["next.done"]),
        "lengths": [int(v) for v in dataset.meta.episodes["length"]],
        "action_std": [float(v) for v in dataset.meta.stats["action"]["std"]],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
