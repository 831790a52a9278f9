//! The back end `openai`: the chat-completions interface that llama-server,
//! Ollama, vLLM and hosted services share.
//!
//! Only what all of them know is sent: model, messages, temperature, seed,
//! `max_tokens`, `stream` and `response_format`. What a server can do is found
//! out by asking: a schema first, then plain JSON, then plain text, then the
//! same without the picture; what worked is kept. The schema stands in the
//! prompt as well, since some servers pass over `response_format` in silence.

mod chat_stream;
mod request_body;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::address::Address;
use super::api_key::ApiKey;
use super::connection::{Connection, check_budget};
use super::draft_of;
use super::retry::{CallFault, RetrySettings};
use super::setup::SetupError;
use crate::backend::{Backend, BackendError};
use crate::draft::PlanDraft;
use crate::plan_reply::quote;
use crate::plan_schema::{Dialect, PlanSchema};
use crate::request::PlanRequest;
use crate::transcript::Exchange;
use chat_stream::ChatReader;
use request_body::{AnswerFormat, RequestBody};

/// Longest wait for the list of models.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// Settings of [`OpenAiBackend`].
#[derive(Debug, Clone)]
pub struct OpenAiSettings {
    /// Base address of the server.
    pub address: Address,
    /// Model id; none: the first that the server lists.
    pub model: Option<String>,
    /// The key, where the server wants one.
    pub key: Option<ApiKey>,
    /// Most tokens of one answer.
    pub max_tokens: u32,
    /// Seed of the sampling.
    pub seed: u64,
    /// How failed calls are repeated.
    pub retry: RetrySettings,
}

/// What is asked of the server; the fields only ever get weaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Demands {
    format: AnswerFormat,
    image: bool,
}

impl Demands {
    /// The next weaker demands; none after the weakest.
    fn weaker(self, has_image: bool) -> Option<Self> {
        let format = match self.format {
            AnswerFormat::Schema => AnswerFormat::Json,
            AnswerFormat::Json => AnswerFormat::Text,
            AnswerFormat::Text if self.image && has_image => {
                return Some(Self {
                    format: AnswerFormat::Schema,
                    image: false,
                });
            }
            AnswerFormat::Text => return None,
        };
        Some(Self { format, ..self })
    }
}

/// Plans with a model behind a chat-completions interface.
#[derive(Debug)]
pub struct OpenAiBackend {
    connection: Connection,
    settings: OpenAiSettings,
    model: Mutex<Option<String>>,
    demands: Mutex<Demands>,
}

impl OpenAiBackend {
    /// A back end with these settings; nothing is sent yet.
    ///
    /// # Errors
    /// When the address is not fit for the key, or no connection can be
    /// prepared.
    pub fn new(settings: OpenAiSettings) -> Result<Self, SetupError> {
        let mut headers = Vec::new();
        if let Some(header) = settings.key.as_ref().and_then(|key| key.header("Bearer ")) {
            headers.push(("authorization", header));
        }
        let connection = Connection::new(
            &settings.address,
            settings.key.clone(),
            headers,
            settings.retry,
        )?;
        Ok(Self {
            connection,
            model: Mutex::new(settings.model.clone()),
            demands: Mutex::new(Demands {
                format: AnswerFormat::Schema,
                image: true,
            }),
            settings,
        })
    }

    /// The model: as set, else the first that the server lists.
    async fn model(&self, deadline: Option<Instant>) -> Result<String, BackendError> {
        let known = self
            .model
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let url = self.settings.address.join("/v1", "/models");
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        let limit = left.map_or(PROBE_LIMIT, |left| PROBE_LIMIT.min(left / 2));
        let answer = self
            .connection
            .get(url, limit)
            .await
            .map_err(|fault| fault.error)?;
        let Some(first) = answer["data"][0]["id"].as_str() else {
            return Err(BackendError::Rejected {
                detail: "the server lists no model; set `[planner.openai] model`".to_owned(),
            });
        };
        let first = self.connection.scrub(&quote(first));
        *self.model.lock().unwrap_or_else(PoisonError::into_inner) = Some(first.clone());
        Ok(first)
    }

    /// One call.
    async fn once(
        &self,
        request: &PlanRequest,
        model: &str,
        schema: &PlanSchema,
        demands: Demands,
    ) -> Result<Exchange, CallFault> {
        let tokens = u32::try_from(request.limits.tokens).unwrap_or(u32::MAX);
        let sample = u64::from(request.sample.unwrap_or(0));
        let seed = self.settings.seed.wrapping_add(sample);
        let body = RequestBody {
            model,
            max_tokens: self.settings.max_tokens.min(tokens),
            seed,
            request,
            schema,
            format: demands.format,
            with_image: demands.image,
        };
        let url = self.settings.address.join("/v1", "/chat/completions");
        let prompt = body.text();
        let reader = ChatReader::new(prompt.len());
        let note = Exchange {
            address: url.to_string(),
            model: model.to_owned(),
            seed: Some(seed),
            schema_hash: Some(schema.hash(Dialect::WithBounds)),
            prompt,
            ..Exchange::default()
        };
        self.connection.exchange(url, note, request, reader).await
    }
}

/// Whether a server may have refused a part of the request that it does not
/// know, as opposed to the key, the model, or the size.
fn may_be_unknown_part(error: &BackendError) -> bool {
    let codes = ["HTTP 400", "HTTP 415", "HTTP 422", "HTTP 501"];
    let detail = match error {
        BackendError::Rejected { detail } | BackendError::Unreachable { detail } => detail,
        _ => return false,
    };
    codes.iter().any(|code| detail.contains(code))
}

#[async_trait]
impl Backend for OpenAiBackend {
    fn name(&self) -> &'static str {
        "openai"
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

    async fn plan(&self, request: &PlanRequest) -> Result<PlanDraft, BackendError> {
        check_budget(&request.limits)?;
        let deadline = request.limits.deadline;
        let model = self.model(deadline).await?;
        let schema = PlanSchema::of(request);
        let mut demands = *self.demands.lock().unwrap_or_else(PoisonError::into_inner);
        let mut attempt = 0;
        loop {
            let fault = match self.once(request, &model, &schema, demands).await {
                Ok(exchange) => {
                    *self.demands.lock().unwrap_or_else(PoisonError::into_inner) = demands;
                    return draft_of(&exchange);
                }
                Err(fault) => fault,
            };
            if may_be_unknown_part(&fault.error)
                && let Some(weaker) = demands.weaker(request.image.is_some())
            {
                tracing::debug!(error = %fault.error, ?weaker, "asking for less");
                demands = weaker;
                continue;
            }
            self.connection.pause(fault, &mut attempt, deadline).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_get_weaker_until_nothing_is_left() {
        let count = |has_image: bool| {
            let mut demands = Demands {
                format: AnswerFormat::Schema,
                image: true,
            };
            let mut steps = 0;
            while let Some(weaker) = demands.weaker(has_image) {
                demands = weaker;
                steps += 1;
            }
            (steps, demands)
        };
        let (steps, last) = count(true);
        assert_eq!(
            (steps, last.image, last.format),
            (5, false, AnswerFormat::Text)
        );
        assert_eq!(count(false).0, 2);
    }
}
