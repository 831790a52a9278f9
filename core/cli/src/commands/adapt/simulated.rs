//! Episodes in a simulated world: what the policy did well before, and whether it still does.

use std::path::Path;

use vola_runtime::{Driver, PrimitiveObserver, Unobserved};
use vola_train::StepWords;
use vola_types::{Op, Relation};

use crate::{
    arguments::{Clock, SharedArguments},
    commands::{
        eval::{
            Combos, Conditions, Job, NamedTarget, Perturb, Phrases, Points, View, primitive_episode,
        },
        workers::{self, Progress},
    },
    failure::Failure,
    output::Console,
    recording::RecordingDesk,
    robot::SessionRobot,
    workplace::{SessionWish, Workplace},
};

/// Episodes of which the old examples are made: a sample that stays below some megabytes.
const OLD: usize = 56;
/// First scenes of the old examples, and of the check. Evaluation sees neither.
const FIRST_OLD: u64 = 700_000;
const FIRST_CHECK: u64 = 800_000;
/// Sessions side by side.
const WORKERS: usize = 2;

/// How the simulated robot is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// What is wrong with it.
    pub(super) perturb: Option<Perturb>,
    /// Seed of how wrong; none for another strength in every scene.
    pub(super) seed: Option<u64>,
}

impl Situation {
    fn job(self, task: &str, seed: u64) -> Job {
        Job {
            task: task.to_owned(),
            seed,
            through_planner: false,
            perturb: self.perturb,
            perturb_seed: self.seed,
        }
    }
}

/// Lets the policy do tasks as the robot is now, and records them.
///
/// # Errors
/// When there is no simulated world, or it fails.
pub(super) fn record_old(
    workplace: &Workplace,
    (situation, tasks): (Situation, &[&str]),
    folder: &Path,
    console: Console,
) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(folder);
    let tasks = tasks.iter().cycle().zip(FIRST_OLD..).take(OLD);
    let jobs: Vec<Job> = tasks
        .map(|(task, seed)| situation.job(task, seed))
        .collect();
    let desk = RecordingDesk::at(workplace.deployment(), folder, Clock::Virtual);
    episodes(workplace, &jobs, Some(&desk), ("old tasks", console))?;
    Ok(())
}

/// How many of `count` episodes each of `tasks` succeed in with a version of the bundle.
///
/// # Errors
/// As [`record_old`].
pub(super) fn successes(
    shared: &SharedArguments,
    (bundle, version): (&Path, &str),
    (tasks, count): (&[&str], usize),
    (situation, console): (Situation, Console),
) -> Result<usize, Failure> {
    let workplace = Workplace::open_version(shared, bundle, version)?;
    let scenes = tasks
        .iter()
        .flat_map(|task| (FIRST_CHECK..).take(count).map(move |seed| (task, seed)));
    let jobs: Vec<Job> = scenes
        .map(|(task, seed)| situation.job(task, seed))
        .collect();
    episodes(&workplace, &jobs, None, (version_words(version), console))
}

fn version_words(version: &str) -> &'static str {
    if version == vola_bundle::BASE_VERSION {
        "checking before"
    } else {
        "checking after"
    }
}

/// Does all jobs; how many succeed.
fn episodes(
    workplace: &Workplace,
    jobs: &[Job],
    desk: Option<&RecordingDesk>,
    (words, console): (&'static str, Console),
) -> Result<usize, Failure> {
    let conditions = Conditions {
        driver: Driver::Policy,
        points: Points::FromScene,
        phrases: Phrases::Canonical,
        combos: Combos::All,
        target: NamedTarget::True,
        view: View::Scene,
    };
    let open = || {
        let session = workplace.session(SessionWish::new(Clock::Virtual, FIRST_OLD))?;
        let mut robot = SessionRobot::new(session);
        if let Some(desk) = desk {
            robot.record_with(desk)?;
        }
        Ok(move |job: &Job| {
            let recording = robot.recording();
            let told = (
                recording.as_ref(),
                &mut Unobserved as &mut dyn PrimitiveObserver,
            );
            primitive_episode(robot.session(), job, &conditions, told)
        })
    };
    let bar = Progress::new(jobs.len(), words, console.is_json());
    let mut succeeded = 0;
    workers::run_in_order(WORKERS, jobs, open, |_, outcome| {
        succeeded += usize::from(outcome.success);
        bar.step();
        Ok(())
    })?;
    bar.finish();
    Ok(succeeded)
}

/// The task of the suite that a step belongs to.
pub(super) fn task_of(step: &StepWords) -> &'static str {
    let target = step.target.as_ref();
    let kind = target.and_then(|target| target.kind.as_deref());
    let is_region = target.is_some_and(|target| target.region.is_some());
    match (step.op, target.and_then(|target| target.relation)) {
        (Op::Push, _) if is_region => "push_to_region",
        (Op::Push, _) => "push",
        (Op::Open | Op::Close, _) => "drawer",
        (Op::Place, _) if is_region => "place_on_region",
        (Op::Place, Some(Relation::In)) if kind == Some("drawer") => "place_in_drawer",
        (Op::Place, Some(Relation::In)) => "place_in",
        (Op::Place, Some(Relation::On)) => "stack",
        (Op::Place, _) => "relation",
        _ => "pick",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_belong_to_tasks() {
        for (sentence, task) in [
            ("pick up the red block", "pick"),
            ("push the red block to the left", "push"),
            ("place the red block in the blue bowl", "place_in"),
            ("place the red block on the green block", "stack"),
            ("place the red block on the middle", "place_on_region"),
            ("open the drawer", "drawer"),
        ] {
            let step = vola_train::parse_step(sentence).unwrap();
            assert_eq!(task_of(&step), task, "{sentence}");
        }
    }
}
