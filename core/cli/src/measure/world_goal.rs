//! Success as the world sees it.

use vola_types::{Op, PushTo, Scene, Step};

use super::episode::{EpisodeGoal, EpisodeObjectRef, EpisodeTarget};

/// A step as a goal that a simulated world understands; nothing for steps
/// without an effect on objects.
pub(crate) fn world_goal(step: &Step, scene: &Scene) -> Option<EpisodeGoal> {
    let object = match step {
        // The gripper holds it: the world knows better than the camera which.
        Step::Place { object, .. } if scene.gripper.holding.as_deref() == Some(object) => None,
        _ => Some(reference(step.object()?, scene)?),
    };
    let (relation, target) = match step {
        Step::Place {
            target, relation, ..
        } => (Some(*relation), Some(place_target(target, scene)?)),
        Step::Push {
            to: PushTo::Direction(direction),
            ..
        } => (
            None,
            Some(EpisodeTarget {
                direction: Some(*direction),
                ..EpisodeTarget::default()
            }),
        ),
        Step::Push {
            to: PushTo::Region(region),
            ..
        } => (None, Some(place_target(region, scene)?)),
        _ => (None, None),
    };
    let acts = matches!(
        step.op(),
        Op::Pick | Op::Place | Op::Push | Op::Open | Op::Close
    );
    acts.then(|| EpisodeGoal {
        op: step.op(),
        relation,
        object,
        target,
    })
}

fn reference(id: &str, scene: &Scene) -> Option<EpisodeObjectRef> {
    let object = scene.object(id)?;
    Some(EpisodeObjectRef {
        kind: object.kind.clone(),
        color: object.color.clone(),
        position: object.position,
    })
}

fn place_target(name: &str, scene: &Scene) -> Option<EpisodeTarget> {
    if let Some(object) = reference(name, scene) {
        return Some(EpisodeTarget {
            kind: Some(object.kind),
            color: object.color,
            position: object.position,
            ..EpisodeTarget::default()
        });
    }
    let known = name == vola_types::ON_TABLE || scene.has_region(name);
    known.then(|| EpisodeTarget {
        region: Some(name.to_owned()),
        ..EpisodeTarget::default()
    })
}

/// Keeps account of the steps of a run that the world has judged.
///
/// A step that is repeated after a failure is judged by its last try.
#[derive(Debug, Default)]
pub(crate) struct WorldJudge {
    verdicts: Vec<(Step, bool)>,
}

impl WorldJudge {
    /// Takes the world's verdict on a step that the run calls done.
    pub(crate) fn judged(&mut self, step: &Step, reached: bool) {
        self.verdicts.retain(|(known, _)| known != step);
        self.verdicts.push((step.clone(), reached));
    }

    /// What the world said of a step; nothing when it was not judged.
    pub(crate) fn says(&self, step: &Step) -> Option<bool> {
        self.verdicts
            .iter()
            .find(|(known, _)| known == step)
            .map(|(_, reached)| *reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_become_goals_of_the_world() {
        let mut scene = Scene::from_json(
            r#"{"objects":[
            {"id":"red_block_1","kind":"block","color":"red","position":[0.42,0.10,0.02]},
            {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.5,0.15,0.03]},
            {"id":"drawer","kind":"drawer","position":[0.6,0.0,0.05],"open":false}]}"#,
        )
        .unwrap();
        let check = |scene: &Scene, step: &str, expected: serde_json::Value| {
            let step: Step = serde_json::from_str(step).unwrap();
            let goal = world_goal(&step, scene).map_or(serde_json::Value::Null, |goal| {
                serde_json::to_value(goal).unwrap()
            });
            assert_eq!(goal, expected, "{step:?}");
        };
        let red = serde_json::json!({"kind":"block","color":"red","position":[0.42,0.10,0.02]});
        check(
            &scene,
            r#"{"op":"pick","object":"red_block_1"}"#,
            serde_json::json!({"op":"pick","object":red}),
        );
        check(
            &scene,
            r#"{"op":"push","object":"red_block_1","direction":"back"}"#,
            serde_json::json!({"op":"push","object":red,"target":{"direction":"back"}}),
        );
        check(
            &scene,
            r#"{"op":"open","object":"drawer"}"#,
            serde_json::json!({"op":"open","object":{"kind":"drawer","position":[0.6,0.0,0.05]}}),
        );
        check(&scene, r#"{"op":"home"}"#, serde_json::Value::Null);
        check(
            &scene,
            r#"{"op":"pick","object":"ghost"}"#,
            serde_json::Value::Null,
        );
        scene.gripper.holding = Some("red_block_1".to_owned());
        check(
            &scene,
            r#"{"op":"place","object":"red_block_1","target":"blue_bowl","relation":"in"}"#,
            serde_json::json!({"op":"place","relation":"in",
                "target":{"kind":"bowl","color":"blue","position":[0.5,0.15,0.03]}}),
        );
        check(
            &scene,
            r#"{"op":"place","object":"red_block_1","target":"table","relation":"on"}"#,
            serde_json::json!({"op":"place","relation":"on","target":{"region":"table"}}),
        );
    }

    #[test]
    fn the_last_try_of_a_step_counts() {
        let mut judge = WorldJudge::default();
        let pick = Step::Pick {
            object: "a".to_owned(),
        };
        assert_eq!(judge.says(&pick), None);
        judge.judged(&pick, false);
        judge.judged(&Step::Home, true);
        assert_eq!(
            (judge.says(&pick), judge.says(&Step::Home)),
            (Some(false), Some(true))
        );
        judge.judged(&pick, true);
        assert_eq!(judge.says(&pick), Some(true));
    }
}
