//! Filters: kind, colour, state, place and extremes.

use vola_types::{Region, SceneObject, Step};

use super::{Grounder, Role};
use crate::rules::syntax::{
    Head, NounPhrase, PlaceRef, Prep, PrepKind, Quantity, Side, State, Superlative,
};
use crate::rules::trouble::Trouble;

/// Two objects nearer than this along an axis have no clear order, metres.
const TIE_M: f64 = 0.015;

impl Grounder<'_> {
    /// All objects that fit the words, left to right; quantity is not applied.
    pub(super) fn fitting(
        &self,
        phrase: &NounPhrase,
        modifiers: &[Prep],
        role: Role,
        avoid: &[String],
    ) -> Result<Vec<String>, Trouble> {
        let mut found: Vec<&SceneObject> = self
            .scene
            .objects
            .iter()
            .filter(|o| self.fits_words(o, phrase))
            // "the second from the left" counts the moved object as well.
            .filter(|o| phrase.ordinal.is_some() || !avoid.contains(&o.id))
            .collect();
        // "In a bowl, but avoid the blue one": what is to be left is not meant, unless
        // nothing else is.
        let is_used = matches!(role, Role::Movable | Role::Container);
        if is_used && phrase.ordinal.is_none() && phrase.superlative.is_none() {
            let free: Vec<&SceneObject> = found
                .iter()
                .copied()
                .filter(|o| !self.spared.contains(&o.id))
                .collect();
            if !free.is_empty() {
                found = free;
            }
        }
        if phrase.other {
            let known = self.already_meant(phrase);
            found.retain(|o| !known.contains(&o.id));
            if phrase.head == Head::One && !phrase.is_group() {
                found = self.like_the_last(found, &known, role);
            }
        }
        // "the left one … and the right one": of the look just spoken of.
        let picks_out =
            !phrase.sides.is_empty() || phrase.superlative.is_some() || phrase.ordinal.is_some();
        if phrase.head == Head::One
            && phrase.colors.is_empty()
            && picks_out
            && !phrase.other
            && let Some(last) = self.mentioned.last()
        {
            found = self.like_the_last(found, last, role);
        }
        if let Some(group) = &phrase.except {
            let mut group = (**group).clone();
            for member in &mut group.members {
                if member.head == Head::One {
                    member.head = phrase.head.clone();
                }
            }
            let out = self.group(&group, &[], Role::Landmark)?;
            found.retain(|o| !out.contains(&o.id));
        }
        for (condition, wanted) in &phrase.conditions {
            found = self.where_holds(&found, condition, *wanted, phrase)?;
        }
        for modifier in modifiers {
            found = self.where_holds(&found, modifier, true, phrase)?;
        }
        // A noun that says no kind ("one", "thing") takes the kind in use.
        if matches!(phrase.head, Head::One | Head::Anything | Head::Unknown(_)) {
            let suiting: Vec<&SceneObject> = found
                .iter()
                .copied()
                .filter(|o| self.suits(o, role))
                .collect();
            if !suiting.is_empty() {
                found = suiting;
            }
        }
        // Places are said of the table as the speaker sees it.
        found = found
            .into_iter()
            .map(|o| self.seen.object(&o.id).unwrap_or(o))
            .collect();
        if let Some(wanted) = &phrase.superlative {
            found = self.extreme(found, wanted, count_of(phrase))?;
        }
        for side in &phrase.sides {
            found = on_side(found, *side, phrase.is_group());
        }
        let mut ids = self.ids_left_to_right(&found);
        if let Some((number, side)) = phrase.ordinal {
            ids = nth(self.along(&found, side), number);
        }
        Ok(ids)
    }

    fn fits_words(&self, object: &SceneObject, phrase: &NounPhrase) -> bool {
        let kind = match &phrase.head {
            Head::Kind(kind) => object.kind == *kind,
            Head::Unknown(word) => object.kind == *word,
            Head::Id(id) => object.id == *id,
            Head::Anything | Head::One | Head::It | Head::Them => true,
        };
        let color = object.color.as_deref();
        let numbered = phrase.number.is_none_or(|number| {
            object
                .id
                .rsplit('_')
                .next()
                .and_then(|tail| tail.parse().ok())
                == Some(number)
        });
        let colored = phrase.colors.is_empty()
            || color.is_some_and(|c| phrase.colors.iter().any(|wanted| wanted == c));
        let not_colored = color.is_none_or(|c| !phrase.not_colors.iter().any(|out| out == c));
        kind && numbered
            && colored
            && not_colored
            && phrase
                .state
                .is_none_or(|state| self.has_state(object, state))
    }

    fn has_state(&self, object: &SceneObject, state: State) -> bool {
        let filled = self.scene.resting_on(&object.id).next().is_some();
        match state {
            State::Empty => !filled,
            State::Full => filled,
            State::Open => object.open == Some(true),
            State::Closed => object.open == Some(false),
            State::Held => object.is_held(),
        }
    }

    /// The objects "the other one" is opposed to.
    fn already_meant(&self, phrase: &NounPhrase) -> Vec<String> {
        let could_be = |id: &&str| {
            self.scene
                .object(id)
                .is_some_and(|o| !matches!(&phrase.head, Head::Kind(k) if *k != o.kind))
        };
        let spoken = self.mentioned.iter().flatten().map(String::as_str);
        let last = self.dialogue.last.iter().flat_map(|last| &last.steps);
        let before = self
            .dialogue
            .referents
            .iter()
            .map(String::as_str)
            .chain(last.filter_map(Step::target));
        for known in [
            spoken.filter(could_be).collect::<Vec<_>>(),
            before.filter(could_be).collect(),
        ] {
            if !known.is_empty() {
                return known.into_iter().map(str::to_owned).collect();
            }
        }
        self.scene.gripper.holding.iter().cloned().collect()
    }

    /// "the other one": first of the look, then of the kind of the last one
    /// spoken of.
    fn like_the_last<'s>(
        &self,
        found: Vec<&'s SceneObject>,
        known: &[String],
        role: Role,
    ) -> Vec<&'s SceneObject> {
        let last = known
            .iter()
            .rev()
            .filter_map(|id| self.scene.object(id))
            .find(|o| self.suits(o, role));
        let Some(last) = last else {
            return found;
        };
        let kind: Vec<&SceneObject> = found
            .iter()
            .copied()
            .filter(|o| o.kind == last.kind)
            .collect();
        let look: Vec<&SceneObject> = kind
            .iter()
            .copied()
            .filter(|o| o.color == last.color)
            .collect();
        let news = |list: &Vec<&SceneObject>| list.iter().any(|o| !known.contains(&o.id));
        if news(&look) {
            look
        } else if news(&kind) {
            kind
        } else {
            found
        }
    }

    fn where_holds<'s>(
        &self,
        found: &[&'s SceneObject],
        condition: &Prep,
        wanted: bool,
        phrase: &NounPhrase,
    ) -> Result<Vec<&'s SceneObject>, Trouble> {
        let landmarks = match &condition.place {
            PlaceRef::Object(landmark) => self.landmarks(landmark, condition.kind)?,
            PlaceRef::Side(side) => {
                // Of one thing alone its half of the table tells.
                let by_half = phrase.is_group() || (!wanted && found.len() < 2);
                let there = on_side(found.to_vec(), *side, by_half);
                return Ok(members(found, &there, wanted));
            }
            PlaceRef::Regions(regions) => {
                let by_half = phrase.is_group() || (!wanted && found.len() < 2);
                let there = in_regions(found, regions, by_half);
                return Ok(members(found, &there, wanted));
            }
            _ => Vec::new(),
        };
        let holds = |object: &SceneObject| match &condition.place {
            PlaceRef::Object(_) => landmarks
                .iter()
                .any(|landmark| related(object, landmark, condition.kind)),
            PlaceRef::Table => {
                let on = object.on.as_deref();
                on.is_none_or(|on| self.scene.object(on).is_none()) && !object.is_held()
            }
            PlaceRef::Hand => object.is_held(),
            _ => true,
        };
        Ok(found
            .iter()
            .copied()
            .filter(|o| holds(o) == wanted)
            .collect())
    }

    /// The objects a condition is measured against; several are allowed, any
    /// of them will do.
    fn landmarks(&self, phrase: &NounPhrase, kind: PrepKind) -> Result<Vec<&SceneObject>, Trouble> {
        let role = match kind {
            PrepKind::In | PrepKind::From => Role::Container,
            PrepKind::On => Role::Support,
            _ => Role::Landmark,
        };
        let ids = match phrase.head {
            Head::It | Head::Them => self.phrase(phrase, &[], role, &[])?,
            _ => self.fitting(phrase, &[], role, &[])?,
        };
        if ids.is_empty() {
            return Err(self.not_found(phrase, &[]));
        }
        Ok(ids.iter().filter_map(|id| self.scene.object(id)).collect())
    }

    fn extreme<'s>(
        &self,
        found: Vec<&'s SceneObject>,
        wanted: &Superlative,
        count: usize,
    ) -> Result<Vec<&'s SceneObject>, Trouble> {
        let origin = |landmark: &Option<Box<NounPhrase>>| -> Result<[f64; 2], Trouble> {
            let Some(phrase) = landmark else {
                return Ok([0.0, 0.0]);
            };
            let ids = self.phrase(phrase, &[], Role::Landmark, &[])?;
            let position = ids
                .first()
                .and_then(|id| self.scene.object(id))
                .and_then(|o| o.position);
            position
                .map(|[x, y, _]| [x, y])
                .ok_or_else(|| Trouble::Cannot("I do not know where that is.".to_owned()))
        };
        let from = match wanted {
            Superlative::Nearest(landmark) | Superlative::Farthest(landmark) => origin(landmark)?,
            _ => [0.0, 0.0],
        };
        let reference = match wanted {
            Superlative::Nearest(Some(phrase)) | Superlative::Farthest(Some(phrase)) => {
                self.phrase(phrase, &[], Role::Landmark, &[])?
            }
            _ => Vec::new(),
        };
        let score = |o: &SceneObject| -> Option<f64> {
            let [x, y, z] = o.position?;
            Some(match wanted {
                Superlative::Most(side) => -along(*side, [x, y]),
                Superlative::Nearest(_) => (x - from[0]).hypot(y - from[1]),
                Superlative::Farthest(_) => -(x - from[0]).hypot(y - from[1]),
                Superlative::Highest => -z,
            })
        };
        let mut scored: Vec<(f64, &SceneObject)> = found
            .into_iter()
            .filter(|o| !reference.contains(&o.id))
            .filter_map(|o| Some((score(o)?, o)))
            .collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.id.cmp(&b.1.id)));
        let Some(limit) = scored.get(count.saturating_sub(1).min(scored.len().saturating_sub(1)))
        else {
            return Ok(Vec::new());
        };
        let limit = limit.0 + 0.005;
        Ok(scored
            .into_iter()
            .filter(|(value, _)| *value <= limit)
            .map(|(_, o)| o)
            .collect())
    }

    /// Ids ordered from one side.
    fn along(&self, found: &[&SceneObject], side: Side) -> Vec<String> {
        let mut sorted: Vec<(f64, &SceneObject)> = found
            .iter()
            .filter_map(|o| o.position.map(|[x, y, _]| (-along(side, [x, y]), *o)))
            .collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.id.cmp(&b.1.id)));
        sorted.into_iter().map(|(_, o)| o.id.clone()).collect()
    }
}

