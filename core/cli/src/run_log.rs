//! The run log: what a session began with, what was said, and everything that
//! happened, as lines of JSON in the deployment's `[record] folder`.
//!
//! Each line is handed to the system as it is made, so that a log ends where its
//! process ended, however it did. A log that cannot be written any more is told
//! once and stops; the robot goes on.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use serde_json::{Value, json};
use vola_types::RunEvent;

use crate::failure::Failure;

/// One file, open for the life of a session.
#[derive(Debug)]
pub(crate) struct RunLog {
    path: PathBuf,
    /// None after a failure.
    file: Option<File>,
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
        let file = File::create_new(&path).map_err(Failure::file(&path, "write"))?;
        let mut log = Self {
            path,
            file: Some(file),
        };
        let first = json!({"header": header, "began_unix_s": began.as_secs_f64()});
        log.write(&first)
            .map_err(Failure::file(&log.path, "write"))?;
        Ok(log)
    }

    /// A person's sentence.
    pub(crate) fn sentence(&mut self, sentence: &str) {
        self.line(&json!({"sentence": sentence}));
    }

    /// Something happened.
    pub(crate) fn event(&mut self, event: &RunEvent) {
        self.line(event);
    }

    fn line(&mut self, value: &impl Serialize) {
        if self.file.is_none() {
            return;
        }
        if let Err(error) = self.write(value) {
            self.file = None;
            let path = self.path.display();
            tracing::error!("{path}: the run log ends here: {error}; the robot goes on");
        }
    }

    fn write(&mut self, value: &impl Serialize) -> std::io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        file.write_all(&line)
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn every_line_is_there_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("a/b");
        let mut log = RunLog::begin(&into, &json!({"vola": "0"})).unwrap();
        log.sentence("stop");
        log.event(&safety());
        // The log is still open.
        let lines: Vec<Value> = fs::read_to_string(&log.path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["header"]["vola"], "0");
        assert!(lines[0]["began_unix_s"].as_f64().unwrap() > 1.0);
        assert_eq!(lines[1]["sentence"], "stop");
        assert_eq!(lines[2]["limit"], "camera");
    }

    #[test]
    fn a_folder_that_cannot_be_is_named_and_a_full_disk_ends_the_log_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let refused = RunLog::begin(&file.join("logs"), &Value::Null).unwrap_err();
        assert!(refused.to_string().contains("logs"), "{refused}");
        #[cfg(target_os = "linux")]
        {
            let mut log = RunLog {
                path: PathBuf::from("/dev/full"),
                file: Some(File::options().write(true).open("/dev/full").unwrap()),
            };
            log.event(&safety());
            assert!(log.file.is_none());
            log.event(&safety());
        }
    }
}
