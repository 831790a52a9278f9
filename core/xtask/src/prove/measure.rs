//! The ways of measuring: each runs commands and makes figures of their output.

mod adaptation;
mod console;
mod documents;
mod filter_cost;
mod handoff;
mod handoff_rest;
mod isolation;
mod local_speed;
mod motion;
mod operator;
mod planner;
mod recording;
mod soak;

use std::{path::Path, process::Stdio};

use serde_json::Value;

use super::{
    BUNDLE,
    catalogue::{EPISODES, Evaluation, QUICK_EPISODES, Way},
    figure::{Bar, Figure, median},
    program::{Program, objects},
};
use crate::workspace::{Workspace, words};

/// The run whose process is measured: a scene with one yellow block and one red
/// bowl.
const RUN: [&str; 5] = [
    "run",
    "put the yellow block in the red bowl",
    "--fast",
    "--seed",
    "2",
];
/// Arms that the expert is measured on.
const ARMS: [&str; 2] = ["tabletop/franka", "tabletop/ur5e"];
/// Tasks that the expert shows.
const EXPERT_TASKS: u32 = 8;
/// Demonstrations of each task by each arm.
const DEMONSTRATIONS: u32 = 25;

/// With what, and how thoroughly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bench<'a> {
    /// The sources.
    pub(crate) workspace: &'a Workspace,
    /// The binary.
    pub(crate) program: &'a Program,
    /// Whether small counts are enough.
    pub(crate) is_quick: bool,
}

/// What came out of a way: the commands as typed, and the figures.
pub(crate) type Measured = (Vec<String>, Vec<Figure>);

