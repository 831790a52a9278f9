//! Smallest distance between an arm's links, and between links and obstacles.
//!
//! Run every few ticks, not in each: a pair costs about a microsecond. Pairs whose
//! bounding boxes are farther apart than the nearest pair so far are not looked
//! at. Distances between capsules are computed by `parry3d` in f32: good to about
//! a hundredth of a millimetre, far below any margin.

use nalgebra::{Isometry3, Point3};
use parry3d::math::{Pose, Vector};
use parry3d::query;
use parry3d::shape::Segment;

use crate::capsule::{Capsule, Obstacle};
use crate::segment_distance::segment_to_box;
use crate::{KinematicModel, LinkFrame, MAX_JOINTS, MotionError};

/// What a capsule is nearest to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partner {
    /// Another capsule, by its index in the list given.
    Capsule(usize),
    /// An obstacle, by its index in the list given.
    Obstacle(usize),
}

/// The closest pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Distance between the surfaces (m); zero or less when they touch.
    pub distance_m: f64,
    /// Index of the capsule.
    pub capsule: usize,
    /// What it is close to.
    pub partner: Partner,
}

/// Distances of one arm from itself and from obstacles.
///
/// # Timing
/// [`Self::nearest`] allocates nothing; [`Self::set_obstacles`] may.
#[derive(Clone, Debug)]
pub struct CollisionModel {
    model: KinematicModel,
    capsules: Vec<FixedCapsule>,
    placed: Vec<Placed>,
    /// Pairs of capsules that can meet.
    pairs: Vec<(usize, usize)>,
    obstacles: Vec<Obstacle>,
}

#[derive(Clone, Debug)]
struct FixedCapsule {
    frame: LinkFrame,
    start: Point3<f64>,
    end: Point3<f64>,
    radius: f64,
}

/// A capsule where the arm now has it.
#[derive(Clone, Copy, Debug)]
struct Placed {
    start: Point3<f64>,
    end: Point3<f64>,
    radius: f64,
    low: Point3<f64>,
    high: Point3<f64>,
}

impl CollisionModel {
    /// Takes an arm and its capsules. Capsules on the same moving link or on
    /// neighbouring ones are not compared, nor is any pair that touches at
    /// `home`: they are built that way.
    ///
    /// # Errors
    /// A capsule that is degenerate or on an unknown link; `home` of the wrong
    /// length or not finite.
    pub fn new(
        model: KinematicModel,
        capsules: &[Capsule],
        home: &[f64],
    ) -> Result<Self, MotionError> {
        let mut fixed = Vec::with_capacity(capsules.len());
        for (index, capsule) in capsules.iter().enumerate() {
            capsule.check(index)?;
            fixed.push(FixedCapsule {
                frame: model.link_frame(&capsule.link)?,
                start: capsule.start,
                end: capsule.end,
                radius: capsule.radius_m,
            });
        }
        let mut out = Self {
            model,
            placed: Vec::with_capacity(fixed.len()),
            capsules: fixed,
            pairs: Vec::new(),
            obstacles: Vec::new(),
        };
        out.place(home)?;
        for (first, (a, place_a)) in out.capsules.iter().zip(&out.placed).enumerate() {
            for (second, (b, place_b)) in out
                .capsules
                .iter()
                .zip(&out.placed)
                .enumerate()
                .skip(first + 1)
            {
                let apart = rank(a).abs_diff(rank(b)) > 1;
                if apart && distance(place_a, place_b) > 0.0 {
                    out.pairs.push((first, second));
                }
            }
        }
        Ok(out)
    }

    /// Pairs of capsules that are compared, by their indices in the list given.
    #[must_use]
    pub fn pairs(&self) -> &[(usize, usize)] {
        &self.pairs
    }

    /// Replaces the obstacles.
    ///
    /// # Errors
    /// An obstacle with a number that is not usable; then nothing changes.
    pub fn set_obstacles(&mut self, obstacles: &[Obstacle]) -> Result<(), MotionError> {
        for (index, obstacle) in obstacles.iter().enumerate() {
            obstacle.check(index)?;
        }
        self.obstacles.clear();
        self.obstacles.extend_from_slice(obstacles);
        Ok(())
    }

