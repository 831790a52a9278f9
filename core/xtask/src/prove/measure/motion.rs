//! Measurements of what keeps motion safe: the filter, the control thread, the
//! fault lab, isolation, and what grows in a long run.

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::Value;

use super::{Bench, Measured, isolation::isolation_figures, number, typed};
use crate::{
    prove::{
        figure::{Bar, Figure},
        program::objects,
    },
    workspace::{Profile, words},
};

/// Hostile commands; states that each trigger stops; ticks that are timed.
const FILTER: [(&str, &str, &str); 3] = [
    ("--commands", "10000000", "20000"),
    ("--states", "1000", "20"),
    ("--ticks", "600000", "5000"),
];
/// Deployments that the fault lab breaks.
const DEPLOYMENTS: [(&str, &str, Option<&str>); 4] = [
    ("franka", "configs/tabletop.toml", None),
    ("ur5e", "configs/tabletop_ur5e.toml", None),
    (
        "franka at 20 ms",
        "configs/tabletop.toml",
        Some("--usual-deadlines"),
    ),
    (
        "ur5e at 20 ms",
        "configs/tabletop_ur5e.toml",
        Some("--usual-deadlines"),
    ),
];
/// The test that counts what the control loop allocates and which locks it waits for.
const CONTROL_PATH: &str =
    "cargo test --workspace --test control_path -- --nocapture --test-threads 1";
/// The test of every cause of a stop and of a hold, in random states of the arm.
const STOPS: &str =
    "cargo test --workspace --lib every_cause_stops_the_arm_from_random_states -- --nocapture";
/// The tests of isolated plugins, one at a time: they measure times.
const ISOLATION: &str =
    "cargo test --workspace --test all isolation -- --nocapture --test-threads 1";
/// Longest a control loop runs in which allocations are counted (ticks).
const CLEAN_TICKS: u32 = 600_000;

impl Bench<'_> {
    /// Hostile commands, stops from random states, and the time of a tick.
    pub(super) fn safety_filter(&self) -> Result<Measured, String> {
        self.workspace.build(Profile::Dev, &["--examples"])?;
        let program = self.workspace.built(Profile::Dev).join("examples");
        let mut command = Command::new(program.join("safety_filter_proof"));
        let mut line = "cargo run --example safety_filter_proof --".to_owned();
        for (name, full, quick) in FILTER {
            let count = if self.is_quick { quick } else { full };
            command.args([name, count]);
            line.push_str(&format!(" {name} {count}"));
        }
        // It fails when a goal is missed; the figures say which.
        let printed = said(command.arg("--json"), false)?;
        let mut figures = filter_figures(&objects(&printed)?)?;
        let states = self.count(200, 2);
        let mut command = self.workspace.cargo();
        command
            .args(STOPS.split(' ').skip(1))
            .env("VOLA_STOP_STATES", &states);
        figures.extend(cause_figures(&said(&mut command, true)?)?);
        let stops = format!("VOLA_STOP_STATES={states} {STOPS}");
        Ok((vec![line, stops], figures))
    }

    /// Every fault of the lab, on both arms, and those that depend on deadlines
    /// once more at the usual ones.
    pub(super) fn faults(&self) -> Result<Measured, String> {
        let times = self.count(30, 1);
        let (mut commands, mut figures) = (Vec::new(), Vec::new());
        for (arm, config, more) in DEPLOYMENTS {
            let mut arguments = vec!["doctor", "--faults", "--config", config, "--times", &times];
            arguments.extend(more);
            let said = said(&mut self.program.command(&arguments), false)?;
            commands.push(typed(&arguments));
            // After a failure comes an object that says so.
            let mut rows = objects(&said)?;
            rows.retain(|row| row["fault"].is_string());
            figures.extend(fault_figures(arm, &rows)?);
        }
        Ok((commands, figures))
    }

    /// The control thread in real time, with every core busy besides.
    pub(super) fn control_thread(&self) -> Result<Measured, String> {
        let seconds = self.count(60, 2);
        let arguments = ["bench", "control", "--seconds", &seconds];
        let printed = under_load(|| self.program.objects(&arguments))??;
        let bench = printed.first().ok_or("bench control printed nothing")?;
        let line = format!("{} (with a busy thread for every core)", typed(&arguments));
        Ok((vec![line], control_figures(bench)?))
    }

    /// Allocations of the control loop and its waits for locks, counted in a test.
    pub(super) fn control_path(&self) -> Result<Measured, String> {
        let ticks = self.count(CLEAN_TICKS, 5000);
        let mut command = self.workspace.cargo();
        command
            .args(CONTROL_PATH.split(' ').skip(1))
            .env("VOLA_CONTROL_PATH_TICKS", &ticks);
        let said = said(&mut command, true)?;
        let line = format!("VOLA_CONTROL_PATH_TICKS={ticks} {CONTROL_PATH}");
        Ok((vec![line], path_figures(&said)?))
    }

    /// What isolation costs, and how soon a lost process is noticed.
    pub(super) fn isolation(&self) -> Result<Measured, String> {
        let rounds = self.count(200, 20);
        let mut command = self.workspace.cargo();
        command
            .args(ISOLATION.split(' ').skip(1))
            .env("VOLA_ISOLATION_ROUNDS", &rounds);
        let said = said(&mut command, true)?;
        let line = format!("VOLA_ISOLATION_ROUNDS={rounds} {ISOLATION}");
        Ok((vec![line], isolation_figures(&said)?))
    }
}