impl Bench<'_> {
    /// Measures.
    ///
    /// # Errors
    /// When a command fails or prints something else than it should.
    pub(crate) fn measure(&self, way: &Way) -> Result<Measured, String> {
        match way {
            Way::Eval(evaluation) => self.eval(evaluation),
            Way::PolicyBench => self.policy_bench(),
            Way::Boundary => self.boundary(),
            Way::Expert => self.expert(),
            Way::Processes => self.processes(),
            Way::SafetyFilter => self.safety_filter(),
            Way::Faults => self.faults(),
            Way::ControlThread => self.control_thread(),
            Way::ControlPath => self.control_path(),
            Way::Isolation => self.isolation(),
            Way::FilterCost => self.filter_cost(),
            Way::Planner => self.planner(),
            Way::Asking => self.asking(),
            Way::Recording => self.recording(),
            Way::Documents => self.documents(),
            Way::Handoff => self.handoff(),
            Way::Operator => self.operator(),
            Way::HandoffRest => self.handoff_rest(),
            Way::Console => self.console(),
            Way::Adaptation => self.adaptation(),
            Way::LocalSpeed => self.local_speed(),
            Way::Soak => self.soak(),
        }
    }

    fn count(&self, full: u32, quick: u32) -> String {
        if self.is_quick { quick } else { full }.to_string()
    }

    /// A path as seen from the root, where commands run: a report names no machine's
    /// folders.
    fn seen_from_root(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.workspace.root).unwrap_or(path);
        path.display().to_string()
    }

    fn eval(&self, evaluation: &Evaluation) -> Result<Measured, String> {
        let episodes = self.count(EPISODES, QUICK_EPISODES);
        let mut arguments = vec!["eval"];
        arguments.extend(evaluation.arguments);
        arguments.extend(["--episodes", &episodes]);
        let printed = self.program.objects(&arguments)?;
        Ok((
            vec![typed(&arguments)],
            eval_figures(&printed, evaluation.bars)?,
        ))
    }

    fn policy_bench(&self) -> Result<Measured, String> {
        let runs = self.count(500, 10);
        let arguments = ["policy", "bench", BUNDLE, "--runs", &runs];
        let printed = self.program.objects(&arguments)?;
        let times = printed.first().ok_or("policy bench printed nothing")?;
        let count = times["runs"].as_u64().unwrap_or_default();
        let mut figures = Vec::new();
        for (key, name, bar) in [
            (
                "p50_ms",
                "step, half of them within",
                Some(Bar::AtMost(25.0)),
            ),
            ("p95_ms", "step, 95 % of them within", None),
            ("p99_ms", "step, 99 % of them within", None),
        ] {
            let value = number(times, key)?;
            figures.push(Figure::new(name, value, "ms").over(count).with_bar(bar));
        }
        Ok((vec![typed(&arguments)], figures))
    }

    fn boundary(&self) -> Result<Measured, String> {
        let mut command = self.workspace.cargo();
        command.args(["test", "--workspace", "--test", "all", "boundary", "--"]);
        // One at a time: each measures the machine's time.
        command.args(["--nocapture", "--test-threads", "1"]);
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot run {}: {error}", words(&command)))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("{}: {}\n{said}", words(&command), output.status));
        }
        let line = "cargo test --workspace --test all boundary -- --nocapture --test-threads 1";
        Ok((vec![line.to_owned()], boundary_figures(&said)?))
    }

    fn expert(&self) -> Result<Measured, String> {
        let episodes = self.count(DEMONSTRATIONS * EXPERT_TASKS, EXPERT_TASKS);
        let folder = self.workspace.target.join("prove-expert");
        let (mut commands, mut figures) = (Vec::new(), Vec::new());
        for arm in ARMS {
            let out = self.seen_from_root(&folder.join(arm.replace('/', "_")));
            let arguments = [
                "record",
                "--expert",
                "--clean",
                "--arms",
                arm,
                "--episodes",
                &episodes,
                "--out",
                &out,
            ];
            let printed = self.program.objects(&arguments);
            // Tens of megabytes that nobody reads.
            if let Err(error) = std::fs::remove_dir_all(&folder) {
                eprintln!("{}: cannot be removed: {error}", folder.display());
            }
            commands.push(typed(&arguments));
            figures.extend(expert_figures(arm, &printed?)?);
        }
        Ok((commands, figures))
    }

    fn processes(&self) -> Result<Measured, String> {
        let times = if self.is_quick { 1 } else { 7 };
        let chat = ["chat"];
        let (mut runs, mut starts, mut done) = (Vec::new(), Vec::new(), 0);
        for _ in 0..times {
            let run = self.program.measure(&RUN, "")?;
            let finished = objects(&run.stdout)?.pop().unwrap_or_default();
            if finished["event"] != "finished" {
                return Err(format!("{}: ended with {:?}", typed(&RUN), run.code));
            }
            done += u64::from(finished["success"] == true);
            runs.push(run);
            starts.push(self.program.measure(&chat, "what do you see?\n")?);
        }
        let seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
        let memory = runs.iter().filter_map(|run| run.peak_mb).reduce(f64::max);
        let first: Vec<f64> = starts.iter().map(|chat| chat.first_line_seconds).collect();
        let mut figures = vec![
            Figure::share_of("pick-and-place done", done, times),
            Figure::new(
                "pick-and-place, whole process (median)",
                median(&seconds),
                "s",
            )
            .over(times)
            .with_bar(Bar::AtMost(5.0)),
        ];
        figures.extend(memory.map(|memory| {
            Figure::new("pick-and-place, most memory", memory, "MB")
                .over(times)
                .with_bar(Bar::AtMost(500.0))
        }));
        figures.push(
            Figure::new("chat, start to first answer (median)", median(&first), "s")
                .over(times)
                .with_bar(Bar::AtMost(1.5)),
        );
        let chat = format!("echo \"what do you see?\" | {}", typed(&chat));
        Ok((vec![typed(&RUN), chat], figures))
    }
}

/// A command of the program, as a person would type it.
fn typed(arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("vola");
    command.args(arguments).arg("--json");
    words(&command)
}

