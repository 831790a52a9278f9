//! Grounding: which objects of the scene a noun phrase means.
//!
//! The scene is the *predicted* one at that point of the plan, so that "open
//! the drawer and take the block out of it" is read in the world the first
//! step leaves. Words that fit several objects are a question to the person,
//! unless the words allow any of them.

mod filter;
mod place;
mod quantity;

use vola_types::{Scene, SceneObject};

pub(super) use place::{side_region, where_choice};

use super::syntax::{Head, NounGroup, NounPhrase, Prep, Quantity};
use super::trouble::{Choice, Choices, Destination, Pick, Trouble};
use crate::capabilities::Capabilities;
use crate::describe;
use crate::request::{Dialogue, PlanRequest};

/// What the phrase's object is wanted for; only a preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// To be picked up or moved.
    Movable,
    /// To put something into.
    Container,
    /// To put something onto.
    Support,
    /// To be opened or closed.
    Openable,
    /// Beside it, or to look at.
    Landmark,
}

/// Everything grounding looks at.
pub(super) struct Grounder<'a> {
    /// The predicted scene: what is where by the time of this phrase.
    pub(super) scene: &'a Scene,
    /// The scene the person sees while speaking: "the left one" is said of it.
    pub(super) seen: &'a Scene,
    pub(super) capabilities: &'a Capabilities,
    pub(super) dialogue: &'a Dialogue,
    pub(super) choices: &'a Choices,
    /// Objects spoken of in this sentence, in order, one entry a phrase.
    pub(super) mentioned: &'a [Vec<String>],
    /// What "there" means.
    pub(super) last_place: Option<&'a Destination>,
    /// The thing that the clause before put something in, on or beside: in "… and
    /// the green one to its right" the place is said as before.
    pub(super) landmark: Option<&'a String>,
    /// Objects that are not to be moved: no phrase for something to move means
    /// them.
    pub(super) spared: &'a [String],
}

impl<'a> Grounder<'a> {
    /// Over the scene as it is, where nothing was spoken of before.
    pub(super) fn over(
        request: &'a PlanRequest,
        choices: &'a Choices,
        dialogue: &'a Dialogue,
    ) -> Self {
        Self {
            scene: &request.scene,
            seen: &request.scene,
            capabilities: &request.capabilities,
            dialogue,
            choices,
            mentioned: &[],
            last_place: None,
            landmark: None,
            spared: &[],
        }
    }
}

