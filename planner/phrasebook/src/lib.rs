//! What people say to a robot at a table, and what they mean by it.
//!
//! A [`Book`] holds phrases of one language with their meaning in the compact
//! language of the planner; a [`Sampler`] puts sentences together from it,
//! seeded: the embedded planner model is trained on them, and examined with
//! sentences of the held-out books ([`Split::HeldOut`]). An [`Exercise`] adds a
//! scene in which the sentence makes sense. The format of the books is in
//! `README.md` beside this crate.

mod book;
mod exercise;
mod inflection;
mod language;
mod noise;
mod noun_phrase;
mod reader;
mod realise;
mod sampler;
mod template;

pub use book::{Book, BookError, ClauseForm, Section};
pub use exercise::{Exercise, exercise};
pub use language::{Language, Split, books};
pub use reader::PhraseReader;
pub use sampler::{Before, Class, Sample, Sampler, Spoken};
