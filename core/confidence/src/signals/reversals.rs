//! Direction reversals: a policy that does not know turns back and forth.

use std::collections::VecDeque;

use super::Meter;
use crate::Evidence;

/// Steps looked back on.
const STEPS: usize = 10;
/// A shorter step says nothing of a direction (m).
const LEAST_STEP_M: f64 = 0.003;

/// Share of the last steps of the tool that turn back: whose direction lies
/// more than 90° from that of the step before.
///
/// # Meaning
/// For every policy that moves a tool. A reversal or two belong to every
/// approach; many are hesitation. Steps of less than 3 mm do not count.
///
/// # Timing
/// Some ten multiplications.
#[derive(Debug, Default)]
pub(super) struct DirectionReversals {
    last: Option<[f64; 3]>,
    step: Option<[f64; 3]>,
    turned: VecDeque<bool>,
}

impl Meter for DirectionReversals {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        let now = evidence.tool.position;
        let from = self.last.get_or_insert(now);
        let step: [f64; 3] = std::array::from_fn(|axis| now[axis] - from[axis]);
        let dot = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        if dot(&step, &step).sqrt() >= LEAST_STEP_M {
            self.last = Some(now);
            if let Some(before) = self.step.replace(step) {
                self.turned.push_back(dot(&before, &step) < 0.0);
            }
            while self.turned.len() > STEPS {
                self.turned.pop_front();
            }
        }
        let turned = self.turned.iter().filter(|turned| **turned).count();
        Some(turned as f64 / STEPS as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::{evidence, path};

    fn last(of: impl Fn(f64) -> f64) -> f64 {
        let mut meter = DirectionReversals::default();
        let plan = path(0, &[0.0]);
        let mut value = 0.0;
        for step in 0..20 {
            let t = f64::from(step) * 0.2;
            value = meter.measure(&evidence(t, of(t), &plan)).unwrap();
        }
        value
    }

    #[test]
    fn going_on_is_none_and_going_back_and_forth_is_all() {
        assert!(last(|t| 0.05 * t) < 1e-12);
        assert!(
            last(|t| if (t / 0.2).round() as i64 % 2 == 0 {
                0.0
            } else {
                0.05
            }) > 0.99
        );
        assert!(last(|t| 1e-4 * (90.0 * t).sin()) < 1e-12, "trembling");
    }
}
