//! Push: closed fingers go down behind the block and slide it along a line.

use super::{
    Move, Situation,
    approach::{END_HEIGHT, Funnel},
};
use crate::{arm::FINGER_HALF, catalog::BLOCK_HALF, world::quarter};

/// Height of the tool while pushing (m).
const LOW: f64 = 0.024;
/// Height of the tool on the way (m).
const WAY_HEIGHT: f64 = 0.10;
/// Where the fingers go down, behind the block's middle (m).
const BEHIND: f64 = 0.060;
/// Greatest displacement of a row while pushing (m).
const PUSH_STEP: f64 = 0.03;
/// The push ends this much before its length (m).
const SHORT: f64 = 0.004;

impl Situation {
    /// One step of a push; see [`super::situation::Work::Push`].
    pub(crate) fn push(&self, from: [f64; 2], along: [f64; 2], length: f64) -> Move {
        let across = [-along[1], along[0]];
        let moved = [self.object[0] - from[0], self.object[1] - from[1]];
        let progress = moved[0] * along[0] + moved[1] * along[1];
        let astray = (moved[0] * across[0] + moved[1] * across[1]).abs();
        let tool = [self.tool[0] - self.object[0], self.tool[1] - self.object[1]];
        let ahead = tool[0] * along[0] + tool[1] * along[1];
        let beside = tool[0] * across[0] + tool[1] * across[1];
        let lost = self.object[2] > 1.7 * BLOCK_HALF
            || self.object[2] < 0.0
            || astray > 0.6 * length.max(0.05)
            || !(0.24..=0.68).contains(&self.object[0])
            || self.object[1].abs() > 0.38;
        if progress > length - SHORT || lost {
            // Off the block first, then up.
            let back = if self.tool[2] < 0.06 && !lost {
                -0.012
            } else {
                0.0
            };
            let mut up = self.retreat(0.0);
            up.by[0] += back * along[0];
            up.by[1] += back * along[1];
            return Move {
                failing: lost,
                done: up.done && !lost,
                ..up
            };
        }
        let yaw = quarter(libm::atan2(along[1], along[0]));
        if self.tool[2] < 0.044 && ahead < -0.018 && beside.abs() < 0.02 {
            let contact = contact_distance(self.object_yaw, along);
            let rest = (length - progress) + (-ahead - contact).max(0.0);
            let step = rest.clamp(0.0, PUSH_STEP);
            // Push the block back onto its line by touching it off its middle.
            let drift = moved[0] * across[0] + moved[1] * across[1];
            let sideways =
                (0.8 * ((0.5 * drift).clamp(-0.006, 0.006) - beside)).clamp(-0.012, 0.012);
            return Move {
                by: [
                    along[0] * step + across[0] * sideways,
                    along[1] * step + across[1] * sideways,
                    self.toward_height(LOW),
                ],
                turn: self.toward_yaw(yaw),
                gripper: 0.0,
                ..Move::default()
            };
        }
        let funnel = Funnel {
            at: [
                self.object[0] - along[0] * BEHIND,
                self.object[1] - along[1] * BEHIND,
            ],
            low: LOW,
            high: WAY_HEIGHT,
            slope: 4.0,
            middle: 0.012,
        };
        let astray = (yaw - self.yaw).abs();
        let raised =
            (0.12 * (self.width - 0.12)).clamp(0.0, 0.06) + (0.3 * (astray - 0.2)).clamp(0.0, 0.04);
        self.enter(&funnel, raised.min(END_HEIGHT - LOW), yaw, 0.0)
    }
}

/// Distance between tool and block when closed fingers touch the block's side
/// (m), for a push along a unit vector.
pub(crate) fn contact_distance(object_yaw: f64, along: [f64; 2]) -> f64 {
    let turn = quarter(libm::atan2(along[1], along[0]) - object_yaw);
    let block = BLOCK_HALF * (libm::cos(turn) + libm::sin(turn).abs());
    block.min(BLOCK_HALF * 1.25) + FINGER_HALF[0]
}
