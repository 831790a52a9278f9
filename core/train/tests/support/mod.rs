//! A painted world without physics: coloured squares and discs on a grey plane, seen from above.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::path::{Path, PathBuf};

use vola_train::{
    AugmentConfig, BatchConfig, Budget, EpisodeMeta, EpisodeRecord, FrameRecord, FrameShape,
    LossConfig, Noun, OptimizerConfig, Rng, ShardWriter, StepWords, TrainConfig, canonical,
};
use vola_types::{COLORS, Op};

const RGB: [[u8; 3]; 10] = [
    [40, 80, 220],
    [220, 40, 40],
    [40, 180, 60],
    [250, 150, 30],
    [240, 230, 50],
    [140, 50, 180],
    [250, 140, 190],
    [50, 210, 220],
    [130, 80, 40],
    [150, 150, 150],
];

#[derive(Clone, Copy)]
struct Thing {
    kind: usize,
    color: usize,
    x: f32,
    y: f32,
}

/// Image point (0..1) of a point on the plane; the far side is up, left is left.
fn project(x: f32, y: f32) -> [f32; 2] {
    [0.5 - y / 0.72, 0.5 - (x - 0.45) / 0.45]
}

fn paint(things: &[Thing], shape: FrameShape, rng: &mut Rng) -> Vec<u8> {
    let mut image = vec![0_u8; shape.image_bytes()];
    for row in 0..shape.height {
        for column in 0..shape.width {
            let mut color = [200_u8, 190, 180];
            for thing in things {
                let [u, v] = project(thing.x, thing.y);
                let dx = (column as f32 + 0.5) / shape.width as f32 - u;
                let dy = (row as f32 + 0.5) / shape.height as f32 - v;
                let (mx, my) = (dx * 0.72, dy * 0.45);
                let inside = match thing.kind {
                    0 => mx.abs() < 0.02 && my.abs() < 0.02,
                    _ => (0.045..0.064).contains(&(mx * mx + my * my).sqrt()),
                };
                if inside {
                    color = RGB[thing.color];
                }
            }
            let at = (row * shape.width + column) * 3;
            for (to, value) in image[at..at + 3].iter_mut().zip(color) {
                *to = value.saturating_add((rng.below(9)) as u8).saturating_sub(4);
            }
        }
    }
    image
}

fn scene(rng: &mut Rng) -> Vec<Thing> {
    let mut things: Vec<Thing> = Vec::new();
    let wanted = 4 + rng.below(3);
    while things.len() < wanted {
        let kind = usize::from(things.len() >= 3);
        let thing = Thing {
            kind,
            color: rng.below(10),
            x: 0.32 + 0.26 * rng.unit(),
            y: -0.28 + 0.56 * rng.unit(),
        };
        let apart =
            |o: &Thing| (o.x - thing.x).hypot(o.y - thing.y) > 0.07 + 0.03 * (o.kind + kind) as f32;
        let twin = |o: &Thing| o.kind == kind && o.color == thing.color;
        if things.iter().all(apart) && !things.iter().any(twin) {
            things.push(thing);
        }
    }
    // A block in a bowl: two centres in the same place.
    if rng.chance(0.4) {
        (things[1].x, things[1].y) = (things[3].x, things[3].y);
    }
    things
}

/// One pick episode: the tool moves straight to a block and closes.
fn episode(seed: u64, shape: FrameShape, frames: usize) -> EpisodeRecord {
    let mut rng = Rng::keyed(seed, &[77]);
    let things = scene(&mut rng);
    let target = things[0];
    let goal = [target.x, target.y, 0.02];
    let noun = Noun {
        kind: "block".into(),
        color: Some(COLORS[target.color].into()),
    };
    let step = StepWords {
        op: Op::Pick,
        object: noun,
        target: None,
    };
    let mut tool = [0.35 + 0.2 * rng.unit(), -0.2 + 0.4 * rng.unit(), 0.2];
    let uv = project(target.x, target.y);
    let mut list = Vec::new();
    for _ in 0..frames {
        let image = paint(&things, shape, &mut rng);
        let mut position = tool;
        let mut action = Vec::new();
        let mut first = tool;
        for row in 0..shape.horizon {
            let gap = [0, 1, 2].map(|i| goal[i] - position[i]);
            let length = gap.iter().map(|g: &f32| g * g).sum::<f32>().sqrt();
            let part = (0.045 / length.max(1e-6)).min(1.0);
            position = [0, 1, 2].map(|i| position[i] + gap[i] * part);
            if row == 0 {
                first = position;
            }
            action.extend([0, 1, 2].map(|i| position[i] - tool[i]));
            action.extend([0.0, 0.0, 0.0, f32::from(u8::from(length > 0.02))]);
        }
        let near = (0..3)
            .map(|i| (goal[i] - tool[i]).powi(2))
            .sum::<f32>()
            .sqrt()
            < 0.01;
        list.push(FrameRecord {
            image,
            state: vec![tool[0], tool[1], tool[2], 1.0, 0.0, 0.0, -1.0, 1.0, 1.0],
            action,
            done: f32::from(u8::from(near)),
            failing: 0.0,
            object_xyz: goal,
            goal_object: [goal[0], goal[1], goal[2], 1.0],
            goal_target: [0.0, 0.0, 0.0, 0.0],
            target_xyz: goal,
            target_uv: uv,
            target_visible: 1.0,
            objects: things
                .iter()
                .map(|t| {
                    let [u, v] = project(t.x, t.y);
                    [
                        t.kind as f32,
                        t.color as f32,
                        u,
                        v,
                        t.x,
                        t.y,
                        0.02,
                        1.0,
                        0.0,
                        0.3,
                    ]
                })
                .collect(),
        });
        tool = first;
    }
    EpisodeRecord {
        meta: EpisodeMeta {
            seed,
            task: canonical(&step),
            embodiment: (seed % 2) as i64,
            step: Some(step),
        },
        frames: list,
    }
}

/// Writes painted episodes to `folder`.
pub(crate) fn record(folder: &Path, episodes: usize, frames: usize) {
    let shape = FrameShape::tabletop();
    let mut writer = ShardWriter::create(folder, shape).unwrap();
    for seed in 0..episodes {
        writer.push(episode(seed as u64, shape, frames)).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), episodes);
}

/// A configuration in `folder`, with the shipped list of stages.
pub(crate) fn config(folder: &Path, steps: u64) -> TrainConfig {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    TrainConfig {
        seed: 5,
        data: vec![folder.join("data")],
        policy: root.join("configs/train/tabletop.policy.toml"),
        out: folder.join("bundle"),
        work: folder.join("work"),
        start: None,
        record: Vec::new(),
        budget: Budget {
            minutes: None,
            steps: Some(steps),
            checkpoint_minutes: 60.0,
            validate_every: 1_000_000,
        },
        batch: BatchConfig {
            threads: 2,
            size: 8,
            grounding: 4,
            scene: 4,
            scene_raised: 0.4,
            scene_every: 2,
        },
        optimizer: OptimizerConfig {
            warmup_steps: 20,
            ..OptimizerConfig::default()
        },
        loss: LossConfig::default(),
        augment: AugmentConfig::default(),
    }
}
