//! Models of random numbers, for measurements of speed: how fast a model of a
//! size is does not depend on what it knows.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use crate::{LanguageModelError, Result, vocabulary};

/// Bytes whose letters make words in pairs: what can be printed in ASCII.
const PAIRED: std::ops::Range<usize> = 0x21..0x7f;
/// Marks that the template writes, at the end of the vocabulary.
const MARKS: [&str; 2] = ["<|im_start|>", "<|im_end|>"];
const CHAT: &str = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n";

/// Fewest words: the letters of all bytes, the pairs and the marks, rounded up.
const FEWEST_WORDS: usize = 10_000;

/// Sizes of a model of the Qwen 2 family whose words are its output as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomModel {
    /// Layers.
    pub layers: usize,
    /// Numbers of a word, a multiple of 32 and of twice the heads.
    pub width: usize,
    /// Numbers in the middle of a layer, a multiple of 32.
    pub hidden: usize,
    /// Heads.
    pub heads: usize,
    /// Heads of keys and values, a divisor of the heads.
    pub key_heads: usize,
    /// Words, at least 10 000.
    pub words: usize,
    /// Where the random numbers begin.
    pub seed: u64,
}

impl RandomModel {
    /// The sizes of Qwen2-0.5B: 494 million weights, half a gigabyte in Q8_0.
    ///
    /// # Source
    /// The model's published `config.json`.
    pub const HALF_BILLION: Self = Self {
        layers: 24,
        width: 896,
        hidden: 4864,
        heads: 14,
        key_heads: 2,
        words: 151_936,
        seed: 1,
    };

    /// Writes the model as a GGUF file with its matrices in Q8_0. The same sizes
    /// and seed make the same file.
    ///
    /// # Errors
    /// A file that cannot be written, or sizes that do not fit one another.
    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(expected) = self.misfit() {
            return Err(LanguageModelError::Model {
                path: path.to_path_buf(),
                reason: format!("expected {expected}, got {self:?}"),
            });
        }
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let mut tensors = vec![
            matrix("token_embd.weight", self.words, self.width, &mut rng)?,
            vector("output_norm.weight", self.width, 1.0, &mut rng)?,
        ];
        for layer in 0..self.layers {
            tensors.extend(self.layer(layer, &mut rng)?);
        }
        let metadata = self.metadata();
        let metadata: Vec<_> = metadata.iter().map(|(key, it)| (*key, it)).collect();
        let tensors: Vec<_> = tensors.iter().map(|(name, it)| (&**name, it)).collect();
        // A reader never sees half a file.
        let partial = path.with_extension("partial");
        let file = LanguageModelError::file;
        let mut out = BufWriter::new(File::create(&partial).map_err(file(&partial))?);
        gguf_file::write(&mut out, &metadata, &tensors)?;
        out.flush().map_err(file(&partial))?;
        std::fs::rename(&partial, path).map_err(file(path))
    }

    /// What the sizes should be and are not.
    fn misfit(&self) -> Option<&'static str> {
        let divides = |part: usize, all: usize| part > 0 && all > 0 && all.is_multiple_of(part);
        let has_width =
            divides(32, self.width) && divides(self.heads.saturating_mul(2), self.width);
        [
            (self.layers > 0, "at least one layer"),
            (has_width, "a width that 32 and twice the heads divide"),
            (divides(32, self.hidden), "a middle that 32 divides"),
            (
                divides(self.key_heads, self.heads),
                "heads of keys that divide the heads",
            ),
            (self.words >= FEWEST_WORDS, "at least 10 000 words"),
        ]
        .into_iter()
        .find_map(|(fits, expected)| (!fits).then_some(expected))
    }

    fn layer(&self, layer: usize, rng: &mut fastrand::Rng) -> Result<Vec<(String, QTensor)>> {
        let (width, hidden) = (self.width, self.hidden);
        let keys = width / self.heads.max(1) * self.key_heads;
        let name = |part: &str| format!("blk.{layer}.{part}");
        Ok(vec![
            vector(&name("attn_norm.weight"), width, 1.0, rng)?,
            vector(&name("ffn_norm.weight"), width, 1.0, rng)?,
            matrix(&name("attn_q.weight"), width, width, rng)?,
            matrix(&name("attn_k.weight"), keys, width, rng)?,
            matrix(&name("attn_v.weight"), keys, width, rng)?,
            vector(&name("attn_q.bias"), width, 0.0, rng)?,
            vector(&name("attn_k.bias"), keys, 0.0, rng)?,
            vector(&name("attn_v.bias"), keys, 0.0, rng)?,
            matrix(&name("attn_output.weight"), width, width, rng)?,
            matrix(&name("ffn_gate.weight"), hidden, width, rng)?,
            matrix(&name("ffn_up.weight"), hidden, width, rng)?,
            matrix(&name("ffn_down.weight"), width, hidden, rng)?,
        ])
    }

    fn metadata(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::String(text.to_owned());
        let number = |number: usize| Value::U32(u32::try_from(number).unwrap_or(u32::MAX));
        let letters = vocabulary::printable_letters();
        let paired = letters.get(PAIRED).unwrap_or_default();
        let pairs: Vec<(char, char)> = paired
            .iter()
            .flat_map(|a| paired.iter().map(|b| (*a, *b)))
            .collect();
        let mut words: Vec<String> = letters.iter().map(char::to_string).collect();
        words.extend(pairs.iter().map(|(a, b)| format!("{a}{b}")));
        let unused = self.words.saturating_sub(words.len() + MARKS.len());
        words.extend((0..unused).map(|it| format!("unused {it}")));
        words.extend(MARKS.map(str::to_owned));
        // Marks are control tokens (3), the rest are words (1).
        let is_mark = |word: &String| MARKS.contains(&word.as_str());
        let kinds = words
            .iter()
            .map(|it| Value::I32(if is_mark(it) { 3 } else { 1 }));
        let kinds = Value::Array(kinds.collect());
        let merges = pairs.iter().map(|(a, b)| text(&format!("{a} {b}")));
        let merges = Value::Array(merges.collect());
        let end = number(words.len().saturating_sub(1));
        vec![
            ("general.architecture", text("qwen2")),
            ("general.name", text("random numbers")),
            ("qwen2.context_length", Value::U32(4096)),
            ("qwen2.embedding_length", number(self.width)),
            ("qwen2.block_count", number(self.layers)),
            ("qwen2.feed_forward_length", number(self.hidden)),
            ("qwen2.attention.head_count", number(self.heads)),
            ("qwen2.attention.head_count_kv", number(self.key_heads)),
            ("qwen2.attention.layer_norm_rms_epsilon", Value::F32(1e-6)),
            ("qwen2.rope.freq_base", Value::F32(1e6)),
            ("tokenizer.ggml.model", text("gpt2")),
            ("tokenizer.ggml.pre", text("qwen2")),
            ("tokenizer.ggml.token_type", kinds),
            ("tokenizer.ggml.merges", merges),
            ("tokenizer.ggml.bos_token_id", end.clone()),
            ("tokenizer.ggml.eos_token_id", end),
            ("tokenizer.ggml.add_bos_token", Value::Bool(false)),
            ("tokenizer.chat_template", text(CHAT)),
            (
                "tokenizer.ggml.tokens",
                Value::Array(words.into_iter().map(Value::String).collect()),
            ),
        ]
    }
}

