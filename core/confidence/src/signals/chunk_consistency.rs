//! How well a chunk goes on where the one before it planned to.

use super::Meter;
use crate::{Evidence, PlannedPath, evidence::distance};

/// Mean distance of two chunks at the row times they share (m).
///
/// # Meaning
/// For every policy that plans further than it executes: a policy that changes
/// its mind at every decision has none. 0 at the first decision and where the
/// chunks share no time.
///
/// # Timing
/// A few multiplications a row.
#[derive(Debug, Default)]
pub(super) struct ChunkConsistency {
    before: Option<PlannedPath>,
}

impl Meter for ChunkConsistency {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        let before = self.before.replace(evidence.executed.clone());
        Some(before.map_or(0.0, |before| change_m(&before, evidence.executed)))
    }
}

/// Mean distance at shared row times, within half a period.
fn change_m(before: &PlannedPath, now: &PlannedPath) -> f64 {
    let mut sum = 0.0;
    let mut shared = 0_u32;
    for (index, row) in now.rows.iter().enumerate() {
        let time = now.first_ns + index as u64 * now.period_ns;
        let Some(offset) = time.checked_sub(before.first_ns) else {
            continue;
        };
        let place = (offset + before.period_ns / 2) / before.period_ns.max(1);
        let old = usize::try_from(place)
            .ok()
            .and_then(|place| before.rows.get(place));
        let Some(old) = old else { continue };
        sum += distance(*row, *old);
        shared += 1;
    }
    if shared == 0 {
        0.0
    } else {
        sum / f64::from(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::path;

    const STEP: u64 = 100_000_000;

    #[test]
    fn paths_are_compared_at_equal_times() {
        let before = path(STEP, &[0.0, 0.1, 0.2, 0.3]);
        assert!(change_m(&before, &path(2 * STEP, &[0.1, 0.2, 0.3, 0.4])) < 1e-12);
        let late = change_m(&before, &path(2 * STEP, &[0.2, 0.3, 0.4, 0.5]));
        assert!((late - 0.1).abs() < 1e-12);
        assert!(
            change_m(&before, &path(9 * STEP, &[5.0])) < 1e-12,
            "nothing shared"
        );
        assert!(change_m(&before, &path(2 * STEP, &[f64::NAN])).is_nan());
    }
}
