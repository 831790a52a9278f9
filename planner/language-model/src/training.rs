//! Training of the embedded planner model on sentences of the phrase book.
//!
//! The network is a Llama of a few million parameters, trained from nothing,
//! and is written in that family's own format: the local back end loads it like
//! any other model. Sentences are drawn anew for every step, so nothing is
//! stored and nothing is seen twice; the loss counts the answer alone.

mod config;
mod examples;
mod network;
mod tokenizer;
mod trainer;

pub use config::{LanguageBatch, LanguageConfig, LanguageSize};
pub use trainer::{LanguageTrained, Watch, train};

#[cfg(test)]
mod tests;
