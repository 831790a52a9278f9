//! Clauses whose verb goes without saying: "the red block into the bowl", "in the
//! blue bowl, the green one", "the red bowl gets the yellow block", and lists that
//! belong together one by one ("respectively").

use super::super::noun::{noun_group, noun_phrase};
use super::super::place::prep;
use super::super::vocabulary::Vocabulary;
use super::handle::and_then;
use super::tails;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon::{self, Verb};
use crate::rules::syntax::{Command, Head, NounGroup, NounPhrase, PlaceRef, Prep, PrepKind};

/// That a place is given something.
const GETS: &[&[&str]] = &[
    &["gets"],
    &["get"],
    &["receives"],
    &["takes"],
    &["should", "get"],
    &["should", "have"],
    &["should", "hold"],
    &["should", "contain"],
    &["should", "carry"],
    &["should", "receive"],
    &["should", "end", "up", "with"],
    &["must", "hold"],
    &["must", "have"],
    &["is", "for"],
    &["is", "where", "i", "want"],
    &["is", "where", "i", "need"],
    &["is", "where"],
    &["wants"],
    &["lacks"],
    &["could", "use"],
    &["must", "contain"],
    &["ought", "to", "contain"],
    &["ought", "to", "hold"],
    &["is", "the", "place", "for"],
    &["needs"],
];

/// That something comes to a place that was named first.
const COMES: &[&[&str]] = &[
    &["goes"],
    &["go"],
    &["comes"],
    &["come"],
    &["belongs"],
    &["belong"],
    &["should", "be"],
    &["should", "go"],
    &["there", "should", "be"],
    &["i", "want"],
    &["put"],
    &["place"],
];

fn ends(cursor: &Cursor<'_>) -> bool {
    cursor.at_end()
        || matches!(
            cursor.peek(),
            "," | "."
                | "?"
                | "and"
                | "then"
                | "but"
                | "after"
                | "before"
                | "once"
                | "first"
                | "last"
        )
}

/// "the red block into the bowl"
pub(super) fn fragment(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let mut object = noun_group(cursor, vocabulary)?;
    if let Some(more) = and_then(cursor, vocabulary) {
        object.members.extend(more.members);
    }
    cursor.eat_any(&[",", "?"]);
    let (preps, way) = tails(cursor, vocabulary);
    if !ends(cursor) {
        return None;
    }
    if way.is_some() {
        return Some(Command::Push { object, preps, way });
    }
    let leads = preps.iter().any(|prep| prep.kind != PrepKind::From);
    leads.then(|| put(object, preps))
}

/// "into the blue bowl goes the red block", "on the yellow block: the green one"
pub(super) fn fronted(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let place = prep(cursor, vocabulary)?;
    if place.kind == PrepKind::From {
        return None;
    }
    let is_marked = cursor.eat(",");
    let is_told = cursor.eat_phrase(COMES);
    if !is_marked && !is_told {
        return None;
    }
    let object = noun_group(cursor, vocabulary)?;
    ends(cursor).then(|| put(object, vec![place]))
}

/// "the blue bowl gets the red block", "the green block gets the red one on top"
pub(super) fn gets(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let start = cursor.at;
    let place = noun_phrase(cursor, vocabulary)?;
    if place.is_group() || !cursor.eat_phrase(GETS) {
        return None;
    }
    let begun = cursor.at;
    // "… gets the red block and the red bowl gets …": the first of a list may be all.
    for is_list in [true, false] {
        cursor.at = begun;
        let object = if is_list {
            noun_group(cursor, vocabulary)?
        } else {
            alone(noun_phrase(cursor, vocabulary)?)
        };
        let side = beside(cursor);
        if side.is_none() {
            cursor.eat_phrase(&[
                &["on", "top", "of", "it"],
                &["on", "top"],
                &["in", "it"],
                &["inside", "it"],
                &["inside"],
                &["on", "it"],
                &["in"],
            ]);
        } else {
            cursor.eat_phrase(&[&["of", "it"]]);
        }
        cursor.eat_any(&["goes", "belongs"]);
        if ends(cursor) {
            let span = (start, cursor.at);
            let kind = side.unwrap_or(holding(&place));
            let place = PlaceRef::Object(Box::new(place));
            let motion = true;
            let prep = Prep {
                span,
                kind,
                place,
                motion,
            };
            return Some(put(object, vec![prep]));
        }
    }
    None
}

/// "… on its left"
fn beside(cursor: &mut Cursor<'_>) -> Option<PrepKind> {
    const SIDES: [(&[&str], PrepKind); 6] = [
        (&["its", "left"], PrepKind::LeftOf),
        (&["its", "right"], PrepKind::RightOf),
        (&["the", "left"], PrepKind::LeftOf),
        (&["the", "right"], PrepKind::RightOf),
        (&["in", "front"], PrepKind::InFrontOf),
        (&["behind"], PrepKind::Behind),
    ];
    let mut ahead = cursor.clone();
    ahead.eat_any(&["on", "to", "at"]);
    let (_, side) = SIDES.iter().find(|(words, _)| ahead.eat_all(words))?;
    ahead.eat_any(&["of", "side"]);
    ahead.eat("it");
    *cursor = ahead;
    Some(*side)
}

/// Things go into what holds them, and onto others.
fn holding(place: &NounPhrase) -> PrepKind {
    match &place.head {
        Head::Kind(kind) if kind == "block" => PrepKind::On,
        Head::Kind(_) => PrepKind::In,
        _ => PrepKind::On,
    }
}

/// "put A and B in C and D respectively", "A and B go into C and D in that order"
pub(super) fn respectively(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let mut ahead = cursor.clone();
    let commands = one_by_one(&mut ahead, vocabulary)?;
    *cursor = ahead;
    Some(Command::Several(commands))
}

fn one_by_one(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Vec<Command>> {
    let verb = lexicon::verb(cursor.peek());
    if matches!(verb, Some(Verb::Put | Verb::Move | Verb::Drop)) {
        cursor.advance();
    } else if verb.is_some() && !vocabulary.is_head(cursor) {
        return None;
    }
    let group = noun_group(cursor, vocabulary)?;
    let count = group.members.len();
    if count < 2 || group.either {
        return None;
    }
    cursor.eat(",");
    let mut is_said = cursor.eat_phrase(&[&["in", "that", "order"], &["in", "this", "order"]]);
    cursor.eat(",");
    cursor.eat_phrase(COMES);
    let mut places = vec![prep(cursor, vocabulary)?];
    while places.len() < count {
        cursor.eat(",");
        cursor.eat("and");
        let next = match prep(cursor, vocabulary) {
            Some(place) => place,
            // "in C and D": the preposition is said once.
            None => Prep {
                span: (cursor.at, cursor.at + 1),
                kind: places[0].kind,
                place: PlaceRef::Object(Box::new(noun_phrase(cursor, vocabulary)?)),
                motion: true,
            },
        };
        places.push(next);
    }
    cursor.eat(",");
    is_said |= cursor.eat_phrase(&[
        &["respectively"],
        &["in", "that", "order"],
        &["in", "this", "order"],
    ]);
    if !is_said {
        return None;
    }
    let pairs = group.members.into_iter().zip(places);
    Some(
        pairs
            .map(|(member, place)| put(alone(member), vec![place]))
            .collect(),
    )
}

fn alone(member: NounPhrase) -> NounGroup {
    NounGroup {
        members: vec![member],
        either: false,
    }
}

fn put(object: NounGroup, preps: Vec<Prep>) -> Command {
    Command::Put {
        object,
        preps,
        way: None,
        down: false,
        is_move: false,
    }
}
