//! What follows a noun and belongs to it: "nearest the bowl", "that is not
//! red", "except the left one".

use super::super::place::{prep, side_adjective};
use super::super::vocabulary::Vocabulary;
use super::adjective::superlative_or_side;
use super::{noun_group, noun_phrase};
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::{NounGroup, NounPhrase, Quantity, State, Superlative};

/// Reads what follows a noun and belongs to it alone.
pub(super) fn after_noun(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) {
    loop {
        let same: &[&[&str]] = &[
            &["of", "the", "same", "color"],
            &["of", "the", "same", "colour"],
            &["with", "the", "same", "color"],
            &["with", "the", "same", "colour"],
            &["of", "same", "color"],
            &["of", "same", "colour"],
            &["of", "its", "color"],
            &["of", "its", "colour"],
            &["of", "its", "own", "color"],
            &["of", "its", "own", "colour"],
            &["of", "their", "color"],
            &["of", "their", "colour"],
            &["of", "matching", "color"],
            &["of", "matching", "colour"],
            &["that", "matches", "its", "color"],
            &["that", "matches", "its", "colour"],
        ];
        let held: &[&[&str]] = &[
            &["in", "your", "hand"],
            &["in", "your", "gripper"],
            &["in", "the", "gripper"],
            &["you", "are", "holding"],
            &["that", "you", "are", "holding"],
            &["you", "hold"],
            &["that", "you", "hold"],
            &["in", "your", "claw"],
            &["you", "are", "carrying"],
            &["that", "you", "are", "carrying"],
            &["you", "have", "got", "in", "your", "hand"],
            &["you", "have", "in", "your", "hand"],
        ];
        if of_color(cursor, vocabulary, phrase) || where_seen(cursor) {
            continue;
        }
        if cursor.eat_phrase(same) {
            phrase.same_color = true;
        } else if cursor.eat_phrase(held) || is_had(cursor, phrase) {
            phrase.state = Some(State::Held);
        } else if !(superlative_after(cursor, vocabulary, phrase)
            || relative_clause(cursor, vocabulary, phrase)
            || ordinal_side(cursor, phrase)
            // Of the one thing nothing is left out.
            || (phrase.is_group() || phrase.quantity != Quantity::The)
                && exceptions(cursor, vocabulary, phrase))
        {
            return;
        }
    }
}

/// "the block you have": of several it would be those in sight.
fn is_had(cursor: &mut Cursor<'_>, phrase: &NounPhrase) -> bool {
    if phrase.is_group() || phrase.quantity != Quantity::The {
        return false;
    }
    let mut ahead = cursor.clone();
    ahead.eat("that");
    let is_had = ahead.eat_all(&["you", "have"]);
    ahead.eat("got");
    // "You have to …" is a task.
    let is_had = is_had && ahead.peek() != "to";
    if is_had {
        *cursor = ahead;
    }
    is_had
}

/// "of red colour", "painted red", "in red", "whose colour is red".
fn of_color(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary, phrase: &mut NounPhrase) -> bool {
    let start = cursor.at;
    let led = cursor.eat_phrase(&[
        &["whose", "color", "is"],
        &["whose", "colour", "is"],
        &["that", "has", "the", "color"],
        &["that", "has", "the", "colour"],
        &["with", "the", "color"],
        &["with", "the", "colour"],
        &["that", "looks"],
        &["which", "looks"],
        &["in", "the", "color"],
        &["in", "the", "colour"],
        &["of", "the", "color"],
        &["of", "the", "colour"],
        &["that", "is", "painted"],
        &["painted"],
        &["colored"],
        &["coloured"],
    ]);
    // "Put the block in blue" says where to.
    let joined = !led && cursor.eat_any(&["of", "in", "with"]);
    let is_place = joined && cursor.has_read(start, "in");
    if joined {
        cursor.eat_any(&["the", "a", "an"]);
    }
    let color = lexicon::color(cursor.peek()).filter(|_| phrase.colors.is_empty());
    if let (true, Some(color)) = (led || joined, color) {
        cursor.advance();
        let named = cursor.eat_any(&["color", "colour", "shade", "paint"]);
        // "with the red one"
        let leads_on = vocabulary.is_head(cursor)
            || matches!(cursor.peek(), "one" | "ones" | "and" | "or")
            || lexicon::color(cursor.peek()).is_some();
        if led || named || !(leads_on || is_place) {
            phrase.colors.push(color.to_owned());
            return true;
        }
    }
    cursor.at = start;
    false
}

/// "you can see", "of yours": said of anything in sight.
fn where_seen(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_phrase(&[
        &["that", "you", "can", "see"],
        &["you", "can", "see"],
        &["you", "see", "there"],
        &["of", "yours"],
        &["of", "ours"],
        &["of", "mine"],
    ])
}

/// "nearest the bowl", "closest to you", "farthest to the left".
pub(super) fn superlative_after(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) -> bool {
    let near = match cursor.peek() {
        "nearest" | "closest" => true,
        "farthest" | "furthest" => false,
        // "the nearest block to the bowl"
        "to" | "from" => match &phrase.superlative {
            Some(Superlative::Nearest(None)) if cursor.peek() == "to" => {
                return complete(cursor, vocabulary, phrase, true);
            }
            Some(Superlative::Farthest(None)) if cursor.peek() == "from" => {
                return complete(cursor, vocabulary, phrase, false);
            }
            _ => return false,
        },
        _ => return false,
    };
    cursor.advance();
    complete(cursor, vocabulary, phrase, near) || {
        phrase.superlative = Some(if near {
            Superlative::Nearest(None)
        } else {
            Superlative::Farthest(None)
        });
        true
    }
}

