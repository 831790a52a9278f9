//! `vola policy infer`.

use std::path::PathBuf;

use clap::Args;

use super::later;
use crate::{arguments::SharedArguments, failure::Failure, output::Console};

/// `vola policy infer`.
#[derive(Debug, Args)]
pub(crate) struct InferArguments {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Raw observations, under `input.<feature>`
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// Where `chunk_norm` and `chunk` are written
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub(crate) fn run(_: &SharedArguments, own: &InferArguments, _: Console) -> Result<u8, Failure> {
    tracing::debug!(bundle = %own.bundle.display(), inputs = %own.inputs.display(), out = %own.out.display(), "infer");
    Err(later::missing("policy infer"))
}
