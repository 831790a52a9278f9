//! A small motion well inside of every limit.
//!
//! Each joint follows a quintic with zero velocity and acceleration at both
//! ends, stretched until speed, acceleration and jerk stay under half of the
//! described limits.

use vola_abi::{CommandFrame, StateFrame};
use vola_types::EmbodimentDescription;

/// One control tick (ns).
pub(super) const TICK_NS: u64 = 1_000_000;
const TICK_SECS: f64 = 1e-3;
/// Farthest that a joint goes (rad, m), or a tenth of its range.
const REACH: f64 = 0.1;

pub(super) struct Motion {
    from: Vec<f64>,
    to: Vec<f64>,
    ticks: u64,
    tick: u64,
}

impl Motion {
    /// From the measured state some way towards the roomier side of each joint;
    /// the gripper stays.
    pub(super) fn away(description: &EmbodimentDescription, state: &StateFrame) -> Self {
        let from: Vec<f64> = state.positions().to_vec();
        let mut to = from.clone();
        let mut seconds = 0.1_f64;
        for (goal, joint) in to.iter_mut().zip(&description.joints) {
            let range = joint.position_max - joint.position_min;
            let step = REACH.min(0.1 * range);
            let above = joint.position_max - *goal;
            *goal += if above > 0.5 * range { step } else { -step };
            // Peaks of the unit quintic: velocity 15/8, acceleration 10/√3, jerk 60.
            seconds = seconds
                .max(step * 1.875 / (0.5 * joint.max_velocity))
                .max((step * 5.774 / (0.5 * joint.max_acceleration)).sqrt())
                .max((step * 60.0 / (0.5 * joint.max_jerk)).cbrt());
        }
        // A slow robot is tried for a minute at most.
        let ticks = (seconds / TICK_SECS).ceil().min(60_000.0) as u64;
        Self {
            from,
            to,
            ticks,
            tick: 0,
        }
    }

    /// The same way back, at the same speed.
    pub(super) fn back(&self) -> Self {
        Self {
            from: self.to.clone(),
            to: self.from.clone(),
            ticks: self.ticks,
            tick: 0,
        }
    }

    pub(super) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The next tick's command; the goal once the motion is over.
    pub(super) fn next(&mut self) -> CommandFrame {
        self.tick += 1;
        let s = (self.tick as f64 / self.ticks as f64).min(1.0);
        let along = s * s * s * (10.0 + s * (6.0 * s - 15.0));
        let speed = 30.0 * s * s * (1.0 - s) * (1.0 - s) / (self.ticks as f64 * TICK_SECS);
        let mut frame = CommandFrame {
            time_ns: self.tick * TICK_NS,
            ..CommandFrame::default()
        };
        for (index, (from, to)) in self.from.iter().zip(&self.to).enumerate() {
            if let (Some(position), Some(velocity)) =
                (frame.position.get_mut(index), frame.velocity.get_mut(index))
            {
                *position = from + (to - from) * along;
                *velocity = (to - from) * speed;
                frame.count += 1;
            }
        }
        frame
    }

    /// Greatest distance of a state from the goal.
    pub(super) fn error(&self, state: &StateFrame) -> f64 {
        self.to
            .iter()
            .zip(state.positions())
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max)
    }
}
