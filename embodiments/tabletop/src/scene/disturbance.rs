//! What is wrong with one episode: its perturbations with their strengths,
//! drawn from the seed.

use serde::{Deserialize, Serialize};
use vola_types::{TABLE_X, TABLE_Y};

use super::{
    Goal, ObjectSpec, Perturbation, Perturbations, Random, Target, is_free, plan::ScenePlan,
};
use crate::catalog::Kind;

/// Purpose of the seed's stream.
const PURPOSE: u64 = 9;
/// Tries for a free place on the table.
const TRIES: usize = 80;
/// Place of the front camera (m); `render` draws from there.
const CAMERA: [f64; 3] = [1.10, 0.0, 0.80];

/// Everything that is wrong with an episode; the default is nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Disturbance {
    /// How the cameras' pictures differ.
    pub(crate) look: Look,
    /// From when the front camera stands still.
    pub(crate) frozen: Option<Frozen>,
    /// Another shape of one object.
    pub(crate) shape: Option<(usize, Shape)>,
    /// Strange things on the table.
    pub(crate) clutter: Vec<Clutter>,
    /// Friction coefficient of fingers and blocks.
    pub(crate) friction: Option<f64>,
    /// What somebody moves.
    pub(crate) moved: Option<Moved>,
    /// Grasp force (N).
    pub(crate) grasp_force_n: Option<f64>,
    /// What is added to measured joint positions (joint, rad).
    pub(crate) bias: Vec<(usize, f64)>,
    /// How late commands arrive (ns).
    pub(crate) delay_ns: u64,
    /// What was drawn, to be told.
    pub(crate) drawn: Vec<DrawnJson>,
}

/// How pictures differ from those of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    /// Displacement of the front camera (m).
    pub(crate) camera_offset: [f64; 3],
    /// Turn of the front camera about its right, up and forward axes (rad).
    pub(crate) camera_turn: [f64; 3],
    /// Towards the light (not of unit length).
    pub(crate) to_light: [f64; 3],
    /// Factor on all light.
    pub(crate) level: f64,
    /// Factors on red, green and blue.
    pub(crate) gains: [f64; 3],
    /// A dark board before the camera.
    pub(crate) board: Option<Board>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            camera_offset: [0.0; 3],
            camera_turn: [0.0; 3],
            to_light: [0.32, -0.42, 0.85],
            level: 1.0,
            gains: [1.0; 3],
            board: None,
        }
    }
}

/// A board that hides a part of the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Board {
    /// Its middle (m).
    pub(crate) center: [f64; 3],
    /// Half its sides (m).
    pub(crate) half: [f64; 3],
}

/// A camera that stands still.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frozen {
    /// From this time of the episode on (ns).
    pub(crate) after_ns: u64,
    /// Whether the sensor's noise goes on, so that no two pictures are equal.
    pub(crate) is_noisy: bool,
}

/// Shapes that training never saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A ball of this radius (m).
    Ball(f64),
    /// A standing cylinder: radius and half height (m).
    Cylinder(f64, f64),
    /// A box with these half sides (m).
    Box([f64; 3]),
}

impl Shape {
    /// Height of its middle when it stands (m).
    pub(crate) fn middle(self) -> f64 {
        match self {
            Self::Ball(radius) => radius,
            Self::Cylinder(_, half) | Self::Box([_, _, half]) => half,
        }
    }

    /// Radius of the circle round it on the table (m).
    fn footprint(self) -> f64 {
        match self {
            Self::Ball(radius) | Self::Cylinder(radius, _) => radius,
            Self::Box([x, y, _]) => libm::hypot(x, y),
        }
    }
}

/// A strange thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clutter {
    /// Its shape.
    pub(crate) shape: Shape,
    /// Where it stands (m).
    pub(crate) at: [f64; 2],
    /// Turn about z (rad).
    pub(crate) yaw: f64,
    /// Linear RGB.
    pub(crate) color: [f64; 3],
}

/// An object that somebody moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moved {
    /// Its index.
    pub(crate) object: usize,
    /// When, in the episode (ns).
    pub(crate) at_ns: u64,
    /// Where to (m).
    pub(crate) to: [f64; 2],
}

