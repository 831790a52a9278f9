//! Documents that a person may ask about: read, split by heading, searched.
//!
//! - [`Library::open`] reads Markdown and plain text. Files are hostile until
//!   they were read: sizes, numbers and depth are bounded, links do not lead out
//!   of a named folder, and everything that is wrong is told at once.
//! - [`Library::look_up`] finds the passages nearest to a question (tantivy,
//!   BM25, an index in memory) and decides whether one of them answers it.
//!
//! The decision is honest rather than helpful: a passage counts as an answer only
//! when it speaks of nearly everything that the question asks about, weighted by
//! how telling each word is, and when a question for a quantity meets one of that
//! kind. Rejected: a bar on the score alone. BM25 grows with the length of the
//! question and the rarity of one word, so that "what does a new gripper cost?"
//! scores as high as a question with an answer.
//!
//! This crate knows nothing of plans, robots or models. Text of a document is
//! data: it is quoted and never followed.

mod error;
mod evidence;
mod library;
mod quantity;
mod reading;
mod sections;
mod sentences;
mod thesaurus;
mod words;

pub use error::{DocumentsError, Problem};
pub use library::{Found, Library, Lookup};
pub use reading::{MAX_DEPTH, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};
pub use sections::{MAX_PASSAGE_BYTES, Passage};
