//! What there is to draw: the parts of a scene, and where they are now.

use std::sync::Arc;

use rapier3d::math::{Pose, Vector};

use super::mesh::Mesh;
use crate::{
    arm::{ArmModel, FINGER_HALF, VisualForm, narrow},
    catalog::{BLOCK_HALF, BOWL_FOOT, BOWL_HEIGHT, BOWL_RIM, Kind},
    scene::{Board, Clutter, DrawerSpec, Frozen, Look, ScenePlan, Shape, drawer_boxes},
};

/// Most bodies in a scene: links, tool, two fingers, objects, a tray and clutter.
pub(crate) const MAX_BODIES: usize = 32;

/// A drawn part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its triangles.
    pub(crate) mesh: Arc<Mesh>,
    /// Index of the body it moves with; none stands still.
    pub(crate) body: Option<usize>,
    /// Pose in that body.
    pub(crate) in_body: Pose,
    /// Linear RGB.
    pub(crate) color: [f32; 3],
    /// What it is made of.
    pub(crate) surface: Surface,
    /// Farthest corner from the mesh's origin (m), for culling.
    pub(crate) radius: f32,
}

/// How a part answers light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// The table top with its grain and lines.
    Table,
    /// Matt.
    Matt,
    /// Slightly shiny.
    Shiny,
}

/// The parts of one scene; made at reset, shared with every camera.
///
/// Bodies are numbered: moving links, tool, the two fingers, blocks and bowls
/// in scene order, the drawer's tray, then clutter.
#[derive(Clone, Debug, Default)]
pub(crate) struct SceneModel {
    /// What is drawn.
    pub(crate) parts: Vec<Part>,
    /// Light, colours and where the front camera is.
    pub(crate) look: Look,
    /// From when the front camera stands still.
    pub(crate) frozen: Option<Frozen>,
}

/// Where everything is at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// When, on the runtime's clock (ns).
    pub(crate) time_ns: u64,
    /// Time since the episode began (ns).
    pub(crate) age_ns: u64,
    /// What there is.
    pub(crate) model: Arc<SceneModel>,
    /// Pose of each body; those not in use stay at the origin.
    pub(crate) poses: [Pose; MAX_BODIES],
    /// Index of the tool's body.
    pub(crate) tool: usize,
}

impl Snapshot {
    /// Pose of the tool.
    pub(crate) fn tool_pose(&self) -> Pose {
        self.poses
            .get(self.tool)
            .copied()
            .unwrap_or_else(Pose::identity)
    }
}

/// Roundness of meshes: enough at the policy's size, fewer triangles to draw.
const AROUND_LINK: u32 = 16;
const AROUND_BOWL: u32 = 28;

impl SceneModel {
    /// Collects the parts of an arm and a scene.
    pub(crate) fn new(arm: &ArmModel, plan: &ScenePlan) -> Self {
        let (objects, drawer) = (&plan.objects, plan.drawer);
        let mut model = Self {
            look: plan.disturbance.look,
            frozen: plan.disturbance.frozen,
            ..Self::default()
        };
        model.add_table();
        let links = arm.kinematics.joint_count();
        for visual in &arm.visuals {
            let mesh = match visual.form {
                VisualForm::Box(half) => {
                    Mesh::cuboid(half, 0.12 * half[0].min(half[1]).min(half[2]))
                }
                VisualForm::Cylinder(radius, half) => Mesh::cylinder(radius, half, AROUND_LINK),
                VisualForm::Capsule(radius, half) => Mesh::capsule(radius, half, AROUND_LINK),
            };
            model.parts.push(Part {
                mesh: Arc::new(mesh),
                body: visual.carrier,
                in_body: visual.in_carrier,
                color: visual.color,
                surface: Surface::Shiny,
                radius: 0.0,
            });
        }
        model.add_fingers(links);
        for (index, object) in objects.iter().enumerate() {
            let mesh = match (own_shape(plan, index), object.kind) {
                (Some(shape), _) => shape_mesh(shape),
                (None, Kind::Bowl) => Mesh::bowl(
                    narrow(BOWL_FOOT),
                    narrow(BOWL_RIM),
                    narrow(BOWL_HEIGHT),
                    0.005,
                    AROUND_BOWL,
                ),
                (None, _) => Mesh::cuboid([narrow(BLOCK_HALF); 3], 0.0022),
            };
            model.parts.push(Part {
                mesh: Arc::new(mesh),
                body: Some(links + 3 + index),
                in_body: Pose::identity(),
                color: object.color.linear_rgb(),
                surface: Surface::Shiny,
                radius: 0.0,
            });
        }
        if let Some(drawer) = drawer {
            model.add_drawer(drawer, links + 3 + objects.len());
        }
        let first = links + 3 + objects.len() + usize::from(drawer.is_some());
        for (index, thing) in plan.disturbance.clutter.iter().enumerate() {
            model.add_clutter(thing, first + index);
        }
        if let Some(board) = plan.disturbance.look.board {
            model.add_board(board);
        }
        for part in &mut model.parts {
            part.radius = part
                .mesh
                .positions
                .iter()
                .map(|corner| corner.length())
                .fold(0.0, f32::max);
        }
        model
    }

