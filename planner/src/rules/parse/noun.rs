//! Noun phrases: "the two leftmost red blocks that are not in a bowl, except
//! the small one".

mod adjective;
mod after;
mod quantifier;

use super::place::side_adjective;
use super::vocabulary::Vocabulary;
use adjective::adjectives;
pub(super) use after::exceptions as trailing_exceptions;
use after::{after_noun, exceptions};
use quantifier::{bare_end, determiner, number, pronoun};

use crate::rules::compact;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::{Head, NounGroup, NounPhrase, Quantity};

/// Reads "A", "A and B", "A, B and C", "A or B". A phrase without a noun ("the
/// red and the blue block") takes the noun of the one after it.
pub(in crate::rules) fn noun_group(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
) -> Option<NounGroup> {
    let either_word = cursor.eat("either");
    let both_word = cursor.peek() == "both" && both_joins(cursor, vocabulary);
    if both_word {
        cursor.advance();
    }
    let mut members = noun_phrases(cursor, vocabulary)?;
    let mut either = either_word;
    loop {
        let before = cursor.at;
        let comma = cursor.eat(",");
        let or = cursor.eat("or");
        let joined =
            or || cursor.eat_phrase(&[
                &["as", "well", "as"],
                &["together", "with"],
                &["along", "with"],
            ]) || cursor.eat("and");
        let then = matches!(
            cursor.peek(),
            "then" | "finally" | "after" | "before" | "next" | "do"
        );
        if (!comma && !joined) || then || vocabulary.starts_clause(cursor) {
            cursor.at = before;
            break;
        }
        match noun_phrases(cursor, vocabulary) {
            Some(next) => members.extend(next),
            None => {
                cursor.at = before;
                break;
            }
        }
        either |= or;
    }
    share_nouns(&mut members);
    Some(NounGroup { members, either })
}

/// "both the red and the blue block": "both" before a list is only emphasis.
fn both_joins(cursor: &Cursor<'_>, vocabulary: &Vocabulary) -> bool {
    let mut ahead = cursor.clone();
    ahead.advance();
    let article = ahead.eat_any(&["the", "a", "my"]);
    while lexicon::color(ahead.peek()).is_some() || side_adjective(ahead.peek()).is_some() {
        ahead.advance();
    }
    let noun = vocabulary.head(&mut ahead);
    let single = noun.as_ref().is_some_and(|(_, plural)| !plural);
    ahead.peek() == "and" && (single || (noun.is_none() && article))
}

/// Headless phrases take kind and number from the next that has a noun.
fn share_nouns(members: &mut [NounPhrase]) {
    for index in (0..members.len().saturating_sub(1)).rev() {
        let (before, after) = members.split_at_mut(index + 1);
        let (phrase, next) = (&mut before[index], &after[0]);
        if phrase.head == Head::One && matches!(next.head, Head::Kind(_) | Head::Anything) {
            phrase.head = next.head.clone();
        }
    }
}

