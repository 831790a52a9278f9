//! `vola eval --suite handoff --operator simulated`: what it is worth that a robot
//! asks, and what it costs the person.
//!
//! Every scene is done twice, from the very same state. Once with an operator, who is
//! asked when the confidence is low or a step does not work, thinks for a while, and
//! takes the arm or says what to leave. Once by the robot *alone*: however unsure it is
//! it goes on, tries again and plans anew, and nobody is asked. The world says at the
//! end whether the goal is reached, whatever robot or operator believe. What is gained
//! is a difference of pairs, and told twice: against the same robot whose questions
//! nobody answers (*unanswered*: it holds, with what it has reached until then), and
//! against the robot alone.
//!
//! *What is simulated of the operator*: a time to think, hands through the same jog
//! commands, dead-man, limits and filter as a person's, and eyes. The eyes are the
//! world's scripted expert: a person sees the table. Where to go is seen ten times a
//! second and followed a moment later, at a quarter of the expert's pace. *What is
//! not*: that people misjudge, tire, or look elsewhere.

mod attended;
mod figures;
mod hand;
mod mind;

use std::{cell::RefCell, rc::Rc};

use serde_json::{Value, json};
use vola_planner::{Actors, NoOperator, Operator};
use vola_runtime::{FilterUse, RuntimeError};
use vola_types::{
    GoalTree, Op, Plan, PluginId, PrimitiveGoal, RunEvent, RunOutcome, Scene, Step, Subtask,
    Verdict, step_sentence,
};

use super::{
    EvalArguments, Job, NOT_SEEN, Perturb, STOPPED,
    perturb::{conditions_or_all, misnamed, name_of},
};
use crate::{
    arguments::{Clock, SharedArguments},
    commands::workers::{self, Progress},
    conversation::Conversation,
    failure::{Failure, exit},
    measure::{Episode, EpisodeGoal},
    output::Console,
    robot::SessionRobot,
    workplace::{Instead, SessionWish, Workplace},
};

use attended::Attended;
use figures::{Comparison, print};
use mind::{Mind, Voice};

/// How long the world is watched after the end, so that what fell has landed (ns).
const AFTERWARDS_NS: u64 = 600_000_000;

/// How one episode went.
#[derive(Clone, Debug, Default, PartialEq)]
struct Attempt {
    /// The world shows the goal at the end.
    reached: bool,
    /// How the run ended, in a word.
    end: String,
    /// Length on the runtime's clock (s).
    seconds: f64,
    /// Times the operator was asked.
    handoffs: u32,
    /// Times the operator took the arm.
    take_overs: u32,
    /// Time of the operator: thinking, and with the arm (s).
    operator_s: f64,
    /// Whether the goal was reached at the first question; none without any.
    was_reached: Option<bool>,
}

/// The same episode by the robot alone and with an operator.
#[derive(Clone, Debug, PartialEq)]
struct Pair {
    perturb: &'static str,
    alone: Attempt,
    with: Attempt,
}

impl Pair {
    /// Whether it goes well where nobody answers: until the first question it is the
    /// episode with an operator, and a robot that asked holds, with what it has reached.
    fn is_reached_unanswered(&self) -> bool {
        self.with.was_reached.unwrap_or(self.with.reached)
    }
}

/// Runs the measurement.
///
/// # Errors
/// When the bundle is not calibrated, or the runtime fails.
pub(super) fn run(
    shared: &SharedArguments,
    own: &EvalArguments,
    console: Console,
) -> Result<u8, Failure> {
    let arm = own.arm.as_deref().map(PluginId::parse).transpose()?;
    let workplace = Workplace::open_to_measure(
        shared,
        &Instead {
            arm: arm.as_ref(),
            version: own.version.as_deref(),
            false_hold_rate: super::handoff::rate(own)?,
        },
    )?;
    let wish = || {
        let mut wish = SessionWish::new(Clock::Virtual, own.seed);
        if own.no_filter {
            wish.filter = FilterUse::OffInSimulation;
        }
        wish
    };
    let rate = {
        let session = workplace.session(wish())?;
        let (_, rate) = session
            .calibration()
            .ok_or_else(super::handoff::uncalibrated)?;
        rate
    };
    let jobs = jobs(own)?;
    let progress = Progress::new(jobs.len(), "measuring", console.is_json());
    let started = std::time::Instant::now();
    let open = || {
        let mut robot = SessionRobot::new(workplace.session(wish())?);
        robot.attend();
        robot.measure_from_outside();
        // As stubborn as the deployment says; the plan is there already.
        let conversation = Conversation::starting_with(Some(workplace.deployment()), None)?;
        Ok(move |job: &Job| {
            Ok(Pair {
                perturb: name_of(job.perturb),
                alone: attempt(&mut robot, &conversation, job, None)?,
                with: attempt(&mut robot, &conversation, job, Some(Mind::new(job.seed)))?,
            })
        })
    };
    let mut pairs = Vec::with_capacity(jobs.len());
    workers::run_in_order(usize::from(own.workers), &jobs, open, |index, pair| {
        let Job { task, seed, .. } = &jobs[index];
        tracing::info!(task, seed, ?pair, "episode");
        pairs.push(pair);
        progress.step();
        Ok(())
    })?;
    progress.finish();
    let comparison = Comparison {
        arm: workplace.deployment().robot().plugin().to_string(),
        pairs: &pairs,
        false_hold_rate: rate,
        wall_seconds: started.elapsed().as_secs_f64(),
    };
    print(&comparison, console)?;
    Ok(exit::DONE)
}

