//! The surroundings' part of the safety filter: distance of the arm's links
//! from each other and from forbidden boxes.
//!
//! As with the joints and the tool, a next tick is judged by the stop that
//! follows it: that stop must keep every pair of shapes apart. So the arm slows
//! down as it comes near, stands before the margin is used up, and can always
//! leave again. Rejected: slowing by the distance alone at a lower rate, as
//! servoing nodes do; how far an arm still moves depends on its speed, and a
//! check every 100 ms lets it travel centimetres unseen.
//!
//! Nearly all pairs are dismissed without geometry. A distance that was
//! computed once bounds all later ones: a joint that moves by `d` brings two
//! shapes nearer by at most `d` times the length of the links between it and
//! the shape. Only where that bound leaves doubt is the distance computed at
//! the next tick, and if doubt stays, at points along the stop.

use nalgebra::{Isometry3, Point3};
use vola_types::WorkspaceBox;

use crate::capsule::{Capsule, Obstacle};
use crate::joint_guard::Candidate;
use crate::segment_distance::{segment_to_box, segment_to_segment};
use crate::{CollisionModel, JointVec, KinematicModel, LinkFrame, MAX_JOINTS, MotionError};

/// What the arm must keep away from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClearanceLimits {
    /// Collision shapes of the arm.
    pub capsules: Vec<Capsule>,
    /// Boxes (m, base frame) that neither links nor tool may enter. Links that
    /// no joint moves are not compared with them.
    pub forbidden: Vec<WorkspaceBox>,
    /// Distance kept between links, and of links from forbidden boxes (m). The
    /// tool's own point may come up to a box: it has no shape.
    pub margin_m: f64,
    /// Joint positions of the home pose (rad, m). Pairs that touch there are
    /// not compared, and pairs that are nearer there than the margin keep four
    /// fifths of that distance.
    pub home: Vec<f64>,
}

/// Points of a stop at which a distance may be computed, after its beginning.
const SAMPLES: usize = 6;

/// What a distance between two such points may be less than the margin (m),
/// which is kept by that much more.
const COVERED_M: f64 = 1e-3;

/// Rounding of a distance (m).
const ROUNDING_M: f64 = 1e-9;

/// Distances computed in one tick at most; past that the answer is "too near".
const BUDGET: u32 = 400;

/// Share of the distance at home that a pair keeps when it is built closer than
/// the margin.
const SHARE_OF_HOME: f64 = 0.8;

/// See the module text.
#[derive(Clone, Debug)]
pub(crate) struct ClearanceGuard {
    model: KinematicModel,
    shapes: Vec<Shape>,
    pairs: Vec<Pair>,
    places: Vec<Place>,
    left: u32,
}

/// A capsule, or the tool's point, on its link.
#[derive(Clone, Debug)]
struct Shape {
    frame: LinkFrame,
    start: Point3<f64>,
    end: Point3<f64>,
    radius: f64,
}

#[derive(Clone, Copy, Debug)]
enum Other {
    Shape(usize),
    /// Which box, and its corners.
    Box(usize, [Point3<f64>; 2]),
}

/// Two things that must stay apart.
#[derive(Clone, Debug)]
struct Pair {
    shape: usize,
    other: Other,
    /// Travel towards each other per unit of each joint, at most; zero for
    /// joints that move both or neither.
    travel: [f64; MAX_JOINTS],
    margin: f64,
    /// Distance kept: the margin, or where the arm started nearer, that; it
    /// rises to the margin as the pair comes apart.
    floor: f64,
    /// A distance that was computed, and where.
    known: f64,
    at: JointVec,
}

/// All shapes at one point of a stop.
#[derive(Clone, Debug)]
struct Place {
    filled: bool,
    q: JointVec,
    axes: Vec<[Point3<f64>; 2]>,
}

