//! The words of the compact language, one table each.

use vola_types::{Direction, Region};

use crate::rules::syntax::{PrepKind, Side, State};

/// Places beside, in and on an object.
pub(super) const RELATIONS: [(&str, PrepKind); 7] = [
    ("in", PrepKind::In),
    ("on", PrepKind::On),
    ("left-of", PrepKind::LeftOf),
    ("right-of", PrepKind::RightOf),
    ("front-of", PrepKind::InFrontOf),
    ("behind", PrepKind::Behind),
    ("by", PrepKind::NextTo),
];

/// Regions of the table.
pub(super) const REGIONS: [(&str, Region); 9] = [
    ("top-left", Region::TopLeft),
    ("top", Region::Top),
    ("top-right", Region::TopRight),
    ("left", Region::Left),
    ("middle", Region::Middle),
    ("right", Region::Right),
    ("bottom-left", Region::BottomLeft),
    ("bottom", Region::Bottom),
    ("bottom-right", Region::BottomRight),
];

/// "corner": one of these.
pub(super) const CORNERS: [Region; 4] = [
    Region::TopLeft,
    Region::TopRight,
    Region::BottomLeft,
    Region::BottomRight,
];

/// Extremes along a side of the table.
pub(super) const EXTREMES: [(&str, Side); 5] = [
    ("leftmost", Side::Left),
    ("rightmost", Side::Right),
    ("farmost", Side::Far),
    ("nearmost", Side::Near),
    ("midmost", Side::Middle),
];

/// Adjectives of side.
pub(super) const SIDES: [(&str, Side); 5] = [
    ("left", Side::Left),
    ("right", Side::Right),
    ("far", Side::Far),
    ("near", Side::Near),
    ("middle", Side::Middle),
];

/// Where an ordinal counts from.
pub(super) const COUNTED_FROM: [(&str, Side); 4] = [
    ("from-left", Side::Left),
    ("from-right", Side::Right),
    ("from-near", Side::Near),
    ("from-far", Side::Far),
];

/// Ordinals; the last one is whatever the count.
pub(super) const ORDINALS: [(&str, usize); 6] = [
    ("1st", 1),
    ("2nd", 2),
    ("3rd", 3),
    ("4th", 4),
    ("5th", 5),
    ("last", usize::MAX),
];

/// States of an object.
pub(super) const STATES: [(&str, State); 5] = [
    ("empty", State::Empty),
    ("full", State::Full),
    ("open", State::Open),
    ("closed", State::Closed),
    ("held", State::Held),
];

/// Ways of a push.
pub(super) const WAYS: [(&str, Direction); 4] = [
    ("left", Direction::Left),
    ("right", Direction::Right),
    ("forward", Direction::Forward),
    ("back", Direction::Back),
];

/// Kinds of the default tabletop; a scene may add its own.
pub(super) const KINDS: [&str; 3] = ["block", "bowl", "drawer"];

/// Most objects, and largest number, that a phrase may name.
pub(super) const MOST: usize = 9;

/// Looks a word up.
pub(super) fn find<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, value)| *value)
}
