//! Whether a goal is reached, measured in the world.
//!
//! The bars are the contract's: *in* and *on* inside the rim or resting on it
//! and released; relations 4 to 12 cm away and at most 4 cm across; a push at
//! least 5 cm within 30° of its direction; a pick 8 cm above the table for
//! half a second.

use vola_types::{Op, Region, Relation};

use super::{ObjectState, World};
use crate::{
    catalog::{BLOCK_HALF, BOWL_RIM, Kind},
    error::TabletopError,
    scene::{
        Goal, Target, beside_distance, drawer_interior, next_to_point, push_point, region_point,
    },
};

/// A pick must hold this high: the block's lower side above the table (m).
const PICK_HEIGHT: f64 = 0.08;
/// For this long (ns).
const PICK_TIME_NS: u64 = 500_000_000;
/// Released objects rest below this speed (m/s).
const REST_SPEED: f64 = 0.05;
/// Other objects may move this far in a push (m).
const OTHERS_MOVED: f64 = 0.03;
/// An open drawer is out by at least this (m), a closed one by at most this.
const OPEN_AT_LEAST: f64 = 0.08;
const CLOSED_AT_MOST: f64 = 0.015;
/// A relation's distance along its direction and across it (m).
const BESIDE_MIN: f64 = 0.04;
const BESIDE_MAX: f64 = 0.12;
const BESIDE_ACROSS: f64 = 0.04;

/// Where the object is to come, followed as the target moves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Destination {
    Nowhere,
    /// The object's centre (m).
    Fixed([f64; 3]),
    Into(usize),
    Onto(usize),
    Beside {
        reference: usize,
        offset: [f64; 2],
    },
}

/// A goal and the state in which it was set.
#[derive(Clone, Debug)]
pub(crate) struct ActiveGoal {
    /// What is asked.
    pub(crate) goal: Goal,
    /// Where the object was when the goal was set (m).
    pub(crate) anchor: [f64; 3],
    destination: Destination,
    before: Vec<[f64; 3]>,
    above_since_ns: Option<u64>,
    lifted: bool,
}

impl ActiveGoal {
    /// Takes the present state as the goal's beginning.
    ///
    /// # Errors
    /// [`TabletopError::BadGoal`] when there is nowhere to bring the object.
    pub(crate) fn begin(
        goal: Goal,
        point: Option<[f64; 3]>,
        world: &World,
    ) -> Result<Self, TabletopError> {
        let objects = world.object_states();
        let anchor = objects
            .get(goal.object)
            .map_or([0.0; 3], |object| object.position);
        let destination = destination(&goal, point, anchor, world)?;
        Ok(Self {
            goal,
            anchor,
            destination,
            before: objects.iter().map(|object| object.position).collect(),
            above_since_ns: None,
            lifted: false,
        })
    }

    /// Where the object's centre is to come, as the world is now (m).
    pub(crate) fn target_point(&self, world: &World) -> Option<[f64; 3]> {
        match self.destination {
            Destination::Nowhere => None,
            Destination::Fixed(point) => Some(point),
            Destination::Into(index) => {
                let object = world.object(index)?;
                match object.kind {
                    Kind::Drawer => {
                        let inside = world.drawer()?.inside(world.drawer_opening());
                        Some([inside[0], inside[1], inside[2] + BLOCK_HALF])
                    }
                    _ => Some(object.position),
                }
            }
            Destination::Onto(index) => {
                let under = world.object(index)?.position;
                Some([under[0], under[1], under[2] + 2.0 * BLOCK_HALF])
            }
            Destination::Beside { reference, offset } => {
                let beside = world.object(reference)?.position;
                Some([beside[0] + offset[0], beside[1] + offset[1], BLOCK_HALF])
            }
        }
    }

    /// Notes the passing of time; call once a tick.
    pub(crate) fn observe(&mut self, world: &World) {
        if self.goal.op != Op::Pick {
            return;
        }
        let high = world
            .object(self.goal.object)
            .is_some_and(|object| object.position[2] - BLOCK_HALF >= PICK_HEIGHT);
        match (high, self.above_since_ns) {
            (false, _) => self.above_since_ns = None,
            (true, None) => self.above_since_ns = Some(world.time_ns()),
            (true, Some(since)) => self.lifted = world.time_ns() - since >= PICK_TIME_NS,
        }
        self.lifted &= high;
    }

    /// Whether the goal is reached now.
    pub(crate) fn reached(&self, world: &World) -> bool {
        let Some(object) = world.object(self.goal.object) else {
            return false;
        };
        match self.goal.op {
            Op::Pick => self.lifted,
            Op::Open => world.drawer_opening() >= OPEN_AT_LEAST,
            Op::Close => world.drawer_opening() <= CLOSED_AT_MOST,
            Op::Push => self.pushed(&object, world),
            Op::Place => {
                let released =
                    world.held_object() != Some(self.goal.object) && object.speed < REST_SPEED;
                released && self.placed(&object, world)
            }
            _ => false,
        }
    }

    fn placed(&self, object: &ObjectState, world: &World) -> bool {
        let at = object.position;
        let on_table = (at[2] - BLOCK_HALF).abs() < 0.012;
        match self.goal.target {
            Target::Region(region) => on_table && region.contains(at[0], at[1]),
            Target::Table => on_table && Region::at(at[0], at[1]).is_some(),
            Target::Object(index) => world.object(index).is_some_and(|target| {
                let offset = [at[0] - target.position[0], at[1] - target.position[1]];
                match self.goal.relation {
                    Some(Relation::In) => inside(object, &target, world),
                    Some(Relation::On) => {
                        let above = at[2] - target.position[2];
                        libm::hypot(offset[0], offset[1]) < 0.03
                            && (above - 2.0 * BLOCK_HALF).abs() < 0.012
                    }
                    Some(relation) => on_table && beside(relation, offset),
                    None => false,
                }
            }),
            Target::None | Target::Direction(_) => false,
        }
    }

