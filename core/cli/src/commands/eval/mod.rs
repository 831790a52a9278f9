//! `vola eval`: how often tasks succeed, measured by the world.
//!
//! Every episode is a scene that training never saw. The world says what is to
//! be done and, at the end, whether it is done; where things are is read from
//! the camera, as in a run. Sessions in virtual time work side by side, and jobs
//! are handed out by number, so the result does not depend on their number.

mod aggregate;
mod commands_suite;
mod documents_suite;
mod episode_outcome;
mod handoff;
mod operator;
mod perturb;
mod planner_execution;
mod planner_goals;
mod planner_report;
mod planner_suite;
mod primitive_episode;
mod scene_quality;
mod task_words;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use vola_bundle::Backend;
use vola_runtime::{Driver, ExpertNoise, FilterUse, PolicyUse, PrimitiveObserver, Unobserved};
use vola_types::PluginId;

use crate::{
    arguments::{Clock, SharedArguments},
    commands::workers::{self, Progress},
    conversation::Conversation,
    failure::{Failure, exit},
    measure::PRIMITIVE_TASKS,
    output::Console,
    recording::RecordingDesk,
    robot::SessionRobot,
    rungs::backend_of,
    workplace::{Instead, SessionWish, Workplace},
};

use aggregate::{Measured, print_results};
use commands_suite::command_episode;
pub(crate) use episode_outcome::EpisodeOutcome;
pub(crate) use perturb::{Perturb, condition_of, conditions_of, name_of};
pub(crate) use primitive_episode::{NOT_SEEN, STOPPED, primitive_episode, seen_goal};
use scene_quality::{AFTER, scene_after, scene_episode};

/// Tasks of the tabletop suite.
const TABLETOP: [&str; 10] = {
    let [a, b, c, d, e, f, g, h, i] = PRIMITIVE_TASKS;
    [a, b, c, d, e, f, g, h, i, "multi"]
};
/// Tasks of the suite that goes through sentences and the planner: the same ones,
/// whole, with an empty hand at the start.
const COMMANDS: [&str; 10] = TABLETOP;
/// Tasks of the scene suite: a fresh table, one on which something was already
/// done, and what is remembered after a command.
const SCENE: [&str; 6] = [
    "scene",
    "scene_filled",
    "after_place_in",
    "after_stack",
    "after_drawer",
    "after_push",
];

/// `vola eval`.
#[derive(Clone, Debug, Args)]
pub(crate) struct EvalArguments {
    /// What is measured
    #[arg(long, value_enum, default_value_t = Suite::Tabletop)]
    pub(crate) suite: Suite,
    /// One task of the suite (may be repeated) [default: all]
    #[arg(long = "task", value_name = "TASK")]
    pub(crate) tasks: Vec<String>,
    /// Episodes a task
    #[arg(long, default_value_t = 50)]
    pub(crate) episodes: usize,
    /// Seed of the first scene; from 1 000 000 up training never saw them
    #[arg(long, default_value_t = crate::commands::record::FIRST_EVALUATION_SEED)]
    pub(crate) seed: u64,
    /// Sessions that work side by side
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: u16,
    /// Give the policy words alone, no goal points, where no two objects look alike
    #[arg(long)]
    pub(crate) words_only: bool,
    /// Sentences that the policy is given
    #[arg(long, value_enum, default_value_t = Phrases::Canonical)]
    pub(crate) phrases: Phrases,
    /// Colours and kinds that goals may name
    #[arg(long, value_enum, default_value_t = Combos::All)]
    pub(crate) combos: Combos,
    /// Proof that it looks: it gets words and black pictures
    #[arg(long)]
    pub(crate) black_images: bool,
    /// Proof that it listens: another target is named than the one measured
    #[arg(long)]
    pub(crate) shuffle_target: bool,
    /// Measure the simulation's expert instead of the policy
    #[arg(long)]
    pub(crate) expert: bool,
    /// Measure what the safety filter costs: send what the tracker says (simulation only)
    #[arg(long)]
    pub(crate) no_filter: bool,
    /// Another arm than the deployment's
    #[arg(long, value_name = "ID")]
    pub(crate) arm: Option<String>,
    /// Record what happens into this folder, one episode each
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// Sentences of the planner's or the documents' examination [default: those in tests/data]
    #[arg(long, value_name = "FILE")]
    pub(crate) sentences: Option<PathBuf>,
    /// The planner's back end that is asked first [default: the deployment's]
    #[arg(long, value_parser = ["claude", "openai", "local", "rules"])]
    pub(crate) backend: Option<String>,
    /// The share of good episodes that may be held, in the handoff suite [default: the deployment's]
    #[arg(long, value_name = "SHARE")]
    pub(crate) false_hold_rate: Option<f64>,
    /// Measure the robot alone and with somebody who is asked and takes over, in the handoff suite
    #[arg(long, value_enum, value_name = "WHO", conflicts_with = "record")]
    pub(crate) operator: Option<Attendance>,
    /// Commands out of the phrase book in the planner's examination
    #[arg(long, default_value_t = 2000, value_name = "N")]
    pub(crate) commands: usize,
    /// Disturb the scene: names of perturbations, `all` or `none`, each in turn
    #[arg(long, value_name = "NAME[,NAME…]", default_value = "none")]
    pub(crate) perturb: String,
    /// Make the perturbation the same in every scene: drawn with this seed
    #[arg(long, value_name = "K")]
    pub(crate) perturb_seed: Option<u64>,
    /// Version of the bundle that runs; `base` is the bundle as it is [default: the deployment's]
    #[arg(long, value_name = "NAME")]
    pub(crate) version: Option<String>,
}

