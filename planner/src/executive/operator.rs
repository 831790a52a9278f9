//! The person who is asked, and who may say something meanwhile.

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

/// Which lines are taken while something runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heed {
    /// Those that must not wait: all but changes of the plan.
    Urgent,
    /// All that are said to the running plan.
    All,
}

/// Someone who may answer questions. The robot holds while it is asked.
#[async_trait(?Send)]
pub trait Operator {
    /// A question of a robot that holds is about to be told: whatever is answered from
    /// now on answers it. Returns at once.
    fn announce(&mut self) {}

    /// Asks; `None` when nobody answers (no one there, or time is up), which
    /// ends the run with "needs a person". An index out of range counts as no
    /// answer.
    async fn ask(&mut self, question: &Question) -> Option<Reply>;

    /// A line that was said to the running plan
    /// ([`Interjection`](super::Interjection)), each once; lines of other kinds
    /// stay where they are. Returns at once.
    fn overhear(&mut self, _heed: Heed) -> Option<String> {
        None
    }

    /// Waits, while the run is paused, for the next line that was said to it;
    /// `None` when nobody will say anything more, which ends the run with "needs
    /// a person".
    async fn listen(&mut self) -> Option<String> {
        None
    }
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
