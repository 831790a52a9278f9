//! Sentences as tokens.

use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use vola_phrasebook::{Before, Sample, Sampler};

use super::config::LanguageBatch;
use crate::embedded_template::{ANSWER, BEGIN, COMMAND, END, QUESTION};
use crate::{LanguageModelError, Result};

/// Longest example that is trained on, in tokens.
const LONGEST: usize = 128;

/// Most places where a sentence with noise is cut, in words as well.
const CUTS: usize = 4;

/// Examples of one step, one after another.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) tokens: Vec<u32>,
    pub(super) lengths: Vec<usize>,
    /// Rows whose next token counts.
    pub(super) rows: Vec<u32>,
    /// The next token of each of these rows.
    pub(super) next: Vec<u32>,
}

/// Makes examples.
pub(super) struct Examples {
    sampler: Sampler,
    exact: Tokenizer,
    /// Goes on in the middle of a word.
    inside: Tokenizer,
    special: [u32; 5],
    vocabulary: u32,
    noise: LanguageBatch,
}

impl Examples {
    pub(super) fn new(
        sampler: Sampler,
        tokenizer: &Tokenizer,
        noise: LanguageBatch,
    ) -> Result<Self> {
        let mut inside = tokenizer.clone();
        inside.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
        let mut special = [0; 5];
        for (id, token) in special
            .iter_mut()
            .zip([BEGIN, END, COMMAND, QUESTION, ANSWER])
        {
            *id = tokenizer
                .token_to_id(token)
                .ok_or_else(|| LanguageModelError::Tokenizer {
                    reason: format!("it has no token `{token}`"),
                })?;
        }
        Ok(Self {
            sampler,
            exact: tokenizer.clone(),
            inside,
            special,
            vocabulary: u32::try_from(tokenizer.get_vocab_size(true)).unwrap_or(u32::MAX),
            noise,
        })
    }

    /// `count` examples of a seed.
    pub(super) fn draw(&self, count: usize, seed: u64) -> Result<Batch> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut batch = Batch::default();
        while batch.lengths.len() < count {
            let sample = self.sampler.draw(&mut rng);
            self.add(&sample, &mut rng, &mut batch)?;
        }
        Ok(batch)
    }

    fn add(&self, sample: &Sample, rng: &mut fastrand::Rng, batch: &mut Batch) -> Result<()> {
        let [begin, end, command, question, answer] = self.special;
        let cut = |tokenizer: &Tokenizer, text: &str| {
            tokenizer
                .encode(text, false)
                .map(|encoding| encoding.get_ids().to_vec())
                .map_err(|error| LanguageModelError::Tokenizer {
                    reason: error.to_string(),
                })
        };
        let mut sentence = Vec::new();
        if rng.f32() < self.noise.piece_noise {
            for (index, part) in parts(&sample.sentence, rng).into_iter().enumerate() {
                let tokenizer = if index == 0 {
                    &self.exact
                } else {
                    &self.inside
                };
                sentence.extend(cut(tokenizer, part)?);
            }
        } else {
            sentence = cut(&self.exact, &sample.sentence)?;
        }
        for token in &mut sentence {
            if rng.f32() < self.noise.token_noise {
                *token = rng.u32(5..self.vocabulary.max(6));
            }
        }
        let meaning = cut(&self.exact, &sample.meaning)?;
        let mut tokens = vec![begin];
        match sample.before {
            Before::Nothing => {}
            Before::Command => tokens.push(command),
            Before::Question => tokens.push(question),
        }
        tokens.extend(sentence);
        tokens.push(answer);
        let first = tokens.len() - 1;
        tokens.extend(meaning);
        // The last token is only ever predicted.
        if tokens.len() > LONGEST {
            return Ok(());
        }
        let start = batch.tokens.len();
        for index in first..tokens.len() {
            batch.rows.push((start + index) as u32);
            batch
                .next
                .push(tokens.get(index + 1).copied().unwrap_or(end));
        }
        batch.lengths.push(tokens.len());
        batch.tokens.extend(tokens);
        Ok(())
    }
}

/// A text cut at a few places.
fn parts<'a>(text: &'a str, rng: &mut fastrand::Rng) -> Vec<&'a str> {
    let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).collect();
    let count = 1 + rng.usize(..CUTS);
    let mut cuts: Vec<usize> = (0..count)
        .filter_map(|_| borders.get(rng.usize(..borders.len().max(1))).copied())
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut all = Vec::with_capacity(cuts.len() + 1);
    let mut start = 0;
    for cut in cuts {
        all.push(&text[start..cut]);
        start = cut;
    }
    all.push(&text[start..]);
    all
}
