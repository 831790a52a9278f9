//! Putting phrases together.

use fastrand::Rng;

use crate::template::{Piece, base};

/// What a slot is filled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) meaning: String,
    pub(crate) direct: String,
    pub(crate) oblique: String,
}

impl Value {
    pub(crate) fn plain(meaning: &str, said: &str) -> Self {
        Self {
            meaning: meaning.to_owned(),
            direct: said.to_owned(),
            oblique: said.to_owned(),
        }
    }

    pub(crate) fn form(&self, is_oblique: bool) -> &str {
        if is_oblique {
            &self.oblique
        } else {
            &self.direct
        }
    }
}

/// The words of a phrase with its slots filled; a gerund is a slot of its own
/// name.
pub(crate) fn words(pieces: &[Piece], values: &[(String, Value)]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(words) => text.push_str(words),
            Piece::Agreeing([first, ..]) => text.push_str(first),
            Piece::Slot { name, is_oblique } => {
                let exact = values.iter().find(|(slot, _)| slot == name);
                let value = exact.or_else(|| values.iter().find(|(slot, _)| slot == base(name)));
                if let Some((_, value)) = value {
                    text.push_str(value.form(*is_oblique));
                }
            }
        }
    }
    text
}

/// One of a list; none of an empty one.
pub(crate) fn pick<'a, T>(list: &'a [T], rng: &mut Rng) -> Option<&'a T> {
    (!list.is_empty()).then(|| &list[rng.usize(..list.len())])
}

/// One of a list by weight; none when all weights are zero.
pub(crate) fn weighted<'a, T>(
    list: &'a [T],
    weight: impl Fn(&&'a T) -> f32,
    rng: &mut Rng,
) -> Option<&'a T> {
    let total: f32 = list.iter().map(|item| weight(&item)).sum();
    let mut left = rng.f32() * total;
    let mut last = None;
    for item in list {
        let own = weight(&item);
        if own > 0.0 {
            last = Some(item);
            left -= own;
            if left < 0.0 {
                return Some(item);
            }
        }
    }
    last
}
