//! The person who is asked.

use async_trait::async_trait;

/// A question with its choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// What can be chosen; an answer names one by its index.
    pub choices: Vec<String>,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The choice with this index.
    Choice(usize),
    /// Own words.
    Text(String),
}

/// Someone who may answer questions. The robot holds while it is asked.
#[async_trait(?Send)]
pub trait Operator {
    /// Asks; `None` when nobody answers (no one there, or time is up), which
    /// ends the run with "needs a person". An index out of range counts as no
    /// answer.
    async fn ask(&mut self, question: &Question) -> Option<Reply>;
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOperator;

#[async_trait(?Send)]
impl Operator for NoOperator {
    async fn ask(&mut self, _question: &Question) -> Option<Reply> {
        None
    }
}

/// Gives one prepared answer to the first question and none to later ones:
/// `--answer N`.
#[derive(Debug, Clone)]
pub struct AnswerOnce(Option<Reply>);

impl AnswerOnce {
    /// An operator with this one answer.
    #[must_use]
    pub fn new(reply: Reply) -> Self {
        Self(Some(reply))
    }
}

#[async_trait(?Send)]
impl Operator for AnswerOnce {
    async fn ask(&mut self, _question: &Question) -> Option<Reply> {
        self.0.take()
    }
}
