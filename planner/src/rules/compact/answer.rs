//! From a meaning to an answer over the scene.

use vola_types::{Direction, PlanOption, PushTo, Relation, Scene, Step, Verdict};

use super::meaning::{Harm, Meaning, Other, ReadError, Reply, Topic, Why};
use crate::describe;
use crate::draft::PlanDraft;
use crate::guard::Danger;
use crate::request::{LastCommand, PlanRequest};
use crate::rules::compose::recompose;
use crate::rules::ground::{Grounder, Role};
use crate::rules::parse::Vocabulary;
use crate::rules::syntax::{
    Clause, Command, Head, NounGroup, NounPhrase, PlaceRef, Prep, Quantity,
};
use crate::rules::trouble::Choices;
use crate::rules::{correction, question, reply, respond, token};

/// Most objects that a vague wish offers something for.
const MOST_OFFERED: usize = 3;

/// Answers a request by the line that says what it means.
///
/// # Errors
/// The first word that is not of the compact language.
pub fn answer(line: &str, request: &PlanRequest) -> Result<PlanDraft, ReadError> {
    let kinds: Vec<String> = request
        .scene
        .objects
        .iter()
        .map(|object| object.kind.clone())
        .collect();
    let meaning = Meaning::read(line, &kinds)?;
    Ok(draft(&meaning, request))
}

fn draft(meaning: &Meaning, request: &PlanRequest) -> PlanDraft {
    match meaning {
        Meaning::Do(clauses) => respond::to_clauses(clauses, request),
        Meaning::Ask(group) => offers(group.as_ref(), request),
        Meaning::Cannot(why) => PlanDraft::infeasible(match why {
            Why::Skill => {
                "I cannot do that. I can pick, place, push, stack, open and close things on this table."
                    .to_owned()
            }
            Why::Thing => format!(
                "I do not see that here. I see {}.",
                describe::inventory(&request.scene)
            ),
            Why::Place => {
                "I cannot get there. I reach only what is on this table and in the drawer.".to_owned()
            }
            Why::Measure => {
                "I cannot measure distances that finely. A push moves a thing about 8 cm; or name a place instead."
                    .to_owned()
            }
        }),
        Meaning::Unsafe(harm) => PlanDraft::unsafe_request(
            match harm {
                Harm::Person => Danger::Harm,
                Harm::Throw | Harm::Damage => Danger::Damage,
                Harm::Limits | Harm::Safety => Danger::Limits,
            }
            .say(),
        ),
        Meaning::Chat(topic) => PlanDraft::chat(words(*topic, request)),
        Meaning::Fix(other) => PlanDraft {
            is_correction: request.dialogue.last.is_some(),
            ..fixed(other, request)
        },
        Meaning::Same(group) => fixed(&Other::Object(group.clone()), request),
        Meaning::Again => match &request.dialogue.last {
            Some(last) => redo(&last.steps, request),
            None => PlanDraft::chat("I have not done anything yet that I could do again."),
        },
        Meaning::Answer(reply) => replied(reply, request),
    }
}

fn redo(steps: &[Step], request: &PlanRequest) -> PlanDraft {
    respond::with_choices(&|choices| recompose(steps, request, choices))
}

/// A correction of the last command; without one the words are a command.
fn fixed(other: &Other, request: &PlanRequest) -> PlanDraft {
    let corrected = request.dialogue.last.as_ref().and_then(|last| match other {
        Other::Place(place) => {
            correction::other_place(last, about_the_target(place, last, request), request)
        }
        Other::Object(group) => other_objects(last, group, request),
        Other::Way(way) => other_way(last, Some(*way), request),
        Other::Opposite => other_way(last, None, request),
    });
    corrected.unwrap_or_else(|| match other {
        Other::Place(place) => {
            let object = NounGroup {
                members: vec![NounPhrase::new(usize::MAX - 8, Head::It)],
                either: false,
            };
            let command = Command::Put {
                object,
                preps: vec![place.clone()],
                way: None,
                down: false,
                is_move: false,
            };
            let clause = Clause {
                command,
                negated: false,
            };
            respond::to_clauses(&[clause], request)
        }
        Other::Object(group) => offers(Some(group), request),
        Other::Way(_) | Other::Opposite => {
            PlanDraft::chat("Tell me what to move that way.").with_confidence(0.4)
        }
    })
}

/// "inside it, not beside it": what the last command put something beside.
fn about_the_target(place: &Prep, last: &LastCommand, request: &PlanRequest) -> Prep {
    let mut place = place.clone();
    let target = last.steps.iter().rev().find_map(Step::target);
    if let (PlaceRef::Object(phrase), Some(target)) = (&mut place.place, target)
        && phrase.head == Head::It
        && request.scene.object(target).is_some()
    {
        phrase.head = Head::Id(target.to_owned());
    }
    place
}

