//! Moving the arm by hand: from a wished velocity to joint targets.
//!
//! The velocity is approached with a bounded acceleration and the targets go on
//! from where the reference is, so taking hold, changing one's mind and letting go
//! are all without a jump. Every set of targets ends at rest within a fraction of
//! a second: a hand that is not heard again has let go.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use vola_motion::{JointVec, MAX_JOINTS};

use crate::{arm_model::ArmModel, chunk_targets::JointTarget};

/// Time between two targets (s).
const STEP_S: f64 = 0.04;
/// Time for which the wished velocity is kept (s): longer than the time to the
/// next wish, so that the motion does not stutter.
const KEPT_S: f64 = 0.12;
/// Time from rest to the fastest motion (s).
const RAMP_S: f64 = 0.25;
/// Targets of one wish at most: those that are kept, and the way to rest.
const MOST_STEPS: usize = 16;

/// What a person wishes the arm to do, until something else is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JogCommand {
    /// The motion.
    pub motion: JogMotion,
    /// Where the gripper shall be, 0 closed to 1 open; none: as it is.
    pub gripper: Option<f64>,
}

/// A wished motion.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum JogMotion {
    /// None.
    #[default]
    Still,
    /// The tool moves along, and turns about, the axes of the base frame.
    Tool {
        /// Velocity (m/s).
        linear_m_per_s: [f64; 3],
        /// Turning (rad/s).
        angular_rad_per_s: [f64; 3],
    },
    /// Joints from base to tip (rad/s, m/s).
    Joints(Vec<f64>),
}

/// Why a wish is not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum JogRefusal {
    /// A number that is none.
    #[error("jog: expected finite numbers")]
    NotFinite,
    /// Another arm.
    #[error("jog: expected {expected} joint velocities, got {got}")]
    Joints {
        /// Joints of this arm.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// The tool cannot go on that way.
    #[error("jog: the tool cannot go on that way: {reason}")]
    Unreachable {
        /// What the solver said.
        reason: String,
    },
}

/// Fastest motions by hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct JogLimits {
    pub(crate) linear_m_per_s: f64,
    pub(crate) angular_rad_per_s: f64,
}

/// The space in which a hand moves the arm now.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Velocity {
    /// Linear, then angular.
    Tool([f64; 6]),
    Joints([f64; MAX_JOINTS]),
}

impl Velocity {
    fn values(&self) -> &[f64] {
        match self {
            Self::Tool(values) => values,
            Self::Joints(values) => values,
        }
    }

    fn values_mut(&mut self) -> &mut [f64] {
        match self {
            Self::Tool(values) => values,
            Self::Joints(values) => values,
        }
    }

    fn is_zero(&self) -> bool {
        self.values().iter().all(|value| *value == 0.0)
    }

    /// The same space at rest.
    fn stopped(mut self) -> Self {
        self.values_mut().fill(0.0);
        self
    }
}

/// Brings a wish into joint targets; remembers how fast the arm goes.
#[derive(Debug)]
pub(crate) struct Jog {
    limits: JogLimits,
    velocity: Velocity,
    wished: Velocity,
    gripper: Option<f64>,
}

impl Jog {
    pub(crate) fn new(limits: JogLimits) -> Self {
        let rest = Velocity::Tool([0.0; 6]);
        Self {
            limits,
            velocity: rest,
            wished: rest,
            gripper: None,
        }
    }

