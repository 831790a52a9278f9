//! `vola policy bench`: how long a policy step takes, pixels to checked chunk.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vola_bundle::PolicySettings;

use super::step_times::{StepTimes, peak_memory_mib};
use crate::{
    arguments::{Clock, SharedArguments},
    failure::{Failure, exit},
    output::{Align, Console, Table},
    workplace::{SessionWish, Workplace},
};

/// `vola policy bench`.
#[derive(Debug, Args)]
pub(crate) struct PolicyBenchArguments {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Steps to measure
    #[arg(long, default_value_t = 200)]
    runs: usize,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &PolicyBenchArguments,
    console: Console,
) -> Result<u8, Failure> {
    let workplace = Workplace::open_with_bundle(shared, &own.bundle)?;
    let mut session = workplace.session(SessionWish::new(Clock::Virtual, 0))?;
    let times = StepTimes::measure(&mut session, own.runs.max(1))?;
    let Some(total) = times.total() else {
        return Err(Failure::Content {
            path: own.bundle.clone(),
            reason: "the policy took no step".to_owned(),
            help: "see what happens with `--log debug`",
        });
    };
    let policy = workplace.deployment().policy();
    let memory = peak_memory_mib();
    if console.is_json() {
        console.object(&json!({
            "p50_ms": total.p50, "p95_ms": total.p95, "p99_ms": total.p99,
            "runs": times.total.len(),
            "stages": times.by_stage(),
            "peak_rss_mb": memory,
            "precision": policy.map(PolicySettings::precision),
            "threads": policy.map(PolicySettings::threads),
        }))?;
        return Ok(exit::DONE);
    }
    print_times(&times, console)?;
    let memory = memory.map_or_else(String::new, |memory| format!(", {memory:.0} MiB at most"));
    console.line(&format!("{} steps{memory}", times.total.len()))?;
    Ok(exit::DONE)
}

/// One row a stage, and the whole.
///
/// # Errors
/// When it cannot be written.
pub(super) fn print_times(times: &StepTimes, console: Console) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("ms", Align::Left),
        ("p50", Align::Right),
        ("p95", Align::Right),
        ("p99", Align::Right),
        ("max", Align::Right),
    ]);
    let whole = times.total().map(|total| ("whole step", total));
    for (name, quantiles) in times.by_stage().into_iter().chain(whole) {
        let cell = |value: f64| format!("{value:.2}");
        table.row([
            name.to_owned(),
            cell(quantiles.p50),
            cell(quantiles.p95),
            cell(quantiles.p99),
            cell(quantiles.max),
        ]);
    }
    console.write(&table.render(console.style()))
}
