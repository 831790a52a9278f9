//! What a scene must satisfy before anyone plans over it.
//!
//! Scene files and model outputs are hostile: sizes are bounded first, so that
//! later code may be quadratic in the number of objects.

use super::{ON_GRIPPER, ON_TABLE, Scene, SceneObject};

/// Longest accepted scene text, in bytes.
pub const MAX_SCENE_BYTES: usize = 1 << 20;

/// Most objects in a scene.
pub const MAX_SCENE_OBJECTS: usize = 256;

/// Most regions in a scene.
pub const MAX_SCENE_REGIONS: usize = 64;

/// Longest id, kind, colour or region name, in bytes. Labels may be eight
/// times as long.
pub const MAX_NAME_BYTES: usize = 64;

/// Farthest accepted coordinate, in metres. Generous for an arm on a table;
/// its purpose is to refuse nonsense, the workspace check is elsewhere.
const MAX_COORDINATE_M: f64 = 10.0;

/// Why a scene was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// The text exceeds [`MAX_SCENE_BYTES`].
    #[error(
        "scene: {bytes} bytes, at most {limit} are read\nhelp: keep only the objects near the robot"
    )]
    TooLong {
        /// Length found.
        bytes: usize,
        /// Length allowed.
        limit: usize,
    },
    /// The text is not the JSON of a scene.
    #[error(
        "scene: not a scene in JSON: {0}\nhelp: see the scene format, for example {{\"objects\":[{{\"id\":\"red_block\",\"kind\":\"block\"}}]}}"
    )]
    Json(#[source] serde_json::Error),
    /// Too many objects or regions.
    #[error("scene.{field}: {found} entries, at most {limit} are read")]
    TooMany {
        /// `objects` or `regions`.
        field: &'static str,
        /// Entries found.
        found: usize,
        /// Entries allowed.
        limit: usize,
    },
    /// A name is empty, too long, or holds control characters.
    #[error(
        "scene.{place}: expected a name of 1 to {limit} bytes without control characters, got {got:?}"
    )]
    BadName {
        /// Key path.
        place: String,
        /// Bytes allowed.
        limit: usize,
        /// Beginning of the name found.
        got: String,
    },
    /// Two objects, or an object and a reserved word, share an id.
    #[error(
        "scene.objects: the id {id:?} is used twice or is a reserved word\nhelp: ids must be unique and differ from regions, \"table\" and \"gripper\""
    )]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// A coordinate is not finite or too far away.
    #[error(
        "scene.objects[{id}].position[{axis}]: expected a finite number within ±{limit} m, got {got}"
    )]
    BadPosition {
        /// Object.
        id: String,
        /// 0 = x, 1 = y, 2 = z.
        axis: usize,
        /// Largest magnitude allowed, metres.
        limit: f64,
        /// Value found.
        got: f64,
    },
    /// A confidence lies outside 0..=1.
    #[error("scene.objects[{id}].confidence: expected 0 to 1, got {got}")]
    BadConfidence {
        /// Object.
        id: String,
        /// Value found.
        got: f64,
    },
    /// `on` or `holding` names something that does not exist.
    #[error("scene.{place}: {name:?} is not an object, a region, \"table\" or \"gripper\"")]
    UnknownPlace {
        /// Key path.
        place: String,
        /// The name.
        name: String,
    },
    /// `on` leads back to the object itself.
    #[error("scene.objects[{id}].on: the object rests on itself")]
    Cycle {
        /// Object.
        id: String,
    },
    /// `gripper.holding` and the objects' `on` disagree.
    #[error(
        "scene.gripper.holding: says {holding:?}, but the objects say {on_gripper:?}\nhelp: exactly the held object has \"on\":\"gripper\""
    )]
    Holding {
        /// What the gripper says.
        holding: Option<String>,
        /// Ids of the objects on the gripper.
        on_gripper: Vec<String>,
    },
}

pub(super) fn check(scene: &Scene) -> Result<(), SceneError> {
    bounded("objects", scene.objects.len(), MAX_SCENE_OBJECTS)?;
    bounded("regions", scene.regions.len(), MAX_SCENE_REGIONS)?;
    for (index, region) in scene.regions.iter().enumerate() {
        name(&format!("regions[{index}]"), region, MAX_NAME_BYTES)?;
    }
    for (index, object) in scene.objects.iter().enumerate() {
        object_alone(index, object)?;
        let taken = scene.objects[..index].iter().any(|o| o.id == object.id);
        let reserved = object.id == ON_TABLE || object.id == ON_GRIPPER;
        if taken || reserved || scene.has_region(&object.id) {
            return Err(SceneError::DuplicateId {
                id: object.id.clone(),
            });
        }
    }
    scene.objects.iter().try_for_each(|o| place(scene, o))?;
    holding(scene)
}

