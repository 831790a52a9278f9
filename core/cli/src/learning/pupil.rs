//! The process that learns: `vola policy adapt` itself, in the background.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use vola_bundle::AdaptationSettings;

use super::course::{Pupil, Verdict};
use crate::{
    arguments::SharedArguments,
    process_setup::{Pace, set_pace},
};

/// Longest time of an adaptation (minutes): its steps end it long before, and it
/// stands still for as long as the arm works.
const MINUTES: &str = "600";
/// Most of its output that is read (bytes).
const MOST_BYTES: u64 = 1 << 20;

/// What an adaptation is started with.
#[derive(Clone, Debug)]
pub(super) struct Task {
    config: PathBuf,
    bundle: PathBuf,
    folder: PathBuf,
    /// The robot is simulated: another session has one of its own.
    is_simulated: bool,
    plugin_folders: Vec<PathBuf>,
    allow_unlocked: bool,
}

impl Task {
    /// Corrections of `folder`, for the bundle of a deployment.
    pub(super) fn new(
        shared: &SharedArguments,
        config: &Path,
        (bundle, folder): (&Path, &Path),
        is_simulated: bool,
    ) -> Self {
        Self {
            is_simulated,
            config: config.to_owned(),
            bundle: bundle.to_owned(),
            folder: folder.to_owned(),
            plugin_folders: shared.plugin_folders.clone(),
            allow_unlocked: shared.allow_unlocked,
        }
    }

    /// Starts it; `has_old`: the folder also holds what the policy does well.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(super) fn start(
        &self,
        version: &str,
        settings: AdaptationSettings,
        has_old: bool,
    ) -> std::io::Result<Process> {
        let program = if cfg!(target_os = "linux") {
            // This very file, also when a new build lies in its place by now.
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe()?
        };
        let mut command = Command::new(program);
        command
            .args(["policy", "adapt", "--json"])
            .args(["--background", &std::process::id().to_string()])
            .args(["--name", version, "--minutes", MINUTES])
            .args(["--steps", &settings.steps().to_string()])
            .arg("--config")
            .arg(&self.config)
            .arg("--from")
            .arg(&self.folder);
        if self.is_simulated {
            command.args(["--episodes", &settings.episodes().to_string()]);
        } else {
            // The session that serves has it.
            command.arg("--robot-in-use");
        }
        if has_old {
            command.arg("--old").arg(&self.folder);
        }
        for folder in &self.plugin_folders {
            command.arg("--plugins").arg(folder);
        }
        if self.allow_unlocked {
            command.arg("--allow-unlocked");
        }
        let child = command
            .arg(&self.bundle)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Process(child))
    }
}

/// The process; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Pupil for Process {
    fn verdict(&mut self) -> Option<Verdict> {
        let status = match self.0.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status,
            Err(error) => {
                let reason = error.to_string();
                return Some(Verdict::Failed { reason });
            }
        };
        // It writes a few lines, which wait in the pipe.
        let mut text = String::new();
        if let Some(out) = self.0.stdout.take() {
            let read = out.take(MOST_BYTES).read_to_string(&mut text);
            if let Err(error) = read {
                tracing::warn!("what was learned cannot be read: {error}");
            }
        }
        Some(read_verdict(&text).unwrap_or_else(|| Verdict::Failed {
            reason: format!("it ended with {status}"),
        }))
    }

    fn pause(&mut self) {
        if !set_pace(&self.0, Pace::Paused) {
            // What cannot stand still while the arm moves ends, and is tried again.
            let _ = self.0.kill();
        }
    }

    fn go_on(&mut self) {
        set_pace(&self.0, Pace::Going);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; what it had not finished is not there.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The last object that says what came of it.
fn read_verdict(text: &str) -> Option<Verdict> {
    let objects = text.lines().rev();
    let mut objects = objects.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    objects.find_map(|object| {
        let reason = |value: &Value| {
            let text = value.as_str().unwrap_or("it did not say why");
            text.lines().next().unwrap_or_default().to_owned()
        };
        match object["accepted"].as_bool() {
            Some(true) => Some(Verdict::Accepted {
                figures: object["figures"].clone(),
            }),
            Some(false) => Some(Verdict::RolledBack {
                reason: reason(&object["reason"]),
            }),
            None if object["error"].is_object() => Some(Verdict::Failed {
                reason: reason(&object["error"]["message"]),
            }),
            None => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_an_adaptation_is_its_verdict() {
        for (text, expected) in [
            (
                "{\"version\":\"a\",\"accepted\":true,\"figures\":{\"x\":1}}\n",
                Some(Verdict::Accepted {
                    figures: serde_json::json!({"x": 1}),
                }),
            ),
            (
                "{\"accepted\":false,\"reason\":\"it forgets\"}",
                Some(Verdict::RolledBack {
                    reason: "it forgets".to_owned(),
                }),
            ),
            (
                "no json\n{\"error\":{\"message\":\"too few\\nhelp: more\"}}\n",
                Some(Verdict::Failed {
                    reason: "too few".to_owned(),
                }),
            ),
            ("{\"recorded\":3}", None),
            ("", None),
        ] {
            assert_eq!(read_verdict(text), expected, "{text}");
        }
    }
}
