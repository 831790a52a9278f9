//! Drawing sentences with their meaning.

use fastrand::Rng;

use crate::book::{Book, BookError, ClauseForm, Manner, Section, slots_of};
use crate::language::{Language, Split, books};
use crate::noise;
use crate::noun_phrase;
use crate::realise::{Value, pick, weighted, words};
use crate::template::{Piece, base};

/// What happened before a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing that matters.
    Nothing,
    /// A command that was carried out.
    Command,
    /// A question of the robot that waits for an answer.
    Question,
}

/// What kind of sentence it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// One clause, plainly said.
    Direct,
    /// One clause, said in another way.
    Paraphrase,
    /// Several clauses.
    Multi,
    /// With something left out or kept as it is.
    Negation,
    /// By what was said before.
    History,
    /// Too vague to do.
    Vague,
    /// Cannot be done.
    Infeasible,
    /// Must not be done.
    Unsafe,
    /// No motion asked for.
    Chat,
}

impl Class {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Paraphrase => "paraphrase",
            Self::Multi => "multi",
            Self::Negation => "negation",
            Self::History => "history",
            Self::Vague => "vague",
            Self::Infeasible => "infeasible",
            Self::Unsafe => "unsafe",
            Self::Chat => "chat",
        }
    }
}

/// A sentence and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// As typed.
    pub sentence: String,
    /// In the compact language.
    pub meaning: String,
    /// Its language.
    pub language: Language,
    /// Its class.
    pub class: Class,
    /// What came before.
    pub before: Before,
    /// How it was said.
    pub manner: Spoken,
}

/// What makes a sentence harder to read than its meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spoken {
    /// The clauses are not told in the order of doing.
    pub is_reordered: bool,
    /// There are slips of the finger.
    pub is_slipped: bool,
    /// There are words that mean nothing.
    pub is_casual: bool,
}

/// Draws sentences; one for each seed.
pub struct Sampler {
    books: Vec<(Language, Book)>,
}

/// How often each class is drawn: in an examination, in practice.
const CLASSES: [(Class, f32, f32); 9] = [
    (Class::Direct, 22.0, 17.0),
    (Class::Paraphrase, 33.0, 28.0),
    (Class::Multi, 17.0, 26.0),
    (Class::Negation, 4.0, 7.0),
    (Class::History, 7.0, 8.0),
    (Class::Vague, 3.0, 3.0),
    (Class::Infeasible, 5.0, 6.0),
    (Class::Unsafe, 5.0, 4.0),
    (Class::Chat, 6.0, 6.0),
];

fn language_share(language: Language) -> f32 {
    match language {
        Language::English => 0.60,
        Language::Urdu => 0.27,
        Language::RomanUrdu => 0.13,
    }
}

impl Sampler {
    /// A sampler over the books of a split.
    ///
    /// # Errors
    /// A book that is not understood.
    pub fn new(split: Split) -> Result<Self, BookError> {
        Ok(Self {
            books: books(split)?,
        })
    }

    /// A sampler over one book.
    #[must_use]
    pub fn of(language: Language, book: Book) -> Self {
        Self {
            books: vec![(language, book)],
        }
    }

    /// The books.
    #[must_use]
    pub fn books(&self) -> &[(Language, Book)] {
        &self.books
    }

    /// Draws a sentence.
    pub fn draw(&self, rng: &mut Rng) -> Sample {
        loop {
            let Some((language, book)) =
                weighted(&self.books, |(language, _)| language_share(*language), rng)
            else {
                continue;
            };
            let share = |(_, varied, practice): &&(Class, f32, f32)| match book.manner {
                Manner::Varied => *varied,
                Manner::Practice => *practice,
            };
            let class = weighted(&CLASSES, share, rng).map_or(Class::Direct, |it| it.0);
            if let Some(sample) = sentence(*language, book, class, rng) {
                return sample;
            }
        }
    }
}

