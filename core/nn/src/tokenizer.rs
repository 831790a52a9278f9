//! Sentences to word ids, by the part of the `tokenizer.json` format that word models use.
//!
//! The general tokenizer library reads the same file; it is not needed for a look-up of a hundred
//! words. Written are a `Lowercase` normaliser, the `Whitespace` splitter and a `WordLevel` model;
//! any other normaliser, splitter or model is refused rather than half followed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{NnError, Result};

/// Id that fills a sentence up; never a word.
const PAD: &str = "[PAD]";
/// Word that stands for every unknown one.
const UNKNOWN: &str = "[UNK]";

/// A fixed vocabulary of lower-case words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordTokenizer {
    words: BTreeMap<String, u32>,
    unknown: u32,
}

impl WordTokenizer {
    /// A vocabulary with `[PAD]` = 0, `[UNK]` = 1 and then the words, sorted, without repetition.
    #[must_use]
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let sorted: std::collections::BTreeSet<String> =
            words.into_iter().flat_map(split).collect();
        let special = [PAD.to_string(), UNKNOWN.to_string()];
        let words = special.into_iter().chain(sorted).zip(0..).collect();
        Self { words, unknown: 1 }
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// The file cannot be read, is not JSON, or is of another kind.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| NnError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(&text).map_err(|reason| NnError::Tokenizer {
            path: PathBuf::from(path),
            reason,
        })
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let file: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        for (key, wanted) in [
            ("normalizer", "Lowercase"),
            ("pre_tokenizer", "Whitespace"),
            ("model", "WordLevel"),
        ] {
            let found = &file[key]["type"];
            if found != wanted {
                return Err(format!("{key}.type: expected \"{wanted}\", got {found}"));
            }
        }
        let vocabulary = file["model"]["vocab"]
            .as_object()
            .ok_or("model.vocab: expected a table of words")?;
        let mut words = BTreeMap::new();
        for (word, id) in vocabulary {
            let id = id
                .as_u64()
                .and_then(|id| u32::try_from(id).ok())
                .filter(|id| (*id as usize) < vocabulary.len());
            let id = id.ok_or_else(|| {
                format!(
                    "model.vocab.{word}: expected an id below {}",
                    vocabulary.len()
                )
            })?;
            words.insert(word.clone(), id);
        }
        let unknown = file["model"]["unk_token"].as_str().unwrap_or(UNKNOWN);
        let unknown = *words
            .get(unknown)
            .ok_or_else(|| format!("model.unk_token: `{unknown}` is not in the vocabulary"))?;
        if words.get(PAD) != Some(&0) {
            return Err(format!("model.vocab: expected {PAD} with id 0"));
        }
        Ok(Self { words, unknown })
    }

    /// The text of a `tokenizer.json` with this vocabulary.
    #[must_use]
    pub fn to_json(&self) -> String {
        let special = |id: u32, content: &str| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
        let file = json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": [special(0, PAD), special(self.unknown, UNKNOWN)],
            "normalizer": {"type": "Lowercase"},
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": null, "decoder": null,
            "model": {"type": "WordLevel", "vocab": self.words, "unk_token": UNKNOWN}
        });
        format!("{file:#}\n")
    }

    /// Number of ids, `[PAD]` and `[UNK]` included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.len() <= 2
    }

    /// Every word with its id, in alphabetical order.
    pub fn words(&self) -> impl Iterator<Item = (&str, u32)> {
        self.words.iter().map(|(word, id)| (word.as_str(), *id))
    }

    /// The id of one lower-case word.
    #[must_use]
    pub fn id(&self, word: &str) -> u32 {
        self.words.get(word).copied().unwrap_or(self.unknown)
    }

    /// The ids of a sentence: letters and digits form words, other signs are words of their own.
    #[must_use]
    pub fn encode(&self, sentence: &str) -> Vec<u32> {
        split(sentence).iter().map(|word| self.id(word)).collect()
    }
}

/// Lower-case runs of word characters, and runs of other signs.
fn split(sentence: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for c in sentence.chars().flat_map(char::to_lowercase) {
        let class = if c.is_whitespace() {
            None
        } else {
            Some(c.is_alphanumeric() || c == '_')
        };
        match (class, words.last_mut()) {
            (Some(_), Some(word)) if class == last => word.push(c),
            (Some(_), _) => words.push(c.to_string()),
            (None, _) => {}
        }
        last = class;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_unknown_words() {
        let made = WordTokenizer::from_words(["pick up", "the", "red block", "the"]);
        assert_eq!(made.len(), 7);
        let read = WordTokenizer::parse(&made.to_json()).unwrap();
        assert_eq!(read, made);
        assert_eq!(
            read.encode("Pick up,  the RED sphere!"),
            [3, 6, 1, 5, 4, 1, 1]
        );
        assert_eq!(read.encode(""), [0; 0]);
    }

    #[test]
    fn other_tokenizers_are_refused() {
        let good = WordTokenizer::from_words(["a"]).to_json();
        for (from, to, word) in [
            ("WordLevel", "BPE", "model.type"),
            ("\"Lowercase\"", "\"NFC\"", "normalizer.type"),
            ("\"a\": 2", "\"a\": 9", "model.vocab.a"),
            ("{", "(", "expected"),
        ] {
            let message = WordTokenizer::parse(&good.replacen(from, to, 1)).unwrap_err();
            assert!(message.contains(word), "{message}");
        }
    }
}
