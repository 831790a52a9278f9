//! Choosing among the lines that a model thinks likely.
//!
//! The embedded model does not see the scene: it says what the words mean, and
//! grounding says whether that exists. A line about something that is not there
//! gives way to one that is nearly as likely and is there; words that are hard
//! to read are mended that way.

use serde::{Deserialize, Serialize};
use vola_types::{PlanOption, Step, Verdict};

use crate::draft::PlanDraft;
use crate::request::PlanRequest;
use crate::rules::compact;

/// How much less likely a line that makes sense in the scene may be than one
/// that does not: nothing there to do it with, or nothing to do.
const INSTEAD_OF_IDLE: f64 = 0.12;
/// The same for a pronoun that nothing stands for.
const INSTEAD_OF_IT: f64 = 0.1;
/// The same for a refusal: words the model does not know sound like things and
/// skills the robot does not have.
const INSTEAD_OF_CANNOT: f64 = 0.35;

/// A line of the compact language and how likely its model found it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredLine {
    /// The line.
    pub line: String,
    /// 0..=1.
    pub probability: f64,
}

/// What one reading of the sentence comes to.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The answer.
    pub draft: PlanDraft,
    /// The likeliest line that comes to it.
    pub line: String,
    /// Probability of all lines that come to it, among those that were found.
    pub probability: f64,
}

/// The answer to readings: the first one, or the question between those that
/// are at least as likely as `least`; without it nothing is asked.
#[must_use]
pub fn answer(readings: Vec<Reading>, least: Option<f64>) -> Option<PlanDraft> {
    let first = readings.first()?;
    let confidence = first.draft.confidence.min(first.probability);
    let kept = |reading: &&Reading| least.is_some_and(|bar| reading.probability >= bar);
    let doubtful: Vec<&Reading> = readings
        .iter()
        .filter(kept)
        .filter(|reading| reading.draft.verdict == Verdict::Execute)
        .collect();
    if first.draft.verdict == Verdict::Execute && doubtful.len() > 1 {
        let option = |reading: &&Reading| PlanOption {
            label: reading.draft.tree.goal.clone(),
            steps: reading.draft.steps.clone(),
        };
        let options = doubtful.iter().map(option).collect();
        let draft = PlanDraft::ask("I am not sure what you mean. Which of these?", options);
        return Some(draft.with_confidence(confidence));
    }
    let first = readings.into_iter().next()?;
    Some(first.draft.with_confidence(confidence))
}

/// The readings, the one to follow first; none when no line can be read.
#[must_use]
pub fn readings(lines: &[ScoredLine], request: &PlanRequest) -> Vec<Reading> {
    let mut all: Vec<Reading> = Vec::new();
    let total: f64 = lines.iter().map(|line| line.probability).sum();
    for line in lines {
        let Ok(draft) = compact::answer(&line.line, request) else {
            continue;
        };
        let share = line.probability / total.max(f64::MIN_POSITIVE);
        match all.iter_mut().find(|known| is_same(&known.draft, &draft)) {
            Some(known) => known.probability += share,
            None => all.push(Reading {
                draft,
                line: line.line.clone(),
                probability: share,
            }),
        }
    }
    all.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let patience = all.first().and_then(patience);
    if let (Some(first), Some(patience)) = (all.first(), patience) {
        let bar = first.probability * patience;
        let makes_sense = |reading: &Reading| {
            reading.probability >= bar && reading.draft.verdict == Verdict::Execute
        };
        if let Some(index) = all.iter().position(makes_sense) {
            all[..=index].rotate_right(1);
        }
    }
    all
}

/// How likely another reading must be, against this one, to be followed in its
/// place; none where this one stands. What is unsafe always stands, and so does
/// a wish that something be left alone: no motion comes out of it.
fn patience(first: &Reading) -> Option<f64> {
    let spares = first.line.contains("keep ");
    let is_command = first.line.starts_with("do ") && !spares;
    match first.draft.verdict {
        Verdict::Infeasible | Verdict::Chat if is_command => Some(INSTEAD_OF_IDLE),
        Verdict::Ask if is_command && first.draft.say.contains("mean by") => Some(INSTEAD_OF_IT),
        Verdict::Infeasible if ["cannot skill", "cannot thing"].contains(&&*first.line) => {
            Some(INSTEAD_OF_CANNOT)
        }
        _ => None,
    }
}

/// Whether two answers come to the same.
#[must_use]
pub fn is_same(a: &PlanDraft, b: &PlanDraft) -> bool {
    let options = |draft: &PlanDraft| -> Vec<Vec<Step>> {
        draft.options.iter().map(|it| it.steps.clone()).collect()
    };
    let is_same = a.verdict == b.verdict && a.steps == b.steps && options(a) == options(b);
    // Refusals and talk come to the same where they say the same.
    is_same && (!a.steps.is_empty() || !a.options.is_empty() || a.say == b.say)
}

#[cfg(test)]
mod tests {
    use vola_types::Scene;

    use super::*;

    fn verdict(lines: &[(&str, f64)]) -> Verdict {
        let scene = r#"{"objects":[{"id":"red_block","kind":"block","color":"red","position":[0.4,0.1,0.02],"on":"table"}]}"#;
        let request = PlanRequest::new("", Scene::from_json(scene).unwrap());
        let scored = |(line, probability): &(&str, f64)| ScoredLine {
            line: (*line).to_owned(),
            probability: *probability,
        };
        let lines: Vec<ScoredLine> = lines.iter().map(scored).collect();
        answer(readings(&lines, &request), None).unwrap().verdict
    }

    #[test]
    fn what_is_not_there_gives_way_and_a_wish_to_do_nothing_does_not() {
        let take = "do take red block";
        assert_eq!(
            verdict(&[("do take pink block", 0.7), (take, 0.3)]),
            Verdict::Execute
        );
        assert_eq!(
            verdict(&[("do take pink block", 0.95), (take, 0.05)]),
            Verdict::Infeasible
        );
        for standing in ["do keep red block", "unsafe throw", "chat nothing"] {
            assert_ne!(
                verdict(&[(standing, 0.55), (take, 0.45)]),
                Verdict::Execute,
                "{standing}"
            );
        }
    }
}
