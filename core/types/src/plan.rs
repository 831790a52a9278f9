//! The plan language: what a planner answers and the executive runs.
//!
//! One typed plan for every back end. The JSON is the contract's; a step with
//! a missing or an unfitting argument does not deserialise, so that code past
//! this point never asks "does this pick have an object?". Whether the objects
//! exist and the order makes sense is the verifier's question, not this file's.

mod sentence;
mod step;

use serde::{Deserialize, Serialize};

pub use sentence::{object_phrase, step_sentence};
pub use step::{Direction, MAX_WAIT_SECONDS, Op, PushTo, Relation, Step, StepError};

/// A planner's answer to one sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What kind of answer this is.
    pub verdict: Verdict,
    /// One sentence for the person: what will be done, or why not.
    pub say: String,
    /// The question, when the verdict is [`Verdict::Ask`].
    #[serde(default)]
    pub question: Option<String>,
    /// The possible answers; at least two when the verdict is
    /// [`Verdict::Ask`], else empty.
    #[serde(default)]
    pub options: Vec<PlanOption>,
    /// The goal and how it falls apart into parts.
    #[serde(default)]
    pub tree: GoalTree,
    /// The primitives in order; empty unless the verdict is
    /// [`Verdict::Execute`].
    #[serde(default)]
    pub steps: Vec<Step>,
    /// How sure the back end is, 0..=1.
    #[serde(default)]
    pub confidence: f64,
    /// Name of the back end that answered.
    #[serde(default)]
    pub backend: String,
    /// Model id of the back end; `None` when it uses no model.
    #[serde(default)]
    pub model: Option<String>,
    /// How often the verifier sent the plan back before it passed.
    #[serde(default)]
    pub repairs: u32,
    /// Tokens read and written by the model.
    #[serde(default)]
    pub tokens: TokenCount,
    /// Time from sentence to plan, in milliseconds.
    #[serde(default)]
    pub millis: f64,
    /// Identifies the decision in logs.
    #[serde(default)]
    pub id: String,
    /// Back ends that were asked before and failed, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Fallback>,
    /// The answer to a question about the documents, also part of `say`; none
    /// when there was no such question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Where the answer stands; empty when it is not in the documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
}

/// The five kinds of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The steps can be run.
    Execute,
    /// The sentence is ambiguous: a person must choose.
    Ask,
    /// It cannot be done; `say` tells why.
    Infeasible,
    /// It must not be done; `say` tells why.
    Unsafe,
    /// An answer in words, no motion.
    Chat,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 5] = [
        Self::Execute,
        Self::Ask,
        Self::Infeasible,
        Self::Unsafe,
        Self::Chat,
    ];

    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Ask => "ask",
            Self::Infeasible => "infeasible",
            Self::Unsafe => "unsafe",
            Self::Chat => "chat",
        }
    }
}

/// One answer to a question, with the plan it would mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanOption {
    /// What the person reads, for example
    /// "the red block on the left (red_block_1)".
    pub label: String,
    /// What would be run; empty for "do nothing".
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// The goal of a plan and its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalTree {
    /// The whole goal in words.
    #[serde(default)]
    pub goal: String,
    /// The parts in order.
    #[serde(default)]
    pub subtasks: Vec<Subtask>,
}

/// One part of a goal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtask {
    /// The part in words.
    pub goal: String,
    /// Indices into [`Plan::steps`], ascending.
    #[serde(default)]
    pub steps: Vec<usize>,
}

/// Tokens of a model call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCount {
    /// Read by the model.
    #[serde(rename = "in", default)]
    pub input: u64,
    /// Written by the model.
    #[serde(rename = "out", default)]
    pub output: u64,
}

/// A place in a document, with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The document, relative to the folder that was named.
    pub file: String,
    /// The headings above the place, the outermost first, with " › " between;
    /// empty for text without headings.
    pub heading: String,
    /// Line of the file where the passage begins, counted from 1.
    pub line: usize,
    /// Words of the document, line breaks as spaces.
    pub quote: String,
}

impl Citation {
    /// "manual.md › Gripper › Payload".
    #[must_use]
    pub fn place(&self) -> String {
        if self.heading.is_empty() {
            self.file.clone()
        } else {
            format!("{} › {}", self.file, self.heading)
        }
    }
}

/// A back end that was asked and did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// Its name.
    pub backend: String,
    /// Why it did not answer.
    pub reason: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            verdict: Verdict::Chat,
            say: String::new(),
            question: None,
            options: Vec::new(),
            tree: GoalTree::default(),
            steps: Vec::new(),
            confidence: 0.0,
            backend: String::new(),
            model: None,
            repairs: 0,
            tokens: TokenCount::default(),
            millis: 0.0,
            id: String::new(),
            fallbacks: Vec::new(),
            answer: None,
            citations: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = r#"{"verdict":"execute","say":"I will put the red block in the blue bowl.","question":null,"options":[],
     "tree":{"goal":"put the red block in the blue bowl","subtasks":[{"goal":"…","steps":[0,1]}]},
     "steps":[{"op":"pick","object":"red_block"},{"op":"place","object":"red_block","target":"blue_bowl","relation":"in"}],
     "confidence":0.98,"backend":"local","model":"…","repairs":0,"tokens":{"in":0,"out":0},"millis":41.2,"id":"…"}"#;

    #[test]
    fn the_contract_example_round_trips_field_by_field() {
        let plan: Plan = serde_json::from_str(CONTRACT).unwrap();
        assert_eq!(plan.verdict, Verdict::Execute);
        assert_eq!(plan.steps[1].op(), Op::Place);
        let again: serde_json::Value = serde_json::to_value(&plan).unwrap();
        let original: serde_json::Value = serde_json::from_str(CONTRACT).unwrap();
        assert_eq!(again, original);
    }

    #[test]
    fn citations_are_additional() {
        let mut plan: Plan = serde_json::from_str(CONTRACT).unwrap();
        assert!(plan.answer.is_none() && plan.citations.is_empty());
        plan.answer = Some("At most 60 g.".to_owned());
        plan.citations = vec![Citation {
            file: "robot.md".to_owned(),
            heading: "Gripper › Payload".to_owned(),
            line: 3,
            quote: "at most 60 g".to_owned(),
        }];
        let value = serde_json::to_value(&plan).unwrap();
        assert_eq!(value["citations"][0]["file"], "robot.md");
        assert_eq!(serde_json::from_value::<Plan>(value).unwrap(), plan);
        assert_eq!(plan.citations[0].place(), "robot.md › Gripper › Payload");
    }

    #[test]
    fn verdict_words_match_their_json() {
        for verdict in Verdict::ALL {
            let json = serde_json::to_string(&verdict).unwrap();
            assert_eq!(json, format!("\"{}\"", verdict.as_str()));
        }
    }
}
