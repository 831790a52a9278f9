//! Corrections of the last command: "no, the green one", "in the middle instead".
//!
//! A command of several steps may be half done: what is corrected then is the step
//! that is being done, not what came before it.

use vola_types::{PlanOption, Step};

use super::compose::recompose;
use super::cursor::Cursor;
use super::ground::{Grounder, Role};
use super::lexicon;
use super::parse::{self, Vocabulary};
use super::respond;
use super::syntax::{Clause, Command, Head, NounGroup, NounPhrase, Prep, Quantity};
use super::token::Token;
use super::trouble::{Choices, Trouble};
use crate::describe::capital;
use crate::draft::PlanDraft;
use crate::request::{LastCommand, PlanRequest};

/// Reads a correction of the last command ("no, the other one"); `None` when
/// there is none to correct or the sentence is a command of its own.
pub(super) fn of_last(
    tokens: &[Token],
    request: &PlanRequest,
    vocabulary: &Vocabulary,
) -> Option<PlanDraft> {
    // "The green one too" goes on; nothing was wrong.
    let goes_on = |token: &Token| matches!(token.text.as_str(), "too" | "also");
    let is_as_well = tokens
        .windows(2)
        .any(|pair| pair[0].text == "as" && pair[1].text == "well");
    Some(PlanDraft {
        is_correction: !is_as_well && !tokens.iter().any(goes_on),
        ..corrected(tokens, request, vocabulary)?
    })
}

fn corrected(
    tokens: &[Token],
    request: &PlanRequest,
    vocabulary: &Vocabulary,
) -> Option<PlanDraft> {
    let last = request.dialogue.last.as_ref()?;
    let (objecting, words) = without_objection(tokens);
    if words.is_empty() {
        return objecting.then(|| PlanDraft::chat("All right. Tell me what you want instead."));
    }
    let mut cursor = Cursor::new(&words);
    if cursor.eat("not") {
        // "not that one, the green one"
        parse::noun_phrase(&mut cursor, vocabulary)?;
        cursor.eat_any(&[",", "but"]);
    }
    if lexicon::verb(cursor.peek()).is_some() && !vocabulary.is_head(&cursor) {
        return None;
    }
    if let Some(prep) = parse::prep(&mut cursor, vocabulary)
        && cursor.at_end()
    {
        return other_place(last, prep, request);
    }
    let mut cursor_np = Cursor::new(&words);
    cursor_np.at = if words.first().is_some_and(|w| w.text == "not") {
        cursor.at
    } else {
        0
    };
    let phrase = parse::noun_phrase(&mut cursor_np, vocabulary)?;
    let mut preps = Vec::new();
    while let Some(prep) = parse::prep(&mut cursor_np, vocabulary) {
        preps.push(prep);
    }
    if !cursor_np.at_end() {
        return None;
    }
    other_object(last, &phrase, &preps, request)
}

/// Strips "no", "I meant", "instead"; whether there was any.
pub(super) fn without_objection(tokens: &[Token]) -> (bool, Vec<Token>) {
    let mut words: Vec<Token> = parse::without_fillers(tokens);
    let mut objecting = tokens.iter().any(|t| t.text == "actually");
    loop {
        let text: Vec<&str> = words.iter().take(3).map(|t| t.text.as_str()).collect();
        let drop = match text.as_slice() {
            ["i", "mean" | "meant" | "said", ..] => 2,
            // "Instead of …", "no need to …" say what not to do.
            ["instead", "of", ..] | ["rather", "than", ..] | ["no", "need" | "matter", ..] => 0,
            ["not", "that" | "this", "one", ..] if words.len() > 3 => 3,
            ["wait", "," | "no", ..] => 1,
            ["no" | "nope" | "wrong" | "rather" | "sorry" | "instead", ..] => 1,
            [",", ..] => 1,
            _ => 0,
        };
        if drop == 0 {
            break;
        }
        objecting = true;
        words.drain(..drop);
    }
    while words
        .last()
        .is_some_and(|t| t.is_punctuation() || t.text == "instead" || t.text == "rather")
    {
        words.pop();
    }
    (objecting, words)
}

/// The last objects, somewhere else.
pub(super) fn other_place(
    last: &LastCommand,
    prep: Prep,
    request: &PlanRequest,
) -> Option<PlanDraft> {
    let object = match running(last) {
        Some(object) => object,
        None => last.steps.iter().rev().find_map(Step::object)?,
    };
    let group = NounGroup {
        members: vec![NounPhrase::new(usize::MAX, Head::Id(object.to_owned()))],
        either: false,
    };
    let clause = Clause {
        command: Command::Put {
            object: group,
            preps: vec![prep],
            way: None,
            down: false,
            is_move: false,
        },
        negated: false,
    };
    Some(respond::to_clauses(&[clause], request))
}

