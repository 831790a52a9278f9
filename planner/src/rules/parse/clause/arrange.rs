//! Verbs with their own grammar: open, wait, stack, build, clear, fill.

use super::super::noun::{noun_group, noun_phrase};
use super::super::place::{it_at, prep};
use super::super::vocabulary::Vocabulary;
use super::{bare, implied, tails};
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::{Command, Head, NounGroup, PlaceRef, Prep, PrepKind, Quantity};

pub(super) fn open_close(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    open: bool,
) -> Option<Command> {
    cursor.eat("up");
    let hand = cursor.eat_phrase(&[
        &["your", "gripper"],
        &["the", "gripper"],
        &["your", "hands"],
        &["your", "hand"],
        &["the", "hand"],
        &["your", "fingers"],
        &["the", "fingers"],
        &["your", "claw"],
        &["the", "claw"],
        &["gripper"],
        &["hand"],
    ]);
    if hand {
        return Some(if open {
            Command::OpenHand
        } else {
            Command::CloseHand
        });
    }
    let object = noun_group(cursor, vocabulary).unwrap_or_else(|| implied(cursor));
    cursor.eat_any(&["up", "again", "fully", "completely"]);
    Some(if open {
        Command::Open(object)
    } else {
        Command::Close(object)
    })
}

/// "wait 5 seconds", "wait 5 seconds above the bowl"
pub(super) fn wait(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let seconds = duration(cursor).1;
    let above = cursor.eat_any(&["above", "over"]);
    cursor.at -= usize::from(above);
    let place = above.then(|| prep(cursor, vocabulary)).flatten();
    Some(match place {
        Some(place) => Command::Several(vec![Command::MoveTo(place), Command::Wait(seconds)]),
        None => Command::Wait(seconds),
    })
}

/// "after 5 seconds", "(before) one minute has passed": only a time that is said.
pub(super) fn elapsed(cursor: &mut Cursor<'_>) -> Option<Command> {
    let start = cursor.at;
    let (is_said, seconds) = duration(cursor);
    let passes = cursor.eat_phrase(&[
        &["has", "passed"],
        &["have", "passed"],
        &["has", "gone", "by"],
        &["have", "gone", "by"],
        &["is", "over"],
        &["are", "over"],
        &["is", "up"],
        &["are", "up"],
    ]);
    if is_said && (passes || bare(cursor)) {
        return Some(Command::Wait(seconds));
    }
    cursor.at = start;
    None
}

/// A length of time in seconds, and whether its number and unit are said.
fn duration(cursor: &mut Cursor<'_>) -> (bool, f64) {
    /// Length of "a moment", in seconds.
    const MOMENT_SECONDS: f64 = 3.0;
    cursor.eat_any(&["for", "about", "around"]);
    let amount = match cursor.peek_number() {
        Some(value) => {
            cursor.advance();
            Some(value)
        }
        None => {
            if cursor.eat_all(&["half", "a"]) || cursor.eat_all(&["a", "half"]) {
                Some(0.5)
            } else if cursor.eat_all(&["a", "couple", "of"]) {
                Some(2.0)
            } else if cursor.eat_all(&["a", "few"]) || cursor.eat("some") {
                Some(MOMENT_SECONDS)
            } else if cursor.eat_any(&["a", "one", "another"]) {
                Some(1.0)
            } else {
                #[expect(clippy::cast_precision_loss, reason = "a count up to ten")]
                let count = lexicon::count(cursor.peek()).map(|n| n as f64);
                if count.is_some() {
                    cursor.advance();
                }
                count
            }
        }
    };
    let unit = if cursor.eat_any(&["second", "seconds", "sec", "secs", "s"]) {
        1.0
    } else if cursor.eat_any(&["minute", "minutes", "min", "mins"]) {
        60.0
    } else if cursor.eat_any(&["hour", "hours"]) {
        3600.0
    } else if cursor.eat_any(&["moment", "moments", "bit", "while", "time"]) {
        return (false, MOMENT_SECONDS);
    } else {
        return (false, amount.unwrap_or(MOMENT_SECONDS));
    };
    (
        amount.is_some(),
        amount.map_or(MOMENT_SECONDS, |n| n * unit),
    )
}

