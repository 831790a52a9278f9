//! Where the arm begins: at home, or wherever a primitive may have left it.
//!
//! A policy that only ever starts from home learns nothing of the states in
//! which chained primitives begin, so training draws them here.

use vola_types::{TABLE_X, TABLE_Y};

use super::{DrawerSpec, ObjectSpec, Random, is_free, plan::LEAST_REACH};
use crate::catalog::{BLOCK_HALF, Kind};

/// Height at which every expert primitive ends (m).
pub(crate) const TRAVEL_HEIGHT: f64 = 0.20;

/// The tool at the start of an episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StartPose {
    /// The arm's home pose, gripper open.
    Home,
    /// A tool pose with the gripper straight down.
    Tool {
        /// Position (m).
        at: [f64; 3],
        /// Turn about z (rad).
        yaw: f64,
        /// Gripper value, 0 closed … 1 open (ignored while holding).
        gripper: f64,
    },
}

/// Draws a start with an empty gripper.
pub(crate) fn empty(
    random: &mut Random,
    objects: &[ObjectSpec],
    drawer: Option<DrawerSpec>,
) -> StartPose {
    let kind = random.unit();
    if kind < 0.22 {
        return StartPose::Home;
    }
    if kind < 0.52 {
        let gripper = if random.chance(0.75) {
            1.0
        } else {
            random.range(0.0, 1.0)
        };
        return anywhere(random, gripper);
    }
    if kind < 0.88 {
        let index = random.below(objects.len());
        match objects.get(index) {
            Some(object) if object.kind == Kind::Bowl => return over_bowl(random, object),
            Some(object) if kind < 0.74 => return round_block(random, object),
            _ => {
                if let Some(start) = beside_block(random, index, objects, drawer) {
                    return start;
                }
            }
        }
    }
    if let Some(drawer) = drawer.filter(|_| kind > 0.94) {
        let bar = drawer.bar(drawer.opening);
        let at = [
            bar[0] + random.range(-0.05, 0.05),
            bar[1],
            random.range(0.14, 0.21),
        ];
        return StartPose::Tool {
            at,
            yaw: 0.0,
            gripper: 0.0,
        };
    }
    let at = [
        random.range(0.32, 0.60),
        random.range(-0.26, 0.26),
        TRAVEL_HEIGHT,
    ];
    let gripper = if random.chance(0.5) { 1.0 } else { 0.0 };
    StartPose::Tool {
        at,
        yaw: random.range(-0.8, 0.8),
        gripper,
    }
}

/// Draws a start with a held block that stood at `from`.
pub(crate) fn holding(
    random: &mut Random,
    from: &ObjectSpec,
    others: &[ObjectSpec],
    held: usize,
    drawer: Option<DrawerSpec>,
) -> StartPose {
    let kind = random.unit();
    if kind < 0.30 {
        return lifted(from);
    }
    if kind > 0.85 {
        let at = [
            random.range(TABLE_X[0], TABLE_X[1]),
            random.range(TABLE_Y[0], TABLE_Y[1]),
        ];
        if is_free(others, Some(held), drawer, at, 0.07) {
            let yaw = random.range(-0.6, 0.6);
            return StartPose::Tool {
                at: [at[0], at[1], random.range(0.06, 0.14)],
                yaw,
                gripper: 0.0,
            };
        }
    }
    anywhere(random, 0.0)
}

/// Just after a pick: above where the block stood.
pub(crate) fn lifted(from: &ObjectSpec) -> StartPose {
    StartPose::Tool {
        at: [from.at[0], from.at[1], TRAVEL_HEIGHT],
        yaw: from.yaw,
        gripper: 0.0,
    }
}

fn anywhere(random: &mut Random, gripper: f64) -> StartPose {
    let at = [
        random.range(0.31, 0.59),
        random.range(-0.26, 0.26),
        random.range(0.14, 0.30),
    ];
    StartPose::Tool {
        at,
        yaw: random.range(-0.7, 0.7),
        gripper,
    }
}

/// As after dropping something into a bowl.
fn over_bowl(random: &mut Random, bowl: &ObjectSpec) -> StartPose {
    let at = [
        bowl.at[0] + random.range(-0.012, 0.012),
        bowl.at[1] + random.range(-0.012, 0.012),
        random.range(0.085, 0.21),
    ];
    StartPose::Tool {
        at,
        yaw: random.range(-0.7, 0.7),
        gripper: random.range(0.7, 1.0),
    }
}

/// As after letting go of a block: open fingers round it or just above.
fn round_block(random: &mut Random, block: &ObjectSpec) -> StartPose {
    let at = [block.at[0], block.at[1], random.range(0.022, 0.16)];
    let yaw = block.yaw;
    StartPose::Tool {
        at,
        yaw,
        gripper: random.range(0.75, 1.0),
    }
}

/// As after pushing a block: closed fingers near the table beside it.
fn beside_block(
    random: &mut Random,
    index: usize,
    objects: &[ObjectSpec],
    drawer: Option<DrawerSpec>,
) -> Option<StartPose> {
    let block = objects.get(index)?;
    let turn = std::f64::consts::FRAC_PI_2 * f64::from(u32::try_from(random.below(4)).unwrap_or(0));
    let distance = BLOCK_HALF * std::f64::consts::SQRT_2 + random.range(0.018, 0.035);
    let at = [
        block.at[0] + distance * libm::cos(turn),
        block.at[1] + distance * libm::sin(turn),
    ];
    let reachable = libm::hypot(at[0], at[1]) > LEAST_REACH && at[0] < 0.63 && at[1].abs() < 0.33;
    if !reachable {
        return None;
    }
    let free = is_free(objects, Some(index), drawer, at, 0.025);
    let low = if free {
        random.range(0.022, 0.12)
    } else {
        random.range(0.10, 0.21)
    };
    Some(StartPose::Tool {
        at: [at[0], at[1], low],
        yaw: 0.0,
        gripper: 0.0,
    })
}
