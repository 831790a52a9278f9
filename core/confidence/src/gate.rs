//! When a high score becomes a question, and how often.

use std::collections::VecDeque;

/// An hour (ns).
const HOUR_NS: u64 = 3_600_000_000_000;

/// Hysteresis: a question is asked once, and again only after the score has
/// fallen, or after a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HoldGate {
    release: f64,
    again_ns: u64,
    /// Since when a question counts as answered (ns).
    answered_ns: Option<u64>,
}

impl HoldGate {
    /// A gate that is armed. `release` is the ratio of score to threshold at
    /// which it is armed again after an answer, `again_ns` the time after which
    /// it is in any case.
    #[must_use]
    pub fn new(release: f64, again_ns: u64) -> Self {
        Self {
            release,
            again_ns,
            answered_ns: None,
        }
    }

    /// Whether the arm must hold now; `ratio` is the score over its threshold.
    /// A ratio that is no number holds.
    pub fn must_hold(&mut self, ratio: f64, now_ns: u64) -> bool {
        if let Some(answered_ns) = self.answered_ns {
            let is_over = now_ns.saturating_sub(answered_ns) >= self.again_ns;
            if is_over || ratio <= self.release {
                self.answered_ns = None;
            } else {
                return false;
            }
        }
        !(ratio <= 1.0)
    }

    /// A person said to go on.
    pub fn answered(&mut self, now_ns: u64) {
        self.answered_ns = Some(now_ns);
    }
}

/// How often a person may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskLimits {
    /// Questions of one primitive.
    pub per_primitive: u32,
    /// Questions in any hour.
    pub per_hour: u32,
}

/// Whether a question may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// It may.
    Allowed,
    /// The primitive has had its share.
    PrimitiveSpent,
    /// The hour has had its share.
    HourSpent,
}

/// Counts questions. When the budget is spent nobody is asked any more, and the
/// arm does not go on unasked either: the primitive ends at rest.
#[derive(Clone, Debug)]
pub struct AskBudget {
    limits: AskLimits,
    of_primitive: u32,
    asked_ns: VecDeque<u64>,
}

impl AskBudget {
    /// Nothing was asked yet.
    #[must_use]
    pub fn new(limits: AskLimits) -> Self {
        Self {
            limits,
            of_primitive: 0,
            asked_ns: VecDeque::new(),
        }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> AskLimits {
        self.limits
    }

    /// What was asked so far does not count any more.
    pub fn begin_anew(&mut self) {
        self.of_primitive = 0;
        self.asked_ns.clear();
    }

    /// Another primitive begins.
    pub fn begin_primitive(&mut self) {
        self.of_primitive = 0;
    }

    /// Asks for a question at this time; an allowed one is counted.
    pub fn ask(&mut self, now_ns: u64) -> Asking {
        while self
            .asked_ns
            .front()
            .is_some_and(|asked| now_ns.saturating_sub(*asked) >= HOUR_NS)
        {
            self.asked_ns.pop_front();
        }
        if self.of_primitive >= self.limits.per_primitive {
            return Asking::PrimitiveSpent;
        }
        if self.asked_ns.len() >= self.limits.per_hour as usize {
            return Asking::HourSpent;
        }
        self.of_primitive += 1;
        self.asked_ns.push_back(now_ns);
        Asking::Allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answered_question_is_not_asked_again_at_once() {
        let mut gate = HoldGate::new(0.8, 10);
        assert!(!gate.must_hold(1.0, 0));
        assert!(gate.must_hold(1.1, 1));
        gate.answered(2);
        assert!(!gate.must_hold(1.5, 3), "it was said to go on");
        assert!(!gate.must_hold(0.9, 4), "not low enough yet");
        assert!(!gate.must_hold(1.5, 5));
        assert!(!gate.must_hold(0.7, 6), "armed again");
        assert!(gate.must_hold(1.1, 7));
        gate.answered(7);
        assert!(gate.must_hold(1.1, 17), "still high after a while");
        assert!(HoldGate::new(0.8, 10).must_hold(f64::NAN, 0));
    }

    #[test]
    fn a_budget_is_counted_by_primitive_and_by_hour() {
        let mut budget = AskBudget::new(AskLimits {
            per_primitive: 2,
            per_hour: 3,
        });
        assert_eq!(budget.ask(0), Asking::Allowed);
        assert_eq!(budget.ask(1), Asking::Allowed);
        assert_eq!(budget.ask(2), Asking::PrimitiveSpent);
        budget.begin_primitive();
        assert_eq!(budget.ask(3), Asking::Allowed);
        assert_eq!(budget.ask(4), Asking::HourSpent);
        assert_eq!(budget.ask(HOUR_NS), Asking::Allowed, "the first is over");
        budget.begin_primitive();
        assert_eq!(budget.ask(HOUR_NS), Asking::HourSpent);
        budget.begin_anew();
        assert_eq!(budget.ask(HOUR_NS), Asking::Allowed);
    }
}
