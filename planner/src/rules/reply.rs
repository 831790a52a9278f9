//! What only makes sense after something: answers to a question, and
//! corrections of the last command.

use std::collections::BTreeMap;

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
use crate::draft::PlanDraft;
use crate::request::{LastCommand, PlanRequest};

/// Reads an answer to the open question; `None` when there is no question or
/// the sentence is something new.
pub(super) fn to_question(
    tokens: &[Token],
    request: &PlanRequest,
    vocabulary: &Vocabulary,
) -> Option<PlanDraft> {
    let open = request.dialogue.question.as_ref()?;
    let words: Vec<Token> = tokens
        .iter()
        .filter(|t| !t.is_punctuation() && t.text != "please" && t.text != "um" && t.text != "uh")
        .cloned()
        .collect();
    let text: Vec<&str> = words.iter().map(|t| t.text.as_str()).collect();
    if declines(&text) {
        return Some(PlanDraft::chat("All right, I do nothing."));
    }
    let index = numbered(&words, open.options.len())
        .or_else(|| labelled(&text, &open.options))
        .or_else(|| described(&words, request, vocabulary, &open.options))?;
    let option = open.options.get(index)?;
    if option.steps.is_empty() {
        return Some(PlanDraft::chat("All right, I do nothing."));
    }
    // The scene may have changed since the question; the steps are rebuilt.
    let draft = respond::with_choices(&|choices| recompose(&option.steps, request, choices));
    Some(draft)
}

fn declines(text: &[&str]) -> bool {
    matches!(
        text,
        ["no" | "neither" | "none" | "nothing" | "cancel" | "nope"]
            | ["never", "mind"]
            | ["forget", "it"]
            | ["leave", "it"]
            | ["do", "nothing"]
            | ["neither" | "none", "of", "them"]
            | ["no", "thanks"]
    )
}

/// "2", "the second one", "option two", "yes", "any".
fn numbered(words: &[Token], options: usize) -> Option<usize> {
    let kept: Vec<&Token> = words
        .iter()
        .filter(|t| {
            !matches!(
                t.text.as_str(),
                "the"
                    | "option"
                    | "number"
                    | "choice"
                    | "answer"
                    | "one"
                    | "take"
                    | "choose"
                    | "i"
                    | "mean"
                    | "meant"
                    | "want"
            ) || words.len() == 1
        })
        .collect();
    let [only] = kept.as_slice() else {
        return match kept.as_slice() {
            [] if words.iter().any(|t| t.text == "one") => Some(0),
            [a, b] if (a.text.as_str(), b.text.as_str()) == ("you", "decide") => Some(0),
            [a, b] if (a.text.as_str(), b.text.as_str()) == ("yes", "first") => Some(0),
            _ => None,
        };
    };
    let word = only.text.as_str();
    if matches!(
        word,
        "yes"
            | "yeah"
            | "yep"
            | "sure"
            | "ok"
            | "okay"
            | "any"
            | "either"
            | "whichever"
            | "whatever"
    ) {
        return Some(0);
    }
    if word == "last" {
        return options.checked_sub(1);
    }
    let number = lexicon::ordinal(word)
        .or_else(|| lexicon::count(word))
        .or_else(|| (1..=options).find(|n| only.text == n.to_string()))?;
    number.checked_sub(1).filter(|index| *index < options)
}

/// All words of the answer stand in exactly one label.
fn labelled(text: &[&str], options: &[PlanOption]) -> Option<usize> {
    let content: Vec<&str> = text
        .iter()
        .copied()
        .filter(|w| {
            !matches!(
                *w,
                "the"
                    | "a"
                    | "one"
                    | "on"
                    | "in"
                    | "to"
                    | "into"
                    | "i"
                    | "mean"
                    | "meant"
                    | "it"
                    | "please"
            )
        })
        .collect();
    if content.is_empty() {
        return None;
    }
    let fits = |option: &PlanOption| {
        let label = option.label.to_lowercase();
        let words: Vec<&str> = label
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        content.iter().all(|w| words.contains(w))
    };
    let mut fitting = options.iter().enumerate().filter(|(_, o)| fits(o));
    let first = fitting.next()?.0;
    fitting.next().is_none().then_some(first)
}

