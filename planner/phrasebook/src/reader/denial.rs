//! Whether a sentence denies something that a reading knows nothing of.

use super::clauses::Item;
use super::grammar::Grammar;
use super::segments::Reading;
use super::words::{Vocabulary, Word, WordId, split};
use crate::book::Book;

/// Idioms with a word that denies, and deny nothing.
const HARMLESS: &[&str] = &[
    "no matter",
    "not only",
    "not just",
    "dont mind",
    "dont care",
    "doesnt matter",
    "isnt important",
    "no preference",
    "why not",
    "why dont",
    "no hurry",
    "no rush",
    "no worries",
    "no problem",
    "isnt it",
    "cant reach",
    "cant wait",
    "wont you",
    "dont forget",
    "not forget",
    "no longer",
    "but not least",
    "nothing else",
    "nothing more",
];

/// Words that put off what is denied: "don't close it until …".
const DELAYS: &[&str] = &[
    "until", "till", "unless", "before", "yet", "first", "tak", "jab", "تک", "جب",
];

/// How many words from the end a courtesy stands.
const TAIL: usize = 4;

/// The words of a language that deny, and those that take it back.
#[derive(Debug, Default)]
pub(super) struct Denial {
    negators: Vec<WordId>,
    delays: Vec<WordId>,
    /// Harmless anywhere, word beside word.
    idioms: Vec<Vec<WordId>>,
    /// Harmless at the end: "no rush".
    closers: Vec<Vec<WordId>>,
}

impl Denial {
    pub(super) fn of(book: &Book, vocabulary: &Vocabulary, negators: Vec<WordId>) -> Self {
        let ids = |line: &str| -> Option<Vec<WordId>> {
            let words = split(line);
            words
                .iter()
                .map(|word| vocabulary.exact(&word.text))
                .collect()
        };
        let denies = |ids: &Vec<WordId>| ids.iter().any(|id| negators.contains(id));
        let closers = book.list("closer").into_iter();
        Self {
            delays: DELAYS
                .iter()
                .filter_map(|it| vocabulary.exact(it))
                .collect(),
            idioms: HARMLESS.iter().filter_map(|it| ids(it)).collect(),
            closers: closers.filter_map(|it| ids(&it)).filter(denies).collect(),
            negators,
        }
    }

    /// Whether a word that denies is neither in a noun phrase nor in a phrase of
    /// this meaning: how its clauses are joined, and all of it.
    pub(super) fn is_unheard(
        &self,
        words: &[Word],
        reading: &Reading,
        (output, line): (&str, &str),
        grammar: &Grammar,
    ) -> bool {
        let count = reading.clauses.len();
        let loose = &reading.loose;
        // Who denies one deed until another is done only says their order.
        let delays = |word: &Word| word.id.is_some_and(|id| self.delays.contains(&id));
        if line.contains(';') && words.iter().any(delays) {
            return false;
        }
        let harmless = self.harmless(words);
        let denies = |id: &WordId| self.negators.contains(id) && !harmless.contains(id);
        let mut strange = loose
            .iter()
            .filter(|word| !grammar.frames.knows(count, output, **word, loose))
            .map(|(_, id)| id);
        if strange.any(denies) {
            return true;
        }
        // The nearest phrase of a clause denies what the clause denies.
        let denials = |items: &[Item]| -> Vec<WordId> {
            let words = items.iter().filter_map(|item| match item {
                Item::Word(id) => Some(*id),
                Item::Slot(_) => None,
            });
            let mut all: Vec<WordId> = words.filter(denies).collect();
            all.sort_unstable();
            all
        };
        let mut clauses = reading.clauses.iter();
        clauses.any(|clause| denials(&clause.items) != denials(grammar.nearest(clause).1))
    }

    /// The words of a sentence that deny in an idiom only.
    fn harmless(&self, words: &[Word]) -> Vec<WordId> {
        let ids: Vec<Option<WordId>> = words.iter().map(|word| word.id).collect();
        let tail = &ids[ids.len().saturating_sub(TAIL)..];
        let at_end = self
            .closers
            .iter()
            .filter(|closer| closer.iter().all(|id| tail.contains(&Some(*id))));
        let mut harmless: Vec<WordId> = at_end.flatten().copied().collect();
        let mut in_idioms = vec![false; ids.len()];
        for idiom in &self.idioms {
            for (at, window) in ids.windows(idiom.len().max(1)).enumerate() {
                if window.iter().zip(idiom).all(|(own, id)| *own == Some(*id)) {
                    in_idioms[at..at + idiom.len()].fill(true);
                }
            }
        }
        let outside = |id: WordId| {
            let mut all = ids.iter().zip(&in_idioms);
            all.any(|(own, is_in)| *own == Some(id) && !is_in)
        };
        for (id, is_in) in ids.iter().zip(&in_idioms) {
            if let (Some(id), true) = (id, is_in)
                && !outside(*id)
            {
                harmless.push(*id);
            }
        }
        harmless
    }
}
