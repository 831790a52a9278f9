//! Jerk of the plan.

use super::Meter;
use crate::Evidence;

/// Root mean square of the third difference of the planned path (m/s³).
///
/// # Meaning
/// For every policy whose chunks have four rows or more; none for shorter
/// ones. What the arm does is smooth in any case: the plan is looked at.
///
/// # Timing
/// A few multiplications a row.
#[derive(Debug)]
pub(super) struct Jerk;

impl Meter for Jerk {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        let path = evidence.executed;
        let period_s = path.period_ns as f64 * 1e-9;
        let (mut sum, mut count) = (0.0, 0_u32);
        for rows in path.rows.windows(4) {
            let [a, b, c, d] = [rows[0], rows[1], rows[2], rows[3]];
            let third: [f64; 3] =
                std::array::from_fn(|axis| d[axis] - 3.0 * c[axis] + 3.0 * b[axis] - a[axis]);
            sum += third.iter().map(|value| value * value).sum::<f64>();
            count += 1;
        }
        (count > 0 && period_s > 0.0)
            .then(|| (sum / f64::from(count)).sqrt() / (period_s * period_s * period_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::{evidence, path};

    #[test]
    fn constant_jerk_is_measured_and_short_chunks_say_nothing() {
        let cubic: Vec<f64> = (0..8).map(|row| (f64::from(row) * 0.1).powi(3)).collect();
        let value = Jerk.measure(&evidence(0.0, 0.0, &path(0, &cubic))).unwrap();
        assert!((value - 6.0).abs() < 1e-6, "{value}");
        let straight = path(0, &[0.0, 0.1, 0.2, 0.3, 0.4]);
        assert!(Jerk.measure(&evidence(0.0, 0.0, &straight)).unwrap() < 1e-9);
        assert_eq!(
            Jerk.measure(&evidence(0.0, 0.0, &path(0, &[0.0, 1.0]))),
            None
        );
    }
}
