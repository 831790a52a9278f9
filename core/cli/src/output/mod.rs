//! Everything that is printed: JSON lines for programs, text for people.
//!
//! Commands hand values to the [`Console`]; it alone knows whether a program or
//! a person reads. A reader that went away (`vola … | head`) is not an error:
//! the write fails with `Failure::ReaderGone` and the process ends quietly.

mod console;
mod numbers;
mod story;
mod style;
mod table;

pub(crate) use console::{Console, Format};
pub(crate) use numbers::{joined, percent, seconds};
pub(crate) use story::{Story, scene_words};
pub(crate) use style::{Style, Tone};
pub(crate) use table::{Align, Table};
