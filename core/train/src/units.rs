//! Physical numbers to the normalised ones that networks see, with fixed constants.
//!
//! The constants are round numbers of the workspace rather than statistics of a data set, so that
//! bundles trained on different demonstrations stay comparable.

/// Normalised positions are `(p - CENTRE) / SCALE`, in metres, base frame.
pub const POSITION_CENTRE_M: [f32; 3] = [0.45, 0.0, 0.15];
/// One unit of a normalised position, in metres.
pub const POSITION_SCALE_M: f32 = 0.15;
/// Values of the state vector.
pub const STATE_WIDTH: usize = 9;
/// Names of the state vector's values; see the crate that makes observations for their meaning.
pub const STATE_NAMES: [&str; STATE_WIDTH] = [
    "tool.x",
    "tool.y",
    "tool.z",
    "tool.r11",
    "tool.r21",
    "tool.r12",
    "tool.r22",
    "gripper.position",
    "gripper.command",
];
/// Names of an action row's values.
pub const ACTION_NAMES: [&str; 7] = ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"];
/// One unit of a normalised action: metres a row, radians a row, and half the gripper's range.
pub const ACTION_SCALE: [f32; 7] = [0.045, 0.045, 0.045, 0.25, 0.25, 0.25, 0.5];

/// Mean and standard deviation of the state vector. Rotation entries already lie in -1..1, the
/// gripper is brought there from 0..1.
#[must_use]
pub fn state_statistics() -> ([f32; STATE_WIDTH], [f32; STATE_WIDTH]) {
    let [x, y, z] = POSITION_CENTRE_M;
    let s = POSITION_SCALE_M;
    (
        [x, y, z, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5],
        [s, s, s, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5],
    )
}

/// Mean and standard deviation of an action row; the gripper is brought from 0..1 to -1..1.
#[must_use]
pub fn action_statistics() -> ([f32; 7], [f32; 7]) {
    ([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5], ACTION_SCALE)
}

/// A point in metres to normalised numbers.
pub(crate) fn normalise_point(point: [f32; 3]) -> [f32; 3] {
    [0, 1, 2].map(|i| (point[i] - POSITION_CENTRE_M[i]) / POSITION_SCALE_M)
}