/// Those of `found` that are `there`, or those that are not.
fn members<'s>(
    found: &[&'s SceneObject],
    there: &[&SceneObject],
    wanted: bool,
) -> Vec<&'s SceneObject> {
    let is_there = |object: &SceneObject| there.iter().any(|other| other.id == object.id);
    let found = found.iter().copied();
    found.filter(|o| is_there(o) == wanted).collect()
}

/// How many an extreme shall leave: "the two leftmost".
fn count_of(phrase: &NounPhrase) -> usize {
    match phrase.quantity {
        Quantity::Exactly(n) | Quantity::Any(n) => n,
        Quantity::Both => 2,
        _ => 1,
    }
}

fn nth(ids: Vec<String>, number: usize) -> Vec<String> {
    let index = if number == usize::MAX {
        ids.len().saturating_sub(1)
    } else {
        number.saturating_sub(1)
    };
    ids.into_iter().nth(index).into_iter().collect()
}

/// How far a point lies towards a side; larger is farther.
fn along(side: Side, [x, y]: [f64; 2]) -> f64 {
    let middle = Region::Middle.center();
    match side {
        Side::Left => y,
        Side::Right => -y,
        Side::Far => x,
        Side::Near => -x,
        Side::Middle => -(x - middle[0]).hypot(y - middle[1]),
    }
}

