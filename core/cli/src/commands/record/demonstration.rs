//! One demonstration: from a seed to frames.

use vola_planner::resolve;
use vola_runtime::{DecisionReport, Driver, Picture, PrimitiveObserver, Session};
use vola_train::{
    EpisodeMeta, EpisodeRecord, FrameRecord, FrameShape, Noun, StepWords, TargetWords, canonical,
};
use vola_types::{Outcome, PrimitiveGoal};

use super::{
    CAMERA, Failing, Job,
    frame_labels::{Asked, frame_record},
};
use crate::{
    failure::Failure,
    measure::{Episode, EpisodeGoal, EpisodeTarget},
    robot::Sight,
};

/// A state whose values all changed less than this stands still (m, or parts of one).
const STILL: f32 = 0.003;
/// Of so many frames of standing still one is kept.
const KEPT_OF_WAITING: usize = 5;

/// How a demonstration went.
pub(super) enum Demonstration {
    /// It is worth learning from.
    Good(Box<EpisodeRecord>),
    /// It is not.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Builds the scene of a seed and lets the expert show the task.
///
/// # Errors
/// When the world or the runtime fails; a task that was not reached is a
/// [`Demonstration::Failed`].
pub(super) fn demonstrate(
    session: &mut Session,
    job: &Job,
    shape: FrameShape,
    embodiment: i64,
) -> Result<Demonstration, Failure> {
    let wish = serde_json::json!({"task": job.task, "combos": "train", "start": "varied"});
    let answer = session.reset_world(job.seed, &wish)?;
    let episode = Episode::read(&session.embodiment_id().to_string(), answer)?;
    let Some(goal) = episode.steps.first() else {
        return Ok(Demonstration::Failed {
            reason: format!("task `{}` has no goal to show", job.task),
        });
    };
    let Some(step) = step_words(goal, &episode) else {
        return Ok(Demonstration::Failed {
            reason: "its goal has no words".to_owned(),
        });
    };
    let mut recorder = Recorder {
        shape,
        target: goal.target.clone(),
        frames: Vec::new(),
        fault: None,
    };
    let primitive = PrimitiveGoal {
        task: canonical(&step),
        ..goal_of(session, job, goal)?
    };
    let report = session.run_primitive(&primitive, job.driver, &mut recorder)?;
    if let Some(reason) = recorder.fault {
        return Ok(Demonstration::Failed { reason });
    }
    let meta = EpisodeMeta {
        seed: job.seed,
        task: canonical(&step),
        embodiment,
        step: Some(step),
    };
    if job.driver == Driver::Corrected {
        // Whatever the policy did, the expert's words are right.
        return Ok(Demonstration::Good(Box::new(EpisodeRecord {
            meta,
            frames: without_waiting(recorder.frames),
        })));
    }
    let seen_failing = recorder
        .frames
        .last()
        .is_some_and(|last| last.failing > 0.5);
    let is_kept = match report.outcome {
        Outcome::Done => session.goal_reached()?,
        Outcome::Failed => seen_failing && job.failing == Failing::Keep,
        Outcome::TimedOut | Outcome::Interrupted => false,
    };
    if !is_kept {
        let reason = report
            .reason
            .unwrap_or_else(|| "the world does not show the goal".to_owned());
        return Ok(Demonstration::Failed { reason });
    }
    Ok(Demonstration::Good(Box::new(EpisodeRecord {
        meta,
        frames: recorder.frames,
    })))
}

/// The goal as a primitive is given it. An expert knows its goal; a policy gets
/// points as the camera shows them, or in a quarter of the scenes words alone.
fn goal_of(session: &mut Session, job: &Job, goal: &EpisodeGoal) -> Result<PrimitiveGoal, Failure> {
    let bare = PrimitiveGoal {
        op: goal.op,
        task: String::new(),
        object: None,
        target: None,
        seconds: None,
    };
    if job.driver != Driver::Corrected || job.seed % 4 == 3 {
        return Ok(bare);
    }
    let scene = Sight::new().look(session)?;
    let step = goal.step(&scene);
    Ok(step
        .and_then(|step| resolve(&step, &scene).ok())
        .unwrap_or(bare))
}

/// Frames without most of those in which nothing moved: a policy that stands
/// still would else say the same thing a hundred times.
fn without_waiting(frames: Vec<FrameRecord>) -> Vec<FrameRecord> {
    let mut kept: Vec<FrameRecord> = Vec::with_capacity(frames.len());
    let mut waited = 0;
    for frame in frames {
        let is_still = kept.last().is_some_and(|last| {
            last.state
                .iter()
                .zip(&frame.state)
                .all(|(a, b)| (a - b).abs() < STILL)
        });
        waited = if is_still { waited + 1 } else { 0 };
        if waited % KEPT_OF_WAITING == 0 {
            kept.push(frame);
        }
    }
    kept
}

/// The words of a goal; nothing when it names no object.
fn step_words(goal: &EpisodeGoal, episode: &Episode) -> Option<StepWords> {
    let object = match &goal.object {
        Some(object) => Noun {
            kind: object.kind.clone(),
            color: object.color.clone(),
        },
        None => {
            let held = episode.objects.get(episode.holding?)?;
            Noun {
                kind: held.kind.clone(),
                color: held.color.clone(),
            }
        }
    };
    let target = goal.target.as_ref().map(|target| TargetWords {
        kind: target.kind.clone(),
        color: target.color.clone(),
        region: target.region.clone(),
        relation: goal.relation,
        direction: target.direction,
    });
    Some(StepWords {
        op: goal.op,
        object,
        target,
    })
}

/// Collects the frames of a demonstration.
struct Recorder {
    shape: FrameShape,
    target: Option<EpisodeTarget>,
    frames: Vec<FrameRecord>,
    fault: Option<String>,
}

impl PrimitiveObserver for Recorder {
    fn decision(&mut self, decision: &DecisionReport<'_>) {
        if self.fault.is_some() {
            return;
        }
        let asked = Asked {
            target: self.target.as_ref(),
            goal_target: self.frames.first().map(|first| first.goal_target),
        };
        match frame_record(decision, front(decision), asked, self.shape) {
            Ok(frame) => self.frames.push(frame),
            Err(fault) => self.fault = Some(fault),
        }
    }
}

fn front<'a>(decision: &'a DecisionReport<'_>) -> Option<&'a Picture> {
    decision
        .pictures
        .iter()
        .find(|(key, _)| key == CAMERA)
        .map(|(_, picture)| picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_have_words() {
        let episode = Episode::read(
            "a/b",
            serde_json::json!({"holding":0,"objects":[{"kind":"block","color":"red","position":[0.4,0.0,0.1]}],
                "steps":[{"op":"place","relation":"in","target":{"kind":"bowl","color":"blue"}},
                         {"op":"push","object":{"kind":"block","color":"red"},"target":{"direction":"left"}},
                         {"op":"place","relation":"on","target":{"region":"middle"}}]}),
        )
        .unwrap();
        let words: Vec<String> = episode
            .steps
            .iter()
            .map(|goal| canonical(&step_words(goal, &episode).unwrap()))
            .collect();
        assert_eq!(
            words,
            [
                "place the red block in the blue bowl",
                "push the red block to the left",
                "place the red block on the middle"
            ]
        );
        for goal in &episode.steps {
            assert_eq!(step_words(goal, &episode).unwrap().check(), Ok(()));
        }
    }
}
