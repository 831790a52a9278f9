//! What a language's book knows, in the form to read by.

use std::collections::{HashMap, HashSet};

use vola_planner::Reading;

use super::clauses::{Clauses, Counts, Item};
use super::decorated;
use super::denial::Denial;
use super::frames::{Frames, Shares};
use super::islands::{Island, Names};
use super::nouns::{MOST_PHRASES, NounPhrase, NounPhrases, divides_a_name};
use super::opposites::Opposites;
use super::segments::{self, Sentence};
use super::word_lists::{COUNTERS, LIGHT, NEGATORS, ROMAN_SPELLINGS, URDU_FORMS};
use super::words::{Division, Vocabulary, Word, WordId, split};
use super::{Atom, Context};
use crate::book::{Book, Section, slots_of};
use crate::language::Language;
use crate::template::{Piece, base};

/// What a telling word that only the sentence or only the phrase has costs.
const DISTANCE: f32 = 3.0;

/// What a command costs that is said as a question.
const QUESTION: f32 = 4.0;

/// What passing over a word of a sentence costs inside a noun phrase.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// Words that are never passed over.
    kept: HashMap<WordId, ()>,
}

impl Weights {
    pub(super) fn skip(&self, word: &Word) -> f32 {
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
pub(super) struct Grammar {
    pub(super) vocabulary: Vocabulary,
    pub(super) names: Names,
    nouns: NounPhrases,
    pub(super) clauses: Clauses,
    shares: Shares,
    weights: Weights,
    seconds: HashMap<String, String>,
    pub(super) opposites: Opposites,
    denial: Denial,
    pub(super) frames: Frames,
    /// What is said before and after a command, and means nothing.
    pub(super) openers: Vec<String>,
    pub(super) closers: Vec<String>,
    /// Several words that mean nothing wherever they stand: "if possible".
    fillers: Vec<Vec<String>>,
    /// Digits.
    numbers: Vec<WordId>,
    /// Objects and places stand side by side before the verb.
    pub(super) is_verb_last: bool,
}

impl Grammar {
    pub(super) fn of(language: Language, book: &Book) -> Self {
        let mut vocabulary = Vocabulary::default();
        for section in sections(book) {
            for phrase in &section.phrases {
                join_forms(phrase, &mut vocabulary);
            }
        }
        let same_words: &[(&str, &[&str])] = match language {
            Language::English => &[],
            Language::RomanUrdu => ROMAN_SPELLINGS,
            Language::Urdu => URDU_FORMS,
        };
        for (word, spellings) in same_words {
            for spelling in *spellings {
                vocabulary.join(word, spelling);
            }
        }
        if language == Language::English {
            for section in sections(book) {
                for phrase in &section.phrases {
                    drop(atoms(phrase, &mut vocabulary));
                }
            }
            vocabulary.join_english_forms(&words_that_name(book));
        }
        // Words are known by their stems from here on.
        let names = Names::of(language, book, &mut vocabulary);
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
        let denial = Denial::of(book, &vocabulary, negators.clone());
        let numbers = vocabulary.numbers();
        let kept = negators.iter().copied().chain(ids(COUNTERS));
        let weights = Weights {
            kept: kept.map(|id| (id, ())).collect(),
        };
        Self {
            shares: Shares::of_counts(&counts, vocabulary.len()),
            clauses: counts.finish(),
            opposites: Opposites::of(&vocabulary, language == Language::English),
            vocabulary,
            names,
            nouns,
            frames,
            weights,
            seconds,
            denial,
            openers: book.list("opener"),
            closers: book.list("closer"),
            fillers: fillers(book),
            numbers,
            is_verb_last: language != Language::English,
        }
    }

    /// How much likelier a word is about clauses than anywhere.
    pub(super) fn looseness(&self, zone: usize, word: WordId) -> f32 {
        self.frames.looseness(zone, word, &self.shares)
    }

    /// A number of seconds, in digits.
    pub(super) fn seconds(&self, text: &str) -> Option<&str> {
        self.seconds.get(text).map(String::as_str)
    }

    /// The places of the words that mean something, and the words. A mark before
    /// one that means nothing stands before what follows it.
    pub(super) fn telling(&self, words: &[Word]) -> Vec<(usize, Word)> {
        let mut kept: Vec<(usize, Word)> = Vec::with_capacity(words.len());
        let mut before = Division::None;
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let begins = |filler: &&Vec<String>| {
                let here = words.get(at..at + filler.len()).unwrap_or_default();
                let mut pairs = here.iter().zip(filler.iter());
                !here.is_empty() && pairs.all(|(word, own)| word.text == *own)
            };
            let filler = self.fillers.iter().find(begins).filter(|_| at > 0);
            before = before.max(word.before);
            match filler {
                Some(filler) => at += filler.len(),
                None => {
                    let word = Word {
                        before: std::mem::take(&mut before),
                        ..word.clone()
                    };
                    kept.push((at, word));
                    at += 1;
                }
            }
        }
        kept
    }

    pub(super) fn read(&self, words: &[Word], context: Context) -> Vec<Reading> {
        let islands = self.names.find(words);
        let mut phrases = self.noun_phrases(words, &islands, MOST_PHRASES);
        // English is the language whose verb comes first.
        if !self.is_verb_last {
            decorated::add(&mut phrases, words, &islands, MOST_PHRASES);
        }
        let sentence = Sentence {
            grammar: self,
            words,
            islands: &islands,
            phrases: &phrases,
            context,
        };
        let mut readings: Vec<Reading> = Vec::new();
        let mut divisions = sentence.divisions();
        let is_question = self.is_verb_last && asks(words);
        for division in &mut divisions {
            if is_question && division.clauses.iter().all(|clause| clause.is_clause) {
                division.score -= QUESTION;
            }
            for clause in &division.clauses {
                let (distance, _) = self.nearest(clause);
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
            let danger = division.clauses.iter().find(|clause| clause.is_danger());
            let (output, order) = match division.clauses.as_slice() {
                _ if danger.is_some() => (
                    danger.map_or_else(String::new, |it| it.meaning.clone()),
                    9.0,
                ),
                [only] if is_whole => (only.meaning.clone(), 9.0),
                [_] if division.loose.is_empty() => (in_order(1), 9.0),
                clauses => match self.frames.output(clauses.len(), &division.loose) {
                    Some((output, margin)) => (output.to_owned(), margin),
                    None => (in_order(clauses.len()), 9.0),
                },
            };
            let mut line = output.clone();
            for (index, clause) in division.clauses.iter().enumerate() {
                line = line.replace(&format!("{{{index}}}"), &clause.meaning);
            }
            if readings.iter().any(|known| known.line == line) || divides_a_name(&line) {
                continue;
            }
            let is_denied = self
                .denial
                .is_unheard(words, &division, (&output, &line), self);
            readings.push(Reading {
                line,
                score: division.score,
                is_denied,
                unread: division.unread,
                distance: division.distance * self.variety(),
                order_margin: order,
            });
        }
        readings
    }
}

impl Grammar {
    /// The noun phrases of a sentence by their first word.
    pub(super) fn noun_phrases(
        &self,
        words: &[Word],
        islands: &[Vec<Island>],
        most: usize,
    ) -> Vec<Vec<NounPhrase>> {
        self.nouns.find(words, islands, &self.weights, most)
    }

    /// How much of the distance from known phrases tells something: where verbs stand
    /// last they come with many endings and light verbs that mean the same.
    fn variety(&self) -> f32 {
        if self.is_verb_last { 0.6 } else { 1.0 }
    }

    pub(super) fn is_number(&self, word: WordId) -> bool {
        self.numbers.contains(&word)
    }

    /// The nearest phrase to a clause, and how far it is.
    pub(super) fn nearest(&self, clause: &segments::Clause) -> (f32, &[Item]) {
        self.clauses
            .nearest(clause.unit, &clause.items, &self.shares)
    }
}

/// Whether Urdu words ask something, and not whether one can or will do it.
fn asks(words: &[Word]) -> bool {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.text.as_str()));
    let is_request = |word: &Word| word.text.starts_with("سکت") || word.text.starts_with("sakt");
    has(&["کیا", "kya", "kia"]) && !words.iter().any(is_request) && !has(&["گی", "ge", "gay"])
}

