//! Corrections as an operator gives them: the policy drives until it is seen to go wrong, the arm comes
//! to rest, and whoever knows better finishes the step. Here that is the world's expert; what is
//! written down is what a person's hand would leave: who was in control, and where the arm was sent.

use std::path::Path;

use serde_json::json;
use vola_recorder::{Phase, Who};
use vola_runtime::{
    DecisionReport, Driver, ExpertNoise, LabelTensor, PrimitiveObserver, Session, Unobserved,
};
use vola_types::PrimitiveGoal;

use super::RecordArguments;
use crate::{
    arguments::{Clock, SharedArguments},
    commands::{
        eval::{
            Combos, Conditions, Job, NamedTarget, Phrases, Points, View, condition_of, seen_goal,
        },
        workers::Progress,
    },
    failure::Failure,
    measure::Episode,
    recording::{Recorded, Recording, RecordingDesk},
    robot::SessionRobot,
    workplace::{SessionWish, Workplace},
};

/// Row of a chunk at which policy and operator are compared: 0.4 s ahead at 10 Hz.
const ROW: usize = 3;
/// Values of a row: three of the way, three of the turn, the gripper.
const WIDTH: usize = 7;
/// Farther apart than this, the policy goes wrong (m).
const APART_M: f64 = 0.02;
/// Decisions in a row after which the operator is sure: 1 to this number, by the scene's seed.
const PATIENCE: u64 = 4;
/// Scenes that may be needed for one correction.
pub(super) const TRIES: u64 = 8;

/// How an episode went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Correction {
    /// The operator took over and reached the goal.
    Given,
    /// The policy did it, or nothing was left to correct.
    Needless,
    /// The operator did not reach the goal either.
    Failed,
}

/// Records as many corrections as episodes were asked for; how many scenes it took and how many
/// corrections came of them, by task.
///
/// # Errors
/// When the robot, the world or the folder cannot be used.
pub(super) fn record(
    shared: &SharedArguments,
    own: &RecordArguments,
    console: crate::output::Console,
) -> Result<super::Counts, Failure> {
    let workplace = Workplace::open(shared)?;
    let perturb = condition_of(&own.perturb)?;
    let desk = RecordingDesk::at(workplace.deployment(), Path::new(&own.out), Clock::Virtual);
    let mut robot =
        SessionRobot::new(workplace.session(SessionWish::new(Clock::Virtual, own.seed))?);
    robot.record_with(&desk)?;
    let recording = robot.recording();
    let mut counts = super::Counts::new();
    let bar = Progress::new(own.episodes, "corrections", console.is_json());
    let (mut given, mut tried) = (0, 0);
    while given < own.episodes && tried < own.episodes as u64 * TRIES {
        let task = own
            .tasks
            .get(given % own.tasks.len().max(1))
            .cloned()
            .unwrap_or_default();
        let job = Job {
            task: task.clone(),
            seed: own.seed + tried,
            through_planner: false,
            perturb,
            perturb_seed: own.perturb_seed,
        };
        tried += 1;
        let outcome = correct(robot.session(), &job, recording.as_ref())?;
        tracing::info!(task, seed = job.seed, ?outcome, "a scene to correct");
        let (tries, kept) = counts.entry(task).or_default();
        *tries += 1;
        if outcome == Correction::Given {
            *kept += 1;
            given += 1;
            bar.step();
        }
    }
    bar.finish();
    Ok(counts)
}