pub(super) fn complete(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
    near: bool,
) -> bool {
    let start = cursor.at;
    cursor.eat_any(&["to", "from", "away"]);
    cursor.eat("from");
    if cursor.eat_any(&["you", "me", "yourself", "us"]) || cursor.eat_all(&["the", "robot"]) {
        phrase.superlative = Some(if near {
            Superlative::Nearest(None)
        } else {
            Superlative::Farthest(None)
        });
        return true;
    }
    let article = cursor.eat("the");
    if let Some(side) = side_adjective(cursor.peek()).filter(|_| {
        !vocabulary.is_head(&{
            let mut ahead = cursor.clone();
            ahead.advance();
            ahead
        })
    }) {
        cursor.advance();
        cursor.eat_any(&["side", "edge", "end"]);
        phrase.superlative = Some(Superlative::Most(side));
        return true;
    }
    if article {
        cursor.at -= 1;
    }
    match noun_phrase(cursor, vocabulary) {
        Some(landmark) => {
            let landmark = Some(Box::new(landmark));
            phrase.superlative = Some(if near {
                Superlative::Nearest(landmark)
            } else {
                Superlative::Farthest(landmark)
            });
            true
        }
        None => {
            cursor.at = start;
            false
        }
    }
}

/// "that is not in the bowl", "which are red".
pub(super) fn relative_clause(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) -> bool {
    let start = cursor.at;
    let linked = cursor.eat_phrase(&[
        &["that", "is"],
        &["that", "are"],
        &["which", "is"],
        &["which", "are"],
        &["that", "lies"],
        &["that", "lie"],
        &["that", "sits"],
        &["that", "stands"],
        &["that", "rests"],
        &["that", "happens", "to", "be"],
        &["which", "lies"],
        &["which", "sits"],
        &["which", "stands"],
        &["located"],
        &["situated"],
        &["resting"],
        &["parked"],
        &["perched"],
        &["lying"],
        &["sitting"],
        &["standing"],
    ]);
    let denied = cursor.peek() == "not" && (linked || cursor.peek_at(1) != "the");
    if !linked && !denied {
        return false;
    }
    let negated = cursor.eat("not");
    cursor.eat_any(&["currently", "already", "lying", "sitting", "standing"]);
    if let Some(color) = lexicon::color(cursor.peek()) {
        cursor.advance();
        let list = if negated {
            &mut phrase.not_colors
        } else {
            &mut phrase.colors
        };
        list.push(color.to_owned());
        return true;
    }
    let state = match cursor.peek() {
        "empty" => Some(State::Empty),
        "full" => Some(State::Full),
        "open" => Some(State::Open),
        "closed" | "shut" => Some(State::Closed),
        _ => None,
    };
    if let Some(state) = state {
        cursor.advance();
        phrase.state = Some(match (state, negated) {
            (State::Empty, true) => State::Full,
            (State::Full, true) => State::Empty,
            (State::Open, true) => State::Closed,
            (State::Closed, true) => State::Open,
            (state, _) => state,
        });
        return true;
    }
    if let Some(condition) = prep(cursor, vocabulary) {
        phrase.conditions.push((condition, !negated));
        return true;
    }
    cursor.eat("the");
    // "That is not the leftmost": without the one that is.
    let mut picked = phrase.clone();
    if superlative_after(cursor, vocabulary, &mut picked)
        || superlative_or_side(cursor, vocabulary, &mut picked)
    {
        if !negated {
            *phrase = picked;
            return true;
        }
        if phrase.except.is_none() {
            picked.span = (start, cursor.at);
            picked.plural = false;
            picked.quantity = Quantity::The;
            phrase.except = Some(Box::new(NounGroup {
                members: vec![picked],
                either: false,
            }));
            return true;
        }
    }
    cursor.at = start;
    false
}

/// "the second block from the right".
pub(super) fn ordinal_side(cursor: &mut Cursor<'_>, phrase: &mut NounPhrase) -> bool {
    let Some((number, _)) = phrase.ordinal else {
        return false;
    };
    let start = cursor.at;
    if cursor.eat_phrase(&[
        &["from", "the"],
        &["on", "the"],
        &["counting", "from", "the"],
    ]) && let Some(side) = side_adjective(cursor.peek())
    {
        cursor.advance();
        phrase.ordinal = Some((number, side));
        return true;
    }
    cursor.at = start;
    false
}

/// "except the red one", "but not the blue bowl".
pub(in crate::rules::parse) fn exceptions(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    phrase: &mut NounPhrase,
) -> bool {
    let start = cursor.at;
    cursor.eat(",");
    let found = cursor.eat_phrase(&[
        &["but", "not"],
        &["apart", "from"],
        &["other", "than"],
        &["except", "for"],
        &["and", "not"],
        &["except"],
        &["excluding"],
        &["without"],
        &["besides"],
    ]) || (phrase.is_group()
        && cursor.peek_at(1) != "do"
        && cursor.peek_at(1) != "leave"
        && cursor.eat("but"));
    if found
        && !vocabulary.starts_clause(cursor)
        && let Some(group) = noun_group(cursor, vocabulary)
    {
        phrase.except = Some(Box::new(group));
        return true;
    }
    cursor.at = start;
    false
}