/// Standard output of a command.
pub(super) fn said(command: &mut Command, must_succeed: bool) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", words(command)))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if must_succeed && !output.status.success() {
        return Err(format!("{}: {}\n{said}", words(command), output.status));
    }
    Ok(said)
}

/// Measures while a thread for every core does nothing but spin.
fn under_load<R>(measure: impl FnOnce() -> R) -> Result<R, String> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for core in 0..cores {
            let busy = || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            };
            std::thread::Builder::new()
                .name(format!("busy-{core}"))
                .spawn_scoped(scope, busy)
                .map_err(|error| {
                    is_over.store(true, Ordering::Relaxed);
                    format!("cannot start a busy thread: {error}")
                })?;
        }
        let measured = measure();
        is_over.store(true, Ordering::Relaxed);
        Ok(measured)
    })
}

/// What the proof of the safety filter prints.
fn filter_figures(printed: &[Value]) -> Result<Vec<Figure>, String> {
    let of = |check: &str| {
        let rows: Vec<&Value> = printed.iter().filter(|row| row["check"] == check).collect();
        if rows.is_empty() {
            return Err(format!("safety_filter_proof: no line of `{check}`"));
        }
        Ok(rows)
    };
    let sum = |rows: &[&Value], key: &str| -> Result<f64, String> {
        rows.iter().map(|row| number(row, key)).sum()
    };
    let most = |rows: &[&Value], key: &str| -> Result<f64, String> {
        rows.iter()
            .map(|row| number(row, key))
            .try_fold(f64::NEG_INFINITY, |most, value| Ok(most.max(value?)))
    };
    let hostile = of("hostile_commands")?;
    let stops = of("stops")?;
    let work = of("tick_work")?;
    let commands = sum(&hostile, "commands")? as u64;
    let states = sum(&stops, "states")? as u64;
    let none = Some(Bar::AtMost(0.0));
    let mut figures = vec![
        Figure::new(
            "hostile commands over a limit of joints, tool or distances",
            sum(&hostile, "violations")?,
            "",
        )
        .over(commands)
        .with_bar(none),
    ];
    for row in &hostile {
        let name = format!(
            "hostile commands changed, {}, {}",
            row["arm"].as_str().unwrap_or_default(),
            row["around"].as_str().unwrap_or_default()
        );
        let share = number(row, "modified_share")?;
        figures.push(
            Figure::new(name, share, "share").over(row["commands"].as_u64().unwrap_or_default()),
        );
    }
    for (key, name) in [
        ("not_braking_within_2_ticks", "stops not begun in 2 ticks"),
        (
            "over_500_ms_and_over_1_1_of_the_fastest",
            "stops over 500 ms and over 1.1 times the fastest",
        ),
        ("violations", "commands over a limit while stopping"),
    ] {
        figures.push(
            Figure::new(name, sum(&stops, key)?, "")
                .over(states)
                .with_bar(none),
        );
    }
    figures.push(Figure::new("longest stop", most(&stops, "longest_ms")?, "ms").over(states));
    figures.push(
        Figure::new(
            "most motion commanded after rest",
            most(&stops, "drift_rad")?,
            "rad",
        )
        .over(states)
        .with_bar(Bar::AtMost(0.05)),
    );
    let least_pairs = work
        .iter()
        .map(|row| number(row, "pairs"))
        .try_fold(f64::INFINITY, |least, pairs| {
            Ok::<_, String>(least.min(pairs?))
        })?;
    figures.push(
        Figure::new(
            "pairs of shapes whose distance each tick holds",
            least_pairs,
            "",
        )
        .with_bar(Bar::AtLeast(70.0)),
    );
    for row in work {
        let what = row["what"].as_str().unwrap_or_default();
        for (key, part, bar) in [
            ("p50_us", "half of them within", 40.0),
            ("p99_9_us", "99.9 % of them within", 150.0),
        ] {
            figures.push(
                Figure::new(format!("tick, {what}, {part}"), number(row, key)?, "µs")
                    .over(row["ticks"].as_u64().unwrap_or_default())
                    .with_bar(Bar::AtMost(bar)),
            );
        }
    }
    Ok(figures)
}