/// What people say in the middle of a sentence, where it is more than a word. "I
/// mean" may lead to a colour.
fn fillers(book: &Book) -> Vec<Vec<String>> {
    let words =
        |line: &String| -> Vec<String> { split(line).into_iter().map(|word| word.text).collect() };
    let all = book.list("filler");
    let several = all.iter().map(words).filter(|it| it.len() > 1);
    several
        .filter(|it| !it.iter().any(|word| word == "mean"))
        .collect()
}

fn in_order(count: usize) -> String {
    let slots: Vec<String> = (0..count).map(|index| format!("{{{index}}}")).collect();
    format!("do {}", slots.join("; "))
}

fn sections(book: &Book) -> impl Iterator<Item = &Section> {
    let all = book.sentences.iter().chain(&book.clauses);
    all.chain(&book.nouns).chain(book.forms.values())
}

/// The words of lists and of noun phrases, which are no forms of verbs: "the
/// closed drawer".
fn words_that_name(book: &Book) -> HashSet<String> {
    let of_list = |line: &String| split(line).into_iter().map(|word| word.text);
    let mut words: HashSet<String> = book.words.values().flatten().flat_map(of_list).collect();
    for phrase in book.nouns.iter().flat_map(|section| &section.phrases) {
        for piece in phrase {
            if let Piece::Text(text) = piece {
                words.extend(split(text).into_iter().map(|word| word.text));
            }
        }
    }
    words
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
