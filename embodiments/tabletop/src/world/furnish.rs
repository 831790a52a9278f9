//! Putting things on the table: blocks, bowls, the drawer.

use rapier3d::math::{Pose, Rotation, Vector};
use rapier3d::prelude::*;

use super::bodies::{ARM, Bodies, FINGERS, THINGS, touching};
use crate::{
    arm::narrow,
    catalog::{BLOCK_HALF, BOWL_FOOT, BOWL_HEIGHT, BOWL_RIM, Kind},
    scene::{Clutter, DrawerSpec, FRONT_X, ObjectSpec, Shape, TRAVEL, drawer_boxes},
};

/// Masses (kg).
const BLOCK_MASS: f32 = 0.06;
const BOWL_MASS: f32 = 0.25;
const TRAY_MASS: f32 = 0.5;
/// Friction of the tray's slide (N) and its steepness (N·s/m).
const TRAY_FRICTION: f32 = 1.5;
const TRAY_DAMPING: f32 = 60.0;
/// Boxes that make a bowl's wall.
const BOWL_WALL: u16 = 12;

impl Bodies {
    /// Adds a block or bowl, or what has another shape in its place; a held one
    /// at its pose in the hand.
    pub(crate) fn add_object(
        &mut self,
        spec: &ObjectSpec,
        shape: Option<Shape>,
        pose: Option<Pose>,
    ) {
        let body = match (shape, spec.kind) {
            (Some(shape), _) => {
                let standing = standing(spec.at, spec.yaw, spec.lift, shape);
                self.add_shape(shape, pose.unwrap_or(standing))
            }
            (None, Kind::Bowl) => self.add_bowl(spec),
            (None, _) => {
                let half = narrow(BLOCK_HALF);
                let standing = Pose::from_parts(
                    Vector::new(
                        narrow(spec.at[0]),
                        narrow(spec.at[1]),
                        narrow(spec.lift) + half + 2e-4,
                    ),
                    Rotation::from_rotation_z(narrow(spec.yaw)),
                );
                let body = self
                    .physics
                    .insert_body(RigidBodyBuilder::dynamic().pose(pose.unwrap_or(standing)));
                let shape = ColliderBuilder::cuboid(half, half, half)
                    .mass(BLOCK_MASS)
                    .friction(0.9)
                    .collision_groups(touching(THINGS, Group::ALL));
                self.physics.insert_collider(shape, Some(body));
                body
            }
        };
        self.objects.push(body);
    }

    /// Adds a strange thing.
    pub(crate) fn add_clutter(&mut self, thing: &Clutter) {
        let body = self.add_shape(thing.shape, standing(thing.at, thing.yaw, 0.0, thing.shape));
        self.clutter.push(body);
    }

    fn add_shape(&mut self, shape: Shape, pose: Pose) -> RigidBodyHandle {
        let body = self
            .physics
            .insert_body(RigidBodyBuilder::dynamic().pose(pose).angular_damping(2.0));
        let collider = match shape {
            Shape::Ball(radius) => ColliderBuilder::ball(narrow(radius)),
            // The solver's cylinders stand along y.
            Shape::Cylinder(radius, half) => ColliderBuilder::cylinder(
                narrow(half),
                narrow(radius),
            )
            .rotation(Vector::new(std::f32::consts::FRAC_PI_2, 0.0, 0.0)),
            Shape::Box([x, y, z]) => ColliderBuilder::cuboid(narrow(x), narrow(y), narrow(z)),
        };
        let collider = collider
            .mass(BLOCK_MASS)
            .friction(0.9)
            .collision_groups(touching(THINGS, Group::ALL));
        self.physics.insert_collider(collider, Some(body));
        body
    }

