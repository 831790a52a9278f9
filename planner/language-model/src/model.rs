//! A model that completes prompts under a grammar.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use llguidance::Matcher;
use minijinja::{Environment, Value, context};
use tokenizers::Tokenizer;

use crate::network::{self, Network};
use crate::vocabulary::Vocabulary;
use crate::{LanguageModelError, Result};

/// Largest configuration file that is read (bytes).
const LARGEST_CONFIG: u64 = 4 << 20;
/// Words that end a turn in the chat forms of the known families.
const TURN_ENDS: [&str; 6] = [
    "</s>",
    "<|im_end|>",
    "<|endoftext|>",
    "<end_of_turn>",
    "<|eot_id|>",
    "<|end|>",
];
/// Name of the template inside the environment.
const TEMPLATE: &str = "chat";

/// What a completion may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Most tokens of a line.
    pub tokens: usize,
    /// How many lines; each costs its own time.
    pub lines: usize,
    /// When to give up.
    pub deadline: Option<Instant>,
    /// Set from outside when nobody waits any more.
    pub is_cancelled: &'a AtomicBool,
}

/// A completed line.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// Tokens read.
    pub read: usize,
    /// Probability of each token written, among those the grammar allowed.
    pub probabilities: Vec<f32>,
    /// Whether the grammar's end was reached; else a limit cut the line.
    pub is_whole: bool,
}

impl Completion {
    /// Probability of the whole line.
    #[must_use]
    pub fn probability(&self) -> f64 {
        self.probabilities.iter().map(|p| f64::from(*p)).product()
    }
}

/// A line in the making.
struct Beam {
    network: Box<dyn Network>,
    matcher: Matcher,
    /// Of the next token.
    logits: Vec<f32>,
    written: Vec<u32>,
    probabilities: Vec<f32>,
    log_probability: f64,
}

/// What was read of a prompt that others begin with as well.
struct Prefix {
    tokens: Vec<u32>,
    network: Box<dyn Network>,
}

/// A language model in this process.
pub struct LanguageModel {
    path: PathBuf,
    network: Box<dyn Network>,
    vocabulary: Vocabulary,
    template: Environment<'static>,
    begin: String,
    prefix: Option<Prefix>,
}

