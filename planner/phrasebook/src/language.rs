//! The languages and the files of their books.

use std::collections::HashSet;

use crate::book::{Book, BookError, Manner};
use crate::template::Piece;

/// A language, in one script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    English,
    /// Urdu in its own script.
    Urdu,
    /// Urdu in Latin letters.
    RomanUrdu,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::English, Self::Urdu, Self::RomanUrdu];

    /// Its tag: `en`, `ur`, `ur-Latn`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Urdu => "ur",
            Self::RomanUrdu => "ur-Latn",
        }
    }
}

/// What a book is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// To train on.
    Train,
    /// To examine with: phrases that are never trained on, with the words of
    /// the training book.
    HeldOut,
    /// To calibrate on: other phrases that are never trained on.
    Calibration,
    /// To watch a training with: a third kind.
    Validation,
}

impl Split {
    /// Whether the held-out phrase of this number, counted over a whole book, is
    /// of this split: every other one examines, every fourth calibrates.
    fn has(self, number: usize) -> bool {
        match self {
            Self::Train => false,
            Self::HeldOut => number.is_multiple_of(2),
            Self::Calibration => number % 4 == 1,
            Self::Validation => number % 4 == 3,
        }
    }
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../", $name)))),*]
    };
}

type Files = &'static [(&'static str, &'static str)];

const ENGLISH: Files = files![
    "en/words.txt",
    "en/nouns.txt",
    "en/actions.txt",
    "en/requests.txt",
    "en/gerunds.txt",
    "en/sequences.txt",
    "en/history.txt",
    "en/verdicts.txt",
    "en/more_nouns.txt",
    "en/more_requests.txt",
    "en/more_sequences.txt",
    "en/frames.txt",
];
const URDU: Files = files![
    "ur/words.txt",
    "ur/nouns.txt",
    "ur/actions.txt",
    "ur/requests.txt",
    "ur/sequences.txt",
    "ur/verdicts.txt",
    "ur/more.txt",
    "ur/frames.txt",
];
const ROMAN_URDU: Files = files![
    "ur-latn/words.txt",
    "ur-latn/nouns.txt",
    "ur-latn/actions.txt",
    "ur-latn/requests.txt",
    "ur-latn/sequences.txt",
    "ur-latn/verdicts.txt",
    "ur-latn/more.txt",
    "ur-latn/frames.txt",
];
const ENGLISH_HELD_OUT: Files = files!["en/held_out.txt"];
const URDU_HELD_OUT: Files = files!["ur/held_out.txt"];

/// The books of a split, by language.
///
/// # Errors
/// The first line of a file that is not understood.
pub fn books(split: Split) -> Result<Vec<(Language, Book)>, BookError> {
    let training = [
        (Language::English, ENGLISH, ENGLISH_HELD_OUT),
        (Language::Urdu, URDU, URDU_HELD_OUT),
        (Language::RomanUrdu, ROMAN_URDU, &[]),
    ];
    let mut all = Vec::new();
    for (language, files, held_out) in training {
        let mut book = read(files)?;
        match split {
            Split::Train => {
                book.manner = Manner::Practice;
                all.push((language, book));
            }
            _ if !held_out.is_empty() => {
                all.push((language, held_out_of(&book, read(held_out)?, split)));
            }
            _ => {}
        }
    }
    Ok(all)
}

fn read(files: Files) -> Result<Book, BookError> {
    let mut book = Book::default();
    for (name, text) in files {
        book.add(name, text)?;
    }
    Ok(book)
}

/// The held-out phrases of a split, without those that are trained on in any
/// kind of section, whatever the numbers of their slots; words, and noun phrases
/// of which none are held out, come from the training book.
fn held_out_of(training: &Book, mut held_out: Book, split: Split) -> Book {
    let mut known = known_phrases(training);
    let mut number = 0;
    for own in [
        &mut held_out.sentences,
        &mut held_out.clauses,
        &mut held_out.nouns,
    ] {
        for section in own.iter_mut() {
            section.phrases.retain(|phrase| {
                let is_new = known.insert(without_numbers(phrase));
                number += usize::from(is_new);
                is_new && split.has(number)
            });
        }
        own.retain(|section| !section.is_empty());
    }
    for section in held_out.forms.values_mut() {
        section
            .phrases
            .retain(|phrase| known.insert(without_numbers(phrase)));
    }
    held_out.forms.retain(|_, section| !section.is_empty());
    for section in &training.nouns {
        let is_own = |own: &crate::Section| own.meaning == section.meaning;
        if !held_out.nouns.iter().any(is_own) {
            held_out.nouns.push(section.clone());
        }
    }
    for (key, section) in &training.forms {
        held_out
            .forms
            .entry(key.clone())
            .or_insert_with(|| section.clone());
    }
    held_out.words.clone_from(&training.words);
    held_out
}

/// All phrases of a book, as [`without_numbers`] has them.
pub(crate) fn known_phrases(book: &Book) -> HashSet<String> {
    let sections = book.sentences.iter().chain(&book.clauses);
    let sections = sections.chain(&book.nouns).chain(book.forms.values());
    sections
        .flat_map(|section| &section.phrases)
        .map(|phrase| without_numbers(phrase))
        .collect()
}

/// A phrase by its words: slots without their numbers, small letters, no marks.
pub(crate) fn without_numbers(phrase: &[Piece]) -> String {
    let mut text = String::new();
    for piece in phrase {
        match piece {
            Piece::Text(words) => text.push_str(words),
            Piece::Agreeing(forms) => text.push_str(&forms.join("/")),
            Piece::Slot { name, .. } => {
                let is_clause = name.starts_with(|c: char| c.is_ascii_digit());
                let role = name.trim_end_matches(|c: char| c.is_ascii_digit());
                text.push('{');
                text.push_str(if is_clause { name } else { role });
                text.push('}');
            }
        }
    }
    let kept = |c: &char| c.is_alphanumeric() || "{}/ ".contains(*c);
    let text: String = text.to_lowercase().chars().filter(kept).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::read as phrase;

    #[test]
    fn phrases_that_differ_in_numbers_and_marks_are_the_same() {
        let same = |a: &str, b: &str| {
            without_numbers(&phrase(a).unwrap()) == without_numbers(&phrase(b).unwrap())
        };
        assert!(same("put {o1} in {t}, please", "Put {o} in {t2} please"));
        assert!(!same("{1}, then {2}", "{2}, then {1}"));
        assert!(!same("put {o} in {t}", "put {t} in {o}"));
    }

    #[test]
    fn no_phrase_is_of_two_splits() {
        let splits = [Split::HeldOut, Split::Calibration, Split::Validation];
        for (language, training) in books(Split::Train).unwrap() {
            let trained = known_phrases(&training);
            let mut seen: HashSet<String> = HashSet::new();
            for split in splits {
                let all = books(split).unwrap();
                let Some((_, book)) = all.iter().find(|(own, _)| *own == language) else {
                    // No held-out book in Roman letters.
                    assert_eq!(language, Language::RomanUrdu);
                    continue;
                };
                // What a split lacks it takes from the training book.
                let sections = book.sentences.iter().chain(&book.clauses);
                let own: HashSet<String> = sections
                    .flat_map(|section| &section.phrases)
                    .map(|phrase| without_numbers(phrase))
                    .collect();
                assert!(own.len() > 20, "{split:?} {}", language.tag());
                assert!(own.is_disjoint(&trained), "{split:?} {}", language.tag());
                let shared: Vec<_> = own.intersection(&seen).collect();
                assert!(shared.is_empty(), "{split:?}: {shared:?}");
                seen.extend(own);
            }
        }
    }
}
