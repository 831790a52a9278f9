//! Calls over HTTP with bounds: size, time, redirects, retries.

use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};
use serde_json::Value;
use vola_types::TokenCount;

use super::address::Address;
use super::api_key::{ApiKey, scrub};
use super::retry::{Again, CallFault, RetrySettings, classify};
use super::setup::SetupError;
use super::sse::{SseEvent, SseParser};
use crate::backend::BackendError;
use crate::plan_reply::quote;
use crate::request::{CallLimits, PlanRequest};
use crate::transcript::Exchange;

/// Fewer tokens than this are no plan, so none is asked for.
const MIN_TOKENS: u64 = 64;
/// Longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Longest body of an error that is read.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// Longest answer that is read, streamed or not.
const MAX_ANSWER_BYTES: usize = 8 << 20;
/// Most tokens that a server is believed to have used for one answer.
const MAX_TOKENS: u64 = 10_000_000;

/// What a model wrote.
#[derive(Debug, Default)]
pub(crate) struct ModelReply {
    pub(crate) text: String,
    pub(crate) turn: Option<Value>,
    pub(crate) stop_reason: Option<String>,
    pub(crate) tokens: TokenCount,
}

/// Puts the answer of one interface together.
pub(crate) trait ReplyReader: Send {
    /// Takes an event of the stream.
    fn event(&mut self, event: &SseEvent) -> Result<(), CallFault>;

    /// Takes an answer that came in one piece.
    fn whole(&mut self, answer: &Value) -> Result<(), CallFault>;

    /// Whether nothing more is awaited.
    fn is_complete(&self) -> bool;

    /// What was written, and whether it may be used.
    fn finish(self) -> (ModelReply, Result<(), CallFault>);
}

/// Refuses a call that too few tokens are left for.
///
/// # Errors
/// [`BackendError::Budget`] then.
pub(crate) fn check_budget(limits: &CallLimits) -> Result<(), BackendError> {
    if limits.tokens >= MIN_TOKENS {
        return Ok(());
    }
    let detail = format!("{} tokens are left", limits.tokens);
    Err(BackendError::Budget { detail })
}

/// An interface with its address, key and manners.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    key: Option<ApiKey>,
    headers: HeaderMap,
    retry: RetrySettings,
}

