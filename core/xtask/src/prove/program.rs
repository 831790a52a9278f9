//! The measured program: its JSON, its time, its memory.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Command, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::workspace::words;

/// Time between two looks at a running process: short against the shortest
/// measured run, long enough to take nothing from it.
const GLANCE: Duration = Duration::from_millis(2);

/// The `vola` binary, called in the workspace's root.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The binary.
    pub(crate) path: PathBuf,
    /// Where it is called.
    pub(crate) folder: PathBuf,
}

/// What a process took.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// From its start to its end (s).
    pub(crate) seconds: f64,
    /// From its start to its first line on standard output (s); NaN without one.
    pub(crate) first_line_seconds: f64,
    /// Most memory it held (MB), where the system tells.
    pub(crate) peak_mb: Option<f64>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Exit code; none when it was killed.
    pub(crate) code: Option<i32>,
}

impl Program {
    /// The command with `--json`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .arg("--json")
            .current_dir(&self.folder);
        command
    }

    /// The objects that a command prints. What it says on standard error is
    /// passed on.
    ///
    /// # Errors
    /// When it cannot be run, fails, or prints something else.
    pub(crate) fn objects(&self, arguments: &[&str]) -> Result<Vec<Value>, String> {
        let mut command = self.command(arguments);
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot run {}: {error}", words(&command)))?;
        if !output.status.success() {
            return Err(format!("{}: {}", words(&command), output.status));
        }
        objects(&String::from_utf8_lossy(&output.stdout))
            .map_err(|error| format!("{}: {error}", words(&command)))
    }

    /// Runs a command with an input and measures the process.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(crate) fn measure(&self, arguments: &[&str], input: &str) -> Result<Taken, String> {
        let mut command = self.command(arguments);
        let failed =
            |error: std::io::Error| format!("{}: {error}", words(&self.command(arguments)));
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(failed)?;
        let reader = child.stdout.take().map(|pipe| read(pipe, started));
        if let Some(mut stdin) = child.stdin.take() {
            // A program may end without reading.
            let _ = stdin.write_all(input.as_bytes());
        }
        let mut peak_mb: Option<f64> = None;
        let status = loop {
            if let Some(now) = peak_memory_mb(child.id()) {
                peak_mb = Some(peak_mb.map_or(now, |before| before.max(now)));
            }
            if let Some(status) = child.try_wait().map_err(failed)? {
                break status;
            }
            std::thread::sleep(GLANCE);
        };
        let seconds = started.elapsed().as_secs_f64();
        let (stdout, first_line_seconds) = reader
            .transpose()
            .map_err(failed)?
            .and_then(|reader| reader.join().ok())
            .unwrap_or((String::new(), f64::NAN));
        Ok(Taken {
            seconds,
            first_line_seconds,
            peak_mb,
            stdout,
            code: status.code(),
        })
    }
}

/// One JSON object a line.
///
/// # Errors
/// When a line is something else.
pub(crate) fn objects(text: &str) -> Result<Vec<Value>, String> {
    text.lines()
        .map(|line| {
            serde_json::from_str(line).map_err(|error| format!("not JSON ({error}): {line}"))
        })
        .collect()
}

/// Reads a pipe to its end on a thread of its own: everything, and when the
/// first line was there.
fn read(
    pipe: impl Read + Send + 'static,
    started: Instant,
) -> std::io::Result<JoinHandle<(String, f64)>> {
    std::thread::Builder::new()
        .name("stdout".to_owned())
        .spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut bytes = Vec::new();
            // What came before an error is what there is.
            let first = match pipe.read_until(b'\n', &mut bytes) {
                Ok(count) if count > 0 => started.elapsed().as_secs_f64(),
                _ => f64::NAN,
            };
            let _ = pipe.read_to_end(&mut bytes);
            (String::from_utf8_lossy(&bytes).into_owned(), first)
        })
}

/// Most memory that a running process has held so far (MB of 10⁶ bytes).
fn peak_memory_mb(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}
