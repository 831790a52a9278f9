//! The tokenizer inside a GGUF file.
//!
//! Byte-level tokenizers (Qwen, Llama 3) are built by candle. Those of
//! sentencepiece (Llama 2, Gemma, Phi-3) list pieces with scores; merges follow
//! from them, best score first.

use std::collections::HashMap;
use std::path::Path;

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence as Decoders;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::{Prepend, Replace, Sequence as Normalizers};
use tokenizers::{AddedToken, DecoderWrapper, NormalizerWrapper, Tokenizer};

use crate::vocabulary::LONGEST_PIECE;
use crate::{LanguageModelError, Result};

/// Stands for a space inside pieces.
const SPACE: &str = "\u{2581}";
/// Kinds of pieces, as the file numbers them.
const UNKNOWN: u64 = 2;
const CONTROL: u64 = 3;
const OF_USER: u64 = 4;

/// Ways of splitting a text into words before bytes are merged: what files call
/// them, and what candle does.
const SPLITS: [(&str, &str); 8] = [
    ("qwen2", "qwen2"),
    ("deepseek-r1-qwen", "qwen2"),
    ("llama-bpe", "llama3"),
    ("llama3", "llama3"),
    ("smaug-bpe", "llama3"),
    ("dbrx", "llama3"),
    ("gpt-2", "gpt2"),
    ("default", "gpt2"),
];

/// Builds the tokenizer.
///
/// # Errors
/// A file without a tokenizer, one of a kind that is not known, or damaged
/// lists.
pub(crate) fn tokenizer(path: &Path, content: &mut Content) -> Result<Tokenizer> {
    let fail = |reason: String| LanguageModelError::Model {
        path: path.to_path_buf(),
        reason,
    };
    match word(content, "tokenizer.ggml.model").as_deref() {
        Some("gpt2") => {
            name_split(content).map_err(&fail)?;
            Tokenizer::from_gguf(content).map_err(|error| fail(format!("tokenizer: {error}")))
        }
        Some("llama") => of_pieces(content).map_err(fail),
        Some(other) => Err(fail(format!(
            "tokenizer.ggml.model: expected gpt2 or llama, got `{other}`"
        ))),
        None => Err(fail(
            "tokenizer.ggml.model: expected a tokenizer in the file, got none\n  help: convert the model again with its tokenizer beside it".to_owned(),
        )),
    }
}

fn word(content: &Content, key: &str) -> Option<String> {
    match content.metadata.get(key) {
        Some(Value::String(word)) => Some(word.clone()),
        _ => None,
    }
}

/// Gives the way of splitting the name that candle knows; one that it does not
/// know would silently be taken for another.
fn name_split(content: &mut Content) -> std::result::Result<(), String> {
    let key = "tokenizer.ggml.pre";
    let own = word(content, key).unwrap_or_else(|| "default".to_owned());
    let Some((_, known)) = SPLITS.iter().find(|(name, _)| *name == own) else {
        let names = SPLITS.map(|it| it.0).join(", ");
        return Err(format!("{key}: expected one of {names}, got `{own}`"));
    };
    let name = Value::String((*known).to_owned());
    content.metadata.insert(key.to_owned(), name);
    Ok(())
}

fn list<'a>(content: &'a Content, key: &str) -> std::result::Result<&'a [Value], String> {
    match content.metadata.get(key) {
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(format!("{key}: expected a list, got one value")),
        None => Err(format!("{key}: expected a list, got nothing")),
    }
}