    /// The closest pair nearer than `horizon_m`, if any. The base (capsules
    /// that no joint moves) is not compared with obstacles.
    ///
    /// # Errors
    /// `q` of the wrong length or not finite.
    pub fn nearest(&mut self, q: &[f64], horizon_m: f64) -> Result<Option<Nearest>, MotionError> {
        self.place(q)?;
        let mut best: Option<Nearest> = None;
        let mut limit = horizon_m;
        let mut offer = |distance_m: f64, capsule: usize, partner: Partner, limit: &mut f64| {
            if distance_m < *limit {
                *limit = distance_m;
                best = Some(Nearest {
                    distance_m,
                    capsule,
                    partner,
                });
            }
        };
        for &(first, second) in &self.pairs {
            if let (Some(a), Some(b)) = (self.placed.get(first), self.placed.get(second))
                && gap(&a.low, &a.high, &b.low, &b.high) < limit
            {
                offer(distance(a, b), first, Partner::Capsule(second), &mut limit);
            }
        }
        for (index, (capsule, placed)) in self.capsules.iter().zip(&self.placed).enumerate() {
            if capsule.frame.carrier.is_none() {
                continue;
            }
            for (other, obstacle) in self.obstacles.iter().enumerate() {
                let reach = match obstacle {
                    Obstacle::Below { height_m } => placed.low.z - height_m,
                    Obstacle::Box {
                        center,
                        half_extents,
                    } => {
                        let half = nalgebra::Vector3::from(*half_extents);
                        let (low, high) = (center - half, center + half);
                        if gap(&placed.low, &placed.high, &low, &high) >= limit {
                            continue;
                        }
                        segment_to_box(&placed.start, &placed.end, &low, &high) - placed.radius
                    }
                };
                offer(reach, index, Partner::Obstacle(other), &mut limit);
            }
        }
        Ok(best)
    }

    /// Moves all capsules to where these joint positions put them.
    fn place(&mut self, q: &[f64]) -> Result<(), MotionError> {
        let mut poses = [Isometry3::identity(); MAX_JOINTS];
        let used = poses
            .get_mut(..self.model.joint_count())
            .unwrap_or_default();
        self.model.link_poses(q, used)?;
        self.placed.clear();
        for capsule in &self.capsules {
            let carrier = capsule
                .frame
                .carrier
                .and_then(|index| poses.get(index))
                .copied();
            let pose = carrier.unwrap_or_default() * capsule.frame.in_carrier;
            self.placed.push(Placed::new(
                pose * capsule.start,
                pose * capsule.end,
                capsule.radius,
            ));
        }
        Ok(())
    }
}

/// Number of moving joints before the capsule's link.
fn rank(capsule: &FixedCapsule) -> usize {
    capsule.frame.carrier.map_or(0, |index| index + 1)
}

impl Placed {
    fn new(start: Point3<f64>, end: Point3<f64>, radius: f64) -> Self {
        let reach = nalgebra::Vector3::repeat(radius);
        Self {
            start,
            end,
            radius,
            low: start.inf(&end) - reach,
            high: start.sup(&end) + reach,
        }
    }
}

/// Distance of two bounding boxes; less than that of what they bound.
fn gap(
    low_a: &Point3<f64>,
    high_a: &Point3<f64>,
    low_b: &Point3<f64>,
    high_b: &Point3<f64>,
) -> f64 {
    let apart = (low_b - high_a).sup(&(low_a - high_b));
    if apart.max() <= 0.0 {
        apart.max()
    } else {
        apart.map(|side| side.max(0.0)).norm()
    }
}

fn vector(point: &Point3<f64>) -> Vector {
    Vector::new(point.x as f32, point.y as f32, point.z as f32)
}

/// Distance of two capsules; negative when their axes are nearer than the
/// radii.
fn distance(a: &Placed, b: &Placed) -> f64 {
    let (first, second) = (
        Segment::new(vector(&a.start), vector(&a.end)),
        Segment::new(vector(&b.start), vector(&b.end)),
    );
    let identity = Pose::identity();
    let axes = query::details::distance_segment_segment(&identity, &first, &second);
    f64::from(axes) - a.radius - b.radius
}
