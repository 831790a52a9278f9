//! An episode of one primitive: the world names a goal, the camera shows where
//! things are, the policy does it.

use serde_json::json;
use vola_planner::{resolve, with_side};
use vola_recorder::Who;
use vola_runtime::{Driver, PrimitiveObserver, PrimitiveReport, RuntimeError, Session, Unobserved};
use vola_types::{Op, PrimitiveGoal, PushTo, Region, Relation, Scene, Step, step_sentence};

use super::{
    Conditions, EpisodeOutcome, Job, NamedTarget, Points, View, perturb::misnamed as misnamed_goal,
    task_words::task_words,
};
use crate::{
    failure::Failure,
    measure::{Episode, EpisodeGoal},
    recording::{Recorded, Recording},
    robot::Sight,
};

/// How long the world is watched after the end, so that what fell has landed (s).
const AFTERWARDS_S: f64 = 0.6;

/// End of an episode whose object the camera did not find.
pub(crate) const NOT_SEEN: &str = "not seen";
/// End of an episode that a watchdog stopped.
pub(crate) const STOPPED: &str = "stopped";

/// Does one episode, records it where there is a recording, and shows its
/// decisions to an observer.
///
/// # Errors
/// When the world or the runtime fails.
pub(crate) fn primitive_episode(
    session: &mut Session,
    job: &Job,
    conditions: &Conditions,
    (recording, observer): (Option<&Recording>, &mut dyn PrimitiveObserver),
) -> Result<EpisodeOutcome, Failure> {
    let mut wish = json!({"task": job.task, "combos": conditions.combos.word()});
    if conditions.points == Points::None {
        // Words alone must say which object is meant.
        wish["duplicates"] = json!("never");
    }
    job.disturb(&mut wish);
    session.begin_episode(job.seed)?;
    let answer = session.reset_world(job.seed, &wish)?;
    let goal = answer.get("steps").and_then(|steps| steps.get(0)).cloned();
    let episode = Episode::read(&session.embodiment_id().to_string(), answer)?;
    if let Some(goal) = goal {
        session.set_goal(&goal)?;
    }
    let report = match (conditions.driver, episode.steps.first()) {
        (_, None) => {
            return Ok(EpisodeOutcome {
                end: "no goal".to_owned(),
                ..EpisodeOutcome::default()
            });
        }
        (Driver::Expert { .. }, Some(episode_goal)) => {
            let goal = PrimitiveGoal {
                op: episode_goal.op,
                task: episode_goal.op.as_str().to_owned(),
                object: None,
                target: None,
                seconds: None,
            };
            let words = Scene::default();
            let task = episode_goal
                .step(&words)
                .map(|step| step_sentence(&step, &words));
            let task = task.unwrap_or_else(|| goal.task.clone());
            run_recorded(
                session,
                &goal,
                conditions.driver,
                (recording, &task),
                observer,
            )
        }
        (Driver::Policy | Driver::Corrected, Some(goal)) => {
            let Some(goal) = seen_goal(session, goal, job, conditions)? else {
                return Ok(not_seen());
            };
            session.cover_cameras(conditions.view == View::Black);
            let told = (recording, goal.task.as_str());
            let report = run_recorded(session, &goal, conditions.driver, told, observer);
            session.cover_cameras(false);
            report
        }
    };
    let report = match report {
        Ok(report) => report,
        // A perturbed robot may be stopped by its watchdogs.
        Err(RuntimeError::Stopped { .. }) if job.perturb.is_some() => {
            session.reset_stop()?;
            return Ok(EpisodeOutcome {
                end: STOPPED.to_owned(),
                ..EpisodeOutcome::default()
            });
        }
        Err(error) => return Err(error.into()),
    };
    wait(session, AFTERWARDS_S, &mut Unobserved)?;
    let reached = session.goal_reached()?;
    if let Some(recording) = recording {
        recording.end(session.now_ns(), reached, report.outcome.as_str());
    }
    Ok(EpisodeOutcome::of_primitive(&report, reached))
}

