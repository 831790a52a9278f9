//! The ladder of back ends: the first that gives a verified plan wins.
//!
//! Order of events for one sentence: the guard reads it; then each rung in
//! turn answers, its draft is screened and verified, and an answer that fails
//! goes back to the same rung at most [`MAX_REPAIRS`] times. A rung that
//! errs is noted and the next is asked. After the last rung a person is asked.
//! The ladder itself never fails: it always gives a plan.
//!
//! A question for the documents is looked up first (`documents`) and answered by
//! itself (`questions`), so that what plans never reads a document.
//!
//! Time is shared: of the time that is left, a metered rung gets an equal part
//! with the metered rungs below it. Tokens are counted over a run; when they
//! are used up, only rungs that need none are asked.

mod questions;
mod second_thoughts;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use vola_types::{Fallback, Plan, PlanOption, Step, Verdict};

use crate::asking::CoverageWatch;
use crate::backend::{Backend, BackendError};
use crate::decision_record::{self, AttemptRecord, DecisionLog, RungRecord};
use crate::documents::{self, DocumentSearch};
use crate::draft::PlanDraft;
use crate::guard;
use crate::request::{CallLimits, Feedback, MAX_SENTENCE_BYTES, PlanRequest};
use crate::transcript::Transcript;
use crate::verifier::{PlanFault, verify_draft, verify_steps};

/// How often a refused answer goes back to its back end, unless set otherwise.
pub const MAX_REPAIRS: u32 = 2;

/// Time for one sentence over all rungs unless set otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(20);

/// An ordered list of back ends with one deadline and one token budget.
pub struct Ladder {
    rungs: Vec<Arc<dyn Backend>>,
    deadline: Duration,
    repairs: u32,
    tokens: u64,
    spent_tokens: AtomicU64,
    log: Option<DecisionLog>,
    fast: Option<Arc<dyn Backend>>,
    documents: Option<Arc<dyn DocumentSearch>>,
    /// Rungs for questions about documents; none: those that come first above and
    /// read documents.
    readers: Option<Vec<Arc<dyn Backend>>>,
    watch: Option<Mutex<CoverageWatch>>,
}

impl std::fmt::Debug for Ladder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ladder")
            .field("rungs", &self.names())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// An answer of one rung after all its repairs.
struct Answer {
    draft: PlanDraft,
    repairs: u32,
}

/// Why a rung gave none.
enum Handover {
    Failed(BackendError),
    /// Its last answer stayed wrong.
    Refused(Box<Wrong>),
}

/// What is left when no rung has an answer.
#[derive(Default)]
struct NoAnswer {
    fallbacks: Vec<Fallback>,
    refused: Option<(PlanDraft, PlanFault)>,
}

/// An answer that was refused.
struct Wrong {
    /// The draft, if it could be read as one.
    draft: Option<PlanDraft>,
    fault: PlanFault,
}

