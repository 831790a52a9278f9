//! All end-to-end tests, in one binary.

#![allow(
    unreachable_pub,
    reason = "modules of a test binary, and one of the command line's that is included here"
)]
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "in a test a panic is the report, and numbers that only pass through stay the same"
)]

mod adapting_heads;
mod boundary;
mod end_to_end;
mod faults;
mod frozen_abi;
mod fuzz_targets;
mod integrator;
#[cfg(target_os = "linux")]
mod isolation;
mod layering;
mod model_checker;
mod plugins;
mod trained_chain;
mod trust;

/// The generator behind `vola plugin new`, tested without the command line.
#[path = "../../core/cli/src/plugin_new/mod.rs"]
mod plugin_new;