impl ClearanceGuard {
    pub(crate) fn new(
        model: KinematicModel,
        limits: &ClearanceLimits,
    ) -> Result<Self, MotionError> {
        if !(limits.margin_m >= 0.0 && limits.margin_m.is_finite()) {
            return Err(MotionError::BadSetting {
                what: "collision margin (m)",
                expected: "a finite number >= 0",
                got: limits.margin_m,
            });
        }
        for (index, zone) in limits.forbidden.iter().enumerate() {
            obstacle(zone).check(index)?;
        }
        // Checks shapes and home, and knows which pairs can meet.
        let known = CollisionModel::new(model.clone(), &limits.capsules, &limits.home)?;
        let mut shapes = Vec::with_capacity(limits.capsules.len() + 1);
        for capsule in &limits.capsules {
            shapes.push(Shape {
                frame: model.link_frame(&capsule.link)?,
                start: capsule.start,
                end: capsule.end,
                radius: capsule.radius_m,
            });
        }
        shapes.push(Shape {
            frame: model.link_frame(model.tip_link())?,
            start: Point3::origin(),
            end: Point3::origin(),
            radius: 0.0,
        });
        let mut guard = Self {
            places: vec![Place::new(shapes.len()); SAMPLES + 1],
            pairs: Vec::new(),
            left: 0,
            model,
            shapes,
        };
        for &(first, second) in known.pairs() {
            guard.add_pair(first, Other::Shape(second), limits.margin_m);
        }
        let tool = guard.shapes.len() - 1;
        for (index, zone) in limits.forbidden.iter().enumerate() {
            let corners = Other::Box(index, [Point3::from(zone.min), Point3::from(zone.max)]);
            for shape in 0..=tool {
                let margin = if shape == tool { 0.0 } else { limits.margin_m };
                guard.add_pair(shape, corners, margin);
            }
        }
        guard.begin_at(&limits.home);
        for pair in &mut guard.pairs {
            match pair.other {
                Other::Shape(_) => pair.margin = pair.margin.min(SHARE_OF_HOME * pair.known),
                Other::Box(index, _) if !(pair.known >= pair.margin + COVERED_M) => {
                    return Err(MotionError::HomeTooNear {
                        index,
                        distance_m: pair.known,
                        margin_m: pair.margin + COVERED_M,
                    });
                }
                Other::Box(..) => {}
            }
        }
        guard.begin_at(&limits.home);
        Ok(guard)
    }

    /// Number of pairs that are compared.
    pub(crate) fn pair_count(&self) -> usize {
        self.pairs.len()
    }

    fn add_pair(&mut self, shape: usize, other: Other, margin: f64) {
        // Of two shapes the one farther out moves with more joints.
        let carrier = |index: usize| self.shapes.get(index).and_then(|s| s.frame.carrier);
        let (outer, inner) = match other {
            Other::Shape(second) if carrier(second) >= carrier(shape) => (second, carrier(shape)),
            Other::Shape(second) => (shape, carrier(second)),
            Other::Box(..) => (shape, None),
        };
        let Some((own, outer_carrier)) = self.shapes.get(outer).zip(carrier(outer)) else {
            return;
        };
        let from_origin = [own.start, own.end]
            .map(|point| (own.frame.in_carrier * point).coords.norm())
            .into_iter()
            .fold(0.0, f64::max);
        let mut travel = self.model.travel_bounds(outer_carrier, from_origin);
        // Joints up to the inner link's own carry both.
        for slot in travel.iter_mut().take(inner.map_or(0, |joint| joint + 1)) {
            *slot = 0.0;
        }
        self.pairs.push(Pair {
            shape,
            other,
            travel,
            margin,
            floor: 0.0,
            known: 0.0,
            at: JointVec::default(),
        });
    }

    /// The arm stands still at `q` (its own joints, finite).
    pub(crate) fn begin_at(&mut self, q: &[f64]) {
        let Self {
            model,
            shapes,
            pairs,
            places,
            ..
        } = self;
        let Some(place) = places.first_mut() else {
            return;
        };
        place.fill(model, shapes, q.iter().copied().collect());
        for pair in pairs {
            pair.known = pair.distance(shapes, &place.axes);
            pair.at = place.q;
            pair.floor = pair.wanted_floor();
        }
    }

    /// A new tick begins with the arm's joints at `now`: the budget is full
    /// again, and pairs that came apart may not come as near again.
    pub(crate) fn begin_tick(&mut self, now: &[f64]) {
        self.left = BUDGET;
        let Self {
            model,
            shapes,
            pairs,
            places,
            ..
        } = self;
        let near = |pair: &&mut Pair| pair.floor < pair.margin + COVERED_M;
        let Some(place) = places.first_mut() else {
            return;
        };
        place.filled = false;
        for pair in pairs.iter_mut().filter(near) {
            if !place.filled {
                place.fill(model, shapes, now.iter().copied().collect());
            }
            pair.known = pair.distance(shapes, &place.axes);
            pair.at = place.q;
            pair.floor = pair.floor.max(pair.wanted_floor());
        }
    }

    /// Whether the next tick and the stop after it keep everything apart.
    pub(crate) fn is_clear(&mut self, candidates: &[Candidate; MAX_JOINTS]) -> bool {
        let Self {
            model,
            shapes,
            pairs,
            places,
            left,
        } = self;
        let arm = || candidates.iter().take(model.joint_count());
        let ticks = arm().map(|one| one.plan.ticks()).fold(0.0, f64::max);
        for place in places.iter_mut() {
            place.filled = false;
        }
        let mut look = Look {
            model,
            shapes,
            places,
            left,
        };
        pairs
            .iter_mut()
            .all(|pair| look.keeps_apart(pair, &arm, ticks))
    }
}

/// What is needed to compute distances along one stop.
struct Look<'a> {
    model: &'a KinematicModel,
    shapes: &'a [Shape],
    places: &'a mut [Place],
    left: &'a mut u32,
}

