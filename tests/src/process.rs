//! Runs a program with an input, an end, and a limit of time.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Exit code; none when it was killed.
    pub code: Option<i32>,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
    /// Whether it was killed at its limit.
    pub timed_out: bool,
    /// How long it ran.
    pub took: Duration,
}

impl Finished {
    /// Standard output as one JSON value a line.
    #[must_use]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("not JSON ({error}): {line}\n{}", self.stderr))
        };
        self.stdout.lines().map(parse).collect()
    }
}

/// Runs a program to its end, or kills it at the limit.
pub fn run_limited(command: &mut Command, input: &str, limit: Duration) -> Finished {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    // Both pipes are drained while the input is written: a program that prints
    // much never waits for us, nor we for it.
    let stdout = drain("stdout", child.stdout.take());
    let stderr = drain("stderr", child.stderr.take());
    if let Some(mut stdin) = child.stdin.take() {
        // A program may end without reading.
        let _ = stdin.write_all(input.as_bytes());
    }
    let (code, timed_out) = wait(&mut child, started, limit);
    Finished {
        code,
        stdout: stdout.join().expect("the reader does not panic"),
        stderr: stderr.join().expect("the reader does not panic"),
        timed_out,
        took: started.elapsed(),
    }
}

fn drain(name: &str, pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                // What came before an error is still worth showing.
                let _ = pipe.read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
        .expect("a thread starts")
}

fn wait(child: &mut Child, started: Instant, limit: Duration) -> (Option<i32>, bool) {
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return (status.code(), false);
        }
        if started.elapsed() > limit {
            child.kill().expect("the child can be killed");
            child.wait().expect("the child can be waited for");
            return (None, true);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