/// The last command towards another side; without one, the opposite side.
fn other_way(
    last: &LastCommand,
    way: Option<Direction>,
    request: &PlanRequest,
) -> Option<PlanDraft> {
    let mut steps = last.steps.clone();
    let mut is_changed = false;
    for step in &mut steps {
        match step {
            Step::Push {
                to: PushTo::Direction(direction),
                ..
            } => {
                *direction = way.unwrap_or(opposite(*direction));
                is_changed = true;
            }
            Step::Place { relation, .. } => {
                let Some(side) = side_of(*relation) else {
                    continue;
                };
                *relation = beside(way.unwrap_or(opposite(side)));
                is_changed = true;
            }
            _ => {}
        }
    }
    is_changed.then(|| redo(&steps, request))
}

fn opposite(way: Direction) -> Direction {
    match way {
        Direction::Left => Direction::Right,
        Direction::Right => Direction::Left,
        Direction::Forward => Direction::Back,
        Direction::Back => Direction::Forward,
    }
}

/// The side of its landmark on which a thing lies in a relation.
fn side_of(relation: Relation) -> Option<Direction> {
    match relation {
        Relation::LeftOf => Some(Direction::Left),
        Relation::RightOf => Some(Direction::Right),
        Relation::Behind => Some(Direction::Forward),
        Relation::InFrontOf => Some(Direction::Back),
        Relation::In | Relation::On | Relation::NextTo => None,
    }
}

fn beside(side: Direction) -> Relation {
    match side {
        Direction::Left => Relation::LeftOf,
        Direction::Right => Relation::RightOf,
        Direction::Forward => Relation::Behind,
        Direction::Back => Relation::InFrontOf,
    }
}

/// The last command with these objects, one after another.
fn other_objects(
    last: &LastCommand,
    group: &NounGroup,
    request: &PlanRequest,
) -> Option<PlanDraft> {
    let mut parts: Vec<(String, Vec<Step>)> = Vec::new();
    for phrase in &group.members {
        let draft = correction::other_object(last, phrase, &[], request)?;
        if draft.verdict != Verdict::Execute || group.members.len() == 1 || group.either {
            return Some(draft);
        }
        parts.push((draft.tree.goal, draft.steps));
    }
    let steps: Vec<Step> = parts.iter().flat_map(|part| part.1.clone()).collect();
    // Built anew as one: the second begins where the first ends.
    Some(redo(&steps, request))
}

/// An answer to the open question; without one the words are a correction.
fn replied(reply: &Reply, request: &PlanRequest) -> PlanDraft {
    let nothing = || PlanDraft::chat("All right, I do nothing.");
    let Some(open) = &request.dialogue.question else {
        return match reply {
            Reply::Object(group) => fixed(&Other::Object(group.clone()), request),
            Reply::Place(place) => fixed(&Other::Place(place.clone()), request),
            Reply::No => nothing(),
            Reply::Yes | Reply::Number(_) => {
                PlanDraft::chat("There is no open question. Tell me what to do.")
            }
        };
    };
    let index = match reply {
        Reply::No => return nothing(),
        // Which of several is not said.
        Reply::Yes => match reply::only_deed(&open.options) {
            Some(option) => return redo(&option.steps, request),
            None => return reply::asked_again(open),
        },
        Reply::Number(number) => number.checked_sub(1),
        Reply::Object(group) => match group.members.as_slice() {
            [phrase] => reply::described_by(phrase, &[], request, &open.options),
            _ => None,
        },
        Reply::Place(place) => place_of(place, request, &open.options),
    };
    match index.and_then(|index| open.options.get(index)) {
        Some(option) if option.steps.is_empty() => nothing(),
        Some(option) => redo(&option.steps, request),
        None => PlanDraft::ask(open.question.clone(), open.options.clone()).with_confidence(0.5),
    }
}

/// The one option whose things end at this place.
fn place_of(place: &Prep, request: &PlanRequest, options: &[PlanOption]) -> Option<usize> {
    use crate::rules::trouble::Destination;
    let (choices, dialogue) = (Choices::new(), crate::request::Dialogue::default());
    let grounder = Grounder::over(request, &choices, &dialogue);
    let wanted = match grounder.destination(place, &[], &[]).ok()? {
        Destination::Region(name) => name,
        Destination::Object { id, .. } => id,
        Destination::Table => vola_types::ON_TABLE.to_owned(),
        Destination::SameColor { .. } => return None,
    };
    let goes_there = |option: &PlanOption| option.steps.iter().any(|s| s.target() == Some(&wanted));
    let mut fitting = options.iter().enumerate().filter(|(_, o)| goes_there(o));
    let first = fitting.next()?.0;
    fitting.next().is_none().then_some(first)
}

