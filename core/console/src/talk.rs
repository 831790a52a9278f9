//! One page's open connection: events out, orders in.

use axum::extract::ws::{Message, WebSocket};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use crate::{Decision, Jog, StopKind, routes::Shared};

/// What a page may send.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Order {
    /// `{"stop":"hold"}`.
    Stop(StopKind),
    /// `{"say":"…"}`.
    Say(String),
    /// `{"choose":"take_over"}`.
    Choose(Decision),
    /// `{"jog":{"linear_m_per_s":[0,0,0.1]}}`.
    Jog(Jog),
    /// `{"beat":true}`.
    Beat(bool),
}

/// Serves a connection until it closes.
pub(crate) async fn talk(mut socket: WebSocket, shared: Shared) {
    let (past, mut next) = shared.feed.listen();
    for line in past {
        if send(&mut socket, &line).await.is_err() {
            return;
        }
    }
    loop {
        tokio::select! {
            event = next.recv() => match event {
                Ok(line) => {
                    if send(&mut socket, &line).await.is_err() {
                        return;
                    }
                }
                // A page that cannot keep up loses the oldest and is told so.
                Err(RecvError::Lagged(lost)) => {
                    let line = format!("{{\"event\":\"lost\",\"count\":{lost}}}");
                    if send(&mut socket, &line).await.is_err() {
                        return;
                    }
                }
                Err(RecvError::Closed) => return,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    if let Some(answer) = obey(&shared, &text)
                        && send(&mut socket, &answer).await.is_err()
                    {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

async fn send(socket: &mut WebSocket, line: &str) -> Result<(), axum::Error> {
    socket.send(Message::Text(line.into())).await
}

/// Carries an order out; what is wrong with it.
fn obey(shared: &Shared, text: &str) -> Option<String> {
    let error = |message: String| {
        let error = serde_json::json!({"error": {"message": message}});
        Some(error.to_string())
    };
    match serde_json::from_str(text) {
        Ok(Order::Stop(kind)) => {
            shared.desk.stop(kind);
            None
        }
        Ok(Order::Say(text)) => match shared.desk.say(&text) {
            Ok(()) => None,
            Err(refusal) => error(refusal.reason),
        },
        Ok(Order::Choose(decision)) => match shared.desk.decide(decision) {
            Ok(()) => None,
            Err(refusal) => error(refusal.reason),
        },
        Ok(Order::Jog(jog)) => match jog.fault() {
            Some(fault) => error(fault.to_owned()),
            None => shared
                .desk
                .jog(jog)
                .err()
                .and_then(|refusal| error(refusal.reason)),
        },
        Ok(Order::Beat(is_alive)) => {
            if is_alive {
                shared.desk.beat();
            }
            None
        }
        Err(wrong) => error(format!(
            "expected {{\"stop\":…}}, {{\"say\":…}}, {{\"choose\":…}}, {{\"jog\":…}} or {{\"beat\":true}}: {wrong}"
        )),
    }
}