/// Runs the primitive as an episode of the recording, where there is one.
fn run_recorded(
    session: &mut Session,
    goal: &PrimitiveGoal,
    driver: Driver,
    (recording, task): (Option<&Recording>, &str),
    observer: &mut dyn PrimitiveObserver,
) -> Result<PrimitiveReport, RuntimeError> {
    let who = match driver {
        Driver::Expert { .. } => Who::Expert,
        Driver::Policy | Driver::Corrected => Who::Policy,
    };
    if let Some(recording) = recording {
        recording.begin(session.now_ns(), task);
        recording.primitive_began(session.now_ns(), task, who);
    }
    let mut observer = Recorded::new(observer, recording.cloned(), who);
    let result = session.run_primitive(goal, driver, &mut observer);
    if let Some(recording) = recording {
        let outcome = result.as_ref().ok().map(|report| report.outcome);
        recording.primitive_ended(session.now_ns(), outcome);
    }
    result
}

/// The goal of an episode as the camera shows it; none where what it is about
/// was not seen.
///
/// # Errors
/// When the runtime fails, except at a camera that was perturbed on purpose.
pub(crate) fn seen_goal(
    session: &mut Session,
    goal: &EpisodeGoal,
    job: &Job,
    conditions: &Conditions,
) -> Result<Option<PrimitiveGoal>, Failure> {
    let mut sight = Sight::new();
    match sight.look(session) {
        Ok(_) => {}
        Err(_) if job.perturb.is_some() => return Ok(None),
        Err(error) => return Err(error),
    }
    // Whoever put it there knows what the hand holds, as after a pick.
    if let (Op::Place, Some(held)) = (goal.op, &goal.object) {
        sight.put_in_hand(&held.kind, held.color.as_deref());
    }
    let scene = sight.memory().scene();
    let Some(step) = goal.step(&scene) else {
        return Ok(None);
    };
    let step = match conditions.target {
        NamedTarget::True => step,
        NamedTarget::Other => other_target(&step, &scene),
    };
    let misnamed = job.perturb.filter(|perturb| perturb.is_misnaming());
    let told = misnamed
        .and_then(|_| misnamed_goal(&step, &scene, job.seed))
        .unwrap_or_else(|| primitive_goal(&step, &scene, conditions, job.seed));
    Ok(Some(told))
}

/// What is to be done was not found by the camera.
fn not_seen() -> EpisodeOutcome {
    EpisodeOutcome {
        end: NOT_SEEN.to_owned(),
        ..EpisodeOutcome::default()
    }
}

/// Lets time pass with the arm at rest.
///
/// # Errors
/// When the runtime fails.
pub(super) fn wait(
    session: &mut Session,
    seconds: f64,
    observer: &mut dyn PrimitiveObserver,
) -> Result<(), Failure> {
    let goal = PrimitiveGoal {
        op: Op::Wait,
        task: String::new(),
        object: None,
        target: None,
        seconds: Some(seconds),
    };
    session.run_primitive(&goal, Driver::Policy, observer)?;
    Ok(())
}

/// The goal as the executive would give it; points that the scene does not show
/// are left out, as they are when words alone are asked for.
fn primitive_goal(step: &Step, scene: &Scene, conditions: &Conditions, seed: u64) -> PrimitiveGoal {
    let task = task_words(&with_side(step, scene), scene, conditions.phrases, seed);
    let bare = PrimitiveGoal {
        op: step.op(),
        task: String::new(),
        object: None,
        target: None,
        seconds: None,
    };
    let resolved = match conditions.points {
        Points::FromScene => resolve(step, scene).unwrap_or(bare),
        Points::None => bare,
    };
    PrimitiveGoal { task, ..resolved }
}

/// The step with another target: another block, bowl, region or direction.
pub(super) fn other_target(step: &Step, scene: &Scene) -> Step {
    let other_object = |id: &str| {
        let kind = scene
            .object(id)
            .map_or("block", |object| object.kind.as_str());
        let color = scene.object(id).and_then(|object| object.color.as_deref());
        scene
            .objects
            .iter()
            .find(|other| {
                other.id != id
                    && other.kind == kind
                    && other.color.as_deref() != color
                    && !other.is_held()
            })
            .map_or_else(|| id.to_owned(), |other| other.id.clone())
    };
    match step {
        Step::Pick { object } => Step::Pick {
            object: other_object(object),
        },
        Step::Place {
            object,
            target,
            relation,
        } => Step::Place {
            object: object.clone(),
            target: other_place(target, *relation, scene, other_object),
            relation: *relation,
        },
        Step::Push { object, to } => Step::Push {
            object: other_object(object),
            to: match to {
                PushTo::Region(region) => PushTo::Region(other_region(region)),
                PushTo::Direction(direction) => PushTo::Direction(*direction),
            },
        },
        Step::Open { object } => Step::Close {
            object: object.clone(),
        },
        Step::Close { object } => Step::Open {
            object: object.clone(),
        },
        other => other.clone(),
    }
}

