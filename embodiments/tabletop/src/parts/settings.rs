//! The settings of the deployment's `[robot]` table.

use serde::Deserialize;
use serde_json::{Value, json};
use vola_plugin::Fault;

use super::camera::CameraPlace;
use crate::{scene::DrawerChoice, world::PhysicsSettings};

/// What the file said.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawSettings {
    cameras: RawCameras,
    drawer: DrawerChoice,
    gripper_force_n: f64,
    physics_dt_ms: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawCameras {
    front: PictureSize,
    wrist: PictureSize,
    overview: PictureSize,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PictureSize {
    width: u32,
    height: u32,
}

impl Default for RawSettings {
    fn default() -> Self {
        Self {
            cameras: RawCameras::default(),
            drawer: DrawerChoice::Default,
            gripper_force_n: 8.0,
            physics_dt_ms: 2,
        }
    }
}

impl Default for RawCameras {
    fn default() -> Self {
        Self {
            front: PictureSize {
                width: 128,
                height: 96,
            },
            wrist: PictureSize {
                width: 64,
                height: 64,
            },
            overview: PictureSize {
                width: 640,
                height: 480,
            },
        }
    }
}

/// Checked settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    sizes: [[u32; 2]; 3],
    /// Whether scenes have a drawer.
    pub(crate) drawer: DrawerChoice,
    /// Numbers of the physics.
    pub(crate) physics: PhysicsSettings,
}

impl Settings {
    /// Reads and checks; `null` and `{}` are the defaults.
    ///
    /// # Errors
    /// [`Fault::settings`] with the key, what was expected and what was there.
    pub(crate) fn from_json(value: Value) -> Result<Self, Fault> {
        let raw: RawSettings = if value.is_null() {
            RawSettings::default()
        } else {
            serde_json::from_value(value)?
        };
        let cameras = raw.cameras;
        let sizes =
            [cameras.front, cameras.wrist, cameras.overview].map(|size| [size.width, size.height]);
        for (place, size) in CameraPlace::ALL.iter().zip(sizes) {
            if !size.iter().all(|side| (8..=2048).contains(side)) {
                return Err(Fault::settings(format!(
                    "cameras.{}: expected 8 to 2048 pixels a side, got {} × {}",
                    place.key(),
                    size[0],
                    size[1]
                )));
            }
        }
        if !(raw.gripper_force_n >= 1.0 && raw.gripper_force_n <= 30.0) {
            return Err(Fault::settings(format!(
                "gripper_force_n: expected 1 to 30, got {}",
                raw.gripper_force_n
            )));
        }
        if !(1..=4).contains(&raw.physics_dt_ms) {
            return Err(Fault::settings(format!(
                "physics_dt_ms: expected 1 to 4, got {}",
                raw.physics_dt_ms
            )));
        }
        let physics = PhysicsSettings {
            ticks_per_step: raw.physics_dt_ms,
            gripper_force: raw.gripper_force_n,
        };
        Ok(Self {
            sizes,
            drawer: raw.drawer,
            physics,
        })
    }

    /// Columns and rows of a camera's pictures.
    pub(crate) fn size(&self, place: CameraPlace) -> [u32; 2] {
        match place {
            CameraPlace::Front => self.sizes[0],
            CameraPlace::Wrist => self.sizes[1],
            CameraPlace::Overview => self.sizes[2],
        }
    }

    /// The JSON schema.
    pub(crate) fn schema() -> Value {
        let picture = |width: u32, height: u32| {
            json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["width", "height"],
                "default": { "width": width, "height": height },
                "properties": {
                    "width": { "type": "integer", "minimum": 8, "maximum": 2048 },
                    "height": { "type": "integer", "minimum": 8, "maximum": 2048 },
                },
            })
        };
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "cameras": {
                    "type": "object",
                    "additionalProperties": false,
                    "description": "size of each camera's pictures",
                    "properties": {
                        "front": picture(128, 96),
                        "wrist": picture(64, 64),
                        "overview": picture(640, 480),
                    },
                },
                "drawer": {
                    "enum": ["default", "never", "always"],
                    "default": "default",
                    "description": "default: as the task says; tasks of the drawer always have it",
                },
                "gripper_force_n": { "type": "number", "minimum": 1, "maximum": 30, "default": 8 },
                "physics_dt_ms": { "type": "integer", "minimum": 1, "maximum": 4, "default": 2 },
            },
            "examples": [{}],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_by_key() {
        assert_eq!(
            Settings::from_json(json!({}))
                .unwrap()
                .size(CameraPlace::Front),
            [128, 96]
        );
        let own = json!({"cameras":{"front":{"width":224,"height":224}}, "drawer":"never"});
        assert_eq!(
            Settings::from_json(own).unwrap().size(CameraPlace::Front),
            [224, 224]
        );
        for (bad, word) in [
            (json!({"camera":{}}), "camera"),
            (
                json!({"cameras":{"front":{"width":0,"height":96}}}),
                "cameras.front",
            ),
            (json!({"gripper_force_n":-1.0}), "gripper_force_n"),
            (json!({"physics_dt_ms":10}), "physics_dt_ms"),
            (json!({"drawer":"maybe"}), "maybe"),
        ] {
            let error = Settings::from_json(bad).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
