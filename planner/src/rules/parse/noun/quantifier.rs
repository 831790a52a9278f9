//! Pronouns, determiners and quantities.

use super::super::place::prep;
use super::super::vocabulary::Vocabulary;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::{Head, NounPhrase, Quantity};

/// "it", "them", "everything", "the rest", "both of them".
pub(super) fn pronoun(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) -> bool {
    let start = cursor.at;
    let single: &[&[&str]] = &[
        &["that", "one"],
        &["this", "one"],
        &["the", "same", "one"],
        &["the", "same", "object"],
        &["the", "same", "thing"],
        &["it"],
    ];
    let many: &[&[&str]] = &[
        &["all", "of", "them"],
        &["all", "of", "those"],
        &["both", "of", "them"],
        &["each", "of", "them"],
        &["every", "one", "of", "them"],
        &["them", "all"],
        &["them", "both"],
        &["they"],
        &["them"],
    ];
    let everything: &[&[&str]] = &[
        &["everything", "else"],
        &["all", "the", "rest"],
        &["everything"],
        &["all", "of", "it"],
        &["it", "all"],
    ];
    let rest: &[&[&str]] = &[
        &["the", "rest"],
        &["all", "the", "others"],
        &["the", "others"],
        &["all", "others"],
        &["the", "remaining", "ones"],
    ];
    if cursor.eat_any(&["something", "anything"]) {
        phrase.head = Head::Anything;
        phrase.quantity = Quantity::Any(1);
        return true;
    }
    if cursor.eat_phrase(&[&["whatever", "is"], &["what", "is"]]) {
        if let Some(place) = prep(cursor, vocabulary) {
            phrase.head = Head::Anything;
            phrase.quantity = Quantity::All;
            phrase.conditions.push((place, true));
            return true;
        }
        cursor.at = start;
    }
    if cursor.eat_phrase(everything) {
        phrase.head = Head::Anything;
        phrase.quantity = Quantity::All;
        phrase.other =
            cursor.text_from(start).contains("rest") || cursor.text_from(start).contains("else");
        return true;
    }
    if cursor.eat_phrase(rest) {
        phrase.head = Head::One;
        phrase.quantity = Quantity::All;
        phrase.other = true;
        if cursor.eat_phrase(&[&["of", "the"], &["of"]])
            && let Some((head, _)) = vocabulary.head(cursor)
        {
            phrase.head = head;
        }
        return true;
    }
    if cursor.eat_phrase(many) {
        phrase.head = Head::Them;
        return true;
    }
    if cursor.eat_phrase(single) {
        phrase.head = Head::It;
        return true;
    }
    if cursor.eat_any(&["that", "this"]) {
        if bare_end(cursor) && cursor.peek() != "is" {
            phrase.head = Head::It;
            return true;
        }
        cursor.at = start;
    }
    if cursor.eat_any(&["those", "these"]) {
        if bare_end(cursor) {
            phrase.head = Head::Them;
            return true;
        }
        cursor.at = start;
    }
    some_of_them(cursor, phrase)
}

/// "one of them", "two of those".
pub(super) fn some_of_them(cursor: &mut Cursor<'_>, phrase: &mut NounPhrase) -> bool {
    let start = cursor.at;
    let number = number(cursor).or_else(|| cursor.eat("any").then_some(1));
    if let Some(number) = number
        && cursor.eat("of")
        && cursor.eat_any(&["them", "those", "these"])
    {
        phrase.quantity = Quantity::Any(number);
        phrase.head = Head::Them;
        return true;
    }
    cursor.at = start;
    false
}