/// What the step that is being done acts on; nothing before the first is done and
/// after the last.
fn running(last: &LastCommand) -> Option<&str> {
    let left = last.steps.get(last.finished_steps..)?;
    (last.finished_steps > 0)
        .then(|| left.iter().find_map(Step::object))
        .flatten()
}

/// What a correction is about: the thing in hand, after all is done the last one.
fn acted_on(last: &LastCommand) -> Option<&str> {
    running(last).or_else(|| {
        let mut objects = last.steps.iter().filter_map(Step::object);
        if last.finished_steps == 0 {
            objects.next()
        } else {
            objects.next_back()
        }
    })
}

/// The last command with another object, or another target.
pub(super) fn other_object(
    last: &LastCommand,
    phrase: &NounPhrase,
    preps: &[Prep],
    request: &PlanRequest,
) -> Option<PlanDraft> {
    let scene = &request.scene;
    let object = acted_on(last)?;
    let target = last
        .steps
        .iter()
        .filter(|step| step.object() == Some(object))
        .filter_map(Step::target)
        .find(|name| scene.object(name).is_some());
    let kind_of = |id: &str| scene.object(id).map(|o| o.kind.clone());
    let replaced = match (&phrase.head, target) {
        (Head::Kind(kind), Some(target))
            if kind_of(object).as_ref() != Some(kind) && kind_of(target).as_ref() == Some(kind) =>
        {
            target
        }
        _ => object,
    };
    let like = scene.object(replaced)?;
    let mut wanted = phrase.clone();
    if matches!(wanted.head, Head::One | Head::It | Head::Unknown(_)) {
        wanted.head = Head::Kind(like.kind.clone());
    }
    if wanted.head == Head::Anything {
        return None;
    }
    let mut wanted_now = wanted.clone();
    wanted_now.other = false;
    let found = others(&wanted_now, preps, replaced, wanted.other, request);
    let found = match found {
        Found::Others(found) => found,
        Found::MeantAlready => {
            let name = capital(&vola_types::object_phrase(replaced, scene));
            return Some(PlanDraft::chat(format!(
                "{name} is the one I mean already."
            )));
        }
        Found::Nothing(say) => return Some(PlanDraft::infeasible(say)),
        Found::Unclear => return None,
    };
    let steps = concerned(last, replaced);
    let plan_with = |id: &String| {
        let steps: Vec<Step> = steps.iter().map(|s| renamed(s, replaced, id)).collect();
        respond::with_choices(&|choices| recompose(&steps, request, choices))
    };
    if let [only] = found.as_slice() {
        return Some(plan_with(only));
    }
    let labels = crate::describe::labels(&found, scene);
    let options: Vec<PlanOption> = found
        .iter()
        .zip(labels)
        .map(|(id, label)| PlanOption {
            label,
            steps: plan_with(id).steps,
        })
        .filter(|option| !option.steps.is_empty())
        .take(8)
        .collect();
    if options.len() < 2 {
        return found.first().map(plan_with);
    }
    Some(PlanDraft::ask("Which one do you mean?", options).with_confidence(0.5))
}

/// The steps that are to be done, or done anew, with another object: what is left,
/// and what was done with it. A finished push of something else is not repeated.
fn concerned<'a>(last: &'a LastCommand, replaced: &str) -> Vec<&'a Step> {
    // Of another target only what the last deed moved is moved again.
    let moved = acted_on(last);
    let has = |step: &Step| {
        step.object() == Some(replaced)
            || (step.object() == moved
                && (step.target() == Some(replaced) || matches!(step, Step::Pick { .. })))
    };
    let steps = last.steps.iter().enumerate();
    steps
        .filter(|(index, step)| *index >= last.finished_steps || has(step))
        .map(|(_, step)| step)
        .collect()
}

/// What a correction may mean.
enum Found {
    Others(Vec<String>),
    /// The very thing that is acted on.
    MeantAlready,
    Nothing(String),
    Unclear,
}

