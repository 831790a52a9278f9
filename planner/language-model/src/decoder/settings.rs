//! What a model's file says of itself, as a flat table of keys.
//!
//! `config.json` and the metadata of a GGUF file say the same with other words.
//! Both become one table here; every value is checked where it is taken, and
//! the message names file, key, expected and got.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file;

use crate::{LanguageModelError, Result};

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `config.json` beside safetensors files.
    Folder,
    /// Metadata of a GGUF file.
    Gguf,
}

/// One setting's name in each form; in a folder several are known, the first
/// that is there counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key(pub(super) &'static [&'static str], pub(super) &'static str);

#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Whole(i128),
    Real(f64),
    Flag(bool),
    Word(String),
    Numbers(Vec<f64>),
    Words(Vec<String>),
}

/// The settings of one model.
#[derive(Debug)]
pub(crate) struct Settings {
    file: PathBuf,
    form: Form,
    family: String,
    entries: BTreeMap<String, Entry>,
}

impl Settings {
    /// The settings in a `config.json`. What describes the language part of a
    /// model that also sees lies in `text_config`.
    pub(crate) fn from_config(file: &Path, config: &serde_json::Value) -> Self {
        let family = config["model_type"].as_str().unwrap_or_default().to_owned();
        let mut entries = BTreeMap::new();
        let text = config.get("text_config").filter(|it| it.is_object());
        flatten("", config, &mut entries);
        if let Some(text) = text {
            flatten("", text, &mut entries);
        }
        Self {
            file: file.to_path_buf(),
            form: Form::Folder,
            family,
            entries,
        }
    }

    /// The settings in a GGUF file's metadata; keys lose their family.
    pub(crate) fn from_gguf(file: &Path, content: &gguf_file::Content) -> Self {
        let family = match content.metadata.get("general.architecture") {
            Some(gguf_file::Value::String(family)) => family.clone(),
            _ => String::new(),
        };
        let own = format!("{family}.");
        let entries = content.metadata.iter().filter_map(|(key, value)| {
            let key = key.strip_prefix(&own)?;
            Some((key.to_owned(), entry_of(value)?))
        });
        Self {
            file: file.to_path_buf(),
            form: Form::Gguf,
            entries: entries.collect(),
            family,
        }
    }

    /// The family's name as the file has it.
    pub(super) fn family(&self) -> &str {
        &self.family
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// An error about this key.
    pub(super) fn wrong(&self, key: Key, expected: &str, got: &str) -> LanguageModelError {
        let name = match self.form {
            Form::Folder => {
                let found = key.0.iter().find(|name| self.entries.contains_key(**name));
                (*found.or(key.0.first()).unwrap_or(&"")).to_owned()
            }
            Form::Gguf => format!("{}.{}", self.family, key.1),
        };
        self.fault(format!("{name}: expected {expected}, got {got}"))
    }

    pub(super) fn fault(&self, reason: String) -> LanguageModelError {
        LanguageModelError::Model {
            path: self.file.clone(),
            reason,
        }
    }

    fn find(&self, key: Key) -> Option<&Entry> {
        match self.form {
            Form::Folder => key.0.iter().find_map(|name| self.entries.get(*name)),
            Form::Gguf => self.entries.get(key.1),
        }
    }

    /// A whole number in a range, if it is there.
    pub(super) fn whole(&self, key: Key, range: RangeInclusive<usize>) -> Result<Option<usize>> {
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        match self.find(key) {
            None => Ok(None),
            Some(Entry::Whole(value)) => match usize::try_from(*value) {
                Ok(value) if range.contains(&value) => Ok(Some(value)),
                _ => Err(self.wrong(key, &expected(), &value.to_string())),
            },
            Some(other) => Err(self.wrong(key, &expected(), &shown(other))),
        }
    }

    /// The same, where it must be there.
    pub(super) fn needed(&self, key: Key, range: RangeInclusive<usize>) -> Result<usize> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.whole(key, range)?
            .ok_or_else(|| self.wrong(key, &expected, "nothing"))
    }

    /// A finite number above 0, if it is there.
    pub(super) fn positive(&self, key: Key) -> Result<Option<f64>> {
        let value = match self.find(key) {
            None => return Ok(None),
            #[allow(clippy::cast_precision_loss, reason = "a setting, not a count")]
            Some(Entry::Whole(value)) => *value as f64,
            Some(Entry::Real(value)) => *value,
            Some(other) => return Err(self.wrong(key, "a number above 0", &shown(other))),
        };
        if value.is_finite() && value > 0.0 {
            Ok(Some(value))
        } else {
            Err(self.wrong(key, "a number above 0", &value.to_string()))
        }
    }

