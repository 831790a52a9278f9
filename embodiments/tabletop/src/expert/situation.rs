//! The state that the expert decides on, and a small kinematic model of how a
//! step changes it.

use vola_types::{Op, Relation};

use super::{Move, ROW_SECS};
use crate::{
    catalog::{BLOCK_HALF, Kind},
    scene::{DrawerSpec, TRAVEL, Target},
    world::{ActiveGoal, World, quarter},
};

/// Gripper values under this are commands to close.
pub(crate) const CLOSE_BELOW: f64 = 0.5;

/// Something that the fingers must not touch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Obstacle {
    /// What it is.
    pub(crate) kind: Kind,
    /// Centre (m).
    pub(crate) at: [f64; 3],
    /// Turn about z (rad).
    pub(crate) yaw: f64,
}

/// What is to be done, with the numbers that stay fixed during a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// Grasp and lift.
    Pick,
    /// Put down.
    Place {
        /// Where the object's centre is to come (m).
        target: [f64; 3],
        /// Height of the object's centre when it is let go (m).
        release: f64,
        /// Distance from the target at which it counts as placed (m).
        within: f64,
        /// Turn of the tool (rad).
        yaw: f64,
    },
    /// Slide along a line.
    Push {
        /// Where the object was (m).
        from: [f64; 2],
        /// Unit vector of the push.
        along: [f64; 2],
        /// How far (m).
        length: f64,
    },
    /// Pull the drawer out.
    Open(DrawerSpec),
    /// Push the drawer in.
    Close(DrawerSpec),
}

/// The state that the expert decides on.
#[derive(Clone, Debug)]
pub(crate) struct Situation {
    /// Tool position (m).
    pub(crate) tool: [f64; 3],
    /// Turn of the tool about base z (rad).
    pub(crate) yaw: f64,
    /// Opening measured, 0..1.
    pub(crate) width: f64,
    /// Opening last commanded, 0..1.
    pub(crate) command: f64,
    /// The object's centre (m).
    pub(crate) object: [f64; 3],
    /// The object's turn (rad).
    pub(crate) object_yaw: f64,
    /// Opening of the drawer (m).
    pub(crate) opening: f64,
    /// Another object than the one asked for is in the hand.
    pub(crate) holds_other: bool,
    /// Everything else on the table.
    pub(crate) obstacles: Vec<Obstacle>,
    /// What is to be done.
    pub(crate) work: Work,
    /// Opening at which the fingers touch a block, 0..1.
    pub(crate) block_width: f64,
    /// Opening at value 1 (m).
    pub(crate) max_width: f64,
    gripper_step: f64,
}

impl Situation {
    /// The state of the world with respect to a goal; none when the goal has
    /// no expert.
    pub(crate) fn of(world: &World, goal: &ActiveGoal) -> Option<Self> {
        let tool = world.tool();
        let object = world.object(goal.goal.object)?;
        let obstacles = world
            .object_states()
            .iter()
            .enumerate()
            .filter(|(index, other)| *index != goal.goal.object && other.kind != Kind::Drawer)
            .map(|(_, other)| Obstacle {
                kind: other.kind,
                at: other.position,
                yaw: other.yaw,
            })
            .collect();
        let max_width = world.arm().spec.max_width;
        let held = world.held_object();
        let mut situation = Self {
            tool: tool.position(),
            yaw: tool.yaw(),
            width: tool.gripper,
            command: tool.gripper_command,
            object: object.position,
            object_yaw: object.yaw,
            opening: world.drawer_opening(),
            holds_other: held.is_some_and(|held| held != goal.goal.object),
            obstacles,
            work: Work::Pick,
            block_width: 2.0 * BLOCK_HALF / max_width,
            max_width,
            gripper_step: world.arm().spec.gripper_speed / max_width * ROW_SECS,
        };
        situation.work = situation.work_of(world, goal)?;
        Some(situation)
    }

    fn work_of(&self, world: &World, goal: &ActiveGoal) -> Option<Work> {
        Some(match goal.goal.op {
            Op::Pick => Work::Pick,
            Op::Open => Work::Open(world.drawer()?),
            Op::Close => Work::Close(world.drawer()?),
            Op::Push => {
                let target = goal.target_point(world)?;
                let (dx, dy) = (target[0] - goal.anchor[0], target[1] - goal.anchor[1]);
                let length = libm::hypot(dx, dy);
                if !(length > 1e-3) {
                    return None;
                }
                Work::Push {
                    from: [goal.anchor[0], goal.anchor[1]],
                    along: [dx / length, dy / length],
                    length,
                }
            }
            Op::Place => {
                let target = goal.target_point(world)?;
                let (release, within, yaw) = match (goal.goal.relation, goal.goal.target) {
                    (Some(Relation::In), Target::Object(index)) => {
                        match world.object(index).map(|object| object.kind) {
                            Some(Kind::Drawer) => (0.064, 0.05, 0.0),
                            _ => (0.055, 0.055, 0.0),
                        }
                    }
                    (Some(Relation::On), Target::Object(index)) => {
                        let under = world.object(index).map_or(0.0, |object| object.yaw);
                        (target[2] + 0.003, 0.03, decided_quarter(under, self.yaw))
                    }
                    _ => (target[2] + 0.002, 0.03, 0.0),
                };
                Work::Place {
                    target,
                    release,
                    within,
                    yaw,
                }
            }
            _ => return None,
        })
    }