/// Objects on a side: for one the extreme, for a group the half of the table.
fn on_side(found: Vec<&SceneObject>, side: Side, group: bool) -> Vec<&SceneObject> {
    let point = |o: &SceneObject| o.position.map(|[x, y, _]| [x, y]);
    if group {
        let middle = Region::Middle.center();
        let start = along(side, [middle[0], middle[1]]);
        return found
            .into_iter()
            .filter(|o| {
                point(o).is_some_and(|p| match side {
                    Side::Middle => Region::Middle.contains(p[0], p[1]),
                    _ => along(side, p) > start,
                })
            })
            .collect();
    }
    if found.len() < 2 {
        return found;
    }
    if side == Side::Middle && found.len() % 2 == 1 {
        // Of three in a row, the middle one.
        let mut row: Vec<&SceneObject> = found.clone();
        row.sort_by(|a, b| {
            let y = |o: &SceneObject| o.position.map_or(0.0, |p| p[1]);
            y(a).total_cmp(&y(b))
        });
        return vec![row[row.len() / 2]];
    }
    let best = found
        .iter()
        .filter_map(|o| point(o))
        .map(|p| along(side, p))
        .fold(f64::MIN, f64::max);
    found
        .into_iter()
        .filter(|o| point(o).is_some_and(|p| along(side, p) >= best - TIE_M))
        .collect()
}

