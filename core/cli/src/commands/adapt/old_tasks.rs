//! What the policy did well before, recorded now where the robot is simulated.

use std::path::Path;

use vola_runtime::{Driver, PrimitiveObserver, Unobserved};

use crate::{
    arguments::Clock,
    commands::{
        eval::{Combos, Conditions, Job, NamedTarget, Phrases, Points, View, primitive_episode},
        workers::{self, Progress},
    },
    failure::Failure,
    output::Console,
    recording::RecordingDesk,
    robot::SessionRobot,
    workplace::{SessionWish, Workplace},
};

/// Tasks, taken in turn.
const TASKS: [&str; 8] = [
    "pick",
    "place_in",
    "push",
    "drawer",
    "stack",
    "relation",
    "place_on_region",
    "push_to_region",
];
/// Episodes: a sample that stays below some megabytes.
const EPISODES: u64 = 48;
/// First scene. Evaluation never sees them.
const FIRST_SEED: u64 = 700_000;
/// Sessions side by side.
const WORKERS: usize = 2;

/// Lets the policy do its old tasks, and records them.
///
/// # Errors
/// When there is no simulated world, or it fails.
pub(super) fn record(
    workplace: &Workplace,
    folder: &Path,
    console: Console,
) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(folder);
    let jobs: Vec<Job> = (0..EPISODES)
        .map(|index| Job {
            task: TASKS[index as usize % TASKS.len()].to_owned(),
            seed: FIRST_SEED + index,
            through_planner: false,
            perturb: None,
            perturb_seed: None,
        })
        .collect();
    let conditions = Conditions {
        driver: Driver::Policy,
        points: Points::FromScene,
        phrases: Phrases::Canonical,
        combos: Combos::All,
        target: NamedTarget::True,
        view: View::Scene,
    };
    let desk = RecordingDesk::at(workplace.deployment(), folder, Clock::Virtual);
    let open = || {
        let session = workplace.session(SessionWish::new(Clock::Virtual, FIRST_SEED))?;
        let mut robot = SessionRobot::new(session);
        robot.record_with(&desk)?;
        Ok(move |job: &Job| {
            let recording = robot.recording();
            let told = (
                recording.as_ref(),
                &mut Unobserved as &mut dyn PrimitiveObserver,
            );
            primitive_episode(robot.session(), job, &conditions, told)
        })
    };
    let bar = Progress::new(jobs.len(), "old tasks", console.is_json());
    workers::run_in_order(WORKERS, &jobs, open, |_, _| {
        bar.step();
        Ok(())
    })?;
    bar.finish();
    Ok(())
}
