//! The speed of the tool: what a fixed velocity limit would watch.

use super::Meter;
use crate::{Evidence, evidence::distance};

/// Speed of the tool between two decisions (m/s).
///
/// # Meaning
/// A baseline to compare with: failing policies are seldom fast.
///
/// # Timing
/// A few multiplications.
#[derive(Debug, Default)]
pub(super) struct Velocity {
    last: Option<(u64, [f64; 3])>,
}

impl Meter for Velocity {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        let now = (evidence.time_ns, evidence.tool.position);
        let before = self.last.replace(now);
        let speed = before.map(|(then_ns, from)| {
            let seconds = now.0.saturating_sub(then_ns) as f64 * 1e-9;
            if seconds > 0.0 {
                distance(from, now.1) / seconds
            } else {
                0.0
            }
        });
        Some(speed.unwrap_or(0.0))
    }
}
