//! A sentence in, a robot moves.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use vola_tests::workspace;

use super::vola;

const SENTENCE: &str = "put the yellow block in the red bowl";
/// A scene with one yellow block and one red bowl.
const SEED: &str = "2";

fn events(seed: &str, sentence: &str) -> (Option<i32>, Vec<Value>) {
    let run = vola(&["run", sentence, "--fast", "--seed", seed, "--json"]);
    assert!(!run.timed_out, "{}", run.stderr);
    (run.code, run.json_lines())
}

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["event"] == name)
        .collect()
}

#[test]
fn a_sentence_runs_from_scene_to_finished() {
    let (code, events) = events(SEED, SENTENCE);
    assert_eq!(code, Some(0), "{events:#?}");
    let order: Vec<&str> = events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    for name in [
        "scene",
        "plan",
        "step_started",
        "confidence",
        "step_finished",
        "finished",
    ] {
        assert!(order.contains(&name), "no `{name}` in {order:?}");
    }
    assert_eq!(order.last(), Some(&"finished"));
    let times: Vec<f64> = events
        .iter()
        .filter_map(|event| event["t"].as_f64())
        .collect();
    assert_eq!(times.len(), events.len(), "every event has its time");
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{times:?}");
    let finished = named(&events, "finished")[0];
    assert_eq!(finished["success"], true, "{finished}");
    assert_eq!(finished["outcome"], "done");
    let step = named(&events, "step_started")[0];
    assert_eq!(step["step"]["op"], "pick");
}

/// The commands with which the README begins, said as a stranger would: no seed.
#[test]
fn what_the_readme_says_first_is_done_in_the_usual_scene() {
    let readme = std::fs::read_to_string(workspace().root.join("README.md")).unwrap();
    let said = readme
        .lines()
        .filter_map(|line| line.strip_prefix("you ▸ "));
    for sentence in said.take(2) {
        let run = vola(&["run", sentence, "--fast", "--json"]);
        let finished = run.json_lines().pop().unwrap();
        assert_eq!(run.code, Some(0), "{sentence}: {finished}");
        assert_eq!(finished["success"], true, "{sentence}: {finished}");
    }
}

#[test]
fn virtual_time_repeats_byte_for_byte() {
    let (_, first) = events("3", "push any block to the left");
    let (_, again) = events("3", "push any block to the left");
    let strip = |events: &[Value]| {
        let mut events = events.to_vec();
        for event in &mut events {
            // How long the planner needed is the machine's, not the run's.
            if let Some(plan) = event.get_mut("plan").and_then(Value::as_object_mut) {
                plan.remove("millis");
                plan.remove("id");
            }
        }
        serde_json::to_string(&events).unwrap()
    };
    assert_eq!(strip(&first), strip(&again));
}

/// Sets a flag when it goes, even by a panic: the busy threads must end.
struct EndOf<'a>(&'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn three_replays_send_the_same_commands_while_the_machine_is_busy() {
    let sentence = "push any block to the left";
    let hash = |seed: &str| {
        let (_, events) = events(seed, sentence);
        let commands = named(&events, "commands");
        assert_eq!(commands.len(), 1, "{events:#?}");
        assert!(
            commands[0]["frames"].as_u64() > Some(1000),
            "{}",
            commands[0]
        );
        commands[0]["blake3"].as_str().unwrap().to_owned()
    };
    let first = hash("3");
    let is_over = AtomicBool::new(false);
    let busy = || {
        while !is_over.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    };
    std::thread::scope(|scope| {
        for name in ["busy-1", "busy-2"] {
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn_scoped(scope, busy).unwrap();
        }
        let _end = EndOf(&is_over);
        let again = [hash("3"), hash("3"), hash("4")];
        assert_eq!(again[..2], [first.clone(), first.clone()]);
        assert_ne!(again[2], first);
    });
}

