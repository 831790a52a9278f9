//! Closed fingers with nothing between them.

use super::Meter;
use crate::Evidence;

/// Opening below which fingers that were told to close hold nothing.
const EMPTY: f64 = 0.08;
/// Command below which they were told to close.
const CLOSE: f64 = 0.5;

/// Time for which fingers that were told to close have held nothing (s).
///
/// # Meaning
/// For every arm with a gripper. Ops that push with closed fingers have it all
/// the time, which their band knows; in the others it is a grasp that missed
/// or slipped.
///
/// # Timing
/// One comparison.
#[derive(Debug, Default)]
pub(super) struct LostGrasp {
    since_ns: Option<u64>,
}

impl Meter for LostGrasp {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        let opening = evidence.tool.gripper?;
        if opening < EMPTY && evidence.tool.gripper_command < CLOSE {
            let since = *self.since_ns.get_or_insert(evidence.time_ns);
            return Some(evidence.time_ns.saturating_sub(since) as f64 * 1e-9);
        }
        self.since_ns = None;
        Some(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::{evidence, path};

    #[test]
    fn only_closed_and_empty_fingers_count() {
        let plan = path(0, &[0.0]);
        let mut meter = LostGrasp::default();
        let mut at = |seconds, opening, command| {
            let mut evidence = evidence(seconds, 0.0, &plan);
            evidence.tool.gripper = opening;
            evidence.tool.gripper_command = command;
            meter.measure(&evidence)
        };
        assert_eq!(at(0.0, Some(0.5), 0.0), Some(0.0), "holds something");
        assert_eq!(at(1.0, Some(0.0), 0.0), Some(0.0));
        assert!((at(3.0, Some(0.01), 0.0).unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(at(4.0, Some(0.01), 1.0), Some(0.0), "opens");
        assert_eq!(at(5.0, None, 0.0), None);
    }
}
