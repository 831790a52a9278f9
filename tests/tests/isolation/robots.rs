//! A robot in a process of its own: the same states and pictures, and a stop
//! when the runtime is killed.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vola_abi::{
    CommandFrame, EmbodimentBox, EmbodimentPartsAbi, ImageBufferAbi, StateFrame, StopCategory,
    abi_stable::std_types::{ROption, RSliceMut, RStr},
};
use vola_isolation::IsolatedEmbodiment;
use vola_tests::workspace;

use super::{Hosting, PATIENT};
use crate::plugins::host::{load, services};

const TICK_NS: u64 = 1_000_000;

fn configured(mut robot: EmbodimentBox) -> (EmbodimentBox, EmbodimentPartsAbi, String) {
    robot.configure(RStr::from("{}")).into_result().unwrap();
    let description = robot.describe().into_result().unwrap().into_string();
    robot.activate(services()).into_result().unwrap();
    let parts = robot.open().into_result().unwrap();
    (robot, parts, description)
}

/// A picture with its camera's key and its time.
type Shot = (String, u64, Vec<u8>);

/// What a robot shows under 600 ticks of commands, and its pictures.
fn story(parts: &mut EmbodimentPartsAbi, described: &str) -> (Vec<StateFrame>, Vec<Shot>) {
    let described: Value = serde_json::from_str(described).unwrap();
    let ROption::RSome(world) = &mut parts.simulation else {
        panic!("a simulated robot")
    };
    let episode = world.reset(3, RStr::from("null")).into_result().unwrap();
    assert!(episode.starts_with('{'), "{episode}");
    let mut state = StateFrame::default();
    parts.actuator.state(&mut state).into_result().unwrap();
    let mut states = vec![state];
    let mut command = CommandFrame {
        count: state.count,
        position: state.position,
        ..CommandFrame::default()
    };
    for tick in 0..600_u64 {
        command.time_ns = tick * TICK_NS;
        command.position[1] += 0.0003;
        match tick {
            200 => parts.actuator.hold().into_result().unwrap(),
            300 => parts
                .actuator
                .stop(StopCategory::Two)
                .into_result()
                .unwrap(),
            400 => parts.actuator.reset().into_result().unwrap(),
            _ => {}
        }
        if !(300..400).contains(&tick) {
            parts.actuator.command(&command).into_result().unwrap();
        }
        world.step(TICK_NS).into_result().unwrap();
        parts.actuator.state(&mut state).into_result().unwrap();
        states.push(state);
    }
    let pictures = parts.cameras.iter_mut().map(|part| {
        let cameras = described["cameras"].as_array().unwrap();
        let camera = cameras.iter().find(|it| it["key"] == part.key.as_str());
        let side = |name| u32::try_from(camera.unwrap()[name].as_u64().unwrap()).unwrap();
        let (width, height) = (side("width"), side("height"));
        let mut data = vec![0; (width * height * 3) as usize];
        let mut image = ImageBufferAbi {
            width,
            height,
            capture_time_ns: 0,
            data: RSliceMut::from_mut_slice(&mut data),
        };
        part.camera.grab(&mut image).into_result().unwrap();
        let captured_ns = image.capture_time_ns;
        (part.key.to_string(), captured_ns, data)
    });
    (states, pictures.collect())
}

