//! Learning from corrections by itself, while the robot is served or talked with.
//!
//! When the folder of recordings holds as many corrections as `[adaptation]
//! after_corrections` says, of which nothing was learned yet, the same adaptation as
//! `vola policy adapt` runs in a process of its own, which gives way to all others. It
//! stands still while a sentence is done or a person has the arm. What comes of it is
//! a version of the bundle, or nothing; the session that runs keeps what it has, and
//! an accepted version runs from the next start.

mod corrections;
mod course;
mod pupil;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::json;
use vola_bundle::{AdaptationSettings, Bundle, BundleError, PolicySettings, VersionShare};

use crate::{arguments::SharedArguments, failure::Failure, workplace::Workplace};

use corrections::Corrections;
pub(crate) use course::News;
use course::{Course, Lesson, Verdict};
use pupil::{Process, Task};

/// Time between two looks at the recordings.
const LOOK: Duration = Duration::from_secs(2);

/// Looks for corrections and learns from them.
pub(crate) struct Learner {
    bundle: PathBuf,
    settings: AdaptationSettings,
    /// The deployment names the version that runs.
    is_version_named: bool,
    task: Task,
    corrections: Corrections,
    course: Course<Process>,
    looked: Option<Instant>,
}

impl Learner {
    /// The learner of a deployment; none where it does not learn by itself. A robot
    /// that `is_simulated` may be tried meanwhile, by a simulation of its own.
    ///
    /// # Errors
    /// When the bundle cannot be opened.
    pub(crate) fn of(
        workplace: &Workplace,
        shared: &SharedArguments,
        is_simulated: bool,
    ) -> Result<Option<Self>, Failure> {
        let deployment = workplace.deployment();
        let settings = *deployment.adaptation();
        let policy = deployment.policy().map(PolicySettings::bundle);
        let (Some(after), Some(bundle), Some(folder)) = (
            settings.after_corrections(),
            policy,
            deployment.record().folder(),
        ) else {
            return Ok(None);
        };
        let hash = Bundle::open(bundle)?.policy_hash()?;
        Ok(Some(Self {
            bundle: bundle.to_owned(),
            settings,
            is_version_named: deployment
                .policy()
                .is_some_and(|policy| policy.version().is_some()),
            task: Task::new(shared, deployment.file(), (bundle, folder), is_simulated),
            corrections: Corrections::new(folder, bundle, hash),
            course: Course::new(after),
            looked: None,
        }))
    }

    /// Looks at recordings and at what was begun; news where there are any. To be
    /// called while the arm rests.
    pub(crate) fn glance(&mut self) -> Option<News> {
        let is_due = self.looked.is_none_or(|last| last.elapsed() >= LOOK);
        if !is_due && !self.course.is_resting() {
            return None;
        }
        self.looked = Some(Instant::now());
        // Counted only when something could begin.
        let unlearned = if self.course.is_learning() {
            0
        } else {
            self.corrections.unlearned()
        };
        let (bundle, task, settings) = (&self.bundle, &self.task, self.settings);
        let has_old = self.corrections.has_old();
        let lesson = self.course.glance(unlearned, || {
            let name = free_name(bundle)?;
            let process = task.start(&name, settings, has_old);
            let process = process.map_err(|error| format!("it cannot be started: {error}"))?;
            Ok((name, process))
        })?;
        Some(self.tell(&lesson))
    }

    /// The arm is about to move: what learns stands still.
    pub(crate) fn rest(&mut self) {
        self.course.rest();
    }

    fn tell(&self, lesson: &Lesson) -> News {
        let mut news = lesson.news();
        if let Some(runs) = self.run_from_now(lesson) {
            news.words = format!("{}; {runs}", news.words);
        }
        news.about["version"] = json!(lesson.version);
        news
    }

    /// Lets an accepted version run from the next start; what that means, in words.
    fn run_from_now(&self, lesson: &Lesson) -> Option<String> {
        if !matches!(lesson.verdict, Some(Verdict::Accepted { .. })) {
            return None;
        }
        let version = &lesson.version;
        if self.is_version_named {
            return Some(format!("it runs when `[policy] version` is \"{version}\""));
        }
        Some(match choose(&self.bundle, version) {
            Ok(None) => "it runs from the next start".to_owned(),
            Ok(Some(other)) => format!(
                "{other} was chosen by a person and stays: `vola policy versions --use {version}` lets the new one run"
            ),
            Err(error) => format!("it could not be chosen: {error}"),
        })
    }
}

/// Names of versions that were learned here, before their number.
const LEARNED: &str = "learned-";

/// Lets a version run, unless a person chose another, which is given. An earlier one
/// from here gives way: the new one has its corrections and more.
fn choose(bundle: &std::path::Path, version: &str) -> Result<Option<String>, BundleError> {
    let bundle = Bundle::open(bundle)?;
    // Only a person writes that the bundle is to run as it is.
    let is_own = |name: &str| name.starts_with(LEARNED);
    if let Some(used) = bundle.version_in_use()?
        && !(is_own(&used.version) && used.share >= 1.0)
    {
        return Ok(Some(used.version));
    }
    bundle.use_version(&VersionShare {
        version: version.to_owned(),
        share: 1.0,
    })?;
    Ok(None)
}

/// `learned-1`, or the next that no version has.
fn free_name(bundle: &std::path::Path) -> Result<String, String> {
    let versions = Bundle::open(bundle).and_then(|bundle| bundle.versions());
    let taken = versions.map_err(|error| error.to_string())?;
    let name = |number: usize| format!("{LEARNED}{number}");
    let free = (1..=taken.len() + 1).map(name);
    free.into_iter()
        .find(|name| taken.iter().all(|known| known.name != *name))
        .ok_or_else(|| "every name is taken".to_owned())
}