    pub(super) fn flag(&self, key: Key) -> Option<bool> {
        match self.find(key) {
            Some(Entry::Flag(value)) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn word(&self, key: Key) -> Option<&str> {
        match self.find(key) {
            Some(Entry::Word(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn words(&self, key: Key) -> Option<&[String]> {
        match self.find(key) {
            Some(Entry::Words(values)) => Some(values),
            _ => None,
        }
    }

    pub(super) fn numbers(&self, key: Key) -> Option<&[f64]> {
        match self.find(key) {
            Some(Entry::Numbers(values)) => Some(values),
            _ => None,
        }
    }
}

fn shown(entry: &Entry) -> String {
    match entry {
        Entry::Whole(value) => value.to_string(),
        Entry::Real(value) => value.to_string(),
        Entry::Flag(value) => value.to_string(),
        Entry::Word(value) => format!("`{value}`"),
        Entry::Numbers(values) => format!("{} numbers", values.len()),
        Entry::Words(values) => format!("{} words", values.len()),
    }
}

fn flatten(before: &str, value: &serde_json::Value, entries: &mut BTreeMap<String, Entry>) {
    use serde_json::Value;
    let Value::Object(fields) = value else {
        return;
    };
    for (name, value) in fields {
        let key = format!("{before}{name}");
        let entry = match value {
            Value::Object(_) => {
                flatten(&format!("{key}."), value, entries);
                None
            }
            Value::Bool(value) => Some(Entry::Flag(*value)),
            Value::String(value) => Some(Entry::Word(value.clone())),
            Value::Number(number) => whole(number).or_else(|| number.as_f64().map(Entry::Real)),
            Value::Array(values) => list(values),
            Value::Null => None,
        };
        entries.extend(entry.map(|entry| (key, entry)));
    }
}

fn whole(number: &serde_json::Number) -> Option<Entry> {
    let signed = number.as_i64().map(i128::from);
    signed
        .or_else(|| number.as_u64().map(i128::from))
        .map(Entry::Whole)
}

fn list(values: &[serde_json::Value]) -> Option<Entry> {
    let numbers: Option<Vec<f64>> = values.iter().map(serde_json::Value::as_f64).collect();
    let words = || {
        let words = values.iter().map(|it| it.as_str().map(str::to_owned));
        words.collect::<Option<Vec<String>>>().map(Entry::Words)
    };
    numbers.map(Entry::Numbers).or_else(words)
}

fn entry_of(value: &gguf_file::Value) -> Option<Entry> {
    use gguf_file::Value;
    Some(match value {
        Value::U8(it) => Entry::Whole((*it).into()),
        Value::I8(it) => Entry::Whole((*it).into()),
        Value::U16(it) => Entry::Whole((*it).into()),
        Value::I16(it) => Entry::Whole((*it).into()),
        Value::U32(it) => Entry::Whole((*it).into()),
        Value::I32(it) => Entry::Whole((*it).into()),
        Value::U64(it) => Entry::Whole((*it).into()),
        Value::I64(it) => Entry::Whole((*it).into()),
        Value::F32(it) => Entry::Real((*it).into()),
        Value::F64(it) => Entry::Real(*it),
        Value::Bool(it) => Entry::Flag(*it),
        Value::String(it) => Entry::Word(it.clone()),
        Value::Array(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: Key = Key(&["hidden_size"], "embedding_length");

    #[test]
    fn values_are_taken_with_their_range_and_refused_with_their_name() {
        let check = |config: &str, expected: std::result::Result<usize, &str>| {
            let config = serde_json::from_str(config).unwrap();
            let settings = Settings::from_config(Path::new("m/config.json"), &config);
            match (settings.needed(WIDTH, 1..=64), expected) {
                (Ok(value), Ok(expected)) => assert_eq!(value, expected),
                (Err(error), Err(words)) => {
                    let error = error.to_string();
                    assert!(
                        error.starts_with("m/config.json: hidden_size: expected"),
                        "{error}"
                    );
                    assert!(error.contains(words), "{error}");
                }
                (result, expected) => panic!("{result:?}, expected {expected:?}"),
            }
        };
        check(r#"{"hidden_size":32}"#, Ok(32));
        check(
            r#"{"hidden_size":32,"text_config":{"hidden_size":48}}"#,
            Ok(48),
        );
        check(r#"{"hidden_size":-3}"#, Err("got -3"));
        check(
            r#"{"hidden_size":18446744073709551615}"#,
            Err("got 18446744073709551615"),
        );
        check(r#"{"hidden_size":"wide"}"#, Err("got `wide`"));
        check(r#"{"hidden_size":1.5}"#, Err("got 1.5"));
        check("{}", Err("got nothing"));
        check("[]", Err("got nothing"));
    }
}
