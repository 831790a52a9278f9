//! How versions of a policy did where they ran: the runs in a folder's run logs,
//! counted by robot and version.
//!
//! A log is from outside: what is no line of a run log, is cut off, or tells of
//! another bundle counts for nothing and is counted itself.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use serde::Serialize;
use serde_json::Value;
use vola_bundle::BASE_VERSION;
use vola_types::RunOutcome;

use crate::{
    failure::Failure,
    health::says_how_well,
    measure::{Difference, Rate, unpaired, wilson},
};

/// Longest line that is read (bytes): a scene or a plan is far shorter.
const LONGEST: u64 = 4 << 20;

/// Runs of one version on one robot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Runs {
    /// Sentences that say something about the policy.
    pub(super) runs: usize,
    /// Of which so many were done.
    pub(super) done: usize,
    /// In so many a person was asked.
    pub(super) asked: usize,
}

impl Runs {
    /// The share that was done.
    pub(super) fn rate(&self) -> Rate {
        wilson(self.done, self.runs)
    }
}

/// What a folder of run logs says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// By robot, then by version.
    pub(super) runs: BTreeMap<(String, String), Runs>,
    /// Logs of this bundle.
    pub(super) logs: usize,
    /// Logs of other bundles, or of none.
    pub(super) others: usize,
    /// Lines that could not be read.
    pub(super) damaged: usize,
}

/// Reads the run logs of a folder: those of the bundle with this hash.
///
/// # Errors
/// When the folder or a log cannot be read.
pub(super) fn read(folder: &Path, bundle_hash: &str) -> Result<Told, Failure> {
    let entries = fs::read_dir(folder).map_err(Failure::file(folder, "read"))?;
    let mut told = Told::default();
    for entry in entries {
        let path = entry.map_err(Failure::file(folder, "read"))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let is_log = name.is_some_and(|name| {
            name.starts_with("run-")
                && Path::new(name)
                    .extension()
                    .is_some_and(|it| it.eq_ignore_ascii_case("jsonl"))
        });
        if is_log {
            read_log(&path, bundle_hash, &mut told)?;
        }
    }
    Ok(told)
}

fn read_log(path: &Path, bundle_hash: &str, told: &mut Told) -> Result<(), Failure> {
    let file = File::open(path).map_err(Failure::file(path, "read"))?;
    let mut lines = BufReader::new(file);
    let mut robot = None;
    let mut version: Option<String> = None;
    let mut was_asked = false;
    let mut line = Vec::new();
    loop {
        line.clear();
        // A longer line is read in pieces, each of which is a damaged line.
        let read = (&mut lines).take(LONGEST).read_until(b'\n', &mut line);
        if read.map_err(Failure::file(path, "read"))? == 0 {
            return Ok(());
        }
        let Ok(value) = serde_json::from_slice::<Value>(&line) else {
            told.damaged += 1;
            continue;
        };
        if let Some(header) = value.get("header") {
            if header["bundle"]["blake3"] != bundle_hash {
                told.others += 1;
                return Ok(());
            }
            told.logs += 1;
            robot = header["embodiment"].as_str().map(str::to_owned);
        } else if value.get("sentence").is_some() {
            version = value["policy_version"].as_str().map(str::to_owned);
            was_asked = false;
        } else if value["event"] == "handoff" {
            was_asked = true;
        } else if value["event"] == "finished" {
            let outcome = serde_json::from_value::<RunOutcome>(value["outcome"].clone());
            let (Some(robot), Some(version), Ok(outcome)) = (&robot, version.take(), outcome)
            else {
                continue;
            };
            if says_how_well(outcome, was_asked) {
                let own = told.runs.entry((robot.clone(), version)).or_default();
                own.runs += 1;
                own.done += usize::from(outcome == RunOutcome::Done);
                own.asked += usize::from(was_asked);
            }
        }
    }
}

impl Told {
    /// Of each version but the bundle as it is: how much better it did on the same
    /// robot.
    pub(super) fn differences(&self) -> impl Iterator<Item = (&str, &str, Difference)> {
        self.runs.iter().filter_map(|((robot, version), own)| {
            let base = (robot.clone(), BASE_VERSION.to_owned());
            let base = self
                .runs
                .get(&base)
                .filter(|_| version.as_str() != BASE_VERSION)?;
            Some((
                robot.as_str(),
                version.as_str(),
                unpaired(base.rate(), own.rate()),
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"header":{"embodiment":"tabletop/franka","bundle":{"blake3":"b"}}}
{"sentence":"one","policy_version":"moved"}
{"event":"handoff"}
{"event":"finished","outcome":"done"}
{"sentence":"hello","policy_version":"moved"}
{"event":"finished","outcome":"chat"}
{"sentence":"two","policy_version":"base"}
{"event":"finished","outcome":"failed"}
{"sentence":"three","policy_version":"base"}
{"sentence":"four","policy_version":"base"}
{"event":"finished","outcome":"done"}
{"sentence":"fi"#;

    #[test]
    fn runs_are_counted_by_version_and_a_cut_log_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("run-1-2.jsonl"), LOG).unwrap();
        fs::write(folder.path().join("run-2-2.jsonl"), "{\"header\":{}}\n").unwrap();
        fs::write(folder.path().join("notes.jsonl"), LOG).unwrap();
        let told = read(folder.path(), "b").unwrap();
        assert_eq!((told.logs, told.others, told.damaged), (1, 1, 1));
        let of = |version: &str| {
            let own = &told.runs[&("tabletop/franka".to_owned(), version.to_owned())];
            (own.runs, own.done, own.asked)
        };
        assert_eq!((of("base"), of("moved")), ((2, 1, 0), (1, 1, 1)));
        let (robot, version, difference) = told.differences().next().unwrap();
        assert_eq!((robot, version), ("tabletop/franka", "moved"));
        assert!((difference.rate - 0.5).abs() < 1e-12);
        assert!(difference.low < 0.0 && difference.high > 0.5, "two runs");
    }
}