impl LanguageModel {
    /// Opens a GGUF file, or a folder with `config.json`, `tokenizer.json`,
    /// safetensors files and a chat template (in `chat_template.jinja`, or in
    /// `tokenizer_config.json`).
    ///
    /// # Errors
    /// What is missing, damaged or not known, with its file.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            Self::from_folder(path)
        } else {
            Self::from_gguf(path)
        }
    }

    fn from_folder(folder: &Path) -> Result<Self> {
        let config = json(&folder.join("config.json"))?;
        let file = folder.join("tokenizer.json");
        let tokenizer = Tokenizer::from_file(&file).map_err(|error| LanguageModelError::Model {
            path: file.clone(),
            reason: error.to_string(),
        })?;
        let network = network::from_folder(folder, &config)?;
        let width = config["vocab_size"].as_u64().unwrap_or_default();
        let settings = json(&folder.join("tokenizer_config.json")).unwrap_or_default();
        let template = std::fs::read_to_string(folder.join("chat_template.jinja")).ok();
        let template = template.or_else(|| settings["chat_template"].as_str().map(str::to_owned));
        let mut ends: Vec<u32> = Vec::new();
        let listed = config["eos_token_id"].as_array().cloned();
        for id in listed.unwrap_or_else(|| vec![config["eos_token_id"].clone()]) {
            ends.extend(id.as_u64().and_then(|id| u32::try_from(id).ok()));
        }
        let begin = config["bos_token_id"].as_u64();
        let begin = begin.and_then(|id| tokenizer.id_to_token(u32::try_from(id).ok()?));
        Self::assemble(folder, network, tokenizer, (width, ends, begin), template)
    }

    fn from_gguf(path: &Path) -> Result<Self> {
        let bad = |error: candle_core::Error| LanguageModelError::Model {
            path: path.to_path_buf(),
            reason: error.to_string(),
        };
        let file = File::open(path).map_err(LanguageModelError::file(path))?;
        let mut reader = BufReader::new(file);
        let content = Content::read(&mut reader).map_err(bad)?;
        let tokenizer = Tokenizer::from_gguf(&content).map_err(bad)?;
        let number = |key: &str| {
            content
                .metadata
                .get(key)
                .and_then(|value| value.to_u32().ok())
        };
        let text = |key: &str| {
            let value = content.metadata.get(key)?;
            value.to_string().ok().cloned()
        };
        let template = text("tokenizer.chat_template");
        let ends: Vec<u32> = number("tokenizer.ggml.eos_token_id").into_iter().collect();
        let begin = number("tokenizer.ggml.bos_token_id").and_then(|id| tokenizer.id_to_token(id));
        let rows = content
            .tensor_infos
            .get("token_embd.weight")
            .and_then(|info| info.shape.dims().first().copied());
        let width = rows.unwrap_or_else(|| tokenizer.get_vocab_size(true)) as u64;
        let network = network::from_gguf(path, content, &mut reader)?;
        Self::assemble(path, network, tokenizer, (width, ends, begin), template)
    }

    fn assemble(
        path: &Path,
        network: Box<dyn Network>,
        tokenizer: Tokenizer,
        (width, mut ends, begin): (u64, Vec<u32>, Option<String>),
        template: Option<String>,
    ) -> Result<Self> {
        let fail = |reason: String| LanguageModelError::Model {
            path: path.to_path_buf(),
            reason,
        };
        let template = template.ok_or_else(|| {
            fail("expected a chat template (`chat_template.jinja`, or in the file)".to_owned())
        })?;
        for end in TURN_ENDS {
            ends.extend(tokenizer.token_to_id(end).filter(|id| !ends.contains(id)));
        }
        let width = usize::try_from(width).unwrap_or_default();
        let vocabulary = Vocabulary::new(tokenizer, width, ends)?;
        let mut environment = Environment::new();
        environment
            .add_template_owned(TEMPLATE, template)
            .map_err(|error| fail(format!("chat template: {error}")))?;
        Ok(Self {
            path: path.to_path_buf(),
            network,
            vocabulary,
            template: environment,
            begin: begin.unwrap_or_default(),
            prefix: None,
        })
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The prompt that the model's own chat template makes of messages, ready
    /// for an answer. `planner` is for templates that know this program.
    ///
    /// # Errors
    /// A template that fails.
    pub fn prompt(&self, messages: &Value, planner: &Value) -> Result<String> {
        let fail = |error: minijinja::Error| LanguageModelError::Model {
            path: self.path.clone(),
            reason: format!("chat template: {error}"),
        };
        let template = self.template.get_template(TEMPLATE).map_err(fail)?;
        template
            .render(context! {
                messages => messages,
                planner => planner,
                bos_token => self.begin,
                add_generation_prompt => true,
                enable_thinking => false,
            })
            .map_err(fail)
    }

    /// Completes a prompt by the likeliest lines that a grammar allows, the
    /// likeliest first; fewer than asked for where there are no more. What the
    /// prompt shares with the one before is not read again.
    ///
    /// # Errors
    /// A prompt or grammar that cannot be read, or a failing network.
    pub fn complete(
        &mut self,
        prompt: &str,
        grammar: &str,
        limits: Limits<'_>,
    ) -> Result<Vec<Completion>> {
        let matcher = self.vocabulary.constrain(grammar)?;
        let tokens = self.vocabulary.encode(prompt)?;
        let (mut network, known) = self.begin_with(&tokens)?;
        let logits = network.read(&tokens[known..], known)?;
        let first = Beam {
            network,
            matcher,
            logits,
            written: Vec::new(),
            probabilities: Vec::new(),
            log_probability: 0.0,
        };
        let ended = self.search(first, tokens.len(), limits)?;
        ended
            .into_iter()
            .map(|(beam, is_whole)| {
                Ok(Completion {
                    text: self.vocabulary.decode(&beam.written)?.trim().to_owned(),
                    read: tokens.len(),
                    probabilities: beam.probabilities,
                    is_whole,
                })
            })
            .collect()
    }

    /// Beam search: lines that ended, and whether by the grammar.
    fn search(&self, first: Beam, read: usize, limits: Limits<'_>) -> Result<Vec<(Beam, bool)>> {
        let width = limits.lines.max(1);
        let is_over = || {
            limits.is_cancelled.load(Ordering::Relaxed)
                || limits.deadline.is_some_and(|end| Instant::now() >= end)
        };
        let mut live = vec![first];
        let mut ended: Vec<(Beam, bool)> = Vec::new();
        for _ in 0..limits.tokens {
            if live.is_empty() || is_over() {
                break;
            }
            // Every beam by every token it may go on with.
            let mut next: Vec<(usize, u32, f32, f64)> = Vec::new();
            for (index, beam) in live.iter_mut().enumerate() {
                let mask = beam
                    .matcher
                    .compute_mask_or_eos()
                    .map_err(|error| self.broken(&error))?;
                let allowed =
                    |token: usize| mask.is_allowed(u32::try_from(token).unwrap_or(u32::MAX));
                for (token, share) in best(&beam.logits, allowed, width) {
                    let all = beam.log_probability + f64::from(share.max(f32::MIN_POSITIVE)).ln();
                    next.push((index, token, share, all));
                }
            }
            next.sort_by(|a, b| b.3.total_cmp(&a.3));
            next.truncate(width - ended.len().min(width - 1));
            let mut grown = Vec::with_capacity(next.len());
            for (index, token, share, log_probability) in next {
                let from = &live[index];
                let mut beam = Beam {
                    network: from.network.snapshot(),
                    matcher: from.matcher.deep_clone(),
                    logits: Vec::new(),
                    written: from.written.clone(),
                    probabilities: from.probabilities.clone(),
                    log_probability,
                };
                beam.probabilities.push(share);
                if self.vocabulary.ends(token) {
                    ended.push((beam, true));
                    continue;
                }
                beam.matcher
                    .consume_token(token)
                    .map_err(|error| self.broken(&error))?;
                beam.written.push(token);
                if beam.matcher.is_stopped() {
                    ended.push((beam, true));
                    continue;
                }
                let at = read + beam.written.len() - 1;
                beam.logits = beam.network.read(&[token], at)?;
                grown.push(beam);
            }
            live = grown;
            // What is less likely than enough lines that have ended stays behind.
            ended.sort_by(|a, b| b.0.log_probability.total_cmp(&a.0.log_probability));
            if let Some((worst, _)) = ended.get(width - 1) {
                let bar = worst.log_probability;
                live.retain(|beam| beam.log_probability > bar);
            }
        }
        if ended.is_empty() {
            ended.extend(live.into_iter().map(|beam| (beam, false)).take(1));
        }
        ended.truncate(width);
        Ok(ended)
    }

    fn broken(&self, error: &impl ToString) -> LanguageModelError {
        LanguageModelError::Model {
            path: self.path.clone(),
            reason: format!("grammar: {}", error.to_string()),
        }
    }

    /// A network that has read the part of the tokens that are known already,
    /// and how many these are.
    fn begin_with(&mut self, tokens: &[u32]) -> Result<(Box<dyn Network>, usize)> {
        if let Some(prefix) = &self.prefix
            && tokens.len() > prefix.tokens.len()
            && tokens.starts_with(&prefix.tokens)
        {
            return Ok((prefix.network.snapshot(), prefix.tokens.len()));
        }
        Ok((self.network.snapshot(), 0))
    }

    /// Reads a beginning that all further prompts share, once.
    ///
    /// # Errors
    /// A beginning that cannot be read.
    pub fn keep_prefix(&mut self, beginning: &str) -> Result<()> {
        let tokens = self.vocabulary.encode(beginning)?;
        let mut network = self.network.snapshot();
        if tokens.is_empty() || !network.keeps() {
            return Ok(());
        }
        network.read(&tokens, 0)?;
        self.prefix = Some(Prefix { tokens, network });
        Ok(())
    }

    /// Logits after a prompt, for comparison with other programs.
    ///
    /// # Errors
    /// A failing network.
    pub fn logits(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        self.network.snapshot().read(tokens, 0)
    }
}

