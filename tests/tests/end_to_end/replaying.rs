//! What a control loop took in is recorded, and gives its commands again.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use vola_tests::workspace;

use super::{vola, watchdogs::deployment};

/// The event with number and hash of the commands.
fn commands(events: &[Value]) -> (u64, String) {
    let event = events.iter().find(|event| event["event"] == "commands");
    let event = event.unwrap_or_else(|| panic!("{events:#?}"));
    let hash = event["blake3"].as_str().unwrap().to_owned();
    (event["frames"].as_u64().unwrap(), hash)
}

/// Keeps a processor busy as long as it lives.
struct Busy(std::process::Child);

impl Busy {
    fn new() -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]);
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // It ends by this only.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Three replays of a recording under load: one hash, and the recording's own.
fn three_replays(file: &Path, more: &[&str]) -> Value {
    let _busy = [Busy::new(), Busy::new()];
    let replays: Vec<Value> = (0..3)
        .map(|_| {
            let words = ["replay", file.to_str().unwrap(), "--json"];
            let done = vola(&[&words[..], more].concat());
            assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
            done.json_lines().remove(0)
        })
        .collect();
    assert_eq!(replays[0], replays[1]);
    assert_eq!(replays[0], replays[2]);
    replays.into_iter().next().unwrap()
}

#[test]
fn a_run_in_virtual_time_is_replayed_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.control");
    let path = file.to_str().unwrap();
    let run = vola(&[
        "run",
        "push any block to the left",
        "--fast",
        "--seed",
        "3",
        "--json",
        "--record-control",
        path,
    ]);
    let (frames, hash) = commands(&run.json_lines());
    let whole = three_replays(&file, &[]);
    assert_eq!(whole["same"], true, "{whole}");
    assert_eq!(whole["embodiment"], "tabletop/franka");
    let until = three_replays(&file, &["--commands", &frames.to_string()]);
    assert_eq!(until["blake3"], hash, "{until}");

    // A file that is there is not written over.
    let again = vola(&["run", "go home", "--fast", "--record-control", path]);
    assert_ne!(again.code, Some(0));

    // A damaged recording is another run, unless what was damaged moved nothing;
    // cut off, it is as much of the run as is there.
    let whole = std::fs::read(&file).unwrap();
    let damaged = (1..8).filter(|eighth| {
        let mut changed = whole.clone();
        for byte in changed.iter_mut().skip(whole.len() * eighth / 8).take(64) {
            *byte ^= 0x55;
        }
        std::fs::write(&file, &changed).unwrap();
        let replay = vola(&["replay", path, "--json"]);
        assert!(matches!(replay.code, Some(0..=2)), "{}", replay.stderr);
        replay.code != Some(0)
    });
    assert!(damaged.count() >= 4);
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let replay = vola(&["replay", path, "--json"]);
    assert_eq!(replay.code, Some(0), "{}", replay.stderr);
    assert!(replay.json_lines()[0]["same"].is_null());
    std::fs::write(&file, "{}\n").unwrap();
    let replay = vola(&["replay", path]);
    assert_eq!(replay.code, Some(2));
    assert!(replay.stderr.contains("first line"), "{}", replay.stderr);
}

/// The settings that a run was made with stand in its recording; others are told,
/// and whether they would have changed a command.
#[test]
fn a_changed_deployment_is_noticed() {
    let (folder, config) = deployment("[safety]\nlimit_scale = 0.9");
    let file = folder.path().join("run.control");
    let path = file.to_str().unwrap();
    let run = vola(&[
        "run",
        "push any block to the left",
        "--fast",
        "--seed",
        "3",
        "--config",
        &config,
        "--record-control",
        path,
    ]);
    assert!(run.code.is_some(), "{}", run.stderr);
    let replay = |more: &str| {
        let (_folder, config) = deployment(more);
        let done = vola(&["replay", path, "--json", "--config", &config]);
        (done.code, done.json_lines().remove(0))
    };
    let (code, same) = replay("[safety]\nlimit_scale = 0.9");
    assert_eq!(
        (code, &same["same"]),
        (Some(0), &Value::Bool(true)),
        "{same}"
    );
    assert_eq!(same["changed"], Value::Array(vec![]));
    assert!(!same["motions"].as_array().unwrap().is_empty());
    // One that moves nothing in this run, and one that does.
    let (code, told) = replay("[safety]\nlimit_scale = 0.9\nstate_deadline_ms = 50");
    assert_eq!(
        (code, &told["same"]),
        (Some(0), &Value::Bool(true)),
        "{told}"
    );
    let words = "safety.state_deadline_ms: recorded with not set, now 50";
    assert_eq!(told["changed"][0], words);
    let (code, slower) = replay("[safety]\nlimit_scale = 0.3");
    assert_eq!(
        (code, &slower["same"]),
        (Some(1), &Value::Bool(false)),
        "{slower}"
    );
    let words = "safety.limit_scale: recorded with 0.9, now 0.3";
    assert_eq!(slower["changed"][0], words);
    assert_ne!(slower["blake3"], same["blake3"]);
}

#[test]
fn a_run_in_real_time_is_replayed_bit_by_bit() {
    // Generous deadlines: what is tested is not how busy this machine is.
    let (folder, config) =
        deployment("[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000");
    let file = folder.path().join("run.control");
    let run = workspace().run_vola(
        &[
            "chat",
            "--seed",
            "2",
            "--json",
            "--config",
            &config,
            "--record-control",
            file.to_str().unwrap(),
        ],
        "open the gripper\ngo home\n/reset 3\ngo home\n",
        super::LIMIT,
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let replay = three_replays(&file, &[]);
    assert_eq!(replay["same"], true, "{replay}");
    assert!(replay["commands"].as_u64() > Some(200), "{replay}");
    assert!(replay["seconds"].as_f64() > Some(0.5), "{replay}");
}

#[test]
fn a_run_in_real_time_tells_the_hash_that_its_replay_gives() {
    let (folder, config) =
        deployment("[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000");
    let file = folder.path().join("run.control");
    let path = file.to_str().unwrap();
    let run = vola(&[
        "run",
        "go home",
        "--json",
        "--config",
        &config,
        "--record-control",
        path,
    ]);
    let (frames, hash) = commands(&run.json_lines());
    let until = vola(&["replay", path, "--json", "--commands", &frames.to_string()]);
    assert_eq!(until.json_lines()[0]["blake3"], hash, "{}", until.stderr);
}