/// "the left one", "the one in the bowl": a phrase that fits the objects of
/// exactly one option.
fn described(
    words: &[Token],
    request: &PlanRequest,
    vocabulary: &Vocabulary,
    options: &[PlanOption],
) -> Option<usize> {
    let mut cursor = Cursor::new(words);
    cursor.eat_phrase(&[&["i", "mean"], &["i", "meant"], &["yes"]]);
    let phrase = parse::noun_phrase(&mut cursor, vocabulary)
        .unwrap_or_else(|| NounPhrase::new(0, Head::One));
    let mut preps: Vec<Prep> = Vec::new();
    while let Some(prep) = parse::prep(&mut cursor, vocabulary) {
        preps.push(prep);
    }
    // A bare "left".
    let mut phrase = phrase;
    if let Some(side) = parse::side_word(cursor.peek()) {
        cursor.advance();
        phrase.sides.push(side);
    }
    if !cursor.at_end() {
        return None;
    }
    described_by(&phrase, &preps, request, options)
}

/// The one option that acts on what this phrase means.
pub(super) fn described_by(
    phrase: &NounPhrase,
    preps: &[Prep],
    request: &PlanRequest,
    options: &[PlanOption],
) -> Option<usize> {
    if phrase.head == Head::It || phrase.head == Head::Them {
        return None;
    }
    let telling = telling_objects(options);
    // Landmarks may be any object, the answer only one that tells options apart.
    let avoid: Vec<String> = request
        .scene
        .objects
        .iter()
        .map(|o| o.id.clone())
        .filter(|id| !telling.contains_key(id.as_str()))
        .collect();
    let (choices, dialogue) = (Choices::new(), crate::request::Dialogue::default());
    let grounder = Grounder {
        scene: &request.scene,
        seen: &request.scene,
        capabilities: &request.capabilities,
        dialogue: &dialogue,
        choices: &choices,
        mentioned: &[],
        last_place: None,
        spared: &[],
    };
    let ids = grounder
        .phrase(phrase, preps, Role::Landmark, &avoid)
        .ok()?;
    let [id] = ids.as_slice() else {
        return None;
    };
    telling.get(id.as_str()).copied()
}

/// Objects that occur in exactly one option, with that option.
fn telling_objects(options: &[PlanOption]) -> BTreeMap<&str, usize> {
    let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, option) in options.iter().enumerate() {
        for step in &option.steps {
            for id in step.object().into_iter().chain(step.target()) {
                let known = owners.entry(id).or_default();
                if !known.contains(&index) {
                    known.push(index);
                }
            }
        }
    }
    owners
        .into_iter()
        .filter_map(|(id, options)| match options.as_slice() {
            [one] => Some((id, *one)),
            _ => None,
        })
        .collect()
}

/// Reads a correction of the last command ("no, the other one"); `None` when
/// there is none to correct or the sentence is a command of its own.
pub(super) fn correction(
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
    let object = last.steps.iter().rev().find_map(Step::object)?;
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

/// The last command with another object, or another target.
pub(super) fn other_object(
    last: &LastCommand,
    phrase: &NounPhrase,
    preps: &[Prep],
    request: &PlanRequest,
) -> Option<PlanDraft> {
    let scene = &request.scene;
    let object = last.steps.iter().find_map(Step::object)?;
    let target = last
        .steps
        .iter()
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
    // "the other one" is first another of the same colour.
    let avoid = [replaced.to_owned()];
    let (choices, dialogue) = (Choices::new(), crate::request::Dialogue::default());
    let grounder = Grounder {
        scene,
        seen: scene,
        capabilities: &request.capabilities,
        dialogue: &dialogue,
        choices: &choices,
        mentioned: &[],
        last_place: None,
        spared: &[],
    };
    let described = !wanted.colors.is_empty()
        || !wanted.sides.is_empty()
        || !preps.is_empty()
        || wanted.superlative.is_some();
    wanted.other = false;
    let mut every = wanted.clone();
    every.plural = true;
    every.quantity = Quantity::All;
    let mut found: Vec<String> = Vec::new();
    if !described && let Some(color) = &like.color {
        every.colors = vec![color.clone()];
        found = grounder
            .phrase(&every, preps, Role::Landmark, &avoid)
            .unwrap_or_default();
        every.colors.clear();
    }
    if found.is_empty() {
        let exact = if described { &wanted } else { &every };
        found = match grounder.phrase(exact, preps, Role::Landmark, &avoid) {
            Ok(ids) => ids,
            Err(Trouble::Choose(_)) => grounder
                .phrase(&every, preps, Role::Landmark, &avoid)
                .unwrap_or_default(),
            Err(Trouble::Cannot(say)) => return Some(PlanDraft::infeasible(say)),
            Err(_) => return None,
        };
    }
    let plan_with = |id: &String| {
        let steps: Vec<Step> = last
            .steps
            .iter()
            .map(|s| renamed(s, replaced, id))
            .collect();
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
