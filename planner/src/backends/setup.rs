//! From settings and environment to a rung, or to the reason why there is none.

use std::path::PathBuf;
use std::sync::Arc;

use super::address::Address;
use super::api_key::ApiKey;
use super::claude::{ClaudeBackend, ClaudeSettings, DEFAULT_CLAUDE_MODEL};
use super::openai::{OpenAiBackend, OpenAiSettings};
use super::retry::RetrySettings;
use super::{DEFAULT_MAX_TOKENS, Unavailable};
use crate::backend::Backend;

/// Where Anthropic's interface lives unless set otherwise.
const ANTHROPIC: &str = "https://api.anthropic.com";

/// Looks up a variable of the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Settings of one model back end; what is absent has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelOptions {
    /// Model id.
    pub model: Option<String>,
    /// Base address; the environment's counts more.
    pub base_url: Option<String>,
    /// File with the key, readable by its owner alone.
    pub key_file: Option<PathBuf>,
    /// Most tokens of one answer.
    pub max_tokens: Option<u32>,
    /// Seed of sampling and of the jitter of retries.
    pub seed: u64,
}

/// Why a back end cannot be set up. No message holds a key or an address that
/// was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Something is not set.
    #[error("{what} is not set; {help}")]
    Missing {
        /// What.
        what: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// The key cannot be used.
    #[error("the key in {origin} cannot be used: {reason}")]
    Key {
        /// Variable or file.
        origin: String,
        /// Why.
        reason: String,
    },
    /// The address cannot be used.
    #[error("the base address cannot be used: {reason}")]
    Address {
        /// Why.
        reason: String,
    },
    /// No connection can be prepared.
    #[error("no connection can be prepared: {reason}")]
    Client {
        /// Why.
        reason: String,
    },
}

/// The rung `claude`, from `ANTHROPIC_API_KEY` (or `ANTHROPIC_API_KEY_FILE`),
/// `ANTHROPIC_BASE_URL` and the settings. Without a key it is a rung that says
/// so.
#[must_use]
pub fn claude_rung(options: &ModelOptions, environment: Environment<'_>) -> Arc<dyn Backend> {
    let set_up = || {
        let key = key("ANTHROPIC_API_KEY", options, environment)?.ok_or(SetupError::Missing {
            what: "ANTHROPIC_API_KEY",
            help: "put the key there, or name a file with mode 0600 in ANTHROPIC_API_KEY_FILE or `[planner.claude] key_file`",
        })?;
        let base = set("ANTHROPIC_BASE_URL", environment).or_else(|| options.base_url.clone());
        ClaudeBackend::new(ClaudeSettings {
            address: Address::parse(base.as_deref().unwrap_or(ANTHROPIC))?,
            model: model(options).unwrap_or_else(|| DEFAULT_CLAUDE_MODEL.to_owned()),
            key,
            max_tokens: options.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
            retry: retry(options),
        })
    };
    match set_up() {
        Ok(backend) => Arc::new(backend),
        Err(error) => Arc::new(Unavailable::new("claude", error.to_string())),
    }
}

/// The rung `openai`, from `OPENAI_BASE_URL`, `OPENAI_API_KEY` (or
/// `OPENAI_API_KEY_FILE`) and the settings. Without an address it is a rung
/// that says so: a key alone does not say that scenes may leave this machine.
#[must_use]
pub fn openai_rung(options: &ModelOptions, environment: Environment<'_>) -> Arc<dyn Backend> {
    let set_up = || {
        let base = set("OPENAI_BASE_URL", environment)
            .or_else(|| options.base_url.clone())
            .ok_or(SetupError::Missing {
                what: "OPENAI_BASE_URL",
                help: "put the server's address there or into `[planner.openai] base_url`, for example http://127.0.0.1:8080/v1",
            })?;
        OpenAiBackend::new(OpenAiSettings {
            address: Address::parse(&base)?,
            model: model(options),
            key: key("OPENAI_API_KEY", options, environment)?,
            max_tokens: options.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
            seed: options.seed,
            retry: retry(options),
        })
    };
    match set_up() {
        Ok(backend) => Arc::new(backend),
        Err(error) => Arc::new(Unavailable::new("openai", error.to_string())),
    }
}

fn retry(options: &ModelOptions) -> RetrySettings {
    RetrySettings {
        seed: options.seed,
        ..RetrySettings::default()
    }
}

fn model(options: &ModelOptions) -> Option<String> {
    options.model.clone().filter(|it| !it.trim().is_empty())
}

/// A variable that is set to something.
fn set(name: &str, environment: Environment<'_>) -> Option<String> {
    environment(name).filter(|value| !value.trim().is_empty())
}

/// The key from the variable, else from the file that `…_FILE` names, else
/// from the file that the settings name.
fn key(
    variable: &str,
    options: &ModelOptions,
    environment: Environment<'_>,
) -> Result<Option<ApiKey>, SetupError> {
    if let Some(text) = set(variable, environment) {
        return ApiKey::new(&text, variable).map(Some);
    }
    let file = set(&format!("{variable}_FILE"), environment).map(PathBuf::from);
    match file.or_else(|| options.key_file.clone()) {
        Some(path) => ApiKey::from_file(&path).map(Some),
        None => Ok(None),
    }
}
