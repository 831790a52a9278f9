//! Back ends that ask a model over HTTP.
//!
//! [`claude`](ClaudeBackend) speaks Anthropic's Messages interface,
//! [`openai`](OpenAiBackend) the chat-completions interface that llama-server,
//! Ollama, vLLM and others share. Both send the same prompt and the same
//! schema, read the answer with the same parser, and share connection, retries
//! and event stream. Everything a server says is hostile: sizes are bounded,
//! redirects are not followed, unknown parts are passed over, and the key is
//! scrubbed from every text before anyone sees it.

mod address;
mod agreement;
mod api_key;
mod claude;
mod connection;
mod http_date;
mod openai;
mod retry;
mod setup;
mod sse;

use async_trait::async_trait;

use crate::backend::{Backend, BackendError};
use crate::draft::PlanDraft;
use crate::plan_reply::read_reply;
use crate::request::PlanRequest;
use crate::transcript::Exchange;

pub use address::Address;
pub use agreement::Agreement;
pub(crate) use agreement::recorded as agreement_of;
pub use api_key::ApiKey;
pub use claude::{ClaudeBackend, ClaudeSettings, DEFAULT_CLAUDE_MODEL};
pub use openai::{OpenAiBackend, OpenAiSettings};
pub use retry::RetrySettings;
pub use setup::{Environment, ModelOptions, SetupError, claude_rung, openai_rung};

/// Most tokens that a model may write for one answer, unless set otherwise.
/// Its thinking counts as well.
pub const DEFAULT_MAX_TOKENS: u32 = 4096;

/// The draft in a completed exchange.
///
/// # Errors
/// [`BackendError::Malformed`] when the reply is not in the form of a plan.
pub(crate) fn draft_of(exchange: &Exchange) -> Result<PlanDraft, BackendError> {
    let draft = read_reply(&exchange.reply).map_err(|error| BackendError::Malformed {
        detail: error.to_string(),
    })?;
    Ok(PlanDraft {
        model: Some(exchange.model.clone()),
        tokens: exchange.tokens,
        ..draft
    })
}

/// A rung that was named and cannot be asked: it says why, and the ladder goes
/// on to the next.
#[derive(Debug, Clone)]
pub struct Unavailable {
    name: &'static str,
    reason: String,
}

impl Unavailable {
    /// The rung `name`, which cannot be asked for this reason.
    #[must_use]
    pub fn new(name: &'static str, reason: impl Into<String>) -> Self {
        Self {
            name,
            reason: reason.into(),
        }
    }
}

#[async_trait]
impl Backend for Unavailable {
    fn name(&self) -> &str {
        self.name
    }

    async fn plan(&self, _: &PlanRequest) -> Result<PlanDraft, BackendError> {
        Err(BackendError::Skipped {
            detail: self.reason.clone(),
        })
    }
}