impl Look<'_> {
    /// Whether one pair stays apart in the next tick and along the stop.
    fn keeps_apart<'c, I: Iterator<Item = &'c Candidate>>(
        &mut self,
        pair: &mut Pair,
        arm: &impl Fn() -> I,
        ticks: f64,
    ) -> bool {
        if pair.known - pair.travel_over(arm(), &pair.at) >= pair.floor {
            return true;
        }
        let Some((first, at)) = self.distance(pair, arm, ticks, 0) else {
            return false;
        };
        (pair.known, pair.at) = (first, at);
        if !(first >= pair.floor) {
            return false;
        }
        if first - pair.travel_over(arm(), &at) >= pair.floor {
            return true;
        }
        let (mut before, mut before_at) = (first, at);
        for sample in 1..=SAMPLES {
            let Some((here, here_at)) = self.distance(pair, arm, ticks, sample) else {
                return false;
            };
            let way: f64 = pair
                .travel
                .iter()
                .zip(here_at.iter().zip(before_at.iter()))
                .map(|(travel, (to, from))| travel * (to - from).abs())
                .sum();
            let between = 0.5 * (before + here - way);
            if !(here >= pair.floor && between >= pair.floor - COVERED_M) {
                return false;
            }
            (before, before_at) = (here, here_at);
        }
        true
    }

    /// Distance of a pair at one of the points of the stop, and the joint
    /// positions there; none when the budget is spent.
    fn distance<'c, I: Iterator<Item = &'c Candidate>>(
        &mut self,
        pair: &Pair,
        arm: &impl Fn() -> I,
        ticks: f64,
        sample: usize,
    ) -> Option<(f64, JointVec)> {
        *self.left = self.left.checked_sub(1)?;
        let place = self.places.get_mut(sample)?;
        if !place.filled {
            // Denser at first, where the arm is fast.
            let share = sample as f64 / SAMPLES as f64;
            let after = (ticks * share * share).round();
            let q = arm().map(|one| one.plan.at(one.next, after).q).collect();
            place.fill(self.model, self.shapes, q);
        }
        Some((pair.distance(self.shapes, &place.axes), place.q))
    }
}

impl Pair {
    /// What is to be kept once the pair is as far apart as it is known to be.
    fn wanted_floor(&self) -> f64 {
        (self.margin + COVERED_M).min(self.known - ROUNDING_M)
    }

    /// How much nearer the candidates can bring the pair, until rest, than it
    /// was at `from`; at most.
    fn travel_over<'c>(&self, arm: impl Iterator<Item = &'c Candidate>, from: &[f64]) -> f64 {
        arm.zip(from)
            .zip(&self.travel)
            .map(|((candidate, q), travel)| {
                let extent = &candidate.extent;
                travel * (extent.q_max - q).max(q - extent.q_min)
            })
            .sum()
    }

    fn distance(&self, shapes: &[Shape], axes: &[[Point3<f64>; 2]]) -> f64 {
        let radius = |index: usize| shapes.get(index).map_or(0.0, |shape| shape.radius);
        let Some([start, end]) = axes.get(self.shape) else {
            return f64::NEG_INFINITY;
        };
        let apart = match self.other {
            Other::Box(_, [low, high]) => segment_to_box(start, end, &low, &high),
            Other::Shape(other) => match axes.get(other) {
                Some(axis) => segment_to_segment(&[*start, *end], axis) - radius(other),
                None => f64::NEG_INFINITY,
            },
        };
        apart - radius(self.shape)
    }
}

impl Place {
    fn new(shapes: usize) -> Self {
        Self {
            filled: false,
            q: JointVec::default(),
            // At full length, so that a clone has the room, too.
            axes: vec![[Point3::origin(); 2]; shapes],
        }
    }

    /// Moves all shapes to where finite joint positions put them.
    fn fill(&mut self, model: &KinematicModel, shapes: &[Shape], q: JointVec) {
        let mut poses = [Isometry3::identity(); MAX_JOINTS];
        let used = poses.get_mut(..model.joint_count()).unwrap_or_default();
        model.link_poses_unchecked(&q, used);
        self.axes.clear();
        for shape in shapes {
            let carrier = shape.frame.carrier.and_then(|index| poses.get(index));
            let pose = carrier.copied().unwrap_or_default() * shape.frame.in_carrier;
            self.axes.push([pose * shape.start, pose * shape.end]);
        }
        self.q = q;
        self.filled = true;
    }
}

fn obstacle(zone: &WorkspaceBox) -> Obstacle {
    let (low, high) = (Point3::from(zone.min), Point3::from(zone.max));
    let half = (high - low) * 0.5;
    Obstacle::Box {
        center: low + half,
        half_extents: half.into(),
    }
}
