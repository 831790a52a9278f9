//! The real binary with the real plugins and the shipped policy.

mod adapting;
mod archive;
mod asking_models;
mod bad_input;
mod benching;
#[cfg(unix)]
mod browser;
mod chatting;
#[cfg(unix)]
mod console_page;
mod dialogues;
mod documents;
#[cfg(target_os = "linux")]
mod failing_disk;
mod handing_over;
mod holding;
#[cfg(unix)]
mod huge_files;
mod inferring;
#[cfg(unix)]
mod interrupting;
mod local_model;
mod planner_faults;
mod planning;
mod proving;
mod recording;
mod replaying;
mod running;
#[cfg(unix)]
mod serving;
mod slow_log;
#[cfg(unix)]
mod teaching;
mod unsure;
mod watchdogs;

use std::time::Duration;

use vola_tests::{Finished, workspace};

/// Longest run of one command here.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs `vola` in the repository's root.
fn vola(arguments: &[&str]) -> Finished {
    workspace().run_vola(arguments, "", LIMIT)
}
