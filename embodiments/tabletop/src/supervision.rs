//! Labels for training: where everything is, in the world and in the picture.

use rapier3d::math::Vector;
use vola_types::Op;

use crate::{
    arm::narrow,
    catalog::{BLOCK_HALF, BOWL_HEIGHT, BOWL_RIM, Kind},
    render::{CameraView, Renderer, front_camera},
    world::{ActiveGoal, ObjectState, World},
};

/// Rows of the object list; the rest are padding.
pub(crate) const MAX_OBJECTS: usize = 12;
/// Numbers of a row: kind, colour, u, v, x, y, z, visible, extra, yaw.
pub(crate) const OBJECT_ROW: usize = 10;
/// Kind of a padding row.
const PADDING: f32 = -1.0;
/// Size of the picture in which visibility is looked up (samples).
const LOOKUP: [usize; 2] = [256, 192];

/// Objects in the front camera: `[MAX_OBJECTS, OBJECT_ROW]`, row-major.
///
/// Kind and colour are indices ([`vola_types::KINDS`], [`vola_types::COLORS`];
/// a drawer has colour 0); u to the right and v downwards, 0..1 inside the
/// picture; x, y, z in metres; visible is the share of the object's surface
/// towards the camera that nothing hides; extra is a drawer's opening, 0..1;
/// yaw is the turn about z (rad).
pub(crate) fn object_rows(world: &World, renderer: &mut Renderer, aspect: f32) -> Vec<f32> {
    let camera = front_camera();
    let snapshot = world.snapshot(0);
    let first_body = world.arm().kinematics.joint_count() + 3;
    let samples = renderer.depth(&snapshot, &camera, LOOKUP);
    let body_at = |u: f32, v: f32| -> Option<usize> {
        let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "inside the picture"
        )]
        let index = inside.then(|| {
            (v * LOOKUP[1] as f32) as usize * LOOKUP[0] + (u * LOOKUP[0] as f32) as usize
        })?;
        let part = *samples.part.get(index)?;
        snapshot.model.parts.get(usize::from(part))?.body
    };
    let mut rows = Vec::with_capacity(MAX_OBJECTS * OBJECT_ROW);
    for (index, object) in world.object_states().iter().enumerate().take(MAX_OBJECTS) {
        let own = first_body + index;
        #[allow(clippy::cast_precision_loss, reason = "the aspect of a small picture")]
        let lookup_aspect = LOOKUP[0] as f32 / LOOKUP[1] as f32;
        let points = surface(object, &camera);
        let seen = points
            .iter()
            .filter(|point| {
                camera
                    .project(**point, lookup_aspect)
                    .is_some_and(|[u, v]| body_at(u, v) == Some(own))
            })
            .count();
        let visible = ratio(seen, points.len());
        let [u, v] = picture_point(object.position, aspect);
        let color = object.color.map_or(0, |color| color.index());
        rows.extend_from_slice(&[count(object.kind.index()), count(color), u, v]);
        rows.extend(object.position.map(narrow));
        rows.extend_from_slice(&[visible, narrow(object.open), narrow(object.yaw)]);
    }
    while rows.len() < MAX_OBJECTS * OBJECT_ROW {
        rows.push(if rows.len() % OBJECT_ROW == 0 {
            PADDING
        } else {
            0.0
        });
    }
    rows
}

/// A point's place in the front camera's picture.
pub(crate) fn picture_point(point: [f64; 3], aspect: f32) -> [f32; 2] {
    front_camera()
        .project(Vector::from(point.map(narrow)), aspect)
        .unwrap_or([-1.0, -1.0])
}

/// The thing that the goal acts on: the object itself to pick, push, open or
/// close it, the placement point to place it (m).
pub(crate) fn acted_point(goal: &ActiveGoal, world: &World) -> Option<[f64; 3]> {
    match goal.goal.op {
        Op::Place => goal.target_point(world),
        _ => world.object(goal.goal.object).map(|object| object.position),
    }
}

