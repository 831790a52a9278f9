//! What a simulated world says of an episode, and how a goal is told to it.
//!
//! Only the evaluator and the recorder read this: neither planner nor policy
//! ever sees the truth.

use serde::{Deserialize, Serialize};
use vola_types::{Direction, ON_TABLE, Op, PushTo, Relation, Scene, SceneObject, Step};

use crate::failure::Failure;

/// The answer of `reset`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Episode {
    /// What is to be done, in order; empty in free scenes.
    #[serde(default)]
    pub(crate) steps: Vec<EpisodeGoal>,
    /// Index in `objects` of what the gripper holds at the start.
    #[serde(default)]
    pub(crate) holding: Option<usize>,
    /// The truth.
    #[serde(default)]
    pub(crate) objects: Vec<EpisodeObject>,
}

/// One goal, as the world reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EpisodeGoal {
    /// What is done.
    pub(crate) op: Op,
    /// For place: how object and target come to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relation: Option<Relation>,
    /// What it is done to; none for what the gripper holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<EpisodeObjectRef>,
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<EpisodeTarget>,
}

/// An object by its looks and, where several look alike, its place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EpisodeObjectRef {
    /// What it is.
    pub(crate) kind: String,
    /// Its colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
    /// Where it is (m).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<[f64; 3]>,
}

/// An object, a region or a direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EpisodeTarget {
    /// What the target object is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// Its colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
    /// Where it is (m).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<[f64; 3]>,
    /// A region of the table, or `table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// A direction to push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) direction: Option<Direction>,
    /// Where the object's centre is to come (m). The world's own choice: the
    /// evaluator reads it, and never hands it on.
    #[serde(default, skip_serializing)]
    pub(crate) point: Option<[f64; 3]>,
}

/// One object of the truth.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct EpisodeObject {
    /// What it is.
    pub(crate) kind: String,
    /// Its colour.
    #[serde(default)]
    pub(crate) color: Option<String>,
    /// Its centre (m).
    pub(crate) position: [f64; 3],
    /// For drawers: 0 closed … 1 open.
    #[serde(default)]
    pub(crate) open: Option<f64>,
}

impl Episode {
    /// Reads the world's answer.
    ///
    /// # Errors
    /// When it is not an episode.
    pub(crate) fn read(embodiment: &str, value: serde_json::Value) -> Result<Self, Failure> {
        serde_json::from_value(value).map_err(|source| Failure::World {
            embodiment: embodiment.to_owned(),
            entry: "reset",
            source,
        })
    }
}

/// Farthest that a seen object may lie from the true one and still be it (m).
const SAME_OBJECT_M: f64 = 0.06;

/// The id that a scene gives to an object of the episode: of the objects that
/// look so, the nearest in the table plane. A held object is the held one.
pub(crate) fn seen_as<'a>(
    scene: &'a Scene,
    kind: &str,
    color: Option<&str>,
    position: Option<[f64; 3]>,
) -> Option<&'a SceneObject> {
    let alike = || {
        scene
            .objects
            .iter()
            .filter(|object| object.kind == kind && object.color.as_deref() == color)
    };
    let Some(position) = position else {
        return alike().next();
    };
    alike()
        .filter_map(|object| {
            object
                .table_distance_m(position)
                .map(|distance| (distance, object))
        })
        .filter(|(distance, _)| *distance <= SAME_OBJECT_M || kind == "drawer")
        .min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, object)| object)
        .or_else(|| alike().find(|object| object.is_held()))
}

/// A name for an object that the scene does not show; its words come out right
/// all the same.
fn unseen_id(kind: &str, color: Option<&str>) -> String {
    color.map_or_else(|| kind.to_owned(), |color| format!("{color}_{kind}"))
}

