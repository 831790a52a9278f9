//! What every frame of a recording holds; equal for all episodes of a folder.

use serde::{Deserialize, Serialize};

/// Frames a second that divide the 100 Hz of measured states.
pub const FRAME_RATES: [u32; 9] = [1, 2, 4, 5, 10, 20, 25, 50, 100];

/// Names and sizes of what is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// The embodiment, for example `tabletop/franka`.
    pub robot: String,
    /// Frames a second of the data set, one of [`FRAME_RATES`].
    pub fps: u32,
    /// Names of the joints, gripper last where there is one.
    pub joints: Vec<String>,
    /// Names of `observation.state`.
    pub state: Vec<String>,
    /// What `action` means.
    pub action: ActionMeaning,
    /// Names of `action`.
    pub action_names: Vec<String>,
    /// The cameras.
    pub cameras: Vec<CameraLayout>,
}

/// One camera of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraLayout {
    /// Its key, for example `front`.
    pub key: String,
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
}

/// What `action` of a frame means. Both are read from the commands that reached
/// the robot, so they are true whoever moved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionMeaning {
    /// The commanded tool pose of the next frame, seen from the tool pose
    /// measured in this one: `dx dy dz` (m), rotation vector `rx ry rz` (rad,
    /// base axes), then the commanded gripper.
    ToolDelta,
    /// The commanded joint positions of the next frame.
    JointPosition,
}

impl ActionMeaning {
    /// Names of `action` for these joints.
    #[must_use]
    pub fn names(self, joints: &[String], has_gripper: bool) -> Vec<String> {
        match self {
            Self::JointPosition => joints.to_vec(),
            Self::ToolDelta => ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"]
                .into_iter()
                .take(if has_gripper { 7 } else { 6 })
                .map(str::to_owned)
                .collect(),
        }
    }
}

impl Layout {
    /// Time between two frames (ns).
    #[must_use]
    pub fn period_ns(&self) -> u64 {
        1_000_000_000 / u64::from(self.fps.max(1))
    }

    /// The camera with this key, and its place.
    #[must_use]
    pub fn camera(&self, key: &str) -> Option<(usize, &CameraLayout)> {
        self.cameras
            .iter()
            .enumerate()
            .find(|(_, camera)| camera.key == key)
    }
}
