//! `vola bench soak`: the robot at full rate for a long time, and what grows.

use std::{
    collections::BTreeMap,
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::json;
use vola_planner::resolve;
use vola_runtime::{
    ConfidenceReading, Driver, HandoffAnswer, PrimitiveObserver, RuntimeError, Session,
};
use vola_types::{Direction, PushTo, Scene, SceneObject, Step};

use super::bench::home;
use crate::{
    arguments::Clock,
    failure::Failure,
    output::Console,
    robot::Sight,
    workplace::{SessionWish, Workplace},
};

/// Time between two looks at what the process holds.
const SAMPLING: Duration = Duration::from_secs(1);
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
    /// Ticks that ran, of those that were due (0 … 1): whether it was full rate.
    ticks_of_due: f64,
    in_time_share: f64,
    /// Times that the safety layer stopped the robot.
    stops: u64,
    /// Primitives by how they ended; `stopped` by the safety layer, `error` by a
    /// part that failed.
    ended: BTreeMap<String, u64>,
    /// How often what the process holds was looked at.
    samples: usize,
    memory_mb: f64,
    memory_growth_mb: f64,
    thread_growth: i64,
    descriptor_growth: i64,
}

/// Runs it.
pub(super) fn run(workplace: &Workplace, seconds: f64, console: Console) -> Result<(), Failure> {
    let mut session = workplace.session(SessionWish::new(Clock::Real, 0))?;
    let until_ns = session.now_ns().saturating_add((seconds * 1e9) as u64);
    let started = Instant::now();
    session.clear_telemetry();
    let sampler = Sampler::start(seconds)?;
    let mut ended = BTreeMap::new();
    let mut number = 0;
    while session.now_ns() < until_ns {
        number += 1;
        let end = match one_primitive(&mut session, number, until_ns) {
            Ok(end) => end,
            // A busy machine misses ticks, and pictures; the soak is about what grows.
            Err(error) => {
                leave_stop(&mut session)?;
                match error {
                    Failure::Runtime(error) if is_stop(&error) => "stopped",
                    _ => "error",
                }
                .to_owned()
            }
        };
        *ended.entry(end).or_insert(0) += 1;
    }
    let report = session.control_report();
    let samples = sampler.end()?;
    let (first, last) = ends(&samples, seconds);
    let due = report.ticks.saturating_add(report.missed_ticks);
    let soaked = Soaked {
        bench: "soak",
        seconds: started.elapsed().as_secs_f64(),
        ticks: report.ticks,
        missed_ticks: report.missed_ticks,
        ticks_of_due: report.ticks as f64 / due as f64,
        in_time_share: report.in_time_share,
        stops: ended.get("stopped").copied().unwrap_or(0),
        ended,
        samples: samples.len(),
        memory_mb: last.memory_mb,
        memory_growth_mb: last.memory_mb - first.memory_mb,
        thread_growth: difference(first.threads, last.threads),
        descriptor_growth: difference(first.descriptors, last.descriptors),
    };
    tell(&soaked, console)
}

fn is_stop(error: &RuntimeError) -> bool {
    matches!(error, RuntimeError::Stopped { .. })
}

fn tell(soaked: &Soaked, console: Console) -> Result<(), Failure> {
    if console.is_json() {
        return console.object(soaked);
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
        "memory {:.1} MB, grown by {:.2} MB; threads by {}, descriptors by {} ({} samples)",
        soaked.memory_mb,
        soaked.memory_growth_mb,
        soaked.thread_growth,
        soaked.descriptor_growth,
        soaked.samples
    ))
}

/// A push of a block that the camera sees, in a new scene where there can be one;
/// how it ended. Where no block is seen the arm goes home.
fn one_primitive(session: &mut Session, number: u64, until_ns: u64) -> Result<String, Failure> {
    if session.has_simulation() {
        session.reset_world(number, &json!({"task": "push"}))?;
    }
    let scene = Sight::new().look(session)?;
    let step = push(&scene, number).unwrap_or(Step::Home);
    let goal = resolve(&step, &scene).unwrap_or_else(|_no_room| home());
    let mut observer = UntilThen(until_ns);
    let report = session.run_primitive(&goal, Driver::Policy, &mut observer)?;
    Ok(report.outcome.as_str().to_owned())
}