/// One perturbation as it is told to the evaluator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DrawnJson {
    /// Its name.
    pub(crate) name: String,
    /// How strong.
    pub(crate) strength: f64,
    /// Of what, with the unit.
    pub(crate) unit: String,
}

impl Disturbance {
    /// Draws the strengths of an episode's perturbations.
    pub(crate) fn draw(seed: u64, set: Perturbations, plan: &ScenePlan) -> Self {
        let mut disturbance = Self::default();
        for one in Vec::from(set) {
            // A stream of its own for each: sets do not change each other.
            let mut random = Random::new(seed, PURPOSE + 16 * (1 + one as u64));
            let (strength, unit) = match one {
                Perturbation::CameraMoved => disturbance.look.move_camera(&mut random),
                Perturbation::Light => disturbance.look.change_light(&mut random),
                Perturbation::ColorShift => disturbance.look.shift_color(&mut random),
                Perturbation::Occluder => disturbance.look.put_board(&mut random),
                Perturbation::FrozenCamera => disturbance.freeze(&mut random),
                Perturbation::UnseenObject => disturbance.reshape(&mut random, plan),
                Perturbation::Clutter => disturbance.strew(&mut random, plan),
                Perturbation::SlipperyBlock => disturbance.oil(&mut random),
                Perturbation::BlockMoved => disturbance.displace(&mut random, plan),
                Perturbation::WeakGripper => disturbance.weaken(&mut random),
                Perturbation::ProprioceptionBias => disturbance.bias(&mut random),
                Perturbation::CommandDelay => disturbance.delay(&mut random),
            };
            disturbance.drawn.push(DrawnJson {
                name: one.word().to_owned(),
                strength,
                unit: unit.to_owned(),
            });
        }
        disturbance
    }

    fn freeze(&mut self, random: &mut Random) -> (f64, &'static str) {
        let after_s = random.range(0.2, 2.0);
        self.frozen = Some(Frozen {
            after_ns: nanoseconds(after_s),
            is_noisy: random.chance(0.5),
        });
        (after_s, "after s")
    }

    fn reshape(&mut self, random: &mut Random, plan: &ScenePlan) -> (f64, &'static str) {
        let object = matters(plan);
        let shape = if plan.holding == Some(object) {
            // What stands between the fingers is 4 cm wide.
            if random.chance(0.5) {
                Shape::Ball(0.02)
            } else {
                Shape::Cylinder(0.02, random.range(0.024, 0.036))
            }
        } else {
            match random.below(3) {
                0 => Shape::Ball(random.range(0.018, 0.028)),
                1 => Shape::Cylinder(random.range(0.012, 0.024), random.range(0.025, 0.045)),
                _ => Shape::Box([
                    random.range(0.008, 0.045),
                    random.range(0.008, 0.045),
                    random.range(0.008, 0.03),
                ]),
            }
        };
        self.shape = Some((object, shape));
        (shape.footprint(), "radius m")
    }

    fn strew(&mut self, random: &mut Random, plan: &ScenePlan) -> (f64, &'static str) {
        let wanted = 4 + random.below(6);
        for _ in 0..wanted {
            let shape = match random.below(3) {
                0 => Shape::Ball(random.range(0.012, 0.025)),
                1 => Shape::Cylinder(random.range(0.01, 0.025), random.range(0.015, 0.05)),
                _ => Shape::Box([
                    random.range(0.006, 0.035),
                    random.range(0.006, 0.035),
                    random.range(0.006, 0.04),
                ]),
            };
            let radius = shape.footprint() + 0.004;
            let others: Vec<([f64; 2], f64)> = self
                .clutter
                .iter()
                .map(|thing| (thing.at, thing.shape.footprint()))
                .collect();
            let Some(at) = free_place(random, plan, &others, radius, |_| true) else {
                continue;
            };
            self.clutter.push(Clutter {
                shape,
                at,
                yaw: random.range(0.0, std::f64::consts::PI),
                color: [0; 3].map(|_| random.range(0.02, 0.9)),
            });
        }
        #[allow(clippy::cast_precision_loss, reason = "a handful of things")]
        let count = self.clutter.len() as f64;
        (count, "things")
    }