/// Whether nothing that belongs to a noun phrase follows.
pub(super) fn bare_end(cursor: &Cursor<'_>) -> bool {
    cursor.at_end()
        || matches!(
            cursor.peek(),
            "," | "."
                | "?"
                | "and"
                | "then"
                | "in"
                | "into"
                | "on"
                | "onto"
                | "to"
                | "up"
                | "down"
                | "next"
                | "behind"
                | "beside"
                | "near"
                | "inside"
                | "left"
                | "right"
                | "away"
                | "back"
                | "towards"
                | "forward"
                | "instead"
                | "over"
                | "between"
                | "by"
                | "from"
                | "out"
                | "off"
                | "too"
                | "open"
                | "closed"
                | "before"
                | "after"
                | "under"
                | "above"
                | "goes"
                | "belongs"
                | "should"
                | "must"
                | "needs"
        )
}

pub(super) fn number(cursor: &mut Cursor<'_>) -> Option<usize> {
    let value = match cursor.peek_number() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "guarded: a whole number from 0 to 100"
        )]
        Some(value) if value.fract() == 0.0 && (0.0..=100.0).contains(&value) => value as usize,
        Some(_) => return None,
        None => lexicon::count(cursor.peek())?,
    };
    cursor.advance();
    Some(value)
}

/// Reads determiner and quantity; whether there was one.
pub(super) fn determiner(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) -> bool {
    let start = cursor.at;
    cursor.eat_any(&["only", "exactly"]);
    if cursor.eat_phrase(&[
        &["each", "and", "every"],
        &["every", "single"],
        &["every", "one", "of"],
    ]) || cursor.eat_any(&["all", "every", "each"])
    {
        phrase.quantity = Quantity::All;
    } else if cursor.eat("both") {
        phrase.quantity = Quantity::Both;
    } else if cursor.eat_phrase(&[&["a", "couple"]]) {
        phrase.quantity = Quantity::Any(2);
    } else if let Some(word) = vague(cursor) {
        phrase.quantity = Quantity::Vague(word);
    } else if cursor.eat("another") {
        phrase.quantity = Quantity::Any(1);
        phrase.other = true;
    } else if cursor.eat_any(&["a", "an", "any", "either", "whichever"]) {
        phrase.quantity = Quantity::Any(1);
        if matches!(cursor.peek(), "one" | "two" | "three") && cursor.peek_at(1) == "of" {
            phrase.quantity = Quantity::Any(number(cursor).unwrap_or(1));
        }
    } else if let Some(n) = number(cursor) {
        phrase.quantity = Quantity::Any(n);
    }
    let of = cursor.eat("of");
    let article = article(cursor, phrase);
    if article && !of && phrase.quantity == Quantity::The && !cursor.eat("one") {
        cursor.eat_any(&["other"]).then(|| phrase.other = true);
        if let Some(n) = number(cursor) {
            phrase.quantity = Quantity::Exactly(n);
        }
    } else if phrase.quantity == Quantity::All
        && let Some(n) = number(cursor)
    {
        // "all three blocks"
        phrase.quantity = Quantity::Exactly(n);
    }
    // "the one on the left": the word "one" is the noun, and not in "the one block".
    let is_noun = !vocabulary.is_head(cursor) && lexicon::color(cursor.peek()).is_none();
    if article && is_noun && cursor.at > start && cursor.text_from(cursor.at - 1) == "one" {
        cursor.at -= 1;
    }
    cursor.at > start
}

pub(super) fn article(cursor: &mut Cursor<'_>, phrase: &mut NounPhrase) -> bool {
    if cursor.eat_any(&["that", "this", "those", "these"]) {
        phrase.deictic = true;
        return true;
    }
    cursor.eat_any(&["the", "my", "your", "our", "its", "their", "his", "her"])
}

pub(super) fn vague(cursor: &mut Cursor<'_>) -> Option<String> {
    let start = cursor.at;
    let found = cursor.eat_phrase(&[
        &["a", "few"],
        &["a", "lot"],
        &["a", "number"],
        &["a", "handful"],
        &["most"],
        &["some"],
        &["few"],
        &["several"],
        &["many"],
        &["lots"],
        &["half"],
    ]);
    found.then(|| cursor.text_from(start))
}
