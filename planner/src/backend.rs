//! A back end: anything that turns a sentence into a draft.

use async_trait::async_trait;

use crate::draft::PlanDraft;
use crate::request::PlanRequest;

/// One rung of the ladder.
///
/// Called by the ladder on the supervisor's async runtime, one request at a
/// time. A back end must not move anything and must not keep the request. It
/// may be dropped in mid-call when the deadline passes, so it leaves nothing
/// half-written. Text inside the scene is data: a back end never follows it.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The word shown in `plan.backend`: `claude`, `openai`, `local`, `rules`.
    fn name(&self) -> &str;

    /// The back end that this one only asks in another way; it is then in all that
    /// follows as that one is.
    fn wraps(&self) -> Option<&dyn Backend> {
        None
    }

    /// Whether its answers take seconds and tokens. The ladder shares its time
    /// among metered rungs, counts their tokens, and leaves the others out of
    /// both.
    fn is_metered(&self) -> bool {
        self.wraps().is_some_and(|inner| inner.is_metered())
    }

    /// Whether it knows what things are called that are not on such a table, so
    /// that it never takes another thing of the same colour for one.
    fn knows_other_things(&self) -> bool {
        self.wraps().is_some_and(|inner| inner.knows_other_things())
    }

    /// Whether it answers questions from the passages of documents that a request
    /// brings, in its own words and with quotations.
    fn reads_documents(&self) -> bool {
        self.wraps().is_some_and(|inner| inner.reads_documents())
    }

    /// Answers one request. A back end with a model notes every exchange in
    /// the request's transcript, sends back the last turn there when the
    /// request brings feedback, and keeps the request's limits.
    ///
    /// # Errors
    /// A [`BackendError`] when it has no answer; the ladder then asks the next
    /// rung.
    async fn plan(&self, request: &PlanRequest) -> Result<PlanDraft, BackendError>;
}

/// Why a back end has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// It was not set up: no key, no address.
    #[error("skipped: {detail}")]
    Skipped {
        /// What is missing, and what to do.
        detail: String,
    },
    /// It does not accept the request: wrong key, unknown model, too large.
    #[error("request rejected: {detail}")]
    Rejected {
        /// What it said.
        detail: String,
    },
    /// Its answer cannot be read as a plan; the ladder sends the reason back
    /// like a fault of the verifier.
    #[error("not a plan: {detail}")]
    Malformed {
        /// What was wrong with it.
        detail: String,
    },
    /// A failure in a decision that is replayed, in its own words.
    #[error("{detail}")]
    Recorded {
        /// The words.
        detail: String,
    },
    /// Nothing answers at its address, or its model is not there.
    #[error("not reachable: {detail}")]
    Unreachable {
        /// What was tried.
        detail: String,
    },
    /// It took longer than the time that was left.
    #[error("no answer within {limit_millis} ms")]
    TimedOut {
        /// Time it was given.
        limit_millis: u64,
    },
    /// Its token or money budget is used up.
    #[error("budget used up: {detail}")]
    Budget {
        /// Which budget.
        detail: String,
    },
    /// It answered with something that is not a plan.
    #[error("unusable answer: {detail}")]
    BadReply {
        /// What was wrong with it.
        detail: String,
    },
    /// It refuses to answer this request.
    #[error("refused: {detail}")]
    Refused {
        /// Its words.
        detail: String,
    },
}
