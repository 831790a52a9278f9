//! The run log: what a session began with, what was said, and everything that
//! happened, as lines of JSON in the deployment's `[record] folder`.
//!
//! The header is written before anything moves. Every later line is handed to a
//! thread that writes it at once, so that a log ends where its process ended,
//! however it did, and a disk that stalls stops nobody: lines that find no room
//! are lost, and counted in the log itself. A log that cannot be written any
//! more is told once and stops; the robot goes on.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use serde_json::{Value, json};
use vola_types::RunEvent;

use crate::failure::Failure;

/// Lines that may wait for the disk: some minutes of a run.
const MOST_LINES: usize = 4096;
/// How long the end of a session waits for the last lines.
const LAST_LINES: Duration = Duration::from_millis(1000);

/// One file, open for the life of a session.
#[derive(Debug)]
pub(crate) struct RunLog {
    path: PathBuf,
    /// None when the session ends.
    queue: Option<SyncSender<Line>>,
    /// Lines lost since the last one that found room.
    lost: u64,
    is_loss_told: bool,
    /// Lines lost that no later line tells of.
    lost_at_end: Arc<AtomicU64>,
    /// Closed by the thread that writes, when it ends.
    ended: Receiver<()>,
}

/// One line on its way.
struct Line {
    /// Lines that were lost just before it.
    lost_before: u64,
    bytes: Vec<u8>,
}

impl RunLog {
    /// Begins a log: its first line is the session's header with hashes of bundle
    /// and plugins, its trust and what the system permitted.
    ///
    /// # Errors
    /// When the folder cannot be made or the file not be written.
    pub(crate) fn begin(folder: &Path, header: &Value) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(Failure::file(folder, "make"))?;
        let began = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let name = format!("run-{}-{}.jsonl", began.as_millis(), std::process::id());
        let path = folder.join(name);
        let mut file = File::create_new(&path).map_err(Failure::file(&path, "write"))?;
        let first = json!({"header": header, "began_unix_s": began.as_secs_f64()});
        file.write_all(format!("{first}\n").as_bytes())
            .map_err(Failure::file(&path, "write"))?;
        Self::through(path, Box::new(file), MOST_LINES)
    }

    /// A log that is written through `file`, behind a queue of so many lines.
    fn through(
        path: PathBuf,
        file: Box<dyn Write + Send>,
        most_lines: usize,
    ) -> Result<Self, Failure> {
        let (queue, lines) = sync_channel(most_lines);
        let (end, ended) = sync_channel(0);
        let lost_at_end = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            path: path.clone(),
            file,
            lost_at_end: Arc::clone(&lost_at_end),
        };
        let thread = std::thread::Builder::new().name("vola-run-log".to_owned());
        let body = move || {
            writer.write_all(&lines);
            // Nobody hands on a line any more once the end is told.
            drop(lines);
            drop(end);
        };
        thread.spawn(body).map_err(|source| Failure::System {
            what: "the thread that writes the run log",
            source,
        })?;
        Ok(Self {
            path,
            queue: Some(queue),
            lost: 0,
            is_loss_told: false,
            lost_at_end,
            ended,
        })
    }

    /// A person's sentence, and the version of the policy that does it.
    pub(crate) fn sentence(&mut self, sentence: &str, version: Option<&str>) {
        let mut line = json!({"sentence": sentence});
        if let Some(version) = version {
            line["policy_version"] = json!(version);
        }
        self.line(&line);
    }

    /// Something happened.
    pub(crate) fn event(&mut self, event: &RunEvent) {
        self.line(event);
    }

    /// Hands a line on; waits for nothing.
    fn line(&mut self, value: &impl Serialize) {
        let Some(queue) = &self.queue else { return };
        let mut bytes = match serde_json::to_vec(value) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!("{}: a line is lost: {error}", self.path.display());
                return;
            }
        };
        bytes.push(b'\n');
        let line = Line {
            lost_before: self.lost,
            bytes,
        };
        match queue.try_send(line) {
            Ok(()) => self.lost = 0,
            Err(TrySendError::Full(_)) => {
                self.lost += 1;
                if !self.is_loss_told {
                    self.is_loss_told = true;
                    let path = self.path.display();
                    tracing::warn!(
                        "{path}: the disk is slower than the run: lines of the run log are lost, and counted in it; the robot goes on"
                    );
                }
            }
            // The writer has ended, and said why.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }
}

impl Drop for RunLog {
    /// Waits for the last lines, for a second at most.
    fn drop(&mut self) {
        self.lost_at_end.store(self.lost, Ordering::Release);
        self.queue = None;
        if self.ended.recv_timeout(LAST_LINES) == Err(RecvTimeoutError::Timeout) {
            let path = self.path.display();
            tracing::error!("{path}: the disk is too slow: the end of the run log is missing");
        }
    }
}

/// The end that writes.
struct Writer {
    path: PathBuf,
    file: Box<dyn Write + Send>,
    lost_at_end: Arc<AtomicU64>,
}

