//! "Sort", "match", "arrange", "group", "divide": each into the bowl of its colour, a
//! tower, or some other place that is said.

use super::super::noun::noun_group;
use super::super::place::{bare_region, prep, way};
use super::super::vocabulary::Vocabulary;
use super::arrange::on_each_other;
use super::particles;
use crate::rules::cursor::Cursor;
use crate::rules::syntax::{Command, Head, NounPhrase, PlaceRef, Prep, PrepKind};

/// What a verb of order says by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// "sort", "organise": by colour, unless another place is said.
    Sorts,
    /// "match": one thing with another.
    Matches,
    /// "arrange", "group", "divide": nothing of how or where.
    Arranges,
}

impl Order {
    fn of(verb: &str) -> Self {
        let begins = |stem: &&str| verb.starts_with(*stem);
        if ["arrang", "group", "divid"].iter().any(begins) {
            Self::Arranges
        } else if verb.starts_with("match") {
            Self::Matches
        } else {
            Self::Sorts
        }
    }
}

/// Reads what follows a verb of order. A place that is no bowl of the thing's own
/// colour is where it goes; "arrange the blocks" alone says too little.
pub(super) fn sort(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    verb: &str,
) -> Option<Command> {
    let order = Order::of(verb);
    let objects = noun_group(cursor, vocabulary);
    let mut is_by_color = false;
    let (mut preps, mut direction): (Vec<Prep>, _) = (Vec::new(), None);
    let (mut has_bowls, mut has_own) = (false, false);
    loop {
        particles(cursor);
        if by_color(cursor) {
            is_by_color = true;
            continue;
        }
        if preps.is_empty() && !has_bowls && on_each_other(cursor) {
            return objects.map(|objects| Command::Tower(Some(objects)));
        }
        if direction.is_none()
            && let Some(found) = way(cursor, vocabulary)
        {
            direction = Some(found);
            continue;
        }
        let begun = cursor.at;
        let Some(place) = prep(cursor, vocabulary).or_else(|| bare_region(cursor, vocabulary))
        else {
            break;
        };
        let is_own = is_own(&place)
            || is_bowl(&place)
                && ["its", "their", "own"]
                    .iter()
                    .any(|word| cursor.has_read(begun, word));
        has_own |= is_own;
        if is_own || are_all_bowls(&place) {
            has_bowls = true;
        } else if !(order != Order::Arranges && is_on_table(&place)) {
            preps.push(place);
        }
    }
    if preps.is_empty() && direction.is_none() {
        let is_sorted = is_by_color || has_own || order != Order::Arranges;
        return match objects {
            Some(objects) if !is_sorted => Some(Command::TidyUp(Some(objects))),
            None if !is_sorted => None,
            objects => Some(Command::Sort(objects)),
        };
    }
    // "By colour on the left": two places for one thing.
    if is_by_color || has_bowls {
        return None;
    }
    // "Sort the blocks on the left": those there, or there?
    let is_of_which = |place: &Prep| !place.motion && !matches!(place.place, PlaceRef::Object(_));
    if order == Order::Sorts && preps.iter().all(is_of_which) {
        return None;
    }
    if order == Order::Matches {
        // "With" brings together: into what is hollow, beside what is not.
        for place in preps.iter_mut().filter(|it| it.kind == PrepKind::NextTo) {
            place.kind = PrepKind::To;
        }
    }
    Some(Command::Put {
        object: objects?,
        preps,
        way: direction,
        down: false,
        is_move: false,
    })
}

fn by_color(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_phrase(&[
        &["by", "their", "color"],
        &["by", "their", "colour"],
        &["by", "color"],
        &["by", "colour"],
        &["according", "to", "color"],
        &["according", "to", "colour"],
        &["according", "to", "their", "color"],
        &["according", "to", "their", "colour"],
        &["accordingly"],
    ])
}

fn named(place: &Prep) -> Option<&NounPhrase> {
    let goes_in = matches!(
        place.kind,
        PrepKind::In | PrepKind::On | PrepKind::To | PrepKind::NextTo
    );
    match &place.place {
        PlaceRef::Object(phrase) if goes_in => Some(phrase),
        PlaceRef::Pair(one, other) if one == other => Some(one),
        _ => None,
    }
}

fn is_bowl(place: &Prep) -> bool {
    named(place).is_some_and(|it| it.head == Head::Kind("bowl".to_owned()))
}

/// "the matching bowls", "the bowl of its colour".
fn is_own(place: &Prep) -> bool {
    named(place).is_some_and(|phrase| phrase.same_color)
}

/// "the bowls", "two bowls", and nothing that says which.
fn are_all_bowls(place: &Prep) -> bool {
    is_bowl(place)
        && named(place).is_some_and(|phrase| {
            phrase.is_group()
                && phrase.colors.is_empty()
                && phrase.not_colors.is_empty()
                && phrase.sides.is_empty()
                && phrase.conditions.is_empty()
                && phrase.superlative.is_none()
                && phrase.state.is_none()
                && phrase.except.is_none()
        })
}

/// "the blocks on the table": which ones, and all of them lie there.
fn is_on_table(place: &Prep) -> bool {
    place.place == PlaceRef::Table && !place.motion
}