impl EvalArguments {
    /// Whether episodes are disturbed on purpose.
    pub(crate) fn perturbs(&self) -> bool {
        self.suite == Suite::Handoff || self.perturb != "none"
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// The policy's primitives, one by one, and short sequences
    Tabletop,
    /// Sentences through the planner
    Commands,
    /// How well the camera's scene fits the true one
    Scene,
    /// The planner alone: sentences with scenes and answers, no robot
    Planner,
    /// Questions over the shipped manual, with and without commands
    Documents,
    /// How well it is known when an episode fails: false holds, and failures
    /// found under every perturbation
    Handoff,
}

/// Who is beside the robot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attendance {
    /// A simulated operator, who sees the table and has hands as a person has
    Simulated,
}

/// Sentences that the policy is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Phrases {
    /// The ones of a run
    Canonical,
    /// Any that training used
    Training,
    /// Ones that training never used
    HeldOut,
}

/// Colours and kinds that goals may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Combos {
    /// Any
    All,
    /// Those that training used as targets
    Train,
    /// Those that training never used as targets
    #[value(name = "held_out", alias = "held-out")]
    HeldOut,
}

impl Combos {
    /// The word that the world reads.
    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Train => "train",
            Self::HeldOut => "held_out",
        }
    }
}

/// One episode to measure.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// The task's word.
    pub(crate) task: String,
    /// Seed of its scene.
    pub(crate) seed: u64,
    /// Whether it goes through a sentence and the planner.
    pub(crate) through_planner: bool,
    /// What is wrong with it on purpose.
    pub(crate) perturb: Option<Perturb>,
    /// Seed of how wrong it is; none for the scene's own.
    pub(crate) perturb_seed: Option<u64>,
}

impl Job {
    /// Asks the world for what is wrong with the episode.
    pub(crate) fn disturb(&self, wish: &mut Value) {
        if let Some(perturb) = self.perturb.and_then(Perturb::of_world) {
            wish["perturb"] = json!([perturb]);
            wish["perturb_seed"] = json!(self.perturb_seed);
        }
    }
}

/// How all episodes of a call are done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// Who drives.
    pub(crate) driver: Driver,
    /// Goal points or words alone.
    pub(crate) points: Points,
    /// Which sentences.
    pub(crate) phrases: Phrases,
    /// Which combinations.
    pub(crate) combos: Combos,
    /// Which target is named.
    pub(crate) target: NamedTarget,
    /// What the policy sees.
    pub(crate) view: View,
}

/// What the policy's cameras show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// The scene.
    Scene,
    /// Nothing.
    Black,
}

/// Whether the policy gets goal points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Points {
    /// From the camera's scene.
    FromScene,
    /// None.
    None,
}

