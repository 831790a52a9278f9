//! Reading sentences by the phrase book: the way back from words to a meaning.
//!
//! Where a sampler puts phrases together, the reader takes a sentence apart:
//! noun phrases (`nouns`), clauses (`clauses`), what joins them (`frames`), over
//! all ways to divide the sentence (`segments`). It tolerates slips, fillers and
//! wordings that are in no phrase, but passes over nothing that names, counts or
//! denies. The answer is lines of the compact language with how sure they are;
//! whether to act on one is for the planner to say.

mod clauses;
mod frames;
mod islands;
mod nouns;
mod segments;
mod words;

use std::collections::HashMap;
use std::sync::OnceLock;

use vola_planner::{ReadContext, Reading, SentenceReader};

use crate::book::{Book, Section, slots_of};
use crate::language::{Language, Split, books};
use crate::template::{Piece, base};
use clauses::{Clauses, Counts, Item};
use frames::{Frames, Shares};
use islands::Names;
use nouns::NounPhrases;
use segments::Sentence;
use words::{Vocabulary, Word, WordId, split};

/// Most words of a sentence that is read.
const MOST_WORDS: usize = 60;

/// What a telling word that only the sentence or only the phrase has costs.
const DISTANCE: f32 = 3.0;

/// A part of a phrase in which words are numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Atom {
    Word(WordId),
    /// Only a comma between two slots.
    Join,
    Slot(String),
}

