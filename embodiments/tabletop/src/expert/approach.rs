//! Motions that all primitives share.

use super::{Move, Situation};
use crate::scene::LEAST_REACH;

/// Greatest displacement of a row, in the plane and along z (m).
pub(crate) const MAX_PLANE: f64 = 0.032;
const MAX_HEIGHT: f64 = 0.028;
/// Greatest turn of a row (rad).
const MAX_TURN: f64 = 0.16;
/// Share of the remaining way that a row takes.
const GAIN: f64 = 0.5;
/// Every primitive ends at this height of the tool (m).
pub(crate) const END_HEIGHT: f64 = 0.20;
/// The end counts as reached this much below (m).
const END_SLACK: f64 = 0.015;

/// A funnel to come down into: low at its middle, high away from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Funnel {
    /// Where to (m).
    pub(crate) at: [f64; 2],
    /// Height at the middle (m).
    pub(crate) low: f64,
    /// Height away from it (m).
    pub(crate) high: f64,
    /// Height gained per distance from the middle.
    pub(crate) slope: f64,
    /// Distance that counts as the middle (m).
    pub(crate) middle: f64,
}

impl Funnel {
    /// Distance of a point from the middle (m).
    pub(crate) fn distance(&self, tool: [f64; 3]) -> f64 {
        libm::hypot(self.at[0] - tool[0], self.at[1] - tool[1])
    }

    /// Height of the funnel's wall here (m).
    pub(crate) fn height(&self, distance: f64) -> f64 {
        self.low
            + (self.slope * (distance - self.middle)).clamp(0.0, (self.high - self.low).max(0.0))
    }
}

impl Situation {
    /// Towards a funnel's middle along its wall, `raised` metres above it.
    ///
    /// Below the wall it rises before it goes sideways, so that it knocks
    /// nothing over on the way.
    pub(crate) fn enter(&self, funnel: &Funnel, raised: f64, yaw: f64, gripper: f64) -> Move {
        const SOFT: f64 = 0.04;
        let distance = funnel.distance(self.tool);
        let height = funnel.height(distance) + raised;
        let freedom = if distance < 1.5 * funnel.middle {
            1.0
        } else {
            ((self.tool[2] - (height - SOFT)) / SOFT * 1.25).clamp(0.0, 1.0)
        };
        let [dx, dy] = limit([
            GAIN * (funnel.at[0] - self.tool[0]) * freedom,
            GAIN * (funnel.at[1] - self.tool[1]) * freedom,
        ]);
        let [dx, dy] = self.round_the_base([dx, dy]);
        Move {
            by: [dx, dy, self.toward_height(height)],
            turn: self.toward_yaw(yaw) * freedom.max(0.2),
            gripper,
            ..Move::default()
        }
    }

    /// Bends a step that would lead nearer to the arm's base than it reaches,
    /// round the base.
    fn round_the_base(&self, step: [f64; 2]) -> [f64; 2] {
        let to = [self.tool[0] + step[0], self.tool[1] + step[1]];
        let radius = libm::hypot(to[0], to[1]);
        if !(0.5 * LEAST_REACH..LEAST_REACH).contains(&radius) {
            return step;
        }
        let scale = LEAST_REACH / radius;
        limit([to[0] * scale - self.tool[0], to[1] * scale - self.tool[1]])
    }

    /// Straight up to where every primitive ends; done when there.
    pub(crate) fn retreat(&self, gripper: f64) -> Move {
        Move {
            by: [0.0, 0.0, self.toward_height(END_HEIGHT)],
            gripper,
            done: self.tool[2] > END_HEIGHT - END_SLACK,
            ..Move::default()
        }
    }

    /// Stands still.
    pub(crate) fn stay(&self, gripper: f64) -> Move {
        Move {
            gripper,
            ..Move::default()
        }
    }

    /// A row's step along z towards a height (m).
    pub(crate) fn toward_height(&self, height: f64) -> f64 {
        (GAIN * (height - self.tool[2])).clamp(-MAX_HEIGHT, MAX_HEIGHT)
    }

    /// A row's turn towards a yaw (rad).
    pub(crate) fn toward_yaw(&self, yaw: f64) -> f64 {
        (GAIN * (yaw - self.yaw)).clamp(-MAX_TURN, MAX_TURN)
    }
}

/// Shortens a step in the plane to the greatest one.
pub(crate) fn limit(step: [f64; 2]) -> [f64; 2] {
    let length = libm::hypot(step[0], step[1]);
    let scale = if length > MAX_PLANE {
        MAX_PLANE / length
    } else {
        1.0
    };
    [step[0] * scale, step[1] * scale]
}