impl Writer {
    /// Writes until the session ends or the file cannot be written any more.
    fn write_all(mut self, lines: &Receiver<Line>) {
        if let Err(error) = self.try_write_all(lines) {
            let path = self.path.display();
            tracing::error!("{path}: the run log ends here: {error}; the robot goes on");
        }
    }

    fn try_write_all(&mut self, lines: &Receiver<Line>) -> io::Result<()> {
        while let Ok(line) = lines.recv() {
            self.tell_lost(line.lost_before)?;
            self.file.write_all(&line.bytes)?;
        }
        self.tell_lost(self.lost_at_end.load(Ordering::Acquire))?;
        self.file.flush()
    }

    fn tell_lost(&mut self, count: u64) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        let line = json!({"lost_lines": count});
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use vola_types::RunEventKind;

    use super::*;

    fn safety() -> RunEvent {
        RunEvent {
            t: 0.5,
            kind: RunEventKind::Safety {
                limit: "camera".to_owned(),
                action: "controlled stop".to_owned(),
            },
        }
    }

    fn lines(text: &str) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap();
        text.lines().map(parse).collect()
    }

    #[test]
    fn every_line_is_written_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("a/b");
        let mut log = RunLog::begin(&into, &json!({"vola": "0"})).unwrap();
        let path = log.path.clone();
        // The header is there before anything moves.
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(lines(&first)[0]["header"]["vola"], "0");
        log.sentence("stop", None);
        log.event(&safety());
        drop(log);
        let lines = lines(&fs::read_to_string(&path).unwrap());
        assert!(lines[0]["began_unix_s"].as_f64().unwrap() > 1.0);
        assert_eq!(lines[1]["sentence"], "stop");
        assert_eq!(lines[2]["limit"], "camera");
        assert_eq!(lines.len(), 3);
    }

    /// A file on a disk that stands until it is let go.
    struct Stalled {
        letting_go: mpsc::Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Once the other end is gone nothing stalls any more.
            let _ = self.letting_go.recv();
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_disk_that_stalls_stops_nobody_and_what_is_lost_is_counted() {
        let (let_go, letting_go) = mpsc::sync_channel(1);
        let written = Arc::new(Mutex::new(Vec::new()));
        let file = Stalled {
            letting_go,
            written: Arc::clone(&written),
        };
        let mut log = RunLog::through(PathBuf::from("log"), Box::new(file), 4).unwrap();
        // None of these waits: the disk moves only after all of them.
        for number in 0..100 {
            log.line(&json!({"number": number}));
        }
        assert!(written.lock().unwrap().is_empty());
        let lost = log.lost;
        assert!(lost > 0, "more lines than there is room for");
        drop(let_go);
        // The queue drains; a line that finds room tells what came before it.
        while log.lost > 0 {
            std::thread::yield_now();
            log.line(&json!({"number": 100}));
        }
        drop(log);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let lines = lines(&text);
        let told = lines.iter().filter_map(|line| line["lost_lines"].as_u64());
        assert!(told.clone().sum::<u64>() >= lost, "{text}");
        let numbers = lines.iter().filter(|line| line["number"].is_u64()).count() as u64;
        assert!(
            numbers + told.sum::<u64>() >= 101,
            "every line is accounted for"
        );
        assert_eq!(lines.last().unwrap()["number"], 100);
    }

    #[test]
    fn a_disk_that_never_moves_again_does_not_keep_the_end() {
        let (_never, letting_go) = mpsc::sync_channel(1);
        let file = Stalled {
            letting_go,
            written: Arc::default(),
        };
        let mut log = RunLog::through(PathBuf::from("log"), Box::new(file), 4).unwrap();
        log.sentence("stop", None);
        // Returns although nothing of it is ever written.
        drop(log);
    }

    /// A file whose disk fails.
    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            const EIO: i32 = 5;
            Err(io::Error::from_raw_os_error(EIO))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_folder_that_cannot_be_is_named_and_a_disk_that_fails_ends_the_log_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let refused = RunLog::begin(&file.join("logs"), &Value::Null).unwrap_err();
        assert!(refused.to_string().contains("logs"), "{refused}");
        let mut files: Vec<Box<dyn Write + Send>> = vec![Box::new(Broken)];
        #[cfg(target_os = "linux")]
        files.push(Box::new(
            File::options().write(true).open("/dev/full").unwrap(),
        ));
        for file in files {
            let mut log = RunLog::through(PathBuf::from("log"), file, 4).unwrap();
            log.event(&safety());
            // The writer ends; whatever else happens is nobody's loss.
            assert_eq!(
                log.ended.recv_timeout(Duration::from_secs(60)),
                Err(RecvTimeoutError::Disconnected)
            );
            for _ in 0..100 {
                log.event(&safety());
            }
            assert_eq!(log.lost, 0);
        }
    }
}
