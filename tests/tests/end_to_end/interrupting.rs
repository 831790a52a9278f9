//! Ctrl-C in the middle of a motion: the arm comes to rest within its limits, and the
//! process ends with the code of what is not done.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vola_tests::{Lines, workspace};

use super::{LIMIT, watchdogs::deployment};

const SENTENCE: &str = "put the yellow block in the red bowl";
/// A scene with one yellow block and one red bowl.
const SEED: &str = "2";
/// The process promises two seconds; a busy machine adds its own.
const PATIENCE: Duration = Duration::from_secs(4);

/// A program that ends with the test, also where that fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_run_and_a_chat_bring_the_arm_to_rest_and_end() {
    // Generous deadlines: what is tested is not how busy this machine is.
    let (_folder, config) =
        deployment("[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000\n");
    for words in [&["run", SENTENCE][..], &["chat"]] {
        let child = Command::new(workspace().vola())
            .args(words)
            .args(["--seed", SEED, "--json", "--config", &config])
            .current_dir(&workspace().root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut running = Running(child);
        let mut keyboard = running.0.stdin.take().unwrap();
        if words == ["chat"] {
            use std::io::Write as _;
            writeln!(keyboard, "{SENTENCE}").unwrap();
        }
        let mut lines = Lines::of(running.0.stdout.take().unwrap());
        let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        lines.until("a decision of the policy", LIMIT, |line| {
            (parse(line)["event"] == "confidence").then_some(())
        });
        let asked = Instant::now();
        let kill = Command::new("kill")
            .args(["-INT", &running.0.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let rest = lines.rest(LIMIT);
        let rest: Vec<Value> = rest.iter().map(|line| parse(line)).collect();
        let code = running.0.wait().unwrap().code();
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