/// One sentence of a class; none when the book has none.
fn sentence(language: Language, book: &Book, class: Class, rng: &mut Rng) -> Option<Sample> {
    let (said, meaning, is_reordered) = if class == Class::Direct {
        let section = weighted(&book.clauses, |section| clause_share(section), rng)?;
        let (said, meaning, _) = fill(book, section, rng)?;
        (said, format!("do {meaning}"), false)
    } else {
        let share = |section: &&Section| {
            if class_of(section) == class {
                (section.len() as f32).sqrt() * emphasis(&section.meaning)
            } else {
                0.0
            }
        };
        let section = weighted(&book.sentences, share, rng)?;
        fill(book, section, rng)?
    };
    let before = before(class, &meaning, rng);
    let typed = noise::typed(said, language, book, rng);
    Some(Sample {
        sentence: typed.text,
        meaning,
        language,
        class,
        before,
        manner: Spoken {
            is_reordered: is_reordered && class == Class::Multi,
            is_slipped: typed.is_slipped,
            is_casual: typed.is_casual,
        },
    })
}

fn before(class: Class, meaning: &str, rng: &mut Rng) -> Before {
    let first = meaning.split(' ').next().unwrap_or_default();
    match (first, class) {
        ("answer", _) => Before::Question,
        ("fix" | "same" | "again", _) => Before::Command,
        (_, Class::History) if rng.f32() < 0.8 => Before::Command,
        // Where only a thing is named, what came before decides.
        ("ask", _) => Before::Nothing,
        _ => match rng.f32() {
            share if share < 0.72 => Before::Nothing,
            share if share < 0.92 => Before::Command,
            _ => Before::Question,
        },
    }
}

fn class_of(section: &Section) -> Class {
    let meaning = section.meaning.as_str();
    match meaning.split(' ').next().unwrap_or_default() {
        "cannot" => Class::Infeasible,
        "unsafe" => Class::Unsafe,
        "chat" => Class::Chat,
        "ask" => Class::Vague,
        "fix" | "same" | "again" | "answer" => Class::History,
        _ => {
            let pronoun = ["it", "them", "other", "there"];
            let mut names = meaning.split([' ', ';']);
            if meaning.contains("keep") || !section.decoys.is_empty() {
                Class::Negation
            } else if meaning.contains(';') {
                Class::Multi
            } else if names.any(|word| pronoun.contains(&word)) {
                Class::History
            } else {
                Class::Paraphrase
            }
        }
    }
}

/// Wrappers and connectors take any clause, so they stand for many sentences.
fn emphasis(meaning: &str) -> f32 {
    match meaning {
        "do {1}" => 3.0,
        "do {1}; {2}" => 5.0,
        "do {1}; {2}; {3}" => 5.0,
        "do {1}; {2}; {3}; {4}" => 3.0,
        "do put {o} in {t}" | "do take {o}" | "do put {o} at {r}" | "do put {o} on {s}" => 2.0,
        _ => 1.0,
    }
}

fn clause_share(section: &Section) -> f32 {
    let emphasis = match section.meaning.as_str() {
        "take {o}" | "put {o} in {t}" => 3.0,
        "put {o} on {s}" | "put {o} at {r}" | "put {o} by {p}" => 1.8,
        "put {o} left-of {p}" | "put {o} right-of {p}" => 1.5,
        meaning if meaning.starts_with("push {o}") => 1.3,
        _ => 1.0,
    };
    (section.len() as f32).sqrt() * emphasis
}

/// The words and the meaning of one phrase of a section, and whether it tells its
/// numbered slots in another order.
fn fill(book: &Book, section: &Section, rng: &mut Rng) -> Option<(String, String, bool)> {
    let pieces = pick(&section.phrases, rng)?;
    let mut values: Vec<(String, Value)> = Vec::new();
    let mut meaning = section.meaning.clone();
    let slots = section.slots();
    let needed = forms_of(pieces);
    // Where one clause leaves its verb out, the others are of the same kind.
    let shared = needed.iter().any(|(_, form)| *form == ClauseForm::Fragment);
    for slot in slots.iter().chain(&section.decoys) {
        if slot.starts_with(|c: char| c.is_ascii_digit()) {
            let mut forms: Vec<ClauseForm> = needed
                .iter()
                .filter(|(own, _)| own == slot)
                .map(|(_, form)| *form)
                .collect();
            if shared && !forms.contains(&ClauseForm::Fragment) {
                forms.push(ClauseForm::Fragment);
            }
            let clause = clause(book, &forms, rng)?;
            meaning = meaning.replace(&format!("{{{slot}}}"), &clause.meaning);
            for (form, said) in &clause.forms {
                let name = format!("{slot}{}", form.letter());
                values.push((name, Value::plain(&clause.meaning, said)));
            }
            values.push((slot.clone(), Value::plain(&clause.meaning, &clause.said)));
            continue;
        }
        let value = distinct(book, &section.meaning, slot, &values, rng);
        meaning = meaning.replace(&format!("{{{slot}}}"), &value.meaning);
        values.push((slot.clone(), value));
    }
    Some((words(pieces, &values), meaning, is_reordered(pieces)))
}

