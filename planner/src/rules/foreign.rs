//! Clauses in words that the grammar does not know, inside sentences that it does:
//! "let it slip out of your hand, and then open the drawer".
//!
//! The grammar knows how clauses are joined, the reader more ways to say one. What
//! stands between two joints and is no clause of the grammar is read by the reader,
//! and taken only when it leaves no doubt.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::compact;
use super::syntax::Clause;
use super::token::Token;
use crate::request::PlanRequest;
use crate::sentence_reader::{ReadContext, SentenceReader};

/// Most distance from known wordings.
const MOST_DISTANCE: f32 = 1.2;
/// Least lead before the next reading, in nats.
const LEAD: f32 = 1.0;
/// Most segments read for one sentence; bounds the time.
const MOST_READ: usize = 12;
/// Ends that are tried for one clause.
const MOST_ENDS: usize = 4;
/// Keys of the choices of one clause.
const KEYS: usize = 100_000_000;

/// Reads clauses for the grammar.
pub(super) struct ForeignClauses<'a> {
    reader: Option<&'a dyn SentenceReader>,
    kinds: Vec<String>,
    known: RefCell<BTreeMap<String, Option<String>>>,
    read: Cell<usize>,
}

impl<'a> ForeignClauses<'a> {
    /// None are read.
    pub(super) fn none() -> Self {
        Self {
            reader: None,
            kinds: Vec::new(),
            known: RefCell::default(),
            read: Cell::new(0),
        }
    }

    /// Those that this reader knows.
    pub(super) fn of(reader: &'a dyn SentenceReader, request: &PlanRequest) -> Self {
        let kinds = request.scene.objects.iter().map(|it| it.kind.clone());
        Self {
            reader: Some(reader),
            kinds: kinds.collect(),
            ..Self::none()
        }
    }

    /// The clause that begins at a token, and the token behind it.
    pub(super) fn at(&self, tokens: &[Token], begun: usize) -> Option<(Clause, usize)> {
        self.reader?;
        let is_joint = |token: &Token| {
            let word = token.text.as_str();
            token.is_punctuation()
                || matches!(word, "and" | "then" | "but" | "before" | "after" | "once")
        };
        let ends = (begun + 2..tokens.len()).filter(|end| is_joint(&tokens[*end]));
        let ends = ends.chain([tokens.len()]).take(MOST_ENDS);
        // The whole sentence is read as one elsewhere.
        let is_part = |end: &usize| *end >= begun + 2 && (begun > 0 || *end < tokens.len());
        ends.filter(is_part).find_map(|end| {
            let line = self.line(tokens.get(begun..end)?)?;
            let clause = compact::clause(&line, &self.kinds, KEYS * (begun + 1))?;
            Some((clause, end))
        })
    }

    /// What the words mean, where the reader is certain.
    fn line(&self, tokens: &[Token]) -> Option<String> {
        let text = tokens.iter().map(Token::said).collect::<Vec<_>>().join(" ");
        if let Some(known) = self.known.borrow().get(&text) {
            return known.clone();
        }
        if self.read.get() >= MOST_READ {
            return None;
        }
        self.read.set(self.read.get() + 1);
        let line = certain(self.reader?, &text);
        self.known.borrow_mut().insert(text, line.clone());
        line
    }
}

fn certain(reader: &dyn SentenceReader, text: &str) -> Option<String> {
    let readings = reader.read(text, ReadContext::default());
    let first = readings.first()?;
    let lead = readings
        .get(1)
        .map_or(f32::MAX, |next| first.score - next.score);
    let is_certain = first.line.starts_with("do ")
        && !first.line.contains(';')
        && first.unread == 0
        && !first.is_denied
        && first.distance <= MOST_DISTANCE
        && lead >= LEAD;
    is_certain.then(|| first.line.clone())
}
