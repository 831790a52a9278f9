//! `vola bench control|pipeline|soak|planner`: what ticks, policy steps and plans
//! cost here, and what grows in a long run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use vola_language_model::RandomModel;
use vola_runtime::{
    ControlReport, Drive, Driver, LatencyQuantiles, PolicyUse, RealTimeReport, RuntimeError,
    Session, Unobserved,
};
use vola_types::{Op, PrimitiveGoal};

use super::{
    bench_planner,
    policy_bench::print_times,
    soak::{self, leave_stop},
    step_times::StepTimes,
};
use crate::{
    arguments::{Clock, SharedArguments},
    failure::{Failure, exit},
    output::{Align, Console, Table, Tone, percent},
    workplace::{SessionWish, Workplace},
};

/// Motion before anything counts (s): caches, pages, first chunks.
const WARM_UP_S: f64 = 1.0;

/// `vola bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// What is measured
    #[arg(value_enum)]
    what: What,
    /// Policy steps (pipeline)
    #[arg(long, default_value_t = 200)]
    runs: usize,
    /// Seconds of motion, with each actuator (control) or in all (soak)
    #[arg(long, default_value_t = 10, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// A GGUF file or a model's folder instead of the deployment's (planner)
    #[arg(long, value_name = "PATH")]
    model: Option<PathBuf>,
    /// Tokens that are read, and then written one after the other (planner)
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    tokens: u32,
    /// Write a model of random numbers with the sizes of Qwen2-0.5B in Q8_0 to `--model` first, unless it is there (planner)
    #[arg(long, requires = "model")]
    random: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// The control thread in real time: work and lateness of its ticks
    Control,
    /// Policy steps: pixels to checked chunk
    Pipeline,
    /// The robot at full rate in real time: growth of memory, threads, descriptors
    Soak,
    /// The planner's local model: tokens a second, and a sentence after the first
    Planner,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &BenchArguments,
    console: Console,
) -> Result<u8, Failure> {
    let workplace = || Workplace::open(shared);
    match own.what {
        What::Control => control(&workplace()?, f64::from(own.seconds), console)?,
        What::Soak => soak::run(&workplace()?, f64::from(own.seconds), console)?,
        What::Pipeline => pipeline(&workplace()?, own.runs.max(1), console)?,
        What::Planner => {
            let model = own.model.as_deref();
            if let Some(path) = model.filter(|it| own.random && !it.exists()) {
                RandomModel::HALF_BILLION.write(path)?;
            }
            bench_planner::run(shared, model, own.tokens as usize, console)?;
        }
    }
    Ok(exit::DONE)
}

fn pipeline(workplace: &Workplace, runs: usize, console: Console) -> Result<(), Failure> {
    let mut session = workplace.session(SessionWish::new(Clock::Virtual, 0))?;
    let telemetry = session.policy_telemetry();
    let times = StepTimes::measure(&mut session, runs)?;
    // Pictures, preprocessing, stages, checks: more than the stages' sum.
    let decision = telemetry.quantiles().remove("decision").unwrap_or_default();
    if console.is_json() {
        return console.object(&json!({
            "bench": "pipeline", "runs": times.total.len(),
            "total_ms": times.total(), "stages": times.by_stage(), "decision": decision,
        }));
    }
    print_times(&times, console)?;
    console.line(&format!(
        "pictures to checked chunk: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        1e-3 * decision.p50_us,
        1e-3 * decision.p95_us,
        1e-3 * decision.p99_us,
        1e-3 * decision.max_us
    ))
}

