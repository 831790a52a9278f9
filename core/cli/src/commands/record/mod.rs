//! `vola record`: what a session does, and demonstrations by the simulation's
//! scripted expert.
//!
//! Without `--expert` a person drives: by sentences as in `vola chat`, and by
//! hand where the session lets a person take over. Every sentence is an episode of
//! a LeRobot data set. With it, shards of demonstrations are written for training.
//!
//! The expert drives through the same runtime, safety layer included, as the
//! policy later does, so that what is learned is what will be executed. Jobs are
//! handed out by number and written in that order: the data depends on the seed
//! alone, not on the number of workers.

mod demonstration;
mod frame_labels;
mod takeover;

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use vola_runtime::{Driver, ExpertNoise, PolicyUse};
use vola_train::{FrameShape, ShardWriter};
use vola_types::PluginId;

use crate::{
    arguments::{Clock, SharedArguments},
    chat::HoldToRun,
    commands::{
        chat::{self, ChatArguments},
        workers::{self, Progress},
    },
    failure::{Failure, exit},
    measure::PRIMITIVE_TASKS,
    output::{Align, Console, Table, percent},
    workplace::{SessionWish, Workplace},
};

use demonstration::{Demonstration, demonstrate};

/// Camera that training reads.
const CAMERA: &str = "front";

/// Standard deviation of a row's translation (m). Source: the trial of this
/// recipe, where 6 mm spread the states enough and cost the expert nothing.
const NOISE_TRANSLATION_M: f64 = 0.006;
/// Standard deviation of a row's turn (rad).
const NOISE_ROTATION_RAD: f64 = 0.04;
/// Probability of a kick at a decision.
const KICK_PROBABILITY: f64 = 0.02;
/// Standard deviation of a kick (m).
const KICK_M: f64 = 0.03;
/// Standard deviation of a kick's turn (rad). Without it the expert never stands
/// over a block with the wrist astray, and what learns from it takes "over the
/// block" for "turned enough".
const KICK_RAD: f64 = 0.4;
/// Probability of a wrong gripper command at a decision.
const GRIPPER_FLIP_PROBABILITY: f64 = 0.006;

/// `vola record`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RecordArguments {
    /// Let the simulation's scripted expert show how it is done
    #[arg(long)]
    pub(crate) expert: bool,
    /// Virtual time, when a person drives
    #[arg(long, conflicts_with = "expert")]
    pub(crate) fast: bool,
    /// Demonstrations to try; failed ones are dropped and counted
    #[arg(long, default_value_t = 1000)]
    pub(crate) episodes: usize,
    /// Seed of the first scene; scenes from 1 000 000 up are kept for evaluation
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Folder for the episodes or shards; existing ones are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Tasks, taken in turn
    #[arg(long, value_delimiter = ',', default_values_t = PRIMITIVE_TASKS.map(str::to_owned))]
    pub(crate) tasks: Vec<String>,
    /// Arms, taken in turn [default: the deployment's]
    #[arg(long, value_delimiter = ',', value_name = "ID")]
    pub(crate) arms: Vec<String>,
    /// Sessions that work side by side
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: u16,
    /// Do not disturb the expert
    #[arg(long, requires = "expert")]
    pub(crate) clean: bool,
    /// Let the policy drive and write down what the expert would have done: what a
    /// policy learns from its own mistakes
    #[arg(long, requires = "expert")]
    pub(crate) corrections: bool,
    /// Let the policy drive until it is seen to go wrong, then let the expert take over as an
    /// operator would; recorded as a data set, for `vola policy adapt`
    #[arg(long, requires = "expert", conflicts_with = "corrections")]
    pub(crate) takeovers: bool,
    /// What is wrong in every scene, with `--takeovers`: the name of a perturbation
    #[arg(
        long,
        requires = "takeovers",
        value_name = "NAME",
        default_value = "none"
    )]
    pub(crate) perturb: String,
    /// Make it the same in every scene: drawn with this seed
    #[arg(long, requires = "takeovers", value_name = "K")]
    pub(crate) perturb_seed: Option<u64>,
    /// Keep what the expert itself sees failing, so that a policy learns to see
    /// it too; its last frames carry no action
    #[arg(long, requires = "expert")]
    pub(crate) keep_failing: bool,
}

/// Tasks that are recorded when none are named.
pub(crate) fn default_tasks() -> Vec<String> {
    PRIMITIVE_TASKS.map(str::to_owned).to_vec()
}

/// Scenes from this seed up are never trained on.
pub(crate) const FIRST_EVALUATION_SEED: u64 = 1_000_000;

/// One demonstration to make.
#[derive(Clone, Debug)]
struct Job {
    seed: u64,
    task: String,
    arm: usize,
    driver: Driver,
    failing: Failing,
}

