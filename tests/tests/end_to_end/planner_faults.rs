//! A model that hangs, floods, dies or lies: nothing moves because of it, and what
//! moves comes to rest without it. The arm's motion is read from the inputs and
//! commands of its control loop.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vola_tests::{run_limited, workspace};

use super::{
    asking_models::loopback::{Answer, Loopback, Part, message_stream},
    watchdogs::deployment,
};

const SENTENCE: &str = "put the yellow block in the red bowl";
const PLAN: &str = r#"{"verdict":"execute","say":"Into the bowl it goes.","question":null,"options":[],"goal":"put the yellow block away","subtasks":[{"goal":"put it away","steps":[{"op":"pick","object":"yellow_block"},{"op":"place","object":"yellow_block","target":"red_bowl","relation":"in"}]}],"confidence":0.9}"#;
/// Longer than any test here waits.
const FOR_EVER: Duration = Duration::from_secs(100);

/// A deployment whose planner is the model alone, for so many seconds.
fn workplace(seconds: u32) -> (tempfile::TempDir, String) {
    // Generous deadlines: what is tested is not how busy this machine is.
    deployment(&format!(
        "[safety]\nstate_deadline_ms = 1000\ncamera_deadline_ms = 5000\nchunk_deadline_ms = 5000\n\
         [control]\nmissed_ticks = 1000\n\
         [planner]\nbackends = ['claude']\nfast_path = false\nbudget = {{ seconds = {seconds} }}"
    ))
}

/// `vola` in real time, with the model at this address; its control loop's inputs
/// are written down.
fn vola(url: &str, config: &str, inputs: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(workspace().vola());
    command
        .env_remove("ANTHROPIC_API_KEY_FILE")
        .env("ANTHROPIC_API_KEY", "sk-test-0")
        .env("ANTHROPIC_BASE_URL", url)
        .current_dir(&workspace().root)
        .args(words)
        .args([
            "--seed",
            "2",
            "--json",
            "--config",
            config,
            "--record-control",
        ])
        .arg(inputs);
    command
}

/// What the control loop did.
fn replay(inputs: &Path) -> Value {
    let done = super::vola(&["replay", inputs.to_str().unwrap(), "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    done.json_lines().remove(0)
}

/// A model that answers this way to whatever it is asked.
fn model(answer: Answer) -> Loopback {
    Loopback::start(move |request, _| match request.method.as_str() {
        "GET" => Answer::json(200, "{}"),
        _ => answer.clone(),
    })
}

#[test]
fn no_model_that_misbehaves_moves_the_arm() {
    let good = message_stream(PLAN, "end_turn");
    let elsewhere = PLAN.replace("red_bowl", "moon");
    let flood = format!("data: {}\n\n", "x".repeat(1 << 20)).into_bytes();
    let stream = |parts| Answer::stream("").parts(parts);
    let ways = [
        ("hangs", stream(vec![Part::Pause(FOR_EVER)])),
        ("floods", stream(vec![Part::Bytes(flood); 200])),
        (
            "drips",
            stream(vec![Part::Drip(
                good.clone().into_bytes(),
                Duration::from_millis(50),
            )]),
        ),
        (
            "dies",
            stream(vec![Part::Bytes(
                good.as_bytes()[..good.len() / 2].to_vec(),
            )]),
        ),
        (
            "lies",
            Answer::stream(message_stream(&elsewhere, "end_turn")),
        ),
        ("is broken", Answer::json(500, "{}")),
    ];
    for (way, answer) in ways {
        let server = model(answer);
        let (folder, config) = workplace(1);
        let inputs = folder.path().join("inputs");
        let mut command = vola(&server.url(), &config, &inputs, &["run", SENTENCE]);
        let run = run_limited(&mut command, "", Duration::from_secs(60));
        assert!(!run.timed_out, "{way}: {}", run.stderr);
        assert!(!server.posts().is_empty(), "{way}: was not asked");
        // No plan: a person is needed, and nothing was begun.
        assert_eq!(run.code, Some(3), "{way}: {}\n{}", run.stdout, run.stderr);
        let events = run.json_lines();
        assert!(
            events.iter().all(|it| it["event"] != "step_started"),
            "{way}"
        );
        // The control loop ticked on, and the arm stood.
        let replay = replay(&inputs);
        assert_eq!(replay["motions"], Value::Array(vec![]), "{way}: {replay}");
        let least = if way == "hangs" { 500 } else { 20 };
        assert!(replay["commands"].as_u64() > Some(least), "{way}: {replay}");
        assert!(replay["stopped"].is_null(), "{way}: {replay}");
    }
}

/// A chat with a program; it ends with the test.
struct Chat {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Chat {
    fn say(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self.lines.next().unwrap().unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == name {
                return event;
            }
        }
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first question is answered well; from the second on the model hangs. The arm,
/// which moved, comes to rest when the change is to be planned, stays there while
/// the model hangs, and a stop is obeyed meanwhile.
#[test]
fn a_model_that_hangs_in_the_middle_of_a_run_leaves_the_arm_at_rest_and_stoppable() {
    let server = Loopback::start(|request, number| match (request.method.as_str(), number) {
        ("GET", _) => Answer::json(200, "{}"),
        (_, 0) => Answer::stream(message_stream(PLAN, "end_turn")),
        _ => Answer::stream("").parts(vec![Part::Pause(FOR_EVER)]),
    });
    let (folder, config) = workplace(60);
    let inputs = folder.path().join("inputs");
    let mut child = vola(&server.url(), &config, &inputs, &["chat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut chat = Chat { child, lines };
    chat.say(SENTENCE);
    // It is on its way.
    for _ in 0..8 {
        chat.event("confidence");
    }
    chat.say("no, the green one");
    let give_up = Instant::now() + Duration::from_secs(60);
    while server.posts().len() < 2 {
        assert!(Instant::now() < give_up, "the change was not planned");
        std::thread::sleep(Duration::from_millis(10));
    }
    // The arm rests by now, and for two seconds nothing is heard of the model.
    std::thread::sleep(Duration::from_secs(2));
    chat.say("stop");
    let finished = chat.event("finished");
    assert_eq!(finished["outcome"], "aborted", "{finished}");
    assert_eq!(finished["reason"], "Stopped by a person.");
    assert!(server.posts().len() == 2);
    chat.say("/quit");
    assert_eq!(chat.child.wait().unwrap().code(), Some(0));
    let replay = replay(&inputs);
    let motions = replay["motions"].as_array().unwrap();
    let seconds = |value: &Value| value.as_f64().unwrap();
    let last = motions.last().expect("it moved before");
    let (from, last) = (seconds(&last["from_s"]), seconds(&last["to_s"]));
    assert!(last - from > 0.3, "{motions:?}");
    let end = seconds(&finished["t"]);
    assert!(
        end - last > 1.5,
        "moved until {last} s of {end}: {motions:?}"
    );
}