    /// What the expert does in this state.
    pub(crate) fn decide(&self) -> Move {
        match self.work {
            Work::Pick => self.pick(),
            Work::Place {
                target,
                release,
                within,
                yaw,
            } => self.place(target, release, within, yaw),
            Work::Push {
                from,
                along,
                length,
            } => self.push(from, along, length),
            Work::Open(drawer) => self.open_drawer(drawer),
            Work::Close(drawer) => self.close_drawer(drawer),
        }
    }

    /// Whether the object lies between the fingers.
    pub(crate) fn is_between_fingers(&self) -> bool {
        self.distance() < 0.022 && (self.object[2] - self.tool[2]).abs() < 0.022
    }

    /// Whether the fingers hold the object.
    pub(crate) fn is_held(&self) -> bool {
        let gripped = self.width > self.block_width - 0.14 && self.width < self.block_width + 0.05;
        self.command < CLOSE_BELOW && gripped && self.is_between_fingers() && !self.holds_other
    }

    /// Distance of the object from the tool in the plane (m).
    pub(crate) fn distance(&self) -> f64 {
        libm::hypot(self.object[0] - self.tool[0], self.object[1] - self.tool[1])
    }

    /// Moves the model on by one row.
    pub(crate) fn apply(&mut self, step: &Move) {
        let held = self.is_held();
        let before = self.tool;
        for (at, by) in self.tool.iter_mut().zip(step.by) {
            *at += by;
        }
        self.yaw += step.turn;
        self.command = step.gripper;
        let between = self.is_between_fingers() || held;
        let least = if between { self.block_width } else { 0.0 };
        if self.width > step.gripper {
            self.width = (self.width - self.gripper_step)
                .max(step.gripper)
                .max(least.min(self.width));
        } else {
            self.width = (self.width + self.gripper_step).min(step.gripper);
        }
        if held && step.gripper < CLOSE_BELOW {
            for ((at, now), then) in self.object.iter_mut().zip(self.tool).zip(before) {
                *at += now - then;
            }
        } else if held && self.width > self.block_width + 0.02 {
            self.drop_object();
        }
        match self.work {
            Work::Push { along, .. } => self.push_object(along),
            Work::Open(drawer) => self.pull_tray(drawer),
            Work::Close(drawer) => self.push_tray(drawer),
            Work::Pick | Work::Place { .. } => {}
        }
    }

    /// Where a released object comes to rest: at its target when it is over
    /// it, else on the table.
    fn drop_object(&mut self) {
        if let Work::Place { target, within, .. } = self.work
            && libm::hypot(self.object[0] - target[0], self.object[1] - target[1]) < within
        {
            self.object[2] = self.object[2].min(target[2] + 0.01);
        }
    }

    fn push_object(&mut self, along: [f64; 2]) {
        let (dx, dy) = (self.tool[0] - self.object[0], self.tool[1] - self.object[1]);
        let ahead = dx * along[0] + dy * along[1];
        let beside = (dx * along[1] - dy * along[0]).abs();
        let reach = super::push::contact_distance(self.object_yaw, along);
        if self.tool[2] < self.object[2] + 0.03 && ahead > -reach && ahead < 0.01 && beside < 0.03 {
            self.object[0] += along[0] * (ahead + reach);
            self.object[1] += along[1] * (ahead + reach);
        }
    }

    fn pull_tray(&mut self, drawer: DrawerSpec) {
        if self.hooks_bar(drawer) {
            let gap = drawer.bar(self.opening)[0] + super::drawer::CONTACT - self.tool[0];
            self.opening = (self.opening + gap.max(0.0)).min(TRAVEL);
        }
    }

    fn push_tray(&mut self, drawer: DrawerSpec) {
        if self.faces_bar(drawer) {
            let gap = self.tool[0] - (drawer.bar(self.opening)[0] - super::drawer::CONTACT);
            self.opening = (self.opening - gap.max(0.0)).max(0.0);
        }
    }
}

/// The quarter that a wrist at `yaw` turns to, to stand along or across `side`:
/// about the nearest.
///
/// A block at 45° could be taken either way, and what learns from an even choice
/// would do neither. So the choice runs ahead of the wrist: one that has begun to
/// turn goes on, and one that stands straight leans to the left.
pub(crate) fn decided_quarter(side: f64, yaw: f64) -> f64 {
    const RUNS_AHEAD: f64 = 2.5;
    const LEAN: f64 = 0.15;
    const FARTHEST: f64 = 0.6;
    nearest_quarter(side, (RUNS_AHEAD * yaw + LEAN).clamp(-FARTHEST, FARTHEST))
}

/// The angle that differs from `side` by whole quarter turns, nearest to `near`
/// among those within reach of the wrist.
fn nearest_quarter(side: f64, near: f64) -> f64 {
    let turn = quarter(side - near);
    let angle = near + turn;
    if angle > MAX_YAW {
        angle - std::f64::consts::FRAC_PI_2
    } else if angle < -MAX_YAW {
        angle + std::f64::consts::FRAC_PI_2
    } else {
        angle
    }
}

/// The wrist stays within this turn (rad).
pub(crate) const MAX_YAW: f64 = 1.2;
