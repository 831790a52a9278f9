//! Standing still.

use super::Meter;
use crate::{Evidence, ToolPose, evidence::distance};

/// Tool displacement that counts as moving (m).
pub const MOVED_M: f64 = 0.006;
/// Tool rotation that counts as moving (rad).
pub const TURNED_RAD: f64 = 0.05;
/// Change of the gripper's opening, 0..1, that counts as moving.
pub const GRIPPED: f64 = 0.03;

/// Time since tool or gripper last moved (s).
///
/// # Meaning
/// For every policy. Trembling about one place is standing still.
///
/// # Timing
/// Some ten multiplications.
#[derive(Debug, Default)]
pub(super) struct Stall {
    since: Option<(u64, ToolPose)>,
}

impl Meter for Stall {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        let now = (evidence.time_ns, evidence.tool);
        let (since_ns, pose) = *self.since.get_or_insert(now);
        if has_moved(&pose, &evidence.tool) {
            self.since = Some(now);
            return Some(0.0);
        }
        Some(evidence.time_ns.saturating_sub(since_ns) as f64 * 1e-9)
    }
}

/// Whether tool or gripper differ; numbers that are none count as moved, since
/// other checks speak of those.
fn has_moved(from: &ToolPose, to: &ToolPose) -> bool {
    let dot: f64 = from
        .orientation
        .iter()
        .zip(to.orientation)
        .map(|(a, b)| a * b)
        .sum();
    let turn = 2.0 * dot.abs().min(1.0).acos();
    let grip = (to.gripper.unwrap_or(0.0) - from.gripper.unwrap_or(0.0)).abs();
    let still =
        distance(from.position, to.position) < MOVED_M && turn < TURNED_RAD && grip < GRIPPED;
    !still
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::{evidence, path};

    fn last(of: impl Fn(f64) -> f64) -> f64 {
        let mut meter = Stall::default();
        let plan = path(0, &[0.0]);
        let mut value = 0.0;
        for step in 0..=10 {
            let t = f64::from(step) * 0.2;
            value = meter.measure(&evidence(t, of(t), &plan)).unwrap();
        }
        value
    }

    #[test]
    fn standing_counts_from_the_last_motion() {
        assert!((last(|_| 0.3) - 2.0).abs() < 1e-9);
        assert!((last(|t| 0.3 + 0.002 * (9.0 * t).sin()) - 2.0).abs() < 1e-9);
        assert!(last(|t| 0.05 * t) < 1e-9);
        assert!((last(|t| 0.05 * t.min(1.0)) - 1.0).abs() < 0.21);
    }
}
