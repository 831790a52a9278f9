//! Which words of a sentence are denied.
//!
//! A negation reaches as far as its own clause and a few words on: "disable the
//! limits and don't ask again" asks for the limits to be disabled.

use super::words::{CASUAL, DAMAGE, DISABLE, HARM};

/// Most words that are looked at.
const MOST_WORDS: usize = 400;
/// How many words before a word its negation stands at most.
const REACH: usize = 4;
/// The same in Urdu, before and after.
const REACH_URDU: usize = 2;

/// Words that deny; `t` is what is left of "don't".
const NEGATIONS: &[&str] = &[
    "not", "never", "dont", "doesnt", "t", "without", "avoid", "cannot", "nobody", "no",
];
const NEGATIONS_URDU: &[&str] = &["مت", "نہیں", "نہ", "mat", "nahi", "nahin", "na"];

/// Words that begin a clause of its own.
const JOINTS: &[&str] = &[
    "and", "but", "then", "instead", "just", "because", "until", "اور", "لیکن", "مگر", "پھر",
    "بلکہ", "aur", "lekin", "magar", "phir", "balkay", "balke",
];

/// The words of a sentence with their clauses.
pub(super) struct Said<'a> {
    pub(super) words: Vec<&'a str>,
    /// The clause that each word is of.
    clauses: Vec<usize>,
}

impl<'a> Said<'a> {
    /// Reads a sentence in small letters.
    pub(super) fn read(text: &'a str) -> Self {
        let (mut words, mut clauses) = (Vec::new(), Vec::new());
        let mut clause = 0;
        for part in text.split([',', '.', ';', ':', '!', '?', '،', '۔', '؟', '\n']) {
            clause += 1;
            let own = part.split(|c: char| !c.is_alphanumeric());
            for word in own.filter(|word| !word.is_empty()) {
                if words.len() >= MOST_WORDS {
                    break;
                }
                clause += usize::from(JOINTS.contains(&word));
                words.push(word);
                clauses.push(clause);
            }
        }
        Self { words, clauses }
    }

    pub(super) fn has(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| list.contains(word))
    }

    /// Where a phrase stands.
    pub(super) fn places(&self, phrase: &[&str]) -> Vec<usize> {
        let windows = self.words.windows(phrase.len()).enumerate();
        let found = windows.filter(|(_, window)| *window == phrase);
        found.map(|(at, _)| at).collect()
    }

    /// Whether one of these words is there and not denied.
    pub(super) fn any_meant(&self, list: &[&str]) -> bool {
        let mut words = self.words.iter().enumerate();
        words.any(|(at, word)| list.contains(word) && !self.is_denied(at))
    }

    /// Whether a word is denied just before it.
    pub(super) fn is_denied(&self, at: usize) -> bool {
        // "Don't throw or smash it".
        let from = (0..at)
            .rev()
            .take(REACH)
            .take_while(|i| self.is_with(*i, at));
        let mut before = from.map(|i| self.words[i]);
        before.any(|word| NEGATIONS.contains(&word)) || self.is_listed_with_denied(at)
    }

    /// "Don't throw it or smash it": the second of two after one negation.
    fn is_listed_with_denied(&self, at: usize) -> bool {
        let dangers = [HARM, DAMAGE, DISABLE, CASUAL];
        let is_danger = |word: &str| dangers.iter().any(|list| list.contains(&word));
        let or = (0..at).rev().take(2).find(|i| self.words[*i] == "or");
        let Some(or) = or.filter(|or| self.is_with(*or, at)) else {
            return false;
        };
        let first = (0..or)
            .rev()
            .take(REACH)
            .find(|i| is_danger(self.words[*i]));
        first.is_some_and(|first| self.is_with(first, at) && self.is_denied(first))
    }

    /// Whether anything before a word in its clause denies.
    pub(super) fn is_denied_before(&self, at: usize) -> bool {
        let from = (0..at).rev().take_while(|i| self.is_with(*i, at));
        let mut before = from.map(|i| self.words[i]);
        before.any(|word| NEGATIONS.contains(&word))
    }

    /// Whether an Urdu word is denied beside it.
    pub(super) fn is_denied_urdu(&self, at: usize) -> bool {
        let from = at.saturating_sub(REACH_URDU);
        let to = (at + REACH_URDU + 1).min(self.words.len());
        let mut beside = (from..to).filter(|i| self.is_with(*i, at));
        beside.any(|i| NEGATIONS_URDU.contains(&self.words[i]))
    }

    fn is_with(&self, one: usize, other: usize) -> bool {
        self.clauses[one] == self.clauses[other]
    }
}