impl Grounder<'_> {
    /// The objects of "A, B and C", without doubles, in the order spoken.
    pub(super) fn group(
        &self,
        group: &NounGroup,
        modifiers: &[Prep],
        role: Role,
    ) -> Result<Vec<String>, Trouble> {
        let mut ids: Vec<String> = Vec::new();
        let last = group.members.len().saturating_sub(1);
        let mut members: Vec<Vec<String>> = Vec::new();
        for (index, phrase) in group.members.iter().enumerate() {
            let own: &[Prep] = if index == last { modifiers } else { &[] };
            members.push(self.phrase(phrase, own, role, &ids)?);
            if !group.either {
                for id in members.last().into_iter().flatten() {
                    if !ids.contains(id) {
                        ids.push(id.clone());
                    }
                }
            }
        }
        if !group.either {
            return Ok(ids);
        }
        let span = (group.members[0].span.0, usize::MAX);
        if let Some(Pick::Objects(chosen)) = self.choices.get(&span) {
            return Ok(chosen.clone());
        }
        Err(Trouble::Choose(Choice {
            span,
            question: "Which one shall I take?".to_owned(),
            picks: members
                .into_iter()
                .map(|ids| {
                    (
                        describe::labels(&ids, self.scene).join(" and "),
                        Pick::Objects(ids),
                    )
                })
                .collect(),
            or_nothing: false,
            is_about_pronoun: false,
        }))
    }

    /// The objects of one phrase. `avoid` are objects it cannot mean.
    pub(super) fn phrase(
        &self,
        phrase: &NounPhrase,
        modifiers: &[Prep],
        role: Role,
        avoid: &[String],
    ) -> Result<Vec<String>, Trouble> {
        if let Some(Pick::Objects(chosen)) = self.choices.get(&phrase.span) {
            return Ok(chosen.clone());
        }
        match phrase.head {
            Head::It => return self.it(phrase, role, avoid),
            Head::Them => return self.them(phrase),
            _ => {}
        }
        if let Some(word) = &phrase.unknown_adjective
            && self.fitting(phrase, modifiers, role, avoid)?.len() > 1
        {
            return self.choose(
                phrase,
                self.fitting(phrase, modifiers, role, avoid)?,
                format!("I cannot tell which one is {word}. Which one do you mean?"),
            );
        }
        let found = self.fitting(phrase, modifiers, role, avoid)?;
        if found.is_empty() {
            return Err(self.not_found(phrase, modifiers));
        }
        self.pick_quantity(phrase, found, role)
    }

    /// Ids of objects, left to right.
    fn ids_left_to_right(&self, objects: &[&SceneObject]) -> Vec<String> {
        let mut sorted: Vec<&SceneObject> = objects.to_vec();
        sorted.sort_by(|a, b| {
            let key = |o: &SceneObject| o.position.map_or([f64::MAX; 2], |[x, y, _]| [-y, x]);
            let (ka, kb) = (key(a), key(b));
            ka[0]
                .total_cmp(&kb[0])
                .then(ka[1].total_cmp(&kb[1]))
                .then_with(|| a.id.cmp(&b.id))
        });
        sorted.iter().map(|o| o.id.clone()).collect()
    }

    /// A question over single objects.
    pub(super) fn choose(
        &self,
        phrase: &NounPhrase,
        ids: Vec<String>,
        question: String,
    ) -> Result<Vec<String>, Trouble> {
        let labels = describe::labels(&ids, self.scene);
        Err(Trouble::Choose(Choice {
            span: phrase.span,
            question,
            picks: labels
                .into_iter()
                .zip(ids)
                .map(|(label, id)| (label, Pick::Objects(vec![id])))
                .collect(),
            or_nothing: false,
            is_about_pronoun: false,
        }))
    }

    /// "it": the last object spoken of that fits the role.
    fn it(
        &self,
        phrase: &NounPhrase,
        role: Role,
        avoid: &[String],
    ) -> Result<Vec<String>, Trouble> {
        let fits = |id: &&String| {
            !avoid.contains(id) && self.scene.object(id).is_some_and(|o| self.suits(o, role))
        };
        // Beside something that lies in a bowl there is no room: the bowl is
        // meant.
        let apart = |id: &&String| {
            role != Role::Landmark
                || self.scene.object(id).is_some_and(|o| {
                    let on = o.on.as_deref().and_then(|on| self.scene.object(on));
                    on.is_none_or(|on| !self.capabilities.is_container(&on.kind))
                })
        };
        let latest = || self.mentioned.iter().rev().flatten().filter(fits);
        let spoken = latest().find(apart).or_else(|| latest().next());
        let held = self
            .scene
            .gripper
            .holding
            .as_ref()
            .filter(|_| role == Role::Movable);
        // What was picked up is what is put down, whatever was passed on the way.
        let in_hand = held.filter(|id| self.mentioned.iter().flatten().any(|it| it == *id));
        let before = self.dialogue.referents.iter().find(fits);
        if let Some(id) = in_hand.or(spoken).or(held).or(before) {
            return Ok(vec![id.clone()]);
        }
        let candidates: Vec<&SceneObject> = self
            .scene
            .objects
            .iter()
            .filter(|o| self.suits(o, role) && !avoid.contains(&o.id))
            .collect();
        match candidates.len() {
            0 => Err(Trouble::Puzzled(
                "I do not know what you mean by \"it\".".to_owned(),
            )),
            1 => Ok(vec![candidates[0].id.clone()]),
            _ => {
                let question = "What do you mean by \"it\"?".to_owned();
                let ids = self.ids_left_to_right(&candidates);
                self.choose(phrase, ids, question)
                    .map_err(|trouble| match trouble {
                        Trouble::Choose(choice) => Trouble::Choose(Choice {
                            is_about_pronoun: true,
                            ..choice
                        }),
                        other => other,
                    })
            }
        }
    }

    /// "them": the last group spoken of, else all objects spoken of.
    fn them(&self, phrase: &NounPhrase) -> Result<Vec<String>, Trouble> {
        let graspable = |id: &&String| {
            self.scene
                .object(id)
                .is_some_and(|o| self.capabilities.can_grasp(&o.kind))
        };
        let group = self.mentioned.iter().rev().find(|ids| ids.len() > 1);
        let mut ids: Vec<String> = match group {
            Some(ids) => ids.clone(),
            None => self
                .mentioned
                .iter()
                .flatten()
                .filter(graspable)
                .cloned()
                .collect(),
        };
        if ids.is_empty() {
            ids.clone_from(&self.dialogue.referents);
        }
        ids.dedup();
        if ids.is_empty() {
            // "put them in the bowl" with nothing before: the blocks there are.
            let mut all = phrase.clone();
            all.head = Head::Anything;
            all.plural = true;
            ids = self.fitting(&all, &[], Role::Movable, &[])?;
        }
        if ids.is_empty() {
            return Err(Trouble::Puzzled(
                "I do not know what you mean by \"them\".".to_owned(),
            ));
        }
        match phrase.quantity {
            Quantity::Any(n) if n < ids.len() => Ok(ids[..n].to_vec()),
            _ => Ok(ids),
        }
    }

    /// Whether an object suits a role by its kind.
    pub(super) fn suits(&self, object: &SceneObject, role: Role) -> bool {
        match role {
            Role::Movable => self.capabilities.can_grasp(&object.kind),
            Role::Container => self.capabilities.is_container(&object.kind),
            Role::Support => object.kind == "block",
            Role::Openable => self.capabilities.is_openable(&object.kind),
            Role::Landmark => true,
        }
    }

    /// The refusal that names what was wanted and what is there.
    fn not_found(&self, phrase: &NounPhrase, modifiers: &[Prep]) -> Trouble {
        let noun = self.noun_of(phrase);
        let there = describe::inventory(self.scene);
        let bare = NounPhrase {
            conditions: Vec::new(),
            sides: Vec::new(),
            state: None,
            number: None,
            ..phrase.clone()
        };
        let narrowed = phrase.number.is_some()
            || !modifiers.is_empty()
            || !phrase.conditions.is_empty()
            || phrase.state.is_some()
            || phrase.other;
        let exists = self
            .fitting(
                &NounPhrase {
                    other: false,
                    ..bare
                },
                &[],
                Role::Landmark,
                &[],
            )
            .is_ok_and(|found| !found.is_empty());
        if phrase.other && exists {
            return Trouble::Cannot(format!("I do not see another {noun}. I see {there}."));
        }
        if narrowed && exists {
            return Trouble::Cannot(format!("I do not see any {noun} like that. I see {there}."));
        }
        Trouble::Cannot(format!(
            "I do not see {}. I see {there}.",
            describe::counted(&noun, 1)
        ))
    }

    /// "red block": the words of the phrase.
    pub(super) fn noun_of(&self, phrase: &NounPhrase) -> String {
        let head = match &phrase.head {
            Head::Kind(kind) => kind.clone(),
            Head::Unknown(word) => word.clone(),
            Head::Id(id) => id.clone(),
            _ => "object".to_owned(),
        };
        match phrase.colors.first() {
            Some(color) => format!("{color} {head}"),
            None => head,
        }
    }
}