impl EpisodeGoal {
    /// The goal as a step over what was seen. An object that was not seen keeps
    /// its words and has no place.
    pub(crate) fn step(&self, scene: &Scene) -> Option<Step> {
        let id = |kind: &str, color: Option<&str>, position| {
            seen_as(scene, kind, color, position)
                .map_or_else(|| unseen_id(kind, color), |object| object.id.clone())
        };
        let object = match &self.object {
            Some(object) => id(&object.kind, object.color.as_deref(), object.position),
            None => scene.gripper.holding.clone()?,
        };
        let target = self.target.as_ref();
        let target_name = || {
            let target = target?;
            target.region.clone().or_else(|| {
                Some(id(
                    target.kind.as_deref()?,
                    target.color.as_deref(),
                    target.position,
                ))
            })
        };
        Some(match self.op {
            Op::Pick => Step::Pick { object },
            Op::Place => Step::Place {
                object,
                target: target_name().unwrap_or_else(|| ON_TABLE.to_owned()),
                relation: self.relation.unwrap_or(Relation::On),
            },
            Op::Push => Step::Push {
                object,
                to: match target.and_then(|target| target.direction) {
                    Some(direction) => PushTo::Direction(direction),
                    None => PushTo::Region(target_name()?),
                },
            },
            Op::Open => Step::Open { object },
            Op::Close => Step::Close { object },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Scene {
        Scene::from_json(
            r#"{"objects":[
            {"id":"red_block_1","kind":"block","color":"red","position":[0.42,0.10,0.02]},
            {"id":"red_block_2","kind":"block","color":"red","position":[0.42,-0.10,0.02]},
            {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.5,0.15,0.03]},
            {"id":"drawer","kind":"drawer","position":[0.6,0.0,0.05],"open":false}]}"#,
        )
        .unwrap()
    }

    fn goal(json: &str) -> EpisodeGoal {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn goals_become_steps_over_the_seen_scene() {
        let scene = scene();
        for (json, expected) in [
            (
                r#"{"op":"pick","object":{"kind":"block","color":"red","position":[0.41,-0.11,0.02]}}"#,
                r#"{"op":"pick","object":"red_block_2"}"#,
            ),
            (
                r#"{"op":"place","relation":"in","object":{"kind":"block","color":"red","position":[0.42,0.1,0.02]},
                    "target":{"kind":"bowl","color":"blue","position":[0.5,0.15,0.03],"point":[0.5,0.15,0.05]}}"#,
                r#"{"op":"place","object":"red_block_1","target":"blue_bowl","relation":"in"}"#,
            ),
            (
                r#"{"op":"push","object":{"kind":"block","color":"green"},"target":{"direction":"left"}}"#,
                r#"{"op":"push","object":"green_block","direction":"left"}"#,
            ),
            (
                r#"{"op":"push","object":{"kind":"block","color":"red"},"target":{"region":"middle"}}"#,
                r#"{"op":"push","object":"red_block_1","target":"middle"}"#,
            ),
            (
                r#"{"op":"open","object":{"kind":"drawer","position":[0.7,0.0,0.05]}}"#,
                r#"{"op":"open","object":"drawer"}"#,
            ),
        ] {
            let step = goal(json).step(&scene).unwrap();
            let expected: Step = serde_json::from_str(expected).unwrap();
            assert_eq!(step, expected, "{json}");
        }
        assert_eq!(goal(r#"{"op":"place"}"#).step(&scene), None);
    }

    #[test]
    fn an_object_far_from_its_true_place_is_another() {
        let scene = scene();
        assert!(seen_as(&scene, "block", Some("red"), Some([0.42, 0.0, 0.02])).is_none());
        assert_eq!(
            seen_as(&scene, "bowl", Some("blue"), Some([0.5, 0.19, 0.0]))
                .unwrap()
                .id,
            "blue_bowl"
        );
    }

    #[test]
    fn unknown_fields_of_a_world_are_ignored() {
        let value = serde_json::json!({"task":"free","seed":3,"arm":"franka","steps":[],"objects":[
            {"kind":"drawer","color":null,"position":[0.6,0,0],"yaw":0.1,"open":0.5}]});
        let episode = Episode::read("tabletop/franka", value).unwrap();
        assert_eq!(episode.objects[0].open, Some(0.5));
        let error = Episode::read("a/b", serde_json::json!({"objects":3}))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`a/b`") && error.contains("reset"),
            "{error}"
        );
    }
}
