//! A robot in a process of its own: the same states and pictures, and a stop
//! when the runtime is killed.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
struct Moment {
    time_ns: u64,
    speed: f64,
}

fn read_log(folder: &Path) -> Option<(u64, Vec<Moment>)> {
    // Beside it lies the log of the run itself, which was killed.
    let names = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let is_motion = |path: &PathBuf| path.to_string_lossy().contains("last-motion");
    let path = names.map(|entry| entry.path()).find(is_motion)?;
    let text = std::fs::read_to_string(path).ok()?;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let lost_ns = lines.first()?["time_ns"].as_u64().unwrap();
    let moment = |line: &Value| Moment {
        time_ns: line["time_ns"].as_u64().unwrap(),
        // The arm's joints; the last value is the gripper.
        speed: line["velocity"].as_array().unwrap()[..7]
            .iter()
            .map(|speed| speed.as_f64().unwrap().abs())
            .fold(0.0, f64::max),
    };
    Some((lost_ns, lines[1..].iter().map(moment).collect()))
}

/// Runs `vola`, kills it at its fourth decision; what its robot wrote down.
/// Nothing when a watchdog ended the run before that: on a busy machine it may.
fn kill_a_run() -> Option<(u64, Vec<Moment>)> {
    let folder = tempfile::tempdir().unwrap();
    let config = deployment(folder.path(), "tabletop = 'process'\n");
    let sentence = "put the yellow block in the red bowl";
    let mut runtime = Command::new(workspace().vola())
        .args([
            "run", sentence, "--seed", "2", "--json", "--config", &config,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(runtime.stdout.take().unwrap()).lines();
    let is_decision = |line: &String| line.contains("\"event\":\"confidence\"");
    let mut told = Vec::new();
    let mut decisions = 0;
    for line in lines.map(Result::unwrap) {
        decisions += usize::from(is_decision(&line));
        told.push(line);
        if decisions == 4 {
            break;
        }
    }
    if decisions < 4 {
        runtime.wait().unwrap();
        println!("the run ended before the arm moved: {told:#?}");
        return None;
    }
    runtime.kill().unwrap();
    runtime.wait().unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        match read_log(&folder.path().join("runs")) {
            Some(log) => return Some(log),
            None if Instant::now() > patience => panic!("no log was written"),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// `kill -9` of `vola` while the arm moves: its child lives on, holds at once,
/// comes to rest and writes down what happened.
#[test]
fn the_arm_comes_to_rest_when_the_runtime_is_killed() {
    // On a busy machine the arm may stand when the kill comes, since its drives
    // stand by themselves when the runtime is late: such a try shows nothing.
    for _ in 0..10 {
        let Some((lost_ns, moments)) = kill_a_run() else {
            continue;
        };
        let (before, after): (Vec<&Moment>, Vec<&Moment>) =
            moments.iter().partition(|it| it.time_ns <= lost_ns);
        let speed = before.last().unwrap().speed;
        if speed < 0.01 {
            continue;
        }
        let slower = after.iter().find(|it| it.speed < speed).unwrap();
        let moving = after.iter().rfind(|it| it.speed >= 1e-4);
        let rest = moving.unwrap_or(&after[0]);
        let since = |moment: &Moment| Duration::from_nanos(moment.time_ns - lost_ns);
        println!(
            "runtime killed at {speed:.2} rad/s: slower after {:?}, at rest after {:?} of the robot's clock; {} moments logged",
            since(slower),
            since(rest),
            moments.len()
        );
        assert!(since(slower) <= Duration::from_millis(20));
        assert!(since(rest) <= Duration::from_millis(500));
        assert!(after.last().unwrap().speed < 1e-4);
        return;
    }
    panic!("the arm stood each time the runtime was killed");
}
