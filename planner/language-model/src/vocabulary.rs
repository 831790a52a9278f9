//! The tokenizer of a model, and its pieces as bytes for constrained decoding.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};
use tokenizers::{DecoderWrapper, Tokenizer};

use crate::{LanguageModelError, Result};

/// Marks a piece that stands for no text.
const SPECIAL: u8 = 0xFF;
/// Longest piece (bytes); the longest of real models are spaces, below 1024.
pub(crate) const LONGEST_PIECE: usize = 1 << 10;
/// Bytes of all pieces at most; Gemma's 262 144 have two million.
const MOST_PIECE_BYTES: usize = (1 << 22) - 2;

/// A tokenizer with what decoding under a grammar needs.
pub(crate) struct Vocabulary {
    tokenizer: Tokenizer,
    factory: ParserFactory,
    ends: Vec<u32>,
    /// Tokens that no text may hold.
    marks: HashSet<u32>,
}

impl Vocabulary {
    /// `width` is the number of logits; `ends` are tokens that end an answer.
    pub(crate) fn new(tokenizer: Tokenizer, width: usize, ends: Vec<u32>) -> Result<Self> {
        let Some(end) = ends.first().copied() else {
            return Err(fail("no token ends an answer"));
        };
        let pieces = pieces(&tokenizer, width);
        check_sizes(&pieces)?;
        let size = u32::try_from(width).map_err(|error| fail(&error))?;
        let trie = TokTrie::from(&TokRxInfo::new(size, end), &pieces).with_eos_tokens(&ends);
        let environment: llguidance::toktrie::TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new_simple(&environment).map_err(|error| fail(&error))?;
        factory.quiet();
        let marks = marks(&tokenizer, &ends);
        Ok(Self {
            tokenizer,
            factory,
            ends,
            marks,
        })
    }

    /// Tokens of a rendered prompt, whose special tokens are spelled out.
    pub(crate) fn encode(&self, prompt: &str) -> Result<Vec<u32>> {
        let encoding = self.tokenizer.encode(prompt, false);
        Ok(encoding.map_err(|error| fail(&error))?.get_ids().to_vec())
    }

    /// A text in which no mark of the model is spelled out any more: what a
    /// person says shall not end their turn and begin another's. Each mark gets
    /// a space behind its first letter.
    pub(crate) fn unmarked(&self, text: &str) -> Result<String> {
        let encoding = self.tokenizer.encode(text, false);
        let encoding = encoding.map_err(|error| fail(&error))?;
        let pairs = encoding.get_ids().iter().zip(encoding.get_offsets());
        let mut unmarked = String::with_capacity(text.len());
        let mut copied = 0;
        for (id, (begin, end)) in pairs.filter(|(id, _)| self.marks.contains(id)) {
            let mark = text.get(*begin..*end).unwrap_or_default();
            // A letter that the model does not know has a mark's number as well.
            if self.tokenizer.id_to_token(*id).as_deref() != Some(mark) {
                continue;
            }
            let at = begin + mark.chars().next().map_or(0, char::len_utf8);
            if let Some(before) = text.get(copied..at) {
                unmarked.push_str(before);
                unmarked.push(' ');
                copied = at;
            }
        }
        unmarked.push_str(text.get(copied..).unwrap_or_default());
        Ok(unmarked)
    }

    pub(crate) fn decode(&self, tokens: &[u32]) -> Result<String> {
        self.tokenizer
            .decode(tokens, true)
            .map_err(|error| fail(&error))
    }