    fn pushed(&self, object: &ObjectState, world: &World) -> bool {
        let (at, from) = (object.position, self.anchor);
        let Some(target) = self.target_point(world) else {
            return false;
        };
        let moved = [at[0] - from[0], at[1] - from[1]];
        let wanted = [target[0] - from[0], target[1] - from[1]];
        let length = libm::hypot(moved[0], moved[1]);
        let along = (moved[0] * wanted[0] + moved[1] * wanted[1])
            / libm::hypot(wanted[0], wanted[1]).max(1e-9);
        let straight = length >= 0.05 && along >= length * libm::cos(std::f64::consts::FRAC_PI_6);
        let arrived = match self.goal.target {
            Target::Region(region) => region.contains(at[0], at[1]),
            _ => true,
        };
        let calm = self.before.iter().enumerate().all(|(index, before)| {
            index == self.goal.object
                || world.object(index).is_none_or(|other| {
                    libm::hypot(other.position[0] - before[0], other.position[1] - before[1])
                        <= OTHERS_MOVED
                })
        });
        straight && arrived && calm && at[2] < 1.5 * BLOCK_HALF && object.speed < REST_SPEED
    }
}

fn inside(object: &ObjectState, target: &ObjectState, world: &World) -> bool {
    let (at, center) = (object.position, target.position);
    match target.kind {
        Kind::Bowl => {
            libm::hypot(at[0] - center[0], at[1] - center[1]) < BOWL_RIM
                && (0.0..0.09).contains(&at[2])
        }
        Kind::Drawer => world.drawer().is_some_and(|drawer| {
            let (low, high) = drawer_interior(drawer, world.drawer_opening());
            (0..3).all(|axis| at[axis] >= low[axis] && at[axis] <= high[axis])
        }),
        Kind::Block => false,
    }
}

fn beside(relation: Relation, offset: [f64; 2]) -> bool {
    match relation.direction() {
        Some([dx, dy]) => {
            let along = offset[0] * dx + offset[1] * dy;
            let across = (offset[0] * dy - offset[1] * dx).abs();
            (BESIDE_MIN..=BESIDE_MAX).contains(&along) && across <= BESIDE_ACROSS
        }
        None => libm::hypot(offset[0], offset[1]) <= BESIDE_MAX,
    }
}

fn destination(
    goal: &Goal,
    point: Option<[f64; 3]>,
    anchor: [f64; 3],
    world: &World,
) -> Result<Destination, TabletopError> {
    let no_room = |what: &str| TabletopError::BadGoal {
        field: "target",
        expected: "a place with room for the object",
        got: what.to_owned(),
    };
    let on_table = |at: [f64; 2]| Destination::Fixed([at[0], at[1], BLOCK_HALF]);
    let free_in = |region: Region| {
        [0.025, 0.012, 0.0].into_iter().find_map(|gap| {
            region_point(
                region,
                &world.layout(),
                Some(goal.object),
                world.drawer(),
                gap,
            )
        })
    };
    if goal.op == Op::Push {
        let end = point
            .map(|point| [point[0], point[1]])
            .or_else(|| push_point(goal.target, [anchor[0], anchor[1]]))
            .ok_or_else(|| no_room("a push that leads nowhere"))?;
        return Ok(Destination::Fixed([end[0], end[1], anchor[2]]));
    }
    if goal.op != Op::Place {
        return Ok(Destination::Nowhere);
    }
    match (goal.target, goal.relation) {
        (Target::Object(index), Some(Relation::In)) => Ok(Destination::Into(index)),
        (Target::Object(index), Some(Relation::On)) => Ok(Destination::Onto(index)),
        (Target::Object(reference), Some(relation)) => {
            let layout = world.layout();
            let kind = layout
                .get(reference)
                .map_or(Kind::Drawer, |object| object.kind);
            let offset = match (point, relation.direction()) {
                (Some(point), _) => {
                    let from = world
                        .object(reference)
                        .map_or([0.0; 3], |object| object.position);
                    [point[0] - from[0], point[1] - from[1]]
                }
                (None, Some([dx, dy])) => [dx * beside_distance(kind), dy * beside_distance(kind)],
                (None, None) => {
                    let from = world
                        .object(reference)
                        .map_or([0.0; 3], |object| object.position);
                    let at = next_to_point(reference, &layout, Some(goal.object), world.drawer())
                        .ok_or_else(|| no_room("next to an object in a corner"))?;
                    [at[0] - from[0], at[1] - from[1]]
                }
            };
            Ok(Destination::Beside { reference, offset })
        }
        (Target::Region(region), _) => match point {
            Some(point) => Ok(on_table([point[0], point[1]])),
            None => free_in(region)
                .map(on_table)
                .ok_or_else(|| no_room(region.name())),
        },
        (Target::Table, _) => point
            .map(|point| [point[0], point[1]])
            .or_else(|| Region::at(anchor[0], anchor[1]).and_then(free_in))
            .or_else(|| Region::ALL.into_iter().find_map(free_in))
            .map(on_table)
            .ok_or_else(|| no_room("table")),
        _ => Err(TabletopError::BadGoal {
            field: "target",
            expected: "place needs an object with a relation, a region, or `table`",
            got: format!("{:?}", goal.target),
        }),
    }
}