/// Whether a slot is a colour: `c`, `c2`, `c3`, `c4`.
fn is_color_slot(slot: &str) -> bool {
    slot.strip_prefix('c')
        .is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// Reads sentences in every language of the phrase book.
#[derive(Debug, Default)]
pub struct PhraseReader {
    /// Made at the first sentence.
    grammars: OnceLock<Vec<(Language, Grammar)>>,
}

impl PhraseReader {
    /// A reader of the training phrases, which are learned at the first sentence:
    /// some tenths of a second, once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A reader of these books.
    #[must_use]
    pub fn of(books: &[(Language, Book)]) -> Self {
        Self {
            grammars: OnceLock::from(grammars(books)),
        }
    }

    fn grammars(&self) -> &[(Language, Grammar)] {
        // The books are compiled in; a test reads each of them. One that is not
        // understood gives no readings.
        let learn = || grammars(&books(Split::Train).unwrap_or_default());
        self.grammars.get_or_init(learn)
    }
}

fn grammars(books: &[(Language, Book)]) -> Vec<(Language, Grammar)> {
    let grammar = |(language, book): &(Language, Book)| (*language, Grammar::of(*language, book));
    books.iter().map(grammar).collect()
}

impl SentenceReader for PhraseReader {
    fn read(&self, sentence: &str, context: ReadContext) -> Vec<Reading> {
        let mut best: Option<(f32, Vec<Word>, &Grammar)> = None;
        for (_, grammar) in self.grammars() {
            let words = grammar.vocabulary.read(sentence);
            if words.is_empty() || words.len() > MOST_WORDS {
                continue;
            }
            let known: f32 = words
                .iter()
                .map(|word| match word.id {
                    Some(_) if word.is_mended => 0.6,
                    Some(_) => 1.0,
                    None => 0.0,
                })
                .sum();
            let share = known / words.len() as f32;
            if best.as_ref().is_none_or(|(other, ..)| share > *other) {
                best = Some((share, words, grammar));
            }
        }
        let Some((share, words, grammar)) = best else {
            return Vec::new();
        };
        if share < 0.3 {
            return Vec::new();
        }
        grammar.read(&words, Context(context))
    }
}

/// What came before a sentence.
#[derive(Clone, Copy, Debug)]
struct Context(ReadContext);

impl Context {
    /// Whether something of this meaning can be said now.
    fn allows(self, meaning: &str) -> bool {
        match meaning.split(' ').next().unwrap_or_default() {
            "answer" => self.0.has_question,
            "fix" | "same" | "again" => self.0.has_command,
            _ => true,
        }
    }
}

/// What passing over a word of a sentence costs inside a noun phrase.
#[derive(Debug, Default)]
struct Weights {
    /// Words that are never passed over.
    kept: HashMap<WordId, ()>,
}

impl Weights {
    fn skip(&self, word: &Word) -> f32 {
        let is_number = word.text.chars().all(|c| c.is_ascii_digit());
        match word.id {
            _ if is_number => 9.0,
            Some(id) if self.kept.contains_key(&id) => 9.0,
            Some(_) => 1.0,
            None => 0.8,
        }
    }
}

/// All phrases of a language, to read by.
#[derive(Debug)]
struct Grammar {
    vocabulary: Vocabulary,
    names: Names,
    nouns: NounPhrases,
    clauses: Clauses,
    frames: Frames,
    shares: Shares,
    weights: Weights,
    seconds: HashMap<String, String>,
    negators: Vec<WordId>,
    /// Digits.
    numbers: Vec<WordId>,
    /// Objects and places stand side by side before the verb.
    is_verb_last: bool,
    /// Courtesies that have a word that denies.
    closers: Vec<Vec<WordId>>,
}

/// Words that deny or leave out, in all languages.
const NEGATORS: &[&str] = &[
    "not",
    "dont",
    "no",
    "never",
    "without",
    "except",
    "but",
    "nothing",
    "none",
    "neither",
    "nor",
    "instead",
    "isnt",
    "doesnt",
    "cant",
    "wont",
    "shouldnt",
    "avoid",
    "نہ",
    "نہین",
    "مت",
    "سوای",
    "علاوہ",
    "بغیر",
    "mat",
    "na",
    "nahi",
    "nahin",
    "nai",
    "siwa",
    "ilawa",
    "baghair",
];

/// Words that count or order, in all languages.
const COUNTERS: &[&str] = &[
    "all",
    "every",
    "each",
    "both",
    "two",
    "three",
    "four",
    "five",
    "six",
    "any",
    "some",
    "few",
    "other",
    "another",
    "second",
    "third",
    "fourth",
    "fifth",
    "first",
    "last",
    "next",
    "before",
    "after",
    "then",
    "put",
    "take",
    "push",
    "open",
    "close",
    "and",
    "or",
    "into",
    "onto",
    "دو",
    "تین",
    "چار",
    "پانچ",
    "سب",
    "تمام",
    "ساری",
    "سارا",
    "دونون",
    "دوسرا",
    "دوسری",
    "تیسرا",
    "پہلا",
    "پہلی",
    "اخری",
    "اور",
    "یا",
    "پھر",
    "بعد",
    "sab",
    "tamam",
    "saray",
    "dono",
    "aur",
    "phir",
];

/// Words of noun phrases that say little.
const LIGHT: &[&str] = &[
    "that", "is", "are", "which", "whose", "a", "an", "one", "it", "there", "here", "you", "can",
    "see", "this", "those", "these", "my", "of", "s", "thats", "with", "table", "ہی", "ہین", "جو",
    "وہ", "اس", "یہ", "پڑا", "والا", "hai", "jo", "wo",
];

impl Grammar {
    fn of(language: Language, book: &Book) -> Self {
        let mut vocabulary = Vocabulary::default();
        for section in sections(book) {
            for phrase in &section.phrases {
                join_forms(phrase, &mut vocabulary);
            }
        }
        // Words are known by their stems from here on.
        let names = Names::of(book, &mut vocabulary);
        let mut nouns = NounPhrases::new();
        for section in &book.nouns {
            for phrase in &section.phrases {
                nouns.add(&section.meaning, &atoms(phrase, &mut vocabulary));
            }
        }
        let mut counts = Counts::default();
        let mut frames = Frames::default();
        let clauses = book.clauses.iter().chain(book.forms.values());
        for section in clauses {
            for phrase in &section.phrases {
                let atoms = atoms(phrase, &mut vocabulary);
                counts.add(&section.meaning, &atoms, true);
            }
        }
        for section in &book.sentences {
            learn_sentences(section, &mut vocabulary, &mut counts, &mut frames);
        }
        for (zone, list) in [(0, "opener"), (1, "closer")] {
            for line in book.list(list) {
                let ids = split(&line).into_iter().map(|w| vocabulary.learn(&w.text));
                let words: Vec<_> = ids.map(|id| (zone, id)).collect();
                for _ in 0..3 {
                    frames.add_loose(&words);
                }
            }
        }
        let mut seconds = HashMap::new();
        for (digits, spoken) in crate::noun_phrase::SECONDS {
            seconds.insert(digits.to_owned(), digits.to_owned());
            seconds.insert(spoken.to_owned(), digits.to_owned());
        }
        vocabulary.finish();
        nouns.finish(LIGHT, &vocabulary);
        let ids = |words: &[&str]| -> Vec<WordId> {
            let known = words.iter().filter_map(|word| vocabulary.exact(word));
            known.collect()
        };
        let negators = ids(NEGATORS);
        let closers = book.list("closer").into_iter().filter_map(|line| {
            let words = split(&line);
            let ids = words.iter().map(|word| vocabulary.exact(&word.text));
            let ids: Vec<WordId> = ids.collect::<Option<_>>()?;
            ids.iter().any(|id| negators.contains(id)).then_some(ids)
        });
        let closers = closers.collect();
        let numbers = vocabulary.numbers();
        let kept = negators.iter().copied().chain(ids(COUNTERS));
        let weights = Weights {
            kept: kept.map(|id| (id, ())).collect(),
        };
        Self {
            shares: Shares::of_counts(&counts, vocabulary.len()),
            clauses: counts.finish(),
            vocabulary,
            names,
            nouns,
            frames,
            weights,
            seconds,
            negators,
            numbers,
            closers,
            is_verb_last: language != Language::English,
        }
    }

    /// How much likelier a word is about clauses than anywhere.
    fn looseness(&self, zone: usize, word: WordId) -> f32 {
        self.frames.looseness(zone, word, &self.shares)
    }

    /// A number of seconds, in digits.
    fn seconds(&self, text: &str) -> Option<&str> {
        self.seconds.get(text).map(String::as_str)
    }

    fn read(&self, words: &[Word], context: Context) -> Vec<Reading> {
        let islands = self.names.find(words);
        let phrases = self.nouns.find(words, &islands, &self.weights);
        let sentence = Sentence {
            grammar: self,
            words,
            islands: &islands,
            phrases: &phrases,
            context,
        };
        let mut readings: Vec<Reading> = Vec::new();
        let mut divisions = sentence.divisions();
        for division in &mut divisions {
            for clause in &division.clauses {
                let distance = self
                    .clauses
                    .distance(clause.unit, &clause.items, &self.shares);
                division.score -= DISTANCE * distance;
                division.distance += distance;
            }
            let strange = division.loose.iter().filter(|(zone, word)| {
                // Words that stand about clauses in no frame.
                self.looseness(*zone, *word) < 0.0
            });
            division.distance += strange.count() as f32;
        }
        divisions.sort_by(|a, b| b.score.total_cmp(&a.score));
        for division in divisions {
            let is_whole = division.clauses.iter().any(|clause| !clause.is_clause);
            let (output, order) = match division.clauses.as_slice() {
                [only] if is_whole => (only.meaning.clone(), 9.0),
                clauses => match self.frames.output(clauses.len(), &division.loose) {
                    Some((output, margin)) => (output.to_owned(), margin),
                    None => (in_order(clauses.len()), 9.0),
                },
            };
            let mut line = output.clone();
            for (index, clause) in division.clauses.iter().enumerate() {
                line = line.replace(&format!("{{{index}}}"), &clause.meaning);
            }
            if readings.iter().any(|known| known.line == line) {
                continue;
            }
            readings.push(Reading {
                line,
                score: division.score,
                is_denied: self.is_denied(words, &division, &output),
                unread: division.unread,
                distance: division.distance,
                order_margin: order,
            });
        }
        readings
    }
}

impl Grammar {
    fn is_number(&self, word: WordId) -> bool {
        self.numbers.contains(&word)
    }

    /// Whether a word that denies is neither in a noun phrase nor in a phrase of
    /// this meaning.
    fn is_denied(&self, words: &[Word], reading: &segments::Reading, output: &str) -> bool {
        let denies = |id: &WordId| self.negators.contains(id);
        let count = reading.clauses.len();
        // "No rush", at the end, denies nothing.
        let tail: Vec<WordId> = words
            .iter()
            .rev()
            .take(4)
            .filter_map(|word| word.id)
            .collect();
        let is_courtesy = |id: &WordId| {
            let mut closers = self.closers.iter();
            closers.any(|closer| closer.contains(id) && closer.iter().all(|it| tail.contains(it)))
        };
        let lost = reading.clauses.iter().flat_map(|clause| &clause.lost);
        let loose = reading
            .loose
            .iter()
            .filter(|word| reading.clauses.is_empty() || !self.frames.knows(count, output, **word));
        lost.chain(loose.map(|(_, id)| id))
            .any(|id| denies(id) && !is_courtesy(id))
    }
}

fn in_order(count: usize) -> String {
    let slots: Vec<String> = (0..count).map(|index| format!("{{{index}}}")).collect();
    format!("do {}", slots.join("; "))
}

fn sections(book: &Book) -> impl Iterator<Item = &Section> {
    let all = book.sentences.iter().chain(&book.clauses);
    all.chain(&book.nouns).chain(book.forms.values())
}

/// The words of a phrase, as they are learned.
fn atoms(phrase: &[Piece], vocabulary: &mut Vocabulary) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let mut text = |text: &str, atoms: &mut Vec<Atom>| {
        let ids = split(text).into_iter().map(|w| vocabulary.learn(&w.text));
        atoms.extend(ids.map(Atom::Word));
    };
    for piece in phrase {
        match piece {
            Piece::Text(words) => {
                let before = atoms.len();
                text(words, &mut atoms);
                let is_after_slot = matches!(atoms.last(), Some(Atom::Slot(_)));
                if atoms.len() == before && is_after_slot && words.contains([',', '،']) {
                    atoms.push(Atom::Join);
                }
            }
            Piece::Agreeing([first, ..]) => text(first, &mut atoms),
            Piece::Slot { name, .. } => {
                atoms.push(Atom::Slot(name.to_owned()));
            }
        }
    }
    atoms
}

