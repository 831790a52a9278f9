//! `vola calibrate`: when an unsure policy holds, and when an unsure planner asks.

mod curve_file;
mod failures;
mod planner;
mod policy;
mod risk;

use std::path::PathBuf;

use clap::Args;

use crate::{arguments::SharedArguments, failure::Failure, output::Console};

/// First seed of the scenes: training never used them, and the evaluation
/// begins above.
const FIRST_SEED: u64 = 900_000;

/// `vola calibrate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CalibrateArguments {
    /// When the planner's local model asks about its doubts
    #[arg(long)]
    planner: bool,
    /// Of the planner: how often the right reading shall be among those that are kept
    #[arg(long, default_value_t = 0.88, value_name = "SHARE")]
    target: f64,
    /// Of the planner: sentences of the calibration part of the phrase book, half to calibrate and half to count
    #[arg(long, default_value_t = 1000, value_name = "N")]
    sentences: usize,
    /// Clean episodes a task; those that go well are used
    #[arg(long, default_value_t = 300, value_name = "N")]
    episodes: usize,
    /// Episodes of each perturbation, to learn the risk from, and for probabilities of failure
    #[arg(long, default_value_t = 150, value_name = "N")]
    failures: usize,
    /// Seed of the first scene, below 1 000 000
    #[arg(long, default_value_t = FIRST_SEED)]
    seed: u64,
    /// Sessions that work side by side
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Another arm than the deployment's
    #[arg(long, value_name = "ID")]
    arm: Option<String>,
    /// Read episodes that were recorded by `--curves` instead of running them
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Write the curves of all episodes, one a line
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,
    /// Write a picture of how reliable the probabilities of failure are
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

impl CalibrateArguments {
    /// Whether episodes run side by side.
    pub(crate) fn runs_episodes(&self) -> bool {
        !self.planner
    }
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &CalibrateArguments,
    console: Console,
) -> Result<u8, Failure> {
    if own.planner {
        planner::run(shared, own, console)
    } else {
        policy::run(shared, own, console)
    }
}
