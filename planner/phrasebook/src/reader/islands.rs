//! Words that name a colour, a kind of thing, a region or a strange thing.

use std::collections::HashMap;

use vola_types::COLORS;

use super::words::{Vocabulary, Word, WordId, split};
use crate::book::Book;
use crate::inflection::Noun;
use crate::language::Language;
pub(super) use crate::noun_phrase::REGIONS;

/// Kinds of things, as the compact language has them.
pub(super) const KINDS: [&str; 4] = ["block", "bowl", "drawer", "thing"];

/// What people add to the name of a colour, in English.
const LIKENESSES: &[&str] = &["ish", "-ish", "-looking", "-coloured", "-colored", "-hued"];

/// What an island names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Index into the colours.
    Color(usize),
    /// Index into the kinds, and whether it can be one and several.
    Kind(usize, [bool; 2]),
    /// Index into the regions.
    Region(usize),
    /// A thing that is not of this world.
    Foreign,
}

/// Some words that name something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Island {
    pub(super) end: usize,
    pub(super) named: Named,
}

/// All names of a language by their first word.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_first: HashMap<WordId, Vec<(Vec<WordId>, Named)>>,
}

impl Names {
    /// The names of a book's word lists.
    pub(super) fn of(language: Language, book: &Book, vocabulary: &mut Vocabulary) -> Self {
        let mut names = Self::default();
        let is_english = language == Language::English;
        let likenesses = if is_english { LIKENESSES } else { &[] };
        for (index, color) in COLORS.iter().enumerate() {
            for line in book.list(color) {
                for form in line.split('/') {
                    names.add(form, Named::Color(index), vocabulary);
                    for likeness in likenesses {
                        let like = format!("{form}{likeness}");
                        names.add(&like, Named::Color(index), vocabulary);
                    }
                }
            }
        }
        for (index, kind) in KINDS.iter().enumerate() {
            for line in book.list(kind) {
                let forms = Noun::read(&line).forms().clone();
                for form in &forms {
                    let is = |range: std::ops::Range<usize>| forms[range].contains(form);
                    let numbers = [is(0..2), is(2..4)];
                    names.add(form, Named::Kind(index, numbers), vocabulary);
                }
            }
        }
        for (index, region) in REGIONS.iter().enumerate() {
            for line in book.list(region) {
                for form in line.split('/') {
                    names.add(form, Named::Region(index), vocabulary);
                }
            }
        }
        for line in book.list("foreign") {
            for form in noun_forms(&line) {
                names.add(&form, Named::Foreign, vocabulary);
            }
        }
        names
    }

    fn add(&mut self, text: &str, named: Named, vocabulary: &mut Vocabulary) {
        let words = split(text.trim());
        let ids: Vec<WordId> = words.iter().map(|w| vocabulary.learn(&w.text)).collect();
        let Some(first) = ids.first().copied() else {
            return;
        };
        let known = self.by_first.entry(first).or_default();
        if !known
            .iter()
            .any(|(own, what)| *own == ids && *what == named)
        {
            known.push((ids, named));
        }
    }

    /// The islands of a sentence, by their first word.
    pub(super) fn find(&self, words: &[Word]) -> Vec<Vec<Island>> {
        let at = |start: usize| {
            let mut found = Vec::new();
            let Some(first) = words[start].id else {
                return found;
            };
            for (ids, named) in self.by_first.get(&first).into_iter().flatten() {
                let end = start + ids.len();
                let rest = words.get(start..end).unwrap_or_default();
                let is_here =
                    !rest.is_empty() && rest.iter().zip(ids).all(|(word, id)| word.id == Some(*id));
                if is_here {
                    found.push(Island { end, named: *named });
                }
            }
            found
        };
        (0..words.len()).map(at).collect()
    }
}

fn noun_forms(line: &str) -> Vec<String> {
    let noun = Noun::read(line);
    let mut forms: Vec<String> = noun.forms().to_vec();
    forms.dedup();
    forms
}