/// One scene: the policy, then the operator where that is needed.
fn correct(
    session: &mut Session,
    job: &Job,
    recording: Option<&Recording>,
) -> Result<Correction, Failure> {
    let mut wish = json!({"task": job.task, "combos": "train"});
    job.disturb(&mut wish);
    let answer = session.reset_world(job.seed, &wish)?;
    let raw_goal = answer.get("steps").and_then(|steps| steps.get(0)).cloned();
    let episode = Episode::read(&session.embodiment_id().to_string(), answer)?;
    let (Some(raw_goal), Some(goal)) = (raw_goal, episode.steps.first()) else {
        return Ok(Correction::Needless);
    };
    session.set_goal(&raw_goal)?;
    let conditions = Conditions {
        driver: Driver::Corrected,
        points: Points::FromScene,
        phrases: Phrases::Canonical,
        combos: Combos::Train,
        target: NamedTarget::True,
        view: View::Scene,
    };
    let Some(goal) = seen_goal(session, goal, job, &conditions)? else {
        return Ok(Correction::Needless);
    };
    if let Some(recording) = recording {
        recording.begin(session.now_ns(), &goal.task);
    }
    let is_taken = watch(session, &goal, job, recording)?;
    if is_taken {
        take_over(session, &goal, recording)?;
    }
    let reached = session.goal_reached()?;
    if let Some(recording) = recording {
        recording.end(
            session.now_ns(),
            reached,
            if reached { "done" } else { "failed" },
        );
    }
    Ok(match (is_taken, reached) {
        (true, true) => Correction::Given,
        (true, false) => Correction::Failed,
        (false, _) => Correction::Needless,
    })
}

/// The policy drives; whether the operator has to take over.
fn watch(
    session: &mut Session,
    goal: &PrimitiveGoal,
    job: &Job,
    recording: Option<&Recording>,
) -> Result<bool, Failure> {
    let mut operator = Operator {
        patience: 1 + job.seed % PATIENCE,
        doubts: 0,
    };
    began(session, goal, recording, Who::Policy);
    let mut observer = Recorded::new(&mut operator, recording.cloned(), Who::Policy);
    session.run_primitive(goal, Driver::Corrected, &mut observer)?;
    ended(session, recording);
    Ok(operator.is_sure() || !session.goal_reached()?)
}

/// The operator moves the arm to the end of the step.
fn take_over(
    session: &mut Session,
    goal: &PrimitiveGoal,
    recording: Option<&Recording>,
) -> Result<(), Failure> {
    began(session, goal, recording, Who::Human);
    if let Some(recording) = recording {
        recording.control(session.now_ns(), Who::Human, Phase::Correction);
    }
    let driver = Driver::Expert {
        noise: ExpertNoise::default(),
    };
    let mut unobserved = Unobserved;
    let mut observer = Recorded::new(&mut unobserved, recording.cloned(), Who::Human);
    session.run_primitive(goal, driver, &mut observer)?;
    ended(session, recording);
    Ok(())
}

fn began(session: &Session, goal: &PrimitiveGoal, recording: Option<&Recording>, who: Who) {
    if let Some(recording) = recording {
        recording.primitive_began(session.now_ns(), &goal.task, who);
    }
}

fn ended(session: &Session, recording: Option<&Recording>) {
    if let Some(recording) = recording {
        recording.primitive_ended(session.now_ns(), None);
    }
}

/// Watches the policy, and wants the arm at rest once it is seen to go wrong.
struct Operator {
    patience: u64,
    doubts: u64,
}

impl Operator {
    fn is_sure(&self) -> bool {
        self.doubts >= self.patience
    }
}

impl PrimitiveObserver for Operator {
    fn decision(&mut self, decision: &DecisionReport<'_>) {
        if self.is_sure() {
            return;
        }
        let own = decision.labels.iter().find(|label| label.name == "action");
        let own = own.map(LabelTensor::f32s).unwrap_or_default();
        let policy = decision.chunk.rows().nth(ROW).unwrap_or_default();
        let apart = own
            .get(ROW * WIDTH..)
            .unwrap_or_default()
            .iter()
            .zip(policy)
            .take(3)
            .map(|(own, policy)| (f64::from(*own) - policy).powi(2))
            .sum::<f64>()
            .sqrt();
        self.doubts = if apart > APART_M { self.doubts + 1 } else { 0 };
    }

    fn is_rest_wanted(&mut self, _now_ns: u64) -> bool {
        self.is_sure()
    }
}