/// Moves the arm a little in real time, once with the robot and once with
/// nothing behind the control loop.
fn control(workplace: &Workplace, seconds: f64, console: Console) -> Result<(), Failure> {
    let robot = workplace.deployment().robot().plugin().to_string();
    let mut rows = Vec::new();
    let mut granted = RealTimeReport::default();
    for (name, drive) in [(robot.as_str(), Drive::Robot), ("no robot", Drive::Nothing)] {
        let mut wish = SessionWish::new(Clock::Real, 0);
        wish.policy = PolicyUse::None;
        wish.drive = drive;
        let mut session = workplace.session(wish)?;
        session.run_primitive(&home(), Driver::Policy, &mut Unobserved)?;
        session.sweep(WARM_UP_S)?;
        session.clear_telemetry();
        let stops = sweep_on(&mut session, seconds)?;
        rows.push((name.to_owned(), session.control_report(), stops));
        granted = session.real_time().cloned().unwrap_or_default();
    }
    if console.is_json() {
        let rows: Vec<_> = rows
            .iter()
            .map(
                |(name, report, stops)| json!({"actuator": name, "report": report, "stops": stops}),
            )
            .collect();
        return console.object(&json!({
            "bench": "control", "seconds": seconds, "real_time": granted, "actuators": rows,
        }));
    }
    for (name, report, stops) in &rows {
        print_report(name, report, console)?;
        if *stops > 0 {
            console.line(&format!(
                "stopped {stops} times: too many ticks in a row were missed"
            ))?;
        }
    }
    for (name, grant) in granted.grants() {
        let (sign, tone) = if grant.granted {
            ("✓", Tone::Good)
        } else {
            ("!", Tone::Warning)
        };
        let sign = console.style().paint(tone, sign);
        console.line(&format!("{sign} {name}: {}", grant.detail))?;
        if !grant.help.is_empty() {
            let help = format!("  help: {}", grant.help);
            console.line(&console.style().paint(Tone::Typed, &help))?;
        }
    }
    Ok(())
}

/// Swings the arm for so long. A machine so busy that the safety layer stops the
/// arm is what is measured here: the stop is counted and left.
fn sweep_on(session: &mut Session, seconds: f64) -> Result<u32, Failure> {
    let end_ns = session.now_ns().saturating_add((seconds * 1e9) as u64);
    let mut stops = 0;
    loop {
        let left_ns = end_ns.saturating_sub(session.now_ns());
        match session.sweep(left_ns as f64 * 1e-9) {
            Ok(()) => return Ok(stops),
            Err(RuntimeError::Stopped { .. }) => {
                stops += 1;
                leave_stop(session)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) fn home() -> PrimitiveGoal {
    PrimitiveGoal {
        op: Op::Home,
        task: String::new(),
        object: None,
        target: None,
        seconds: None,
    }
}

fn print_report(name: &str, report: &ControlReport, console: Console) -> Result<(), Failure> {
    let mut table = Table::new(&[
        (name, Align::Left),
        ("p50 µs", Align::Right),
        ("p95", Align::Right),
        ("p99", Align::Right),
        ("p99.9", Align::Right),
        ("max", Align::Right),
    ]);
    let parts: [(&str, &LatencyQuantiles); 5] = [
        ("tick, processor time", &report.work),
        ("  state", &report.state),
        ("  reference and filter", &report.filter),
        ("  command", &report.command),
        ("lateness of ticks", &report.lateness),
    ];
    for (part, quantiles) in parts {
        let cell = |value: f64| format!("{value:.1}");
        table.row([
            part.to_owned(),
            cell(quantiles.p50_us),
            cell(quantiles.p95_us),
            cell(quantiles.p99_us),
            cell(quantiles.p999_us),
            cell(quantiles.max_us),
        ]);
    }
    console.write(&table.render(console.style()))?;
    let steal = report.steal_ms.map_or_else(
        || "steal unknown".to_owned(),
        |steal| format!("steal {steal:.0} ms"),
    );
    console.line(&format!(
        "{} ticks, {} less than 1 ms late, {} missed, {} page faults, {} times preempted, {steal}",
        report.ticks,
        percent(report.in_time_share),
        report.missed_ticks,
        report.page_faults,
        report.involuntary_switches,
    ))?;
    let limits: Vec<String> = report
        .interventions
        .iter()
        .map(|(limit, ticks)| format!("{limit} in {ticks} ticks"))
        .collect();
    if limits.is_empty() {
        return Ok(());
    }
    console.line(&format!("safety filter: {}", limits.join(", ")))
}
