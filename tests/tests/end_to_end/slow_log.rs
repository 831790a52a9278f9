//! A log that nobody reads: the control loop and the program go on.

use std::{
    io::Read,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vola_tests::workspace;

/// Far above what two measurements of a second take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_plugin_that_logs_on_the_control_thread_never_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("d.toml");
    let text = "[robot]\nplugin = 'wrong/logs_in_command'\n[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000\n[plugins.isolation]\nwrong = 'none'";
    std::fs::write(&config, text).unwrap();
    let workspace = workspace();
    // One line a tick, some hundred kilobytes in all: far more than a pipe holds.
    let mut child = Command::new(workspace.vola())
        .args(["bench", "control", "--seconds", "1", "--json", "--config"])
        .arg(&config)
        .arg("--plugins")
        .arg(workspace.library("wrong"))
        .current_dir(&workspace.root)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("it waits for a reader of its log");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let robot = &report["actuators"][0]["report"];
    // A blocked thread had ended with the first pipe full of lines.
    assert!(robot["ticks"].as_u64() > Some(400), "{report}");
    assert!(
        robot["command"]["p99_us"].as_f64() < Some(10_000.0),
        "{report}"
    );
}
