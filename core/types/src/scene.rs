//! The scene: what the planner is told about the table.
//!
//! Plain data with the exact JSON of the contract. A scene that comes from a
//! file or from a model is hostile until [`Scene::check`] accepted it:
//! deserialising alone only proves the shape, not the meaning.
//!
//! Frames and units: positions in metres in the robot's base frame (x forward,
//! y left, z up); the table surface is z = 0.

mod check;
mod region;

use serde::{Deserialize, Serialize};

pub use check::{
    MAX_NAME_BYTES, MAX_SCENE_BYTES, MAX_SCENE_OBJECTS, MAX_SCENE_REGIONS, SceneError,
};
pub use region::{Region, TABLE_X, TABLE_Y};

/// Colours of the default tabletop, in the order that indexes them everywhere
/// (scene head, renderer, training data).
pub const COLORS: [&str; 10] = [
    "blue", "red", "green", "orange", "yellow", "purple", "pink", "cyan", "brown", "gray",
];

/// Object kinds of the default tabletop, in the order that indexes them.
pub const KINDS: [&str; 3] = ["block", "bowl", "drawer"];

/// The word in [`SceneObject::on`] for the table top.
pub const ON_TABLE: &str = "table";

/// The word in [`SceneObject::on`] for an object held by the robot.
pub const ON_GRIPPER: &str = "gripper";

/// Edge length of a block, in metres.
pub const BLOCK_SIZE_M: f64 = 0.04;

/// Radius of a bowl's rim, in metres.
pub const BOWL_RIM_RADIUS_M: f64 = 0.064;

/// Everything the planner knows about the world at one moment.
///
/// Unknown fields in the JSON are ignored, missing `regions` become the nine
/// default ones, and a missing `gripper` is an empty open one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The objects, in no particular order; ids are unique.
    #[serde(default)]
    pub objects: Vec<SceneObject>,
    /// Names of the table regions that can be targets.
    #[serde(default = "Region::all_names")]
    pub regions: Vec<String>,
    /// What the gripper does.
    #[serde(default)]
    pub gripper: GripperScene,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            objects: Vec::new(),
            regions: Region::all_names(),
            gripper: GripperScene::default(),
        }
    }
}

/// One object of a [`Scene`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SceneObject {
    /// Name used in plans, unique in the scene and stable for a run.
    pub id: String,
    /// `block`, `bowl`, `drawer` or any other word a detector knows.
    pub kind: String,
    /// One of [`COLORS`] or another word; `None` when it has no one colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Centre of the object in metres, base frame; `None` when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<[f64; 3]>,
    /// What it rests on: [`ON_TABLE`], a region, another object's id, or
    /// [`ON_GRIPPER`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Whether it is open; only for things that open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// How sure the source is that it is there, 0..=1.
    #[serde(default = "full_confidence")]
    pub confidence: f64,
    /// Text seen on the object. Data only: never an order to the robot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl SceneObject {
    /// "red block", "drawer": the words a sentence uses for the object.
    #[must_use]
    pub fn noun(&self) -> String {
        match &self.color {
            Some(color) => format!("{color} {}", self.kind),
            None => self.kind.clone(),
        }
    }

    /// Whether the object is held by the robot.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.on.as_deref() == Some(ON_GRIPPER)
    }

    /// Distance to `point` in the table plane, in metres; `None` without a
    /// position.
    #[must_use]
    pub fn table_distance_m(&self, point: [f64; 3]) -> Option<f64> {
        self.position
            .map(|own| (own[0] - point[0]).hypot(own[1] - point[1]))
    }
}

/// State of the gripper in a [`Scene`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GripperScene {
    /// Id of the held object.
    #[serde(default)]
    pub holding: Option<String>,
    /// Whether the fingers are apart.
    #[serde(default = "open_gripper")]
    pub open: bool,
}

impl Default for GripperScene {
    fn default() -> Self {
        Self {
            holding: None,
            open: true,
        }
    }
}