/// Which target the policy is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedTarget {
    /// The one that is measured.
    True,
    /// Another one.
    Other,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &EvalArguments,
    console: Console,
) -> Result<u8, Failure> {
    if own.operator.is_some() && own.suite != Suite::Handoff {
        return Err(nobody_to_ask());
    }
    if matches!(own.suite, Suite::Planner | Suite::Documents) {
        return examine(shared, own, console);
    }
    if own.suite == Suite::Handoff {
        return match own.operator {
            None => handoff::run(shared, own, console),
            Some(Attendance::Simulated) => operator::run(shared, own, console),
        };
    }
    let tasks = tasks(own)?;
    let first = first_backend(own, &tasks)?;
    let perturbs = perturbs(own)?;
    let arm = own.arm.as_deref().map(PluginId::parse).transpose()?;
    let workplace = Workplace::open_to_measure(
        shared,
        &Instead {
            arm: arm.as_ref(),
            version: own.version.as_deref(),
            ..Instead::default()
        },
    )?;
    let jobs: Vec<Job> = perturbs
        .iter()
        .flat_map(|perturb| tasks.iter().map(move |task| (perturb, task)))
        .flat_map(|(perturb, task)| {
            (0..own.episodes).map(|index| Job {
                perturb: *perturb,
                ..job(own, task, index)
            })
        })
        .collect();
    let conditions = conditions(own);
    let progress = Progress::new(jobs.len(), "measuring", console.is_json());
    let started = std::time::Instant::now();
    let desk = own
        .record
        .as_deref()
        .map(|folder| RecordingDesk::at(workplace.deployment(), folder, Clock::Virtual));
    let open = || {
        let mut robot = SessionRobot::new(workplace.session(wish(own))?);
        let mut conversation = Conversation::starting_with(Some(workplace.deployment()), first)?;
        if let Some(desk) = &desk {
            robot.record_with(desk)?;
        }
        Ok(move |job: &Job| -> Result<EpisodeOutcome, Failure> {
            match (job.task.as_str(), job.through_planner) {
                ("scene" | "scene_filled", _) => scene_episode(robot.session(), job),
                (task, _) if task.starts_with(AFTER) => {
                    scene_after(&mut robot, &mut conversation, job, &conditions)
                }
                (_, true) => command_episode(&mut robot, &mut conversation, job, &conditions),
                (_, false) => {
                    let recording = robot.recording();
                    let told = (
                        recording.as_ref(),
                        &mut Unobserved as &mut dyn PrimitiveObserver,
                    );
                    primitive_episode(robot.session(), job, &conditions, told)
                }
            }
        })
    };
    let mut outcomes: Vec<EpisodeOutcome> = Vec::with_capacity(jobs.len());
    workers::run_in_order(usize::from(own.workers), &jobs, open, |index, outcome| {
        tracing::info!(
            task = jobs[index].task,
            seed = jobs[index].seed,
            ?outcome,
            "episode"
        );
        outcomes.push(outcome);
        progress.step();
        Ok(())
    })?;
    progress.finish();
    let arm = workplace.deployment().robot().plugin().to_string();
    let measured = Measured {
        arm,
        tasks,
        perturbs,
        jobs,
        outcomes,
        filter: wish(own).filter,
        wall_seconds: started.elapsed().as_secs_f64(),
    };
    print_results(&measured, console)?;
    Ok(exit::DONE)
}

/// The planner's examinations, which need no robot.
fn examine(shared: &SharedArguments, own: &EvalArguments, console: Console) -> Result<u8, Failure> {
    let workplace = Workplace::open(shared)?;
    let first = own.backend.as_deref().and_then(backend_of);
    let deployment = Some(workplace.deployment());
    let conversation = Conversation::starting_with(deployment, first)?;
    let file = own.sentences.as_deref();
    if own.suite == Suite::Documents {
        documents_suite::run(&conversation, file, console)?;
    } else {
        let generated = (own.commands, own.seed);
        planner_suite::run(&conversation, file, generated, console)?;
    }
    Ok(exit::DONE)
}

fn nobody_to_ask() -> Failure {
    Failure::Argument {
        argument: "--operator".to_owned(),
        expected: "the suite in which somebody is asked".to_owned(),
        got: "another suite".to_owned(),
        help: "add `--suite handoff`".to_owned(),
    }
}

/// The perturbations asked for. A wrong instruction takes a primitive's words, so
/// only the suites of primitives have it.
fn perturbs(own: &EvalArguments) -> Result<Vec<Option<Perturb>>, Failure> {
    let perturbs = conditions_of(&own.perturb)?;
    let misnames = perturbs.iter().flatten().any(|one| one.is_misnaming());
    if misnames && matches!(own.suite, Suite::Commands | Suite::Scene) {
        return Err(Failure::Argument {
            argument: "--perturb".to_owned(),
            expected: "perturbations that the world makes, in this suite".to_owned(),
            got: own.perturb.clone(),
            help: "`--suite tabletop` and `--suite handoff` know a wrong instruction".to_owned(),
        });
    }
    Ok(perturbs)
}