/// What becomes of demonstrations that the expert itself sees failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failing {
    /// They are dropped, like all that did not reach the goal.
    Drop,
    /// They are kept.
    Keep,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &RecordArguments,
    console: Console,
) -> Result<u8, Failure> {
    if !own.expert {
        let session = ChatArguments {
            seed: own.seed,
            fast: own.fast,
            record: Some(own.out.clone()),
            hold: HoldToRun::default(),
            record_control: None,
            page: false,
        };
        return chat::run(shared, &session, console);
    }
    let counts = record(shared, own, console)?;
    report(&counts, own, console)?;
    Ok(exit::DONE)
}

/// How many were tried and kept, by task.
pub(crate) type Counts = BTreeMap<String, (usize, usize)>;

/// Records as asked; how many were tried and kept.
///
/// # Errors
/// When the robot, the world or the folder cannot be used.
pub(crate) fn record(
    shared: &SharedArguments,
    own: &RecordArguments,
    console: Console,
) -> Result<Counts, Failure> {
    if own.takeovers {
        let most = usize::try_from(takeover::TRIES).unwrap_or(usize::MAX);
        check_seeds(own.seed, own.episodes.saturating_mul(most))?;
        return takeover::record(shared, own, console);
    }
    check_seeds(own.seed, own.episodes)?;
    let arms = arms(shared, own)?;
    let workplaces: Vec<Workplace> = arms
        .iter()
        .map(|arm| Workplace::open_for(shared, arm))
        .collect::<Result<_, _>>()?;
    let jobs: Vec<Job> = (0..own.episodes)
        .map(|index| job(own, arms.len(), index))
        .collect();
    let shape = FrameShape::tabletop();
    let mut writer = ShardWriter::create(&own.out, shape)?;
    let mut counts = Counts::new();
    let progress = Progress::new(jobs.len(), "recording", console.is_json());
    let open = || {
        // A session for each arm, opened when its first job comes.
        let mut sessions: Vec<Option<vola_runtime::Session>> =
            workplaces.iter().map(|_| None).collect();
        let workplaces = &workplaces;
        Ok(move |job: &Job| -> Result<Demonstration, Failure> {
            let slot = sessions
                .get_mut(job.arm)
                .ok_or(Failure::Worker { index: job.arm })?;
            if slot.is_none() {
                let mut wish = SessionWish::new(Clock::Virtual, own.seed);
                if !own.corrections {
                    wish.policy = PolicyUse::None;
                    wish.cameras = vec![CAMERA.to_owned()];
                }
                *slot = Some(workplaces[job.arm].session(wish)?);
            }
            let session = slot.as_mut().ok_or(Failure::Worker { index: job.arm })?;
            let embodiment = i64::try_from(job.arm).unwrap_or(i64::MAX);
            demonstrate(session, job, shape, embodiment)
        })
    };
    workers::run_in_order(
        usize::from(own.workers),
        &jobs,
        open,
        |index, demonstration| {
            let task = jobs
                .get(index)
                .map_or_else(String::new, |job| job.task.clone());
            let (tried, kept) = counts.entry(task).or_default();
            *tried += 1;
            progress.step();
            match demonstration {
                Demonstration::Good(episode) => {
                    *kept += 1;
                    Ok(writer.push(*episode)?)
                }
                Demonstration::Failed { reason } => {
                    tracing::info!(index, reason, "a demonstration was dropped");
                    Ok(())
                }
            }
        },
    )?;
    progress.finish();
    writer.finish()?;
    Ok(counts)
}

/// Scenes from here on are kept for evaluation: nothing is made from them.
///
/// # Errors
/// When so many scenes from `first` on reach into them.
pub(crate) fn check_seeds(first: u64, scenes: usize) -> Result<(), Failure> {
    let last = first.saturating_add(scenes as u64);
    if last <= FIRST_EVALUATION_SEED {
        return Ok(());
    }
    Err(Failure::Argument {
        argument: "--seed".to_owned(),
        expected: format!(
            "scenes below seed {FIRST_EVALUATION_SEED}, which are kept for evaluation"
        ),
        got: format!("{first} to {last}"),
        help: "choose a smaller --seed or fewer --episodes".to_owned(),
    })
}

fn arms(shared: &SharedArguments, own: &RecordArguments) -> Result<Vec<PluginId>, Failure> {
    if own.arms.is_empty() {
        return Ok(vec![
            Workplace::open(shared)?
                .deployment()
                .robot()
                .plugin()
                .clone(),
        ]);
    }
    Ok(own
        .arms
        .iter()
        .map(|id| PluginId::parse(id))
        .collect::<Result<_, _>>()?)
}