/// One noun phrase, or several when colours are listed ("the red, green and
/// blue blocks").
fn noun_phrases(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Vec<NounPhrase>> {
    if let Some(members) = ready_phrases(cursor, vocabulary) {
        return Some(members);
    }
    let phrase = noun_phrase(cursor, vocabulary)?;
    if phrase.colors.len() < 2 {
        return Some(vec![phrase]);
    }
    let split = phrase.colors.iter().enumerate().map(|(index, color)| {
        let mut single = phrase.clone();
        single.colors = vec![color.clone()];
        if single.quantity == Quantity::Both {
            single.quantity = Quantity::All;
        }
        // Distinct keys for distinct questions.
        single.span.1 += index * 1000;
        single
    });
    Some(split.collect())
}

/// Reads one noun phrase; `None` leaves the cursor where it was.
pub(in crate::rules) fn noun_phrase(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
) -> Option<NounPhrase> {
    let start = cursor.at;
    if let Some(members) = ready_phrases(cursor, vocabulary) {
        return match <[NounPhrase; 1]>::try_from(members) {
            Ok([only]) => Some(only),
            Err(_) => {
                cursor.at = start;
                None
            }
        };
    }
    let mut phrase = NounPhrase::new(start, Head::One);
    if pronoun(cursor, vocabulary, &mut phrase) {
        exceptions(cursor, vocabulary, &mut phrase);
        phrase.span.1 = cursor.at;
        return Some(phrase);
    }
    let determined = determiner(cursor, vocabulary, &mut phrase);
    let described = adjectives(cursor, vocabulary, &mut phrase);
    if phrase.quantity == Quantity::Both && !described && bare_end(cursor) {
        phrase.head = Head::Them;
        phrase.span.1 = cursor.at;
        return Some(phrase);
    }
    let headed = head(cursor, vocabulary, &mut phrase, determined || described);
    if !headed && !described {
        let quantified = !matches!(phrase.quantity, Quantity::The) || phrase.other;
        if !quantified {
            cursor.at = start;
            return None;
        }
    }
    after_noun(cursor, vocabulary, &mut phrase);
    phrase.span.1 = cursor.at;
    Some(phrase)
}

/// Keys of the choices of one ready phrase.
const KEYS_OF_PHRASE: usize = 10_000;

/// Noun phrases that a reader put in place of their words; an article may be left
/// before them.
fn ready_phrases(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Vec<NounPhrase>> {
    let mut ahead = cursor.clone();
    if ahead.peek_phrase().is_none() {
        ahead.eat_any(&["the", "a", "an", "that", "this", "my", "your", "our"]);
    }
    let text = ahead.peek_phrase()?;
    let base = KEYS_OF_PHRASE * (ahead.at + 1);
    let group = compact::noun_group(text, &vocabulary.kinds(), base)?;
    if group.either {
        return None;
    }
    ahead.advance();
    *cursor = ahead;
    let mut members = group.members;
    if let [only] = members.as_mut_slice() {
        after_noun(cursor, vocabulary, only);
    }
    Some(members)
}

/// Reads the noun; an unknown word counts when something announced a noun.
fn head(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
    announced: bool,
) -> bool {
    if let Some((head, plural)) = vocabulary.head(cursor) {
        // "the red block cube" is one noun; read a doubled one away.
        phrase.head = head;
        phrase.plural = plural;
    } else if announced && cursor.eat("one") {
        phrase.head = Head::One;
    } else if announced && cursor.eat("ones") {
        phrase.head = Head::One;
        phrase.plural = true;
    } else if announced && is_unknown_noun(cursor) {
        let word = cursor.peek().to_owned();
        cursor.advance();
        phrase.plural = word.ends_with('s') && !word.ends_with("ss");
        phrase.head = Head::Unknown(word);
    } else {
        return false;
    }
    let numbered = cursor.eat("number");
    let is_count = cursor.peek_number().is_some()
        && !matches!(cursor.peek_at(1), "seconds" | "second" | "minutes");
    if is_count || numbered {
        phrase.number = number(cursor);
    }
    true
}

fn is_unknown_noun(cursor: &Cursor<'_>) -> bool {
    let word = cursor.peek();
    !word.is_empty()
        && cursor.peek_number().is_none()
        && cursor.peek_phrase().is_none()
        && !matches!(word, "," | "." | "?")
        && lexicon::color(word).is_none()
        && (!is_function_word(word) || matches!(word, "table" | "robot" | "gripper"))
}

fn is_function_word(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "a"
            | "an"
            | "and"
            | "or"
            | "of"
            | "in"
            | "on"
            | "to"
            | "at"
            | "by"
            | "up"
            | "down"
            | "out"
            | "off"
            | "it"
            | "is"
            | "are"
            | "not"
            | "then"
            | "into"
            | "onto"
            | "inside"
            | "next"
            | "from"
            | "with"
            | "that"
            | "which"
            | "left"
            | "right"
            | "behind"
            | "beside"
            | "near"
            | "before"
            | "after"
            | "but"
            | "except"
            | "them"
            | "me"
            | "you"
            | "there"
            | "here"
            | "nearest"
            | "closest"
            | "if"
            | "when"
            | "while"
            | "until"
            | "unless"
            | "open"
            | "closed"
            | "away"
            | "back"
            | "forward"
            | "towards"
            | "toward"
            | "instead"
            | "under"
            | "over"
            | "between"
            | "above"
            | "below"
            | "for"
            | "do"
            | "middle"
            | "center"
            | "centre"
            | "corner"
            | "side"
            | "front"
            | "top"
            | "bottom"
    )
}
