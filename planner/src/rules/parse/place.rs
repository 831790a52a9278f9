//! Prepositions, regions, sides and directions.

use vola_types::{Direction, Region};

use super::noun::noun_phrase;
use super::vocabulary::Vocabulary;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::{Head, NounPhrase, PlaceRef, Prep, PrepKind, Quantity, Side};

/// Prepositions, longest first.
const PREPOSITIONS: &[(&[&str], PrepKind)] = &[
    (&["to", "the", "left", "side", "of"], PrepKind::LeftOf),
    (&["on", "the", "left", "side", "of"], PrepKind::LeftOf),
    (&["to", "the", "right", "side", "of"], PrepKind::RightOf),
    (&["on", "the", "right", "side", "of"], PrepKind::RightOf),
    (&["to", "the", "left", "of"], PrepKind::LeftOf),
    (&["on", "the", "left", "of"], PrepKind::LeftOf),
    (&["at", "the", "left", "of"], PrepKind::LeftOf),
    (&["to", "the", "right", "of"], PrepKind::RightOf),
    (&["on", "the", "right", "of"], PrepKind::RightOf),
    (&["at", "the", "right", "of"], PrepKind::RightOf),
    (&["in", "the", "front", "of"], PrepKind::InFrontOf),
    (&["in", "front", "of"], PrepKind::InFrontOf),
    (&["to", "the", "front", "of"], PrepKind::InFrontOf),
    (&["at", "the", "back", "of"], PrepKind::Behind),
    (&["to", "the", "back", "of"], PrepKind::Behind),
    (&["in", "back", "of"], PrepKind::Behind),
    (&["on", "the", "top", "of"], PrepKind::On),
    (&["on", "top", "of"], PrepKind::On),
    (&["in", "between"], PrepKind::Between),
    (&["to", "left", "of"], PrepKind::LeftOf),
    (&["to", "right", "of"], PrepKind::RightOf),
    (&["left", "of"], PrepKind::LeftOf),
    (&["right", "of"], PrepKind::RightOf),
    (&["next", "to"], PrepKind::NextTo),
    (&["close", "to"], PrepKind::NextTo),
    (&["near", "to"], PrepKind::NextTo),
    (&["adjacent", "to"], PrepKind::NextTo),
    (&["out", "of"], PrepKind::From),
    (&["off", "of"], PrepKind::From),
    (&["inside", "of"], PrepKind::In),
    (&["in", "to"], PrepKind::In),
    (&["on", "to"], PrepKind::On),
    (&["over", "to"], PrepKind::To),
    (&["back", "to"], PrepKind::To),
    (&["back", "in"], PrepKind::In),
    (&["back", "into"], PrepKind::In),
    (&["back", "on"], PrepKind::On),
    (&["back", "onto"], PrepKind::On),
    (&["up", "to"], PrepKind::To),
    (&["behind"], PrepKind::Behind),
    (&["beside"], PrepKind::NextTo),
    (&["besides"], PrepKind::NextTo),
    (&["alongside"], PrepKind::NextTo),
    (&["with"], PrepKind::NextTo),
    (&["near"], PrepKind::NextTo),
    (&["by"], PrepKind::NextTo),
    (&["onto"], PrepKind::On),
    (&["upon"], PrepKind::On),
    (&["atop"], PrepKind::On),
    (&["on"], PrepKind::On),
    (&["above"], PrepKind::Above),
    (&["over"], PrepKind::Above),
    (&["into"], PrepKind::In),
    (&["inside"], PrepKind::In),
    (&["within"], PrepKind::In),
    (&["in"], PrepKind::In),
    (&["from"], PrepKind::From),
    (&["off"], PrepKind::From),
    (&["under"], PrepKind::Under),
    (&["below"], PrepKind::Under),
    (&["beneath"], PrepKind::Under),
    (&["underneath"], PrepKind::Under),
    (&["between"], PrepKind::Between),
    (&["towards"], PrepKind::To),
    (&["toward"], PrepKind::To),
    (&["to"], PrepKind::To),
    (&["at"], PrepKind::To),
];

