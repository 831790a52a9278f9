//! Ctrl-C in the middle of a motion: the arm comes to rest within its limits, and the
//! process ends with the code of what is not done.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vola_tests::workspace;

use super::watchdogs::deployment;

const SENTENCE: &str = "put the yellow block in the red bowl";
/// A scene with one yellow block and one red bowl.
const SEED: &str = "2";
/// The process promises two seconds; a busy machine adds its own.
const PATIENCE: Duration = Duration::from_secs(4);

#[test]
fn a_run_and_a_chat_bring_the_arm_to_rest_and_end() {
    // Generous deadlines: what is tested is not how busy this machine is.
    let (_folder, config) =
        deployment("[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000\n");
    for words in [&["run", SENTENCE][..], &["chat"]] {
        let mut child = Command::new(workspace().vola())
            .args(words)
            .args(["--seed", SEED, "--json", "--config", &config])
            .current_dir(&workspace().root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        if words == ["chat"] {
            use std::io::Write as _;
            writeln!(keyboard, "{SENTENCE}").unwrap();
        }
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut events = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let moving = events.by_ref().find(|event| event["event"] == "confidence");
        assert!(moving.is_some(), "{words:?}: it never moved");
        let asked = Instant::now();
        let kill = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let rest: Vec<Value> = events.collect();
        let code = child.wait().unwrap().code();
        assert!(asked.elapsed() < PATIENCE, "{words:?}");
        assert_eq!(code, Some(1), "{words:?}: {rest:?}");
        let finished = rest.iter().rfind(|event| event["event"] == "finished");
        let finished = finished.unwrap_or_else(|| panic!("{words:?}: no end in {rest:?}"));
        assert_eq!(finished["success"], false, "{words:?}: {finished}");
        // Its own brake is within the limits: no limit had to step in.
        let limits: Vec<&Value> = rest
            .iter()
            .filter(|event| event["event"] == "safety")
            .collect();
        assert!(
            limits.iter().all(|event| event["limit"] == "stop_switch"),
            "{limits:?}"
        );
    }
}