#[test]
fn states_and_pictures_are_the_same_bytes() {
    let hosting = Hosting::of("tabletop", PATIENT);
    let folder = tempfile::tempdir().unwrap();
    let isolated = IsolatedEmbodiment::start(&hosting.spec, "franka", folder.path()).unwrap();
    let (mut there, mut there_parts, there_said) = configured(isolated.into_box());
    let create = load("tabletop").module().create_embodiment();
    let here = create(RStr::from("franka")).into_result().unwrap();
    let (_here, mut here_parts, here_said) = configured(here);
    assert_eq!(there_said, here_said);
    let (expected, expected_pictures) = story(&mut here_parts, &here_said);
    let (states, pictures) = story(&mut there_parts, &there_said);
    assert_eq!(states.len(), expected.len());
    for (tick, (state, expected)) in states.iter().zip(&expected).enumerate() {
        assert_eq!(state, expected, "tick {tick}");
    }
    assert!(expected[600].position[1] > expected[0].position[1] + 0.05);
    assert_eq!(expected_pictures.len(), 3);
    for (key, _, data) in &expected_pictures {
        assert!(data.iter().any(|byte| *byte != 0), "{key}: a black picture");
    }
    assert_eq!(pictures, expected_pictures);
    drop(there_parts);
    there.deactivate().into_result().unwrap();
    drop(there);
    // An end in order leaves no log.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_robot_whose_process_is_gone_is_a_fault_and_not_replaced() {
    let hosting = Hosting::of("mock", PATIENT);
    let folder = tempfile::tempdir().unwrap();
    let isolated = IsolatedEmbodiment::start(&hosting.spec, "arm", folder.path()).unwrap();
    let child = isolated.process_id().to_string();
    let (_robot, mut parts, _) = configured(isolated.into_box());
    let mut state = StateFrame::default();
    parts.actuator.state(&mut state).into_result().unwrap();
    Command::new("kill").args(["-9", &child]).status().unwrap();
    hosting.ends.recv_timeout(Duration::from_secs(10)).unwrap();
    let fault = parts.actuator.state(&mut state).into_result().unwrap_err();
    assert!(fault.message.contains("`arm`"), "{}", fault.message);
    let ROption::RSome(world) = &mut parts.simulation else {
        panic!("a simulated robot")
    };
    let fault = world.step(TICK_NS).into_result().unwrap_err();
    assert!(fault.message.contains("not replaced"), "{}", fault.message);
}

/// The default deployment with a robot, or stages, in processes of their own.
fn deployment(folder: &Path, isolation: &str) -> String {
    let root = &workspace().root;
    let text = std::fs::read_to_string(root.join("configs/tabletop.toml")).unwrap();
    let bundle = root.join("configs/policies/tabletop");
    // Generous deadlines: what is tested is not how busy this machine is.
    let text = text
        .replace(
            "state_deadline_ms = 100",
            "state_deadline_ms = 1000\ncamera_deadline_ms = 5000\nchunk_deadline_ms = 5000",
        )
        .replace("missed_ticks = 100", "missed_ticks = 1000")
        .replace("\"policies/tabletop\"", &format!("{bundle:?}"))
        .replace("\"manual\"", &format!("{:?}", root.join("configs/manual")))
        + "\n[record]\nfolder = 'runs'\n[plugins]\ncall_deadline_ms = 60000\n\
           [plugins.isolation]\n"
        + isolation;
    let config = folder.join("deployment.toml");
    std::fs::write(&config, text).unwrap();
    config.display().to_string()
}

/// The whole of a run, with everything isolated, is the run without.
#[test]
fn a_run_with_every_plugin_isolated_is_the_same_run() {
    let run = |isolation: &str| {
        let folder = tempfile::tempdir().unwrap();
        let config = deployment(folder.path(), isolation);
        let sentence = "put the yellow block in the red bowl";
        let arguments = [
            "run", sentence, "--fast", "--seed", "2", "--json", "--config", &config,
        ];
        let run = workspace().run_vola(&arguments, "", Duration::from_secs(300));
        assert!(!run.timed_out, "{}", run.stderr);
        let mut events = run.json_lines();
        for event in &mut events {
            // How long the planner needed is the machine's, not the run's.
            if let Some(plan) = event.get_mut("plan").and_then(Value::as_object_mut) {
                plan.remove("millis");
                plan.remove("id");
            }
        }
        assert!(events.len() > 5, "{}", run.stderr);
        (run.code, serde_json::to_string(&events).unwrap())
    };
    let all = "encoders = 'process'\nfusion = 'process'\nheads = 'process'\ntabletop = 'process'\n";
    assert_eq!(run(all), run(""));
}

