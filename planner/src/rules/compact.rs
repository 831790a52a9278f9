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

#[cfg(test)]
mod tests;