/// Points spread over the parts of an object's surface that look at the camera.
fn surface(object: &ObjectState, camera: &CameraView) -> Vec<Vector> {
    let center = Vector::from(object.position.map(narrow));
    match object.kind {
        Kind::Block => block_surface(object, center, camera),
        Kind::Bowl => {
            let top = narrow(BOWL_HEIGHT * 0.5) - 0.001;
            let radius = narrow(BOWL_RIM) - 0.0025;
            (0..16_u8)
                .map(|step| {
                    let (sin, cos) = libm::sincosf(std::f32::consts::TAU * f32::from(step) / 16.0);
                    center + Vector::new(radius * cos, radius * sin, top)
                })
                .collect()
        }
        Kind::Drawer => [-0.045_f32, -0.03, -0.015, 0.0, 0.015, 0.03, 0.045]
            .into_iter()
            .map(|across| center + Vector::new(0.0, across, 0.018))
            .collect(),
    }
}

/// Four points of each side of a block that looks at the camera.
fn block_surface(object: &ObjectState, center: Vector, camera: &CameraView) -> Vec<Vector> {
    let half = narrow(BLOCK_HALF);
    let (sin, cos) = libm::sincosf(narrow(object.yaw));
    let axes = [
        Vector::new(cos, sin, 0.0),
        Vector::new(-sin, cos, 0.0),
        Vector::Z,
    ];
    let mut points = Vec::with_capacity(12);
    for (index, axis) in axes.iter().enumerate() {
        for side in [-1.0_f32, 1.0] {
            let normal = *axis * side;
            let middle = center + normal * half;
            // Sides seen at a grazing angle cover no pixel.
            if normal.dot((camera.position - middle).normalize()) < 0.2 {
                continue;
            }
            let (a, b) = (axes[(index + 1) % 3], axes[(index + 2) % 3]);
            for [i, j] in [[-0.5_f32, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]] {
                points.push(middle + a * (i * half) + b * (j * half));
            }
        }
    }
    points
}

#[allow(clippy::cast_precision_loss, reason = "small counts")]
fn count(value: usize) -> f32 {
    value as f32
}

fn ratio(part: usize, whole: usize) -> f32 {
    if whole == 0 {
        0.0
    } else {
        count(part) / count(whole)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        arm::{ArmModel, FRANKA},
        scene::{DrawerChoice, Start, TaskKind, TaskSpec, plan},
        world::{PhysicsSettings, reset},
    };

    #[test]
    fn objects_on_a_free_table_are_seen_whole() {
        let arm = Arc::new(ArmModel::new(FRANKA).unwrap());
        let mut renderer = Renderer::default();
        let (mut whole, mut all) = (0, 0);
        for seed in 0..30 {
            let spec = TaskSpec {
                task: TaskKind::Free,
                start: Start::Home,
                ..TaskSpec::default()
            };
            let scene = plan(seed, &spec, DrawerChoice::Default).unwrap();
            let world = reset(&arm, PhysicsSettings::default(), seed, &scene).unwrap();
            let rows = object_rows(&world, &mut renderer, 128.0 / 96.0);
            assert_eq!(rows.len(), MAX_OBJECTS * OBJECT_ROW);
            for (index, row) in rows.chunks(OBJECT_ROW).enumerate() {
                if index >= world.object_count() {
                    assert!(row[0] < 0.0);
                    continue;
                }
                assert!(
                    (0.0..1.0).contains(&row[2]) && (0.0..1.0).contains(&row[3]),
                    "{row:?}"
                );
                all += 1;
                whole += usize::from(row[7] > 0.75);
            }
        }
        // Blocks may hide each other a little.
        assert!(whole * 100 >= all * 93, "{whole} of {all}");
    }

    #[test]
    fn a_held_block_is_where_the_gripper_is() {
        let arm = Arc::new(ArmModel::new(FRANKA).unwrap());
        let spec = TaskSpec {
            task: TaskKind::PlaceIn,
            ..TaskSpec::default()
        };
        let scene = plan(4, &spec, DrawerChoice::Never).unwrap();
        let world = reset(&arm, PhysicsSettings::default(), 4, &scene).unwrap();
        let held = scene.holding.unwrap();
        assert_eq!(world.held_object(), Some(held));
        let goal = ActiveGoal::begin(scene.goals[0], None, &world).unwrap();
        let target = acted_point(&goal, &world).unwrap();
        assert!(target[2] < 0.05 && world.object(held).unwrap().position[2] > 0.15);
    }
}
