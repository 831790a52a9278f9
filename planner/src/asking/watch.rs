//! A running watch over calibrated asking: do people still mean what is kept?
//!
//! What a person says next tells whether the right reading was kept: a plan that
//! is corrected was wrong, a question that is answered by "none of these" offered
//! only wrong ones. When the right reading is kept clearly less often than the
//! calibration promises, people speak differently from the sentences it was made
//! on, and its threshold is worth nothing: that is said, once until it changes.

use std::collections::VecDeque;

use vola_types::{Plan, Verdict};

use crate::request::PlanRequest;

/// Outcomes that are looked at.
const WINDOW: usize = 60;
/// Fewest outcomes that say something.
const FEWEST: usize = 15;
/// Chance of a warning although nothing has changed.
const FALSE_ALARM: f64 = 0.01;

/// The right reading is kept too seldom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// How often it was kept.
    pub kept: usize,
    /// Of so many answers.
    pub of: usize,
    /// The part that the calibration promises.
    pub target: f64,
}

/// Counts accepted and corrected answers.
#[derive(Debug, Clone)]
pub struct CoverageWatch {
    backend: String,
    target: f64,
    outcomes: VecDeque<bool>,
    last: Option<(String, Plan)>,
    has_warned: bool,
}

impl CoverageWatch {
    /// A watch over the answers of a back end that is calibrated to `target`.
    #[must_use]
    pub fn new(backend: impl Into<String>, target: f64) -> Self {
        Self {
            backend: backend.into(),
            target,
            outcomes: VecDeque::new(),
            last: None,
            has_warned: false,
        }
    }

    /// Notes one sentence with its plan; `is_correction` says that the sentence
    /// changes the command before. A drift is told once, until it is over.
    pub fn note(
        &mut self,
        request: &PlanRequest,
        plan: &Plan,
        is_correction: bool,
    ) -> Option<Drift> {
        let outcome = self.last.as_ref().and_then(|(sentence, before)| {
            was_kept((sentence, before), request, plan, is_correction)
        });
        self.last =
            (plan.backend == self.backend).then(|| (request.sentence.clone(), plan.clone()));
        self.count(outcome?)
    }

    /// Whether the calibration does not hold for what was said last.
    #[must_use]
    pub fn has_drifted(&self) -> bool {
        self.has_warned
    }

    fn count(&mut self, was_kept: bool) -> Option<Drift> {
        self.outcomes.push_back(was_kept);
        if self.outcomes.len() > WINDOW {
            self.outcomes.pop_front();
        }
        let of = self.outcomes.len();
        let kept = self.outcomes.iter().filter(|kept| **kept).count();
        let has_drifted = of >= FEWEST && at_most(kept, of, self.target) < FALSE_ALARM;
        let is_news = has_drifted && !self.has_warned;
        self.has_warned = has_drifted;
        is_news.then_some(Drift {
            kept,
            of,
            target: self.target,
        })
    }
}

/// Whether what was kept for the sentence before held what was meant; none when
/// this sentence does not follow it, or does not tell.
fn was_kept(
    (sentence, before): (&str, &Plan),
    request: &PlanRequest,
    plan: &Plan,
    is_correction: bool,
) -> Option<bool> {
    match before.verdict {
        Verdict::Execute => {
            let last = request.dialogue.last.as_ref()?;
            (last.sentence == sentence && last.steps == before.steps).then_some(!is_correction)
        }
        Verdict::Ask => {
            let open = request.dialogue.question.as_ref()?;
            if Some(&open.question) != before.question.as_ref() {
                return None;
            }
            match plan.verdict {
                Verdict::Execute => {
                    let mut options = before.options.iter();
                    Some(options.any(|option| option.steps == plan.steps))
                }
                Verdict::Chat => Some(false),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Chance of at most `kept` of `of` when each is kept with probability `target`.
#[expect(clippy::cast_precision_loss, reason = "counts up to the window")]
fn at_most(kept: usize, of: usize, target: f64) -> f64 {
    let n = of as f64;
    let term = |k: f64| {
        let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
        (ways + k * target.ln() + (n - k) * (1.0 - target).ln()).exp()
    };
    (0..=kept).map(|k| term(k as f64)).sum()
}

#[cfg(test)]
mod tests {
    use vola_types::{PlanOption, Scene, Step};

    use super::*;

    fn plan(verdict: Verdict) -> Plan {
        Plan {
            verdict,
            backend: "local".to_owned(),
            steps: match verdict {
                Verdict::Execute => vec![Step::Home],
                _ => Vec::new(),
            },
            question: (verdict == Verdict::Ask).then(|| "Which?".to_owned()),
            options: vec![PlanOption {
                label: "go home".to_owned(),
                steps: vec![Step::Home],
            }],
            ..Plan::default()
        }
    }

    #[test]
    fn corrections_and_refused_options_count_against_the_calibration() {
        let mut watch = CoverageWatch::new("local", 0.9);
        let mut request = PlanRequest::new("go home", Scene::default());
        let (execute, ask) = (plan(Verdict::Execute), plan(Verdict::Ask));
        let mut drifts = Vec::new();
        for round in 0..40 {
            let said = if round % 2 == 0 { &execute } else { &ask };
            let (is_correction, reply) = if said.verdict == Verdict::Execute {
                (round > 10, plan(Verdict::Execute))
            } else {
                (false, plan(Verdict::Chat))
            };
            watch.last = Some((request.sentence.clone(), said.clone()));
            request.dialogue.note("go home", said);
            drifts.extend(watch.note(&request, &reply, is_correction));
        }
        assert_eq!(drifts.len(), 1, "{drifts:?}");
        assert!(drifts[0].kept < drifts[0].of);
    }

    #[test]
    fn what_is_promised_is_no_drift_and_strangers_do_not_count() {
        let mut watch = CoverageWatch::new("local", 0.85);
        let kept = (0..200).filter_map(|i| watch.count(i % 7 != 0)).count();
        assert_eq!(kept, 0);
        let mut watch = CoverageWatch::new("local", 0.85);
        let request = PlanRequest::new("go home", Scene::default());
        watch.note(&request, &plan(Verdict::Execute), false);
        // No command before, as this request knows.
        watch.note(&request, &plan(Verdict::Execute), true);
        assert!(watch.outcomes.is_empty());
    }

    #[test]
    fn the_chance_is_that_of_the_binomial() {
        assert!((at_most(10, 10, 0.9) - 1.0).abs() < 1e-9);
        assert!((at_most(0, 2, 0.5) - 0.25).abs() < 1e-9);
        assert!((at_most(1, 2, 0.5) - 0.75).abs() < 1e-9);
    }
}