/// Whether clauses, or things to move, are named in another order than that of
/// doing.
fn is_reordered(pieces: &[Piece]) -> bool {
    let numbers = |kind: fn(&str) -> Option<&str>| {
        let mut seen: Vec<String> = Vec::new();
        for piece in pieces {
            if let Piece::Slot { name, .. } = piece
                && let Some(number) = kind(base(name))
                && !seen.iter().any(|known| known == number)
            {
                seen.push(number.to_owned());
            }
        }
        seen
    };
    let clauses = numbers(|name| {
        let is_clause = name.starts_with(|c: char| c.is_ascii_digit());
        is_clause.then_some(name)
    });
    let things = numbers(|name| name.strip_prefix('o').filter(|rest| !rest.is_empty()));
    !clauses.is_sorted() || !things.is_sorted()
}

/// The forms that a phrase wants its clauses in, with their slots.
fn forms_of(pieces: &[Piece]) -> Vec<(&str, ClauseForm)> {
    pieces
        .iter()
        .filter_map(|piece| {
            let Piece::Slot { name, .. } = piece else {
                return None;
            };
            Some((base(name), ClauseForm::of_slot(name)?))
        })
        .collect()
}

/// A phrase that none of the other slots has. What is named twice is definite:
/// "a block" would be another one the second time.
fn distinct(
    book: &Book,
    header: &str,
    slot: &str,
    others: &[(String, Value)],
    rng: &mut Rng,
) -> Value {
    let is_repeated = header.matches(&format!("{{{slot}}}")).count() > 1;
    let mut value = noun_phrase::draw(book, slot, is_repeated, rng);
    for _ in 0..12 {
        let is_taken = others
            .iter()
            .any(|(_, other)| other.meaning == value.meaning);
        let is_vague = is_repeated && value.meaning.starts_with("a ");
        if !is_taken && !is_vague {
            break;
        }
        value = noun_phrase::draw(book, slot, is_repeated, rng);
    }
    value
}

/// A clause: its meaning, its words, and its words in other forms.
struct DrawnClause {
    meaning: String,
    said: String,
    forms: Vec<(ClauseForm, String)>,
}

fn clause(book: &Book, forms: &[ClauseForm], rng: &mut Rng) -> Option<DrawnClause> {
    let key = |form: &ClauseForm, section: &Section| (*form, section.meaning.clone());
    let share = |section: &&Section| {
        // "Leave it alone" is no deed that something could come before.
        let is_deed = !section.meaning.starts_with("keep");
        let has = |form| book.forms.contains_key(&key(form, section));
        if is_deed && forms.iter().all(has) {
            clause_share(section)
        } else {
            0.0
        }
    };
    let section = weighted(&book.clauses, share, rng)?;
    let mut values: Vec<(String, Value)> = Vec::new();
    let mut meaning = section.meaning.clone();
    for slot in slots_of(&section.meaning).iter().chain(&section.decoys) {
        let value = distinct(book, &section.meaning, slot, &values, rng);
        meaning = meaning.replace(&format!("{{{slot}}}"), &value.meaning);
        values.push((slot.clone(), value));
    }
    let said = words(pick(&section.phrases, rng)?, &values);
    let mut others = Vec::new();
    for form in forms {
        let phrases = &book.forms.get(&key(form, section))?.phrases;
        others.push((*form, words(pick(phrases, rng)?, &values)));
    }
    Some(DrawnClause {
        meaning,
        said,
        forms: others,
    })
}