/// The demonstration of a number: tasks in turn, arms in turn below them, noise
/// absent in a quarter of the episodes and half as strong again in another.
fn job(own: &RecordArguments, arms: usize, index: usize) -> Job {
    let task = own
        .tasks
        .get(index % own.tasks.len().max(1))
        .cloned()
        .unwrap_or_default();
    let round = index / own.tasks.len().max(1);
    let strength = match (own.clean, (round / arms.max(1)) % 4) {
        (true, _) | (false, 0) => 0.0,
        (false, 1) => 1.5,
        (false, _) => 1.0,
    };
    let driver = if own.corrections {
        Driver::Corrected
    } else {
        Driver::Expert {
            noise: noise(&task, strength),
        }
    };
    let failing = if own.keep_failing {
        Failing::Keep
    } else {
        Failing::Drop
    };
    Job {
        seed: own.seed + index as u64,
        task,
        arm: round % arms.max(1),
        driver,
        failing,
    }
}

/// The disturbance of a task at a strength. Where a block must come to stand on
/// a block, half as much; where something is carried, no gripper opens by chance.
fn noise(task: &str, strength: f64) -> ExpertNoise {
    let part = if task == "stack" { 0.5 } else { 1.0 };
    let carries = !matches!(task, "pick" | "push" | "push_to_region" | "drawer");
    let happens = |probability: f64| if strength > 0.0 { probability } else { 0.0 };
    ExpertNoise {
        translation_m: strength * part * NOISE_TRANSLATION_M,
        rotation_rad: strength * part * NOISE_ROTATION_RAD,
        kick_probability: happens(KICK_PROBABILITY),
        kick_m: part * KICK_M,
        kick_rad: part * KICK_RAD,
        gripper_flip_probability: happens(if carries {
            0.0
        } else {
            GRIPPER_FLIP_PROBABILITY
        }),
    }
}

fn report(counts: &Counts, own: &RecordArguments, console: Console) -> Result<(), Failure> {
    let (tried, kept) = counts
        .values()
        .fold((0, 0), |sum, (tried, kept)| (sum.0 + tried, sum.1 + kept));
    if console.is_json() {
        let tasks: BTreeMap<&String, serde_json::Value> = counts
            .iter()
            .map(|(task, (tried, kept))| (task, serde_json::json!({"tried": tried, "kept": kept})))
            .collect();
        return console.object(&serde_json::json!({
            "recorded": {"folder": own.out, "tried": tried, "kept": kept, "tasks": tasks}
        }));
    }
    let mut table = Table::new(&[
        ("task", Align::Left),
        ("tried", Align::Right),
        ("kept", Align::Right),
        ("", Align::Right),
    ]);
    #[expect(clippy::cast_precision_loss, reason = "counts of episodes")]
    let share = |kept: usize, tried: usize| percent(kept as f64 / tried as f64);
    for (task, (tried, kept)) in counts {
        table.row([
            task.clone(),
            tried.to_string(),
            kept.to_string(),
            share(*kept, *tried),
        ]);
    }
    table.row([
        "all".to_owned(),
        tried.to_string(),
        kept.to_string(),
        share(kept, tried),
    ]);
    console.write(&table.render(console.style()))?;
    console.line(&format!("written to {}", own.out.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> RecordArguments {
        RecordArguments {
            expert: true,
            fast: false,
            episodes: 64,
            seed: 5,
            out: PathBuf::new(),
            tasks: vec!["pick".to_owned(), "push".to_owned()],
            arms: Vec::new(),
            workers: 1,
            clean: false,
            corrections: false,
            keep_failing: false,
            takeovers: false,
            perturb: "none".to_owned(),
            perturb_seed: None,
        }
    }

    #[test]
    fn every_task_meets_every_arm_and_every_noise() {
        let own = arguments();
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..own.episodes {
            let job = job(&own, 2, index);
            assert_eq!(job.seed, 5 + index as u64);
            seen.insert((job.task, job.arm, format!("{:?}", job.driver)));
        }
        assert_eq!(seen.len(), 2 * 2 * 3);
        let clean = RecordArguments {
            clean: true,
            ..own.clone()
        };
        let undisturbed = noise("pick", 0.0);
        assert!((0..20).all(|index| {
            job(&clean, 1, index).driver == Driver::Expert { noise: undisturbed }
        }));
        assert!(undisturbed.kick_probability <= 0.0 && undisturbed.translation_m <= 0.0);
        // What is carried is not dropped by chance.
        assert!(noise("stack", 1.0).gripper_flip_probability <= 0.0);
    }

    #[test]
    fn evaluation_scenes_are_not_recorded() {
        assert!(check_seeds(arguments().seed, arguments().episodes).is_ok());
        let error = check_seeds(999_990, arguments().episodes).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
