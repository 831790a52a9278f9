//! What touches the gripper: the forces of the contacts that the physics found.
//!
//! The arm's links are moved, not pushed, so nothing but these contacts tells
//! what they push against. Friction is left out: what presses, presses along the
//! contact's normal.

use rapier3d::math::Vector;
use rapier3d::prelude::*;

use super::Bodies;

/// Part of a new measurement in the next reading: a sensor's own inertia, some
/// ten milliseconds, so that the tick of an impact is not taken for a force.
const NEW_PART: f64 = 0.2;

/// Forces on hand and fingers, base axes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Touch {
    /// Force (N) and torque about the tool's origin (N·m).
    pub(crate) wrench: [f64; 6],
    /// With how much the fingers press on what is between them (N): the lesser
    /// of both.
    pub(crate) grip: f64,
}

impl Touch {
    /// The next reading of the sensor.
    pub(crate) fn towards(self, now: Self) -> Self {
        let mix = |old: f64, new: f64| old + NEW_PART * (new - old);
        let mut wrench = self.wrench;
        for (slot, new) in wrench.iter_mut().zip(now.wrench) {
            *slot = mix(*slot, new);
        }
        Self {
            wrench,
            grip: mix(self.grip, now.grip),
        }
    }
}

impl Bodies {
    /// What touches hand and fingers, as the last step left it.
    pub(crate) fn touch(&self) -> Touch {
        let Some(tool) = self.pose(self.tool) else {
            return Touch::default();
        };
        let (mut force, mut torque) = (Vector::ZERO, Vector::ZERO);
        let mut add = |push: Vector, at: Vector| {
            force += push;
            torque += (at - tool.translation).cross(push);
        };
        let across = tool.rotation * Vector::Y;
        let [first, second] = self.finger_shapes.map(|finger| {
            let mut pressed = 0.0;
            self.contacts(finger, |push, at| {
                add(push, at);
                pressed += push.dot(across);
            });
            pressed
        });
        for shape in self.hand_shapes() {
            self.contacts(shape, &mut add);
        }
        // Pressed apart: the forces on the two point away from each other.
        let grip = if first * second < 0.0 {
            first.abs().min(second.abs())
        } else {
            0.0
        };
        let wrench = [force.x, force.y, force.z, torque.x, torque.y, torque.z];
        Touch {
            wrench: wrench.map(f64::from),
            grip: f64::from(grip),
        }
    }

    /// Shapes of the last link and of the closed fingers' plate.
    fn hand_shapes(&self) -> impl Iterator<Item = ColliderHandle> {
        let hand = self.links.last().into_iter().chain([&self.tool]);
        hand.filter_map(|body| self.physics.bodies.get(*body))
            .flat_map(|body| body.colliders().iter().copied())
    }

    /// Each force (N) on a shape, and where (m).
    fn contacts(&self, shape: ColliderHandle, mut each: impl FnMut(Vector, Vector)) {
        let seconds = self.physics.integration_parameters.dt;
        for pair in self.physics.narrow_phase.contact_pairs_with(shape) {
            let Some(place) = self.physics.colliders.get(pair.collider1) else {
                continue;
            };
            // A normal points out of the first: the second is pushed along it.
            let sign = if pair.collider2 == shape { 1.0 } else { -1.0 };
            for manifold in pair.manifolds() {
                for point in &manifold.points {
                    let newtons = sign * point.data.impulse / seconds;
                    let at = place.position().transform_point(point.local_p1);
                    each(manifold.data.normal * newtons, at);
                }
            }
        }
    }
}
