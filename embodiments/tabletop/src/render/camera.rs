//! Pinhole cameras.

use rapier3d::math::{Pose, Rotation, Vector};
use vola_types::Intrinsics;

use crate::arm::narrow;

/// A camera in the world.
///
/// # Units
/// Metres, base frame; the view's half width is a tangent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CameraView {
    /// Where it is.
    pub(crate) position: Vector,
    /// Unit vector to the picture's right.
    pub(crate) right: Vector,
    /// Unit vector to the picture's top.
    pub(crate) up: Vector,
    /// Unit vector of view.
    pub(crate) forward: Vector,
    /// Tangent of half the horizontal field of view.
    pub(crate) half_width: f32,
}

impl CameraView {
    /// Looks from one point to another, `up` roughly upwards.
    pub(crate) fn look(position: Vector, at: Vector, up: Vector, half_width: f32) -> Self {
        let forward = (at - position).normalize();
        let right = forward.cross(up).normalize();
        Self {
            position,
            right,
            up: right.cross(forward),
            forward,
            half_width,
        }
    }

    /// A point in camera axes: right, up, depth (m).
    pub(crate) fn to_view(self, point: Vector) -> Vector {
        let offset = point - self.position;
        Vector::new(
            offset.dot(self.right),
            offset.dot(self.up),
            offset.dot(self.forward),
        )
    }

    /// A point's place in a picture of this aspect (width by height): u to the
    /// right and v downwards, 0..1 inside; none behind the camera.
    pub(crate) fn project(self, point: Vector, aspect: f32) -> Option<[f32; 2]> {
        let view = self.to_view(point);
        if !(view.z > 0.02) {
            return None;
        }
        let scale = 0.5 / (self.half_width * view.z);
        Some([0.5 + view.x * scale, 0.5 - view.y * scale * aspect])
    }

    /// The pinhole model for a picture of this size.
    pub(crate) fn intrinsics(self, width: u32, height: u32) -> Intrinsics {
        let focal = 0.5 * f64::from(width) / f64::from(self.half_width);
        Intrinsics {
            fx: focal,
            fy: focal,
            cx: 0.5 * f64::from(width),
            cy: 0.5 * f64::from(height),
        }
    }

    /// Orientation x y z w of the camera frame (z forward, x right, y down).
    pub(crate) fn orientation(self) -> [f64; 4] {
        let matrix = rapier3d::math::Matrix::from_cols(self.right, -self.up, self.forward);
        let rotation = Rotation::from_mat3(&matrix);
        let sign = if rotation.w < 0.0 { -1.0 } else { 1.0 };
        [rotation.x, rotation.y, rotation.z, rotation.w].map(|part| f64::from(sign * part))
    }
}

/// The camera that looks back at the robot from beyond the table: it sees
/// x 0.27 to 0.68 and |y| up to 0.36 m at table height.
pub(crate) fn front_camera() -> CameraView {
    CameraView::look(
        Vector::new(1.10, 0.0, 0.80),
        Vector::new(0.46, 0.0, 0.01),
        Vector::Z,
        0.41,
    )
}

impl CameraView {
    /// The same camera displaced (m, base axes) and turned about its own right,
    /// up and forward axes (rad).
    pub(crate) fn moved(self, offset: [f64; 3], turn: [f64; 3]) -> Self {
        let [right, up, forward] = turn.map(narrow);
        let rotation = Rotation::from_axis_angle(self.right, right)
            * Rotation::from_axis_angle(self.up, up)
            * Rotation::from_axis_angle(self.forward, forward);
        Self {
            position: self.position + Vector::from(offset.map(narrow)),
            right: rotation * self.right,
            up: rotation * self.up,
            forward: rotation * self.forward,
            half_width: self.half_width,
        }
    }
}

/// A view from beside the table that shows arm and things; for people.
pub(crate) fn overview_camera() -> CameraView {
    CameraView::look(
        Vector::new(1.30, 0.84, 0.78),
        Vector::new(0.28, -0.01, 0.20),
        Vector::Z,
        0.49,
    )
}

/// The wrist camera's view in tool axes.
pub(crate) fn wrist_in_tool() -> CameraView {
    CameraView::look(
        Vector::new(0.046, 0.0, -0.066),
        Vector::new(0.004, 0.0, 0.02),
        Vector::X,
        0.85,
    )
}

/// The wrist camera for a tool pose.
pub(crate) fn wrist_camera(tool: &Pose) -> CameraView {
    let own = wrist_in_tool();
    CameraView {
        position: *tool * own.position,
        right: tool.rotation * own.right,
        up: tool.rotation * own.up,
        forward: tool.rotation * own.forward,
        half_width: own.half_width,
    }
}
