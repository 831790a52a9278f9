//! A robot without a simulated world in a process of its own: it is serviced on
//! time whatever it logs, and comes to rest when the runtime is killed.

use std::{
    io::{BufRead as _, BufReader},
    time::{Duration, Instant},
};

use vola_abi::{
    CommandFrame, EmbodimentBox, EmbodimentPartsAbi, StateFrame,
    abi_stable::std_types::{ROption, RStr},
};
use vola_isolation::IsolatedEmbodiment;
use vola_tests::workspace;

use super::{
    Hosting, PATIENT,
    robots::{LastMotion, kill_now, start},
};
use crate::plugins::host::{LOG, services};

const TICK: Duration = Duration::from_millis(1);
/// Commands that a test sends.
const COMMANDS: u64 = 2000;

fn opened(isolated: IsolatedEmbodiment, settings: &str) -> (EmbodimentBox, EmbodimentPartsAbi) {
    let mut robot = isolated.into_box();
    robot.configure(RStr::from(settings)).into_result().unwrap();
    robot.describe().into_result().unwrap();
    robot.activate(services()).into_result().unwrap();
    let parts = robot.open().into_result().unwrap();
    assert!(matches!(parts.simulation, ROption::RNone));
    (robot, parts)
}

fn state(parts: &mut EmbodimentPartsAbi) -> StateFrame {
    let mut state = StateFrame::default();
    parts.actuator.state(&mut state).into_result().unwrap();
    state
}

/// Sends commands, one a tick; how many reached the robot. Never in a burst: of
/// two in one tick the robot takes the newer, as it should.
fn drive(parts: &mut EmbodimentPartsAbi) -> u64 {
    let at = state(parts);
    let mut command = CommandFrame {
        count: at.count,
        position: at.position,
        ..CommandFrame::default()
    };
    let mut due = Instant::now();
    for number in 1..=COMMANDS {
        due = (due + TICK).max(Instant::now());
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        command.time_ns = number * 1_000_000;
        parts.actuator.command(&command).into_result().unwrap();
    }
    let sent_ns = monotonic_ns();
    let give_up = Instant::now() + PATIENT;
    loop {
        let state = state(parts);
        if state.capture_time_ns > sent_ns + 2_000_000 {
            return state.effort[0] as u64;
        }
        assert!(Instant::now() < give_up, "its state is stale");
        std::thread::sleep(TICK);
    }
}

/// Lines of the robot that came so far.
fn lines_told() -> u64 {
    let log = LOG.lock().unwrap();
    log.iter().filter(|it| it.contains("drive told")).count() as u64
}

/// Some six hundred kilobytes of log lines, while nobody asks its process
/// anything: they come as they are written, and its states stay fresh.
#[test]
fn a_real_robot_that_logs_every_command_goes_on_and_is_heard() {
    let hosting = Hosting::of("real", PATIENT);
    let folder = tempfile::tempdir().unwrap();
    let isolated = IsolatedEmbodiment::start(&hosting.spec, "drive", folder.path()).unwrap();
    let (mut robot, mut parts) = opened(isolated, r#"{"logs":true}"#);
    let before = lines_told();
    let taken = drive(&mut parts);
    let heard = lines_told() - before;
    println!("a real robot that logs: {taken} commands taken, {heard} lines heard");
    // The share is measured, not judged here: a busy machine lets neither side run each
    // millisecond. What hung came to a stand after some three hundred lines.
    assert!(taken > COMMANDS / 10, "{taken}");
    // Those for which there was no room are told to be lost.
    assert!(heard > taken / 4 && heard <= taken, "{heard} of {taken}");
    drop(parts);
    robot.deactivate().into_result().unwrap();
}

#[test]
fn nearly_every_command_reaches_a_real_robot() {
    let hosting = Hosting::of("real", PATIENT);
    let folder = tempfile::tempdir().unwrap();
    let isolated = IsolatedEmbodiment::start(&hosting.spec, "drive", folder.path()).unwrap();
    let (mut robot, mut parts) = opened(isolated, "{}");
    let taken = drive(&mut parts);
    let share = taken as f64 / COMMANDS as f64;
    println!(
        "commands that reach a real robot in its own process: {share:.4} of {COMMANDS} trials"
    );
    // A busy machine lets neither side run each millisecond.
    assert!(taken > COMMANDS / 10 && taken <= COMMANDS, "{taken}");
    drop(parts);
    robot.deactivate().into_result().unwrap();
}

/// The machine's clock, on which the robot stamps (ns).
#[expect(unsafe_code, reason = "the standard library tells no number")]
fn monotonic_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for writes of one `timespec`.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    assert_eq!(answer, 0);
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
}

