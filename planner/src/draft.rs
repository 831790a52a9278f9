//! What a back end answers, before anything was checked.
//!
//! A draft lacks the fields only the ladder knows (which back end, how long,
//! how many repairs); [`PlanDraft::into_plan`] adds them after verification.

use serde::Deserialize;
use vola_types::{Citation, GoalTree, Plan, PlanOption, Step, Subtask, TokenCount, Verdict};

/// An unverified answer.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanDraft {
    /// Kind of answer.
    pub verdict: Verdict,
    /// One sentence for the person.
    pub say: String,
    /// The question of an `ask`.
    pub question: Option<String>,
    /// The answers of an `ask`.
    pub options: Vec<PlanOption>,
    /// Goal and parts.
    pub tree: GoalTree,
    /// Primitives of an `execute`.
    pub steps: Vec<Step>,
    /// 0..=1.
    pub confidence: f64,
    /// Model id, when a model was used.
    pub model: Option<String>,
    /// Tokens used.
    pub tokens: TokenCount,
    /// Whether the question is only what a pronoun stands for.
    pub is_about_pronoun: bool,
    /// Another reading of the sentence would not be what was said: the refusal follows
    /// from what the hand can do with a thing that was named and is there, all that
    /// was said is to be left, or a bare "yes" does not say which.
    pub is_final: bool,
    /// Whether the sentence changes the command before, which was therefore not what
    /// was meant.
    pub is_correction: bool,
    /// The answer to a question about the documents.
    pub answer: Option<String>,
    /// What it quotes, unchecked.
    pub quotes: Vec<Quote>,
    /// What it quotes, checked.
    pub citations: Vec<Citation>,
}

/// Words that a model says stand in a passage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The passage's id in the prompt.
    pub passage: String,
    /// The words.
    pub quote: String,
}

impl PlanDraft {
    /// An answer in words.
    #[must_use]
    pub fn chat(say: impl Into<String>) -> Self {
        Self::words(Verdict::Chat, say)
    }

    /// A refusal because it cannot be done.
    #[must_use]
    pub fn infeasible(say: impl Into<String>) -> Self {
        Self::words(Verdict::Infeasible, say)
    }

    /// A refusal because it must not be done.
    #[must_use]
    pub fn unsafe_request(say: impl Into<String>) -> Self {
        Self::words(Verdict::Unsafe, say)
    }

    /// A question with its possible answers.
    #[must_use]
    pub fn ask(question: impl Into<String>, options: Vec<PlanOption>) -> Self {
        let question = question.into();
        Self {
            question: Some(question.clone()),
            options,
            ..Self::words(Verdict::Ask, question)
        }
    }

    /// Steps to run, as one subtask each `(words, steps)`.
    #[must_use]
    pub fn execute(goal: impl Into<String>, parts: Vec<(String, Vec<Step>)>) -> Self {
        let goal = goal.into();
        let mut steps = Vec::new();
        let mut subtasks = Vec::new();
        for (words, part) in parts {
            let first = steps.len();
            steps.extend(part);
            subtasks.push(Subtask {
                goal: words,
                steps: (first..steps.len()).collect(),
            });
        }
        Self {
            say: format!("I will {goal}."),
            tree: GoalTree { goal, subtasks },
            steps,
            ..Self::words(Verdict::Execute, "")
        }
    }

    fn words(verdict: Verdict, say: impl Into<String>) -> Self {
        Self {
            verdict,
            say: say.into(),
            question: None,
            options: Vec::new(),
            tree: GoalTree::default(),
            steps: Vec::new(),
            confidence: 1.0,
            model: None,
            tokens: TokenCount::default(),
            answer: None,
            quotes: Vec::new(),
            citations: Vec::new(),
            is_final: false,
            is_about_pronoun: false,
            is_correction: false,
        }
    }

    /// Same draft with another confidence, clamped to 0..=1.
    #[must_use]
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        self.confidence = if confidence.is_finite() {
            confidence.clamp(0.0, 1.0)
        } else {
            0.0
        };
        self
    }

    /// The plan with this draft's content; the ladder fills the rest.
    #[must_use]
    pub fn into_plan(self) -> Plan {
        Plan {
            verdict: self.verdict,
            say: self.say,
            question: self.question,
            options: self.options,
            tree: self.tree,
            steps: self.steps,
            confidence: self.confidence,
            model: self.model,
            tokens: self.tokens,
            answer: self.answer,
            citations: self.citations,
            ..Plan::default()
        }
    }
}
