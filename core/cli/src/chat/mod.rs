//! A conversation: what a person types while the robot works, and what is shown.
//!
//! Two threads take part. The *input thread* reads lines, in a terminal with
//! editing and history; it acts on stop words itself, without any model or
//! queue. The *main thread* owns the robot and takes the other lines in order.

mod answering;
mod choice;
mod dead_man;
mod inbox;
mod line_editor;
mod line_reader;
mod screen;

pub(crate) use answering::{Answering, Typist};
use choice::parse_choice;
pub(crate) use dead_man::{DeadMan, HoldToRun};
pub(crate) use inbox::{Inbox, Said};
pub(crate) use line_editor::start_editor;
pub(crate) use line_reader::start_reader;
pub(crate) use screen::Screen;
