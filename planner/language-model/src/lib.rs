//! Local language models for the planner: training of the embedded one, and
//! running it or a larger one in this process.

mod backend;
mod chat_template;
mod decoder;
mod embedded_template;
mod error;
mod gguf_header;
mod gguf_tokenizer;
mod memory;
mod model;
mod opening;
mod random_model;
mod search;
mod training;
mod vocabulary;

pub use backend::{
    LocalBackend, LocalSettings, Reader, calibration, calibration_file, weights_hash,
};
pub use chat_template::ChatMessage;
pub use error::LanguageModelError;
pub use model::{Completion, LanguageModel};
pub use random_model::RandomModel;
pub use search::Limits;
pub use training::{
    LanguageBatch, LanguageConfig, LanguageSize, LanguageTrained, Watch, train as train_language,
};
pub use vocabulary::accepts;

/// Result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, LanguageModelError>;
