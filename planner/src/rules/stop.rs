//! Stop words: recognised without a model and without the grammar.
//!
//! Two questions, because a stop that is a false alarm costs little and a missed one
//! much. Whether a line is nothing but an order to stop: that ends a run at once.
//! Whether a stop word begins or ends a part of it: while something runs, that is
//! reason enough to come to rest.

mod denial;
mod words;

use crate::letters::usual;
use denial::{is_denied, is_planned, is_told};
use words::{
    BESIDE, BUTTONS, CALLS, CALLS_ELSE, DOING, LEADS, LINES, NAMED, NAMED_DOING, REPEATED, SOFT,
    TAKING, WORDS,
};

/// Whether a line is nothing but an order to stop ("stop", "STOP!!", "can you stop
/// what you are doing", "ruk jao"). Every place that must know asks here. The caller
/// stops the robot first and plans never. One copy of the line and comparisons of
/// words near each other, so that the cost grows with the line and no faster.
///
/// "Band karo" is not among them: after "open the drawer" it means to close it.
#[must_use]
pub fn is_stop_word(line: &str) -> bool {
    let text = usual(line).replace('\'', "");
    let words: Vec<&str> = words_of(&text).collect();
    let order = &words[asking(&words)..];
    let is_only_that =
        |word: &&str| is_stop(word) || is_among(word, BESIDE) || is_among(word, SOFT);
    // "Bas isko lo" is "just take this".
    let is_taken = |at: usize| {
        is_among(order[at], TAKING) && at.checked_sub(1).is_none_or(|i| !is_among(order[i], DOING))
    };
    let is_just = (0..order.len()).any(is_taken);
    let stops = |(at, word): (usize, &&str)| {
        is_stop(word) && !(is_just && is_among(word, NAMED)) && !is_denied(order, at)
    };
    (order.iter().all(is_only_that) && order.iter().enumerate().any(stops)) || is_stop_line(order)
}

/// Whether a part of a line is an order to stop, or a stop word stands in it that is
/// neither denied nor a step of a plan: "stop, that is the wrong one", "the green one,
/// ruko", "that's wrong stop it will fall". Reason to pause what runs, and no more:
/// "stop at the bowl" is such a line too.
#[must_use]
pub(crate) fn calls_to_rest(line: &str) -> bool {
    let text = usual(line).replace('\'', "");
    text.split(is_part_end)
        .flat_map(|part| part.split(" -"))
        .flat_map(|part| part.split("- "))
        .any(|part| {
            let words: Vec<&str> = words_of(part).collect();
            let says = |at: &usize| {
                let word = words[*at];
                is_stop(word) || !(is_among(word, SOFT) || is_among(word, BESIDE))
            };
            let from = asking(&words);
            let first = (from..words.len()).find(says);
            let last = (0..words.len()).rev().find(says);
            let is_end = |at: usize| first == Some(at) || last == Some(at);
            is_stop_line(&words[from..])
                || is_wait(&words)
                || (0..words.len())
                    .any(|at| is_called(&words, at) && (is_end(at) || !is_planned(&words, at)))
        })
}

/// Whether a part of a line ends at a sign. A hyphen within a word ends none.
fn is_part_end(sign: char) -> bool {
    !(sign.is_alphanumeric()
        || sign == '-'
        || sign == '_'
        || (sign != '\n' && sign.is_whitespace()))
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
    let next = words.get(at + 1).copied().unwrap_or_default();
    // "Bas" at the beginning also says "just"; "bas karo" does not.
    let is_named = is_among(word, NAMED) && !is_among(next, NAMED_DOING);
    is_stop(word)
        && !is_named
        && !is_thing(words, at)
        && !is_told(words, at)
        && !is_denied(words, at)
}

/// "The bus stop", "the stop sign": a thing, no order. "Come to a full stop" is one,
/// and "stop, watch out" is no stop watch.
fn is_thing(words: &[&str], at: usize) -> bool {
    let next = words.get(at + 1).copied().unwrap_or_default();
    let back = |count: usize| at.checked_sub(count).map_or("", |before| words[before]);
    let is_article = |word: &str| matches!(word, "the" | "a" | "an");
    let near = words
        .get(at.saturating_sub(denial::FAR)..at)
        .unwrap_or_default();
    let comes = near.iter().any(|word| matches!(*word, "come" | "bring"));
    let is_named = is_article(back(1))
        || matches!(back(1), "bus" | "pit" | "non")
        || (back(1) == "full" && is_article(back(2)));
    let is_button = BUTTONS.contains(&next) && (next != "watch" || is_article(back(1)));
    is_button || (is_named && !comes)
}

/// How many words make a question of an order: "why don't you".
fn asking(words: &[&str]) -> usize {
    let lead = LEADS.iter().find(|lead| starts_with(words, lead));
    lead.map_or(0, |lead| lead.len())
}

fn starts_with(words: &[&str], lead: &[&str]) -> bool {
    words.len() >= lead.len() && words.iter().zip(lead).all(|(a, b)| is_same(a, b))
}

/// "Wait", "hold on, that is wrong", "thehro ye ghalat hai".
fn is_wait(words: &[&str]) -> bool {
    let is_soft = |word: &&str| is_among(word, SOFT);
    let begins = |word: &&str| *word == "wait" || !is_soft(word);
    let from = words.iter().position(begins);
    let order = &words[from.unwrap_or(words.len())..];
    (words.contains(&"wait") && words.iter().all(is_soft))
        || CALLS.iter().any(|call| {
            let next = order.get(call.len()).copied().unwrap_or_default();
            starts_with(order, call) && !is_among(next, CALLS_ELSE)
        })
}

/// Whether a word stops, or is nothing but such a word over and over: "stopstop".
fn is_stop(word: &str) -> bool {
    let is_repeated = |known: &&str| word.contains(*known) && word.replace(*known, "").is_empty();
    is_among(word, WORDS) || REPEATED.iter().any(is_repeated)
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
