//! Pick: over the block, down between its neighbours, close, lift.

use super::{
    Move, Obstacle, Situation,
    approach::{END_HEIGHT, Funnel},
    situation::{CLOSE_BELOW, MAX_YAW, decided_quarter},
};
use crate::{
    arm::FINGER_HALF,
    catalog::{BLOCK_HALF, BOWL_RIM, Kind},
};

/// Distance and height within which the fingers close (m).
const CLOSE_WITHIN: f64 = 0.007;
/// Turn within which the fingers close (rad).
const CLOSE_TURN: f64 = 0.12;
/// Room beside each finger that counts as enough (m).
const ENOUGH_ROOM: f64 = 0.004;
/// Height of the tool on the way (m): open fingers pass over everything.
const WAY_HEIGHT: f64 = 0.10;

impl Situation {
    /// One step of a pick.
    pub(crate) fn pick(&self) -> Move {
        if self.is_held() {
            return self.retreat(0.0);
        }
        let gone = self.object[2] < -0.02
            || !(0.2..=0.72).contains(&self.object[0])
            || self.object[1].abs() > 0.42;
        if gone {
            return Move {
                failing: true,
                done: false,
                ..self.retreat(1.0)
            };
        }
        let low = self.object[2].max(0.016);
        let funnel = Funnel {
            at: [self.object[0], self.object[1]],
            low,
            high: WAY_HEIGHT.max(low + 0.05),
            slope: 3.0,
            middle: 0.008,
        };
        let distance = funnel.distance(self.tool);
        let above = self.tool[2] - low;
        let yaw = self.grasp_yaw();
        let astray = (yaw - self.yaw).abs();
        let closing = self.command < CLOSE_BELOW && self.width > self.block_width - 0.1;
        if closing && distance < 0.014 && above.abs() < 0.014 && !self.holds_other {
            return self.stay(0.0);
        }
        let ready = self.width > 0.85 && astray < CLOSE_TURN;
        if ready && distance < CLOSE_WITHIN && above < CLOSE_WITHIN {
            return self.stay(0.0);
        }
        // High while the fingers still open or the wrist still turns.
        let raised = (0.16 * (0.88 - self.width)).clamp(0.0, 0.08)
            + (0.3 * (astray - CLOSE_TURN)).clamp(0.0, 0.05);
        let raised = raised.min((END_HEIGHT - low).max(0.0));
        Move {
            failing: self.holds_other,
            ..self.enter(&funnel, raised, yaw, 1.0)
        }
    }

    /// Which pair of sides to grasp: about the least turn of the wrist, unless
    /// the fingers would hit a neighbour there and have more room at the other.
    fn grasp_yaw(&self) -> f64 {
        let first = decided_quarter(self.object_yaw, self.yaw);
        let second = if first > 0.0 {
            first - std::f64::consts::FRAC_PI_2
        } else {
            first + std::f64::consts::FRAC_PI_2
        };
        if second.abs() > MAX_YAW {
            return first;
        }
        let (room, other_room) = (self.room(first), self.room(second));
        if room >= ENOUGH_ROOM || room >= other_room {
            first
        } else {
            second
        }
    }

    /// Least distance between an open finger and a neighbour (m), at most 2 cm.
    fn room(&self, yaw: f64) -> f64 {
        let (sin, cos) = (libm::sin(yaw), libm::cos(yaw));
        let finger = 0.5 * self.max_width + FINGER_HALF[1];
        let mut least: f64 = 0.02;
        for side in [-1.0, 1.0] {
            for end in [-0.7, 0.0, 0.7] {
                let (out, across) = (side * finger, end * FINGER_HALF[0]);
                let point = [
                    self.object[0] + cos * across - sin * out,
                    self.object[1] + sin * across + cos * out,
                ];
                for obstacle in &self.obstacles {
                    least = least.min(gap(point, obstacle) - FINGER_HALF[1]);
                }
            }
        }
        least
    }
}

/// Distance from a point to an obstacle's edge (m).
fn gap(point: [f64; 2], obstacle: &Obstacle) -> f64 {
    let (dx, dy) = (point[0] - obstacle.at[0], point[1] - obstacle.at[1]);
    match obstacle.kind {
        Kind::Bowl => libm::hypot(dx, dy) - BOWL_RIM,
        _ => {
            let (sin, cos) = (libm::sin(obstacle.yaw), libm::cos(obstacle.yaw));
            let along = (cos * dx + sin * dy).abs() - BLOCK_HALF;
            let across = (cos * dy - sin * dx).abs() - BLOCK_HALF;
            libm::hypot(along.max(0.0), across.max(0.0)) + along.max(across).min(0.0)
        }
    }
}