    /// Takes a wish; it is slowed to the limits, along its direction.
    pub(crate) fn wish(&mut self, command: &JogCommand, joints: usize) -> Result<(), JogRefusal> {
        let gripper = command.gripper;
        if gripper.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(JogRefusal::NotFinite);
        }
        let mut wished = match &command.motion {
            JogMotion::Still => self.velocity.stopped(),
            JogMotion::Tool {
                linear_m_per_s: [x, y, z],
                angular_rad_per_s: [a, b, c],
            } => Velocity::Tool([*x, *y, *z, *a, *b, *c]),
            JogMotion::Joints(rates) => {
                let mut all = [0.0; MAX_JOINTS];
                if rates.len() != joints || joints > MAX_JOINTS {
                    return Err(JogRefusal::Joints {
                        expected: joints,
                        got: rates.len(),
                    });
                }
                for (slot, rate) in all.iter_mut().zip(rates) {
                    *slot = *rate;
                }
                Velocity::Joints(all)
            }
        };
        if !wished.values().iter().all(|value| value.is_finite()) {
            return Err(JogRefusal::NotFinite);
        }
        self.slow(&mut wished);
        self.wished = wished;
        self.gripper = gripper.or(self.gripper);
        Ok(())
    }

    /// Nobody wishes anything any more.
    pub(crate) fn let_go(&mut self) {
        self.wished = self.velocity.stopped();
    }

    /// The arm stands, by whatever made it stand.
    pub(crate) fn stopped(&mut self) {
        self.velocity = self.velocity.stopped();
        self.let_go();
    }

    /// A motion begins at rest.
    pub(crate) fn begins(&mut self) {
        self.velocity = self.velocity.stopped();
    }

    /// Whether the gripper is to go elsewhere than it was sent.
    pub(crate) fn moves_gripper(&self, sent: Option<f64>) -> bool {
        let is_elsewhere = |wished: f64| sent.is_some_and(|sent| (wished - sent).abs() > 1e-3);
        self.gripper.is_some_and(is_elsewhere)
    }

    /// Whether the arm neither moves nor shall.
    pub(crate) fn is_still(&self) -> bool {
        self.velocity.is_zero() && self.wished.is_zero()
    }

    fn slow(&self, velocity: &mut Velocity) {
        let fastest = |part: &[f64], limit: f64| {
            let norm = part.iter().map(|value| value * value).sum::<f64>().sqrt();
            (norm / limit).max(1.0)
        };
        let factor = match &*velocity {
            Velocity::Tool(values) => {
                let (linear, angular) = values.split_at(3);
                fastest(linear, self.limits.linear_m_per_s)
                    .max(fastest(angular, self.limits.angular_rad_per_s))
            }
            Velocity::Joints(values) => values.iter().fold(1.0_f64, |most, value| {
                most.max(value.abs() / self.limits.angular_rad_per_s)
            }),
        };
        velocity
            .values_mut()
            .iter_mut()
            .for_each(|it| *it /= factor);
    }

    /// Greatest change of a value of a velocity in a time (in its unit).
    fn most_change(&self, of: Velocity, index: usize, seconds: f64) -> f64 {
        let limit = match of {
            Velocity::Tool(_) if index < 3 => self.limits.linear_m_per_s,
            _ => self.limits.angular_rad_per_s,
        };
        limit * seconds / RAMP_S
    }

    /// One step nearer to a velocity; another space is entered from rest.
    fn approach(&self, from: Velocity, to: Velocity, seconds: f64) -> Velocity {
        let is_same = std::mem::discriminant(&from) == std::mem::discriminant(&to);
        if !is_same && from.is_zero() {
            return self.approach(to.stopped(), to, seconds);
        }
        let goal = if is_same { to } else { from.stopped() };
        let mut next = from;
        let pairs = next.values_mut().iter_mut().zip(goal.values());
        for (index, (value, goal)) in pairs.enumerate() {
            let most = self.most_change(from, index, seconds);
            *value += (goal - *value).clamp(-most, most);
        }
        next
    }

    /// Targets from where the reference is now, for the next moments; `elapsed_s`
    /// is the time since the last call. The arm is at rest after the last.
    ///
    /// # Errors
    /// When the tool cannot go on; it is then to come to rest.
    pub(crate) fn targets(
        &mut self,
        model: &ArmModel,
        reference: &[f64],
        (now_ns, elapsed_s): (u64, f64),
    ) -> Result<Vec<JointTarget>, JogRefusal> {
        self.velocity = self.approach(self.velocity, self.wished, elapsed_s.clamp(0.0, STEP_S));
        let mut arm: JointVec = model.arm(reference).iter().copied().collect();
        let gripper = self.gripper.or_else(|| reference.last().copied());
        let (mut velocity, mut targets) = (self.velocity, Vec::with_capacity(MOST_STEPS));
        let mut tool = None;
        for step in 1..=MOST_STEPS {
            let seconds = step as f64 * STEP_S;
            let goal = if seconds <= KEPT_S {
                self.wished
            } else {
                velocity.stopped()
            };
            let before = velocity;
            velocity = self.approach(velocity, goal, STEP_S);
            let mean = middle(before, velocity);
            arm = match mean {
                Velocity::Joints(rates) => moved(&arm, &rates),
                Velocity::Tool(rates) => {
                    let from = match tool {
                        Some(from) => from,
                        None => model.tool_in_base(&arm).map_err(unreachable_of)?,
                    };
                    let to = turned(&from, &rates);
                    tool = Some(to);
                    let found = model.inverse().solve(model.kinematics(), &to, &arm);
                    found.map_err(unreachable_of)?.q
                }
            };
            let mut position = arm.to_vec();
            if model.has_gripper() {
                position.extend(gripper);
            }
            targets.push(JointTarget {
                time_ns: now_ns + (seconds * 1e9) as u64,
                position,
            });
            if seconds > KEPT_S && velocity.is_zero() {
                break;
            }
        }
        Ok(targets)
    }
}