/// What the test of stops by every cause prints.
fn cause_figures(said: &str) -> Result<Vec<Figure>, String> {
    const LINE: &str = "causes of stops and ";
    let missing = |what: &str| format!("the test of stops: no {what}");
    let line = said.lines().find_map(|line| line.split_once(LINE));
    let (before, rest) = line.ok_or_else(|| missing(LINE))?;
    let number_after = |mark: &str| -> Result<f64, String> {
        let text = rest.split_once(mark).map(|(_, rest)| rest);
        let word = text.and_then(|text| text.split([' ', ',']).next());
        let number = word.and_then(|word| word.trim_end_matches("ms").parse().ok());
        number.ok_or_else(|| missing(mark))
    };
    let causes = before.trim().rsplit(' ').next().unwrap_or_default();
    let holds = rest.split(' ').next().unwrap_or_default();
    let trials = number_after("holds, ")? as u64;
    let of = format!("stops by {causes} causes, holds by {holds}");
    let figures = [
        ("latest braking", "braking after ", "ticks", 2.0),
        ("latest rest", "at rest after ", "ms", 500.0),
        ("most motion after rest", "moved ", "rad", 0.05),
    ];
    figures
        .into_iter()
        .map(|(name, mark, unit, most)| {
            Ok(
                Figure::new(format!("{of}: {name}"), number_after(mark)?, unit)
                    .over(trials)
                    .with_bar(Bar::AtMost(most)),
            )
        })
        .collect()
}

