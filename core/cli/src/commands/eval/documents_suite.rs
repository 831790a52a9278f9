//! `vola eval --suite documents`: questions over the shipped manual, written before
//! anything answered them. Some are answered by it, some are not in it, some stand
//! beside a command, and some are about the scene and none of the documents' business.
//!
//! Right is: the passage under an accepted heading comes first; or, where there is
//! none, "not in the documents"; beside a command, also the plan that the command
//! has alone; about the scene, an answer that does not come from the documents.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use vola_planner::PlanRequest;
use vola_types::{Plan, Scene, Verdict};

use super::planner_report::{Answer, report};
use crate::{conversation::Conversation, failure::Failure, output::Console};

/// The questions that come with the sources.
const QUESTIONS: &str = "tests/data/document_questions.jsonl";
/// What is on the table meanwhile.
const SCENE: &str = r#"{"objects":[
 {"id":"red_block","kind":"block","color":"red","position":[0.40,0.15,0.02],"on":"table"},
 {"id":"green_block","kind":"block","color":"green","position":[0.45,-0.20,0.02],"on":"table"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.35,-0.05,0.03],"on":"table"},
 {"id":"drawer","kind":"drawer","open":false}]}"#;
/// Questions that are about the scene.
const ABOUT_SCENE: &str = "scene";

/// One sentence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    id: String,
    class: String,
    language: String,
    sentence: String,
    /// Headings of passages that answer it; none: it is not in the manual.
    headings: Vec<String>,
    /// The command in it.
    #[serde(default)]
    command: Option<String>,
}

/// Asks every question of a file.
///
/// # Errors
/// When the file cannot be read or understood.
pub(super) fn run(
    conversation: &Conversation,
    file: Option<&Path>,
    console: Console,
) -> Result<(), Failure> {
    let file = file.map_or_else(|| PathBuf::from(QUESTIONS), Path::to_owned);
    let questions = read(&file)?;
    let scene = Scene::from_json(SCENE).map_err(|source| Failure::Scene {
        path: file.clone(),
        source,
    })?;
    let (mut answers, mut invented) = (Vec::new(), 0);
    for question in &questions {
        let plan = conversation.plan(&PlanRequest::new(&question.sentence, scene.clone()));
        let alone = question.command.as_ref();
        let alone =
            alone.map(|command| conversation.plan(&PlanRequest::new(command, scene.clone())));
        let is_right = is_right(question, &plan, alone.as_ref());
        if !is_right {
            let (say, verdict) = (plan.say.as_str(), plan.verdict.as_str());
            tracing::debug!(id = question.id, verdict, say, "{}", question.sentence);
        }
        invented += usize::from(question.headings.is_empty() && !plan.citations.is_empty());
        answers.push(Answer {
            class: question.class.clone(),
            also: Vec::new(),
            language: question.language.clone(),
            expected: alone.map_or(Verdict::Chat, |alone| alone.verdict),
            got: plan.verdict,
            is_right,
            is_valid: plan.verdict == Verdict::Execute || plan.steps.is_empty(),
            backend: plan.backend,
            millis: plan.millis,
        });
    }
    let mut summary = report("documents", &answers, console)?;
    summary["cited_without_ground"] = invented.into();
    if console.is_json() {
        return console.object(&json!({"summary": summary}));
    }
    console.line(&format!(
        "{invented} questions whose answer is not in the manual were answered from it"
    ))
}

fn is_right(question: &Question, plan: &Plan, alone: Option<&Plan>) -> bool {
    if question.class == ABOUT_SCENE {
        return plan.verdict == Verdict::Chat && plan.answer.is_none();
    }
    let is_planned = match alone {
        Some(alone) => plan.verdict == alone.verdict && plan.steps == alone.steps,
        None => plan.verdict == Verdict::Chat && plan.steps.is_empty(),
    };
    let first = plan
        .citations
        .first()
        .map(|citation| citation.heading.as_str());
    let last = first.and_then(|heading| heading.rsplit(" › ").next());
    let is_answered = match last {
        Some(heading) => question.headings.iter().any(|accepted| accepted == heading),
        None => question.headings.is_empty() && plan.answer.is_some(),
    };
    is_planned && is_answered
}

fn read(file: &Path) -> Result<Vec<Question>, Failure> {
    let text = std::fs::read_to_string(file).map_err(Failure::file(file, "read"))?;
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| Failure::Content {
                path: file.to_owned(),
                reason: format!("line {}: {error}", index + 1),
                help: "each line is a sentence with its class and the headings that answer it",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_questions_are_those_that_were_frozen() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let file = root.join(QUESTIONS);
        let questions = read(&file).unwrap();
        assert!(questions.len() >= 60);
        let hash = blake3::hash(&std::fs::read(&file).unwrap()).to_hex();
        assert_eq!(hash.as_str(), FROZEN);
        // Every accepted heading is one of the manual.
        let mut headings = BTreeSet::new();
        for entry in std::fs::read_dir(root.join("configs/manual")).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let lines = text.lines().filter(|line| line.starts_with('#'));
            headings.extend(lines.map(|line| line.trim_start_matches('#').trim().to_owned()));
        }
        for question in questions {
            let known = question
                .headings
                .iter()
                .all(|heading| headings.contains(heading));
            assert!(known, "{}: {:?}", question.id, question.headings);
            assert_eq!(question.class == "mixed", question.command.is_some());
        }
    }

    /// Hash of the questions; they were written before the search.
    const FROZEN: &str = "285956ce907fce352366c8904bf77b915ca3934b2761f9ee0e589e5a8fbd0b5a";
}