/// A question back to a wish that says too little: what could be done.
fn offers(group: Option<&NounGroup>, request: &PlanRequest) -> PlanDraft {
    let scene = &request.scene;
    let (choices, dialogue) = (Choices::new(), request.dialogue.clone());
    let grounder = Grounder::over(request, &choices, &dialogue);
    let mut named: Vec<String> = Vec::new();
    if let Some(group) = group {
        for phrase in &group.members {
            let mut every = phrase.clone();
            if !matches!(every.head, Head::It | Head::Them) {
                every.quantity = Quantity::All;
            }
            match grounder.phrase(&every, &[], Role::Landmark, &[]) {
                Ok(ids) => named.extend(ids),
                Err(crate::rules::trouble::Trouble::Cannot(say)) => {
                    return PlanDraft::infeasible(say);
                }
                Err(_) => {}
            }
        }
    }
    let (question, options) = if named.is_empty() {
        let movable = scene
            .objects
            .iter()
            .filter(|object| request.capabilities.can_grasp(&object.kind))
            .map(|object| object.id.clone());
        named.extend(movable.take(MOST_OFFERED));
        ("What shall I do?", options_for(&named, request))
    } else {
        (
            "What shall I do with it?",
            options_for(&named[..named.len().min(MOST_OFFERED)], request),
        )
    };
    if options.len() < 2 {
        return PlanDraft::chat("Tell me what to do, and with which object.").with_confidence(0.4);
    }
    PlanDraft::ask(question, options).with_confidence(0.5)
}

/// What could be done with these objects, and "nothing".
fn options_for(ids: &[String], request: &PlanRequest) -> Vec<PlanOption> {
    let scene = &request.scene;
    let mut options = Vec::new();
    let several = ids.len() > 1;
    for id in ids {
        let mut wishes: Vec<Vec<Step>> = Vec::new();
        let Some(object) = scene.object(id) else {
            continue;
        };
        if let Some(open) = object.open {
            let object = id.clone();
            wishes.push(vec![if open {
                Step::Close { object }
            } else {
                Step::Open { object }
            }]);
        } else {
            wishes.push(vec![Step::Pick { object: id.clone() }]);
            if !several {
                wishes.extend(bowl_for(id, scene));
            }
        }
        for wish in wishes {
            let drafted = redo(&wish, request);
            if !drafted.steps.is_empty() {
                options.push(PlanOption {
                    label: drafted.tree.goal.clone(),
                    steps: drafted.steps,
                });
            }
        }
    }
    options.push(PlanOption {
        label: "leave everything as it is".to_owned(),
        steps: Vec::new(),
    });
    options
}

/// The first bowl as a place for an object.
fn bowl_for(id: &str, scene: &Scene) -> Option<Vec<Step>> {
    let bowl = scene
        .objects
        .iter()
        .find(|o| o.kind == "bowl" && o.id != id)?;
    Some(vec![
        Step::Pick {
            object: id.to_owned(),
        },
        Step::Place {
            object: id.to_owned(),
            target: bowl.id.clone(),
            relation: Relation::In,
        },
    ])
}

/// What is said to words that ask for no motion.
fn words(topic: Topic, request: &PlanRequest) -> String {
    let seen = || format!("I see {}.", describe::inventory(&request.scene));
    let asked = || {
        let vocabulary = Vocabulary::of(&request.scene);
        question::answer(&token::tokenize(&request.sentence), request, &vocabulary)
    };
    match topic {
        Topic::Greet => "Hello! Tell me what to do on this table.".to_owned(),
        Topic::Bye => "Goodbye.".to_owned(),
        Topic::Thanks => "You are welcome.".to_owned(),
        Topic::Praise => "Thank you.".to_owned(),
        Topic::Who => {
            "I am a robot arm at this table. I do what you say with the blocks, bowls and drawers I see."
                .to_owned()
        }
        Topic::Can => {
            "I can pick up, place, stack and push things, open and close the drawer, and wait. For example: \"put the red block in the blue bowl\"."
                .to_owned()
        }
        Topic::Scene => asked().unwrap_or_else(seen),
        Topic::State => asked().unwrap_or_else(|| match &request.dialogue.last {
            Some(last) => format!("The last thing you asked for was \"{}\".", last.sentence),
            None => "I am waiting for something to do.".to_owned(),
        }),
        Topic::Smalltalk => {
            "I know only this table. Tell me what to move, and where to.".to_owned()
        }
        Topic::Nothing => "All right, I do nothing.".to_owned(),
    }
}
