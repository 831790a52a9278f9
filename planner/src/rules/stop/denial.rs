//! Where a stop word demands nothing: denied, told of, or a step of a plan.
//!
//! A missed stop costs more than a false alarm, so a denial must be the stop word's
//! own: "don't do that stop" denies what is done, "na na ruko" is "no no, stop".
//! Everything is looked for within a few words, however long the line is.

use super::words::{
    CARRYING, DENYING, DENYING_AFTER, GOING_ON, JOINTS, LATER, LETTING, PLACES, PRONOUNS, SAYING,
    SOFT, SPEAKERS, SUBJECTS, TELLING, URDU_DENYING, VERB_ENDS, WAITS, WISHING,
};
use super::{is_among, is_stop, starts_with};

/// How many words are looked at on each side.
pub(super) const FAR: usize = 6;

/// "Don't stop", "mat ruko", "ruko mat", "go on until I say stop". "Why don't you
/// stop" and "no stop" deny nothing.
pub(super) fn is_denied(words: &[&str], at: usize) -> bool {
    is_denied_before(words, at) || is_denied_after(words, at) || is_later(words, at)
}

fn is_denied_before(words: &[&str], at: usize) -> bool {
    let from = at.saturating_sub(FAR);
    let Some(negation) = (from..at).rev().find(|i| is_among(words[*i], DENYING)) else {
        return false;
    };
    let word = words[negation];
    let before = |back: usize| negation.checked_sub(back).map_or("", |i| words[i]);
    // "No no", said in another language, and "na na": an outcry.
    let is_outcry = before(1) == word || matches!(before(1), "nahi" | "nahin" | "نہیں");
    // "Why don't you stop".
    let asks = (1..=3).any(|back| matches!(before(back), "why" | "kyun" | "kyon" | "کیوں"));
    // "It did not stop" complains.
    let complains = word == "not" && matches!(before(1), "did" | "does" | "will" | "would");
    // "Girao mat ruko": the verb before it is denied.
    let is_taken = is_among(word, URDU_DENYING) && is_other_order(words, negation);
    let between = words.get(negation + 1..at).unwrap_or_default();
    !(is_outcry || asks || complains || is_taken) && carries(between, word)
}

/// Whether an Urdu verb that is no going on stands just before a negation.
fn is_other_order(words: &[&str], negation: usize) -> bool {
    let Some(word) = negation.checked_sub(1).map(|i| words[i]) else {
        return false;
    };
    let is_order = ["o", "و", "ؤ"].iter().any(|end| word.ends_with(end));
    is_order && word.chars().count() > 3 && !is_among(word, GOING_ON) && !is_among(word, PRONOUNS)
}

/// Whether the words between a negation and a stop word carry it on: "don't you ever",
/// "don't let it", "don't want you to".
fn carries(between: &[&str], negation: &str) -> bool {
    if is_among(negation, URDU_DENYING) {
        return between
            .iter()
            .all(|word| matches!(*word, "kabhi" | "bhi" | "کبھی" | "بھی"));
    }
    let you = matches!(negation, "dont" | "never");
    let rest = match between {
        ["you", rest @ ..] if you => rest,
        rest => rest,
    };
    if rest.iter().all(|word| is_among(word, CARRYING)) {
        return true;
    }
    let is_any = |list: &[&str]| rest.iter().any(|word| is_among(word, list));
    let is_of_wish = |word: &&str| {
        *word == "to"
            || [CARRYING, PRONOUNS, WISHING, LETTING]
                .iter()
                .any(|list| is_among(word, list))
    };
    let wishes = is_any(WISHING) && rest.last() == Some(&"to");
    (is_any(LETTING) || wishes || rest == ["to"]) && rest.iter().all(is_of_wish)
}

/// "Ruko mat", "ruko mat chalte raho". "Ruko mat karo aisa" denies what follows, and
/// "ruko nahi to gir jayega" says or else.
fn is_denied_after(words: &[&str], at: usize) -> bool {
    let rest = words.get(at + 1..).unwrap_or_default();
    let [negation, rest @ ..] = rest else {
        return false;
    };
    if !is_among(negation, DENYING_AFTER) || rest.first() == Some(negation) {
        return false;
    }
    let mut said = rest.iter().take(FAR).enumerate();
    let next = said.find(|(_, word)| is_among(word, GOING_ON) || !is_among(word, SOFT));
    next.is_none_or(|(place, word)| {
        let follows = rest.get(place + 1);
        let again = follows.is_some_and(|word| is_among(word, DENYING_AFTER));
        is_among(word, GOING_ON) || (is_stop(word) && again)
    })
}

/// "Until I say stop": only where it is the stop word's own clause. "Before it falls
/// stop" has another verb.
fn is_later(words: &[&str], at: usize) -> bool {
    let from = at.saturating_sub(FAR);
    let Some(start) = (from..at).rev().find(|i| is_among(words[*i], LATER)) else {
        return false;
    };
    let between = words.get(start + 1..at).unwrap_or_default();
    !between.is_empty()
        && between
            .iter()
            .all(|word| is_among(word, SUBJECTS) || is_among(word, SAYING))
}

/// "Ruk gaya", "thora ruk kar": how it is, or a manner.
pub(super) fn is_told(words: &[&str], at: usize) -> bool {
    let next = words.get(at + 1).copied().unwrap_or_default();
    matches!(words[at], "ruk" | "rok" | "رک" | "روک") && is_among(next, VERB_ENDS)
}

/// Whether a stop word amid a part of a line is a step of a plan, or tells of
/// something: "move left and stop at the bowl", "do I stop it".
pub(super) fn is_planned(words: &[&str], at: usize) -> bool {
    let back = |count: usize| at.checked_sub(count).map_or("", |before| words[before]);
    let next = |count: usize| words.get(at + count).copied().unwrap_or_default();
    let is_step = is_among(back(1), JOINTS) && is_among(next(1), PLACES);
    // "Aur wahan ruko phir", "do second ruko phir".
    let is_between = (1..=5).any(|count| is_among(back(count), JOINTS))
        && (1..=2).any(|count| is_among(next(count), JOINTS));
    let waits = is_among(back(1), WAITS);
    // "You to stop" is a wish, "to stop" alone a purpose.
    let is_purpose = back(1) == "to" && !matches!(back(2), "you" | "it" | "robot" | "arm");
    let tells = is_among(back(1), TELLING);
    let asks = back(1) == "you" && starts_with_question(words);
    let lets = (back(2) == "make" || back(2) == "let") && is_among(back(1), PRONOUNS);
    is_step || is_between || waits || is_purpose || tells || asks || lets
}

fn starts_with_question(words: &[&str]) -> bool {
    SPEAKERS.iter().any(|lead| starts_with(words, &[lead]))
}
