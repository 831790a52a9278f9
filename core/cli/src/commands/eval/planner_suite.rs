//! `vola eval --suite planner`: an examination of the planner by sentences with
//! scenes and answers, without any robot. Two examiners: sentences put together
//! from the held-out part of the phrase book, and a file of sentences that
//! people wrote before there was a grammar or a model. Then the executive runs
//! plans on a robot of symbols whose steps fail.
//!
//! An answer is right when its verdict is among the accepted ones and, for
//! `execute`, when the plan changes the world as one of the accepted outcomes
//! does: picks that end in a place are a part of it, other picks count. A question is
//! right when its options lead there: of a command that fits several things all of
//! them must be offered, of a sentence that may be carried out an accepted outcome.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use vola_phrasebook::{Exercise, Sampler, Split, exercise};
use vola_planner::{Dialogue, PlanRequest, verify_steps};
use vola_types::{Plan, Scene, Step, Verdict};

use super::planner_execution;
use super::planner_goals::{Goals, Offer, effects};
use super::planner_report::{Answer, report};
use crate::{conversation::Conversation, failure::Failure, output::Console};

/// Plans run on the symbolic robot, at most.
const MOST_EXECUTED: usize = 1000;

/// The examination that comes with the sources.
const SENTENCES: &str = "tests/data/planner_sentences.jsonl";

/// One sentence of the examination.
#[derive(Clone, Debug, Deserialize)]
struct Question {
    id: String,
    language: String,
    class: String,
    #[serde(default)]
    history: Vec<String>,
    scene: serde_json::Value,
    sentence: String,
    verdicts: Vec<Verdict>,
    goals: Vec<Vec<Step>>,
    ordered: bool,
    #[serde(default)]
    keep: Vec<String>,
}

/// What is asked, with what is accepted.
struct Asked {
    class: String,
    also: Vec<&'static str>,
    language: String,
    request: PlanRequest,
    verdicts: Vec<Verdict>,
    goals: Goals,
}

/// Asks every sentence of a file, and `generated` of the phrase book.
///
/// # Errors
/// When the file cannot be read or understood, or the planner not be had.
pub(super) fn run(
    conversation: &Conversation,
    file: Option<&Path>,
    (generated_count, seed): (usize, u64),
    console: Console,
) -> Result<(), Failure> {
    let mut answers = Vec::with_capacity(generated_count);
    let sampler = Sampler::new(Split::HeldOut).map_err(Failure::phrases)?;
    let mut rng = fastrand::Rng::with_seed(seed);
    for index in 0..generated_count {
        let one = exercise(&sampler, &mut rng);
        let offer = offer_of(&one);
        let asked = Asked {
            class: one.class.to_owned(),
            also: one.also,
            language: one.sample.language.tag().to_owned(),
            request: one.request,
            verdicts: vec![one.expected.verdict],
            goals: Goals {
                any_of: vec![effects(&one.expected.steps)],
                ordered: true,
                keep: Vec::new(),
                offer,
            },
        };
        let (answer, plan) = ask(conversation, &asked);
        if !answer.is_right {
            let (wanted, verdict) = (one.sample.meaning, plan.verdict.as_str());
            tracing::debug!(index, wanted, verdict, plan.say, "{}", one.sample.sentence);
        }
        answers.push(answer);
    }
    let generated = report("generated", &answers, console)?;
    let file = file.map_or_else(|| PathBuf::from(SENTENCES), Path::to_owned);
    let questions = read(&file)?;
    let mut answers = Vec::with_capacity(questions.len());
    for question in &questions {
        let asked = asked(conversation, question, &file)?;
        let (answer, plan) = ask(conversation, &asked);
        if !answer.is_right {
            let steps = serde_json::to_string(&plan.steps).unwrap_or_default();
            let verdict = plan.verdict.as_str();
            tracing::debug!(id = question.id, verdict, steps, "{}", question.sentence);
        }
        answers.push(answer);
    }
    let mut summary = report("sentences", &answers, console)?;
    let executed = (generated_count.min(MOST_EXECUTED), seed);
    summary["execution"] = planner_execution::run(conversation, executed, console)?;
    if console.is_json() {
        summary["generated"] = generated;
        console.object(&json!({"summary": summary}))?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<Question>, Failure> {
    let text = std::fs::read_to_string(file).map_err(Failure::file(file, "read"))?;
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| Failure::Content {
                path: file.to_owned(),
                reason: format!("line {}: {error}", index + 1),
                help: "each line is a sentence with scene, verdicts and goals",
            })
        })
        .collect()
}

