//! Commands over many things: towers, sorting, tidying up, emptying.

use vola_types::{Region, Relation};

use super::Composer;
use super::motion::same_color;
use crate::describe;
use crate::rules::ground::{Role, where_choice};
use crate::rules::syntax::{Head, NounGroup, NounPhrase, Quantity, State};
use crate::rules::trouble::{Choice, Destination, Pick, Trouble, WHERE_TO};

impl Composer<'_> {
    fn all_of_kind(&self, kind: Head) -> NounGroup {
        let mut all = NounPhrase::new(usize::MAX, kind);
        all.quantity = Quantity::All;
        all.plural = true;
        NounGroup {
            members: vec![all],
            either: false,
        }
    }

    pub(super) fn tower(&mut self, group: Option<&NounGroup>) -> Result<(), Trouble> {
        let fallback = self.all_of_kind(Head::Kind("block".to_owned()));
        let named = group.unwrap_or(&fallback);
        let mut ids = self.movable(named, &[])?;
        ids.retain(|id| self.scene().object(id).is_some_and(|o| o.kind == "block"));
        if ids.len() < 2 {
            return Err(Trouble::Cannot(
                "For a tower I need at least two blocks.".to_owned(),
            ));
        }
        let limit = self.world.capabilities().max_stack;
        if ids.len() > limit {
            let pick = |n: usize| {
                (
                    format!("a tower of {n} blocks"),
                    Pick::Objects(ids[..n].to_vec()),
                )
            };
            return Err(Trouble::Choose(Choice {
                span: named.members[0].span,
                question: format!("I can stack at most {limit} blocks. How many shall I take?"),
                picks: vec![pick(limit), pick(limit - 1)],
                or_nothing: true,
                is_about_pronoun: false,
            }));
        }
        let listed = group.is_some_and(|g| g.members.len() > 1);
        if listed {
            // "stack A and B": A comes to lie on B.
            ids.reverse();
        } else {
            self.best_base_first(&mut ids);
        }
        self.may_unstack = true;
        self.mention(None, ids.clone());
        for pair in ids.windows(2) {
            let place = Destination::Object {
                id: pair[0].clone(),
                relation: Relation::On,
            };
            self.transfer(&pair[1], &place)?;
        }
        Ok(())
    }

    /// The block on the table that is nearest to its middle comes first.
    fn best_base_first(&self, ids: &mut [String]) {
        let middle = Region::Middle.center();
        let key = |id: &String| {
            let object = self.scene().object(id);
            let stacked = object.is_some_and(|o| {
                o.on.as_deref()
                    .is_some_and(|on| self.scene().object(on).is_some())
            });
            let far = object
                .and_then(|o| o.position)
                .map_or(f64::MAX, |[x, y, _]| (x - middle[0]).hypot(y - middle[1]));
            (stacked, far)
        };
        ids.sort_by(|a, b| {
            let (ka, kb) = (key(a), key(b));
            ka.0.cmp(&kb.0)
                .then(ka.1.total_cmp(&kb.1))
                .then_with(|| a.cmp(b))
        });
    }

    pub(super) fn sort(&mut self, group: Option<&NounGroup>) -> Result<(), Trouble> {
        let fallback = self.all_of_kind(Head::Anything);
        let ids = self.movable(group.unwrap_or(&fallback), &[])?;
        let kind = "bowl".to_owned();
        if !ids
            .iter()
            .any(|id| same_color(id, &kind, self.scene()).is_some())
        {
            return Err(Trouble::Cannot(format!(
                "I do not see a bowl that matches the colour of any block. I see {}.",
                describe::inventory(self.scene())
            )));
        }
        self.mention(None, ids.clone());
        let objects = self.top_first(ids);
        let sorts = objects.len() > 1;
        if sorts {
            self.put_all(objects, &Destination::SameColor { kind })
        } else {
            self.transfer(&objects[0], &Destination::SameColor { kind })
        }
    }

    pub(super) fn tidy_up(&mut self, group: Option<&NounGroup>) -> Result<(), Trouble> {
        let ids: Vec<String> = match group {
            Some(group) => self.movable(group, &[])?,
            None => self
                .scene()
                .objects
                .iter()
                .filter(|o| self.request.capabilities.can_grasp(&o.kind))
                .filter(|o| {
                    let inside = o.on.as_deref().and_then(|on| self.scene().object(on));
                    inside.is_none_or(|c| !self.request.capabilities.is_container(&c.kind))
                })
                .map(|o| o.id.clone())
                .filter(|id| !self.spared.contains(id))
                .collect(),
        };
        if ids.is_empty() {
            self.already
                .push("There is nothing to put away.".to_owned());
            return Ok(());
        }
        self.may_unstack = true;
        if let Some(Pick::Place(place)) = self.choices.get(&WHERE_TO).cloned() {
            let objects = self.top_first(ids.clone());
            self.mention(Some(&place), ids);
            return self.put_all(objects, &place);
        }
        let kind = "bowl".to_owned();
        let mut choice = where_choice(
            WHERE_TO,
            format!(
                "Where shall I put {}?",
                describe::phrases(&ids, self.scene())
            ),
            self.scene(),
        );
        if ids
            .iter()
            .any(|id| same_color(id, &kind, self.scene()).is_some())
            && ids.len() > 1
        {
            choice.picks.insert(
                0,
                (
                    "each in the bowl of its own colour".to_owned(),
                    Pick::Place(Destination::SameColor { kind }),
                ),
            );
        }
        Err(Trouble::Choose(choice))
    }

    pub(super) fn empty(&mut self, group: &NounGroup) -> Result<(), Trouble> {
        // "Empty the bowl": the one that holds something.
        let mut full = group.clone();
        for member in &mut full.members {
            if matches!(member.head, Head::Kind(_) | Head::One) && member.state.is_none() {
                member.state = Some(State::Full);
            }
        }
        let containers = self
            .grounder()
            .group(&full, &[], Role::Container)
            .or_else(|_| self.grounder().group(group, &[], Role::Container))?;
        let inside: Vec<String> = containers
            .iter()
            .flat_map(|id| {
                self.scene()
                    .resting_on(id)
                    .map(|o| o.id.clone())
                    .collect::<Vec<_>>()
            })
            .collect();
        self.mention(None, containers);
        if inside.is_empty() {
            self.already.push("It is already empty.".to_owned());
            return Ok(());
        }
        self.mention(None, inside.clone());
        self.put_all(inside, &Destination::Table)
    }
}