/// What the fault lab prints for one arm.
fn fault_figures(arm: &str, rows: &[Value]) -> Result<Vec<Figure>, String> {
    let whole = |row: &Value, key: &str| {
        let value = row[key].as_u64();
        value.ok_or_else(|| format!("doctor --faults: no whole number `{key}` in {row}"))
    };
    let (mut trials, mut passed, mut violations, mut unknowable) = (0, 0, 0, 0);
    let mut figures = Vec::new();
    for row in rows {
        let (of, good) = (whole(row, "trials")?, whole(row, "passed")?);
        trials += of;
        passed += good;
        violations += whole(row, "violations")?;
        unknowable += whole(row, "unknowable")?;
        if good < of {
            let name = row["fault"].as_str().unwrap_or_default();
            figures.push(Figure::share_of(format!("{arm} {name}"), good, of));
        }
    }
    // A refused chunk leaves the arm on its path; only stops and holds brake.
    let brakes = |row: &&Value| !row["braking_after_ticks"].is_null();
    let most = |key: &str| {
        let values = rows
            .iter()
            .filter(brakes)
            .filter_map(|row| row[key].as_f64());
        values.fold(f64::NEG_INFINITY, f64::max)
    };
    let name = format!(
        "{arm}, {} faults, trials that ended as they must",
        rows.len()
    );
    figures.push(Figure::share_of(name, passed, trials).with_bar(Bar::AtLeast(1.0)));
    let name = format!("{arm}, trials in which there was nothing to be found");
    figures.push(Figure::new(name, unknowable as f64, "").over(trials));
    for (name, value, unit, bar) in [
        ("commands over a limit", violations as f64, "", 0.0),
        ("latest braking", most("braking_after_ticks"), "ticks", 2.0),
        ("latest rest", most("at_rest_after_ms"), "ms", 500.0),
        (
            "most motion measured after rest",
            most("drift_rad"),
            "rad",
            0.05,
        ),
    ] {
        figures.push(
            Figure::new(format!("{arm}, {name}"), value, unit)
                .over(trials)
                .with_bar(Bar::AtMost(bar)),
        );
    }
    Ok(figures)
}

/// What `vola bench control` prints.
fn control_figures(bench: &Value) -> Result<Vec<Figure>, String> {
    let actuators = bench["actuators"].as_array();
    let mut figures = Vec::new();
    // Without the right to it, lateness is the system's matter and no bar.
    let grants = bench["real_time"].as_object();
    let is_granted = grants.is_some_and(|grants| grants["priority"]["granted"] == true);
    for row in actuators.into_iter().flatten() {
        let name = row["actuator"].as_str().unwrap_or_default();
        let report = &row["report"];
        let ticks = report["ticks"].as_u64().unwrap_or_default();
        let share = number(report, "in_time_share")?;
        figures.push(
            Figure::new(format!("{name}, ticks less than 1 ms late"), share, "share")
                .over(ticks)
                .with_bar(is_granted.then_some(Bar::AtLeast(0.998))),
        );
        figures.push(Figure::new(
            format!("{name}, pairs of shapes whose distance each tick holds"),
            number(report, "clearance_pairs")?,
            "",
        ));
        // Its own processor time: how busy the machine is besides hardly matters.
        for (key, part, bar) in [
            ("p50_us", "half of them", 40.0),
            ("p999_us", "99.9 % of them", 150.0),
        ] {
            let value = number(&report["work"], key)?;
            figures.push(
                Figure::new(
                    format!("{name}, processor time of a tick, {part}"),
                    value,
                    "µs",
                )
                .over(ticks)
                .with_bar(Some(Bar::AtMost(bar))),
            );
        }
        let stops = row["stops"].as_u64().unwrap_or_default();
        figures.push(Figure::new(
            format!("{name}, stops for missed ticks"),
            stops as f64,
            "",
        ));
        if let Some(steal) = report["steal_ms"].as_f64() {
            figures.push(Figure::new(
                format!("{name}, taken by the hypervisor meanwhile"),
                steal,
                "ms",
            ));
        }
    }
    if figures.is_empty() {
        return Err(format!("bench control: no actuators in {bench}"));
    }
    Ok(figures)
}