    fn oil(&mut self, random: &mut Random) -> (f64, &'static str) {
        let friction = random.range(0.01, 0.10);
        self.friction = Some(friction);
        (friction, "friction")
    }

    fn displace(&mut self, random: &mut Random, plan: &ScenePlan) -> (f64, &'static str) {
        let object = matters(plan);
        let from = plan.objects.get(object).map_or([0.45, 0.0], |spec| spec.at);
        let radius = plan
            .objects
            .get(object)
            .map_or(0.03, |spec| spec.kind.footprint_radius());
        let far_enough =
            |at: [f64; 2]| (0.06..0.20).contains(&libm::hypot(at[0] - from[0], at[1] - from[1]));
        let place = free_place(random, plan, &[], radius + 0.005, far_enough)
            .or_else(|| free_place(random, plan, &[], radius + 0.005, |_| true));
        let after_s = random.range(0.6, 2.4);
        if let Some(to) = place {
            self.moved = Some(Moved {
                object,
                at_ns: nanoseconds(after_s),
                to,
            });
        }
        (after_s, "after s")
    }

    fn weaken(&mut self, random: &mut Random) -> (f64, &'static str) {
        let force = random.range(0.02, 0.5);
        self.grasp_force_n = Some(force);
        (force, "N")
    }

    fn bias(&mut self, random: &mut Random) -> (f64, &'static str) {
        let first = random.below(4);
        let second = first + 1 + random.below(2);
        let sign = if random.chance(0.5) { 1.0 } else { -1.0 };
        let size = random.range(0.02, 0.09);
        self.bias = vec![(first, sign * size), (second, random.range(-size, size))];
        (size, "rad")
    }

    fn delay(&mut self, random: &mut Random) -> (f64, &'static str) {
        // Longer ones are found by the watchdog of the measured state at once.
        let delay_s = random.range(0.04, 0.16);
        self.delay_ns = nanoseconds(delay_s);
        (delay_s, "s")
    }
}

impl Look {
    fn move_camera(&mut self, random: &mut Random) -> (f64, &'static str) {
        let share = random.range(0.3, 1.0);
        self.camera_offset = [0.06, 0.10, 0.06].map(|most| signed(random, share * most));
        self.camera_turn = [0.08, 0.08, 0.12].map(|most| signed(random, share * most));
        (share, "of 14 cm and 9°")
    }

    fn change_light(&mut self, random: &mut Random) -> (f64, &'static str) {
        let turn = random.range(0.0, std::f64::consts::TAU);
        let lean = random.range(0.3, 1.3);
        self.to_light = [lean * libm::cos(turn), lean * libm::sin(turn), 0.85];
        self.level = if random.chance(0.6) {
            random.range(0.12, 0.5)
        } else {
            random.range(1.5, 2.6)
        };
        (self.level, "times the light")
    }

    fn shift_color(&mut self, random: &mut Random) -> (f64, &'static str) {
        let size = random.range(0.25, 0.75);
        let gains = [0; 3].map(|_| 1.0 + size * random.range(-1.0, 1.0));
        // One channel always differs by all of it.
        let mut channels = gains;
        if let Some(channel) = channels.get_mut(random.below(3)) {
            *channel = 1.0 - size;
        }
        self.gains = channels;
        (size, "gain of a channel")
    }

    fn put_board(&mut self, random: &mut Random) -> (f64, &'static str) {
        let target = [random.range(0.34, 0.58), random.range(-0.22, 0.22), 0.02];
        let share = random.range(0.30, 0.45);
        let side = random.range(0.02, 0.055);
        let between = |axis: usize| CAMERA[axis] + share * (target[axis] - CAMERA[axis]);
        self.board = Some(Board {
            center: [between(0), between(1), between(2)],
            half: [0.006, side * random.range(0.8, 1.6), side],
        });
        (side, "half height m")
    }
}

