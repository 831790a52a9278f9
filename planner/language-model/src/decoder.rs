//! The network of a decoder-only language model, one for all families.
//!
//! Llama, Qwen 2 and 3, Gemma 1 to 3 and Phi-3 differ in a dozen switches
//! ([`Architecture`]): norms, biases, rotary angles, windows, caps. candle has a
//! model for each, but some say something else than the reference implementation
//! (`tests/candle_models.rs` has the list), their caches are private and that of
//! the quantised Qwen 2 cannot be copied, one sequence is read at a time, and none
//! can be stopped in the middle. Here weights are candle's (dense or quantised,
//! with candle's products), and what is read lies in a [`Cache`] that belongs to
//! its reader: a copy is a snapshot, beams share a step, and a stop is heeded
//! between two layers. `tests/reference.rs` compares the logits of every family
//! with those of the reference implementation.

mod architecture;
mod attention;
mod cache;
mod layer;
mod matrix;
mod names;
mod rotary;
mod settings;
mod weights;

use crate::{LanguageModelError, Result};

pub(crate) use cache::Cache;
pub(crate) use settings::Settings;
pub(crate) use weights::{GgufWeights, SafetensorsWeights, Weights};

use architecture::Architecture;
use layer::Layer;
use matrix::Matrix;
use names::Part;

/// Whether the family that a file names is known: said before anything else
/// that may be wrong with the file.
///
/// # Errors
/// One that is not known.
pub(crate) fn check_family(settings: &Settings) -> Result<()> {
    architecture::family(settings).map(|_| ())
}

/// Rows of a prompt that are read together: enough for the products to be
/// dense, few enough for a stop to be heeded soon.
const ROWS_AT_ONCE: usize = 64;

/// Tokens that go on from what a cache holds.
pub(crate) struct Sequence<'a> {
    /// What was read before; holds the tokens as well afterwards.
    pub(crate) cache: &'a mut Cache,
    /// At least one.
    pub(crate) tokens: &'a [u32],
}

/// A network; its weights are shared by all who read with it.
pub(crate) struct Decoder {
    architecture: Architecture,
    words: Matrix,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    /// None where the words are used for the output as well.
    output: Option<Matrix>,
}

impl Decoder {
    /// Builds the network that `settings` describe out of `weights`.
    ///
    /// # Errors
    /// A family that is not known, settings out of range, weights that are
    /// missing or of another shape.
    pub(crate) fn new(settings: &Settings, weights: &mut dyn Weights) -> Result<Self> {
        let architecture = Architecture::read(settings, weights)?;
        let width = architecture.width;
        let words = weights.matrix(&Part::Words.at(0), architecture.vocabulary, width)?;
        let layers = (0..architecture.layers)
            .map(|index| Layer::read(&architecture, index, weights))
            .collect::<Result<Vec<_>>>()?;
        let norm = architecture.norm(weights.vector(&Part::Norm.at(0), width)?);
        let output = weights
            .has(&Part::Output.at(0))
            .then(|| weights.matrix(&Part::Output.at(0), architecture.vocabulary, width))
            .transpose()?;
        Ok(Self {
            architecture,
            words,
            layers,
            norm,
            output,
        })
    }

    /// Number of logits.
    pub(crate) fn vocabulary(&self) -> usize {
        self.architecture.vocabulary
    }

    /// Most tokens, read and written, of one sequence.
    pub(crate) fn context(&self) -> usize {
        self.architecture.context
    }

    /// Bytes that one position takes in a cache.
    pub(crate) fn position_bytes(&self) -> usize {
        2 * self.layers.len() * self.architecture.key_width() * size_of::<f32>()
    }

    /// A cache in which nothing was read.
    pub(crate) fn cache(&self) -> Cache {
        Cache::new(self.layers.len(), self.architecture.key_width())
    }

    /// Reads a prompt, in parts; logits of the token after it. When `is_over`
    /// becomes true it is given up between two layers.
    ///
    /// # Errors
    /// A token that does not exist, a prompt that is too long, or
    /// [`LanguageModelError::Interrupted`]; the cache is then as after the last
    /// whole part.
    pub(crate) fn read(
        &self,
        cache: &mut Cache,
        tokens: &[u32],
        is_over: &dyn Fn() -> bool,
    ) -> Result<Vec<f32>> {
        // All of it: none of a prompt that is too long is read.
        self.check(cache.len(), tokens)?;
        let mut logits = Vec::new();
        for part in tokens.chunks(ROWS_AT_ONCE) {
            let tokens = part;
            logits = self.step(&mut [Sequence { cache, tokens }], is_over)?;
        }
        Ok(logits.pop().unwrap_or_default())
    }