    fn add_bowl(&mut self, spec: &ObjectSpec) -> RigidBodyHandle {
        let at = Vector::new(narrow(spec.at[0]), narrow(spec.at[1]), 2e-4);
        let body = self
            .physics
            .insert_body(RigidBodyBuilder::dynamic().translation(at));
        let floor = 0.0025_f32;
        let base = ColliderBuilder::cylinder(floor, narrow(BOWL_FOOT))
            .rotation(Vector::new(std::f32::consts::FRAC_PI_2, 0.0, 0.0))
            .translation(Vector::new(0.0, 0.0, floor))
            .mass(0.6 * BOWL_MASS)
            .friction(0.7)
            .collision_groups(touching(THINGS, Group::ALL));
        self.physics.insert_collider(base, Some(body));
        let (foot, rim, height) = (narrow(BOWL_FOOT), narrow(BOWL_RIM), narrow(BOWL_HEIGHT));
        let lean = libm::atan2f(rim - foot, height);
        let half_wall = 0.0025_f32;
        let middle = 0.5 * (foot + rim) - half_wall;
        let half_width = rim * libm::sinf(std::f32::consts::PI / f32::from(BOWL_WALL));
        for step in 0..BOWL_WALL {
            let angle = std::f32::consts::TAU * f32::from(step) / f32::from(BOWL_WALL);
            let (sin, cos) = libm::sincosf(angle);
            let place = Pose::from_parts(
                Vector::new(middle * cos, middle * sin, 0.5 * height),
                Rotation::from_rotation_z(angle) * Rotation::from_rotation_y(lean),
            );
            let wall = ColliderBuilder::cuboid(
                half_wall,
                half_width,
                0.5 * height / libm::cosf(lean) - 0.001,
            )
            .position(place)
            .mass(0.4 * BOWL_MASS / f32::from(BOWL_WALL))
            .friction(0.6)
            .collision_groups(touching(THINGS, Group::ALL));
            self.physics.insert_collider(wall, Some(body));
        }
        body
    }

    /// Adds the drawer, its tray out by the spec's opening.
    pub(crate) fn add_drawer(&mut self, spec: DrawerSpec) {
        let y = narrow(spec.y);
        let cabinet = self
            .physics
            .insert_body(RigidBodyBuilder::fixed().translation(Vector::new(0.0, y, 0.0)));
        let front = Vector::new(narrow(FRONT_X), y, 0.0);
        let out = Vector::new(narrow(spec.opening), 0.0, 0.0);
        let tray = self.physics.insert_body(
            RigidBodyBuilder::dynamic()
                .translation(front - out)
                .can_sleep(false),
        );
        let boxes = drawer_boxes();
        #[allow(clippy::cast_precision_loss, reason = "a handful of boxes")]
        let sliding = boxes.iter().filter(|piece| piece.slides).count() as f32;
        for piece in boxes {
            let half = piece.half.map(narrow);
            let shape = ColliderBuilder::cuboid(half[0], half[1], half[2])
                .translation(Vector::from(piece.center.map(narrow)))
                .friction(0.5);
            let (shape, body) = if piece.slides {
                // Held by its slide: it neither rests on the table nor rubs
                // against the cabinet.
                let group = touching(THINGS, THINGS | ARM | FINGERS);
                (
                    shape.mass(TRAY_MASS / sliding).collision_groups(group),
                    tray,
                )
            } else {
                (
                    shape.collision_groups(touching(THINGS, Group::ALL)),
                    cabinet,
                )
            };
            self.physics.insert_collider(shape, Some(body));
        }
        let slide = PrismaticJointBuilder::new(-Vector::X)
            .local_anchor1(Vector::new(narrow(FRONT_X), 0.0, 0.0))
            .local_anchor2(Vector::ZERO)
            .limits([0.0, narrow(TRAVEL)])
            .motor_model(MotorModel::ForceBased)
            .motor_velocity(0.0, TRAY_DAMPING)
            .motor_max_force(TRAY_FRICTION)
            .contacts_enabled(false);
        self.physics.insert_impulse_joint(cabinet, tray, slide);
        self.tray = Some(tray);
    }
}

/// Where a thing of this shape stands, so high over the table (m).
fn standing(at: [f64; 2], yaw: f64, lift: f64, shape: Shape) -> Pose {
    let height = lift + shape.middle();
    Pose::from_parts(
        Vector::new(narrow(at[0]), narrow(at[1]), narrow(height) + 2e-4),
        Rotation::from_rotation_z(narrow(yaw)),
    )
}