/// One block after the other is pushed towards the table's middle.
fn push(scene: &Scene, number: u64) -> Option<Step> {
    let is_free = |object: &&SceneObject| object.kind == "block" && !object.is_held();
    let blocks: Vec<&SceneObject> = scene.objects.iter().filter(is_free).collect();
    let turn = usize::try_from(number).ok()?.checked_rem(blocks.len())?;
    let block = blocks.get(turn)?;
    let [_, y, _] = block.position?;
    let direction = if y > 0.0 {
        Direction::Right
    } else {
        Direction::Left
    };
    Some(Step::Push {
        object: block.id.clone(),
        to: PushTo::Direction(direction),
    })
}

/// Nobody is there to be asked; what runs when the time is over (ns) comes to rest.
struct UntilThen(u64);

impl PrimitiveObserver for UntilThen {
    fn low_confidence(&mut self, _: &ConfidenceReading) -> HandoffAnswer {
        HandoffAnswer::Continue
    }

    fn is_rest_wanted(&mut self, now_ns: u64) -> bool {
        now_ns >= self.0
    }
}

/// Looks once a second at what the process holds, on a thread of its own, which
/// ends with this.
struct Sampler {
    /// Nothing is sent; that it is gone ends the thread.
    end: mpsc::SyncSender<()>,
    thread: JoinHandle<Result<Vec<Sample>, Failure>>,
}

/// When (s), and what was held.
type Sample = (f64, Held);

impl Sampler {
    fn start(seconds: f64) -> Result<Self, Failure> {
        let (end, ended) = mpsc::sync_channel(0);
        // Room for all of them: the samples shall not grow what they measure.
        let mut samples = Vec::with_capacity(seconds.ceil().max(0.0) as usize + 1);
        let begun = Instant::now();
        let body = move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(SAMPLING) {
                samples.push((begun.elapsed().as_secs_f64(), held()?));
            }
            Ok(samples)
        };
        let thread = std::thread::Builder::new()
            .name("vola-soak".to_owned())
            .spawn(body)
            .map_err(|source| Failure::System {
                what: "a soak: the thread that looks at what the process holds",
                source,
            })?;
        Ok(Self { end, thread })
    }

    /// All samples.
    fn end(self) -> Result<Vec<Sample>, Failure> {
        let Self { end, thread } = self;
        drop(end);
        // A sampler that panicked has no samples, which meet no bar.
        thread.join().unwrap_or_else(|_panic| Ok(Vec::new()))
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

/// The middle values of the first samples after the warm-up and of the last.
fn ends(samples: &[Sample], seconds: f64) -> (Held, Held) {
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
    fn blocks_that_are_seen_are_pushed_in_turn_towards_the_middle() {
        let scene = Scene::from_json(
            r#"{"objects":[
            {"id":"red_block","kind":"block","position":[0.42,0.10,0.02]},
            {"id":"blue_bowl","kind":"bowl","position":[0.5,0.15,0.03]},
            {"id":"green_block","kind":"block","position":[0.35,-0.2,0.02]}]}"#,
        )
        .unwrap();
        for (number, id, to) in [
            (2, "red_block", Direction::Right),
            (3, "green_block", Direction::Left),
        ] {
            let expected = Step::Push {
                object: id.to_owned(),
                to: PushTo::Direction(to),
            };
            assert_eq!(push(&scene, number), Some(expected));
        }
        assert_eq!(push(&Scene::default(), 1), None);
    }

    #[test]
    fn what_is_held_is_sampled_until_the_end() {
        let sampler = Sampler::start(60.0).unwrap();
        std::thread::sleep(SAMPLING + SAMPLING / 2);
        let samples = sampler.end().unwrap();
        assert!(!samples.is_empty());
        assert!(samples.iter().all(|(_, held)| held.threads > 0));
    }

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
        let samples: Vec<Sample> = (0..=100).map(|at| sample(f64::from(at))).collect();
        let (first, last) = ends(&samples, 100.0);
        let growth = last.memory_mb - first.memory_mb;
        assert!(growth > 0.6 && growth < 0.8, "{growth}");
        assert_eq!(difference(first.threads, last.threads), 0);
        assert_eq!(difference(first.descriptors, last.descriptors), 1);
        // Nothing was sampled: not a number, so that no bar is met.
        assert!(ends(&[], 10.0).0.memory_mb.is_nan());
    }
}
