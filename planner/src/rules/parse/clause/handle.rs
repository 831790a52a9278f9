//! Verbs that handle one thing: put, take, push, move, give, release.

use vola_types::Direction;

use super::super::noun::{noun_group, noun_phrase, trailing_exceptions};
use super::super::place::{prep, side_adjective};
use super::super::vocabulary::Vocabulary;
use super::arrange::{elapsed, on_each_other};
use super::deny::alternative;
use super::wish::done_with;
use super::{bare, implied, skip_to_connector, tails};
use crate::rules::cursor::Cursor;
use crate::rules::lexicon::Verb;
use crate::rules::syntax::{Command, Head, NounGroup, PlaceRef, Prep, PrepKind};

pub(super) fn transfer(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    verb: Verb,
) -> Option<Command> {
    let mut down = cursor.eat("down");
    if !down {
        cursor.eat_any(&["back", "away"]);
    }
    if verb == Verb::Want {
        cursor.eat_phrase(&[
            &["to", "see"],
            &["to", "have"],
            &["to", "find"],
            &["to", "get"],
        ]);
    }
    // "put into the blue bowl the red block"
    let start = cursor.at;
    let early = prep(cursor, vocabulary);
    let object = match noun_group(cursor, vocabulary) {
        Some(object) => object,
        None if early.is_some() || down || verb == Verb::Drop => implied(cursor),
        None => {
            cursor.at = start;
            return None;
        }
    };
    if verb == Verb::Put && cursor.eat("alone") {
        return Some(Command::Leave(object));
    }
    down |= cursor.eat("down");
    let away = cursor.peek() == "away" && cursor.peek_at(1) != "from";
    if away {
        cursor.advance();
    }
    if on_each_other(cursor) {
        return Some(Command::Tower(Some(object)));
    }
    if verb == Verb::Want
        && let Some(wished) = wished(cursor, vocabulary, &object)
    {
        return Some(wished);
    }
    // "Put it back": where it was, which nobody knows here.
    let is_back = verb == Verb::Put && cursor.peek() == "back" && bare(&after(cursor));
    cursor.at += usize::from(is_back);
    cursor.eat_all(&["to", "be"]);
    let (mut preps, mut way) = tails(cursor, vocabulary);
    let mut object = object;
    if preps.is_empty()
        && way.is_none()
        && early.is_none()
        && let Some(more) = and_then(cursor, vocabulary)
    {
        object.members.extend(more.members);
        (preps, way) = tails(cursor, vocabulary);
    }
    let object = without(cursor, vocabulary, object);
    preps.extend(early);
    if away && preps.is_empty() {
        return Some(Command::TidyUp(Some(object)));
    }
    Some(Command::Put {
        object,
        preps,
        way,
        down: down || verb == Verb::Drop,
        // "I want it closer to you"
        is_move: verb == Verb::Want,
    })
}