/// "on top of each other", "in a tower", "into one tall stack".
pub(super) fn on_each_other(cursor: &mut Cursor<'_>) -> bool {
    let said = cursor.eat_phrase(&[
        &["on", "top", "of", "each", "other"],
        &["on", "top", "of", "one", "another"],
        &["on", "each", "other"],
        &["on", "one", "another"],
        &["one", "on", "top", "of", "the", "other"],
    ]);
    let mut ahead = cursor.clone();
    let is_tower = ahead.eat_any(&["in", "into", "as"]) && ahead.eat_any(&["a", "one"]) && {
        ahead.eat_any(&["big", "tall", "small", "nice", "high", "single"]);
        ahead.eat_any(&["tower", "stack", "pile", "column"])
    };
    if is_tower {
        *cursor = ahead;
    }
    said || is_tower
}

pub(super) fn stack(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    cursor.eat("up");
    let objects = noun_group(cursor, vocabulary)?;
    while on_each_other(cursor) || cursor.eat("up") {}
    let (preps, way) = tails(cursor, vocabulary);
    if preps.is_empty() {
        return Some(Command::Tower(Some(objects)));
    }
    Some(Command::Put {
        object: objects,
        preps,
        way,
        down: false,
        is_move: false,
    })
}

pub(super) fn build(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    if cursor.eat_all(&["sure", "that"]) || cursor.eat("sure") {
        return ensure(cursor, vocabulary);
    }
    cursor.eat_any(&["a", "the"]);
    cursor.eat_any(&["big", "tall", "small", "nice", "high"]);
    if !cursor.eat_any(&["tower", "stack", "pile", "column"]) {
        return None;
    }
    if !cursor.eat_phrase(&[&["out", "of"], &["of"], &["from"], &["with"], &["using"]]) {
        return Some(Command::Tower(None));
    }
    Some(Command::Tower(noun_group(cursor, vocabulary)))
}

/// "make sure the drawer is open", "… the red block is in the bowl".
pub(super) fn ensure(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let object = noun_group(cursor, vocabulary)?;
    if !cursor.eat_any(&["is", "are"]) {
        return None;
    }
    if cursor.eat_any(&["open", "opened"]) {
        return Some(Command::Open(object));
    }
    if cursor.eat_any(&["closed", "shut"]) {
        return Some(Command::Close(object));
    }
    let (preps, way) = tails(cursor, vocabulary);
    (!preps.is_empty()).then_some(Command::Put {
        object,
        preps,
        way,
        down: false,
        is_move: false,
    })
}

pub(super) fn clear(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    cursor.eat("up");
    cursor.eat("off");
    let table = cursor.eat_phrase(&[
        &["the", "table"],
        &["this", "table"],
        &["the", "desk"],
        &["the", "workspace"],
        &["the", "mess"],
        &["this", "mess"],
        &["this", "up"],
        &["everything"],
        &["table"],
        &["it", "all"],
    ]);
    if table || bare(cursor) {
        cursor.eat("up");
        return Some(Command::TidyUp(None));
    }
    let group = noun_group(cursor, vocabulary)?;
    cursor.eat_any(&["up", "away"]);
    let container = |head: &Head| {
        *head == Head::Kind("bowl".to_owned()) || *head == Head::Kind("drawer".to_owned())
    };
    if group.members.iter().all(|m| container(&m.head)) {
        return Some(Command::Empty(group));
    }
    Some(Command::TidyUp(Some(group)))
}

pub(super) fn fill(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let start = cursor.at;
    let container = noun_phrase(cursor, vocabulary)?;
    let mut object = if cursor.eat("with") {
        noun_group(cursor, vocabulary)?
    } else {
        let mut all = it_at(cursor.at);
        all.head = Head::Kind("block".to_owned());
        all.quantity = Quantity::All;
        NounGroup {
            members: vec![all],
            either: false,
        }
    };
    for member in &mut object.members {
        if member.plural && member.quantity == Quantity::The {
            member.quantity = Quantity::All;
        }
    }
    Some(Command::Put {
        object,
        preps: vec![Prep {
            span: (start, cursor.at),
            kind: PrepKind::In,
            place: PlaceRef::Object(Box::new(container)),
            motion: true,
        }],
        way: None,
        down: false,
        is_move: false,
    })
}