/// Numbers spread so that what goes through many layers stays of one size.
fn matrix(
    name: &str,
    rows: usize,
    cols: usize,
    rng: &mut fastrand::Rng,
) -> Result<(String, QTensor)> {
    #[allow(clippy::cast_precision_loss, reason = "widths lie far below 2^24")]
    let most = 2.0 / (cols as f32).sqrt();
    let numbers = (0..rows * cols).map(|_| most * (2.0 * rng.f32() - 1.0));
    let numbers = Tensor::from_vec(numbers.collect(), (rows, cols), &Device::Cpu)?;
    Ok((
        name.to_owned(),
        QTensor::quantize(&numbers, GgmlDType::Q8_0)?,
    ))
}

/// Numbers about a middle, in f32.
fn vector(
    name: &str,
    len: usize,
    middle: f32,
    rng: &mut fastrand::Rng,
) -> Result<(String, QTensor)> {
    let numbers = (0..len).map(|_| middle + 0.2 * (rng.f32() - 0.5));
    let numbers = Tensor::from_vec(numbers.collect::<Vec<f32>>(), len, &Device::Cpu)?;
    Ok((
        name.to_owned(),
        QTensor::quantize(&numbers, GgmlDType::F32)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LanguageModel;

    #[test]
    fn a_random_model_is_written_the_same_twice_and_can_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        let small = RandomModel {
            layers: 2,
            width: 64,
            hidden: 96,
            heads: 4,
            key_heads: 2,
            words: 10_000,
            seed: 7,
        };
        let files = ["a.gguf", "b.gguf"].map(|name| folder.path().join(name));
        for file in &files {
            small.write(file).unwrap();
        }
        assert_eq!(
            std::fs::read(&files[0]).unwrap(),
            std::fs::read(&files[1]).unwrap()
        );
        let few = RandomModel {
            words: 9000,
            ..small
        };
        let error = few.write(&files[0]).unwrap_err().to_string();
        assert!(error.contains("at least 10 000 words"), "{error}");
        let model = LanguageModel::open(&files[0]).unwrap();
        let tokens = model.tokens("put the red block in the bowl").unwrap();
        let logits = model.logits(&tokens).unwrap();
        assert_eq!(logits.len(), 10_000);
        assert!(logits.iter().all(|it| it.is_finite()));
        assert!(logits.iter().any(|it| it.abs() > 0.1));
    }
}
