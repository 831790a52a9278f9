//! Reading sentences by the phrase book: the way back from words to a meaning.
//!
//! Where a sampler puts phrases together, the reader takes a sentence apart:
//! noun phrases (`nouns`), clauses (`clauses`), what joins them (`frames`), over
//! all ways to divide the sentence (`segments`). It tolerates slips, fillers and
//! wordings that are in no phrase, but passes over nothing that names, counts or
//! denies. The answer is lines of the compact language with how sure they are;
//! whether to act on one is for the planner to say.

mod clauses;
mod covers;
mod decorated;
mod denial;
mod frames;
mod grammar;
mod islands;
mod nouns;
mod opposites;
mod plain;
mod segments;
mod thanks;
mod word_lists;
mod words;

use std::sync::OnceLock;

use vola_planner::{ReadContext, Reading, SentenceReader};

use crate::book::Book;
use crate::language::{Language, Split, books};
use grammar::Grammar;
use words::{Word, WordId};

/// Most words of a sentence that is read.
const MOST_WORDS: usize = 60;

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
    fn plain(&self, sentence: &str) -> Vec<String> {
        let mut grammars = self.grammars().iter();
        let english = grammars.find(|(language, _)| *language == Language::English);
        english.map_or_else(Vec::new, |(_, grammar)| plain::plain(sentence, grammar))
    }

    fn read(&self, sentence: &str, context: ReadContext) -> Vec<Reading> {
        if thanks::only_thanks(sentence) {
            return vec![certainly("chat thanks")];
        }
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
        let told = grammar.telling(&words).into_iter().map(|(_, word)| word);
        let words: Vec<Word> = told.collect();
        grammar.read(&words, Context(context))
    }
}

/// A reading without doubt.
fn certainly(line: &str) -> Reading {
    Reading {
        line: line.to_owned(),
        score: 0.0,
        unread: 0,
        distance: 0.0,
        order_margin: 9.0,
        is_denied: false,
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