/// The objects besides `replaced` that the words of a correction fit.
fn others(
    wanted: &NounPhrase,
    preps: &[Prep],
    replaced: &str,
    is_other: bool,
    request: &PlanRequest,
) -> Found {
    let scene = &request.scene;
    let (choices, dialogue) = (Choices::new(), crate::request::Dialogue::default());
    let grounder = Grounder::over(request, &choices, &dialogue);
    let is_described = !wanted.colors.is_empty()
        || !wanted.sides.is_empty()
        || !preps.is_empty()
        || wanted.superlative.is_some();
    let avoid = [replaced.to_owned()];
    let fitting = |phrase: &NounPhrase, avoid: &[String]| {
        grounder.phrase(phrase, preps, Role::Landmark, avoid)
    };
    // Once something was moved, its place says no more which one was meant.
    let has_moved = request
        .dialogue
        .last
        .as_ref()
        .is_some_and(|last| last.finished_steps > 0);
    let is_by_look = wanted.sides.is_empty() && preps.is_empty() && wanted.superlative.is_none();
    if is_described
        && !is_other
        && (is_by_look || !has_moved)
        && fitting(wanted, &[]).is_ok_and(|found| found == avoid)
    {
        return Found::MeantAlready;
    }
    let mut every = wanted.clone();
    every.plural = true;
    every.quantity = Quantity::All;
    // "the other one" is first another of the same colour.
    let color = scene.object(replaced).and_then(|like| like.color.clone());
    if let (false, Some(color)) = (is_described, color) {
        let mut alike = every.clone();
        alike.colors = vec![color];
        let found = fitting(&alike, &avoid).unwrap_or_default();
        if !found.is_empty() {
            return Found::Others(found);
        }
    }
    match fitting(if is_described { wanted } else { &every }, &avoid) {
        Ok(found) => Found::Others(found),
        Err(Trouble::Choose(_)) => Found::Others(fitting(&every, &avoid).unwrap_or_default()),
        Err(Trouble::Cannot(say)) => Found::Nothing(say),
        Err(_) => Found::Unclear,
    }
}

/// The step with one object in place of another.
fn renamed(step: &Step, old: &str, new: &str) -> Step {
    let swap = |name: &mut String| {
        if name == old {
            new.clone_into(name);
        }
    };
    let mut step = step.clone();
    match &mut step {
        Step::MoveTo { target } => swap(target),
        Step::Pick { object } | Step::Open { object } | Step::Close { object } => swap(object),
        Step::Push { object, .. } => swap(object),
        Step::Place { object, target, .. } => {
            swap(object);
            swap(target);
        }
        _ => {}
    }
    step
}

#[cfg(test)]
mod tests {
    use vola_types::{Scene, Verdict};

    use super::*;

    /// The red block is to go into the blue bowl, then the green one into the pink.
    fn after(finished_steps: usize, sentence: &str) -> PlanDraft {
        let scene = Scene::from_json(
            r#"{"objects":[
                {"id":"red","kind":"block","color":"red","position":[0.40,-0.10,0.02],"on":"table"},
                {"id":"green","kind":"block","color":"green","position":[0.45,0.05,0.02],"on":"table"},
                {"id":"yellow","kind":"block","color":"yellow","position":[0.35,0.15,0.02],"on":"table"},
                {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.52,0.20,0.03],"on":"table"},
                {"id":"pink_bowl","kind":"bowl","color":"pink","position":[0.52,-0.20,0.03],"on":"table"}]}"#,
        )
        .unwrap();
        let mut request = PlanRequest::new(sentence, scene);
        let first = "put the red block in the blue bowl and the green block in the pink bowl";
        let plan = super::super::RulesBackend::new().answer(&PlanRequest {
            sentence: first.to_owned(),
            ..request.clone()
        });
        request.dialogue.note(first, &plan.into_plan());
        if let Some(last) = &mut request.dialogue.last {
            assert_eq!(last.steps.len(), 4);
            last.finished_steps = finished_steps;
        }
        super::super::RulesBackend::new().answer(&request)
    }

    fn goals(draft: &PlanDraft) -> Vec<String> {
        let place = |step: &Step| match step {
            Step::Place { object, target, .. } => Some(format!("{object} {target}")),
            _ => None,
        };
        draft.steps.iter().filter_map(place).collect()
    }

    #[test]
    fn a_correction_is_of_the_step_that_is_being_done() {
        // Before the second half: the first is done.
        assert_eq!(goals(&after(2, "no, the yellow one")), ["yellow pink_bowl"]);
        // At the very beginning it is the first thing.
        let at_once = goals(&after(0, "no, the yellow one"));
        assert_eq!(at_once, ["yellow blue_bowl", "green pink_bowl"]);
        // All is done: the last thing.
        assert_eq!(goals(&after(4, "no, the yellow one")), ["yellow pink_bowl"]);
    }

    #[test]
    fn what_is_meant_already_is_said() {
        for finished in [2, 3, 4] {
            let draft = after(finished, "no, the green one");
            assert_eq!(draft.verdict, Verdict::Chat, "{finished}");
            assert_eq!(draft.say, "The green block is the one I mean already.");
        }
        let draft = after(0, "no, the red one");
        assert_eq!(draft.say, "The red block is the one I mean already.");
    }

    #[test]
    fn another_place_is_for_the_thing_in_hand() {
        for (finished, goal) in [(1, "red left side"), (3, "green left side")] {
            assert_eq!(goals(&after(finished, "on the left side instead")), [goal]);
        }
    }
}
