//! A log, or standard output, that nobody reads: the control loop goes on.

use std::{
    io::Read,
    os::fd::{AsFd, AsRawFd},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vola_tests::workspace;

use super::watchdogs::deployment;

/// Far above what two measurements of a second take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// `vola bench control` with a robot in this process that logs one line a tick,
/// on the control thread: some hundred kilobytes a second.
fn flooded(seconds: &str) -> (tempfile::TempDir, std::process::Child) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("d.toml");
    let text = "[robot]\nplugin = 'wrong/logs_in_command'\n[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000\n[plugins.isolation]\nwrong = 'none'";
    std::fs::write(&config, text).unwrap();
    let workspace = workspace();
    let child = Command::new(workspace.vola())
        .args([
            "bench",
            "control",
            "--seconds",
            seconds,
            "--json",
            "--config",
        ])
        .arg(&config)
        .arg("--plugins")
        .arg(workspace.library("wrong"))
        .current_dir(&workspace.root)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    (folder, child)
}

#[test]
fn a_plugin_that_logs_on_the_control_thread_never_stops_it() {
    let (_folder, mut child) = flooded("1");
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

/// Lines that were told to be lost.
fn lost(text: &str) -> u64 {
    let counts = text
        .lines()
        .filter(|line| line.contains("lines") && line.contains("lost"));
    let number = |line: &str| line.split(' ').find_map(|word| word.parse::<u64>().ok());
    counts.filter_map(number).sum()
}

/// A flood of log lines behind a reader that comes late: each line is read or
/// told to be lost, while the loop ticks on.
#[test]
fn a_flood_of_log_lines_is_read_or_counted() {
    let (_folder, mut child) = flooded("5");
    // More lines than pipe and queues hold come meanwhile, unless this machine
    // is too busy for a tick a millisecond.
    std::thread::sleep(Duration::from_secs(4));
    let mut log = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    child.wait().unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let ticks = report["actuators"][0]["report"]["ticks"].as_u64().unwrap();
    let read = log
        .lines()
        .filter(|line| line.contains("command for"))
        .count() as u64;
    println!(
        "{ticks} ticks: {read} lines read, {} told to be lost",
        lost(&log)
    );
    assert!(ticks > 1000, "{report}");
    assert!(read + lost(&log) >= ticks, "lines are gone without a word");
    assert!(ticks < 3500 || lost(&log) > 0, "nothing was lost");
}

/// Bytes that wait in a pipe.
#[expect(unsafe_code, reason = "the system's own question about a pipe")]
fn waiting(pipe: &impl AsFd) -> i32 {
    let mut count = 0;
    // SAFETY: the call writes one `int`, to `count`.
    let answer = unsafe { libc::ioctl(pipe.as_fd().as_raw_fd(), libc::FIONREAD, &raw mut count) };
    assert_eq!(answer, 0);
    count
}

/// Makes a pipe as small as the system allows.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system's own setting of a pipe")]
fn shrink(pipe: &impl AsFd) {
    // SAFETY: takes numbers only.
    let size = unsafe { libc::fcntl(pipe.as_fd().as_raw_fd(), libc::F_SETPIPE_SZ, 4096) };
    assert!(size > 0);
}

/// Waits for something; panics with `what` when it does not come.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < give_up, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a run says waits for its reader, and so does its next decision; the
/// control loop does not, and no event is lost.
#[test]
#[cfg(target_os = "linux")]
fn a_run_whose_output_nobody_reads_ticks_on_and_ends_when_somebody_does() {
    let generous = "[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000";
    let (folder, config) = deployment(generous);
    let inputs = folder.path().join("inputs");
    let mut child = Command::new(workspace().vola())
        .args(["run", "put the yellow block in the red bowl", "--seed", "2"])
        .args(["--json", "--log", "trace", "--config", &config])
        .arg("--record-control")
        .arg(&inputs)
        .current_dir(&workspace().root)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    shrink(&stdout);
    shrink(&stderr);
    // Full: nothing was added for longer than any decision takes.
    let (mut before, mut since) = (0, Instant::now());
    wait_for("standard output never was full", || {
        let now = waiting(&stdout);
        if now != before {
            (before, since) = (now, Instant::now());
        }
        (now > 2000 && since.elapsed() > Duration::from_secs(2)).then_some(())
    });
    // The control loop ticks on, and what it takes in is written down.
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |it| it.len());
    let was = length(&inputs);
    wait_for("the control loop stands", || {
        (length(&inputs) > was + 100_000).then_some(())
    });
    assert!(child.try_wait().unwrap().is_none(), "it is still there");
    // Somebody reads again.
    let body = move || stderr.read_to_string(&mut String::new());
    let reader = std::thread::Builder::new().spawn(body).unwrap();
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    reader.join().unwrap().unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // However it ended on a busy machine, the end is told.
    let last = events.last().unwrap();
    assert!(
        last["event"] == "finished" || last["error"].is_object(),
        "{last}"
    );
    // The run had waited: what it says next came later.
    let times: Vec<f64> = events.iter().filter_map(|it| it["t"].as_f64()).collect();
    let longest = times.windows(2).map(|it| it[1] - it[0]).fold(0.0, f64::max);
    assert!(longest > 2.0, "{longest} s between two events");
}
