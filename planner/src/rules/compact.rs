//! The compact language: one line that says what a sentence means.
//!
//! A local model writes it instead of JSON: a dozen tokens for a plan, no
//! object id that could be invented, and nothing that a grammar cannot bound.
//! `read` turns a line into clauses, the same ones the grammar of the `rules`
//! back end reads from English; grounding, questions and steps are then the
//! same code. The language is described in `planner/phrasebook/README.md`.

mod answer;
mod grammar;
mod meaning;
mod phrase;
mod words;

pub use answer::answer;
pub use grammar::grammar;
pub use meaning::ReadError;
pub use meaning::check;

/// A group of noun phrases in the compact language. `base` keeps the keys of its
/// choices apart from those of other phrases of a sentence.
pub(super) fn noun_group(
    text: &str,
    kinds: &[String],
    base: usize,
) -> Option<super::syntax::NounGroup> {
    let mut line = phrase::Line::new(text, kinds).numbered_from(base);
    let group = line.group().ok()?;
    line.is_over().then_some(group)
}

/// The one clause of a line that is a command; `base` as in [`noun_group`].
pub(super) fn clause(line: &str, kinds: &[String], base: usize) -> Option<super::syntax::Clause> {
    let line = phrase::Line::new(line, kinds).numbered_from(base);
    match meaning::Meaning::of(line) {
        Ok(meaning::Meaning::Do(clauses)) if clauses.len() == 1 => clauses.into_iter().next(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
