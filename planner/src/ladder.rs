//! The ladder of back ends: the first that gives a verified plan wins.
//!
//! Order of events for one sentence: the guard reads it; then each rung in
//! turn answers, its draft is screened and verified, and an answer that fails
//! goes back to the same rung at most [`MAX_REPAIRS`] times. A rung that
//! errs is noted and the next is asked. After the last rung a person is asked.
//! The ladder itself never fails: it always gives a plan.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vola_types::{Fallback, Plan, PlanOption, Step, Verdict};

use crate::backend::{Backend, BackendError};
use crate::draft::PlanDraft;
use crate::guard;
use crate::request::{Feedback, MAX_SENTENCE_BYTES, PlanRequest};
use crate::verifier::{PlanFault, verify_draft, verify_steps};

/// How often a refused answer goes back to its back end.
pub const MAX_REPAIRS: u32 = 2;

/// Time for one sentence over all rungs unless set otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(20);

/// An ordered list of back ends with one deadline.
pub struct Ladder {
    rungs: Vec<Arc<dyn Backend>>,
    deadline: Duration,
}

impl std::fmt::Debug for Ladder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ladder")
            .field("rungs", &self.names())
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// An answer of one rung after all its repairs.
struct Answer {
    draft: PlanDraft,
    repairs: u32,
}

impl Ladder {
    /// A ladder that asks `rungs` in order.
    #[must_use]
    pub fn new(rungs: Vec<Arc<dyn Backend>>) -> Self {
        Self {
            rungs,
            deadline: DEFAULT_DEADLINE,
        }
    }

    /// A ladder of the built-in grammar alone.
    #[must_use]
    pub fn rules_only() -> Self {
        Self::new(vec![Arc::new(crate::rules::RulesBackend::new())])
    }

    /// The same ladder with another total time.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same ladder with the named rung asked first; unchanged when there
    /// is none of that name.
    #[must_use]
    pub fn starting_with(mut self, name: &str) -> Self {
        self.rungs.sort_by_key(|rung| rung.name() != name);
        self
    }

    /// Names of the rungs in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.rungs.iter().map(|rung| rung.name()).collect()
    }

    /// Plans one sentence. Moves nothing and never fails: when no rung can
    /// answer, the plan asks the person.
    ///
    /// # Timing
    /// Returns within the deadline (plus the synchronous part of one rung).
    /// Needs a tokio runtime with its time driver enabled.
    pub async fn plan(&self, request: &PlanRequest) -> Plan {
        let started = Instant::now();
        let mut plan = self.answer(request, started).await;
        plan.millis = started.elapsed().as_secs_f64() * 1e3;
        plan.id = decision_id(request);
        tracing::debug!(
            backend = %plan.backend, verdict = plan.verdict.as_str(), millis = plan.millis,
            "planned"
        );
        plan
    }

    async fn answer(&self, request: &PlanRequest, started: Instant) -> Plan {
        if let Some(draft) = screen_request(request) {
            return named(draft, "guard");
        }
        let mut fallbacks = Vec::new();
        let mut refused: Option<(PlanDraft, PlanFault)> = None;
        for rung in &self.rungs {
            match self.ask_rung(rung.as_ref(), request, started).await {
                Ok(Ok(answer)) => {
                    let mut plan = named(answer.draft, rung.name());
                    plan.repairs = answer.repairs;
                    plan.fallbacks = fallbacks;
                    return plan;
                }
                Ok(Err((draft, fault))) => {
                    fallbacks.push(fallback(rung.name(), format!("plan refused: {fault}")));
                    refused = Some((draft, fault));
                }
                Err(error) => fallbacks.push(fallback(rung.name(), error.to_string())),
            }
        }
        for failure in &fallbacks {
            tracing::warn!(backend = %failure.backend, reason = %failure.reason, "back end gave no plan");
        }
        let mut plan = named(ask_person(request, refused), "person");
        plan.repairs = if plan.steps.is_empty() {
            MAX_REPAIRS
        } else {
            0
        };
        plan.fallbacks = fallbacks;
        plan
    }

    /// One rung with its repairs. `Ok(Err(..))` is a draft that stayed wrong.
    async fn ask_rung(
        &self,
        rung: &dyn Backend,
        request: &PlanRequest,
        started: Instant,
    ) -> Result<Result<Answer, (PlanDraft, PlanFault)>, BackendError> {
        let mut request = request.clone();
        let mut repairs = 0;
        loop {
            let left = self.deadline.saturating_sub(started.elapsed());
            let limit_millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            let Ok(reply) = tokio::time::timeout(left, rung.plan(&request)).await else {
                return Err(BackendError::TimedOut { limit_millis });
            };
            let draft = reply?;
            if let Some(danger) = screen_draft(&draft, &request) {
                let draft = PlanDraft::unsafe_request(danger.say());
                return Ok(Ok(Answer { draft, repairs }));
            }
            match verify_draft(&draft, &request.scene, &request.capabilities) {
                Ok(()) => return Ok(Ok(Answer { draft, repairs })),
                Err(fault) if repairs == MAX_REPAIRS => return Ok(Err((draft, fault))),
                Err(fault) => {
                    repairs += 1;
                    request.feedback = Some(Feedback { draft, fault });
                }
            }
        }
    }
}