/// A question of the file, after the sentences before it.
fn asked(conversation: &Conversation, question: &Question, file: &Path) -> Result<Asked, Failure> {
    let scene = Scene::from_json(&question.scene.to_string()).map_err(|source| Failure::Scene {
        path: file.to_owned(),
        source,
    })?;
    let mut dialogue = Dialogue::default();
    for sentence in &question.history {
        let mut request = PlanRequest::new(sentence, scene.clone());
        request.dialogue = dialogue.clone();
        dialogue.note(sentence, &conversation.plan(&request));
    }
    let mut request = PlanRequest::new(&question.sentence, scene);
    request.dialogue = dialogue;
    Ok(Asked {
        class: question.class.clone(),
        also: Vec::new(),
        language: question.language.clone(),
        request,
        verdicts: question.verdicts.clone(),
        goals: Goals {
            any_of: question.goals.clone(),
            ordered: question.ordered,
            keep: question.keep.clone(),
            offer: if question.verdicts.contains(&Verdict::Execute) {
                Offer::Goal
            } else {
                Offer::Anything
            },
        },
    })
}

/// What a question to a generated sentence must offer: all that a command may mean; a
/// wish that says too little may be asked about in many ways.
fn offer_of(one: &Exercise) -> Offer {
    let is_command = one.sample.meaning.starts_with("do ");
    if !is_command || one.expected.verdict != Verdict::Ask {
        return Offer::Anything;
    }
    let outcomes = one.expected.options.iter();
    let outcomes = outcomes.map(|option| effects(&option.steps));
    // "Leave everything as it is" need not stand there.
    let outcomes: Vec<Vec<Step>> = outcomes.filter(|outcome| !outcome.is_empty()).collect();
    if outcomes.is_empty() {
        // A place is asked for: any words are an answer.
        return Offer::Anything;
    }
    Offer::Each(outcomes)
}

/// Plans one sentence and judges the plan.
fn ask(conversation: &Conversation, asked: &Asked) -> (Answer, Plan) {
    let request = &asked.request;
    let plan = conversation.plan(request);
    let accepted = asked.verdicts.contains(&plan.verdict);
    let expected = match asked.verdicts.first() {
        Some(first) if !accepted => *first,
        _ => plan.verdict,
    };
    let verifies =
        |steps: &[Step]| verify_steps(steps, &request.scene, &request.capabilities).is_ok();
    let leads_there = match plan.verdict {
        Verdict::Execute => asked.goals.reached_by(&plan.steps),
        Verdict::Ask => asked.goals.offered_by(&plan.options),
        Verdict::Infeasible | Verdict::Unsafe | Verdict::Chat => true,
    };
    let is_right = accepted && leads_there;
    let answer = Answer {
        class: asked.class.clone(),
        also: asked.also.clone(),
        language: asked.language.clone(),
        expected,
        got: plan.verdict,
        is_right,
        is_valid: verifies(&plan.steps) && plan.options.iter().all(|it| verifies(&it.steps)),
        backend: plan.backend.clone(),
        millis: plan.millis,
    };
    (answer, plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examination_is_the_one_that_was_frozen() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let file = root.join(SENTENCES);
        let questions = read(&file).unwrap();
        assert_eq!(questions.len(), 300);
        let urdu = questions.iter().filter(|one| one.language == "ur").count();
        assert_eq!(urdu, 100);
        // Written before the grammar grew and any model was trained; see the
        // history of the file. It stays as it is.
        let hash = blake3::hash(&std::fs::read(&file).unwrap()).to_hex();
        assert_eq!(hash.as_str(), FROZEN);
        for question in &questions {
            let scene = Scene::from_json(&question.scene.to_string());
            assert!(scene.is_ok(), "{}: {scene:?}", question.id);
            let executes = question.verdicts.contains(&Verdict::Execute);
            assert_eq!(executes, !question.goals.is_empty(), "{}", question.id);
        }
    }

    /// Hash of the examination.
    const FROZEN: &str = "05679cc66184948bc9ab4dbbd7ea741ab14c50cde636ba2d6592dd73f80cb3ee";
}
