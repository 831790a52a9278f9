//! `vola serve`: the robot over the network of this machine.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vola_tests::{Lines, workspace};

use super::{LIMIT, watchdogs::deployment};

/// A served robot; it ends with the test.
pub(super) struct Served {
    child: Child,
    lines: Lines,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn serve(more: &[&str]) -> Served {
    serve_with("", more)
}

/// A robot whose deployment has more to say.
pub(super) fn serve_with(settings: &str, more: &[&str]) -> Served {
    // Generous deadlines: what is tested is not how busy this machine is.
    let (folder, config) = deployment(&format!(
        "[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000\n{settings}"
    ));
    let mut child = Command::new(workspace().vola())
        .args(["serve", "--listen", "127.0.0.1:0", "--seed", "2", "--json"])
        .args(["--config", &config])
        .args(more)
        .current_dir(&workspace().root)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = Lines::of(child.stdout.take().unwrap());
    let mut served = Served {
        child,
        lines,
        // Until it says where.
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        _folder: folder,
    };
    let first = served.line();
    served.address = first["listening"].as_str().unwrap().parse().unwrap();
    served
}

/// A connection that waits for an answer as long as a test may, and no longer.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

impl Served {
    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Status code and body.
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = connect(self.address);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            body.to_owned(),
        )
    }

    /// Status code and length of a body that is no text.
    pub(super) fn ask_bytes(&self, path: &str) -> (u16, usize) {
        let mut stream = connect(self.address);
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let head = String::from_utf8_lossy(&answer);
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            answer.len(),
        )
    }

    /// Asks it to end, and waits until it has saved its work.
    pub(super) fn interrupt(&mut self) {
        self.signal("-INT");
        self.child.wait().unwrap();
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    pub(super) fn say(&self, text: &str) {
        let body = serde_json::json!({"text": text}).to_string();
        assert_eq!(self.ask("POST", "/api/say", &body).0, 202, "{text}");
    }

    /// The next line.
    pub(super) fn line(&mut self) -> Value {
        let line = self.lines.next_within("a line", LIMIT);
        serde_json::from_str(&line.unwrap()).unwrap()
    }

    /// The next event of this name.
    pub(super) fn event(&mut self, name: &str) -> Value {
        self.lines.until(&format!("`{name}`"), LIMIT, |line| {
            let event: Value = serde_json::from_str(line).unwrap();
            if event["event"] == name {
                return Some(event);
            }
            assert!(event["error"].is_null(), "{event}");
            None
        })
    }

    /// The value of a figure of `/metrics`.
    pub(super) fn figure(&self, start: &str) -> Option<f64> {
        let (code, page) = self.ask("GET", "/metrics", "");
        assert_eq!(code, 200);
        let line = page.lines().find(|line| line.starts_with(start))?;
        line.rsplit(' ').next()?.parse().ok()
    }
}

