//! k of n: a signal counts when it is high in several of the last decisions.

use std::collections::VecDeque;

/// How many of the last decisions must be high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowRule {
    /// Decisions looked at, n.
    pub window: usize,
    /// Of which so many must be high, k.
    pub needed: usize,
}

impl WindowRule {
    /// A rule with at least one decision and at most all of them needed.
    #[must_use]
    pub fn new(window: usize, needed: usize) -> Self {
        let window = window.max(1);
        Self {
            window,
            needed: needed.clamp(1, window),
        }
    }
}

/// The last heights of one signal. Their k-th greatest is above a bar exactly
/// when k of the last n are, so the rule is a part of the score that is
/// calibrated, and calibration stays exact.
#[derive(Clone, Debug)]
pub struct Window {
    rule: WindowRule,
    heights: VecDeque<f64>,
}

impl Window {
    /// Without decisions.
    #[must_use]
    pub fn new(rule: WindowRule) -> Self {
        Self {
            rule,
            heights: VecDeque::with_capacity(rule.window + 1),
        }
    }

    /// Takes a height and gives the k-th greatest of the last n: below every
    /// bar until there are k. A height that is no number counts as above all.
    pub fn push(&mut self, height: f64) -> f64 {
        let height = if height.is_nan() {
            f64::INFINITY
        } else {
            height
        };
        self.heights.push_back(height);
        while self.heights.len() > self.rule.window {
            self.heights.pop_front();
        }
        let mut sorted: Vec<f64> = self.heights.iter().copied().collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        sorted
            .get(self.rule.needed - 1)
            .copied()
            .unwrap_or(f64::NEG_INFINITY)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.heights.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kth_of_the_last_n_counts() {
        let mut window = Window::new(WindowRule::new(4, 3));
        let got: Vec<f64> = [5.0, 5.0, 5.0, 0.0, 0.0, 0.0]
            .into_iter()
            .map(|height| window.push(height))
            .collect();
        assert!(got[..2].iter().all(|height| *height < -1e300));
        let rounded: Vec<i32> = got[2..].iter().map(|height| *height as i32).collect();
        assert_eq!(rounded, [5, 5, 0, 0]);
        window.clear();
        assert!(window.push(1.0) < -1e300);
    }

    #[test]
    fn what_is_no_number_is_high() {
        let mut window = Window::new(WindowRule::new(2, 2));
        window.push(f64::NAN);
        assert!(window.push(f64::NAN) > 1e300);
        let rule = WindowRule::new(0, 9);
        assert_eq!((rule.window, rule.needed), (1, 1));
    }
}
