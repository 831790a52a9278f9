//! The TOML file of a language training.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vola_train::{Budget, OptimizerConfig};

use crate::{LanguageModelError, Result};

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageConfig {
    /// Says that this is one: `planner`.
    pub kind: String,
    /// Seed of initialisation and of the sentences.
    pub seed: u64,
    /// Folder of the model that is written at the end.
    pub out: PathBuf,
    /// Folder for the state to resume from, the loss history and its picture.
    pub work: PathBuf,
    /// How long.
    pub budget: Budget,
    /// What it begins with; random weights and a tokenizer of its own without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<LanguageInit>,
    /// Sizes of the network.
    #[serde(default)]
    pub model: LanguageSize,
    /// How many sentences at once.
    #[serde(default)]
    pub batch: LanguageBatch,
    /// How parameters follow gradients.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
}

/// A model that a training goes on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageInit {
    /// Its folder, with `model.safetensors` and `tokenizer.json`.
    pub from: PathBuf,
}

/// Sizes of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LanguageSize {
    /// Pieces of words.
    pub vocabulary: usize,
    /// Channels.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of a layer.
    pub heads: usize,
    /// Channels inside a feed-forward layer.
    pub hidden: usize,
}

impl Default for LanguageSize {
    fn default() -> Self {
        Self {
            vocabulary: 4096,
            width: 256,
            layers: 4,
            heads: 4,
            hidden: 640,
        }
    }
}

/// Sizes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LanguageBatch {
    /// Worker threads; each has its own batch and gradients are averaged.
    pub threads: usize,
    /// Sentences of one worker in a step.
    pub size: usize,
    /// Part of the sentence's tokens that are replaced by others.
    pub token_noise: f32,
    /// Part of the sentences that are cut into smaller pieces than need be.
    pub piece_noise: f32,
}

impl Default for LanguageBatch {
    fn default() -> Self {
        Self {
            threads: 2,
            size: 24,
            token_noise: 0.02,
            piece_noise: 0.15,
        }
    }
}

impl LanguageConfig {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, or a value out of range.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(LanguageModelError::file(path))?;
        let fail = |reason: String| LanguageModelError::Config {
            path: path.to_path_buf(),
            reason,
        };
        let config: Self = toml::from_str(&text).map_err(|error| fail(error.to_string()))?;
        config.check().map_err(fail)?;
        Ok(config)
    }

    /// Whether a training configuration is of this kind.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        let table: std::result::Result<toml::Table, _> = text.parse();
        table.is_ok_and(|table| table.get("kind").and_then(toml::Value::as_str) == Some("planner"))
    }

    fn check(&self) -> std::result::Result<(), String> {
        let m = &self.model;
        let within = |name: &str, value: usize, range: std::ops::RangeInclusive<usize>| {
            if range.contains(&value) {
                Ok(())
            } else {
                Err(format!("{name}: expected {range:?}, got {value}"))
            }
        };
        if self.kind != "planner" {
            return Err(format!("kind: expected `planner`, got `{}`", self.kind));
        }
        within("model.vocabulary", m.vocabulary, 512..=65_536)?;
        within("model.width", m.width, 16..=4096)?;
        within("model.layers", m.layers, 1..=64)?;
        within("model.heads", m.heads, 1..=64)?;
        within("model.hidden", m.hidden, 16..=16_384)?;
        within("batch.threads", self.batch.threads, 1..=256)?;
        within("batch.size", self.batch.size, 1..=4096)?;
        if !m.width.is_multiple_of(2 * m.heads) {
            return Err(format!(
                "model.width: expected a multiple of twice the heads ({}), got {}",
                2 * m.heads,
                m.width
            ));
        }
        for (name, part) in [
            ("batch.token_noise", self.batch.token_noise),
            ("batch.piece_noise", self.batch.piece_noise),
        ] {
            if !(0.0..=1.0).contains(&part) {
                return Err(format!("{name}: expected 0 to 1, got {part}"));
            }
        }
        if self.budget.minutes.is_some() == self.budget.steps.is_some() {
            return Err("budget: expected exactly one of `minutes` and `steps`".to_owned());
        }
        Ok(())
    }
}