fn other_place(
    target: &str,
    relation: Relation,
    scene: &Scene,
    other_object: impl Fn(&str) -> String,
) -> String {
    if scene.has_region(target) {
        return other_region(target);
    }
    let other = other_object(target);
    // A lone bowl has no other: then the region that lies farthest.
    if other == target && relation != Relation::In {
        other_region("middle")
    } else {
        other
    }
}

/// The region across the table.
fn other_region(name: &str) -> String {
    let Some(region) = Region::from_name(name) else {
        return Region::TopLeft.name().to_owned();
    };
    let (row, column) = region.cell();
    let opposite = if (row, column) == (1, 1) {
        (2, 2)
    } else {
        (2 - row, 2 - column)
    };
    Region::ALL
        .into_iter()
        .find(|other| other.cell() == opposite)
        .map_or_else(|| name.to_owned(), |other| other.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Scene {
        Scene::from_json(
            r#"{"objects":[
            {"id":"red_block","kind":"block","color":"red","position":[0.42,0.10,0.02]},
            {"id":"green_block","kind":"block","color":"green","position":[0.35,-0.2,0.02]},
            {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.5,0.15,0.03]},
            {"id":"pink_bowl","kind":"bowl","color":"pink","position":[0.5,-0.15,0.03]}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn another_target_is_never_the_same() {
        let scene = scene();
        for (json, expected) in [
            (
                r#"{"op":"pick","object":"red_block"}"#,
                r#"{"op":"pick","object":"green_block"}"#,
            ),
            (
                r#"{"op":"place","object":"red_block","target":"blue_bowl","relation":"in"}"#,
                r#"{"op":"place","object":"red_block","target":"pink_bowl","relation":"in"}"#,
            ),
            (
                r#"{"op":"place","object":"red_block","target":"top left corner","relation":"on"}"#,
                r#"{"op":"place","object":"red_block","target":"bottom right corner","relation":"on"}"#,
            ),
            (
                r#"{"op":"push","object":"red_block","direction":"left"}"#,
                r#"{"op":"push","object":"green_block","direction":"left"}"#,
            ),
            (
                r#"{"op":"open","object":"drawer"}"#,
                r#"{"op":"close","object":"drawer"}"#,
            ),
        ] {
            let step: Step = serde_json::from_str(json).unwrap();
            let expected: Step = serde_json::from_str(expected).unwrap();
            assert_eq!(other_target(&step, &scene), expected);
        }
        assert!(
            Region::ALL
                .iter()
                .all(|region| other_region(region.name()) != region.name())
        );
    }

    #[test]
    fn words_alone_carry_no_points() {
        let conditions = Conditions {
            driver: Driver::Policy,
            points: Points::None,
            phrases: super::super::Phrases::Canonical,
            combos: super::super::Combos::All,
            target: NamedTarget::True,
            view: View::Scene,
        };
        let step = Step::Pick {
            object: "red_block".to_owned(),
        };
        let bare = primitive_goal(&step, &scene(), &conditions, 1);
        assert_eq!(
            (bare.object, bare.task.as_str()),
            (None, "pick up the red block")
        );
        let full = primitive_goal(
            &step,
            &scene(),
            &Conditions {
                points: Points::FromScene,
                ..conditions
            },
            1,
        );
        assert_eq!(full.object, Some([0.42, 0.10, 0.02]));
        let unseen = Step::Pick {
            object: "brown_block".to_owned(),
        };
        let goal = primitive_goal(
            &unseen,
            &scene(),
            &Conditions {
                points: Points::FromScene,
                ..conditions
            },
            1,
        );
        assert_eq!(
            (goal.object, goal.task.as_str()),
            (None, "pick up the brown block")
        );
    }
}