/// Words that agree with others are forms of one word.
fn join_forms(phrase: &[Piece], vocabulary: &mut Vocabulary) {
    for piece in phrase {
        let Piece::Agreeing(forms) = piece else {
            continue;
        };
        let words: Vec<_> = forms.iter().map(|form| split(form)).collect();
        for others in &words[1..] {
            for (one, other) in words[0].iter().zip(others) {
                vocabulary.join(&one.text, &other.text);
            }
        }
    }
}

/// Learns whole sentences: those with clauses in them are frames.
fn learn_sentences(
    section: &Section,
    vocabulary: &mut Vocabulary,
    counts: &mut Counts,
    frames: &mut Frames,
) {
    let is_clause_slot = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
    let slots = slots_of(&section.meaning);
    let has_clauses = slots
        .iter()
        .chain(&section.decoys)
        .any(|s| is_clause_slot(s));
    for phrase in &section.phrases {
        let atoms = atoms(phrase, vocabulary);
        if !has_clauses {
            let (meaning, is_clause) = match section.meaning.strip_prefix("do ") {
                Some(clauses) => (clauses, true),
                None => (section.meaning.as_str(), false),
            };
            counts.add(meaning, &atoms, is_clause);
            continue;
        }
        let items: Vec<Item> = atoms
            .iter()
            .filter_map(|atom| match atom {
                Atom::Word(id) => Some(Item::Word(*id)),
                Atom::Slot(_) | Atom::Join => None,
            })
            .collect();
        counts.background(&items);
        learn_frame(&section.meaning, &atoms, frames);
    }
}

/// Learns a frame whose slots are all clauses.
fn learn_frame(meaning: &str, atoms: &[Atom], frames: &mut Frames) {
    let mut told: Vec<&str> = Vec::new();
    let mut words = Vec::new();
    for atom in atoms {
        match atom {
            Atom::Word(id) => words.push((told.len(), *id)),
            Atom::Slot(name) => told.push(base(name)),
            Atom::Join => {}
        }
    }
    let mut output = meaning.to_owned();
    for (index, name) in told.iter().enumerate() {
        output = output.replace(&format!("{{{name}}}"), &format!("{{#{index}}}"));
    }
    let is_clause = |name: &&str| name.starts_with(|c: char| c.is_ascii_digit());
    let is_pure = !output.replace("{#", "").contains('{');
    let output = output.replace('#', "");
    let mut once = told.clone();
    once.sort_unstable();
    once.dedup();
    if told.iter().all(is_clause) && is_pure && once.len() == told.len() {
        frames.add(told.len(), &output, &words);
    } else {
        frames.add_loose(&words);
    }
}
