//! `vola bench control|pipeline`: what ticks and policy steps cost here.

use std::time::Instant;

use clap::{Args, ValueEnum};
use serde_json::json;
use vola_runtime::{Driver, PolicyUse, Session, Unobserved};
use vola_types::{Op, PrimitiveGoal};

use super::{policy_bench::print_times, step_times::StepTimes};
use crate::{
    arguments::{Clock, SharedArguments},
    failure::{Failure, exit},
    measure::Quantiles,
    output::Console,
    workplace::{SessionWish, Workplace},
};

/// Virtual time of one measured stretch of ticks (s).
const STRETCH_S: f64 = 0.05;
/// Control ticks in a stretch.
const STRETCH_TICKS: f64 = 50.0;

/// `vola bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// What is measured
    #[arg(value_enum)]
    what: What,
    /// Policy steps, or stretches of 50 control ticks
    #[arg(long, default_value_t = 200)]
    runs: usize,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Control ticks: state, reference, safety filter, command, world
    Control,
    /// Policy steps: pixels to checked chunk
    Pipeline,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &BenchArguments,
    console: Console,
) -> Result<u8, Failure> {
    let workplace = Workplace::open(shared)?;
    let mut wish = SessionWish::new(Clock::Virtual, 0);
    match own.what {
        What::Control => {
            wish.policy = PolicyUse::None;
            let mut session = workplace.session(wish)?;
            control(&mut session, own.runs.max(1), console)?;
        }
        What::Pipeline => {
            let mut session = workplace.session(wish)?;
            let times = StepTimes::measure(&mut session, own.runs.max(1))?;
            if console.is_json() {
                console.object(&json!({
                    "bench": "pipeline", "runs": times.total.len(),
                    "total_ms": times.total(), "stages": times.by_stage(),
                }))?;
            } else {
                print_times(&times, console)?;
            }
        }
    }
    Ok(exit::DONE)
}

/// Time of a control tick in virtual time, the simulated world included.
fn control(session: &mut Session, runs: usize, console: Console) -> Result<(), Failure> {
    let goal = PrimitiveGoal {
        op: Op::Wait,
        task: "wait".to_owned(),
        object: None,
        target: None,
        seconds: Some(STRETCH_S),
    };
    let mut micros = Vec::with_capacity(runs);
    for run in 0..=runs {
        let started = Instant::now();
        session.run_primitive(&goal, Driver::Policy, &mut Unobserved)?;
        // The first stretch warms caches.
        if run > 0 {
            micros.push(started.elapsed().as_secs_f64() * 1e6 / STRETCH_TICKS);
        }
    }
    let Some(quantiles) = Quantiles::of(&micros) else {
        return Ok(());
    };
    if console.is_json() {
        return console.object(&json!({"bench": "control", "runs": runs, "tick_us": quantiles}));
    }
    console.line(&format!(
        "control tick with world: p50 {:.1} µs, p95 {:.1} µs, p99 {:.1} µs, most {:.1} µs (means of {STRETCH_TICKS} ticks)",
        quantiles.p50, quantiles.p95, quantiles.p99, quantiles.max
    ))
}
