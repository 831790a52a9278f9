//! Answers to a question of the robot.

use std::collections::BTreeMap;

use vola_types::PlanOption;

use super::compose::recompose;
use super::cursor::Cursor;
use super::ground::{Grounder, Role};
use super::lexicon;
use super::parse::{self, Vocabulary};
use super::respond;
use super::syntax::{Head, NounPhrase, Prep};
use super::token::Token;
use super::trouble::Choices;
use crate::draft::PlanDraft;
use crate::request::{OpenQuestion, PlanRequest};

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
    if affirms(&text) {
        let Some(option) = only_deed(&open.options) else {
            return Some(asked_again(open));
        };
        return Some(respond::with_choices(&|choices| {
            recompose(&option.steps, request, choices)
        }));
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

/// "yes", "yes do it", "go ahead": that something be done, not which of several.
fn affirms(text: &[&str]) -> bool {
    const YES: [&str; 10] = [
        "yes", "yeah", "yep", "yup", "sure", "ok", "okay", "right", "correct", "exactly",
    ];
    match text {
        [yes] => YES.contains(yes) && *yes != "right",
        [yes, rest @ ..] if YES.contains(yes) => {
            matches!(
                rest,
                ["do"]
                    | ["do", "it" | "that" | "so"]
                    | ["go", "ahead"]
                    | ["that", "one"]
                    | ["of", "course"]
                    | ["that", "is", "right"]
                    | ["that", "is", "the", "one"]
            ) || affirms(rest)
        }
        _ => matches!(text, ["do", "it" | "that"] | ["go", "ahead"]),
    }
}

/// The only option that does something; none where several do.
pub(super) fn only_deed(options: &[PlanOption]) -> Option<&PlanOption> {
    let mut deeds = options.iter().filter(|option| !option.steps.is_empty());
    let first = deeds.next()?;
    deeds.next().is_none().then_some(first)
}

/// The same question once more: the answer did not say which. No other reading of
/// the answer says it either.
pub(super) fn asked_again(open: &OpenQuestion) -> PlanDraft {
    PlanDraft {
        is_final: true,
        ..PlanDraft::ask(open.question.clone(), open.options.clone()).with_confidence(0.5)
    }
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

/// "2", "the second one", "option two", "any".
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
    if matches!(word, "any" | "either" | "whichever" | "whatever") {
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
    let grounder = Grounder::over(request, &choices, &dialogue);
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