/// The likeliest allowed tokens with their shares among the allowed.
fn best(logits: &[f32], allowed: impl Fn(usize) -> bool, count: usize) -> Vec<(u32, f32)> {
    let mut candidates: Vec<(usize, f32)> = logits
        .iter()
        .copied()
        .enumerate()
        .filter(|(token, logit)| logit.is_finite() && allowed(*token))
        .collect();
    let Some(top) = candidates.iter().map(|it| it.1).max_by(f32::total_cmp) else {
        return Vec::new();
    };
    let sum: f32 = candidates
        .iter()
        .map(|(_, logit)| (logit - top).exp())
        .sum();
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    candidates
        .into_iter()
        .take(count)
        .filter_map(|(token, logit)| Some((u32::try_from(token).ok()?, (logit - top).exp() / sum)))
        .collect()
}

fn json(path: &Path) -> Result<serde_json::Value> {
    let file = LanguageModelError::file;
    let size = std::fs::metadata(path).map_err(file(path))?.len();
    if size > LARGEST_CONFIG {
        return Err(LanguageModelError::Model {
            path: path.to_path_buf(),
            reason: format!("expected at most {LARGEST_CONFIG} bytes, got {size}"),
        });
    }
    let text = std::fs::read_to_string(path).map_err(file(path))?;
    serde_json::from_str(&text).map_err(|error| LanguageModelError::Model {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}