/// Clean episodes, then those of each perturbation; tasks in turn.
fn jobs(own: &EvalArguments) -> Result<Vec<Job>, Failure> {
    let perturbs = conditions_or_all(&own.perturb)?;
    let tasks = super::tasks(own)?;
    let of = |perturb: Option<Perturb>| {
        let tasks = &tasks;
        (0..own.episodes).map(move |index| Job {
            task: tasks[index % tasks.len()].clone(),
            seed: own.seed + index as u64,
            through_planner: false,
            perturb,
            perturb_seed: own.perturb_seed,
        })
    };
    Ok(perturbs.into_iter().flat_map(of).collect())
}

/// One episode, alone or with an operator.
fn attempt(
    robot: &mut SessionRobot,
    conversation: &Conversation,
    job: &Job,
    mind: Option<Mind>,
) -> Result<Attempt, Failure> {
    robot.release_stop()?;
    robot.seed_episode(job.seed);
    robot.forget();
    robot.session().forget_questions();
    let mut wish = json!({"task": job.task});
    job.disturb(&mut wish);
    let answer = robot.session().reset_world(job.seed, &wish)?;
    let embodiment = robot.session().embodiment_id().to_string();
    let goals: Vec<Value> = answer
        .get("steps")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let episode = Episode::read(&embodiment, answer)?;
    let ended = |end: &str| Attempt {
        end: end.to_owned(),
        ..Attempt::default()
    };
    let Some(goal) = episode.steps.first() else {
        return Ok(ended("no goal"));
    };
    let goal_json = goals.first().cloned().unwrap_or_default();
    let Some((step, scene)) = seen_step(robot, goal, job)? else {
        return Ok(ended(NOT_SEEN));
    };
    let told = told_wrongly(&step, &scene, job);
    if mind.is_none() {
        robot.trust_the_policy();
    }
    let began_ns = robot.session().now_ns();
    let mind = mind.map(|mind| Rc::new(RefCell::new(mind)));
    let outcome = {
        let stop = robot.stop_flag();
        let mut operator: Box<dyn Operator> = match &mind {
            Some(mind) => Box::new(Voice(Rc::clone(mind))),
            None => Box::new(NoOperator),
        };
        let mut attended = Attended {
            robot: &mut *robot,
            mind: mind.clone(),
            goal: goal_json,
            told,
        };
        let mut actors = Actors {
            robot: &mut attended,
            operator: operator.as_mut(),
            events: &mut |_: RunEvent| {},
        };
        conversation
            .carry_out(plan(step, &scene), stop, &mut actors)
            .outcome
    };
    let spent = mind.map(|mind| mind.borrow().spent()).unwrap_or_default();
    let took_ns = robot.session().now_ns().saturating_sub(began_ns);
    if outcome == RunOutcome::Failed && took_ns == 0 {
        // What the camera does not show is not planned with.
        return Ok(ended(NOT_SEEN));
    }
    let mut attempt = Attempt {
        seconds: seconds_of(took_ns),
        handoffs: spent.handoffs,
        take_overs: spent.take_overs,
        operator_s: seconds_of(spent.busy_ns),
        was_reached: spent.was_reached,
        ..ended(outcome.as_str())
    };
    let session = robot.session();
    let watched = match outcome {
        RunOutcome::SafetyStop => None,
        _ => Some(session.let_pass(AFTERWARDS_NS)),
    };
    match watched {
        Some(Ok(())) => attempt.reached = session.goal_reached()?,
        // A perturbed robot may be stopped by its watchdogs.
        None | Some(Err(RuntimeError::Stopped { .. })) => {
            session.reset_stop()?;
            STOPPED.clone_into(&mut attempt.end);
        }
        Some(Err(error)) => return Err(error.into()),
    }
    Ok(attempt)
}

/// The goal as a step over what the camera shows; none where what it is about was
/// not seen.
fn seen_step(
    robot: &mut SessionRobot,
    goal: &EpisodeGoal,
    job: &Job,
) -> Result<Option<(Step, Scene)>, Failure> {
    match robot.look() {
        Ok(_) => {}
        Err(_) if job.perturb.is_some() => return Ok(None),
        Err(error) => return Err(error),
    }
    // Whoever put it there knows what the hand holds, as after a pick.
    if let (Op::Place, Some(held)) = (goal.op, &goal.object) {
        robot.sight().put_in_hand(&held.kind, held.color.as_deref());
    }
    let scene = robot.sight().memory().scene();
    Ok(goal.step(&scene).map(|step| (step, scene)))
}

/// What the policy is told where the instruction is the perturbation.
fn told_wrongly(step: &Step, scene: &Scene, job: &Job) -> Option<PrimitiveGoal> {
    let is_misnamed = job.perturb.is_some_and(Perturb::is_misnaming);
    is_misnamed
        .then(|| misnamed(step, scene, job.seed))
        .flatten()
}

/// A plan of one step.
fn plan(step: Step, scene: &Scene) -> Plan {
    let goal = step_sentence(&step, scene);
    Plan {
        verdict: Verdict::Execute,
        tree: GoalTree {
            goal: goal.clone(),
            subtasks: vec![Subtask {
                goal,
                steps: vec![0],
            }],
        },
        steps: vec![step],
        ..Plan::default()
    }
}

fn seconds_of(duration_ns: u64) -> f64 {
    std::time::Duration::from_nanos(duration_ns).as_secs_f64()
}

/// The operator as a program reads of it.
fn about_operator() -> Value {
    json!({
        "thinks_s": {"median": mind::THINKS_MEDIAN_S, "sigma": mind::THINKS_SIGMA},
        "eye_to_hand_s": seconds_of(hand::EYE_TO_HAND_NS), "looks_per_s": 1.0 / seconds_of(hand::LOOK_NS),
        "pace": hand::PACE, "limit_s": seconds_of(hand::LIMIT_NS), "take_overs_at_most": mind::MOST_TAKE_OVERS,
    })
}