/// One moment of the log that an orphaned robot writes.
pub struct Moment {
    pub time_ns: u64,
    /// The arm's joints.
    position: Vec<f64>,
    /// Of the fastest of them.
    pub speed: f64,
}

/// What an orphaned robot wrote down.
pub struct LastMotion {
    pub cause: String,
    lost_ns: u64,
    pub moments: Vec<Moment>,
}

/// The first whole line of the run's own log.
fn run_header(runs: &Path) -> Option<Value> {
    let mut names = std::fs::read_dir(runs).ok()?.filter_map(Result::ok);
    let is_run = |name: &std::fs::DirEntry| name.file_name().to_string_lossy().starts_with("run-");
    let text = std::fs::read_to_string(names.find(is_run)?.path()).ok()?;
    let (first, _) = text.split_once('\n')?;
    let first: Value = serde_json::from_str(first).unwrap();
    Some(first["header"].clone())
}

/// None until it is written to its end: the robot writes as it can.
fn read_last_motion(path: &Path) -> Option<LastMotion> {
    let text = std::fs::read_to_string(path).ok()?;
    std::thread::sleep(Duration::from_millis(200));
    if std::fs::read_to_string(path).ok()? != text {
        return None;
    }
    let lines: Vec<Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .ok()?;
    let header = lines.first()?;
    let lost_ns = header["time_ns"].as_u64().unwrap();
    let numbers = |values: &Value| -> Vec<f64> {
        let (_gripper, arm) = values.as_array().unwrap().split_last().unwrap();
        arm.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let moment = |line: &Value| Moment {
        time_ns: line["time_ns"].as_u64().unwrap(),
        position: numbers(&line["position"]),
        speed: numbers(&line["velocity"])
            .iter()
            .fold(0.0, |most, speed| speed.abs().max(most)),
    };
    Some(LastMotion {
        cause: header["cause"].as_str().unwrap().to_owned(),
        lost_ns,
        moments: lines[1..].iter().map(moment).collect(),
    })
}

/// Kills a runtime and waits for what its robot writes down: the file that the
/// header of the run's log names.
pub fn kill_now(mut runtime: Child, runs: &Path) -> LastMotion {
    runtime.kill().unwrap();
    runtime.wait().unwrap();
    let header = run_header(runs).unwrap();
    let path = PathBuf::from(header["last_motion"].as_str().unwrap());
    let level = header["robot_confinement"].as_str().unwrap();
    assert!(level.contains("limits on memory"), "{level}");
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        match read_last_motion(&path) {
            Some(log) => return log,
            None if Instant::now() > patience => panic!("{}: nothing written", path.display()),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Starts `vola`, in real time.
pub fn start(arguments: &[&str]) -> Child {
    Command::new(workspace().vola())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Runs `vola` and kills it at this decision; what its robot wrote down.
/// Nothing when a watchdog ended the run before that: on a busy machine it may.
fn kill_a_run(config: &str, runs: &Path, decision: usize) -> Option<LastMotion> {
    let sentence = "put the yellow block in the red bowl";
    let mut runtime = start(&["run", sentence, "--seed", "2", "--json", "--config", config]);
    let lines = BufReader::new(runtime.stdout.take().unwrap()).lines();
    let is_decision = |line: &String| line.contains("\"event\":\"confidence\"");
    let mut told = Vec::new();
    let mut decisions = 0;
    for line in lines.map(Result::unwrap) {
        decisions += usize::from(is_decision(&line));
        told.push(line);
        if decisions == decision {
            break;
        }
    }
    if decisions < decision {
        runtime.wait().unwrap();
        println!("the run ended before it was killed: {told:#?}");
        return None;
    }
    Some(kill_now(runtime, runs))
}

/// What one kill of the runtime led to; times on the robot's clock.
struct Orphan {
    /// Until the fastest joint was slower, and until all stood.
    slower: Duration,
    rest: Duration,
    /// What is logged of the time before.
    before: Duration,
}

/// Kills runs until one had a moving arm; none after ten.
fn kill_in_motion(round: usize) -> Option<Orphan> {
    // On a busy machine the arm may stand when the kill comes, since its drives
    // stand by themselves when the runtime is late: such a try shows nothing.
    (0..10).find_map(|attempt| {
        let folder = tempfile::tempdir().unwrap();
        let config = deployment(folder.path(), "tabletop = 'process'\n");
        // Five decisions a second: later than two seconds after the start, at
        // other places each time.
        let decision = 12 + 2 * (round % 4) + attempt;
        let log = kill_a_run(&config, &folder.path().join("runs"), decision)?;
        let (before, after): (Vec<&Moment>, Vec<&Moment>) = log
            .moments
            .iter()
            .partition(|moment| moment.time_ns <= log.lost_ns);
        let speed = before.last().unwrap().speed;
        if speed < 0.01 {
            return None;
        }
        let slower = after.iter().find(|moment| moment.speed < speed).unwrap();
        let moving = after.iter().rfind(|moment| moment.speed >= 1e-4);
        let rest = moving.unwrap_or(&after[0]);
        assert!(after.last().unwrap().speed < 1e-4, "it stands at the end");
        let since = |moment: &Moment| Duration::from_nanos(moment.time_ns - log.lost_ns);
        Some(Orphan {
            slower: since(slower),
            rest: since(rest),
            before: Duration::from_nanos(log.lost_ns - before[0].time_ns),
        })
    })
}

/// `kill -9` of `vola` while the arm moves: its child lives on, holds at once,
/// comes to rest and writes down what happened, two seconds before it included.
#[test]
fn the_arm_comes_to_rest_each_time_the_runtime_is_killed() {
    let rounds = std::env::var("VOLA_ISOLATION_ROUNDS").map_or(3, |_| 20);
    let orphans: Vec<Orphan> = (0..rounds).filter_map(kill_in_motion).collect();
    assert_eq!(orphans.len(), rounds, "the arm stood each time");
    let most = |of: fn(&Orphan) -> Duration| orphans.iter().map(of).max().unwrap();
    let (slower, rest) = (most(|it| it.slower), most(|it| it.rest));
    let before = orphans.iter().map(|it| it.before).min().unwrap();
    println!(
        "runtime killed in motion, {rounds} times: slower after {slower:?}, at rest after {rest:?} of the robot's clock at most; at least {before:?} before it logged"
    );
    assert!(slower <= Duration::from_millis(20));
    assert!(rest <= Duration::from_millis(500));
    assert!(before >= Duration::from_secs(2), "{before:?}");
}

/// A runtime that is started after one was killed does not go on with what that
/// one did: nothing moves until somebody says what to do.
#[test]
fn a_runtime_that_follows_a_killed_one_moves_nothing_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let config = deployment(folder.path(), "tabletop = 'process'\n");
    let runs = folder.path().join("runs");
    kill_a_run(&config, &runs, 4);
    // Only the second one's log shall be found.
    std::fs::remove_dir_all(&runs).unwrap();
    let second = start(&["chat", "--seed", "2", "--json", "--config", &config]);
    let patience = Instant::now() + Duration::from_secs(60);
    while run_header(&runs).is_none() {
        assert!(Instant::now() < patience, "the second one does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(1500));
    // Its robot tells what the arm did since then.
    let log = kill_now(second, &runs);
    let watched_ns = log.lost_ns - log.moments[0].time_ns;
    assert!(watched_ns > 1_000_000_000, "{watched_ns} ns");
    let first = &log.moments[0].position;
    for moment in &log.moments {
        let moved = moment.position.iter().zip(first);
        let moved = moved.map(|(q, was)| (q - was).abs()).fold(0.0, f64::max);
        assert!(
            moment.speed < 1e-4 && moved < 1e-4,
            "{moved} rad at {} ns",
            moment.time_ns
        );
    }
}