impl Connection {
    /// A connection to `address`; nothing is sent yet.
    ///
    /// # Errors
    /// When a key would be sent in plain text to another machine, or the
    /// system's certificates cannot be had.
    pub(crate) fn new(
        address: &Address,
        key: Option<ApiKey>,
        headers: Vec<(&'static str, HeaderValue)>,
        retry: RetrySettings,
    ) -> Result<Self, SetupError> {
        if key.is_some() && address.is_plain() && !address.is_loopback() {
            return Err(SetupError::Address {
                reason: "a key goes to another machine over https:// only".to_owned(),
            });
        }
        // Another part of the process may have chosen the same before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .user_agent(concat!("vola/", env!("CARGO_PKG_VERSION")));
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        if address.is_plain() {
            // No certificates are looked at, so none need to be there.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| SetupError::Client {
            reason: chain(&error.without_url()),
        })?;
        let headers = headers
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), value))
            .collect();
        Ok(Self {
            client,
            key,
            headers,
            retry,
        })
    }

    /// The text without the key.
    pub(crate) fn scrub(&self, text: &str) -> String {
        scrub(self.key.as_ref(), text)
    }

    /// The text without the key, even where JSON escapes hide it.
    fn scrub_json(&self, text: &str) -> String {
        let plain = self.scrub(text);
        let Ok(value) = serde_json::from_str::<Value>(&plain) else {
            return plain;
        };
        let unescaped = value.to_string();
        let scrubbed = self.scrub(&unescaped);
        if scrubbed == unescaped {
            plain
        } else {
            scrubbed
        }
    }

    fn scrubbed(&self, mut fault: CallFault) -> CallFault {
        if let BackendError::Unreachable { detail }
        | BackendError::Budget { detail }
        | BackendError::BadReply { detail }
        | BackendError::Refused { detail }
        | BackendError::Rejected { detail } = &mut fault.error
        {
            *detail = self.scrub(detail);
        }
        fault
    }

    /// Fetches a JSON document.
    pub(crate) async fn get(&self, url: Url, limit: Duration) -> Result<Value, CallFault> {
        let fetch = async {
            let request = self.client.get(url).headers(self.headers.clone());
            let response = self.answered(request.send().await).await?;
            let text = self.body(response, MAX_ANSWER_BYTES).await?;
            serde_json::from_str(&text)
                .map_err(|error| CallFault::bad_reply(quote(&error.to_string())))
        };
        match tokio::time::timeout(limit, fetch).await {
            Ok(result) => result,
            Err(_) => Err(CallFault::passing("no answer in time")),
        }
    }

    /// Sends a request to a model and reads its answer; notes both in the
    /// transcript.
    pub(crate) async fn exchange<R: ReplyReader>(
        &self,
        url: Url,
        note: Exchange,
        request: &PlanRequest,
        mut reader: R,
    ) -> Result<Exchange, CallFault> {
        let began = Instant::now();
        let body = note.prompt.clone();
        let transcript = &request.transcript;
        let number = transcript.open(note);
        let sent = self
            .client
            .post(url)
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await;
        if let Ok(response) = &sent {
            let status = response.status().as_u16();
            transcript.change(number, |it| it.status = Some(status));
        }
        let read = match self.answered(sent).await {
            Ok(response) => self.read(response, &mut reader).await,
            Err(fault) => Err(fault),
        };
        let (reply, ending) = reader.finish();
        let result = read.and(ending).map_err(|fault| self.scrubbed(fault));
        let turn = reply.turn.and_then(|turn| {
            let text = self.scrub(&turn.to_string());
            serde_json::from_str::<Value>(&text).ok()
        });
        transcript.change(number, |it| {
            it.reply = self.scrub_json(&reply.text);
            it.turn = turn;
            it.stop_reason = reply.stop_reason.map(|reason| self.scrub(&quote(&reason)));
            it.tokens.input = reply.tokens.input.min(MAX_TOKENS);
            it.tokens.output = reply.tokens.output.min(MAX_TOKENS);
            it.millis = began.elapsed().as_secs_f64() * 1e3;
            it.error = result.as_ref().err().map(|fault| fault.error.to_string());
        });
        result?;
        Ok(transcript
            .since(number)
            .into_iter()
            .next()
            .unwrap_or_default())
    }

    /// Waits before the next try, or gives up: when the fault stays, when all
    /// tries are used up, or when the pause would pass the deadline.
    pub(crate) async fn pause(
        &self,
        fault: CallFault,
        attempt: &mut u32,
        deadline: Option<Instant>,
    ) -> Result<(), BackendError> {
        let pause = match fault.again {
            Again::Backoff => self.retry.pause(*attempt),
            Again::After(pause) => pause,
            Again::Never => return Err(fault.error),
        };
        if *attempt >= self.retry.retries {
            return Err(fault.error);
        }
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| pause >= left) {
            return Err(BackendError::Unreachable {
                detail: format!(
                    "{}; the next try would be in {:.1} s, later than the answer is due",
                    detail_of(&fault.error),
                    pause.as_secs_f64()
                ),
            });
        }
        tracing::debug!(error = %fault.error, pause_s = pause.as_secs_f64(), "asking again");
        tokio::time::sleep(pause).await;
        *attempt += 1;
        Ok(())
    }

    /// A response with a good status.
    async fn answered(
        &self,
        sent: Result<Response, reqwest::Error>,
    ) -> Result<Response, CallFault> {
        let response = sent.map_err(|error| self.broken(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let headers = response.headers().clone();
        let header = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        // An error without a readable body is an error all the same.
        let body = self
            .body(response, MAX_ERROR_BYTES)
            .await
            .unwrap_or_default();
        Err(classify(status.as_u16(), &header, &body, SystemTime::now()))
    }

    /// Reads an answer, streamed or whole.
    async fn read<R: ReplyReader>(
        &self,
        mut response: Response,
        reader: &mut R,
    ) -> Result<(), CallFault> {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|it| it.to_str().ok()).unwrap_or_default();
        if !kind.contains("event-stream") {
            let kind = self.scrub(&quote(kind));
            let text = self.body(response, MAX_ANSWER_BYTES).await?;
            let Ok(answer) = serde_json::from_str::<Value>(&text) else {
                let got = quote(&text);
                return Err(CallFault::bad_reply(format!(
                    "expected an event stream or JSON, got {kind:?}: {got:?}"
                )));
            };
            return reader.whole(&answer);
        }
        let mut parser = SseParser::default();
        let mut bytes = 0;
        while !reader.is_complete() {
            let packet = match response.chunk().await {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(error) => return Err(self.broken(error)),
            };
            bytes += packet.len();
            if bytes > MAX_ANSWER_BYTES {
                let detail = format!("more than {MAX_ANSWER_BYTES} bytes");
                return Err(CallFault::bad_reply(detail));
            }
            let events = parser.feed(&packet);
            let events = events.map_err(|error| CallFault::bad_reply(error.to_string()))?;
            for mut event in events {
                event.data = self.scrub(&event.data);
                reader.event(&event)?;
            }
        }
        if reader.is_complete() {
            return Ok(());
        }
        Err(CallFault::passing("the answer broke off"))
    }

    /// A body as text without the key, at most `limit` bytes.
    async fn body(&self, mut response: Response, limit: usize) -> Result<String, CallFault> {
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(packet)) => bytes.extend_from_slice(&packet),
                Ok(None) => break,
                Err(error) => return Err(self.broken(error)),
            }
            if bytes.len() > limit {
                return Err(CallFault::bad_reply(format!("more than {limit} bytes")));
            }
        }
        Ok(self.scrub(&String::from_utf8_lossy(&bytes)))
    }

    fn broken(&self, error: reqwest::Error) -> CallFault {
        CallFault::passing(self.scrub(&chain(&error.without_url())))
    }
}

/// An error with its causes, without addresses.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    quote(&text)
}

/// What stands behind the kind of an error.
fn detail_of(error: &BackendError) -> String {
    match error {
        BackendError::Unreachable { detail } => detail.clone(),
        other => other.to_string(),
    }
}
