//! One page's open connection: events out, orders in.
//!
//! Orders are heard while an event is on its way, so that a page behind a slow
//! line stops the robot as soon as its word arrives.

use axum::extract::ws::{Message, WebSocket};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde::Deserialize;
use tokio::sync::{broadcast::error::RecvError, mpsc};

use crate::{Decision, Jog, StopKind, routes::Shared};

/// Answers that wait for a page at most; it reads none when it misses more.
const ANSWERS: usize = 16;

/// What a page may send.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Order {
    /// `{"stop":"hold"}`.
    Stop(StopKind),
    /// `{"say":"…"}`.
    Say(String),
    /// `{"answer":{"question":1,"choice":0}}`.
    Answer(Answer),
    /// `{"teach":"…"}`.
    Teach(String),
    /// `{"choose":"take_over"}`.
    Choose(Decision),
    /// `{"jog":{"linear_m_per_s":[0,0,0.1]}}`.
    Jog(Jog),
    /// `{"beat":true}`.
    Beat(bool),
}

/// The choice, counted from 0, that answers an open question.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub(crate) question: u64,
    pub(crate) choice: usize,
}

/// Serves a connection until it closes.
pub(crate) async fn talk(socket: WebSocket, shared: Shared) {
    let (out, orders) = socket.split();
    let (answers, waiting) = mpsc::channel(ANSWERS);
    tokio::select! {
        () = tell(out, &shared, waiting) => {}
        () = hear(orders, &shared, &answers) => {}
    }
}

/// Sends events and answers.
async fn tell(
    mut out: SplitSink<WebSocket, Message>,
    shared: &Shared,
    mut waiting: mpsc::Receiver<String>,
) {
    let (past, mut next) = shared.feed.listen();
    for line in past {
        if send(&mut out, &line).await.is_err() {
            return;
        }
    }
    loop {
        let sent = tokio::select! {
            event = next.recv() => match event {
                Ok(line) => send(&mut out, &line).await,
                // A page that cannot keep up loses the oldest and is told so.
                Err(RecvError::Lagged(lost)) => {
                    let line = format!("{{\"event\":\"lost\",\"count\":{lost}}}");
                    send(&mut out, &line).await
                }
                Err(RecvError::Closed) => return,
            },
            answer = waiting.recv() => match answer {
                Some(answer) => send(&mut out, &answer).await,
                None => return,
            },
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Carries out orders.
async fn hear(mut orders: SplitStream<WebSocket>, shared: &Shared, answers: &mpsc::Sender<String>) {
    while let Some(Ok(message)) = orders.next().await {
        match message {
            Message::Text(text) => {
                if let Some(answer) = obey(shared, &text) {
                    // A page that does not read its answers loses them.
                    let _ = answers.try_send(answer);
                }
            }
            Message::Close(_) => return,
            _ => {}
        }
    }
}

async fn send(out: &mut SplitSink<WebSocket, Message>, line: &str) -> Result<(), axum::Error> {
    out.send(Message::Text(line.into())).await
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
        Ok(Order::Answer(answer)) => match shared.answer(answer) {
            Ok(()) => None,
            Err(reason) => error(reason),
        },
        Ok(Order::Teach(sentence)) => match shared.desk.teach(&sentence) {
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
            "expected {{\"stop\":…}}, {{\"say\":…}}, {{\"answer\":…}}, {{\"teach\":…}}, {{\"choose\":…}}, {{\"jog\":…}} or {{\"beat\":true}}: {wrong}"
        )),
    }
}