/// The planner's back end that is asked first. Primitives go past the planner.
fn first_backend(own: &EvalArguments, tasks: &[String]) -> Result<Option<Backend>, Failure> {
    let Some(word) = own.backend.as_deref() else {
        return Ok(None);
    };
    if !tasks.iter().any(|task| job(own, task, 0).through_planner) {
        return Err(Failure::Argument {
            argument: "--backend".to_owned(),
            expected: "tasks that go through the planner".to_owned(),
            got: tasks.join(", "),
            help: "`--suite commands`, `--suite planner` and `--task multi` ask the planner"
                .to_owned(),
        });
    }
    Ok(backend_of(word))
}

/// The tasks asked for.
fn tasks(own: &EvalArguments) -> Result<Vec<String>, Failure> {
    let known: &[&str] = match own.suite {
        Suite::Tabletop => &TABLETOP,
        Suite::Commands => &COMMANDS,
        Suite::Scene => &SCENE,
        // It has sentences, not tasks.
        Suite::Planner | Suite::Documents => &[],
        Suite::Handoff => &PRIMITIVE_TASKS,
    };
    // The expert shows primitives, it does not plan.
    let usual = known
        .iter()
        .filter(|task| !(own.expert && **task == "multi"));
    if own.tasks.is_empty() {
        return Ok(usual.map(|task| (*task).to_owned()).collect());
    }
    for task in &own.tasks {
        if !known.contains(&task.as_str()) {
            return Err(Failure::Argument {
                argument: format!("--task {task}"),
                expected: format!("one of {}", known.join(", ")),
                got: task.clone(),
                help: "`--suite` chooses which tasks there are".to_owned(),
            });
        }
    }
    Ok(own.tasks.clone())
}

fn job(own: &EvalArguments, task: &str, index: usize) -> Job {
    Job {
        task: task.to_owned(),
        seed: own.seed + index as u64,
        through_planner: own.suite == Suite::Commands || task == "multi",
        perturb: None,
        perturb_seed: own.perturb_seed,
    }
}

fn conditions(own: &EvalArguments) -> Conditions {
    Conditions {
        driver: if own.expert {
            Driver::Expert {
                noise: ExpertNoise::default(),
            }
        } else {
            Driver::Policy
        },
        view: if own.black_images {
            View::Black
        } else {
            View::Scene
        },
        // A point would tell a blind policy where to go.
        points: if own.words_only || own.black_images {
            Points::None
        } else {
            Points::FromScene
        },
        phrases: own.phrases,
        combos: own.combos,
        target: if own.shuffle_target {
            NamedTarget::Other
        } else {
            NamedTarget::True
        },
    }
}

fn wish(own: &EvalArguments) -> SessionWish {
    let mut wish = SessionWish::new(Clock::Virtual, own.seed);
    if own.expert {
        wish.policy = PolicyUse::None;
    }
    if own.no_filter {
        wish.filter = FilterUse::OffInSimulation;
    }
    wish
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        own: EvalArguments,
    }

    fn parse(words: &str) -> EvalArguments {
        Line::parse_from(std::iter::once("eval").chain(words.split_whitespace())).own
    }

    #[test]
    fn tasks_belong_to_their_suite() {
        assert_eq!(tasks(&parse("")).unwrap().len(), TABLETOP.len());
        assert_eq!(tasks(&parse("--suite scene")).unwrap(), SCENE);
        assert!(
            !tasks(&parse("--expert"))
                .unwrap()
                .contains(&"multi".to_owned())
        );
        assert_eq!(
            tasks(&parse("--task push --task place_in_drawer"))
                .unwrap()
                .len(),
            2
        );
        for wrong in [
            "--task juggle",
            "--suite commands --task scene",
            "--suite handoff --task multi",
        ] {
            assert_eq!(tasks(&parse(wrong)).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn a_wrong_instruction_needs_primitives() {
        let count = |words: &str| perturbs(&parse(words)).map(|found| found.len());
        assert_eq!(count("--perturb light,wrong_object").unwrap(), 2);
        assert_eq!(count("--suite commands --perturb light").unwrap(), 1);
        let wrong = count("--suite commands --perturb all").unwrap_err();
        assert_eq!(wrong.exit_code(), 2);
    }

    #[test]
    fn episodes_count_seeds_up() {
        let own = parse("--episodes 3 --seed 1000000");
        let seeds: Vec<u64> = (0..3).map(|index| job(&own, "multi", index).seed).collect();
        assert_eq!(seeds, [1_000_000, 1_000_001, 1_000_002]);
        assert!(job(&own, "multi", 0).through_planner && !job(&own, "pick", 0).through_planner);
    }
}