#[test]
fn a_picture_and_a_film_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let gif = folder.path().join("run.gif");
    let png = folder.path().join("run.png");
    let run = vola(&[
        "run",
        SENTENCE,
        "--fast",
        "--seed",
        SEED,
        "--gif",
        gif.to_str().unwrap(),
        "--picture",
        png.to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let film = std::fs::read(&gif).unwrap();
    assert!(
        film.starts_with(b"GIF89a") && film.len() > 20_000,
        "{} bytes",
        film.len()
    );
    let picture = std::fs::read(&png).unwrap();
    assert!(picture.starts_with(&[0x89, b'P', b'N', b'G']), "no PNG");
    let width = u32::from_be_bytes(picture[16..20].try_into().unwrap());
    assert_eq!(width, 640);
}

/// The text of the one run log in a folder of recordings.
pub(super) fn run_log(folder: &std::path::Path) -> String {
    let is_log = |path: &std::path::PathBuf| path.extension().is_some_and(|is| is == "jsonl");
    let logs: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(is_log)
        .collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    std::fs::read_to_string(&logs[0]).unwrap()
}

#[test]
fn a_run_log_begins_with_hashes_and_holds_every_event() {
    let (folder, config) = super::watchdogs::deployment("[record]\nfolder = 'log'");
    let run = vola(&[
        "run", SENTENCE, "--fast", "--seed", "2", "--json", "--config", &config,
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let text = run_log(&folder.path().join("log"));
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let header = &lines[0]["header"];
    assert!(header["bundle"]["blake3"].is_string(), "{header:#}");
    for plugin in header["plugins"].as_array().unwrap() {
        assert!(plugin["blake3"].is_string(), "{plugin:#}");
        assert_eq!(plugin["trust"], "unlocked", "{plugin:#}");
    }
    assert_eq!(lines[1]["sentence"], SENTENCE);
    // What is printed besides is made from the run, not an event of it.
    let printed = run.json_lines();
    let events: Vec<_> = printed
        .iter()
        .filter(|event| event["event"] != "commands")
        .collect();
    let logged: Vec<_> = lines.iter().skip(2).collect();
    assert_eq!(logged, events);
}

#[test]
fn every_way_of_executing_chunks_does_the_task() {
    let hash = |execution: &str| {
        let (_folder, config) = super::watchdogs::deployment(execution);
        let run = vola(&[
            "run", SENTENCE, "--fast", "--seed", SEED, "--json", "--config", &config,
        ]);
        assert_eq!(run.code, Some(0), "{execution}: {}", run.stderr);
        let events = run.json_lines();
        let finished = named(&events, "finished")[0];
        assert_eq!(finished["outcome"], "done", "{execution}: {finished}");
        named(&events, "commands")[0]["blake3"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let hashes = std::collections::BTreeSet::from([
        hash("[execution]\nmode = 'sync'"),
        hash("[execution]\nmode = 'receding'\nexecute_rows = 2"),
        hash("[execution]\nmode = 'ensemble'"),
        hash("[execution]\nmode = 'ensemble'\nensemble_decay = 1.0"),
    ]);
    assert_eq!(hashes.len(), 4, "two ways send the same commands");
}

#[test]
fn an_episode_is_the_same_whatever_ran_before_it() {
    let measure = |workers: &str| {
        let run = vola(&[
            "eval",
            "--task",
            "push",
            "--episodes",
            "4",
            "--workers",
            workers,
            "--json",
        ]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.json_lines()[0].clone()
    };
    let (alone, shared) = (measure("1"), measure("4"));
    for key in ["success", "ends", "seconds"] {
        assert_eq!(alone[key], shared[key], "{key}");
    }
    let jerk = |figures: &Value| figures["jerk"].as_f64().unwrap();
    // A sum over the session is told apart from its beginning: rounding differs.
    let apart = (jerk(&alone) - jerk(&shared)).abs() / jerk(&alone);
    assert!(apart < 1e-9, "{alone} {shared}");
}
