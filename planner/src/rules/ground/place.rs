//! From a preposition to a destination.

use vola_types::{Region, Relation, Scene};

use super::{Grounder, Role};
use crate::rules::syntax::{Head, NounPhrase, PlaceRef, Prep, PrepKind, Side};
use crate::rules::trouble::{Choice, Destination, Pick, Trouble};

impl Grounder<'_> {
    /// Where a preposition sends an object. `modifiers` narrow the place's own
    /// noun; `avoid` are the moved objects themselves.
    pub(in crate::rules) fn destination(
        &self,
        prep: &Prep,
        modifiers: &[Prep],
        avoid: &[String],
    ) -> Result<Destination, Trouble> {
        if let Some(Pick::Place(place)) = self.choices.get(&prep.span) {
            return Ok(place.clone());
        }
        let plain = |place: Destination| {
            if modifiers.is_empty() {
                Ok(place)
            } else {
                Err(Trouble::Puzzled(
                    "I did not understand where to.".to_owned(),
                ))
            }
        };
        match (&prep.place, prep.kind) {
            (_, PrepKind::Under) => Err(Trouble::Cannot(
                "I cannot put anything under something else.".to_owned(),
            )),
            (_, PrepKind::From) => Err(Trouble::Puzzled("Where shall I put it?".to_owned())),
            (PlaceRef::Regions(regions), _) => plain(self.region(regions, prep)?),
            (PlaceRef::Side(side), _) => plain(self.region(&[side_region(*side)], prep)?),
            (PlaceRef::Table, _) => plain(Destination::Table),
            (PlaceRef::Me, _) => plain(self.region(&[Region::Bottom], prep)?),
            (PlaceRef::Hand, _) => Err(Trouble::Cannot(
                "That is my own hand; tell me where to put it.".to_owned(),
            )),
            (PlaceRef::There, _) if self.last_place.is_some() => {
                let there = self.last_place.cloned();
                plain(there.unwrap_or(Destination::Table))
            }
            (PlaceRef::There, _) => Err(Trouble::Choose(where_choice(
                prep.span,
                "Where do you mean?".to_owned(),
                self.scene,
            ))),
            (PlaceRef::Pair(..), _) => Err(Trouble::Cannot(
                "I cannot place things between two others; say next to which one.".to_owned(),
            )),
            (PlaceRef::Object(phrase), kind) => self.at_object(phrase, kind, modifiers, avoid),
        }
    }

    fn region(&self, regions: &[Region], prep: &Prep) -> Result<Destination, Trouble> {
        let known: Vec<&Region> = regions
            .iter()
            .filter(|region| self.scene.has_region(region.name()))
            .collect();
        match known.as_slice() {
            [] => Err(Trouble::Cannot("I do not know that place.".to_owned())),
            [one] => Ok(Destination::Region(one.name().to_owned())),
            many => Err(Trouble::Choose(Choice {
                span: prep.span,
                question: "Which place do you mean?".to_owned(),
                picks: many
                    .iter()
                    .map(|region| {
                        let name = region.name().to_owned();
                        (
                            format!("the {name}"),
                            Pick::Place(Destination::Region(name)),
                        )
                    })
                    .collect(),
                or_nothing: false,
                is_about_pronoun: false,
            })),
        }
    }

    fn at_object(
        &self,
        phrase: &NounPhrase,
        kind: PrepKind,
        modifiers: &[Prep],
        avoid: &[String],
    ) -> Result<Destination, Trouble> {
        let role = match kind {
            PrepKind::In => Role::Container,
            PrepKind::On | PrepKind::Above => Role::Support,
            _ => Role::Landmark,
        };
        if phrase.same_color {
            return Ok(Destination::SameColor {
                kind: self.container_kind(phrase),
            });
        }
        let parallel = self
            .landmark
            .filter(|id| phrase.head == Head::It && is_beside(kind) && !avoid.contains(id));
        let ids = match parallel {
            Some(id) => vec![id.clone()],
            None => self.phrase(phrase, modifiers, role, avoid)?,
        };
        let [id] = ids.as_slice() else {
            return self.one_of(phrase, ids, kind);
        };
        let Some(object) = self.scene.object(id) else {
            return Err(Trouble::Cannot("I do not see that.".to_owned()));
        };
        let container = self.capabilities.is_container(&object.kind);
        let openable = self.capabilities.is_openable(&object.kind);
        let relation = match kind {
            // "in the pink one", which is a block: words of place are mixed up
            // more easily than things.
            PrepKind::In if matches!(phrase.head, Head::One) && object.kind == "block" => {
                Relation::On
            }
            PrepKind::In => Relation::In,
            // "on the bowl" is said of putting into it.
            PrepKind::On | PrepKind::Above if container && !openable => Relation::In,
            PrepKind::On | PrepKind::Above => Relation::On,
            PrepKind::To if container => Relation::In,
            PrepKind::LeftOf => Relation::LeftOf,
            PrepKind::RightOf => Relation::RightOf,
            PrepKind::InFrontOf => Relation::InFrontOf,
            PrepKind::Behind => Relation::Behind,
            _ => Relation::NextTo,
        };
        Ok(Destination::Object {
            id: id.clone(),
            relation,
        })
    }

    /// A plural place ("in the bowls"): the person says which.
    fn one_of(
        &self,
        phrase: &NounPhrase,
        ids: Vec<String>,
        kind: PrepKind,
    ) -> Result<Destination, Trouble> {
        let containers = ids.iter().all(|id| {
            self.scene
                .object(id)
                .is_some_and(|o| self.capabilities.is_container(&o.kind))
        });
        let question = if containers && kind == PrepKind::In {
            "Which bowl shall I use?"
        } else {
            "Which one shall I use?"
        };
        self.choose(phrase, ids, question.to_owned())
            .and_then(|_| Err(Trouble::Puzzled("Where to?".to_owned())))
    }

    fn container_kind(&self, phrase: &NounPhrase) -> String {
        match &phrase.head {
            crate::rules::syntax::Head::Kind(kind) => kind.clone(),
            _ => "bowl".to_owned(),
        }
    }
}