impl Scene {
    /// Parses and checks a scene that came from outside.
    ///
    /// # Errors
    /// [`SceneError`] when the text is too long, is not the JSON of a scene,
    /// or does not pass [`Scene::check`].
    pub fn from_json(text: &str) -> Result<Self, SceneError> {
        if text.len() > MAX_SCENE_BYTES {
            return Err(SceneError::TooLong {
                bytes: text.len(),
                limit: MAX_SCENE_BYTES,
            });
        }
        let mut scene: Self = serde_json::from_str(text).map_err(SceneError::Json)?;
        scene.settle_holding();
        scene.check()?;
        Ok(scene)
    }

    /// Makes the two places that tell what is held agree: `gripper.holding`
    /// fills a missing `on`, and an object on the gripper fills a missing
    /// `holding`. Contradictions are left for [`Scene::check`].
    pub fn settle_holding(&mut self) {
        if let Some(id) = self.gripper.holding.clone() {
            for object in &mut self.objects {
                if object.id == id && object.on.is_none() {
                    object.on = Some(ON_GRIPPER.to_owned());
                }
            }
        } else {
            self.gripper.holding = self
                .objects
                .iter()
                .find(|object| object.is_held())
                .map(|object| object.id.clone());
        }
    }

    /// Tests that the scene means something: unique bounded ids, finite
    /// positions near the robot, confidences in 0..=1, and `on`/`holding` that
    /// name things which exist, without a cycle.
    ///
    /// # Errors
    /// The first [`SceneError`] found.
    pub fn check(&self) -> Result<(), SceneError> {
        check::check(self)
    }

    /// The object with this id.
    #[must_use]
    pub fn object(&self, id: &str) -> Option<&SceneObject> {
        self.objects.iter().find(|object| object.id == id)
    }

    /// Whether `name` is a region of this scene.
    #[must_use]
    pub fn has_region(&self, name: &str) -> bool {
        self.regions.iter().any(|region| region == name)
    }

    /// The held object.
    #[must_use]
    pub fn held(&self) -> Option<&SceneObject> {
        let id = self.gripper.holding.as_deref()?;
        self.object(id)
    }

    /// The objects that rest directly on or in the object `id`.
    pub fn resting_on<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a SceneObject> {
        self.objects
            .iter()
            .filter(move |object| object.on.as_deref() == Some(id))
    }
}

fn full_confidence() -> f64 {
    1.0
}

fn open_gripper() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = r#"{"objects":[
      {"id":"red_block","kind":"block","color":"red","position":[0.42,-0.10,0.02],"on":"table","confidence":0.97},
      {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.50,0.15,0.03],"on":"table","confidence":0.99},
      {"id":"drawer","kind":"drawer","open":false,"confidence":0.99}],
     "regions":["top left corner","top side","top right corner","left side","middle","right side","bottom left corner","bottom side","bottom right corner"],
     "gripper":{"holding":null,"open":true}}"#;

    #[test]
    fn the_contract_example_round_trips() {
        let scene = Scene::from_json(CONTRACT).unwrap();
        assert_eq!(scene.regions, Region::all_names());
        let again: serde_json::Value =
            serde_json::from_str(&serde_json::to_string(&scene).unwrap()).unwrap();
        let original: serde_json::Value = serde_json::from_str(CONTRACT).unwrap();
        assert_eq!(again, original);
    }

    #[test]
    fn unknown_fields_and_missing_parts_are_tolerated() {
        let scene =
            Scene::from_json(r#"{"objects":[{"id":"cup","kind":"mug","weight":3}],"camera":"x"}"#)
                .unwrap();
        assert_eq!(scene.regions.len(), 9);
        assert!(scene.gripper.open);
        assert_eq!(scene.object("cup").unwrap().noun(), "mug");
    }

    #[test]
    fn holding_is_settled_from_either_side() {
        let from_on =
            Scene::from_json(r#"{"objects":[{"id":"a","kind":"block","on":"gripper"}]}"#).unwrap();
        assert_eq!(from_on.held().unwrap().id, "a");
        let from_holding = Scene::from_json(
            r#"{"objects":[{"id":"a","kind":"block"}],"gripper":{"holding":"a"}}"#,
        )
        .unwrap();
        assert!(from_holding.object("a").unwrap().is_held());
    }
}