fn unreachable_of(error: impl std::fmt::Display) -> JogRefusal {
    JogRefusal::Unreachable {
        reason: error.to_string(),
    }
}

/// The mean of two velocities; of another space, the second.
fn middle(from: Velocity, to: Velocity) -> Velocity {
    let mut mean = to;
    if std::mem::discriminant(&from) == std::mem::discriminant(&to) {
        for (value, from) in mean.values_mut().iter_mut().zip(from.values()) {
            *value = 0.5 * (*value + from);
        }
    }
    mean
}

fn moved(arm: &JointVec, rates: &[f64]) -> JointVec {
    arm.iter()
        .zip(rates)
        .map(|(at, rate)| at + rate * STEP_S)
        .collect()
}

fn turned(from: &Isometry3<f64>, rates: &[f64; 6]) -> Isometry3<f64> {
    let [x, y, z, a, b, c] = rates.map(|rate| rate * STEP_S);
    let turn = UnitQuaternion::from_scaled_axis(Vector3::new(a, b, c));
    let place = from.translation.vector + Vector3::new(x, y, z);
    Isometry3::from_parts(Translation3::from(place), turn * from.rotation)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: JogLimits = JogLimits {
        linear_m_per_s: 0.2,
        angular_rad_per_s: 0.5,
    };
    const LOOK_S: f64 = 0.02;

    fn tool(linear: [f64; 3], angular: [f64; 3]) -> JogCommand {
        JogCommand {
            motion: JogMotion::Tool {
                linear_m_per_s: linear,
                angular_rad_per_s: angular,
            },
            gripper: None,
        }
    }

    fn joints(rates: &[f64]) -> JogCommand {
        JogCommand {
            motion: JogMotion::Joints(rates.to_vec()),
            gripper: None,
        }
    }

    #[test]
    fn a_wish_is_slowed_along_its_direction() {
        let mut jog = Jog::new(LIMITS);
        jog.wish(&tool([0.3, 0.4, 0.0], [0.0, 0.0, 0.1]), 2)
            .unwrap();
        let slowed = jog.wished.values();
        for (got, expected) in slowed.iter().zip([0.12, 0.16, 0.0, 0.0, 0.0, 0.04]) {
            assert!((got - expected).abs() < 1e-12, "{slowed:?}");
        }
        jog.wish(&joints(&[1.0, -0.25]), 2).unwrap();
        assert_eq!(jog.wished.values().get(..2), Some(&[0.5, -0.125][..]));
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let mut jog = Jog::new(LIMITS);
        let wrong = [
            joints(&[0.1]),
            tool([f64::NAN, 0.0, 0.0], [0.0; 3]),
            JogCommand {
                gripper: Some(2.0),
                ..JogCommand::default()
            },
        ];
        for command in wrong {
            assert!(jog.wish(&command, 2).is_err(), "{command:?}");
            assert!(jog.is_still() && !jog.moves_gripper(Some(1.0)));
        }
    }

    /// Wishes that change as they like: no step of velocity is larger than the ramp
    /// allows, and another space is entered from rest.
    #[test]
    fn the_velocity_never_jumps() {
        let mut jog = Jog::new(LIMITS);
        let most = LIMITS.angular_rad_per_s.max(LIMITS.linear_m_per_s) * LOOK_S / RAMP_S + 1e-12;
        let wishes = [
            tool([0.2, 0.0, 0.0], [0.0; 3]),
            tool([-0.2, 0.1, 0.0], [0.0, 0.5, 0.0]),
            joints(&[0.5, -0.5]),
            JogCommand::default(),
            joints(&[-0.5, 0.5]),
            tool([0.0, 0.0, 0.2], [0.0; 3]),
        ];
        let mut before = jog.velocity;
        for wish in &wishes {
            jog.wish(wish, 2).unwrap();
            for _ in 0..30 {
                jog.velocity = jog.approach(jog.velocity, jog.wished, LOOK_S);
                let is_same =
                    std::mem::discriminant(&before) == std::mem::discriminant(&jog.velocity);
                assert!(is_same || before.is_zero(), "{before:?} {:?}", jog.velocity);
                let pairs = before.values().iter().zip(jog.velocity.values());
                for (old, new) in pairs.filter(|_| is_same) {
                    assert!((old - new).abs() <= most, "{old} {new}");
                }
                before = jog.velocity;
            }
        }
        jog.let_go();
        for _ in 0..30 {
            jog.velocity = jog.approach(jog.velocity, jog.wished, LOOK_S);
        }
        assert!(jog.is_still());
    }
}