fn bounded(field: &'static str, found: usize, limit: usize) -> Result<(), SceneError> {
    if found <= limit {
        return Ok(());
    }
    Err(SceneError::TooMany {
        field,
        found,
        limit,
    })
}

fn name(place: &str, text: &str, limit: usize) -> Result<(), SceneError> {
    let printable = !text.chars().any(char::is_control);
    if !text.trim().is_empty() && text.len() <= limit && printable {
        return Ok(());
    }
    Err(SceneError::BadName {
        place: place.to_owned(),
        limit,
        got: text.chars().take(24).collect(),
    })
}

fn object_alone(index: usize, object: &SceneObject) -> Result<(), SceneError> {
    let at = |field: &str| format!("objects[{index}].{field}");
    name(&at("id"), &object.id, MAX_NAME_BYTES)?;
    name(&at("kind"), &object.kind, MAX_NAME_BYTES)?;
    if let Some(color) = &object.color {
        name(&at("color"), color, MAX_NAME_BYTES)?;
    }
    if let Some(label) = &object.label
        && label.len() > 8 * MAX_NAME_BYTES
    {
        return Err(SceneError::BadName {
            place: at("label"),
            limit: 8 * MAX_NAME_BYTES,
            got: label.chars().take(24).collect(),
        });
    }
    for (axis, got) in object.position.iter().flatten().copied().enumerate() {
        if !(got.is_finite() && got.abs() <= MAX_COORDINATE_M) {
            return Err(SceneError::BadPosition {
                id: object.id.clone(),
                axis,
                limit: MAX_COORDINATE_M,
                got,
            });
        }
    }
    if !(0.0..=1.0).contains(&object.confidence) {
        return Err(SceneError::BadConfidence {
            id: object.id.clone(),
            got: object.confidence,
        });
    }
    Ok(())
}

fn place(scene: &Scene, object: &SceneObject) -> Result<(), SceneError> {
    let mut current = object;
    for _ in 0..=scene.objects.len() {
        let Some(on) = current.on.as_deref() else {
            return Ok(());
        };
        if on == ON_TABLE || on == ON_GRIPPER || scene.has_region(on) {
            return Ok(());
        }
        let Some(below) = scene.object(on) else {
            return Err(SceneError::UnknownPlace {
                place: format!("objects[{}].on", current.id),
                name: on.to_owned(),
            });
        };
        current = below;
    }
    Err(SceneError::Cycle {
        id: object.id.clone(),
    })
}

fn holding(scene: &Scene) -> Result<(), SceneError> {
    if let Some(id) = &scene.gripper.holding
        && scene.object(id).is_none()
    {
        return Err(SceneError::UnknownPlace {
            place: "gripper.holding".to_owned(),
            name: id.clone(),
        });
    }
    let on_gripper: Vec<String> = scene
        .objects
        .iter()
        .filter(|object| object.is_held())
        .map(|object| object.id.clone())
        .collect();
    if on_gripper.len() <= 1 && on_gripper.first() == scene.gripper.holding.as_ref() {
        return Ok(());
    }
    Err(SceneError::Holding {
        holding: scene.gripper.holding.clone(),
        on_gripper,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text is refused and the message holds `expected`.
    fn refused(text: &str, expected: &str) {
        let error = Scene::from_json(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }

    #[test]
    fn hostile_scenes_are_refused_with_the_place() {
        let block = |rest: &str| format!(r#"{{"objects":[{{"id":"a","kind":"block"{rest}}}]}}"#);
        refused("", "not a scene");
        refused("[1,2", "not a scene");
        refused(&"x".repeat(MAX_SCENE_BYTES + 1), "at most");
        refused(&block(r#","position":[0,1e9,0]"#), "position[1]");
        refused(&block(r#","position":[0,1e999,0]"#), "not a scene");
        refused(&block(r#","confidence":1.5"#), "0 to 1");
        refused(&block(r#","on":"nowhere""#), "nowhere");
        refused(&block(r#","on":"a""#), "rests on itself");
        refused(
            r#"{"objects":[{"id":"a","kind":"b"},{"id":"a","kind":"b"}]}"#,
            "used twice",
        );
        refused(r#"{"objects":[{"id":"table","kind":"b"}]}"#, "reserved");
        refused(r#"{"objects":[{"id":"","kind":"b"}]}"#, "objects[0].id");
        refused(
            r#"{"objects":[{"id":"a\u0007","kind":"b"}]}"#,
            "control characters",
        );
        refused(r#"{"gripper":{"holding":"ghost"}}"#, "ghost");
        refused(
            r#"{"objects":[{"id":"a","kind":"b","on":"gripper"},{"id":"c","kind":"b","on":"gripper"}]}"#,
            "holding",
        );
        let many = vec![r#"{"id":"a","kind":"b"}"#; MAX_SCENE_OBJECTS + 1].join(",");
        refused(&format!(r#"{{"objects":[{many}]}}"#), "at most 256");
    }
}
