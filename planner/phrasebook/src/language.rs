//! The languages and the files of their books.

use crate::book::{Book, BookError};

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
];
const URDU: Files = files![
    "ur/words.txt",
    "ur/nouns.txt",
    "ur/actions.txt",
    "ur/requests.txt",
    "ur/sequences.txt",
    "ur/verdicts.txt",
    "ur/more.txt",
];
const ROMAN_URDU: Files = files![
    "ur-latn/words.txt",
    "ur-latn/nouns.txt",
    "ur-latn/actions.txt",
    "ur-latn/requests.txt",
    "ur-latn/sequences.txt",
    "ur-latn/verdicts.txt",
    "ur-latn/more.txt",
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
        let book = read(files)?;
        match split {
            Split::Train => all.push((language, book)),
            Split::HeldOut if !held_out.is_empty() => {
                all.push((language, held_out_of(&book, read(held_out)?)));
            }
            Split::HeldOut => {}
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

/// The held-out phrases without those that are trained on as well; words, and
/// noun phrases of which none are held out, come from the training book.
fn held_out_of(training: &Book, mut held_out: Book) -> Book {
    for (own, trained) in [
        (&mut held_out.sentences, &training.sentences),
        (&mut held_out.clauses, &training.clauses),
        (&mut held_out.nouns, &training.nouns),
    ] {
        let known: std::collections::HashSet<_> = trained
            .iter()
            .flat_map(|section| &section.phrases)
            .collect();
        for section in own.iter_mut() {
            section.phrases.retain(|phrase| !known.contains(phrase));
        }
        own.retain(|section| !section.is_empty());
    }
    for section in &training.nouns {
        let is_own = |own: &crate::Section| own.meaning == section.meaning;
        if !held_out.nouns.iter().any(is_own) {
            held_out.nouns.push(section.clone());
        }
    }
    for (meaning, section) in &training.gerunds {
        held_out
            .gerunds
            .entry(meaning.clone())
            .or_insert_with(|| section.clone());
    }
    held_out.words.clone_from(&training.words);
    held_out
}
