//! The steps that reach one goal for one object.

use vola_types::{Direction, Op, PushTo, Relation, Scene, Step, object_phrase};

use super::Composer;
use crate::describe::capital;
use crate::postcondition::is_surely_placed;
use crate::rules::trouble::{Choice, Destination, Pick, Trouble, UNSTACK};

impl Composer<'_> {
    /// Picks one object, with everything that must happen before.
    pub(super) fn take_one(&mut self, id: &str) -> Result<(), Trouble> {
        let words = format!("pick up {}", self.name(id));
        if self.scene().gripper.holding.as_deref() == Some(id) {
            self.already.push(format!(
                "I am already holding {}.",
                object_phrase(id, self.scene())
            ));
            return Ok(());
        }
        self.pick(id)?;
        self.close_part(words);
        Ok(())
    }

    fn pick(&mut self, id: &str) -> Result<(), Trouble> {
        if self.scene().gripper.holding.as_deref() == Some(id) {
            return Ok(());
        }
        self.empty_hand()?;
        self.open_around(id)?;
        self.free_top(id)?;
        self.step(Step::Pick {
            object: id.to_owned(),
        })
    }

    /// Brings one object to its destination.
    pub(super) fn transfer(&mut self, id: &str, place: &Destination) -> Result<(), Trouble> {
        let (target, relation) = self.target_of(id, place)?;
        let the_object = self.name(id);
        let the_place = format!("{} {}", relation.phrase(), self.name(&target));
        if id == target {
            return Err(Trouble::Cannot(format!(
                "I cannot put {the_object} onto or beside itself."
            )));
        }
        let counts = !matches!(place, Destination::Table) || self.lies_free(id);
        if counts && is_surely_placed(id, &target, relation, self.scene()) {
            self.already
                .push(format!("{} is already {the_place}.", capital(&the_object)));
            return Ok(());
        }
        self.prepare_target(id, &target, relation)?;
        self.pick(id)?;
        self.step(Step::Place {
            object: id.to_owned(),
            target,
            relation,
        })?;
        self.close_part(format!("put {the_object} {the_place}"));
        Ok(())
    }

    /// The object in words, with its id when others look the same.
    fn name(&self, id: &str) -> String {
        let scene = self.scene();
        let phrase = object_phrase(id, scene);
        let twins = scene.object(id).is_some_and(|own| {
            scene
                .objects
                .iter()
                .filter(|o| o.noun() == own.noun())
                .count()
                > 1
        });
        if twins {
            format!("{phrase} ({id})")
        } else {
            phrase
        }
    }

    fn lies_free(&self, id: &str) -> bool {
        self.scene()
            .object(id)
            .and_then(|o| o.on.as_deref())
            .is_none_or(|on| self.scene().object(on).is_none())
    }

    fn target_of(&self, id: &str, place: &Destination) -> Result<(String, Relation), Trouble> {
        match place {
            Destination::Region(name) => Ok((name.clone(), Relation::On)),
            Destination::Table => Ok((vola_types::ON_TABLE.to_owned(), Relation::On)),
            Destination::Object { id, relation } => Ok((id.clone(), *relation)),
            Destination::SameColor { kind } => match same_color(id, kind, self.scene()) {
                Some(target) => Ok((target, Relation::In)),
                None => Err(Trouble::Cannot(format!(
                    "I do not see a {kind} of the colour of {}.",
                    object_phrase(id, self.scene())
                ))),
            },
        }
    }

    /// Opens a drawer that is the target, and clears a block that is.
    fn prepare_target(
        &mut self,
        id: &str,
        target: &str,
        relation: Relation,
    ) -> Result<(), Trouble> {
        let Some(object) = self.scene().object(target) else {
            return Ok(());
        };
        let (kind, open) = (object.kind.clone(), object.open);
        let capabilities = &self.request.capabilities;
        if relation == Relation::In && capabilities.is_openable(&kind) && open == Some(false) {
            self.empty_hand()?;
            self.step(Step::Open {
                object: target.to_owned(),
            })?;
        }
        if relation == Relation::On && kind == "block" && !self.carries_only(target, id) {
            if self.scene().resting_on(target).next().is_some() {
                self.empty_hand()?;
            }
            self.free_top(target)?;
        }
        Ok(())
    }

    fn carries_only(&self, target: &str, id: &str) -> bool {
        self.scene().resting_on(target).all(|o| o.id == id)
    }

    /// Opens the closed thing the object is in.
    fn open_around(&mut self, id: &str) -> Result<(), Trouble> {
        let inside = self.scene().object(id).and_then(|o| o.on.clone());
        let closed = inside
            .and_then(|on| self.scene().object(&on).cloned())
            .filter(|o| o.open == Some(false));
        match closed {
            Some(container) => self.step(Step::Open {
                object: container.id,
            }),
            None => Ok(()),
        }
    }

    /// Puts aside what lies on the object, when that was allowed, else asks.
    fn free_top(&mut self, id: &str) -> Result<(), Trouble> {
        let kind = self.scene().object(id).map(|o| o.kind.clone());
        if kind.is_none_or(|kind| self.request.capabilities.is_container(&kind)) {
            return Ok(());
        }
        let on_top: Vec<String> = self.scene().resting_on(id).map(|o| o.id.clone()).collect();
        for top in on_top {
            if !self.may_unstack {
                let by = object_phrase(&top, self.scene());
                let under = object_phrase(id, self.scene());
                return Err(Trouble::Choose(Choice {
                    span: UNSTACK,
                    question: format!("{} lies on {under}. What shall I do?", capital(&by)),
                    picks: vec![(format!("put {by} on the table first"), Pick::Unstack)],
                    or_nothing: true,
                    is_about_pronoun: false,
                }));
            }
            self.free_top(&top)?;
            self.step(Step::Pick {
                object: top.clone(),
            })?;
            self.step(Step::Place {
                object: top,
                target: vola_types::ON_TABLE.to_owned(),
                relation: Relation::On,
            })?;
        }
        Ok(())
    }

    /// Puts down what is held.
    pub(super) fn empty_hand(&mut self) -> Result<(), Trouble> {
        match self.scene().gripper.holding.clone() {
            Some(held) => self.step(Step::Place {
                object: held,
                target: vola_types::ON_TABLE.to_owned(),
                relation: Relation::On,
            }),
            None => Ok(()),
        }
    }

    /// Puts down what is held when the step needs an empty hand.
    pub(super) fn empty_hand_for(&mut self, step: &Step) -> Result<(), Trouble> {
        match step.op() {
            Op::Pick | Op::Push | Op::Open | Op::Close => self.empty_hand(),
            _ => Ok(()),
        }
    }

    /// Pushes one object.
    pub(super) fn push_one(&mut self, id: &str, to: PushTo) -> Result<(), Trouble> {
        let step = Step::Push {
            object: id.to_owned(),
            to,
        };
        self.empty_hand()?;
        self.free_top(id)?;
        let words = vola_types::step_sentence(&step, self.scene());
        self.step(step)?;
        self.close_part(words);
        Ok(())
    }

    /// Opens or closes one thing.
    pub(super) fn set_open(&mut self, id: &str, open: bool) -> Result<(), Trouble> {
        let the = object_phrase(id, self.scene());
        let state = if open { "open" } else { "closed" };
        if self.scene().object(id).and_then(|o| o.open) == Some(open) {
            self.already
                .push(format!("{} is already {state}.", capital(&the)));
            return Ok(());
        }
        let object = id.to_owned();
        let step = if open {
            Step::Open { object }
        } else {
            Step::Close { object }
        };
        self.empty_hand()?;
        let words = vola_types::step_sentence(&step, self.scene());
        self.step(step)?;
        self.close_part(words);
        Ok(())
    }

    /// The direction from an object towards another, when it is plain.
    pub(super) fn direction_towards(&self, id: &str, landmark: &str) -> Option<Direction> {
        let at = |id: &str| self.scene().object(id).and_then(|o| o.position);
        let (from, to) = (at(id)?, at(landmark)?);
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy);
        Direction::ALL.into_iter().find(|direction| {
            let [ux, uy] = direction.vector();
            length > 0.0 && (dx * ux + dy * uy) / length >= 0.87
        })
    }
}

/// The container of this kind with the object's colour.
pub(super) fn same_color(id: &str, kind: &str, scene: &Scene) -> Option<String> {
    let color = scene.object(id)?.color.as_deref()?;
    scene
        .objects
        .iter()
        .find(|o| o.kind == kind && o.color.as_deref() == Some(color) && o.id != id)
        .map(|o| o.id.clone())
}