/// The object that decides the episode: the one to which something is put,
/// else the one that is acted on; in scenes without a goal the first.
fn matters(plan: &ScenePlan) -> usize {
    let of_goal = |goal: &Goal| match goal.target {
        Target::Object(index)
            if plan.objects.get(index).map(|object| object.kind) == Some(Kind::Block) =>
        {
            index
        }
        _ => goal.object,
    };
    let index = plan.goals.first().map_or(0, of_goal);
    // The drawer is no block: then some block by its side.
    if index < plan.objects.len() { index } else { 0 }
}

fn free_place(
    random: &mut Random,
    plan: &ScenePlan,
    others: &[([f64; 2], f64)],
    radius: f64,
    accepts: impl Fn([f64; 2]) -> bool,
) -> Option<[f64; 2]> {
    let held = plan.holding;
    let standing: Vec<ObjectSpec> = plan
        .objects
        .iter()
        .enumerate()
        .filter(|(index, _)| held != Some(*index))
        .map(|(_, object)| *object)
        .collect();
    (0..TRIES).find_map(|_| {
        let at = [
            random.range(TABLE_X[0], TABLE_X[1]),
            random.range(TABLE_Y[0], TABLE_Y[1]),
        ];
        let apart = others
            .iter()
            .all(|(other, size)| libm::hypot(other[0] - at[0], other[1] - at[1]) > radius + size);
        (apart && accepts(at) && is_free(&standing, None, plan.drawer, at, radius)).then_some(at)
    })
}

/// Between half of `most` and `most`, of either sign.
fn signed(random: &mut Random, most: f64) -> f64 {
    let size = random.range(0.5 * most, most);
    if random.chance(0.5) { size } else { -size }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few seconds"
)]
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{DrawerChoice, TaskKind, TaskSpec, plan};

    fn drawn(seed: u64, task: TaskKind, words: &[Perturbation]) -> ScenePlan {
        let spec = TaskSpec {
            task,
            perturb: words.to_vec().into(),
            ..TaskSpec::default()
        };
        plan(seed, &spec, DrawerChoice::Default).unwrap()
    }

    #[test]
    fn nothing_is_drawn_unless_it_is_asked_for() {
        let clean = drawn(7, TaskKind::Pick, &[]);
        assert_eq!(clean.disturbance, Disturbance::default());
        let wrong = drawn(7, TaskKind::Pick, &Perturbation::ALL);
        // The scene itself stays the same.
        assert_eq!(
            (&clean.objects, &clean.goals),
            (&wrong.objects, &wrong.goals)
        );
        assert_eq!(wrong.disturbance.drawn.len(), Perturbation::ALL.len());
    }

    #[test]
    fn strengths_repeat_and_do_not_depend_on_the_set() {
        for one in Perturbation::ALL {
            for seed in 0..20 {
                let alone = drawn(seed, TaskKind::PlaceIn, &[one]).disturbance;
                let again = drawn(seed, TaskKind::PlaceIn, &[one]).disturbance;
                assert_eq!(alone, again);
                assert_ne!(alone, Disturbance::default(), "{one:?} {seed}");
                let all = drawn(seed, TaskKind::PlaceIn, &Perturbation::ALL).disturbance;
                assert!(all.drawn.contains(&alone.drawn[0]));
            }
        }
    }

    #[test]
    fn what_is_strewn_touches_nothing() {
        for seed in 0..50 {
            let scene = drawn(seed, TaskKind::Push, &[Perturbation::Clutter]);
            for thing in &scene.disturbance.clutter {
                let radius = thing.shape.footprint();
                assert!(is_free(
                    &scene.objects,
                    None,
                    scene.drawer,
                    thing.at,
                    radius
                ));
            }
        }
    }

    #[test]
    fn what_is_moved_is_what_matters() {
        let scene = drawn(3, TaskKind::Stack, &[Perturbation::BlockMoved]);
        let moved = scene.disturbance.moved.unwrap();
        assert_eq!(scene.goals[0].target, Target::Object(moved.object));
        let scene = drawn(3, TaskKind::Drawer, &[Perturbation::UnseenObject]);
        assert_eq!(scene.disturbance.shape.unwrap().0, 0);
    }
}
