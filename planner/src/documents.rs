//! Questions about documents, asked alone or beside a command.
//!
//! In the order of precedence, a sentence is:
//! 1. refused by the guard, whatever else it asks;
//! 2. about the scene or the robot's state: answered as if there were no documents;
//! 3. in the form of a question and about something else: searched for in the
//!    documents, and answered with a citation or by "not in the documents";
//! 4. a command, or anything else: planned as if there were no documents.
//!
//! A sentence may hold a command and such a question. The command is then planned
//! alone, by the same back ends as always, and the answer is put beside the plan.
//! Words of a document never reach what makes steps: a model that answers in words
//! gets them, as quoted data, in a request of its own whose answer may hold no step
//! and whose quotations are looked for in the passages.

mod answer;
mod sentence;
mod topic;

use serde::{Deserialize, Serialize};

use crate::guard::{self, Danger};
use crate::request::{MAX_SENTENCE_BYTES, PlanRequest};

pub(crate) use answer::{beside, check_answer, draft, in_words};
use sentence::{Form, Part, parts};

/// Most questions of one sentence that are searched for.
const MAX_QUESTIONS: usize = 3;

/// What looks questions up; the documents' side of the planner.
///
/// Called by the ladder on the supervisor's thread, for milliseconds.
pub trait DocumentSearch: Send + Sync {
    /// The passages nearest to a question, and whether they answer it.
    fn search(&self, question: &str) -> Found;
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Passages, the best first.
    pub passages: Vec<Passage>,
    /// Whether the first one answers the question.
    pub answers: bool,
}

/// A passage of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// The document.
    pub file: String,
    /// The headings above it, with " › " between.
    pub heading: String,
    /// Line of the file where it begins, counted from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
    /// The words of it that answer best.
    pub quote: String,
}

/// A question and what was found for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The question.
    pub question: String,
    /// What was found.
    pub found: Found,
}

/// The part of a sentence that documents answer; in the decision record, so that
/// a replay needs no documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inquiry {
    /// What is left for the planner; none when the sentence only asks.
    pub command: Option<String>,
    /// The questions, at least one.
    pub questions: Vec<Asked>,
    /// Whether the sentence can be nothing but a question, so that no back end
    /// needs to be asked what it is.
    pub is_plain: bool,
}

impl Inquiry {
    /// Whether there is nothing but questions.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.command.is_none()
    }

    /// Whether the questions are answered without asking a back end what the
    /// sentence means.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_alone() && (self.is_plain || self.is_answered())
    }

    /// Whether there is a passage to show to a model.
    pub(crate) fn has_passages(&self) -> bool {
        self.passages().next().is_some()
    }

    /// All passages with the ids by which a model cites them.
    pub(crate) fn passages(&self) -> impl Iterator<Item = (String, &Passage)> {
        let all = self
            .questions
            .iter()
            .flat_map(|asked| &asked.found.passages);
        all.enumerate()
            .map(|(index, passage)| (format!("p{}", index + 1), passage))
    }

    /// The questions as one text.
    pub(crate) fn question(&self) -> String {
        let all: Vec<&str> = self
            .questions
            .iter()
            .map(|asked| asked.question.as_str())
            .collect();
        all.join(" ")
    }

    fn is_answered(&self) -> bool {
        self.questions.iter().any(|asked| asked.found.answers)
    }
}

/// The part of a request that documents may answer; `None` when there is none.
pub(crate) fn inquire(request: &PlanRequest, search: &dyn DocumentSearch) -> Option<Inquiry> {
    if request.sentence.len() > MAX_SENTENCE_BYTES {
        return None;
    }
    let is_asked =
        |part: &Part| part.form.is_some() && !topic::is_of_the_moment(&part.text, request);
    let (asked, rest): (Vec<Part>, Vec<Part>) =
        parts(&request.sentence).into_iter().partition(is_asked);
    if asked.is_empty() || asked.len() > MAX_QUESTIONS {
        return None;
    }
    let is_plain = asked.iter().all(|part| part.form == Some(Form::Plain));
    let command: Vec<String> = rest.into_iter().map(|part| part.text).collect();
    let questions = asked.into_iter().map(|part| Asked {
        found: search.search(&part.text),
        question: part.text,
    });
    let inquiry = Inquiry {
        command: Some(command.join(" ")).filter(|text| !text.is_empty()),
        questions: questions.collect(),
        is_plain,
    };
    // A doubtful question beside a command may be a part of the command.
    let is_doubtful = !is_plain && !inquiry.is_alone() && !inquiry.is_answered();
    (!is_doubtful && passes_guard(request, &inquiry)).then_some(inquiry)
}

/// A question that is answered may speak of limits: nothing moves by it. What it
/// stands beside, and everything about harm and damage, is screened as ever.
fn passes_guard(request: &PlanRequest, inquiry: &Inquiry) -> bool {
    match guard::screen_sentence(&request.sentence) {
        None => true,
        Some(Danger::Limits) => {
            let command = inquiry.command.as_deref().unwrap_or_default();
            inquiry.is_answered() && guard::screen_sentence(command).is_none()
        }
        Some(_) => false,
    }
}

/// The sentence without its questions, for what is remembered as a command.
pub(crate) fn command_of(sentence: &str) -> String {
    let kept = parts(sentence)
        .into_iter()
        .filter(|part| part.form.is_none());
    let kept: Vec<String> = kept.map(|part| part.text).collect();
    if kept.is_empty() {
        sentence.to_owned()
    } else {
        kept.join(" ")
    }
}

#[cfg(test)]
mod tests;