/// What is answered without asking any back end.
fn screen_request(request: &PlanRequest) -> Option<PlanDraft> {
    if request.sentence.len() > MAX_SENTENCE_BYTES {
        return Some(PlanDraft::chat(
            "That is too long for me. Please say it in a few short sentences.",
        ));
    }
    guard::screen_sentence(&request.sentence).map(|danger| PlanDraft::unsafe_request(danger.say()))
}

fn screen_draft(draft: &PlanDraft, request: &PlanRequest) -> Option<guard::Danger> {
    guard::screen_steps(&draft.steps, &request.scene).or_else(|| {
        draft
            .options
            .iter()
            .find_map(|option| guard::screen_steps(&option.steps, &request.scene))
    })
}

/// The question that remains when no rung has an answer.
fn ask_person(request: &PlanRequest, refused: Option<(PlanDraft, PlanFault)>) -> PlanDraft {
    let nothing = PlanOption {
        label: "do nothing".to_owned(),
        steps: Vec::new(),
    };
    let rephrase = PlanOption {
        label: "let me say it differently".to_owned(),
        steps: Vec::new(),
    };
    let Some((draft, fault)) = refused else {
        return PlanDraft::ask(
            "I could not make a plan for that. What shall I do?",
            vec![rephrase, nothing],
        );
    };
    let why = fault.say(&request.scene);
    let possible = runnable_prefix(&draft.steps, request);
    if possible.is_empty() {
        return PlanDraft::ask(
            format!("I could not make a plan that works. {why} What shall I do?"),
            vec![rephrase, nothing],
        );
    }
    let part = PlanOption {
        label: format!("do only the first {} steps", possible.len()),
        steps: possible,
    };
    PlanDraft::ask(
        format!("Only a part of that works. {why} What shall I do?"),
        vec![part, rephrase, nothing],
    )
}

/// The longest beginning of `steps` that verifies.
fn runnable_prefix(steps: &[Step], request: &PlanRequest) -> Vec<Step> {
    let steps = &steps[..steps.len().min(crate::verifier::MAX_STEPS)];
    let good = match verify_steps(steps, &request.scene, &request.capabilities) {
        Ok(_) => steps.len(),
        Err(PlanFault::Step { index, .. }) => index,
        Err(_) => 0,
    };
    steps[..good].to_vec()
}

fn named(draft: PlanDraft, backend: &str) -> Plan {
    let mut plan = draft.into_plan();
    plan.backend = backend.to_owned();
    if plan.verdict == Verdict::Ask && plan.say.is_empty() {
        plan.say = plan.question.clone().unwrap_or_default();
    }
    plan
}

fn fallback(backend: &str, reason: String) -> Fallback {
    Fallback {
        backend: backend.to_owned(),
        reason,
    }
}

/// The same for the same sentence over the same scene: FNV-1a over both.
fn decision_id(request: &PlanRequest) -> String {
    let scene = serde_json::to_string(&request.scene).unwrap_or_default();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in request.sentence.bytes().chain([0]).chain(scene.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}