/// "put the red block, then the green one, then the blue one in the bowl": the
/// things that follow, where a place follows them.
pub(super) fn and_then(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<NounGroup> {
    let start = cursor.at;
    let mut members = Vec::new();
    loop {
        let begun = cursor.at;
        cursor.eat(",");
        cursor.eat("and");
        let next = (cursor.eat("then") && !vocabulary.starts_clause(cursor))
            .then(|| noun_group(cursor, vocabulary))
            .flatten();
        match next {
            Some(group) => members.extend(group.members),
            None => {
                cursor.at = begun;
                break;
            }
        }
    }
    let has_place = prep(&mut cursor.clone(), vocabulary).is_some();
    if members.is_empty() || !has_place {
        cursor.at = start;
        return None;
    }
    Some(NounGroup {
        members,
        either: false,
    })
}

/// "I want it to be in the bowl", "… pushed to the left", "… open"
fn wished(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary, object: &NounGroup) -> Option<Command> {
    let start = cursor.at;
    cursor.eat_phrase(&[
        &["to", "be"],
        &["to", "go"],
        &["to", "come"],
        &["to", "move"],
        &["to", "sit"],
        &["to", "stand"],
        &["sitting"],
        &["standing"],
        &["lying"],
    ]);
    let wished = done_with(cursor, vocabulary, object.clone());
    if wished.is_none() {
        cursor.at = start;
    }
    wished
}

/// "put all blocks in the bowl except the red one": said last, meant of the blocks.
/// Of the one thing another may be denied: "…, not the red one".
fn without(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary, mut object: NounGroup) -> NounGroup {
    match object.members.as_mut_slice() {
        [all] if all.is_group() && all.except.is_none() => {
            trailing_exceptions(cursor, vocabulary, all);
        }
        [one] if !one.is_group() => {
            alternative(cursor, vocabulary);
        }
        _ => {}
    }
    object
}

pub(super) fn movement(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let own = cursor.eat_phrase(&[
        &["your", "arm"],
        &["the", "arm"],
        &["your", "hand"],
        &["the", "gripper"],
        &["your", "gripper"],
        &["the", "hand"],
        &["arm"],
        &["gripper"],
    ]);
    if !own {
        let start = cursor.at;
        if let Some(object) = noun_group(cursor, vocabulary) {
            if cursor.peek_at(1) != "from" {
                cursor.eat("away");
            }
            let (preps, way) = tails(cursor, vocabulary);
            let object = without(cursor, vocabulary, object);
            return Some(Command::Put {
                object,
                preps,
                way,
                down: false,
                is_move: true,
            });
        }
        cursor.at = start;
    }
    go(cursor, vocabulary)
}

/// "go to …", "move above …".
pub(super) fn go(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let is_above = cursor.peek() == "over" && !matches!(cursor.peek_at(1), "to" | "there");
    if is_above && let Some(to) = prep(cursor, vocabulary) {
        with_it(cursor);
        return Some(Command::MoveTo(to));
    }
    cursor.eat_any(&["back", "over"]);
    if cursor.eat("home")
        || cursor.eat_all(&["to", "your", "home"])
        || cursor.eat_all(&["to", "home"])
    {
        return Some(Command::Home);
    }
    let to = prep(cursor, vocabulary).or_else(|| {
        let start = cursor.at;
        let side = side_adjective(cursor.peek())?;
        cursor.advance();
        Some(Prep {
            span: (start, cursor.at),
            kind: PrepKind::To,
            place: PlaceRef::Side(side),
            motion: true,
        })
    })?;
    with_it(cursor);
    Some(Command::MoveTo(to))
}

/// "go above the bowl with it": the hand keeps what it holds.
fn with_it(cursor: &mut Cursor<'_>) {
    cursor.eat_phrase(&[&["with", "it"], &["with", "that"]]);
}

fn after<'a>(cursor: &Cursor<'a>) -> Cursor<'a> {
    let mut ahead = cursor.clone();
    ahead.advance();
    ahead
}

/// "return" alone is going home; with an object it is putting back.
pub(super) fn returning(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    if cursor.at_end() || matches!(cursor.peek(), "and" | "," | ".") {
        return Some(Command::Home);
    }
    if cursor.eat_any(&["the", "your"]) && cursor.eat("arm") {
        return Some(Command::Home);
    }
    transfer(cursor, vocabulary, Verb::Put)
}