    /// Reads the tokens of several sequences in one step; for each the logits
    /// of the token after its last.
    ///
    /// # Errors
    /// As for [`read`](Self::read); on any of them no cache is changed.
    pub(crate) fn step(
        &self,
        batch: &mut [Sequence<'_>],
        is_over: &dyn Fn() -> bool,
    ) -> Result<Vec<Vec<f32>>> {
        for sequence in batch.iter() {
            self.check(sequence.cache.len(), sequence.tokens)?;
        }
        let mut rows = self.embed(batch)?;
        for (index, layer) in self.layers.iter().enumerate() {
            if is_over() {
                return Err(LanguageModelError::Interrupted);
            }
            layer.forward(&self.architecture, index, &mut rows, batch)?;
        }
        let mut last = Vec::with_capacity(batch.len() * self.architecture.width);
        let mut end = 0;
        for sequence in batch.iter_mut() {
            end += sequence.tokens.len();
            sequence.cache.advance(sequence.tokens.len());
            let begin = (end - 1) * self.architecture.width;
            last.extend_from_slice(&rows[begin..begin + self.architecture.width]);
        }
        layer::rms_norm(&mut last, &self.norm, self.architecture.epsilon);
        let output = self.output.as_ref().unwrap_or(&self.words);
        let mut logits = output.product(&last)?;
        if let Some(cap) = self.architecture.logit_cap {
            logits.iter_mut().for_each(|x| *x = cap * (*x / cap).tanh());
        }
        let rows = logits.chunks_exact(self.architecture.vocabulary);
        Ok(rows.map(<[f32]>::to_vec).collect())
    }

    fn check(&self, known: usize, tokens: &[u32]) -> Result<()> {
        let wrong = |expected: String, got: String| LanguageModelError::Prompt { expected, got };
        let Architecture {
            context,
            vocabulary,
            ..
        } = self.architecture;
        let all = known + tokens.len();
        if tokens.is_empty() {
            return Err(wrong("at least one token".to_owned(), "none".to_owned()));
        }
        if all > context {
            let expected = format!("1 to {context} tokens, the model's context");
            return Err(wrong(expected, all.to_string()));
        }
        match tokens.iter().find(|it| **it as usize >= vocabulary) {
            Some(token) => Err(wrong(
                format!("tokens below {vocabulary}, the size of the vocabulary"),
                format!("{token} (the tokenizer belongs to another model)"),
            )),
            None => Ok(()),
        }
    }

    /// `[tokens, width]` of all sequences, one after the other.
    fn embed(&self, batch: &[Sequence<'_>]) -> Result<Vec<f32>> {
        let tokens: Vec<u32> = batch.iter().flat_map(|it| it.tokens).copied().collect();
        let mut rows = self.words.rows(&tokens)?;
        let scale = self.architecture.word_scale;
        rows.iter_mut().for_each(|x| *x *= scale);
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::Path;

    use super::*;

    /// A reference model that reads long prompts.
    fn decoder() -> Decoder {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/qwen3");
        let file = folder.join("config.json");
        let mut config: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        config["max_position_embeddings"] = 300.into();
        let settings = Settings::from_config(&file, &config);
        Decoder::new(&settings, &mut SafetensorsWeights::read(&folder).unwrap()).unwrap()
    }

    #[test]
    fn a_prompt_is_read_in_parts_and_a_stop_leaves_whole_ones() {
        let decoder = decoder();
        let tokens: Vec<u32> = (0..200).map(|it| it % 300 + 5).collect();
        let whole = decoder.read(&mut decoder.cache(), &tokens, &|| false);
        let whole = whole.unwrap();
        // Two layers: the sixth look is in the third part.
        let looks = Cell::new(0);
        let is_over = || {
            looks.set(looks.get() + 1);
            looks.get() == 6
        };
        let mut cache = decoder.cache();
        let error = decoder.read(&mut cache, &tokens, &is_over).unwrap_err();
        assert!(matches!(error, LanguageModelError::Interrupted), "{error}");
        assert_eq!(cache.len(), 2 * ROWS_AT_ONCE);
        let rest = &tokens[cache.len()..];
        let resumed = decoder.read(&mut cache, rest, &|| false).unwrap();
        let pairs = whole.iter().zip(&resumed);
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-5);
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_changes_nothing() {
        let decoder = decoder();
        let mut cache = decoder.cache();
        for (tokens, expected) in [
            (vec![5; 301], "1 to 300 tokens"),
            (vec![5, 352], "tokens below 352"),
            (vec![], "at least one token"),
        ] {
            let error = decoder.read(&mut cache, &tokens, &|| false).unwrap_err();
            assert!(
                matches!(error, LanguageModelError::Prompt { .. }),
                "{error}"
            );
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(cache.len(), 0);
        }
    }
}
