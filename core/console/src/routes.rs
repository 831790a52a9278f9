//! What can be asked for, and who is turned away.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State, WebSocketUpgrade},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    Decision, Desk, Feed, Jog, Refusal, StopKind, Views,
    access::{Access, Denied},
    episode_routes::{self, Turns},
    page,
    rounds::Rounds,
    talk, watching,
};

/// Largest body of a request (bytes); a sentence is far shorter.
const MAX_BODY: usize = 16 * 1024;

/// Where stops are demanded.
const STOP: &str = "/api/stop";

/// What every request finds.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) feed: Feed,
    pub(crate) access: Arc<Access>,
    pub(crate) views: Views,
    pub(crate) rounds: Rounds,
    pub(crate) turns: Turns,
}

impl Shared {
    /// Says the answer to the open question.
    pub(crate) fn answer(&self, answer: talk::Answer) -> Result<(), String> {
        let chosen = self.views.board.answer(answer.question, answer.choice)?;
        self.desk.answer(&chosen).map_err(|refusal| refusal.reason)
    }
}

/// All routes behind the guard.
pub(crate) fn routes(shared: Shared) -> Router {
    page::routes()
        .route("/metrics", get(metrics))
        .route("/api/state", get(state))
        .route("/api/events", get(events))
        .route("/api/live", get(live))
        .route(STOP, post(stop))
        .route("/api/beat", post(beat))
        .route("/api/say", post(say))
        .route("/api/answer", post(answer))
        .route("/api/handoff", post(handoff))
        .route("/api/jog", post(jog))
        .route("/api/teach", post(teach))
        .route("/api/episodes", get(episode_routes::episodes))
        .route("/api/episodes/{number}", get(episode_routes::episode))
        .route(
            "/api/episodes/{number}/pictures/{camera}/{frame}",
            get(episode_routes::picture),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

/// Lets in who may, and says to browsers what the page may do.
async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let checked = if page::is_public(request.uri().path()) {
        shared.access.check_address(request.headers())
    } else {
        shared.access.check(request.headers(), query)
    };
    if let Err(denied) = checked {
        return turned_away(denied);
    }
    // A form of another page cannot send this type without asking first. A stop
    // is taken in any form: at worst a stranger's page stops the arm.
    let is_stop = request.uri().path() == STOP;
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if request.method() == Method::POST && !is_json && !is_stop {
        return refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected `content-type: application/json`",
        );
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", page::POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        // Pictures are read by this page alone, also where no token is asked for.
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    response
}

fn turned_away(denied: Denied) -> Response {
    let code = match denied {
        Denied::Host | Denied::Origin => StatusCode::FORBIDDEN,
        Denied::Token => StatusCode::UNAUTHORIZED,
    };
    refused(code, denied.words())
}

pub(crate) fn refused(code: StatusCode, message: &str) -> Response {
    (code, Json(json!({"error": {"message": message}}))).into_response()
}

/// A body's value, or what is wrong with it.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

pub(crate) fn bad(message: &str) -> Response {
    refused(StatusCode::BAD_REQUEST, message)
}

async fn metrics(State(shared): State<Shared>) -> Response {
    let kind = (header::CONTENT_TYPE, "text/plain; version=0.0.4");
    ([kind], shared.desk.metrics()).into_response()
}

async fn state(State(shared): State<Shared>) -> Response {
    Json(shared.desk.state()).into_response()
}

async fn events(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MAX_BODY)
        .on_upgrade(move |socket| talk::talk(socket, shared))
}

async fn live(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MAX_BODY)
        .on_upgrade(move |socket| watching::watch(socket, shared))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StopBody {
    #[serde(default)]
    kind: StopKind,
}

/// An empty body holds.
async fn stop(State(shared): State<Shared>, body: Bytes) -> Response {
    if body.is_empty() {
        shared.desk.stop(StopKind::Hold);
        return StatusCode::NO_CONTENT.into_response();
    }
    match read::<StopBody>(&body) {
        Ok(body) => {
            shared.desk.stop(body.kind);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(wrong) => {
            // Whoever wants it stopped gets it stopped.
            shared.desk.stop(StopKind::Hold);
            bad(&wrong)
        }
    }
}

async fn beat(State(shared): State<Shared>) -> StatusCode {
    shared.desk.beat();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SayBody {
    text: String,
}

async fn say(State(shared): State<Shared>, body: Bytes) -> Response {
    match read::<SayBody>(&body) {
        Ok(body) => taken(shared.desk.say(&body.text)),
        Err(wrong) => bad(&wrong),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandoffBody {
    choice: Decision,
}

async fn handoff(State(shared): State<Shared>, body: Bytes) -> Response {
    match read::<HandoffBody>(&body) {
        Ok(body) => taken(shared.desk.decide(body.choice)),
        Err(wrong) => bad(&wrong),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TeachBody {
    sentence: String,
}

async fn teach(State(shared): State<Shared>, body: Bytes) -> Response {
    match read::<TeachBody>(&body) {
        Ok(body) => taken(shared.desk.teach(&body.sentence)),
        Err(wrong) => bad(&wrong),
    }
}

async fn jog(State(shared): State<Shared>, body: Bytes) -> Response {
    match read::<Jog>(&body) {
        Ok(jog) => match jog.fault() {
            Some(fault) => bad(fault),
            None => taken(shared.desk.jog(jog)),
        },
        Err(wrong) => bad(&wrong),
    }
}

async fn answer(State(shared): State<Shared>, body: Bytes) -> Response {
    match read::<talk::Answer>(&body) {
        Ok(answer) => match shared.answer(answer) {
            Ok(()) => StatusCode::ACCEPTED.into_response(),
            Err(reason) => refused(StatusCode::CONFLICT, &reason),
        },
        Err(wrong) => bad(&wrong),
    }
}

fn taken(answer: Result<(), Refusal>) -> Response {
    match answer {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(refusal) => refused(StatusCode::CONFLICT, &refusal.reason),
    }
}