fn of_pieces(content: &Content) -> std::result::Result<Tokenizer, String> {
    let tokens = list(content, "tokenizer.ggml.tokens")?;
    let scores = list(content, "tokenizer.ggml.scores")?;
    let kinds = list(content, "tokenizer.ggml.token_type")?;
    if scores.len() != tokens.len() || kinds.len() != tokens.len() {
        return Err(format!(
            "tokenizer.ggml.scores and .token_type: expected {} entries like .tokens, got {} and {}",
            tokens.len(),
            scores.len(),
            kinds.len()
        ));
    }
    let mut vocabulary: HashMap<String, u32> = HashMap::with_capacity(tokens.len());
    let mut pieces = Vec::with_capacity(tokens.len());
    let mut added = (Vec::new(), Vec::new());
    let mut unknown = None;
    for (index, token) in tokens.iter().enumerate() {
        let piece = text_of_piece(index, token)?;
        let id = u32::try_from(index).map_err(|error| error.to_string())?;
        vocabulary.insert(piece.clone(), id);
        match kind(kinds.get(index)) {
            CONTROL => added.0.push(AddedToken::from(piece.clone(), true)),
            UNKNOWN => {
                unknown = Some(piece.clone());
                added.0.push(AddedToken::from(piece.clone(), true));
            }
            OF_USER => added
                .1
                .push(AddedToken::from(piece.clone(), false).normalized(false)),
            _ => {
                let score = match scores.get(index) {
                    Some(Value::F32(score)) if !score.is_nan() => *score,
                    _ => return Err(format!("tokenizer.ggml.scores[{index}]: expected a number")),
                };
                pieces.push((piece.clone(), score));
            }
        }
    }
    let merges = merges(&vocabulary, pieces);
    let mut bpe = BPE::builder()
        .vocab_and_merges(vocabulary.into_iter().collect::<Vocab>(), merges)
        .byte_fallback(true)
        .fuse_unk(true);
    if let Some(unknown) = unknown {
        bpe = bpe.unk_token(unknown);
    }
    let bpe = bpe.build().map_err(|error| error.to_string())?;
    let mut tokenizer = Tokenizer::new(bpe);
    let has_prefix = !matches!(
        content.metadata.get("tokenizer.ggml.add_space_prefix"),
        Some(Value::Bool(false))
    );
    write_spaces(&mut tokenizer, has_prefix)?;
    let fail = |error: tokenizers::Error| error.to_string();
    tokenizer.add_special_tokens(added.0).map_err(fail)?;
    tokenizer.add_tokens(added.1).map_err(fail)?;
    Ok(tokenizer)
}

/// The text of a piece. It is cut at every letter to find merges, so a long one
/// would take time with the square of its length.
fn text_of_piece(index: usize, token: &Value) -> std::result::Result<&String, String> {
    match token {
        Value::String(piece) if piece.len() <= LONGEST_PIECE => Ok(piece),
        Value::String(piece) => Err(format!(
            "tokenizer.ggml.tokens[{index}]: expected at most {LONGEST_PIECE} bytes, got {}",
            piece.len()
        )),
        _ => Err(format!("tokenizer.ggml.tokens[{index}]: expected a text")),
    }
}

fn kind(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::I32(kind)) => u64::try_from(*kind).unwrap_or_default(),
        Some(other) => other.to_u64().unwrap_or_default(),
        None => 0,
    }
}

/// Every way in which a piece is made of two others, best score first; of
/// equal ones those whose halves come first in the list.
fn merges(vocabulary: &HashMap<String, u32>, pieces: Vec<(String, f32)>) -> Vec<(String, String)> {
    let mut merges = Vec::new();
    for (piece, score) in &pieces {
        for (at, _) in piece.char_indices().skip(1) {
            let (left, right) = piece.split_at(at);
            if let (Some(a), Some(b)) = (vocabulary.get(left), vocabulary.get(right)) {
                merges.push((*score, *a, *b, left.to_owned(), right.to_owned()));
            }
        }
    }
    merges.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    merges.into_iter().map(|it| (it.3, it.4)).collect()
}

/// Spaces become letters of pieces, and the other way round.
fn write_spaces(tokenizer: &mut Tokenizer, has_prefix: bool) -> std::result::Result<(), String> {
    let fail = |error: tokenizers::Error| error.to_string();
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    if has_prefix {
        steps.push(Prepend::new(SPACE.to_owned()).into());
    }
    steps.push(Replace::new(" ", SPACE).map_err(fail)?.into());
    tokenizer
        .with_normalizer(Some(Normalizers::new(steps)))
        .map_err(fail)?;
    let mut back: Vec<DecoderWrapper> = vec![
        Replace::new(SPACE, " ").map_err(fail)?.into(),
        ByteFallback::new().into(),
        Fuse::new().into(),
    ];
    if has_prefix {
        back.push(Strip::new(' ', 1, 0).into());
    }
    tokenizer.with_decoder(Some(Decoders::new(back)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::gguf_file::VersionedMagic;

    use super::*;

    #[test]
    fn a_piece_that_is_too_long_is_refused() {
        let piece = Value::String("x".repeat(LONGEST_PIECE + 1));
        let mut metadata = HashMap::new();
        for (key, value) in [
            ("tokenizer.ggml.tokens", piece),
            ("tokenizer.ggml.scores", Value::F32(0.0)),
            ("tokenizer.ggml.token_type", Value::I32(1)),
        ] {
            metadata.insert(key.to_owned(), Value::Array(vec![value]));
        }
        let content = Content {
            magic: VersionedMagic::GgufV3,
            metadata,
            tensor_infos: HashMap::new(),
            tensor_data_offset: 0,
        };
        let read = of_pieces(&content);
        assert!(read.is_err_and(|error| error.contains("at most 1024 bytes, got 1025")));
    }
}
