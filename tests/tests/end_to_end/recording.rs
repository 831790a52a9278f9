//! A run is recorded, and others read the recording.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use vola_tests::{run_limited, workspace};

use super::{LIMIT, vola};

const SENTENCE: &str = "put the yellow block in the red bowl";

/// Records the sentence in virtual time.
fn record(folder: &Path) -> Vec<Value> {
    let folder = folder.to_str().unwrap();
    let run = vola(&[
        "run", SENTENCE, "--fast", "--seed", "2", "--record", folder, "--json",
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.json_lines()
}

fn dataset(command: &str, folder: &Path, more: &[&str]) -> (Option<i32>, Vec<Value>) {
    let mut arguments = vec!["dataset", command, folder.to_str().unwrap(), "--json"];
    arguments.extend(more);
    let done = vola(&arguments);
    (done.code, done.json_lines())
}

/// A Python in which a package can be imported: named by the environment, or the
/// system's.
fn python_with(package: &str) -> Option<PathBuf> {
    let named = std::env::var_os("VOLA_TESTS_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    let mut command = Command::new(&python);
    command.args(["-c", &format!("import {package}")]);
    let has_it = command.output().is_ok_and(|output| output.status.success());
    if !has_it {
        eprintln!(
            "SKIPPED: {} has no `{package}`; set VOLA_TESTS_PYTHON",
            python.display()
        );
    }
    has_it.then_some(python)
}

/// What a script of `tests/peers` tells of a file.
fn ask(python: &Path, script: &str, path: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(script);
    let mut command = Command::new(python);
    command.arg(script).arg(path).env("HF_HUB_OFFLINE", "1");
    let told = run_limited(&mut command, "", LIMIT);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    told.json_lines().pop().unwrap()
}

#[test]
fn a_run_is_an_episode_that_checks_out() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = record(folder.path());
    // The command stream does not know whether it is recorded.
    let plain = vola(&["run", SENTENCE, "--fast", "--seed", "2", "--json"]).json_lines();
    let commands = |events: &[Value]| {
        let found = events.iter().find(|event| event["event"] == "commands");
        found.unwrap()["blake3"].clone()
    };
    assert_eq!(commands(&recorded), commands(&plain));
    let (code, findings) = dataset("check", folder.path(), &[]);
    assert_eq!(code, Some(0), "{findings:#?}");
    let sheet = folder.path().join("sheet.png");
    let (_, shown) = dataset(
        "show",
        folder.path(),
        &["--picture", sheet.to_str().unwrap()],
    );
    let episode = &shown[0];
    assert_eq!(episode["facts"]["task"], SENTENCE);
    assert_eq!(episode["facts"]["success"], true);
    let tasks = episode["tasks"].as_array().unwrap();
    assert!(
        tasks.iter().any(|task| task == "pick up the yellow block"),
        "{tasks:?}"
    );
    assert!(
        episode["facts"]["who"]["policy"].as_u64().unwrap() > 10,
        "{episode:#}"
    );
    let header = &episode["facts"]["header"];
    assert!(header["bundle"]["blake3"].is_string() && header["plugins"][0]["blake3"].is_string());
    assert!(sheet.metadata().unwrap().len() > 5000);
    // Recording again adds; a copy of the second is whole.
    record(folder.path());
    let to = folder.path().join("copy");
    let (code, told) = dataset(
        "export",
        folder.path(),
        &["--out", to.to_str().unwrap(), "--episodes", "1"],
    );
    assert_eq!(
        (code, &told[0]["exported"]["episodes"]),
        (Some(0), &Value::from(1))
    );
    assert_eq!(dataset("check", &to, &[]).0, Some(0));
}

#[test]
fn lerobot_s_own_loader_opens_it() {
    let Some(python) = python_with("lerobot") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let told = ask(&python, "lerobot_open.py", folder.path());
    let (_, shown) = dataset("show", folder.path(), &[]);
    assert_eq!(told["frames"], shown[0]["frames"]);
    assert_eq!(
        (&told["episodes"], &told["fps"]),
        (&Value::from(1), &Value::from(10))
    );
    let camera = &told["cameras"]["observation.images.front"];
    assert_eq!(camera["shape"], serde_json::json!([3, 96, 128]));
    assert_eq!(told["last_done"], true);
    let tasks = told["tasks"].as_array().unwrap();
    assert!(
        tasks.iter().any(|task| task == "pick up the yellow block"),
        "{tasks:?}"
    );
}

#[test]
fn the_public_mcap_reader_decodes_the_stream() {
    let Some(python) = python_with("mcap_protobuf") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let told = ask(
        &python,
        "mcap_open.py",
        &folder.path().join("mcap/episode-000000.mcap"),
    );
    let counts = &told["counts"];
    for topic in [
        "/joint_states",
        "/joint_commands",
        "/tf",
        "/tool",
        "/tool_command",
        "/log",
        "/vola/frame",
        "/vola/event",
        "/vola/plan",
        "/vola/primitive",
        "/vola/gate",
        "/vola/control",
        "/vola/episode",
        "/camera/front",
    ] {
        assert!(
            counts[topic].as_u64().unwrap_or(0) > 0,
            "no {topic} in {counts:#}"
        );
    }
    assert_eq!(told["fields"]["/camera/front"]["png"], true);
    let joints = told["fields"]["/joint_states"].as_str().unwrap();
    assert!(joints.contains("panda_joint1"), "{joints}");
}

#[test]
fn training_reads_what_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = data.to_str().unwrap();
    let eval = vola(&[
        "eval",
        "--task",
        "pick",
        "--episodes",
        "2",
        "--seed",
        "50",
        "--record",
        path,
        "--json",
    ]);
    assert_eq!(eval.code, Some(0), "{}", eval.stderr);
    let config = folder.path().join("train.toml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let shipped = std::fs::read_to_string(root.join("configs/train/tabletop.toml")).unwrap();
    let mut table: toml::Table = shipped.parse().unwrap();
    table.insert("data".to_owned(), toml::Value::from(vec![path.to_owned()]));
    table.remove("record");
    table.insert(
        "work".to_owned(),
        toml::Value::from(folder.path().join("work").display().to_string()),
    );
    table.insert(
        "out".to_owned(),
        toml::Value::from(folder.path().join("out").display().to_string()),
    );
    std::fs::write(&config, table.to_string()).unwrap();
    let trained = vola(&[
        "train",
        config.to_str().unwrap(),
        "--minutes",
        "0.02",
        "--json",
    ]);
    assert_eq!(
        trained.code,
        Some(0),
        "{}\n{}",
        trained.stdout,
        trained.stderr
    );
    assert!(
        trained.stdout.contains("LeRobotDataset v3.0, 2 episodes"),
        "{}",
        trained.stdout
    );
}

#[test]
fn another_robot_s_recordings_are_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let other = workspace().run_vola(
        &[
            "run",
            SENTENCE,
            "--fast",
            "--config",
            "configs/tabletop_ur5e.toml",
            "--record",
            folder.path().to_str().unwrap(),
        ],
        "",
        LIMIT,
    );
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("another folder"), "{}", other.stderr);
}
