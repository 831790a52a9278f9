//! The harness of the end-to-end tests.
//!
//! `cargo test --workspace` builds neither a `cdylib` nor another package's
//! binary, so [`workspace`] builds the whole workspace once per process and
//! finds both in the target directory that the test itself runs from. Set
//! `VOLA_TESTS_BUILT=1` where that was done just before.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a failure of the harness is a failed test"
)]

mod build;
mod lines;
mod process;

pub use build::{Outside, Workspace, library_file, outside, try_outside, workspace};
pub use lines::Lines;
pub use process::{Finished, run_limited};