    pub(crate) fn ends(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// What a grammar in the Lark dialect allows, from its beginning.
    pub(crate) fn constrain(&self, grammar: &str) -> Result<Matcher> {
        let grammar = TopLevelGrammar::from_lark(grammar.to_owned());
        let parser = self.factory.create_parser(grammar);
        let matcher = Matcher::new(parser);
        match matcher.get_error() {
            Some(error) => Err(fail(&error)),
            None => Ok(matcher),
        }
    }
}

/// Whether each line can be decoded under a grammar, byte by byte.
///
/// # Errors
/// A grammar that cannot be read.
pub fn accepts(grammar: &str, lines: &[String]) -> Result<Vec<bool>> {
    let environment = ApproximateTokEnv::single_byte_env();
    let mut factory = ParserFactory::new_simple(&environment).map_err(|error| fail(&error))?;
    factory.quiet();
    let grammar = TopLevelGrammar::from_lark(grammar.to_owned());
    let matcher = Matcher::new(factory.create_parser(grammar));
    if let Some(error) = matcher.get_error() {
        return Err(fail(&error));
    }
    let accepts = |line: &String| {
        let mut matcher = matcher.deep_clone();
        let bytes: Vec<u32> = line.bytes().map(u32::from).collect();
        let read = matcher.try_consume_tokens(&bytes);
        read.is_ok_and(|count| count == bytes.len()) && matcher.is_accepting().unwrap_or(false)
    };
    Ok(lines.iter().map(accepts).collect())
}

fn fail(error: &(impl ToString + ?Sized)) -> LanguageModelError {
    LanguageModelError::Tokenizer {
        reason: error.to_string(),
    }
}

/// Tokens that no text of a person may hold. Files list some marks of turns as
/// words that somebody added, not as special ones.
fn marks(tokenizer: &Tokenizer, ends: &[u32]) -> HashSet<u32> {
    let added = tokenizer.get_added_tokens_decoder();
    let added = added
        .into_iter()
        .filter(|(_, token)| token.special || token.content.starts_with('<'))
        .map(|(id, _)| id);
    added.chain(ends.iter().copied()).collect()
}

/// The library's tree of pieces panics when it is deeper than 1024 bytes, or has
/// 2^22 nodes: a root and at most one for each byte.
fn check_sizes(pieces: &[Vec<u8>]) -> Result<()> {
    let mut all = 0_usize;
    for (id, piece) in pieces.iter().enumerate() {
        let length = piece.len();
        if length > LONGEST_PIECE {
            return Err(fail(&format!(
                "piece {id}: expected at most {LONGEST_PIECE} bytes, got {length}"
            )));
        }
        all = all.saturating_add(length);
    }
    if all > MOST_PIECE_BYTES {
        return Err(fail(&format!(
            "expected at most {MOST_PIECE_BYTES} bytes in all pieces, got {all}"
        )));
    }
    Ok(())
}

/// The bytes of every piece, in the order of their numbers.
fn pieces(tokenizer: &Tokenizer, width: usize) -> Vec<Vec<u8>> {
    let is_byte_level = matches!(tokenizer.get_decoder(), Some(DecoderWrapper::ByteLevel(_)));
    let bytes_of = byte_letters();
    let special: HashMap<u32, bool> = tokenizer
        .get_added_tokens_decoder()
        .into_iter()
        .map(|(id, token)| (id, token.special))
        .collect();
    (0..u32::try_from(width).unwrap_or(u32::MAX))
        .map(|id| {
            let Some(piece) = tokenizer.id_to_token(id) else {
                return vec![SPECIAL, b'?'];
            };
            if special.get(&id).copied().unwrap_or(false) {
                return [&[SPECIAL], piece.as_bytes()].concat();
            }
            if is_byte_level {
                let bytes: Option<Vec<u8>> =
                    piece.chars().map(|c| bytes_of.get(&c).copied()).collect();
                return bytes.unwrap_or_else(|| piece.into_bytes());
            }
            if let Some(byte) = piece
                .strip_prefix("<0x")
                .and_then(|rest| rest.strip_suffix('>'))
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            {
                return vec![byte];
            }
            piece.replace('\u{2581}', " ").into_bytes()
        })
        .collect()
}

/// Which byte a letter stands for.
fn byte_letters() -> HashMap<char, u8> {
    printable_letters().into_iter().zip(0..=u8::MAX).collect()
}

/// Byte-level tokenizers write each byte as a letter that can be printed:
/// printable Latin-1 as itself, the rest from U+0100 on, in order.
pub(crate) fn printable_letters() -> Vec<char> {
    let mut next = 0x100_u32;
    (0..=u8::MAX)
        .filter_map(|byte| {
            let is_itself = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
            if is_itself {
                return Some(char::from(byte));
            }
            next += 1;
            char::from_u32(next - 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tokenizers::AddedToken;

    use super::*;

    #[test]
    fn a_mark_that_is_not_listed_as_special_is_broken_up_as_well() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        let mut tokenizer = Tokenizer::from_file(folder.join("gemma/tokenizer.json")).unwrap();
        let words = ["<end_of_turn>", "wow"];
        let words = words.map(|it| AddedToken::from(it, false).normalized(false));
        tokenizer.add_tokens(words).unwrap();
        let width = tokenizer.get_vocab_size(true);
        let end = tokenizer.token_to_id("<|im_end|>").unwrap();
        let vocabulary = Vocabulary::new(tokenizer, width, vec![end]).unwrap();
        for (text, expected) in [
            ("stop <end_of_turn> now", "stop < end_of_turn> now"),
            ("stop<|im_end|>", "stop< |im_end|>"),
            ("wow <b> wow", "wow <b> wow"),
        ] {
            assert_eq!(vocabulary.unmarked(text).unwrap(), expected);
        }
    }
}
