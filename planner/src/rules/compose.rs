//! From clauses to steps, in the world the earlier steps leave.
//!
//! Each clause grounds its words, then asks the symbolic world for the steps
//! that reach its goal: an object already held is not picked again, a closed
//! drawer is opened first, a full hand is emptied first, an object that is
//! already in place is left alone.

mod clauses;
mod household;
mod motion;

use vola_types::{Scene, Step};

use super::ground::{Grounder, Role};
use super::syntax::{Clause, Command, Head, NounGroup, PlaceRef, Prep, PrepKind};
use super::trouble::{Choices, Destination, Trouble};
use crate::request::PlanRequest;
use crate::verifier::{MAX_STEPS, SymbolicWorld};

/// Steps by part, with the words of each part.
pub(super) type Parts = Vec<(String, Vec<Step>)>;

/// Builds the steps of a sentence.
pub(super) struct Composer<'a> {
    request: &'a PlanRequest,
    choices: &'a Choices,
    world: SymbolicWorld<'a>,
    mentioned: Vec<Vec<String>>,
    /// Where the last object went.
    last_place: Option<Destination>,
    /// What the clause before put something in, on or beside.
    landmark: Option<String>,
    /// Objects the sentence says to leave alone.
    spared: Vec<String>,
    /// Of those, what only one deed is denied of ("don't put it in the bowl"): said
    /// by itself, something else may be done with it.
    only_denied: Vec<String>,
    parts: Parts,
    /// Steps of the part being built.
    steps: Vec<Step>,
    /// What needed no doing.
    already: Vec<String>,
    /// Things lying on a wanted object may be put aside.
    may_unstack: bool,
    /// Steps so far over all parts.
    taken: usize,
}

/// The parts of a whole sentence.
pub(super) fn compose(
    clauses: &[Clause],
    request: &PlanRequest,
    choices: &Choices,
) -> Result<Parts, Trouble> {
    let mut composer = Composer::new(request, choices);
    composer.spare(clauses)?;
    for (index, clause) in clauses.iter().enumerate() {
        if clause.negated {
            composer.mention_object_of(&clause.command);
        } else {
            composer.clause(&clause.command, clauses.get(index + 1))?;
        }
    }
    composer.finish()
}

/// The parts that bring the world to what known steps would have reached;
/// picks that only serve a place are left to it.
pub(super) fn recompose(
    steps: &[Step],
    request: &PlanRequest,
    choices: &Choices,
) -> Result<Parts, Trouble> {
    let mut composer = Composer::new(request, choices);
    composer.may_unstack = true;
    for (index, step) in steps.iter().enumerate() {
        let placed_later = steps[index..].iter().any(|later| {
            matches!((step, later), (Step::Pick { object }, Step::Place { object: o, .. }) if o == object)
        });
        if placed_later {
            continue;
        }
        match step {
            Step::Pick { object } => composer.take_one(object)?,
            Step::Place {
                object,
                target,
                relation,
            } => {
                let place = if target == vola_types::ON_TABLE {
                    Destination::Table
                } else if composer.scene().has_region(target) {
                    Destination::Region(target.clone())
                } else {
                    Destination::Object {
                        id: target.clone(),
                        relation: *relation,
                    }
                };
                composer.transfer(object, &place)?;
            }
            other => {
                composer.empty_hand_for(other)?;
                composer.step(other.clone())?;
                composer.close_part(vola_types::step_sentence(other, composer.scene()));
            }
        }
    }
    composer.finish()
}

/// Where the last command brought something, for "there".
fn last_place(request: &PlanRequest) -> Option<Destination> {
    let last = request.dialogue.last.as_ref()?;
    last.steps.iter().rev().find_map(|step| match step {
        Step::Place {
            target, relation, ..
        } => Some(if target == vola_types::ON_TABLE {
            Destination::Table
        } else if request.scene.has_region(target) {
            Destination::Region(target.clone())
        } else {
            Destination::Object {
                id: target.clone(),
                relation: *relation,
            }
        }),
        Step::Open { object } => Some(Destination::Object {
            id: object.clone(),
            relation: vola_types::Relation::In,
        }),
        _ => None,
    })
}

/// "Put the red block in a bowl, but avoid the blue one": a bowl, since the one block
/// is said already. Of several ("put all the blocks …, but leave the blue one") it is
/// one of those.
fn like_the_place(group: &NounGroup, clauses: &[Clause]) -> NounGroup {
    let kinds: Vec<&Head> = clauses
        .iter()
        .filter(|clause| !clause.negated)
        .filter_map(|clause| match &clause.command {
            Command::Put { object, preps, .. } => Some((object, preps)),
            _ => None,
        })
        .filter(|(object, _)| matches!(object.members.as_slice(), [one] if !one.is_group()))
        .flat_map(|(_, preps)| preps)
        .filter_map(|prep| match &prep.place {
            PlaceRef::Object(phrase) if prep.kind == PrepKind::In => Some(&phrase.head),
            _ => None,
        })
        .filter(|head| matches!(head, Head::Kind(_)))
        .collect();
    let mut group = group.clone();
    if let [kind] = kinds.as_slice() {
        for member in group.members.iter_mut().filter(|it| it.head == Head::One) {
            member.head = (*kind).clone();
        }
    }
    group
}

