//! Hold-to-run: `--dead-man` of `vola chat` and `vola run`, where each line is a
//! press of the key.

use std::{
    io::Write,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use vola_tests::{Lines, workspace};

use super::watchdogs::deployment;

/// How long something is waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// A person who presses the key, or lets it go, and types.
struct Person {
    child: Child,
    lines: Lines,
    keyboard: Arc<std::sync::Mutex<ChildStdin>>,
    holds: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    hand: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Person {
    fn sit_down(words: &[&str]) -> Self {
        // Generous deadlines: what is tested is not how busy this machine is.
        let (folder, config) = deployment(
            "[safety]\nstate_deadline_ms = 1000\ncamera_deadline_ms = 1000\nchunk_deadline_ms = 1000\n[control]\nmissed_ticks = 1000",
        );
        let mut child = Command::new(workspace().vola())
            .args(words)
            .args(["--seed", "2", "--json", "--dead-man", "2500"])
            .args(["--config", &config])
            .current_dir(&workspace().root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        let keyboard = Arc::new(std::sync::Mutex::new(child.stdin.take().unwrap()));
        let (holds, is_over) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let hand = {
            let (keyboard, holds, is_over) = (
                Arc::clone(&keyboard),
                Arc::clone(&holds),
                Arc::clone(&is_over),
            );
            let body = move || {
                while !is_over.load(Ordering::Relaxed) {
                    if holds.load(Ordering::Relaxed) {
                        // The program may have ended.
                        let _ = keyboard.lock().unwrap().write_all(b"\n");
                    }
                    std::thread::sleep(Duration::from_millis(30));
                }
            };
            std::thread::Builder::new().spawn(body).unwrap()
        };
        Self {
            child,
            lines,
            keyboard,
            holds,
            is_over,
            hand: Some(hand),
            _folder: folder,
        }
    }

    fn hold(&self, holds: bool) {
        self.holds.store(holds, Ordering::Relaxed);
    }

    fn say(&self, text: &str) {
        let line = format!("{text}\n");
        let mut keyboard = self.keyboard.lock().unwrap();
        keyboard.write_all(line.as_bytes()).unwrap();
    }

    /// The next line for which this holds.
    fn hear(&mut self, what: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
        self.lines.until(what, LIMIT, |line| {
            let told: Value = serde_json::from_str(line).unwrap();
            is_meant(&told).then_some(told)
        })
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(hand) = self.hand.take() {
            let _ = hand.join();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_arm_moves_while_the_key_is_held_and_stops_when_it_is_let_go() {
    let mut person = Person::sit_down(&["chat"]);
    person.hold(true);
    person.say("put the yellow block in the red bowl");
    person.hear("a confidence", |told| told["event"] == "confidence");
    person.hold(false);
    let let_go = Instant::now();
    person.hear("the stop", |told| told["limit"] == "operator_heartbeat");
    assert!(let_go.elapsed() > Duration::from_millis(1500));
    let finished = person.hear("the end", |told| told["event"] == "finished");
    assert_eq!(finished["outcome"], "safety_stop", "{finished}");

    // The stop is latched, held key or not; a person leaves it.
    person.hold(true);
    person.say("go home");
    let finished = person.hear("the end", |told| told["event"] == "finished");
    assert_eq!(finished["outcome"], "safety_stop", "{finished}");
    person.say("/resume");
    person.hear("a notice", |told| told["notice"].is_string());
    // Nobody has to hold it while the arm rests.
    person.hold(false);
    std::thread::sleep(Duration::from_millis(2800));
    person.hold(true);
    person.say("go home");
    let finished = person.hear("the end", |told| told["event"] == "finished");
    assert_eq!(finished["outcome"], "done", "{finished}");
    person.say("/quit");
    assert_eq!(person.child.wait().unwrap().code(), Some(0));
}

/// In `vola run` whoever lets go ends the run, with the arm at rest.
#[test]
fn a_run_moves_while_the_key_is_held_and_is_over_when_it_is_let_go() {
    let sentence = "put the yellow block in the red bowl";
    let mut person = Person::sit_down(&["run", sentence]);
    person.hold(true);
    person.hear("a confidence", |told| told["event"] == "confidence");
    person.hold(false);
    person.hear("the stop", |told| told["limit"] == "operator_heartbeat");
    let finished = person.hear("the end", |told| told["event"] == "finished");
    assert_eq!(finished["outcome"], "safety_stop", "{finished}");
    assert_eq!(person.child.wait().unwrap().code(), Some(4));
}

#[test]
fn a_held_key_and_virtual_time_do_not_go_together() {
    for words in [&["chat"][..], &["run", "go home"]] {
        let refused = super::vola(&[words, &["--fast", "--dead-man"]].concat());
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    }
}
