//! Measurement of fine-tuning on corrections: twenty of one systematic fault.

use std::{fs, path::Path};

use serde_json::Value;

use super::{BUNDLE, Bench, Measured, number, typed};
use crate::prove::{
    figure::{Bar, Figure},
    program::objects,
};

/// Cameras that were moved for good: seeds of where to.
const CAMERAS: [&str; 2] = ["1", "2"];
/// The task that is corrected; the others are not to suffer.
const CORRECTED: &str = "pick";
const OTHERS: [&str; 7] = [
    "place_in",
    "push",
    "drawer",
    "stack",
    "relation",
    "place_on_region",
    "push_to_region",
];
/// Corrections, and the first scene of them.
const CORRECTIONS: (&str, &str) = ("20", "500000");
/// What must be gained, may be lost, and may be taken (share, share, s).
const GAIN: f64 = 0.20;
const LOSS: f64 = 0.02;
const SECONDS: f64 = 60.0;

/// Successes and episodes.
type Count = (u64, u64);

/// One camera's way through the measurement.
struct Trial<'a> {
    bench: &'a Bench<'a>,
    config: String,
    lines: Vec<String>,
}

impl Bench<'_> {
    /// Records corrections, adapts, and tries tasks before and after.
    pub(super) fn adaptation(&self) -> Result<Measured, String> {
        let (mut lines, mut figures) = (Vec::new(), Vec::new());
        for camera in CAMERAS {
            let folder = self.workspace.target.join("prove/adaptation").join(camera);
            let (more, measured) = self.moved_camera(camera, &folder)?;
            lines.extend(more);
            figures.extend(measured);
        }
        Ok((lines, figures))
    }

    fn moved_camera(&self, camera: &str, folder: &Path) -> Result<Measured, String> {
        let _ = fs::remove_dir_all(folder);
        let bundle = folder.join("bundle");
        copy(&self.workspace.root.join(BUNDLE), &bundle)?;
        let config = self.deployment(folder, &bundle)?;
        let mut trial = Trial {
            bench: self,
            config,
            lines: Vec::new(),
        };
        let recording = self.seen_from_root(&folder.join("corrections"));
        let bundle = self.seen_from_root(&bundle);
        let moved = ["--perturb", "camera_moved", "--perturb-seed", camera];
        let (count, seed) = CORRECTIONS;
        let mut record = vec!["record", "--expert", "--takeovers", "--tasks", CORRECTED];
        record.extend(["--episodes", count, "--seed", seed, "--out", &recording]);
        record.extend(moved);
        trial.objects(&record)?;
        let mut adapt = vec!["policy", "adapt", &bundle, "--from", &recording];
        adapt.extend(["--name", "moved"]);
        adapt.extend(moved);
        if self.is_quick {
            adapt.extend(["--steps", "20"]);
        }
        let adapted = trial.adapt(&adapt)?;
        let seconds = &adapted["figures"]["seconds"];
        let seconds = number(seconds, "prepared")? + number(seconds, "tuned")?;
        let is_accepted = adapted["accepted"] == true;
        if let Some(reason) = adapted["reason"].as_str() {
            eprintln!("  camera {camera}: rolled back: {reason}");
        }
        let version = if is_accepted { "moved" } else { "base" };
        let (many, few) = (self.count(100, 2), self.count(12, 1));
        let mut tell = |what: &str, tasks: &[&str], episodes: &str, situation: &[&str]| {
            let before = trial.successes("base", tasks, episodes, situation)?;
            let after = trial.successes(version, tasks, episodes, situation)?;
            Ok::<_, String>(compared(&format!("camera {camera}: {what}"), before, after))
        };
        let mut figures = vec![
            Figure::new(format!("camera {camera}: time"), seconds, "s")
                .with_bar(Bar::AtMost(SECONDS)),
            Figure::new(
                format!("camera {camera}: accepted"),
                f64::from(u8::from(is_accepted)),
                "share",
            ),
        ];
        let bars = [Some(Bar::AtLeast(GAIN)), Some(Bar::AtLeast(-LOSS)), None];
        let told = [
            tell("corrected task", &[CORRECTED], &many, &moved)?,
            tell("other tasks", &OTHERS, &few, &moved)?,
            tell("other tasks, camera put back", &OTHERS, &few, &[])?,
        ];
        for ([before, after, gain], bar) in told.into_iter().zip(bars) {
            figures.extend([before, after, gain.with_bar(bar)]);
        }
        figures.extend(tell(
            "corrected task, camera put back",
            &[CORRECTED],
            &many,
            &[],
        )?);
        Ok((trial.lines, figures))
    }

    /// The default deployment with the bundle's copy.
    fn deployment(&self, folder: &Path, bundle: &Path) -> Result<String, String> {
        let configs = self.workspace.root.join("configs");
        let file = configs.join("tabletop.toml");
        let mut toml = fs::read_to_string(&file).map_err(|error| failed(&file, &error))?;
        for (named, meant) in [
            ("policies/tabletop", bundle.to_owned()),
            ("planner/tabletop", configs.join("planner/tabletop")),
            ("manual", configs.join("manual")),
        ] {
            let quoted = format!("\"{named}\"");
            if !toml.contains(&quoted) {
                return Err(format!("{}: expected {quoted}", file.display()));
            }
            toml = toml.replace(&quoted, &format!("\"{}\"", meant.display()));
        }
        let file = folder.join("moved.toml");
        fs::write(&file, toml).map_err(|error| failed(&file, &error))?;
        Ok(self.seen_from_root(&file))
    }
}

