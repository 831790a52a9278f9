//! Encoders: observation to features.

mod conv;
mod patch;
pub mod proprio;
mod words;

pub use conv::{ConvEncoder, ConvSettings};
pub use patch::{PatchEncoder, PatchSettings};
pub use proprio::{Proprio, ProprioSettings};
pub use words::{Words, WordsSettings};
