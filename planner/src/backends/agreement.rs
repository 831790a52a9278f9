//! Asking a model several times and counting how often it says the same.
//!
//! A model behind an interface gives its plans no probabilities, and what it says
//! of its own confidence is not calibrated. How often independent samples agree
//! is a measure that is: it costs as many answers as samples, so it is a setting
//! (`[planner] samples`), and off unless it is set.

use std::sync::Arc;

use async_trait::async_trait;

use super::draft_of;
use crate::backend::{Backend, BackendError};
use crate::draft::PlanDraft;
use crate::readings::{Asking, Reading, answer, is_same};
use crate::request::PlanRequest;
use crate::transcript::Exchange;

/// Part of the samples that must agree for a plan to be carried out unasked:
/// with two or three all of them.
const AGREEMENT: f64 = 0.75;

/// A back end that is asked several times for one plan.
pub struct Agreement {
    inner: Arc<dyn Backend>,
    samples: usize,
}

impl Agreement {
    /// Asks `inner` so many times; once is no agreement at all.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, samples: usize) -> Self {
        Self { inner, samples }
    }
}

#[async_trait]
impl Backend for Agreement {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn wraps(&self) -> Option<&dyn Backend> {
        Some(self.inner.as_ref())
    }

    async fn plan(&self, request: &PlanRequest) -> Result<PlanDraft, BackendError> {
        // What was sent back for repair is one plan, and so is its mending. An answer
        // from documents is held to its quotations, and no two are worded alike.
        if self.samples < 2 || request.feedback.is_some() || request.inquiry.is_some() {
            return self.inner.plan(request).await;
        }
        let first = request.transcript.count();
        let mut drafts = Vec::with_capacity(self.samples);
        let mut failure = None;
        let mut sampled = request.clone();
        for index in 0..self.samples {
            sampled.sample = u32::try_from(index).ok();
            match self.inner.plan(&sampled).await {
                Ok(draft) => drafts.push(draft),
                Err(error) => failure = Some(error),
            }
        }
        let count = request.transcript.count();
        for index in first..count {
            request.transcript.change(index, |exchange| {
                exchange.ask_from = Asking::From(AGREEMENT).bar();
            });
        }
        match (agreed(drafts, self.samples), failure) {
            (Some(draft), _) => Ok(draft),
            (None, Some(error)) => Err(error),
            (None, None) => Err(BackendError::BadReply {
                detail: "no sample was asked for".to_owned(),
            }),
        }
    }
}

/// The answer of recorded samples; none when the exchanges are not samples.
pub(crate) fn recorded(exchanges: &[Exchange]) -> Option<PlanDraft> {
    let samples: Vec<&Exchange> = exchanges
        .iter()
        .filter(|exchange| exchange.ask_from.is_some() && exchange.error.is_none())
        .collect();
    let drafts = samples.iter().filter_map(|it| draft_of(it).ok()).collect();
    agreed(drafts, samples.len())
}

/// The plan that most samples say, or a question; a sample without a plan counts
/// against every plan.
fn agreed(drafts: Vec<PlanDraft>, samples: usize) -> Option<PlanDraft> {
    #[expect(clippy::cast_precision_loss, reason = "a handful of samples")]
    let share = 1.0 / samples.max(1) as f64;
    let mut all: Vec<Reading> = Vec::new();
    for draft in drafts {
        match all.iter_mut().find(|known| is_same(&known.draft, &draft)) {
            Some(known) => known.probability += share,
            None => all.push(Reading {
                line: draft.tree.goal.clone(),
                // The share of samples, not what the model says of itself.
                draft: draft.with_confidence(1.0),
                probability: share,
            }),
        }
    }
    all.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    answer(all, Asking::From(AGREEMENT))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use vola_types::{Scene, Step, Verdict};

    use super::*;

    /// Says these plans, one after the other.
    struct Says(Mutex<Vec<PlanDraft>>);

    #[async_trait]
    impl Backend for Says {
        fn name(&self) -> &str {
            "says"
        }

        async fn plan(&self, _: &PlanRequest) -> Result<PlanDraft, BackendError> {
            let next = self.0.lock().unwrap().pop();
            next.ok_or_else(|| BackendError::BadReply {
                detail: "nothing left".to_owned(),
            })
        }
    }

    /// As a model behind an interface is.
    struct Metered;

    #[async_trait]
    impl Backend for Metered {
        fn name(&self) -> &str {
            "metered"
        }

        fn is_metered(&self) -> bool {
            true
        }

        fn knows_other_things(&self) -> bool {
            true
        }

        fn reads_documents(&self) -> bool {
            true
        }

        async fn plan(&self, _: &PlanRequest) -> Result<PlanDraft, BackendError> {
            Ok(PlanDraft::chat("Hello."))
        }
    }

    #[test]
    fn it_is_as_the_back_end_that_it_asks() {
        let several = Agreement::new(Arc::new(Metered), 3);
        assert!(several.is_metered() && several.knows_other_things() && several.reads_documents());
        let plain = Agreement::new(Arc::new(Says(Mutex::default())), 3);
        assert!(!plain.is_metered() && !plain.knows_other_things() && !plain.reads_documents());
    }

    fn asked(plans: Vec<PlanDraft>, samples: usize) -> Result<PlanDraft, BackendError> {
        let backend = Agreement::new(Arc::new(Says(Mutex::new(plans))), samples);
        let request = PlanRequest::new("go", Scene::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(backend.plan(&request))
    }

    #[test]
    fn samples_that_agree_are_carried_out_and_others_are_asked_about() {
        let home = || PlanDraft::execute("go home", vec![("go home".to_owned(), vec![Step::Home])]);
        let open = || {
            let steps = vec![Step::OpenGripper];
            PlanDraft::execute("open", vec![("open".to_owned(), steps)])
        };
        let all = asked(vec![home(), home(), home()], 3).unwrap();
        assert_eq!(all.verdict, Verdict::Execute);
        assert!((all.confidence - 1.0).abs() < 1e-9);
        let most = asked(vec![home(), open(), home()], 3).unwrap();
        assert_eq!(most.verdict, Verdict::Ask);
        assert_eq!(most.options.len(), 3, "both, and none of them");
        // A sample that failed agrees with nobody.
        let some = asked(vec![home(), home()], 3).unwrap();
        assert_eq!(some.verdict, Verdict::Ask);
        assert!(asked(Vec::new(), 3).is_err());
        assert_eq!(asked(vec![open()], 1).unwrap().verdict, Verdict::Execute);
    }
}
