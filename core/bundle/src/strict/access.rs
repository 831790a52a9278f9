//! How serde walks the tables, lists and words of a [`Node`](super::Node).

use std::vec;

use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess as Variant, Visitor,
};

use super::{Node, Sink, StrictError};

/// The pairs of a table.
pub(super) struct TableAccess<'a> {
    pairs: toml::map::IntoIter<String, toml::Value>,
    pending: Option<(String, toml::Value)>,
    path: String,
    sink: &'a Sink<'a>,
}

impl<'a> TableAccess<'a> {
    pub(super) fn new(table: toml::Table, path: String, sink: &'a Sink<'a>) -> Self {
        Self {
            pairs: table.into_iter(),
            pending: None,
            path,
            sink,
        }
    }
}

impl<'de> MapAccess<'de> for TableAccess<'_> {
    type Error = StrictError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, StrictError> {
        let Some((key, value)) = self.pairs.next() else {
            return Ok(None);
        };
        let name = seed.deserialize(key.clone().into_deserializer())?;
        self.pending = Some((key, value));
        Ok(Some(name))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, StrictError> {
        let (key, value) = match self.pending.take() {
            Some((key, value)) => (key, Some(value)),
            None => (String::new(), None),
        };
        let path = if self.path.is_empty() {
            key
        } else {
            format!("{}.{key}", self.path)
        };
        seed.deserialize(Node {
            value,
            path,
            sink: self.sink,
        })
    }
}

/// The items of a list, filled up with placeholders to a least length.
pub(super) struct ItemAccess<'a> {
    items: vec::IntoIter<toml::Value>,
    index: usize,
    least: usize,
    path: String,
    sink: &'a Sink<'a>,
}

impl<'a> ItemAccess<'a> {
    pub(super) fn new(
        items: Vec<toml::Value>,
        least: usize,
        path: String,
        sink: &'a Sink<'a>,
    ) -> Self {
        Self {
            items: items.into_iter(),
            index: 0,
            least,
            path,
            sink,
        }
    }
}

impl<'de> SeqAccess<'de> for ItemAccess<'_> {
    type Error = StrictError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, StrictError> {
        let value = self.items.next();
        if value.is_none() && self.index >= self.least {
            return Ok(None);
        }
        let path = format!("{}[{}]", self.path, self.index);
        self.index += 1;
        seed.deserialize(Node {
            value,
            path,
            sink: self.sink,
        })
        .map(Some)
    }
}

/// A word that stands for a variant without data.
pub(super) struct VariantAccess<'de> {
    word: StrDeserializer<'de, StrictError>,
}

impl<'de> VariantAccess<'de> {
    pub(super) fn new(word: StrDeserializer<'de, StrictError>) -> Self {
        Self { word }
    }
}

impl<'de> EnumAccess<'de> for VariantAccess<'de> {
    type Error = StrictError;
    type Variant = UnitOnly;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, UnitOnly), StrictError> {
        Ok((seed.deserialize(self.word)?, UnitOnly))
    }
}

/// Variants of these files carry no data.
pub(super) struct UnitOnly;

impl UnitOnly {
    fn refuse<T>() -> Result<T, StrictError> {
        Err(StrictError("a word that carries no data".to_owned()))
    }
}

impl<'de> Variant<'de> for UnitOnly {
    type Error = StrictError;

    fn unit_variant(self) -> Result<(), StrictError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        _seed: T,
    ) -> Result<T::Value, StrictError> {
        Self::refuse()
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        _visitor: V,
    ) -> Result<V::Value, StrictError> {
        Self::refuse()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, StrictError> {
        Self::refuse()
    }
}