/// What one kill of the runtime led to; times on the machine's clock, from just
/// before the kill.
struct Orphan {
    slower: Duration,
    rest: Duration,
}

impl Orphan {
    /// None where the arm stood.
    fn of(log: &LastMotion, killed_ns: u64) -> Option<Self> {
        let after = log.moments.iter().position(|it| it.time_ns > killed_ns)?;
        let speed = log.moments[after.checked_sub(1)?].speed;
        if speed < 0.05 {
            return None;
        }
        let after = &log.moments[after..];
        let slower = after.iter().find(|it| it.speed < speed).unwrap();
        let rest = after.iter().find(|it| it.speed < 1e-4).unwrap();
        assert!(after.last().unwrap().speed < 1e-4, "it stands at the end");
        // A hold was enough.
        assert_eq!(log.cause, "the runtime is gone");
        let since = |time_ns| Duration::from_nanos(time_ns - killed_ns);
        Some(Self {
            slower: since(slower.time_ns),
            rest: since(rest.time_ns),
        })
    }
}

/// Starts a run that takes the arm home, and kills it on the way. None where the
/// arm stood: on a busy machine it may be there, or not yet on its way.
fn kill_on_the_way(after: Duration) -> Option<Orphan> {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("deployment.toml");
    // Generous deadlines: what is tested is not how busy this machine is.
    let text = "[robot]\nplugin = 'real/drive'\n[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000\n[plugins.isolation]\nreal = 'process'\n[record]\nfolder = 'runs'\n";
    std::fs::write(&config, text).unwrap();
    let (config, library) = (config.display().to_string(), workspace().library("real"));
    let library = library.display().to_string();
    let mut runtime = start(&[
        "run",
        "go home",
        "--json",
        "--config",
        &config,
        "--plugins",
        &library,
    ]);
    let lines = BufReader::new(runtime.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    for line in lines.map(Result::unwrap) {
        let has_begun = line.contains("\"event\":\"step_started\"");
        told.push(line);
        if has_begun {
            std::thread::sleep(after);
            let killed_ns = monotonic_ns();
            let log = kill_now(runtime, &folder.path().join("runs"));
            return Orphan::of(&log, killed_ns);
        }
    }
    runtime.wait().unwrap();
    panic!("the run ended before its first step: {told:#?}");
}

/// `kill -9` of `vola` while a real arm moves: its own clock is the machine's, so
/// the time until its process notices counts.
#[test]
fn a_real_arm_comes_to_rest_each_time_the_runtime_is_killed() {
    let rounds = std::env::var("VOLA_ISOLATION_ROUNDS").map_or(3, |_| 20);
    let orphans: Vec<Orphan> = (0..rounds)
        .map(|round| {
            let tries = 0..10;
            let mut orphans = tries.filter_map(|attempt| {
                kill_on_the_way(Duration::from_millis(600 + 70 * (round % 4) + 30 * attempt))
            });
            orphans.next().expect("the arm stood each time")
        })
        .collect();
    let most = |of: fn(&Orphan) -> Duration| orphans.iter().map(of).max().unwrap();
    let (slower, rest) = (most(|it| it.slower), most(|it| it.rest));
    println!(
        "runtime of a real arm killed in motion, {rounds} times: slower after {slower:?}, at rest after {rest:?} of the machine's clock since the kill at most"
    );
}
