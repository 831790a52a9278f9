//! Reads TOML into plain structs and reports every fault with its key path.
//!
//! serde's own readers stop at the first fault and know no nearest key. This
//! one goes on: a value of the wrong type is reported and replaced by a
//! placeholder, an unknown key is reported with the nearest known one, and the
//! caller refuses the result when anything was reported. Structs read here
//! have a default for every field; what is required is checked afterwards,
//! where the meaning is known.

mod access;

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};

use crate::nearest::suggestion;
use crate::problem::{Problem, Problems};
use access::{ItemAccess, TableAccess, VariantAccess};

/// Reads a table into `T`; faults go to `problems`. The result is only
/// meaningful when no problem was added.
pub(crate) fn read<T: DeserializeOwned + Default>(
    table: toml::Table,
    file: &str,
    problems: &mut Problems,
) -> T {
    let sink = Sink {
        file,
        list: RefCell::new(Problems::default()),
    };
    let node = Node {
        value: Some(toml::Value::Table(table)),
        path: String::new(),
        sink: &sink,
    };
    let value = match T::deserialize(node) {
        Ok(value) => value,
        Err(error) => {
            sink.report("", "a readable file", &error.0, None);
            T::default()
        }
    };
    problems.absorb(sink.list.into_inner());
    value
}

/// A message from serde itself; rare, since the reader replaces bad values.
#[derive(Debug)]
pub(crate) struct StrictError(String);

impl fmt::Display for StrictError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StrictError {}

impl serde::de::Error for StrictError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Where faults go while a file is read.
struct Sink<'a> {
    file: &'a str,
    list: RefCell<Problems>,
}

impl Sink<'_> {
    fn report(&self, key: &str, expected: &str, got: &str, help: Option<String>) {
        self.list.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            key: key.to_owned(),
            expected: expected.to_owned(),
            got: got.to_owned(),
            help,
        });
    }
}

/// One value and where it stands. No value: a placeholder for something that
/// was reported already.
struct Node<'a> {
    value: Option<toml::Value>,
    path: String,
    sink: &'a Sink<'a>,
}

impl<'a> Node<'a> {
    fn wrong(&self, expected: &str, value: &toml::Value) {
        self.sink
            .report(&self.path, expected, &describe(value), None);
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The table under this node, or an empty one after a report.
    fn table(&mut self) -> toml::Table {
        match self.value.take() {
            Some(toml::Value::Table(table)) => table,
            Some(other) => {
                self.wrong("a table", &other);
                toml::Table::new()
            }
            None => toml::Table::new(),
        }
    }

    fn unknown_key(&self, key: &str, value: &toml::Value, known: &[&str]) {
        let path = self.key(key);
        if crate::secrets::looks_like_secret(key) {
            let help = crate::secrets::HELP.to_owned();
            self.sink.report(
                &path,
                "no secret in this file",
                "a secret's key",
                Some(help),
            );
            return;
        }
        let got = format!("unknown key `{key}` ({})", describe(value));
        self.sink
            .report(&path, "a known key", &got, Some(suggestion(key, known)));
    }
}

/// A value as a person would call it.
fn describe(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("\"{text}\""),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => format!("the date {time}"),
        toml::Value::Array(items) => format!("a list of {}", items.len()),
        toml::Value::Table(_) => "a table".to_owned(),
    }
}

macro_rules! whole_number {
    ($method:ident, $visit:ident, $kind:ty) => {
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
            let number = match &self.value {
                Some(toml::Value::Integer(number)) => <$kind>::try_from(*number).ok(),
                None => return visitor.$visit(0),
                Some(_) => None,
            };
            if let (None, Some(value)) = (number, &self.value) {
                let expected = format!("a whole number from {} to {}", <$kind>::MIN, <$kind>::MAX);
                self.wrong(&expected, value);
            }
            visitor.$visit(number.unwrap_or(0))
        }
    };
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = StrictError;

    whole_number!(deserialize_i8, visit_i8, i8);
    whole_number!(deserialize_i16, visit_i16, i16);
    whole_number!(deserialize_i32, visit_i32, i32);
    whole_number!(deserialize_i64, visit_i64, i64);
    whole_number!(deserialize_u8, visit_u8, u8);
    whole_number!(deserialize_u16, visit_u16, u16);
    whole_number!(deserialize_u32, visit_u32, u32);
    whole_number!(deserialize_u64, visit_u64, u64);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        match self.value {
            Some(value) => value
                .deserialize_any(visitor)
                .map_err(|error| StrictError(error.to_string())),
            None => visitor.visit_bool(false),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        match &self.value {
            Some(toml::Value::Boolean(flag)) => visitor.visit_bool(*flag),
            Some(other) => {
                self.wrong("true or false", other);
                visitor.visit_bool(false)
            }
            None => visitor.visit_bool(false),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        match &self.value {
            Some(toml::Value::Float(number)) => visitor.visit_f64(*number),
            #[allow(
                clippy::cast_precision_loss,
                reason = "a config number, far below 2^53"
            )]
            Some(toml::Value::Integer(number)) => visitor.visit_f64(*number as f64),
            Some(other) => {
                self.wrong("a number", other);
                visitor.visit_f64(0.0)
            }
            None => visitor.visit_f64(0.0),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        match self.value {
            Some(toml::Value::String(text)) => visitor.visit_string(text),
            Some(ref other) => {
                self.wrong("a text in quotes", other);
                visitor.visit_str("")
            }
            None => visitor.visit_str(""),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        if self.value.is_none() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, StrictError> {
        let items = match &self.value {
            Some(toml::Value::Array(items)) => items.clone(),
            Some(other) => {
                self.wrong("a list", other);
                Vec::new()
            }
            None => Vec::new(),
        };
        visitor.visit_seq(ItemAccess::new(items, 0, self.path, self.sink))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, StrictError> {
        let items = match &self.value {
            Some(toml::Value::Array(items)) if items.len() == length => items.clone(),
            Some(other) => {
                self.wrong(&format!("a list of {length}"), other);
                Vec::new()
            }
            None => Vec::new(),
        };
        visitor.visit_seq(ItemAccess::new(items, length, self.path, self.sink))
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, StrictError> {
        let table = self.table();
        visitor.visit_map(TableAccess::new(table, self.path, self.sink))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StrictError> {
        let mut table = self.table();
        table.retain(|key, value| {
            let known = fields.contains(&key);
            if !known {
                self.unknown_key(key, value, fields);
            }
            known
        });
        visitor.visit_map(TableAccess::new(table, self.path, self.sink))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, StrictError> {
        let first = variants.first().copied().unwrap_or_default();
        let word = match &self.value {
            Some(toml::Value::String(text)) => {
                let found = variants.iter().copied().find(|variant| variant == text);
                if found.is_none() {
                    let help = suggestion(text, variants);
                    self.sink.report(
                        &self.path,
                        "a known word",
                        &format!("\"{text}\""),
                        Some(help),
                    );
                }
                found.unwrap_or(first)
            }
            Some(other) => {
                self.wrong(&format!("one of {}", variants.join(", ")), other);
                first
            }
            None => first,
        };
        let word: StrDeserializer<'de, StrictError> = word.into_deserializer();
        visitor.visit_enum(VariantAccess::new(word))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, StrictError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct tuple_struct ignored_any
    }
}

#[cfg(test)]
mod tests;
