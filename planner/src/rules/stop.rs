//! Stop words: recognised without a model and without the grammar.
//!
//! Two questions, because a stop that is a false alarm costs little and a missed one
//! much. Whether a line is nothing but an order to stop: that ends a run at once.
//! Whether a stop word begins or ends a part of it: while something runs, that is
//! reason enough to come to rest.

mod words;

use crate::letters::usual;
use words::{BESIDE, BUTTONS, DENYING, DENYING_AFTER, LEADS, LINES, NAMED, SOFT, WORDS};

/// How many words before a stop word its denial stands at most.
const REACH: usize = 3;

/// Whether a line is nothing but an order to stop ("stop", "STOP!!", "can you stop
/// what you are doing", "ruk jao"). Every place that must know asks here. The caller
/// stops the robot first and plans never. One copy of the line and comparisons of
/// words, however long it is.
///
/// "Band karo" is not among them: after "open the drawer" it means to close it.
#[must_use]
pub fn is_stop_word(line: &str) -> bool {
    let text = usual(line).replace('\'', "");
    let words: Vec<&str> = words_of(&text).collect();
    let order = &words[asking(&words)..];
    let stops = |(at, word): (usize, &&str)| is_among(word, WORDS) && !is_denied(order, at);
    let is_only_that = |word: &&str| {
        [WORDS, BESIDE, SOFT]
            .iter()
            .any(|list| is_among(word, list))
    };
    (order.iter().enumerate().any(stops) && order.iter().all(is_only_that)) || is_stop_line(order)
}

/// Whether a part of a line begins or ends with a stop word that is not denied: "stop,
/// that is the wrong one", "the green one, ruko". Reason to pause what runs, and no
/// more: "stop at the bowl" is such a line too.
#[must_use]
pub(crate) fn calls_to_rest(line: &str) -> bool {
    let text = usual(line).replace('\'', "");
    text.split([
        ',', '.', ';', ':', '!', '?', '…', '—', '،', '۔', '؟', '؛', '\n',
    ])
    .any(|part| {
        let words: Vec<&str> = words_of(part).collect();
        let says = |at: &usize| {
            let word = words[*at];
            is_among(word, WORDS) || !(is_among(word, SOFT) || is_among(word, BESIDE))
        };
        let first = (asking(&words)..words.len()).find(says);
        let last = (0..words.len()).rev().find(says);
        [first, last]
            .into_iter()
            .flatten()
            .any(|at| is_called(&words, at))
    })
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    // "Stop!!1" is a slip of a hurried hand.
    let is_slip = |word: &str| word.chars().all(|letter| letter == '1');
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(move |word| !is_slip(word))
}

/// Whether the words without soft ones are one of the whole lines.
fn is_stop_line(words: &[&str]) -> bool {
    let is_of_it = |word: &&&str| !is_among(word, SOFT);
    LINES.iter().any(|line| {
        let mut rest = words.iter().peekable();
        let mut heard = false;
        // Soft words stand before, between and after, and it may be said again and again.
        while rest.peek().is_some() {
            for wanted in line.split(' ') {
                while rest
                    .next_if(|word| !is_same(word, wanted) && !is_of_it(word))
                    .is_some()
                {}
                if rest.next_if(|word| is_same(word, wanted)).is_none() {
                    return false;
                }
            }
            heard = true;
            while rest.next_if(|word| !is_of_it(word)).is_some() {}
        }
        heard
    })
}

/// Whether the word at a place of a part of a line demands a stop.
fn is_called(words: &[&str], at: usize) -> bool {
    let word = words[at];
    // "Bas" at the beginning also says "just".
    is_among(word, WORDS) && !is_among(word, NAMED) && !is_thing(words, at) && !is_denied(words, at)
}

/// "The bus stop", "the stop sign": a thing, no order. "Come to a full stop" is one.
fn is_thing(words: &[&str], at: usize) -> bool {
    let next = words.get(at + 1).copied().unwrap_or_default();
    let before = at.checked_sub(1).map_or("", |before| words[before]);
    let comes = words.iter().any(|word| matches!(*word, "come" | "bring"));
    BUTTONS.contains(&next)
        || (matches!(before, "the" | "a" | "an" | "bus" | "full" | "pit" | "door") && !comes)
}

/// "Don't stop", "mat ruko", "ruko mat", "go on until I say stop". "Why don't you
/// stop" and "no stop" deny nothing.
fn is_denied(words: &[&str], at: usize) -> bool {
    let from = at.saturating_sub(REACH).max(asking(words));
    let before = words.get(from..at).unwrap_or_default();
    let is_later = |word: &&str| matches!(*word, "until" | "till" | "unless" | "before" | "when");
    // "Ruko nahi to gir jayega": or else.
    let after = words
        .get(at + 1)
        .is_some_and(|word| is_among(word, DENYING_AFTER));
    let or_else = matches!(words.get(at + 2), Some(&("to" | "tou" | "toh" | "تو")));
    before.iter().any(|word| is_among(word, DENYING))
        || words[..at].iter().any(is_later)
        || (after && !or_else)
}

/// How many words make a question of an order: "why don't you".
fn asking(words: &[&str]) -> usize {
    let lead = LEADS.iter().find(|lead| starts_with(words, lead));
    lead.map_or(0, |lead| lead.len())
}

fn starts_with(words: &[&str], lead: &[&str]) -> bool {
    words.len() >= lead.len() && words.iter().zip(lead).all(|(a, b)| is_same(a, b))
}

fn is_among(word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| is_same(word, known))
}

/// Whether two words are the same but for letters held too long: "stoooop".
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    once_each(one).eq(once_each(other))
}

fn once_each(word: &str) -> impl Iterator<Item = char> {
    let mut last = None;
    word.chars()
        .filter(move |letter| last.replace(*letter) != Some(*letter))
}

#[cfg(test)]
mod tests;
