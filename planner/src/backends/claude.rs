//! The back end `claude`: Anthropic's Messages interface.
//!
//! One request a try: stable instructions first (marked for the interface's
//! cache), then the scene, the history and the command. The form of the answer
//! is asked for as a JSON schema (`output_config.format`), never as a forced
//! tool. What the model accepts is asked once it can be had (`/v1/models/{id}`); where a
//! schema cannot be had it goes into the prompt instead. Sampling settings are
//! not sent: current models refuse them.
//!
//! # Source
//! Anthropic's interface documentation, version `2023-06-01`: Messages,
//! Streaming, Structured outputs, Errors, Models.

mod message_stream;
mod model_abilities;
mod request_body;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqwest::header::HeaderValue;

use super::address::Address;
use super::api_key::ApiKey;
use super::connection::{Connection, check_budget};
use super::draft_of;
use super::retry::{CallFault, RetrySettings};
use super::setup::SetupError;
use crate::backend::{Backend, BackendError};
use crate::draft::PlanDraft;
use crate::plan_schema::{Dialect, PlanSchema};
use crate::request::PlanRequest;
use crate::transcript::Exchange;
use message_stream::MessageReader;
use model_abilities::{KnownAbilities, ModelAbilities};
use request_body::RequestBody;

/// Model unless set otherwise: the quickest of the current ones.
pub const DEFAULT_CLAUDE_MODEL: &str = "claude-haiku-5-5";

/// Version of the interface.
const VERSION: &str = "2023-06-01";
/// Longest wait for what a model accepts.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// Settings of [`ClaudeBackend`].
#[derive(Debug, Clone)]
pub struct ClaudeSettings {
    /// Base address of the interface.
    pub address: Address,
    /// Model id.
    pub model: String,
    /// The key.
    pub key: ApiKey,
    /// Most tokens of one answer, thinking included.
    pub max_tokens: u32,
    /// How failed calls are repeated.
    pub retry: RetrySettings,
}

/// Plans with a model behind Anthropic's Messages interface.
#[derive(Debug)]
pub struct ClaudeBackend {
    connection: Connection,
    address: Address,
    model: String,
    max_tokens: u32,
    abilities: Mutex<KnownAbilities>,
    /// Hash of the last schema that the interface found too large.
    refused_schema: Mutex<Option<String>>,
}

impl ClaudeBackend {
    /// A back end with these settings; nothing is sent yet.
    ///
    /// # Errors
    /// When the address is not fit for the key, or no connection can be
    /// prepared.
    pub fn new(settings: ClaudeSettings) -> Result<Self, SetupError> {
        let key = settings.key.header("").ok_or(SetupError::Missing {
            what: "the key",
            help: "it holds what no header can hold",
        })?;
        let headers = vec![
            ("x-api-key", key),
            ("anthropic-version", HeaderValue::from_static(VERSION)),
        ];
        Ok(Self {
            connection: Connection::new(
                &settings.address,
                Some(settings.key),
                headers,
                settings.retry,
            )?,
            address: settings.address,
            model: settings.model,
            max_tokens: settings.max_tokens,
            abilities: Mutex::default(),
            refused_schema: Mutex::default(),
        })
    }

    /// What the model accepts: known from before, or asked now.
    async fn abilities(&self, deadline: Option<Instant>) -> Result<ModelAbilities, BackendError> {
        let known = || {
            self.abilities
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = known().at(Instant::now()) {
            return Ok(known);
        }
        let url = self.address.join("/v1", &format!("/models/{}", self.model));
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        // At most half of the time: the question itself is what counts.
        let limit = left.map_or(PROBE_LIMIT, |left| PROBE_LIMIT.min(left / 2));
        let found = match self.connection.get(url, limit).await {
            Ok(answer) => KnownAbilities::told(ModelAbilities::read(&answer)),
            Err(fault) => match fault.error {
                BackendError::Rejected { detail } if is_final(&detail) => {
                    return Err(BackendError::Rejected { detail });
                }
                error => {
                    tracing::debug!(%error, "the model's abilities are not known");
                    match error {
                        // A server without that question will not learn it.
                        BackendError::Rejected { .. } => {
                            KnownAbilities::told(ModelAbilities::default())
                        }
                        _ => KnownAbilities::guessed(Instant::now()),
                    }
                }
            },
        };
        *known() = found;
        Ok(found.abilities())
    }

    /// One call.
    async fn once(
        &self,
        request: &PlanRequest,
        abilities: ModelAbilities,
        schema: &PlanSchema,
        with_format: bool,
    ) -> Result<Exchange, CallFault> {
        let body = RequestBody {
            model: &self.model,
            max_tokens: abilities
                .most_tokens(self.max_tokens)
                .min(u32::try_from(request.limits.tokens).unwrap_or(u32::MAX)),
            request,
            schema,
            with_format,
            with_image: abilities.images,
            low_effort: abilities.effort,
        };
        let url = self.address.join("/v1", "/messages");
        let note = Exchange {
            address: url.to_string(),
            model: self.model.clone(),
            schema_hash: Some(schema.hash(Dialect::WithoutBounds)),
            prompt: body.text(),
            ..Exchange::default()
        };
        self.connection
            .exchange(url, note, request, MessageReader::default())
            .await
    }

    fn is_refused(&self, hash: &str) -> bool {
        let refused = self
            .refused_schema
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refused.as_deref() == Some(hash)
    }
}

/// Whether a refused question about the model settles the matter: a wrong key
/// or an unknown model, as opposed to a server without that question.
fn is_final(detail: &str) -> bool {
    detail.contains("HTTP 401")
        || detail.contains("HTTP 403")
        || (detail.contains("HTTP 404") && detail.contains("not_found_error"))
}

/// Whether the interface takes the request but not its schema.
fn is_about_schema(error: &BackendError) -> bool {
    matches!(error, BackendError::Rejected { detail }
        if detail.contains("HTTP 400")
            && (detail.contains("output_config") || detail.contains("schema") || detail.contains("grammar")))
}

#[async_trait]
impl Backend for ClaudeBackend {
    fn name(&self) -> &'static str {
        "claude"
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
        let abilities = self.abilities(deadline).await?;
        let schema = PlanSchema::of(request);
        let hash = schema.hash(Dialect::WithoutBounds);
        let mut with_format = abilities.schemas && !self.is_refused(&hash);
        let mut attempt = 0;
        loop {
            let fault = match self.once(request, abilities, &schema, with_format).await {
                Ok(exchange) => return draft_of(&exchange),
                Err(fault) => fault,
            };
            if with_format && is_about_schema(&fault.error) {
                with_format = false;
                let mut refused = self
                    .refused_schema
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                *refused = Some(hash.clone());
                continue;
            }
            self.connection.pause(fault, &mut attempt, deadline).await?;
        }
    }
}