fn is_beside(kind: PrepKind) -> bool {
    matches!(
        kind,
        PrepKind::LeftOf
            | PrepKind::RightOf
            | PrepKind::InFrontOf
            | PrepKind::Behind
            | PrepKind::NextTo
    )
}

/// The region that "on the left" means for something put down.
pub(in crate::rules) fn side_region(side: Side) -> Region {
    match side {
        Side::Left => Region::Left,
        Side::Right => Region::Right,
        Side::Far => Region::Top,
        Side::Near => Region::Bottom,
        Side::Middle => Region::Middle,
    }
}

/// The question where to, over bowls and a few regions.
pub(in crate::rules) fn where_choice(
    span: (usize, usize),
    question: String,
    scene: &Scene,
) -> Choice {
    let bowls: Vec<String> = scene
        .objects
        .iter()
        .filter(|o| o.kind == "bowl")
        .map(|o| o.id.clone())
        .collect();
    let labels = crate::describe::labels(&bowls, scene);
    let mut picks: Vec<(String, Pick)> = bowls
        .into_iter()
        .zip(labels)
        .map(|(id, label)| {
            let relation = Relation::In;
            (
                format!("in {label}"),
                Pick::Place(Destination::Object { id, relation }),
            )
        })
        .take(6)
        .collect();
    for region in [Region::Left, Region::Middle, Region::Right] {
        if scene.has_region(region.name()) {
            let name = region.name().to_owned();
            picks.push((
                format!("on the {name}"),
                Pick::Place(Destination::Region(name)),
            ));
        }
    }
    Choice {
        span,
        question,
        picks,
        or_nothing: picks_need_more(scene),
        is_about_pronoun: false,
    }
}

/// Without bowls and regions, "do nothing" keeps the question answerable.
fn picks_need_more(scene: &Scene) -> bool {
    scene.regions.is_empty()
}
