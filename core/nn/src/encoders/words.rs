//! The language encoder `words`: word embeddings, neighbours mixed, read by learned queries.
//!
//! A transformer over words was tried before and gave nothing on sentences of a dozen words.
//! What is needed is which object a colour belongs to ("the red block on the blue block"): each
//! word sees a few neighbours on both sides, then four queries attend over the sentence.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::kernels::{Activation, softmax};
use crate::layers::Linear;
use crate::stage::{check_size, parse_settings};
use crate::{
    Init, NamedTensors, Params, Result, Stage, StageContext, StageEnv, StageKind, WordTokenizer,
    require,
};

const ID: &str = "words";

/// Settings of [`Words`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WordsSettings {
    /// Vocabulary file in the bundle folder.
    pub tokenizer: String,
    /// Features of a word.
    pub embedding: usize,
    /// Learned queries; the output has `queries * embedding` features.
    pub queries: usize,
    /// Neighbours on each side that a word sees.
    pub mix_radius: usize,
    /// Words read of a sentence; the rest is cut.
    pub max_words: usize,
}

impl Default for WordsSettings {
    fn default() -> Self {
        Self {
            tokenizer: "tokenizer.json".into(),
            embedding: 48,
            queries: 4,
            mix_radius: 3,
            max_words: 32,
        }
    }
}

/// Sentence to features.
///
/// # Shapes
/// `task` u8 `[batch, bytes]` (UTF-8, padded with zeros) → `features` f32 `[batch, queries * embedding]`.
pub struct Words {
    settings: WordsSettings,
    tokenizer: WordTokenizer,
    embedding: Tensor,
    mix: Linear,
    queries: Tensor,
}

impl Words {
    /// JSON schema of the settings.
    pub const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"tokenizer":{"type":"string","default":"tokenizer.json","description":"vocabulary file in the bundle folder"},
"embedding":{"type":"integer","minimum":4,"maximum":512,"default":48,"description":"features of a word"},
"queries":{"type":"integer","minimum":1,"maximum":64,"default":4,"description":"learned queries; the output has queries * embedding features"},
"mix_radius":{"type":"integer","minimum":0,"maximum":8,"default":3,"description":"neighbours on each side that a word sees"},
"max_words":{"type":"integer","minimum":1,"maximum":256,"default":32,"description":"words read of a sentence"}}}"#;

    /// Builds the encoder from JSON settings.
    ///
    /// # Errors
    /// Bad settings, an unreadable vocabulary, or parameters that do not fit.
    pub fn from_json(
        settings: &serde_json::Value,
        env: &StageEnv,
        params: &Params<'_>,
    ) -> Result<Self> {
        Self::new(parse_settings(ID, settings)?, &env.bundle, params)
    }

    /// Builds the encoder; `bundle` is the folder that holds the vocabulary.
    ///
    /// # Errors
    /// As [`Words::from_json`].
    pub fn new(settings: WordsSettings, bundle: &Path, params: &Params<'_>) -> Result<Self> {
        check_size(ID, "embedding", settings.embedding, (4, 512))?;
        check_size(ID, "queries", settings.queries, (1, 64))?;
        check_size(ID, "mix_radius", settings.mix_radius, (0, 8))?;
        check_size(ID, "max_words", settings.max_words, (1, 256))?;
        let tokenizer = WordTokenizer::open(&bundle.join(&settings.tokenizer))?;
        let width = settings.embedding;
        Ok(Self {
            embedding: params.get("embedding", &[tokenizer.len(), width], Init::Normal(0.5))?,
            mix: Linear::new(
                (2 * settings.mix_radius + 1) * width,
                width,
                Activation::Relu,
                &params.sub("mix"),
            )?,
            queries: params.get("queries", &[settings.queries, width], Init::Normal(0.3))?,
            settings,
            tokenizer,
        })
    }

    /// Word ids and mask, both `[batch, words]`, of zero-padded UTF-8 rows.
    fn encode(&self, task: &Tensor) -> Result<(Tensor, Tensor)> {
        let rows = task.to_dtype(DType::U8)?.to_vec2::<u8>()?;
        let sentences: Vec<Vec<u32>> = rows
            .iter()
            .map(|row| {
                let end = row.iter().position(|b| *b == 0).unwrap_or(row.len());
                let mut ids = self.tokenizer.encode(&String::from_utf8_lossy(&row[..end]));
                ids.truncate(self.settings.max_words);
                ids
            })
            .collect();
        let longest = sentences.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut ids = vec![0_u32; sentences.len() * longest];
        let mut mask = vec![0_f32; sentences.len() * longest];
        for (row, sentence) in sentences.iter().enumerate() {
            for (column, id) in sentence.iter().enumerate() {
                ids[row * longest + column] = *id;
                mask[row * longest + column] = 1.0;
            }
        }
        let shape = (sentences.len(), longest);
        Ok((
            Tensor::from_vec(ids, shape, &Device::Cpu)?,
            Tensor::from_vec(mask, shape, &Device::Cpu)?,
        ))
    }

    /// Adds to each word what its neighbours say. `[batch, words, width]` → the same.
    fn mix(&self, words: &Tensor) -> Result<Tensor> {
        let radius = self.settings.mix_radius;
        let (_, count, _) = words.dims3()?;
        let padded = words.pad_with_zeros(1, radius, radius)?; // [batch, words + 2 radius, width]
        let shifted = (0..=2 * radius)
            .map(|shift| padded.narrow(1, shift, count))
            .collect::<candle_core::Result<Vec<_>>>()?;
        let neighbours = Tensor::cat(&shifted, 2)?; // [batch, words, (2 radius + 1) * width]
        Ok((words + self.mix.forward(&neighbours)?)?)
    }
}

impl Stage for Words {
    fn kind(&self) -> StageKind {
        StageKind::Encoder
    }

    fn input_roles(&self) -> Vec<&'static str> {
        vec!["task"]
    }

    fn output_roles(&self) -> Vec<&'static str> {
        vec!["features"]
    }

    fn forward(&self, _ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors> {
        let task = require(ID, inputs, "task", &[None, None])?;
        let width = self.settings.embedding;
        let (ids, mask) = self.encode(task)?;
        let (batch, count) = ids.dims2()?;
        let words = self.embedding.index_select(&ids.flatten_all()?, 0)?; // [batch * words, width]
        let words = words
            .reshape((batch, count, width))?
            .broadcast_mul(&mask.unsqueeze(2)?)?; // [batch, words, width]
        let words = self.mix(&words)?;
        let queries = (self.queries.t()? * (1.0 / (width as f64).sqrt()))?; // [width, queries]
        let scores = words.reshape((batch * count, width))?.matmul(&queries)?; // [batch * words, queries]
        let scores = scores
            .reshape((batch, count, self.settings.queries))?
            .transpose(1, 2)?; // [batch, queries, words]
        let outside = mask.affine(1e4, -1e4)?.unsqueeze(1)?; // 0 on words, -1e4 on padding
        let attention = softmax(&scores.broadcast_add(&outside)?)?; // [batch, queries, words]
        let features = attention.matmul(&words)?.flatten_from(1)?; // [batch, queries * width]
        Ok(vec![("features".into(), features)])
    }

    fn reset(&mut self, _seed: u64) {}
}
