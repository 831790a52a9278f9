//! The beat of the live connection: ten times a second, and only while somebody
//! looks, the state is read once for all pages and new pictures are encoded.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::{Desk, message, views::Views};

/// Time between two rounds.
const PERIOD: Duration = Duration::from_millis(100);

/// What all pages are shown at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    /// Counts the rounds; 0 is none yet.
    pub(crate) seq: u64,
    /// The state as a message.
    pub(crate) state: Arc<str>,
    /// Where the policy looked last, and which decision it was.
    pub(crate) attention: Option<(u64, Bytes)>,
}

/// Where rounds come from; clones hear the same. A reader gets the newest one,
/// however many it missed.
#[derive(Clone, Debug)]
pub(crate) struct Rounds(Arc<watch::Sender<Round>>);

impl Default for Rounds {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Round::default())))
    }
}

impl Rounds {
    /// A reader; rounds are made while there is one.
    pub(crate) fn follow(&self) -> watch::Receiver<Round> {
        self.0.subscribe()
    }

    /// Makes rounds until it is dropped.
    pub(crate) async fn make(self, desk: Arc<dyn Desk>, views: Views) {
        let mut beat = interval(PERIOD);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seq = 0;
        let mut looked: Option<(f64, u64, Bytes)> = None;
        loop {
            beat.tick().await;
            if self.0.receiver_count() == 0 {
                continue;
            }
            seq += 1;
            let mut state = serde_json::to_value(desk.live()).unwrap_or_default();
            if let Value::Object(fields) = &mut state {
                fields.insert("seq".to_owned(), json!(seq));
            }
            let attention = desk.attention();
            if let Some(new) = attention
                && looked.as_ref().is_none_or(|(t, ..)| *t < new.t)
            {
                looked = Some((new.t, seq, message::attention(&new)));
            }
            let pictures = views.pictures.clone();
            // Off this thread: a stop that comes meanwhile is not kept waiting.
            if let Err(error) = tokio::task::spawn_blocking(move || pictures.encode()).await {
                tracing::error!("pictures could not be encoded: {error}");
            }
            self.0.send_replace(Round {
                seq,
                state: message::text("state", &state).into(),
                attention: looked
                    .as_ref()
                    .map(|(_, number, bytes)| (*number, bytes.clone())),
            });
        }
    }
}
