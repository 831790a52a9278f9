//! The goal points that a policy had, or would have had, in a recorded episode.
//!
//! A data set holds the sentence and not the points. Both come from the camera, so they are had again
//! from the first picture, as the executive makes them.

use vola_bundle::GoalPoints;
use vola_planner::resolve;
use vola_runtime::SceneReading;
use vola_train::{Frame, STATE_NAMES, StepWords};
use vola_types::{Op, Scene};

use crate::{
    measure::{EpisodeGoal, EpisodeObjectRef, EpisodeTarget},
    robot::Sight,
};

/// Opening between which closed fingers are around something.
const AROUND: std::ops::Range<f32> = 0.1..0.9;

/// What a frame and the objects seen in it make of a step; nothing where the words fit several
/// objects, or none.
pub(super) fn goal_points(
    words: &StepWords,
    frame: &Frame<'_>,
    objects: Vec<vola_runtime::Detection>,
) -> GoalPoints {
    let mut sight = Sight::new();
    sight.remember(reading(frame, objects));
    if words.op == Op::Place {
        // Whoever put it there knows what the hand holds, as after a pick.
        sight.put_in_hand(&words.object.kind, words.object.color.as_deref());
    }
    let scene = sight.memory().scene();
    let goal = episode_goal(words);
    if is_ambiguous(words, &scene) {
        return GoalPoints::default();
    }
    let step = goal.step(&scene);
    let resolved = step.and_then(|step| resolve(&step, &scene).ok());
    resolved.map_or_else(GoalPoints::default, |goal| GoalPoints {
        object: goal.object,
        target: goal.target,
    })
}

fn is_ambiguous(words: &StepWords, scene: &Scene) -> bool {
    let alike = |kind: &str, color: Option<&str>| {
        let objects = scene.objects.iter();
        objects
            .filter(|object| object.kind == kind && object.color.as_deref() == color)
            .count()
    };
    let object = alike(&words.object.kind, words.object.color.as_deref());
    let target = words.target.as_ref().and_then(|target| {
        let kind = target.kind.as_deref()?;
        Some(alike(kind, target.color.as_deref()))
    });
    object > 1 || target.is_some_and(|count| count > 1)
}

fn episode_goal(words: &StepWords) -> EpisodeGoal {
    EpisodeGoal {
        op: words.op,
        relation: words.target.as_ref().and_then(|target| target.relation),
        object: (words.op != Op::Place).then(|| EpisodeObjectRef {
            kind: words.object.kind.clone(),
            color: words.object.color.clone(),
            position: None,
        }),
        target: words.target.as_ref().map(|target| EpisodeTarget {
            kind: target.kind.clone(),
            color: target.color.clone(),
            region: target.region.clone(),
            direction: target.direction,
            ..EpisodeTarget::default()
        }),
    }
}

fn reading(frame: &Frame<'_>, objects: Vec<vola_runtime::Detection>) -> SceneReading {
    let value = |name: &str| {
        let place = STATE_NAMES.iter().position(|known| *known == name);
        place
            .and_then(|place| frame.state.get(place))
            .copied()
            .unwrap_or(0.0)
    };
    let (opening, command) = (value("gripper.position"), value("gripper.command"));
    SceneReading {
        objects,
        gripper_open: command > 0.5,
        gripper_holding: command <= 0.5 && AROUND.contains(&opening),
        tool_position: ["tool.x", "tool.y", "tool.z"].map(|name| f64::from(value(name))),
        time_ns: 0,
    }
}