/// Objects in regions. Sides mean halves or extremes, as people use them;
/// corners and the middle mean the cell, else what is nearest to it.
fn in_regions<'s>(
    found: &[&'s SceneObject],
    regions: &[Region],
    group: bool,
) -> Vec<&'s SceneObject> {
    if let [region] = regions {
        let side = match region {
            Region::Left => Some(Side::Left),
            Region::Right => Some(Side::Right),
            Region::Top => Some(Side::Far),
            Region::Bottom => Some(Side::Near),
            _ => None,
        };
        if let Some(side) = side {
            return on_side(found.to_vec(), side, group);
        }
    }
    let inside: Vec<&SceneObject> = found
        .iter()
        .copied()
        .filter(|o| {
            o.position
                .is_some_and(|[x, y, _]| regions.iter().any(|r| r.contains(x, y)))
        })
        .collect();
    if !inside.is_empty() || group {
        return inside;
    }
    let Some(region) = regions.first() else {
        return inside;
    };
    // Nobody stands in the cell itself: the one that is plainly nearest, in
    // the same quarter of the table.
    let [cx, cy, _] = region.center();
    let mut near: Vec<(f64, &SceneObject)> = found
        .iter()
        .filter_map(|o| {
            let [x, y, _] = o.position?;
            let distance = (x - cx).hypot(y - cy);
            (distance < 0.15).then_some((distance, *o))
        })
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.into_iter().take(1).map(|(_, o)| o).collect()
}

/// Whether `object` stands in this relation to `landmark`.
fn related(object: &SceneObject, landmark: &SceneObject, kind: PrepKind) -> bool {
    if object.id == landmark.id {
        return false;
    }
    let rests = object.on.as_deref() == Some(landmark.id.as_str());
    let (Some([x, y, _]), Some([lx, ly, _])) = (object.position, landmark.position) else {
        return rests;
    };
    let (dx, dy) = (x - lx, y - ly);
    let across = |d: f64| d.abs() <= 0.10;
    match kind {
        PrepKind::In | PrepKind::On | PrepKind::From | PrepKind::Above => rests,
        PrepKind::To | PrepKind::NextTo | PrepKind::Between => !rests && dx.hypot(dy) <= 0.16,
        PrepKind::LeftOf => !rests && dy > 0.02 && across(dx),
        PrepKind::RightOf => !rests && dy < -0.02 && across(dx),
        PrepKind::InFrontOf => !rests && dx < -0.02 && across(dy),
        PrepKind::Behind => !rests && dx > 0.02 && across(dy),
        PrepKind::Under => landmark.on.as_deref() == Some(object.id.as_str()),
    }
}
