//! Adjectives: colours, sides, extremes, states and counting words.

use super::super::place::side_adjective;
use super::super::vocabulary::Vocabulary;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::{NounPhrase, Side, State, Superlative};

/// Reads adjectives; whether there were any.
pub(super) fn adjectives(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) -> bool {
    let start = cursor.at;
    loop {
        let word = cursor.peek();
        if let Some(color) = lexicon::color(word) {
            cursor.advance();
            cursor.eat_any(&["colored", "coloured"]);
            phrase.colors.push(color.to_owned());
            if !color_list_continues(cursor, vocabulary) {
                continue;
            }
            cursor.eat(",");
            cursor.eat("and");
            continue;
        }
        if !superlative_or_side(cursor, vocabulary, phrase) && !plain_adjective(cursor, phrase) {
            break;
        }
    }
    cursor.at > start
}

/// "red and blue blocks": a list of colours under one noun. "red and blue
/// block" and "the red and the blue block" are left to the group.
pub(super) fn color_list_continues(cursor: &Cursor<'_>, vocabulary: &Vocabulary) -> bool {
    let mut ahead = cursor.clone();
    let mut colors = 0;
    while ahead.eat_any(&[",", "and"]) {
        ahead.eat("and");
        if lexicon::color(ahead.peek()).is_none() {
            break;
        }
        ahead.advance();
        colors += 1;
    }
    colors > 0 && vocabulary.is_head(&ahead)
}

pub(super) fn plain_adjective(cursor: &mut Cursor<'_>, phrase: &mut NounPhrase) -> bool {
    let word = cursor.peek();
    match word {
        "other" | "remaining" => phrase.other = true,
        "same" if matches!(cursor.peek_at(1), "color" | "colour") => {
            cursor.advance();
            phrase.same_color = true;
        }
        "matching" | "corresponding" | "respective" => phrase.same_color = true,
        "empty" => phrase.state = Some(State::Empty),
        "full" => phrase.state = Some(State::Full),
        "open" | "opened" => phrase.state = Some(State::Open),
        "closed" | "shut" => phrase.state = Some(State::Closed),
        "non" | "not" if lexicon::color(cursor.peek_at(1)).is_some() => {
            cursor.advance();
            if let Some(color) = lexicon::color(cursor.peek()) {
                phrase.not_colors.push(color.to_owned());
            }
        }
        "colored" | "coloured" | "wooden" | "plastic" | "nice" | "whole" | "single" | "entire"
        | "wee" | "little" | "lovely" | "pretty" | "silly" | "only" | "sole" => {}
        "big" | "small" | "large" | "larger" | "smaller" | "tiny" | "biggest" | "smallest"
        | "largest" | "bigger" | "heavy" | "heaviest" | "tall" | "tallest" | "shiny" | "dark"
        | "light" | "huge" => {
            phrase.unknown_adjective = Some(word.to_owned());
        }
        _ => return false,
    }
    cursor.advance();
    true
}

pub(super) fn superlative_or_side(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) -> bool {
    let word = cursor.peek();
    let most = match word {
        "leftmost" => Some(Side::Left),
        "rightmost" => Some(Side::Right),
        "topmost" | "uppermost" => Some(Side::Far),
        "bottommost" | "lowermost" => Some(Side::Near),
        "middlemost" => Some(Side::Middle),
        _ => None,
    };
    if let Some(side) = most {
        cursor.advance();
        phrase.superlative = Some(Superlative::Most(side));
        return true;
    }
    if matches!(word, "nearest" | "closest" | "farthest" | "furthest") {
        cursor.advance();
        let near = matches!(word, "nearest" | "closest");
        let side = side_adjective(cursor.peek()).filter(|_| !near);
        phrase.superlative = Some(match side {
            Some(side) => {
                cursor.advance();
                Superlative::Most(side)
            }
            None if near => Superlative::Nearest(None),
            None => Superlative::Farthest(None),
        });
        return true;
    }
    if matches!(word, "highest" | "upmost") {
        cursor.advance();
        phrase.superlative = Some(Superlative::Highest);
        return true;
    }
    if let Some(side) = side_adjective(word) {
        let start = cursor.at;
        cursor.advance();
        cursor.eat("hand");
        if cursor.eat("most") {
            phrase.superlative = Some(Superlative::Most(side));
            return true;
        }
        // An adjective must lead on to a noun.
        let leads = vocabulary.is_head(cursor)
            || matches!(cursor.peek(), "one" | "ones" | "two" | "three")
            || lexicon::color(cursor.peek()).is_some()
            || side_adjective(cursor.peek()).is_some();
        if leads {
            phrase.sides.push(side);
            return true;
        }
        cursor.at = start;
        return false;
    }
    ordinal(cursor, vocabulary, phrase)
}

pub(super) fn ordinal(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) -> bool {
    let number = lexicon::ordinal(cursor.peek()).or(if cursor.peek() == "last" {
        Some(usize::MAX)
    } else {
        None
    });
    let Some(number) = number else {
        return false;
    };
    let mut ahead = cursor.clone();
    ahead.advance();
    let leads = vocabulary.is_head(&ahead)
        || lexicon::color(ahead.peek()).is_some()
        || matches!(ahead.peek(), "one" | "from");
    if leads {
        cursor.advance();
        phrase.ordinal = Some((number, Side::Left));
    }
    leads
}