/// What the test of the control path prints.
fn path_figures(said: &str) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    for line in said.lines() {
        let Some((before, rest)) = line.split_once(": ") else {
            continue;
        };
        // The first line of a test follows its name.
        let robot = before.rsplit(' ').next().unwrap_or(before);
        let Some((ticks, rest)) = rest.split_once(" ticks: [") else {
            continue;
        };
        let Some((counts, _)) = rest.split_once("] allocations, releases, waits for locks") else {
            continue;
        };
        let sum: u64 = counts
            .split(", ")
            .filter_map(|it| it.parse::<u64>().ok())
            .sum();
        figures.push(
            Figure::new(
                format!("{robot}, allocations, releases and waits for locks"),
                sum as f64,
                "",
            )
            .over(ticks.parse().unwrap_or_default())
            .with_bar(Bar::AtMost(0.0)),
        );
    }
    if figures.is_empty() {
        return Err("the test of the control path: no line of counted ticks".to_owned());
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::prove::figure::value;

    #[test]
    fn figures_of_stops_by_every_cause() {
        let said = "test it ... 19 causes of stops and 7 of holds, 130 trials: braking after 2 ticks at most, at rest after 160ms at most, moved 0 rad after it at most\n";
        let figures = cause_figures(said).unwrap();
        let rest = value(&figures, "stops by 19 causes, holds by 7: latest rest");
        assert_eq!((rest.count, rest.is_met()), (Some(130), Some(true)));
        assert!((rest.value - 160.0).abs() < 1e-9);
        assert!(cause_figures("ok").is_err());
    }

    #[test]
    fn figures_of_the_fault_lab() {
        let rows = [
            json!({"fault": "state_nan", "trials": 30, "passed": 30, "violations": 0, "unknowable": 0,
                "at_rest_after_ms": 160.0, "drift_rad": 0.001, "braking_after_ticks": 1}),
            json!({"fault": "stage_hung", "trials": 30, "passed": 29, "violations": 0, "unknowable": 2}),
        ];
        let figures = fault_figures("franka", &rows).unwrap();
        let all = value(&figures, "franka, 2 faults, trials that ended as they must");
        assert_eq!((all.count, all.is_met()), (Some(60), Some(false)));
        assert_eq!(value(&figures, "franka stage_hung").count, Some(30));
        assert_eq!(value(&figures, "franka, latest rest").is_met(), Some(true));
        assert!(fault_figures("franka", &[json!({"fault": "x"})]).is_err());
        // Nothing measured meets no bar.
        let none = fault_figures("franka", &[]).unwrap();
        assert_eq!(none[0].is_met(), Some(false));
    }

    #[test]
    fn figures_of_the_control_thread() {
        let of = |p999_us: f64| {
            json!({"real_time": {"priority": {"granted": false}}, "actuators": [{
                "actuator": "tabletop/franka", "stops": 0, "report": {"ticks": 60_000,
                    "in_time_share": 0.9, "clearance_pairs": 75,
                    "work": {"p50_us": 12.0, "p999_us": p999_us}}}]})
        };
        let figures = control_figures(&of(151.0)).unwrap();
        let at = |part: &str| format!("tabletop/franka, {part}");
        let half = value(&figures, &at("processor time of a tick, half of them"));
        assert_eq!(half.is_met(), Some(true));
        let most = value(&figures, &at("processor time of a tick, 99.9 % of them"));
        assert_eq!(most.is_met(), Some(false));
        let pairs = at("pairs of shapes whose distance each tick holds");
        assert!((value(&figures, &pairs).value - 75.0).abs() < 1e-9);
        // Lateness is no figure of the program's without the right to a priority.
        let share = value(&figures, &at("ticks less than 1 ms late"));
        assert_eq!(share.is_met(), None);
        assert!(control_figures(&json!({})).is_err());
    }

    #[test]
    fn figures_of_the_control_path() {
        let said = "test ticks ... tabletop/franka: 60000 ticks: [0, 0, 0] allocations, releases, waits for locks\n\
            mock/arm: 500 ticks: [1, 0, 2] allocations, releases, waits for locks\n";
        let figures = path_figures(said).unwrap();
        assert_eq!(figures[0].count, Some(60_000));
        assert!(figures[0].name.starts_with("tabletop/franka, "));
        assert_eq!(figures[0].is_met(), Some(true));
        assert_eq!((figures[1].value, figures[1].is_met()), (3.0, Some(false)));
        assert!(path_figures("ok").is_err());
    }
}
