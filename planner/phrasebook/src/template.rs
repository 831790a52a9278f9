//! A phrase with slots.

use crate::book::ClauseForm;

/// A part of a phrase.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    /// Words as they stand.
    Text(String),
    /// A phrase of its own goes here.
    Slot {
        /// The slot's name, without marks.
        name: String,
        /// Before a postposition.
        is_oblique: bool,
    },
    /// A word that agrees with the noun: masculine, masculine oblique or
    /// plural, feminine.
    Agreeing([String; 3]),
}

/// Reads a phrase.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '<']) {
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_owned()));
        }
        let is_slot = rest[at..].starts_with('{');
        let end = rest[at..]
            .find(if is_slot { '}' } else { '>' })
            .ok_or_else(|| format!("`{rest}`: a bracket is not closed"))?;
        let inner = &rest[at + 1..at + end];
        pieces.push(if is_slot {
            slot(inner)?
        } else {
            agreeing(inner)?
        });
        rest = &rest[at + end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

fn slot(inner: &str) -> Result<Piece, String> {
    let name = inner.trim_end_matches(['\'', '\u{2019}']);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
    if !is_name {
        return Err(format!("`{{{inner}}}` is no slot"));
    }
    Ok(Piece::Slot {
        name: name.to_owned(),
        is_oblique: name.len() < inner.len(),
    })
}

fn agreeing(inner: &str) -> Result<Piece, String> {
    let mut forms = inner.split('/').map(|form| form.trim().to_owned());
    match (forms.next(), forms.next(), forms.next(), forms.next()) {
        (Some(a), Some(b), Some(c), None) => Ok(Piece::Agreeing([a, b, c])),
        _ => Err(format!("`<{inner}>`: expected three forms")),
    }
}

/// The names of a phrase's slots; a plural or a gerund counts as its slot.
pub(crate) fn slots(pieces: &[Piece]) -> Vec<String> {
    let mut names: Vec<String> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Slot { name, .. } => Some(base(name).to_owned()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The slot a name belongs to: `{ks}` to `{k}`, `{1g}` to `{1}`.
pub(crate) fn base(name: &str) -> &str {
    match name {
        "ks" => "k",
        other if ClauseForm::of_slot(other).is_some() => &other[..1],
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_read_and_bad_ones_named() {
        let pieces = read("put {o'} in {t}, <wala/walay/wali>").unwrap();
        assert_eq!(slots(&pieces), ["o", "t"]);
        assert!(matches!(
            &pieces[1],
            Piece::Slot {
                is_oblique: true,
                ..
            }
        ));
        assert!(matches!(pieces.last(), Some(Piece::Agreeing(_))));
        for bad in ["put {o", "{o d}", "<a/b>"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
