//! Why a command did not become steps, and what a person could choose.

use std::collections::BTreeMap;

use vola_types::Relation;

use super::syntax::Span;

/// Where an object shall go.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Destination {
    /// A region of the table.
    Region(String),
    /// Anywhere free on the table.
    Table,
    /// In, on or beside an object.
    Object { id: String, relation: Relation },
    /// Into the container of the object's own colour.
    SameColor { kind: String },
}

/// What a person's choice fixes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pick {
    /// The noun phrase means these.
    Objects(Vec<String>),
    /// It goes there.
    Place(Destination),
    /// What lies on top is put aside first.
    Unstack,
}

/// An open question.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// The part of the sentence in question.
    pub(super) span: Span,
    pub(super) question: String,
    /// Label and meaning of each answer.
    pub(super) picks: Vec<(String, Pick)>,
    /// Whether "do nothing" is one more answer.
    pub(super) or_nothing: bool,
    /// Whether it asks what a pronoun stands for.
    pub(super) is_about_pronoun: bool,
}

/// Choices made so far, by the part of the sentence they settle.
pub(super) type Choices = BTreeMap<Span, Pick>;

/// Key of the choice to unstack; no part of a sentence has it.
pub(super) const UNSTACK: Span = (usize::MAX, 0);

/// Key of the choice of a place that was not said.
pub(super) const WHERE_TO: Span = (usize::MAX, 1);

/// Why there are no steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trouble {
    /// A person must choose.
    Choose(Choice),
    /// It cannot be done, for this reason.
    Cannot(String),
    /// The hand cannot do it with that thing, for this reason.
    Refused(String),
    /// Nothing to do, for this reason.
    Already(String),
    /// All that was said is not to be done.
    LeftAlone(String),
    /// The words make no sense here.
    Puzzled(String),
}

impl Trouble {
    /// How far a reading with this trouble is from a good one.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Choose(_) => 1,
            Self::Already(_) | Self::LeftAlone(_) => 0,
            Self::Cannot(_) | Self::Refused(_) => 2,
            Self::Puzzled(_) => 3,
        }
    }
}