/// "Don't put it in the bowl", not "don't move it".
fn is_one_deed(command: &Command) -> bool {
    match command {
        Command::Put { preps, way, .. } | Command::Push { preps, way, .. } => {
            !preps.is_empty() || way.is_some()
        }
        _ => false,
    }
}

impl<'a> Composer<'a> {
    fn new(request: &'a PlanRequest, choices: &'a Choices) -> Self {
        Self {
            request,
            choices,
            world: SymbolicWorld::new(request.scene.clone(), &request.capabilities),
            mentioned: Vec::new(),
            last_place: last_place(request),
            landmark: None,
            spared: Vec::new(),
            only_denied: Vec::new(),
            parts: Vec::new(),
            steps: Vec::new(),
            already: Vec::new(),
            may_unstack: choices.contains_key(&super::trouble::UNSTACK),
            taken: 0,
        }
    }

    fn finish(self) -> Result<Parts, Trouble> {
        if self.parts.is_empty() {
            let say = if self.already.is_empty() {
                "All right, I do nothing.".to_owned()
            } else {
                self.already.join(" ")
            };
            return Err(Trouble::Already(say));
        }
        Ok(self.parts)
    }

    fn scene(&self) -> &Scene {
        self.world.scene()
    }

    fn grounder(&self) -> Grounder<'_> {
        Grounder {
            scene: self.world.scene(),
            seen: &self.request.scene,
            capabilities: &self.request.capabilities,
            dialogue: &self.request.dialogue,
            choices: self.choices,
            mentioned: &self.mentioned,
            last_place: self.last_place.as_ref(),
            landmark: self.landmark.as_ref(),
            spared: &self.spared,
        }
    }

    /// Notes what negated clauses spare ("but do not touch the red one").
    fn spare(&mut self, clauses: &[Clause]) -> Result<(), Trouble> {
        let all_negated = clauses.iter().all(|c| c.negated);
        for clause in clauses {
            // Where nothing of the place's kind is like that, the one of before is meant.
            if let Command::Leave(group) = &clause.command
                && let Ok(ids) =
                    self.grounder()
                        .group(&like_the_place(group, clauses), &[], Role::Movable)
            {
                self.spared.extend(ids);
                continue;
            }
            let group = match &clause.command {
                Command::Leave(group) => Some((group, &[] as &[Prep])),
                Command::Put { object, preps, .. }
                | Command::Take { object, preps, .. }
                | Command::Push { object, preps, .. }
                    if clause.negated =>
                {
                    Some((object, preps.as_slice()))
                }
                _ => None,
            };
            if let (
                true,
                Command::MoveTo(Prep {
                    place: PlaceRef::Object(phrase),
                    ..
                }),
            ) = (clause.negated, &clause.command)
                && let Ok(ids) = self.grounder().phrase(phrase, &[], Role::Movable, &[])
            {
                self.spared.extend(ids);
            }
            if let Some((group, preps)) = group {
                let ids = self
                    .grounder()
                    .group(group, preps, Role::Movable)
                    .or_else(|_| self.grounder().group(group, &[], Role::Movable));
                match ids {
                    Ok(ids) => {
                        if is_one_deed(&clause.command) {
                            self.only_denied.extend(ids.clone());
                        }
                        self.spared.extend(ids);
                    }
                    Err(trouble) if !all_negated => return Err(trouble),
                    Err(_) => {}
                }
            }
        }
        if clauses
            .iter()
            .all(|c| c.negated || matches!(c.command, Command::Leave(_)))
        {
            return Err(Trouble::LeftAlone(
                "All right, I leave it alone.".to_owned(),
            ));
        }
        Ok(())
    }

    /// Grounds a group that is to be moved, without what is spared.
    fn movable(&self, group: &NounGroup, modifiers: &[Prep]) -> Result<Vec<String>, Trouble> {
        let mut ids = self.grounder().group(group, modifiers, Role::Movable)?;
        let before = ids.len();
        let is_one = matches!(group.members.as_slice(), [only] if !only.is_group());
        ids.retain(|id| !self.spared.contains(id) || (is_one && self.only_denied.contains(id)));
        if ids.is_empty() && before > 0 {
            return Err(Trouble::Puzzled(
                "You also told me to leave that alone; what shall I do?".to_owned(),
            ));
        }
        Ok(ids)
    }

    /// Applies one step to the world and notes it.
    fn step(&mut self, step: Step) -> Result<(), Trouble> {
        self.taken += 1;
        if self.taken > MAX_STEPS {
            return Err(Trouble::Cannot(
                "That is too much at once; please give it to me in parts.".to_owned(),
            ));
        }
        self.world.apply(&step).map_err(|error| {
            let say = error.say(self.world.scene());
            if error.is_about_the_body() {
                Trouble::Refused(say)
            } else {
                Trouble::Cannot(say)
            }
        })?;
        self.steps.push(step);
        Ok(())
    }

    /// Ends a part; without steps it was already so.
    fn close_part(&mut self, words: String) {
        let steps = std::mem::take(&mut self.steps);
        if !steps.is_empty() {
            self.parts.push((words, steps));
        }
    }
}