pub(super) fn take(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    verb: Verb,
) -> Option<Command> {
    if cursor.eat_all(&["rid", "of"]) {
        return noun_group(cursor, vocabulary).map(|group| Command::TidyUp(Some(group)));
    }
    cursor.eat_phrase(&[&["a", "hold", "of"], &["hold", "of"], &["up"]]);
    let mut out = verb == Verb::Remove || cursor.eat("out");
    let object = match noun_group(cursor, vocabulary) {
        Some(object) => object,
        // "pick up" alone means what was spoken of.
        None if cursor.at_end() => implied(cursor),
        None => return None,
    };
    cursor.eat("up");
    // "Take it back out."
    let is_back = cursor.peek() == "back" && matches!(cursor.peek_at(1), "out" | "off");
    cursor.at += usize::from(is_back);
    out |= matches!(cursor.peek(), "out" | "off");
    if cursor.peek() == "out" && cursor.peek_at(1) != "of" {
        cursor.advance();
    }
    if cursor.peek() == "for"
        && let Some(wait) = elapsed(&mut after(cursor))
        && !out
    {
        cursor.advance();
        elapsed(cursor);
        let preps = Vec::new();
        return Some(Command::Several(vec![
            Command::Take { object, preps, out },
            wait,
        ]));
    }
    let (preps, _) = tails(cursor, vocabulary);
    // "Off the table" is into the hand.
    out &= !preps
        .iter()
        .any(|p| p.kind == PrepKind::From && p.place == PlaceRef::Table);
    if preps.iter().any(|p| p.place == PlaceRef::Me) {
        return Some(Command::Give);
    }
    if preps.iter().any(|p| p.motion && p.place != PlaceRef::Hand) {
        return Some(Command::Put {
            object,
            preps,
            way: None,
            down: false,
            is_move: false,
        });
    }
    Some(Command::Take { object, preps, out })
}

pub(super) fn push(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    verb: Verb,
) -> Option<Command> {
    let opens = cursor.eat_any(&["open", "out"]);
    let closes = !opens && cursor.eat_any(&["closed", "shut", "in", "close"]);
    let object = noun_group(cursor, vocabulary)?;
    if opens {
        return Some(Command::Open(object));
    }
    if closes {
        return Some(Command::Close(object));
    }
    let drawer = object
        .members
        .iter()
        .all(|m| m.head == Head::Kind("drawer".to_owned()));
    if cursor.eat("open")
        || (drawer && (cursor.eat("out") || (verb == Verb::Pull && !cursor.eat("in"))))
    {
        cursor.eat("out");
        return Some(Command::Open(object));
    }
    if cursor.eat_any(&["closed", "shut", "close"])
        || (drawer && (cursor.eat("in") || cursor.eat("back") || bare(cursor)))
    {
        cursor.eat("in");
        return Some(Command::Close(object));
    }
    let (preps, mut way) = tails(cursor, vocabulary);
    let object = without(cursor, vocabulary, object);
    let to_robot = |p: &Prep| p.place == PlaceRef::Me;
    if (verb == Verb::Pull && way.is_none() && preps.is_empty()) || preps.iter().any(to_robot) {
        way = Some(Direction::Back);
    }
    let preps = preps.into_iter().filter(|p| !to_robot(p)).collect();
    Some(Command::Push { object, preps, way })
}

pub(super) fn touch(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let start = cursor.at;
    if let Some(found) = prep(cursor, vocabulary) {
        return Some(Command::MoveTo(found));
    }
    let object = noun_phrase(cursor, vocabulary)?;
    Some(Command::MoveTo(Prep {
        span: (start, cursor.at),
        kind: PrepKind::Above,
        place: PlaceRef::Object(Box::new(object)),
        motion: true,
    }))
}

pub(super) fn release(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let Some(object) = noun_group(cursor, vocabulary) else {
        return Some(Command::Release);
    };
    let (preps, way) = tails(cursor, vocabulary);
    Some(Command::Put {
        object,
        preps,
        way,
        down: true,
        is_move: false,
    })
}

/// "bring me X" is a gift; "bring X to the middle" is a transfer.
pub(super) fn give(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    if cursor.eat_any(&["me", "us", "him", "her"]) || cursor.eat_all(&["over", "to", "me"]) {
        skip_to_connector(cursor, vocabulary);
        return Some(Command::Give);
    }
    let object = noun_group(cursor, vocabulary)?;
    let (preps, way) = tails(cursor, vocabulary);
    if preps.iter().any(|p| p.place == PlaceRef::Me)
        || way == Some(Direction::Back)
        || (preps.is_empty() && way.is_none())
    {
        return Some(Command::Give);
    }
    Some(Command::Put {
        object,
        preps,
        way,
        down: false,
        is_move: false,
    })
}
