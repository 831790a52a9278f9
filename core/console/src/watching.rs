//! One page's live connection: state and pictures out, what it has seen in.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket},
};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use crate::{live::WINDOW, message, pictures::Look, rounds::Round, routes::Shared, views::Views};

/// A page that says nothing for so long, or takes no message for so long, is let
/// go.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a page may say here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Word {
    /// The round of this number is on the screen.
    Seen(u64),
    /// Show these cameras.
    Show(Vec<String>),
    /// Answer this.
    Ping(u64),
}

/// Serves a connection until it closes.
pub(crate) async fn watch(socket: WebSocket, shared: Shared) {
    let (out, mut words) = socket.split();
    let mut page = Page::new(out, shared.views.clone());
    let card = shared.desk.card();
    for camera in card.cameras.iter().filter(|camera| camera.is_shown) {
        page.look(&camera.key);
    }
    let mut rounds = shared.rounds.follow();
    let mut runs = shared.views.board.follow();
    if page
        .text(message::text("hello", &json!({"robot": card})))
        .await
        .is_err()
    {
        return;
    }
    loop {
        let outcome = tokio::select! {
            word = timeout(PATIENCE, words.next()) => match word {
                Ok(Some(Ok(Message::Text(text)))) => page.hear(&text).await,
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return,
                Ok(Some(Ok(_))) => Ok(()),
            },
            changed = rounds.changed(), if page.has_room() => {
                if changed.is_err() {
                    return;
                }
                let round = rounds.borrow_and_update().clone();
                page.show(&round).await
            }
            // A question does not wait for the next round.
            changed = runs.changed(), if page.has_room() => {
                if changed.is_err() {
                    return;
                }
                page.show_run().await
            }
        };
        if outcome.is_err() {
            return;
        }
    }
}

/// The page is gone, or takes nothing.
#[derive(Debug)]
struct Gone;

struct Page {
    out: SplitSink<WebSocket, Message>,
    views: Views,
    looks: BTreeMap<String, Look>,
    /// Number of the picture of each camera that was sent last.
    sent: BTreeMap<String, u64>,
    attention: u64,
    revision: Option<u64>,
    next_point: u64,
    /// Rounds sent and not seen.
    on_their_way: VecDeque<u64>,
}

impl Page {
    fn new(out: SplitSink<WebSocket, Message>, views: Views) -> Self {
        Self {
            out,
            views,
            looks: BTreeMap::new(),
            sent: BTreeMap::new(),
            attention: 0,
            revision: None,
            next_point: 0,
            on_their_way: VecDeque::with_capacity(WINDOW),
        }
    }

    fn has_room(&self) -> bool {
        self.on_their_way.len() < WINDOW
    }

    fn look(&mut self, key: &str) {
        if let Some(look) = self.views.pictures.look(key) {
            self.looks.insert(key.to_owned(), look);
        }
    }

    /// A word that makes no sense is passed over: it moves nothing.
    async fn hear(&mut self, text: &str) -> Result<(), Gone> {
        match serde_json::from_str(text) {
            Ok(Word::Seen(seq)) => {
                while self.on_their_way.front().is_some_and(|sent| *sent <= seq) {
                    self.on_their_way.pop_front();
                }
            }
            Ok(Word::Show(keys)) => {
                self.looks.retain(|key, _| keys.contains(key));
                for key in &keys {
                    if !self.looks.contains_key(key) {
                        self.look(key);
                    }
                }
            }
            Ok(Word::Ping(number)) => {
                let pong = message::text("pong", &json!({"ping": number}));
                return self.text(pong).await;
            }
            Err(error) => tracing::debug!("a page said nothing known: {error}"),
        }
        Ok(())
    }

    /// Sends what is new, the pictures first, so that a page that has seen the
    /// state has seen them.
    async fn show(&mut self, round: &Round) -> Result<(), Gone> {
        for key in self.looks.keys().cloned().collect::<Vec<_>>() {
            let Some(picture) = self.views.pictures.encoded(&key) else {
                continue;
            };
            if self.sent.insert(key, picture.number) != Some(picture.number) {
                self.bytes(picture.message).await?;
            }
        }
        if let Some((number, bytes)) = &round.attention
            && *number > self.attention
        {
            self.attention = *number;
            self.bytes(bytes.clone()).await?;
        }
        self.show_run().await?;
        let (points, next) = self.views.board.points(self.next_point);
        self.next_point = next;
        if !points.is_empty() {
            self.text(message::text("confidence", &json!({"points": points})))
                .await?;
        }
        self.on_their_way.push_back(round.seq);
        self.text(round.state.to_string()).await
    }

    /// Sends the run, if it changed.
    async fn show_run(&mut self) -> Result<(), Gone> {
        let Some((view, revision)) = self.views.board.since(self.revision) else {
            return Ok(());
        };
        self.revision = Some(revision);
        self.text(message::text("run", &view)).await
    }

    async fn text(&mut self, text: String) -> Result<(), Gone> {
        self.send(Message::Text(text.into())).await
    }

    async fn bytes(&mut self, bytes: Bytes) -> Result<(), Gone> {
        self.send(Message::Binary(bytes)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(PATIENCE, self.out.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}