impl Ladder {
    /// A ladder that asks `rungs` in order.
    #[must_use]
    pub fn new(rungs: Vec<Arc<dyn Backend>>) -> Self {
        Self {
            rungs,
            deadline: DEFAULT_DEADLINE,
            repairs: MAX_REPAIRS,
            tokens: u64::MAX,
            spent_tokens: AtomicU64::new(0),
            log: None,
            fast: None,
            documents: None,
            readers: None,
            watch: None,
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

    /// The same ladder with another number of repairs, at most
    /// [`MAX_REPAIRS`].
    #[must_use]
    pub fn with_repairs(mut self, repairs: u32) -> Self {
        self.repairs = repairs.min(MAX_REPAIRS);
        self
    }

    /// The same ladder with a budget of tokens for one run; see
    /// [`begin_run`](Self::begin_run).
    #[must_use]
    pub fn with_tokens(mut self, tokens: u64) -> Self {
        self.tokens = tokens;
        self
    }

    /// The same ladder; every decision is written into this log.
    #[must_use]
    pub fn with_log(mut self, log: DecisionLog) -> Self {
        self.log = Some(log);
        self
    }

    /// The same ladder with a back end in front that answers within
    /// milliseconds: what it plans for a plain command is taken, and that the
    /// hand cannot do such a thing; whatever else it says is not.
    #[must_use]
    pub fn with_fast_path(mut self, fast: Arc<dyn Backend>) -> Self {
        self.fast = Some(fast);
        self
    }

    /// The same ladder; questions that are not about the scene are answered from
    /// these documents.
    #[must_use]
    pub fn with_documents(mut self, documents: Arc<dyn DocumentSearch>) -> Self {
        self.documents = Some(documents);
        self
    }

    /// The same ladder; what people make of the answers of a calibrated back end
    /// is watched, and a warning logged when its calibration no longer holds.
    #[must_use]
    pub fn with_watch(mut self, watch: CoverageWatch) -> Self {
        self.watch = Some(Mutex::new(watch));
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

    /// A run begins: its tokens are counted from zero.
    pub fn begin_run(&self) {
        self.spent_tokens.store(0, Ordering::Relaxed);
    }

    /// Plans one sentence. Moves nothing and never fails: when no rung can
    /// answer, the plan asks the person.
    ///
    /// # Timing
    /// Returns within the deadline (plus the synchronous part of one rung).
    /// Needs a tokio runtime with its time driver enabled, and its I/O driver
    /// where a rung uses the network.
    pub async fn plan(&self, request: &PlanRequest) -> Plan {
        let started = Instant::now();
        let mut request = request.clone();
        request.transcript = Transcript::default();
        if let (None, Some(documents)) = (&request.inquiry, &self.documents) {
            request.inquiry = documents::inquire(&request, documents.as_ref());
        }
        let mut rungs = Vec::new();
        let mut plan = match &request.inquiry {
            None => self.answer(&request, started, &mut rungs).await,
            Some(inquiry) => {
                self.with_answer(&request, inquiry, started, &mut rungs)
                    .await
            }
        };
        if request.transcript.count() > 0 {
            plan.tokens = request.transcript.tokens_since(0);
        }
        plan.id = decision_record::decision_id(&request, &plan);
        plan.millis = started.elapsed().as_secs_f64() * 1e3;
        tracing::debug!(
            backend = %plan.backend, verdict = plan.verdict.as_str(), millis = plan.millis,
            "planned"
        );
        self.watch_over(&request, &plan, &rungs);
        if let Some(log) = &self.log {
            let record = decision_record::record(&request, self.repairs, rungs, &plan);
            if let Err(error) = log.write(&record) {
                tracing::warn!(%error, "the decision is not on record");
            }
        }
        plan
    }

    /// Notes a sentence with its plan, and warns when the calibration drifts.
    fn watch_over(&self, request: &PlanRequest, plan: &Plan, rungs: &[RungRecord]) {
        let Some(watch) = &self.watch else {
            return;
        };
        let mut attempts = rungs.iter().flat_map(|rung| &rung.attempts);
        let is_correction = attempts.any(|attempt| attempt.is_correction);
        let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(drift) = watch.note(request, plan, is_correction) {
            tracing::warn!(
                kept = drift.kept,
                of = drift.of,
                promised = drift.target,
                "people mean what the planner keeps less often than its calibration promises; `vola calibrate --planner` with sentences like theirs would make it anew"
            );
        }
    }

    async fn answer(
        &self,
        request: &PlanRequest,
        started: Instant,
        records: &mut Vec<RungRecord>,
    ) -> Plan {
        // Before everything: no back end may read another wish into it.
        if crate::rules::is_stop_word(&request.sentence) {
            return named(
                PlanDraft::chat("I have stopped. Nothing is moving."),
                "guard",
            );
        }
        if let Some(draft) = screen_request(request) {
            return named(draft, "guard");
        }
        if let Some(plan) = self.fast_answer(request, records).await {
            return plan;
        }
        let none = match self
            .ask_in_turn(&self.rungs, request, started, records)
            .await
        {
            Ok(plan) => return plan,
            Err(none) => none,
        };
        let mut plan = named(ask_person(request, none.refused), "person");
        plan.repairs = if plan.steps.is_empty() {
            MAX_REPAIRS
        } else {
            0
        };
        plan.fallbacks = none.fallbacks;
        plan
    }

    /// The first verified answer of these rungs.
    async fn ask_in_turn(
        &self,
        rungs: &[Arc<dyn Backend>],
        request: &PlanRequest,
        started: Instant,
        records: &mut Vec<RungRecord>,
    ) -> Result<Plan, NoAnswer> {
        let mut none = NoAnswer::default();
        for (index, rung) in rungs.iter().enumerate() {
            let left = self.deadline.saturating_sub(started.elapsed());
            let below = rungs[index + 1..].iter();
            let sharing = 1 + below.filter(|below| below.is_metered()).count();
            let time = if rung.is_metered() {
                left / u32::try_from(sharing).unwrap_or(u32::MAX)
            } else {
                left
            };
            let mut record = RungRecord {
                backend: rung.name().to_owned(),
                is_of_question: request.inquiry.is_some(),
                attempts: Vec::new(),
            };
            let result = self
                .ask_rung(rung.as_ref(), request, time, &mut record.attempts)
                .await;
            records.push(record);
            match result {
                Ok(answer) => {
                    let mut plan = named(answer.draft, rung.name());
                    plan.repairs = answer.repairs;
                    plan.fallbacks = none.fallbacks;
                    // A large model knows what an elephant is.
                    return Ok(if rung.knows_other_things() {
                        plan
                    } else {
                        second_thoughts::asked_about(plan, request)
                    });
                }
                Err(Handover::Refused(wrong)) => {
                    let reason = format!("plan refused: {}", wrong.fault);
                    none.fallbacks.push(fallback(rung.name(), reason));
                    if let Some(draft) = wrong.draft {
                        none.refused = Some((draft, wrong.fault));
                    }
                }
                Err(Handover::Failed(error)) => {
                    none.fallbacks
                        .push(fallback(rung.name(), error.to_string()));
                }
            }
        }
        for failure in &none.fallbacks {
            tracing::warn!(backend = %failure.backend, reason = %failure.reason, "back end gave no plan");
        }
        Err(none)
    }

    /// The plan of the fast path, where it has one.
    async fn fast_answer(
        &self,
        request: &PlanRequest,
        records: &mut Vec<RungRecord>,
    ) -> Option<Plan> {
        let fast = self.fast.as_ref()?;
        let mut record = RungRecord {
            backend: fast.name().to_owned(),
            ..RungRecord::default()
        };
        let asked = self.ask_rung(fast.as_ref(), request, self.deadline, &mut record.attempts);
        let answer = asked.await.ok()?;
        // A model that is asked again would move some other thing instead.
        let is_final = answer.draft.verdict == Verdict::Execute || answer.draft.is_final;
        if !is_final {
            return None;
        }
        records.push(record);
        let mut plan = named(answer.draft, fast.name());
        plan.repairs = answer.repairs;
        Some(second_thoughts::asked_about(plan, request))
    }

    /// One rung with its repairs.
    async fn ask_rung(
        &self,
        rung: &dyn Backend,
        request: &PlanRequest,
        time: Duration,
        attempts: &mut Vec<AttemptRecord>,
    ) -> Result<Answer, Handover> {
        let started = Instant::now();
        let mut request = request.clone();
        let mut repairs = 0;
        loop {
            let mut attempt = AttemptRecord::default();
            let asked = Instant::now();
            let first = request.transcript.count();
            let reply = self.call(rung, &mut request, (started, time)).await;
            attempt.exchanges = request.transcript.since(first);
            attempt.millis = asked.elapsed().as_secs_f64() * 1e3;
            let used = request.transcript.tokens_since(first);
            self.spend(used.input.saturating_add(used.output));
            let judged = judge(reply, &request);
            match &judged {
                Err(Judged::Failed(error)) => attempt.error = Some(error.to_string()),
                Err(Judged::Wrong(wrong)) => attempt.fault = Some(wrong.fault.to_string()),
                Ok(draft) => attempt.is_correction = draft.is_correction,
            }
            let turn = attempt.exchanges.last().and_then(|it| it.turn.clone());
            attempts.push(attempt);
            let wrong = match judged {
                Ok(draft) => return Ok(Answer { draft, repairs }),
                Err(Judged::Failed(error)) => return Err(Handover::Failed(error)),
                Err(Judged::Wrong(wrong)) => wrong,
            };
            if repairs == self.repairs {
                return Err(Handover::Refused(wrong));
            }
            repairs += 1;
            request.feedback = Some(Feedback {
                draft: wrong.draft,
                fault: wrong.fault,
                turn,
                before: request.feedback.take().map(Box::new),
            });
        }
    }

    fn spend(&self, tokens: u64) {
        let spent = self.spent_tokens.load(Ordering::Relaxed);
        self.spent_tokens
            .store(spent.saturating_add(tokens), Ordering::Relaxed);
    }

    /// One call of a rung, within its time and the run's tokens.
    async fn call(
        &self,
        rung: &dyn Backend,
        request: &mut PlanRequest,
        (started, time): (Instant, Duration),
    ) -> Result<PlanDraft, BackendError> {
        let left = time.saturating_sub(started.elapsed());
        let spent = self.spent_tokens.load(Ordering::Relaxed);
        if rung.is_metered() && spent >= self.tokens {
            let detail = format!("{spent} of {} tokens of this run", self.tokens);
            return Err(BackendError::Budget { detail });
        }
        request.limits = CallLimits {
            deadline: Instant::now().checked_add(left),
            tokens: self.tokens.saturating_sub(spent),
        };
        let rounded = time.saturating_add(Duration::from_micros(500));
        let limit_millis = u64::try_from(rounded.as_millis()).unwrap_or(u64::MAX);
        match tokio::time::timeout(left, rung.plan(request)).await {
            Ok(reply) => reply,
            Err(_) => Err(BackendError::TimedOut { limit_millis }),
        }
    }
}

/// Why a reply is no answer.
enum Judged {
    Failed(BackendError),
    Wrong(Box<Wrong>),
}

/// Screens and verifies a reply.
fn judge(
    reply: Result<PlanDraft, BackendError>,
    request: &PlanRequest,
) -> Result<PlanDraft, Judged> {
    let draft = match reply {
        Ok(draft) => draft,
        Err(BackendError::Malformed { detail }) => {
            return Err(Judged::Wrong(Box::new(Wrong {
                draft: None,
                fault: PlanFault::Unreadable { detail },
            })));
        }
        Err(error) => return Err(Judged::Failed(error)),
    };
    if let Some(danger) = screen_draft(&draft, request) {
        return Ok(PlanDraft {
            model: draft.model,
            ..PlanDraft::unsafe_request(danger.say())
        });
    }
    let verified = match verify_draft(&draft, &request.scene, &request.capabilities) {
        Ok(()) => documents::check_answer(draft, request.inquiry.as_ref()),
        Err(fault) => Err((draft, fault)),
    };
    verified.map_err(|(draft, fault)| {
        Judged::Wrong(Box::new(Wrong {
            draft: Some(draft),
            fault,
        }))
    })
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
