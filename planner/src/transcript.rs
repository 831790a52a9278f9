//! What was sent to models and what came back, for the decision record.
//!
//! A back end notes an exchange before it sends and completes the note as the
//! answer comes in, so that a call that is cut off by its deadline is on record
//! too. Keys never stand here: they travel in headers, and what a server says
//! is scrubbed of them first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vola_types::TokenCount;

use crate::readings::ScoredLine;

/// One request to a model and its answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Scheme, host and path that was called.
    pub address: String,
    /// Model id that was asked for.
    pub model: String,
    /// Seed of the sampling, where the interface has one.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Beginning of the BLAKE3 hash of the schema that was sent.
    #[serde(default)]
    pub schema_hash: Option<String>,
    /// The request's body, byte by byte.
    pub prompt: String,
    /// HTTP status; none while there is no answer.
    #[serde(default)]
    pub status: Option<u16>,
    /// The model's text.
    #[serde(default)]
    pub reply: String,
    /// The model's turn as it may be sent back in a repair.
    #[serde(default)]
    pub turn: Option<Value>,
    /// Why the model stopped.
    #[serde(default)]
    pub stop_reason: Option<String>,
    /// Tokens read and written.
    #[serde(default)]
    pub tokens: TokenCount,
    /// Lines of the compact language that the model found likely.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ScoredLine>,
    /// Least probability of a reading that is kept; unless exactly one is, its
    /// plan is asked about. None: never; 2: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_from: Option<f64>,
    /// Why there is no usable answer.
    #[serde(default)]
    pub error: Option<String>,
    /// Time from request to the end of the answer, in milliseconds.
    #[serde(default)]
    pub millis: f64,
}

/// The exchanges of one request to the ladder; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Transcript(Arc<Mutex<Vec<Exchange>>>);

impl Transcript {
    /// Notes an exchange that begins; the number is for [`change`](Self::change).
    pub fn open(&self, exchange: Exchange) -> usize {
        let mut exchanges = self.exchanges();
        exchanges.push(exchange);
        exchanges.len() - 1
    }

    /// Changes a note.
    pub fn change(&self, number: usize, edit: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.exchanges().get_mut(number) {
            edit(exchange);
        }
    }

    /// How many exchanges there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.exchanges().len()
    }

    /// The exchanges from this number on.
    #[must_use]
    pub fn since(&self, number: usize) -> Vec<Exchange> {
        self.exchanges().get(number..).unwrap_or_default().to_vec()
    }

    /// The newest exchange.
    #[must_use]
    pub fn last(&self) -> Option<Exchange> {
        self.exchanges().last().cloned()
    }

    /// Tokens of all exchanges from this number on.
    #[must_use]
    pub fn tokens_since(&self, number: usize) -> TokenCount {
        let exchanges = self.exchanges();
        let mut sum = TokenCount::default();
        for exchange in exchanges.iter().skip(number) {
            sum.input = sum.input.saturating_add(exchange.tokens.input);
            sum.output = sum.output.saturating_add(exchange.tokens.output);
        }
        sum
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