/// One figure a task, then what the whole says.
fn eval_figures(printed: &[Value], bars: &[(&str, Bar)]) -> Result<Vec<Figure>, String> {
    let bar = |name: &str| {
        let found = bars.iter().find(|(of, _)| *of == name);
        found.map(|(_, bar)| *bar)
    };
    let mut figures = Vec::new();
    for object in printed {
        let Some(task) = object["task"].as_str() else {
            continue;
        };
        let success = &object["success"];
        let count = object["episodes"].as_u64().unwrap_or_default();
        let mut figure = Figure::new(task, number(success, "rate")?, "share").over(count);
        figure.interval = Some((number(success, "low")?, number(success, "high")?));
        figures.push(figure.with_bar(bar(task)));
        for (key, unit) in [
            ("recall", "share"),
            ("precision", "share"),
            ("median_error_m", "m"),
        ] {
            if let Some(value) = object[key].as_f64() {
                let objects = object["objects"].as_u64().unwrap_or_default();
                let name = if task == "scene" {
                    key.to_owned()
                } else {
                    format!("{task}: {key}")
                };
                figures.push(
                    Figure::new(name, value, unit)
                        .over(objects)
                        .with_bar(bar(key)),
                );
            }
        }
    }
    if let Some((name, _)) = bars.iter().find(|(name, _)| {
        !matches!(*name, "held" | "episodes_per_second")
            && figures.iter().all(|figure| figure.name != *name)
    }) {
        return Err(format!("vola eval: no figure `{name}` was printed"));
    }
    let summary = printed
        .iter()
        .find_map(|object| object.get("summary"))
        .ok_or("vola eval: no summary was printed")?;
    let whole = |key: &str| {
        let value = summary[key].as_u64();
        value.ok_or_else(|| format!("vola eval: no whole number `{key}` in its summary"))
    };
    let episodes = whole("episodes")?;
    for (key, name) in [
        ("handoffs", "held"),
        ("missed_failures", "said done, was not"),
    ] {
        let figure = Figure::share_of(name, whole(key)?, episodes);
        figures.push(figure.with_bar(bar(name)));
    }
    let pace = number(summary, "episodes_per_second")?;
    let name = "episodes_per_second";
    figures.push(
        Figure::new(name, pace, "1/s")
            .over(episodes)
            .with_bar(bar(name)),
    );
    Ok(figures)
}

/// One figure a task, and all of an arm's together.
fn expert_figures(arm: &str, printed: &[Value]) -> Result<Vec<Figure>, String> {
    let recorded = printed
        .iter()
        .find_map(|object| object.get("recorded"))
        .ok_or("vola record: no counts were printed")?;
    let share = |name: String, counts: &Value| {
        let count = |key: &str| counts[key].as_u64().unwrap_or_default();
        Figure::share_of(name, count("kept"), count("tried"))
    };
    let tasks = recorded["tasks"].as_object();
    let mut figures: Vec<Figure> = tasks
        .into_iter()
        .flatten()
        .map(|(task, counts)| share(format!("{arm} {task}"), counts))
        .collect();
    figures.push(share(format!("{arm}, all tasks"), recorded).with_bar(Bar::AtLeast(0.98)));
    Ok(figures)
}

/// What the tests of the boundary print.
fn boundary_figures(said: &str) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    for (start, name, unit, bar) in [
        (
            "boundary: reset ",
            "call without arguments",
            "ns",
            Some(Bar::AtMost(150.0)),
        ),
        (
            ", state of three joints ",
            "state of three joints",
            "ns",
            Some(Bar::AtMost(150.0)),
        ),
        (
            "boundary: stage call with one small tensor in and out ",
            "stage call, one small tensor in and out",
            "ns",
            None,
        ),
        (
            "boundary: loading ",
            "loading a library",
            "ms",
            Some(Bar::AtMost(5.0)),
        ),
    ] {
        let rest = said.split_once(start).map(|(_, rest)| rest);
        let nanos = rest
            .and_then(nanoseconds)
            .ok_or_else(|| format!("the tests of the boundary: no line with `{}`", start.trim()))?;
        let value = if unit == "ms" { nanos / 1e6 } else { nanos };
        figures.push(Figure::new(name, value, unit).with_bar(bar));
    }
    Ok(figures)
}

/// A time at the beginning of a text, as in `12 ns` or `1.5ms`.
fn nanoseconds(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (digits, rest) = text.split_at(end);
    let scales = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
    let rest = rest.trim_start();
    let (_, scale) = scales.iter().find(|(unit, _)| rest.starts_with(unit))?;
    Some(digits.parse::<f64>().ok()? * scale)
}

fn number(object: &Value, key: &str) -> Result<f64, String> {
    object[key]
        .as_f64()
        .ok_or_else(|| format!("expected a number `{key}`, got {}", object[key]))
}

#[cfg(test)]
mod tests;