#[test]
fn a_robot_is_told_watched_and_stopped_over_http() {
    let mut served = serve(&[]);
    let (code, page) = served.ask("GET", "/", "");
    assert!(
        code == 200 && page.contains("<button id=\"stop\""),
        "{page}"
    );
    let (_, state) = served.ask("GET", "/api/state", "");
    assert!(state.contains("tabletop/franka"), "{state}");

    served.say("put the yellow block in the red bowl");
    served.event("step_started");
    served.event("confidence");
    // What is said to the running plan does not wait.
    served.say("what are you doing?");
    let say = served.event("answered")["say"].to_string();
    assert!(say.contains("pick up the yellow block"), "{say}");
    served.say("pause");
    served.event("paused");
    served.say("go on");
    served.event("resumed");
    served.event("confidence");
    // Waits for its turn, which the stop takes from it.
    served.say("open the drawer");
    let asked = Instant::now();
    assert_eq!(served.ask("POST", "/api/stop", "").0, 204);
    let finished = served.event("finished");
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert_eq!(finished["success"], false, "{finished}");

    // The next sentence moves again; what happened is counted.
    served.say("go home");
    assert_eq!(served.event("finished")["outcome"], "done");
    let runs = served.figure("vola_runs_total{outcome=\"done\"}");
    assert_eq!(runs, Some(1.0));
    assert!(served.figure("vola_control_ticks_total ").unwrap() > 100.0);
    assert_eq!(served.figure("vola_control_lost_lines_total "), Some(0.0));
    for stage in ["state", "filter", "command"] {
        let name = format!("vola_control_stage_seconds{{stage=\"{stage}\",quantile=\"0.5\"}}");
        assert!(served.figure(&name).unwrap() > 0.0, "{stage}");
    }
    assert!(
        served
            .figure("vola_policy_seconds{part=\"decision\",quantile=\"0.5\"}")
            .unwrap()
            > 0.0
    );

    // A latched stop is left by a command only; files are not written for strangers.
    assert_eq!(
        served
            .ask("POST", "/api/stop", r#"{"kind":"controlled"}"#)
            .0,
        204
    );
    served.say("go home");
    assert_eq!(served.event("finished")["outcome"], "safety_stop");
    for refused in ["/picture /tmp/x.png", "/quit", "picture"] {
        let body = serde_json::json!({"text": refused}).to_string();
        assert_eq!(served.ask("POST", "/api/say", &body).0, 409, "{refused}");
    }
}

#[test]
fn a_stop_is_not_left_before_the_arm_stands() {
    let mut served = serve(&[]);
    for _ in 0..3 {
        served.say("put the yellow block in the red bowl");
        served.event("step_started");
        served.event("confidence");
        let stop = served.ask("POST", "/api/stop", r#"{"kind":"controlled"}"#);
        assert_eq!(stop.0, 204);
        served.say("/resume");
        // Left once it stands, not refused: what was braking is waited for.
        assert_eq!(served.event("finished")["outcome"], "safety_stop");
        served.lines.until("a notice", LIMIT, |line| {
            assert!(!line.contains("still moves"), "{line}");
            line.contains("notice").then_some(())
        });
    }
    served.say("go home");
    assert_eq!(served.event("finished")["outcome"], "done");
}

#[test]
fn a_dead_man_s_silence_stops_the_robot_and_a_reset_needs_signs_of_life() {
    let mut served = serve(&["--dead-man-ms", "400"]);
    // Nobody was there since the start: the robot has stopped.
    std::thread::sleep(Duration::from_millis(800));
    served.say("go home");
    assert_eq!(served.event("finished")["outcome"], "safety_stop");
    let address = served.address;
    let here = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        let beat = || {
            while here.load(std::sync::atomic::Ordering::Relaxed) {
                let mut stream = connect(address);
                let request = format!(
                    "POST /api/beat HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n"
                );
                stream.write_all(request.as_bytes()).unwrap();
                let _ = stream.read_to_end(&mut Vec::new());
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        let builder = std::thread::Builder::new().name("person".to_owned());
        builder.spawn_scoped(scope, beat).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        served.say("/resume");
        // The chat said what is wrong before; this is the answer to the command.
        served.lines.until("a notice", LIMIT, |line| {
            line.contains("notice").then_some(())
        });
        served.say("go home");
        let finished = served.event("finished");
        here.store(false, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(finished["outcome"], "done", "{finished}");
    });
}

#[test]
fn an_unprotected_address_is_refused_and_ctrl_c_ends() {
    let refused = super::vola(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("--token-file"),
        "{}",
        refused.stderr
    );
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut served = serve(&[]);
        let asked = Instant::now();
        served.signal(signal);
        let code = served.child.wait().unwrap().code();
        assert_eq!(code, Some(0), "{signal}");
        assert!(asked.elapsed() < Duration::from_secs(4), "{signal}");
    }
}

/// Starts a robot, sends it signals while it moves, one or as many as it takes; its
/// exit code and its log.
fn terminated(is_impatient: bool) -> (Option<i32>, String) {
    let log = tempfile::tempdir().unwrap();
    let folder = format!("[record]\nfolder = '{}'", log.path().display());
    let mut served = serve_with(&folder, &[]);
    served.say("put the yellow block in the red bowl");
    served.event("step_started");
    served.event("confidence");
    let asked = Instant::now();
    served.signal("-TERM");
    // A signal that comes before the one ahead of it was taken is lost.
    while is_impatient && served.child.try_wait().unwrap().is_none() {
        served.signal("-TERM");
    }
    let code = served.child.wait().unwrap().code();
    // The process's own promise is two seconds; a busy machine adds its own.
    assert!(asked.elapsed() < Duration::from_secs(4));
    (code, super::running::run_log(log.path()))
}

/// What a run that was brought to rest has in its log: it ended by itself.
const INTERRUPTED: &str = r#""outcome":"interrupted""#;

#[test]
fn a_moving_robot_is_brought_to_rest_by_sigterm() {
    let (code, log) = terminated(false);
    assert_eq!(code, Some(0));
    assert!(log.contains(INTERRUPTED), "{log}");
}

#[test]
fn a_second_sigterm_ends_at_once() {
    // A robot that is quickly at rest may end before it sees the second one.
    for _ in 0..10 {
        let (code, log) = terminated(true);
        if code == Some(1) {
            return;
        }
        assert_eq!(code, Some(0));
        assert!(log.contains(INTERRUPTED), "{log}");
    }
    panic!("ten robots saw one signal each");
}

/// What `cargo demo` starts: the terminal and the page speak to one robot.
#[test]
fn a_conversation_has_its_page_beside_it() {
    let mut child = Command::new(workspace().vola())
        .args(["chat", "--page", "--seed", "2", "--json"])
        .current_dir(&workspace().root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = Lines::of(child.stdout.take().unwrap());
    let mut keyboard = child.stdin.take().unwrap();
    let mut served = Served {
        child,
        lines,
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        _folder: tempfile::tempdir().unwrap(),
    };
    let first = served.line();
    served.address = first["listening"].as_str().unwrap().parse().unwrap();
    assert!(served.address.ip().is_loopback());
    let (code, page) = served.ask("GET", "/", "");
    assert!(code == 200 && page.contains("id=\"take-over\""), "{page}");
    served.say("go home");
    assert_eq!(served.event("finished")["outcome"], "done");
    keyboard.write_all(b"open the gripper\n").unwrap();
    assert_eq!(served.event("finished")["outcome"], "done");
    // The page's stop stops the robot, not the conversation.
    let stop = served.ask("POST", "/api/stop", r#"{"kind":"controlled"}"#);
    assert_eq!(stop.0, 204);
    keyboard.write_all(b"go home\n").unwrap();
    assert_eq!(served.event("finished")["outcome"], "safety_stop");
    served.lines.until("a refusal", LIMIT, |line| {
        line.contains("the robot is stopped").then_some(())
    });
    keyboard.write_all(b"/resume\ngo home\n").unwrap();
    assert_eq!(served.event("finished")["outcome"], "done");
    drop(keyboard);
    assert_eq!(served.child.wait().unwrap().code(), Some(0));

    let refused = super::vola(&["chat", "--page", "--fast"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}
