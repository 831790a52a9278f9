//! A model that completes prompts under a grammar.

use std::path::{Path, PathBuf};

use minijinja::Value;

use crate::chat_template::ChatTemplate;
use crate::decoder::{Cache, Decoder};
use crate::opening::{self, Opened};
use crate::search::{Beam, Search};
use crate::vocabulary::Vocabulary;
use crate::{ChatMessage, Limits, Result};

/// A completed line.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// Tokens of the prompt.
    pub read: usize,
    /// Those of them that were known already.
    pub known: usize,
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

/// Tokens that were read, and what they left.
struct Snapshot {
    tokens: Vec<u32>,
    cache: Cache,
}

impl Snapshot {
    /// How many tokens it has in common with a prompt.
    fn shared(&self, tokens: &[u32]) -> usize {
        let pairs = self.tokens.iter().zip(tokens);
        pairs.take_while(|(a, b)| a == b).count()
    }
}

/// A language model in this process.
pub struct LanguageModel {
    path: PathBuf,
    decoder: Decoder,
    vocabulary: Vocabulary,
    template: ChatTemplate,
    /// The beginning of every prompt, and the prompt before.
    snapshots: [Option<Snapshot>; 2],
}

impl LanguageModel {
    /// Opens a GGUF file, or a folder with `config.json`, `tokenizer.json`,
    /// safetensors files and a chat template (in `chat_template.jinja`, or in
    /// `tokenizer_config.json`).
    ///
    /// # Errors
    /// What is missing, damaged or not known, with its file.
    pub fn open(path: &Path) -> Result<Self> {
        let Opened {
            decoder,
            vocabulary,
            template,
        } = opening::open(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            decoder,
            vocabulary,
            template,
            snapshots: [None, None],
        })
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The prompt that the model's own chat template makes of messages, ready
    /// for an answer; marks of the model inside what others say are broken up.
    /// `planner` is for templates that know this program.
    ///
    /// # Errors
    /// A template that fails.
    pub fn prompt(&self, messages: &[ChatMessage], planner: &Value) -> Result<String> {
        let unmarked = messages.iter().map(|message| {
            let ChatMessage { role, content } = message;
            let content = match *role {
                // Instructions are this program's own words.
                "system" => content.clone(),
                _ => self.vocabulary.unmarked(content)?,
            };
            Ok(ChatMessage { role, content })
        });
        let unmarked = unmarked.collect::<Result<Vec<_>>>()?;
        self.template.prompt(&unmarked, planner)
    }

    /// Completes a prompt by the likeliest lines that a grammar allows, the
    /// likeliest first; fewer than asked for where there are no more. What the
    /// prompt shares with the kept beginning, or with the prompt before, is not
    /// read again.
    ///
    /// # Errors
    /// A prompt or grammar that cannot be read, a failing network, or
    /// [`Interrupted`](crate::LanguageModelError::Interrupted) when a limit was reached before the
    /// prompt was read; what was read of it is kept for the next call.
    pub fn complete(
        &mut self,
        prompt: &str,
        grammar: &str,
        limits: Limits<'_>,
    ) -> Result<Vec<Completion>> {
        let matcher = self.vocabulary.constrain(grammar)?;
        let tokens = self.vocabulary.encode(prompt)?;
        let room = self.decoder.context().saturating_sub(tokens.len());
        let (mut cache, known) = self.begin_with(&tokens);
        let read = self
            .decoder
            .read(&mut cache, &tokens[known..], &|| limits.is_over());
        cache.freeze();
        self.snapshots[1] = Some(Snapshot {
            tokens: tokens[..cache.len()].to_vec(),
            cache: cache.clone(),
        });
        let search = Search {
            decoder: &self.decoder,
            vocabulary: &self.vocabulary,
            limits: Limits {
                tokens: limits.tokens.min(room),
                ..limits
            },
        };
        let ended = search.run(Beam::new(cache, matcher, read?))?;
        ended
            .into_iter()
            .map(|(beam, is_whole)| {
                Ok(Completion {
                    text: self.vocabulary.decode(&beam.written)?.trim().to_owned(),
                    read: tokens.len(),
                    known,
                    probabilities: beam.probabilities,
                    is_whole,
                })
            })
            .collect()
    }

    /// A cache that holds the part of the tokens that is known already, and how
    /// many these are: never all, the last one's logits are wanted.
    fn begin_with(&self, tokens: &[u32]) -> (Cache, usize) {
        let shared = |it: &Snapshot| it.shared(tokens).min(tokens.len().saturating_sub(1));
        let all = self.snapshots.iter().flatten();
        match all.max_by_key(|it| shared(it)) {
            Some(snapshot) => {
                let known = shared(snapshot);
                (snapshot.cache.beginning(known), known)
            }
            None => (self.decoder.cache(), 0),
        }
    }

    /// Reads a beginning that all further prompts share, once; a call that was
    /// interrupted is gone on with by the next one.
    ///
    /// # Errors
    /// A beginning that cannot be read, or [`Interrupted`](crate::LanguageModelError::Interrupted).
    pub fn keep_prefix(&mut self, beginning: &str, limits: Limits<'_>) -> Result<()> {
        let tokens = self.vocabulary.encode(beginning)?;
        let (mut cache, known) = match &self.snapshots[0] {
            Some(snapshot) if tokens.starts_with(&snapshot.tokens) => {
                (snapshot.cache.clone(), snapshot.tokens.len())
            }
            _ => (self.decoder.cache(), 0),
        };
        if known == tokens.len() {
            return Ok(());
        }
        let read = self
            .decoder
            .read(&mut cache, &tokens[known..], &|| limits.is_over());
        cache.freeze();
        self.snapshots[0] = Some(Snapshot {
            tokens: tokens[..cache.len()].to_vec(),
            cache,
        });
        read.map(|_| ())
    }

    /// Bytes of keys and values that a token takes once it was read; a prompt's
    /// are shared by all lines, a line has its own.
    #[must_use]
    pub fn token_bytes(&self) -> usize {
        self.decoder.position_bytes()
    }

    /// Tokens of a text, for comparison with other programs.
    ///
    /// # Errors
    /// A text that the tokenizer refuses.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>> {
        self.vocabulary.encode(text)
    }

    /// Logits after tokens, for comparison with other programs.
    ///
    /// # Errors
    /// Tokens that do not exist, or a failing network.
    pub fn logits(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        self.decoder
            .read(&mut self.decoder.cache(), tokens, &|| false)
    }

    /// Reads `prompt` tokens and then one after the other `written` likeliest
    /// ones without a grammar, for the measurement of speed; calls `watch`
    /// after the prompt and after every token. Nothing is kept.
    ///
    /// # Errors
    /// Tokens that do not exist, or a failing network.
    pub fn run_freely(
        &self,
        prompt: &[u32],
        written: usize,
        watch: &mut dyn FnMut(),
    ) -> Result<()> {
        let mut cache = self.decoder.cache();
        let mut logits = self.decoder.read(&mut cache, prompt, &|| false)?;
        watch();
        for _ in 0..written {
            let likeliest = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let token = likeliest.map_or(0, |(token, _)| token);
            let token = u32::try_from(token).unwrap_or_default();
            logits = self.decoder.read(&mut cache, &[token], &|| false)?;
            watch();
        }
        Ok(())
    }
}

impl std::fmt::Debug for LanguageModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "language model {}", self.path.display())
    }
}
