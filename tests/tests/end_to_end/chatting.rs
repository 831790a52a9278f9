//! A conversation with a robot that works: what is typed meanwhile.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use vola_tests::workspace;

/// A scene with one yellow block, one red bowl and others.
const SEED: &str = "2";
const PUT: &str = "put the yellow block in the red bowl";

/// A chat with a program; it ends with the test.
struct Chat {
    child: Child,
    input: Option<ChildStdin>,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    events: Vec<Value>,
}

impl Drop for Chat {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn chat(more: &[&str]) -> Chat {
    let mut child = Command::new(workspace().vola())
        .args(["chat", "--json", "--seed", SEED])
        .args(more)
        .current_dir(&workspace().root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    Chat {
        input: child.stdin.take(),
        lines: BufReader::new(child.stdout.take().unwrap()).lines(),
        child,
        events: Vec::new(),
    }
}

impl Chat {
    fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}")
            .and_then(|()| input.flush())
            .unwrap();
    }

    /// Nothing more will be said.
    fn hang_up(&mut self) {
        self.input = None;
    }

    /// The next event of this name.
    fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self.lines.next().unwrap().unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            self.events.push(event.clone());
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Names of the events so far, without the frequent ones.
    fn names(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| event["event"].as_str())
            .filter(|name| !["scene", "confidence", "state", "safety"].contains(name))
            .collect()
    }
}

#[test]
fn a_run_is_paused_asked_and_gone_on_with() {
    let mut chat = chat(&["--fast"]);
    chat.say(PUT);
    chat.event("confidence");
    chat.say("what are you doing?");
    let answered = chat.event("answered");
    let say = answered["say"].as_str().unwrap();
    assert!(say.starts_with("I am at step 1 of 2: pick up"), "{say}");
    chat.say("pause");
    let paused = chat.event("paused");
    assert_eq!(paused["index"], 0);
    chat.say("تم کیوں رکے؟");
    let why = chat.event("answered");
    let say = why["say"].as_str().unwrap().to_owned();
    assert!(say.contains("You said that I shall wait"), "{say}");
    let before = chat.events.len();
    chat.say("go on");
    chat.event("resumed");
    let silent = &chat.events[before..];
    assert!(silent.iter().all(|event| event["event"] != "step_started"));
    let finished = chat.event("finished");
    assert_eq!(finished["outcome"], "done", "{:?}", chat.names());
    assert_eq!(finished["success"], true, "{finished}");
    // What was done is known afterwards as well.
    chat.say("what have you done?");
    let plan = chat.event("plan");
    assert!(
        plan["plan"]["say"]
            .as_str()
            .unwrap()
            .starts_with("Done so far, 2 of 2")
    );
    assert_eq!(plan["plan"]["backend"], "log");
    chat.event("finished");
    chat.hang_up();
    assert_eq!(chat.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_plan_is_changed_while_it_runs_and_the_world_shows_the_new_one() {
    let mut chat = chat(&["--fast"]);
    chat.say(PUT);
    let plan = chat.event("plan");
    let scene = chat
        .events
        .iter()
        .find(|event| event["event"] == "scene")
        .unwrap()["scene"]
        .clone();
    let objects = scene["objects"].as_array().unwrap();
    let other = objects
        .iter()
        .filter(|object| object["kind"] == "block" && object["color"] != "yellow")
        .map(|object| object["color"].as_str().unwrap())
        .find(|color| {
            let alike = |object: &&Value| object["kind"] == "block" && object["color"] == **color;
            objects.iter().filter(alike).count() == 1
        })
        .expect("another block");
    assert_eq!(plan["plan"]["steps"].as_array().unwrap().len(), 2);
    chat.event("confidence");
    chat.say("no, the purple banana");
    let refused = chat.event("edit_refused");
    assert!(!refused["reason"].as_str().unwrap().is_empty());
    chat.say(&format!("no, the {other} one"));
    let edited = chat.event("edited");
    let last = edited["steps"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["op"], "place", "{edited}");
    assert!(
        last["object"].as_str().unwrap().starts_with(other),
        "{edited}"
    );
    let finished = chat.event("finished");
    assert_eq!(finished["outcome"], "done", "{:?}", chat.names());
    assert_eq!(finished["success"], true, "{finished}");
}

#[test]
fn a_step_is_skipped_and_a_stop_between_two_motions_is_not_lost() {
    let mut chat = chat(&["--fast"]);
    chat.say("go home, then wait 30 seconds, then open the gripper");
    while chat.event("step_started")["step"]["op"] != "wait" {}
    chat.say("skip");
    let skipped = chat.event("skipped");
    assert_eq!(skipped["step"]["op"], "wait");
    chat.event("finished");
    let started = |chat: &Chat| {
        let is_start = |event: &&Value| event["event"] == "step_started";
        chat.events.iter().filter(is_start).count()
    };
    let before = started(&chat);
    chat.say("go home, then wait 40 seconds, then open the gripper, then close the gripper");
    chat.event("step_finished");
    chat.say("ruko");
    let finished = chat.event("finished");
    assert_eq!(finished["outcome"], "aborted", "{:?}", chat.names());
    // One step was over, the next may have begun; it did not run to its end.
    assert!(started(&chat) - before <= 3, "{:?}", chat.names());
    chat.say("why did you stop?");
    let plan = chat.event("plan");
    assert_eq!(plan["plan"]["say"], "Stopped by a person.");
}

#[test]
fn a_stop_is_heard_at_whatever_moment_it_comes() {
    let mut chat = chat(&["--fast"]);
    let command = "go home, then wait 50 seconds, then put the yellow block in the red bowl";
    for moment in ["scene", "plan", "state", "step_started", "step_finished"] {
        chat.events.clear();
        chat.say(command);
        chat.event(moment);
        chat.say("stop");
        let finished = chat.event("finished");
        let names = chat.names();
        assert_eq!(finished["outcome"], "aborted", "{moment}: {names:?}");
        // The wait was not waited for, and nothing came after it.
        assert!(
            finished["seconds"].as_f64().unwrap() < 50.0,
            "{moment}: {finished}"
        );
    }
    // In the middle of what the policy does.
    chat.events.clear();
    chat.say("put the yellow block in the red bowl");
    chat.event("confidence");
    chat.say("ruko");
    assert_eq!(chat.event("finished")["outcome"], "aborted");
}

#[test]
fn commands_of_a_file_still_wait_for_their_turn() {
    let script = "go home\nopen the gripper\nwhat do you see?\nclose the gripper\n";
    let run = workspace().run_vola(
        &["chat", "--fast", "--json", "--seed", SEED],
        script,
        super::LIMIT,
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let outcomes: Vec<String> = run
        .json_lines()
        .iter()
        .filter(|event| event["event"] == "finished")
        .map(|event| event["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["done", "done", "chat", "done"]);
    // A pause that nobody ends leaves the arm at rest and needs a person.
    let run = workspace().run_vola(
        &["chat", "--fast", "--json", "--seed", SEED],
        "go home\npause\nopen the gripper\n",
        super::LIMIT,
    );
    let events = run.json_lines();
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((named("paused"), named("finished")), (1, 2));
}
