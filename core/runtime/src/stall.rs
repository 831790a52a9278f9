//! Notices a policy that stands still without being done.
//!
//! A learned policy can come to a state that it believes to be right, and stay
//! there. Waiting for the primitive's time-out would cost many seconds in which
//! another try could already run.

use std::collections::VecDeque;

use nalgebra::Isometry3;

use crate::proprioception::Proprioception;

/// How long nothing may move (ns).
const STILL_NS: u64 = 4_000_000_000;
/// Tool displacement that counts as moving (m).
const MOVED_M: f64 = 0.006;
/// Tool rotation that counts as moving (rad).
const TURNED_RAD: f64 = 0.05;
/// Change of the gripper's opening, 0..1, that counts as moving.
const GRIPPED: f64 = 0.03;

/// What the arm's end looked like at a decision.
struct Seen {
    time_ns: u64,
    tool_in_base: Isometry3<f64>,
    gripper: f64,
}

/// Watches the decisions of one primitive.
#[derive(Default)]
pub(crate) struct StallWatch {
    /// Decisions of the last [`STILL_NS`], oldest first.
    window: VecDeque<Seen>,
}

impl StallWatch {
    /// Forgets what was seen, as after a person was asked.
    pub(crate) fn forgive(&mut self) {
        self.window.clear();
    }

    /// Takes the state of a decision; whether nothing has moved for too long.
    pub(crate) fn observe(&mut self, measured: &Proprioception) -> bool {
        let now = Seen {
            time_ns: measured.time_ns,
            tool_in_base: measured.tool_in_base,
            gripper: measured.gripper.unwrap_or(0.0),
        };
        if self.window.iter().any(|seen| has_moved(seen, &now)) {
            self.window.clear();
        }
        let is_stuck = self
            .window
            .front()
            .is_some_and(|first| now.time_ns.saturating_sub(first.time_ns) >= STILL_NS);
        self.window.push_back(now);
        is_stuck
    }
}

/// Whether the tool or the gripper differ; numbers that are none count as moved,
/// since other checks speak of those.
fn has_moved(from: &Seen, to: &Seen) -> bool {
    let by = to.tool_in_base.translation.vector - from.tool_in_base.translation.vector;
    let turn = from
        .tool_in_base
        .rotation
        .angle_to(&to.tool_in_base.rotation);
    let still =
        by.norm() < MOVED_M && turn < TURNED_RAD && (to.gripper - from.gripper).abs() < GRIPPED;
    !still
}

#[cfg(test)]
mod tests {
    use nalgebra::{Translation3, UnitQuaternion, Vector3};

    use super::*;

    fn state(seconds: f64, x: f64, yaw: f64, gripper: f64) -> Proprioception {
        Proprioception {
            time_ns: (seconds * 1e9) as u64,
            position: Vec::new(),
            velocity: Vec::new(),
            tool_in_base: Isometry3::from_parts(
                Translation3::new(x, 0.0, 0.2),
                UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw),
            ),
            gripper: Some(gripper),
            gripper_command: 1.0,
        }
    }

    /// When the watch first speaks, of decisions every 0.2 s; none in 10 s.
    fn first(of: impl Fn(f64) -> Proprioception) -> Option<f64> {
        let mut watch = StallWatch::default();
        (0..50)
            .map(|index| f64::from(index) * 0.2)
            .find(|seconds| watch.observe(&of(*seconds)))
    }

    #[test]
    fn standing_still_is_noticed_and_moving_is_not() {
        let at = first(|t| state(t, 0.4, 0.0, 1.0)).unwrap();
        assert!((3.9..4.3).contains(&at), "{at}");
        // Trembling about a point is standing still.
        assert!(first(|t| state(t, 0.4 + 0.002 * (9.0 * t).sin(), 0.0, 1.0)).is_some());
        assert_eq!(first(|t| state(t, 0.4 + 0.002 * t, 0.0, 1.0)), None);
        assert_eq!(first(|t| state(t, 0.4, 0.02 * t, 1.0)), None);
        assert_eq!(first(|t| state(t, 0.4, 0.0, 1.0 - 0.02 * t)), None);
    }

    #[test]
    fn a_late_start_counts_from_the_last_motion() {
        let at =
            first(|t| state(t, if t < 3.0 { 0.4 + 0.01 * t } else { 0.43 }, 0.0, 1.0)).unwrap();
        assert!((6.2..7.5).contains(&at), "{at}");
    }

    #[test]
    fn a_person_who_was_asked_begins_it_anew() {
        let mut watch = StallWatch::default();
        assert!(!watch.observe(&state(0.0, 0.4, 0.0, 1.0)));
        watch.forgive();
        assert!(!watch.observe(&state(60.0, 0.4, 0.0, 1.0)));
    }
}
