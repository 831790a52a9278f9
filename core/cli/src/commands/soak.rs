//! `vola bench soak`: the robot at full rate for a long time, and what grows.

use std::{collections::BTreeMap, time::Instant};

use serde::Serialize;
use serde_json::Value;
use vola_runtime::{
    ConfidenceReading, Driver, HandoffAnswer, PrimitiveObserver, RuntimeError, Session,
};
use vola_types::{Op, PrimitiveGoal};

use crate::{
    arguments::Clock,
    failure::Failure,
    output::Console,
    workplace::{SessionWish, Workplace},
};

/// Part of the time that is warm-up: caches, pools, first pictures.
const WARM_UP: f64 = 0.2;
/// Resets that are tried after a stop, a tenth of a second apart.
const RESETS: usize = 50;
/// Part of the samples that the middle is taken of, at both ends.
const END: f64 = 0.1;

/// What the process holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Held {
    memory_mb: f64,
    threads: usize,
    descriptors: usize,
}

/// What a soak showed.
#[derive(Debug, Serialize)]
struct Soaked {
    bench: &'static str,
    seconds: f64,
    ticks: u64,
    missed_ticks: u64,
    in_time_share: f64,
    /// Primitives by how they ended; `stopped` by the safety layer, `error` by a
    /// part that failed.
    ended: BTreeMap<String, u64>,
    memory_mb: f64,
    memory_growth_mb: f64,
    thread_growth: i64,
    descriptor_growth: i64,
}

/// Runs it.
pub(super) fn run(workplace: &Workplace, seconds: f64, console: Console) -> Result<(), Failure> {
    let mut session = workplace.session(SessionWish::new(Clock::Real, 0))?;
    let started = Instant::now();
    let mut samples = Vec::new();
    let mut ended = BTreeMap::new();
    let mut seed = 0;
    while started.elapsed().as_secs_f64() < seconds {
        seed += 1;
        let end = one_primitive(&mut session, seed)?;
        *ended.entry(end).or_insert(0) += 1;
        samples.push((started.elapsed().as_secs_f64(), held()?));
    }
    let report = session.control_report();
    let (first, last) = ends(&samples, seconds);
    let soaked = Soaked {
        bench: "soak",
        seconds: started.elapsed().as_secs_f64(),
        ticks: report.ticks,
        missed_ticks: report.missed_ticks,
        in_time_share: report.in_time_share,
        ended,
        memory_mb: last.memory_mb,
        memory_growth_mb: last.memory_mb - first.memory_mb,
        thread_growth: difference(first.threads, last.threads),
        descriptor_growth: difference(first.descriptors, last.descriptors),
    };
    if console.is_json() {
        return console.object(&soaked);
    }
    let ended: Vec<String> = soaked
        .ended
        .iter()
        .map(|(end, count)| format!("{count} {end}"))
        .collect();
    console.line(&format!(
        "{:.0} s, {} ticks, {} missed, primitives: {}",
        soaked.seconds,
        soaked.ticks,
        soaked.missed_ticks,
        ended.join(", ")
    ))?;
    console.line(&format!(
        "memory {:.1} MB, grown by {:.2} MB; threads by {}, descriptors by {}",
        soaked.memory_mb, soaked.memory_growth_mb, soaked.thread_growth, soaked.descriptor_growth
    ))
}

/// A push in a new scene; how it ended.
fn one_primitive(session: &mut Session, seed: u64) -> Result<String, Failure> {
    if session.has_simulation() {
        session.reset_world(seed, &Value::Null)?;
    }
    let side = 0.03 * (seed % 9) as f64 - 0.12;
    let goal = PrimitiveGoal {
        op: Op::Push,
        task: "push the red block to the left".to_owned(),
        object: Some([0.42, side, 0.02]),
        target: Some([0.42, side + 0.08, 0.02]),
        seconds: None,
    };
    match session.run_primitive(&goal, Driver::Policy, &mut GoesOn) {
        Ok(report) => Ok(report.outcome.as_str().to_owned()),
        // A busy machine misses ticks, and pictures; the soak is about what grows.
        Err(error) => {
            leave_stop(session)?;
            Ok(match error {
                RuntimeError::Stopped { .. } => "stopped",
                _ => "error",
            }
            .to_owned())
        }
    }
}

/// Resets a stop, again where the machine is too busy for a first time.
pub(super) fn leave_stop(session: &mut Session) -> Result<(), Failure> {
    let mut result = session.reset_stop();
    for _ in 0..RESETS {
        if result.is_ok() {
            break;
        }
        session.idle(0.1)?;
        result = session.reset_stop();
    }
    Ok(result?)
}

/// Nobody is there to be asked.
struct GoesOn;

impl PrimitiveObserver for GoesOn {
    fn low_confidence(&mut self, _: &ConfidenceReading) -> HandoffAnswer {
        HandoffAnswer::Continue
    }
}

/// The middle values of the first samples after the warm-up and of the last.
fn ends(samples: &[(f64, Held)], seconds: f64) -> (Held, Held) {
    let warm: Vec<Held> = samples
        .iter()
        .filter(|(at, _)| *at >= WARM_UP * seconds)
        .map(|(_, held)| *held)
        .collect();
    let count = ((warm.len() as f64 * END).ceil() as usize).max(1);
    let first = warm.get(..count).unwrap_or(&warm);
    let last = warm
        .get(warm.len().saturating_sub(count)..)
        .unwrap_or(&warm);
    (middle(first), middle(last))
}

fn middle(samples: &[Held]) -> Held {
    let mut memory: Vec<f64> = samples.iter().map(|held| held.memory_mb).collect();
    memory.sort_by(f64::total_cmp);
    let most = |of: fn(&Held) -> usize| samples.iter().map(of).max().unwrap_or(0);
    Held {
        memory_mb: memory.get(memory.len() / 2).copied().unwrap_or(f64::NAN),
        threads: most(|held| held.threads),
        descriptors: most(|held| held.descriptors),
    }
}

fn difference(first: usize, last: usize) -> i64 {
    let of = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    of(last) - of(first)
}

/// What this process holds now.
fn held() -> Result<Held, Failure> {
    let unknown = |source| Failure::System {
        what: "a soak: the system does not tell what a process holds",
        source,
    };
    let status = std::fs::read_to_string("/proc/self/status").map_err(unknown)?;
    let memory_kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(f64::NAN);
    let count = |folder: &str| match std::fs::read_dir(folder) {
        Ok(entries) => Ok(entries.count()),
        Err(error) => Err(unknown(error)),
    };
    Ok(Held {
        memory_mb: memory_kib * 1024.0 * 1e-6,
        threads: count("/proc/self/task")?,
        descriptors: count("/proc/self/fd")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_read_after_the_warm_up() {
        let sample = |at: f64| {
            let held = Held {
                memory_mb: if at < 20.0 { at } else { 50.0 + 0.01 * at },
                threads: 7,
                descriptors: if at < 80.0 { 9 } else { 10 },
            };
            (at, held)
        };
        let samples: Vec<(f64, Held)> = (0..=100).map(|at| sample(f64::from(at))).collect();
        let (first, last) = ends(&samples, 100.0);
        let growth = last.memory_mb - first.memory_mb;
        assert!(growth > 0.6 && growth < 0.8, "{growth}");
        assert_eq!(difference(first.threads, last.threads), 0);
        assert_eq!(difference(first.descriptors, last.descriptors), 1);
        // Nothing was sampled: not a number, so that no bar is met.
        assert!(ends(&[], 10.0).0.memory_mb.is_nan());
    }
}