    fn add_table(&mut self) {
        let (near, far, side, thick) = (-0.26_f32, 0.86_f32, 0.56_f32, 0.035_f32);
        let half = [0.5 * (far - near), side, 0.5 * thick];
        self.parts.push(Part {
            mesh: Arc::new(Mesh::cuboid(half, 0.004)),
            body: None,
            in_body: Pose::translation(0.5 * (far + near), 0.0, -half[2]),
            color: [0.68, 0.60, 0.50],
            surface: Surface::Table,
            radius: 0.0,
        });
    }

    fn add_fingers(&mut self, links: usize) {
        let pad = Arc::new(Mesh::cuboid(FINGER_HALF.map(narrow), 0.0015));
        // A slimmer stem joins each pad to the hand.
        let stem = Arc::new(Mesh::cuboid([0.007, 0.006, 0.014], 0.001));
        for (finger, sign) in [(links + 1, 1.0), (links + 2, -1.0)] {
            let parts = [
                (&pad, Pose::identity(), [0.12, 0.125, 0.135]),
                (
                    &stem,
                    Pose::translation(0.0, sign * 0.004, -0.024),
                    [0.46, 0.48, 0.52],
                ),
            ];
            for (mesh, in_body, color) in parts {
                self.parts.push(Part {
                    mesh: Arc::clone(mesh),
                    body: Some(finger),
                    in_body,
                    color,
                    surface: Surface::Matt,
                    radius: 0.0,
                });
            }
        }
    }

    fn add_clutter(&mut self, thing: &Clutter, body: usize) {
        self.parts.push(Part {
            mesh: Arc::new(shape_mesh(thing.shape)),
            body: Some(body),
            in_body: Pose::identity(),
            color: thing.color.map(narrow),
            surface: Surface::Shiny,
            radius: 0.0,
        });
    }

    fn add_board(&mut self, board: Board) {
        self.parts.push(Part {
            mesh: Arc::new(Mesh::cuboid(board.half.map(narrow), 0.001)),
            body: None,
            in_body: Pose::from_translation(Vector::from(board.center.map(narrow))),
            color: [0.05, 0.05, 0.06],
            surface: Surface::Matt,
            radius: 0.0,
        });
    }

    fn add_drawer(&mut self, drawer: DrawerSpec, tray: usize) {
        for piece in drawer_boxes() {
            let at = Vector::from(piece.center.map(narrow));
            let (body, in_body) = if piece.slides {
                (Some(tray), Pose::from_translation(at))
            } else {
                (
                    None,
                    Pose::translation(0.0, narrow(drawer.y), 0.0) * Pose::from_translation(at),
                )
            };
            let half = piece.half.map(narrow);
            self.parts.push(Part {
                mesh: Arc::new(Mesh::cuboid(half, 0.1 * half[0].min(half[1]).min(half[2]))),
                body,
                in_body,
                color: piece.color,
                surface: Surface::Matt,
                radius: 0.0,
            });
        }
    }
}

/// The shape that an object has instead of its own.
fn own_shape(plan: &ScenePlan, index: usize) -> Option<Shape> {
    let (object, shape) = plan.disturbance.shape?;
    (object == index).then_some(shape)
}

fn shape_mesh(shape: Shape) -> Mesh {
    match shape {
        Shape::Ball(radius) => Mesh::capsule(narrow(radius), 0.0005, AROUND_BOWL),
        Shape::Cylinder(radius, half) => Mesh::cylinder(narrow(radius), narrow(half), AROUND_BOWL),
        Shape::Box(half) => Mesh::cuboid(half.map(narrow), 0.0012),
    }
}