impl Trial<'_> {
    fn objects(&mut self, arguments: &[&str]) -> Result<Vec<Value>, String> {
        let arguments = [arguments, &["--config", &self.config]].concat();
        self.lines.push(typed(&arguments));
        self.bench.program.objects(&arguments)
    }

    /// A version that is rolled back ends with an error, and tells all the same.
    fn adapt(&mut self, arguments: &[&str]) -> Result<Value, String> {
        let arguments = [arguments, &["--config", &self.config]].concat();
        self.lines.push(typed(&arguments));
        let taken = self.bench.program.measure(&arguments, "")?;
        let told = objects(&taken.stdout)?;
        let last = told.into_iter().next_back();
        last.filter(|last| last["accepted"].is_boolean())
            .ok_or_else(|| format!("{}: exit {:?}", typed(&arguments), taken.code))
    }

    fn successes(
        &mut self,
        version: &str,
        tasks: &[&str],
        episodes: &str,
        situation: &[&str],
    ) -> Result<Count, String> {
        let mut arguments = vec!["eval", "--version", version, "--episodes", episodes];
        for task in tasks {
            arguments.extend(["--task", task]);
        }
        arguments.extend(situation);
        let printed = self.objects(&arguments)?;
        let rows = printed.iter().filter(|row| row["task"].is_string());
        rows.map(|row| {
            let count = number(row, "episodes")?;
            let rate = number(&row["success"], "rate")?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counts of episodes"
            )]
            let counted = ((rate * count).round() as u64, count as u64);
            Ok(counted)
        })
        .try_fold((0, 0), |(successes, all), row: Result<Count, String>| {
            let (more, count) = row?;
            Ok((successes + more, all + count))
        })
    }
}

fn compared(what: &str, before: Count, after: Count) -> [Figure; 3] {
    let figure = |side: &str, (successes, all): Count| {
        Figure::share_of(format!("{what}, {side}"), successes, all)
    };
    let (before, after) = (figure("before", before), figure("after", after));
    let gain = after.value - before.value;
    [
        before,
        after,
        Figure::new(format!("{what}, gained"), gain, "share"),
    ]
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| failed(to, &error))?;
    for entry in fs::read_dir(from).map_err(|error| failed(from, &error))? {
        let path = entry.map_err(|error| failed(from, &error))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|error| failed(&path, &error))?;
        }
    }
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_the_difference_of_shares() {
        let [before, after, gain] = compared("camera 1: corrected task", (5, 100), (93, 100));
        assert_eq!(before.name, "camera 1: corrected task, before");
        assert_eq!((before.count, after.count), (Some(100), Some(100)));
        assert!((gain.value - 0.88).abs() < 1e-12, "{}", gain.value);
        let gain = gain.with_bar(Some(Bar::AtLeast(GAIN)));
        assert_eq!(gain.is_met(), Some(true));
    }
}