/// Reads a preposition with its place.
pub(in crate::rules) fn prep(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Prep> {
    let start = cursor.at;
    if is_time(cursor) {
        return None;
    }
    if let Some(beside) = beside_it(cursor) {
        return Some(beside);
    }
    for (words, kind) in PREPOSITIONS {
        if !cursor.eat_all(words) {
            continue;
        }
        cursor.eat_any(&["only", "exactly"]);
        let place = if *kind == PrepKind::Between {
            pair(cursor, vocabulary)
        } else if *kind == PrepKind::From && pile(cursor) {
            Some(PlaceRef::Object(Box::new(other_blocks(start))))
        } else {
            place_ref(cursor, vocabulary)
        };
        if let Some(place) = place {
            let (kind, place) = settle(*kind, place);
            let motion = kind == PrepKind::To && words.last() != Some(&"at")
                || matches!(words.last(), Some(&"into" | &"onto"))
                || matches!(*words, ["in" | "on" | "over" | "up", "to"]);
            return Some(Prep {
                span: (start, cursor.at),
                kind,
                place,
                motion,
            });
        }
        cursor.at = start;
    }
    in_it(cursor)
}

/// "the stack", "that pile": whatever lies on another block is on it.
fn pile(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    ahead.eat_any(&["the", "that", "this", "your", "my"]);
    let is_pile = ahead.eat_any(&["stack", "pile", "tower", "heap"]);
    if is_pile {
        *cursor = ahead;
    }
    is_pile
}

fn other_blocks(at: usize) -> NounPhrase {
    let mut blocks = NounPhrase::new(at, Head::Kind("block".to_owned()));
    blocks.quantity = Quantity::All;
    blocks.plural = true;
    blocks
}

/// "open the drawer and put the red block in": in what was spoken of.
fn in_it(cursor: &mut Cursor<'_>) -> Option<Prep> {
    let start = cursor.at;
    let led = cursor.eat_any(&["inside", "in"]);
    let ends = cursor.at_end()
        || matches!(
            cursor.peek(),
            "," | "." | "and" | "then" | "first" | "last" | "before" | "after" | "but" | "instead"
        );
    if !led || !ends {
        cursor.at = start;
        return None;
    }
    Some(Prep {
        span: (start, cursor.at),
        kind: PrepKind::In,
        place: PlaceRef::Object(Box::new(it_at(start))),
        motion: true,
    })
}

/// "at the end" is when, not where.
fn is_time(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    let ends = ahead.eat_phrase(&[
        &["at", "the", "very", "end"],
        &["at", "the", "end"],
        &["in", "the", "end"],
        &["for", "the", "end"],
        &["at", "last"],
    ]);
    ends && ahead.peek() != "of"
}

/// "to its right", "by its side".
fn beside_it(cursor: &mut Cursor<'_>) -> Option<Prep> {
    const SIDES: [(&str, PrepKind); 7] = [
        ("left", PrepKind::LeftOf),
        ("lefthand", PrepKind::LeftOf),
        ("right", PrepKind::RightOf),
        ("righthand", PrepKind::RightOf),
        ("front", PrepKind::InFrontOf),
        ("back", PrepKind::Behind),
        ("side", PrepKind::NextTo),
    ];
    let start = cursor.at;
    let mut ahead = cursor.clone();
    if !ahead.eat_any(&["to", "on", "at", "by", "in"]) || !ahead.eat("its") {
        return None;
    }
    let (_, kind) = SIDES.iter().find(|(word, _)| ahead.eat(word))?;
    ahead.eat("hand");
    ahead.eat("side");
    *cursor = ahead;
    Some(Prep {
        span: (start, cursor.at),
        kind: *kind,
        place: PlaceRef::Object(Box::new(it_at(start))),
        motion: true,
    })
}

/// Reads a region that no preposition announces ("put it top left").
pub(in crate::rules) fn bare_region(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
) -> Option<Prep> {
    let start = cursor.at;
    let place = if cursor.eat_any(&["here", "there"]) {
        PlaceRef::There
    } else {
        region_or_side(cursor, vocabulary)?
    };
    if matches!(place, PlaceRef::Side(_)) || cursor.peek() == "of" {
        cursor.at = start;
        return None;
    }
    Some(Prep {
        span: (start, cursor.at),
        kind: PrepKind::On,
        place,
        motion: true,
    })
}

/// "left of the table" is a side of the table, not a spot beside it.
fn settle(kind: PrepKind, place: PlaceRef) -> (PrepKind, PlaceRef) {
    if place != PlaceRef::Table {
        return (kind, place);
    }
    let region = match kind {
        PrepKind::LeftOf => Region::Left,
        PrepKind::RightOf => Region::Right,
        PrepKind::InFrontOf => Region::Bottom,
        PrepKind::Behind => Region::Top,
        _ => return (kind, place),
    };
    (PrepKind::On, PlaceRef::Regions(vec![region]))
}

fn pair(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<PlaceRef> {
    let first = noun_phrase(cursor, vocabulary)?;
    if !cursor.eat("and") {
        // "between the two blocks"
        return Some(PlaceRef::Pair(Box::new(first.clone()), Box::new(first)));
    }
    let second = noun_phrase(cursor, vocabulary)?;
    Some(PlaceRef::Pair(Box::new(first), Box::new(second)))
}

fn place_ref(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<PlaceRef> {
    if let Some(place) = region_or_side(cursor, vocabulary) {
        return Some(place);
    }
    let hand = cursor.eat_phrase(&[
        &["your", "gripper"],
        &["your", "hand"],
        &["the", "gripper"],
        &["your", "claw"],
        &["your", "fingers"],
        &["your", "hands"],
    ]);
    if hand {
        return Some(PlaceRef::Hand);
    }
    let table = cursor.eat_phrase(&[
        &["the", "table", "top"],
        &["the", "tabletop"],
        &["the", "table"],
        &["the", "desk"],
        &["the", "surface"],
        &["table"],
    ]);
    if table {
        return Some(PlaceRef::Table);
    }
    if cursor.eat_any(&["me", "us", "you", "yourself", "myself", "robot"]) {
        return Some(PlaceRef::Me);
    }
    if cursor.eat_any(&["there", "here"]) {
        return Some(PlaceRef::There);
    }
    noun_phrase(cursor, vocabulary).map(|np| PlaceRef::Object(Box::new(np)))
}

/// A word that names a row, a column or the middle of the table.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Row(Side),
    Column(Side),
    Middle,
}

fn part(word: &str) -> Option<Part> {
    match word {
        "top" | "upper" | "far" | "back" | "rear" | "farther" | "further" | "north" => {
            Some(Part::Row(Side::Far))
        }
        "bottom" | "lower" | "near" | "front" | "close" | "nearer" | "closer" | "south" => {
            Some(Part::Row(Side::Near))
        }
        "left" | "lefthand" | "west" => Some(Part::Column(Side::Left)),
        "right" | "righthand" | "east" => Some(Part::Column(Side::Right)),
        "middle" | "center" | "centre" | "central" => Some(Part::Middle),
        _ => None,
    }
}

/// Reads "the top left corner", "the middle of the table", "the left".
fn region_or_side(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<PlaceRef> {
    let start = cursor.at;
    let article = cursor.eat_any(&["the", "a", "any", "your", "my", "its", "one"]);
    let mut parts: Vec<Part> = Vec::new();
    while let Some(part) = part(cursor.peek()) {
        cursor.advance();
        cursor.eat("hand");
        parts.push(part);
        if parts.len() == 3 {
            break;
        }
    }
    let corner = cursor.eat_any(&["corner", "corners"]);
    let edge = !corner && parts.is_empty() && cursor.eat_any(&["edge", "side"]);
    let sided = corner
        || edge
        || cursor.eat_any(&[
            "side", "edge", "end", "part", "half", "third", "area", "region", "section", "zone",
            "spot", "position",
        ]);
    // "the left block" is a noun phrase; so is "the far one".
    let noun_follows = vocabulary.is_head(cursor)
        || lexicon::color(cursor.peek()).is_some()
        || matches!(cursor.peek(), "one" | "ones" | "two" | "three" | "most");
    if (parts.is_empty() && !corner && !edge)
        || noun_follows
        || (!article && !sided && parts.len() > 2)
    {
        cursor.at = start;
        return None;
    }
    let of_table = cursor.eat_phrase(&[
        &["of", "the", "table"],
        &["on", "the", "table"],
        &["of", "the", "desk"],
        &["of", "table"],
        &["of", "the", "workspace"],
    ]);
    let anywhere = parts.is_empty() && !corner;
    let place = if anywhere {
        // "the edge of the table": which one is not said.
        Some(PlaceRef::Regions(vec![
            Region::Left,
            Region::Right,
            Region::Top,
            Region::Bottom,
        ]))
    } else {
        place_of(&parts, corner, sided || of_table)
    };
    if place.is_none() {
        cursor.at = start;
    }
    place
}

fn place_of(parts: &[Part], corner: bool, sided: bool) -> Option<PlaceRef> {
    let row = parts.iter().find_map(|p| match p {
        Part::Row(side) => Some(*side),
        _ => None,
    });
    let column = parts.iter().find_map(|p| match p {
        Part::Column(side) => Some(*side),
        _ => None,
    });
    let regions = match (row, column) {
        (Some(Side::Far), Some(Side::Left)) => vec![Region::TopLeft],
        (Some(Side::Far), Some(_)) => vec![Region::TopRight],
        (Some(_), Some(Side::Left)) => vec![Region::BottomLeft],
        (Some(_), Some(_)) => vec![Region::BottomRight],
        (Some(Side::Far), None) if corner => vec![Region::TopLeft, Region::TopRight],
        (Some(_), None) if corner => vec![Region::BottomLeft, Region::BottomRight],
        (None, Some(Side::Left)) if corner => vec![Region::TopLeft, Region::BottomLeft],
        (None, Some(_)) if corner => vec![Region::TopRight, Region::BottomRight],
        (None, None) if corner => vec![
            Region::TopLeft,
            Region::TopRight,
            Region::BottomLeft,
            Region::BottomRight,
        ],
        (None, Some(side)) if !sided => return Some(PlaceRef::Side(side)),
        (None, Some(Side::Left)) => vec![Region::Left],
        (None, Some(_)) => vec![Region::Right],
        (Some(Side::Far), None) => vec![Region::Top],
        (Some(_), None) => vec![Region::Bottom],
        (None, None) if parts.contains(&Part::Middle) => vec![Region::Middle],
        (None, None) => return None,
    };
    Some(PlaceRef::Regions(regions))
}

/// Reads a direction: "left", "to the left", "away", "towards me".
pub(in crate::rules) fn way(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Direction> {
    let start = cursor.at;
    let toward_robot: &[&[&str]] = &[
        &["towards", "me"],
        &["toward", "me"],
        &["towards", "you"],
        &["toward", "you"],
        &["towards", "yourself"],
        &["toward", "yourself"],
        &["towards", "the", "robot"],
        &["towards", "us"],
        &["to", "me"],
        &["to", "yourself"],
        &["closer", "to", "me"],
        &["closer", "to", "you"],
        &["closer"],
        &["nearer"],
        &["backwards"],
        &["backward"],
        &["to", "the", "back"],
    ];
    let away: &[&[&str]] = &[
        &["away", "from", "you"],
        &["away", "from", "me"],
        &["away", "from", "us"],
        &["away", "from", "yourself"],
        &["away", "from", "the", "robot"],
        &["farther", "away"],
        &["further", "away"],
        &["away"],
        &["forward"],
        &["forwards"],
        &["ahead"],
        &["farther"],
        &["further"],
    ];
    // "further to the left", "more right"
    let is_more = matches!(cursor.peek(), "further" | "farther" | "more")
        && (matches!(cursor.peek_at(1), "left" | "right" | "back")
            || cursor.peek_at(1) == "to" && cursor.peek_at(2) == "the");
    cursor.at += usize::from(is_more);
    let direction = if cursor.eat_phrase(toward_robot) {
        // "to the back of the table" is a place.
        (cursor.peek() != "of").then_some(Direction::Back)
    } else if cursor.eat_phrase(away) {
        Some(Direction::Forward)
    } else {
        sideways(cursor, vocabulary)
    };
    if direction.is_none() {
        cursor.at = start;
    }
    direction
}

fn sideways(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Direction> {
    let articled = cursor.eat_phrase(&[
        &["to", "the"],
        &["to", "your"],
        &["to", "my"],
        &["towards", "the"],
        &["toward", "the"],
    ]);
    let direction = match cursor.peek() {
        "left" | "leftward" | "leftwards" => Direction::Left,
        "right" | "rightward" | "rightwards" => Direction::Right,
        "back" if !articled => Direction::Back,
        _ => return None,
    };
    cursor.advance();
    // "to the left side", "left of the bowl", "back in the bowl" are places.
    let place = matches!(
        cursor.peek(),
        "of" | "side"
            | "edge"
            | "corner"
            | "end"
            | "half"
            | "hand"
            | "part"
            | "in"
            | "into"
            | "on"
            | "onto"
            | "to"
            | "area"
            | "region"
            | "next"
            | "beside"
            | "behind"
            | "by"
            | "there"
    ) || vocabulary.is_head(cursor)
        || cursor.peek() == "one";
    (!place).then_some(direction)
}

/// Whether a noun phrase can stand as the target of "on the left" and the
/// like: used to tell a bare side from an adjective.
pub(in crate::rules) fn side_adjective(word: &str) -> Option<Side> {
    match part(word)? {
        Part::Row(side) | Part::Column(side) => Some(side),
        Part::Middle => Some(Side::Middle),
    }
}

/// The pronoun "there" and the like, as an object.
pub(in crate::rules) fn it_at(at: usize) -> super::super::syntax::NounPhrase {
    super::super::syntax::NounPhrase::new(at, Head::It)
}
