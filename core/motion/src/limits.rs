//! Joint limits: checked once, afterwards only ever narrowed.

use vola_types::EmbodimentDescription;

use crate::{MAX_JOINTS, MotionError};

/// Limits of one joint, or of the gripper value.
///
/// # Units
/// Radians (turning), metres (sliding) or 1 (gripper), and their derivatives
/// by the second. Velocity, acceleration and jerk are magnitudes, the same in
/// both directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointLimits {
    /// Least position.
    pub position_min: f64,
    /// Greatest position.
    pub position_max: f64,
    /// Greatest speed.
    pub velocity: f64,
    /// Greatest acceleration.
    pub acceleration: f64,
    /// Greatest jerk.
    pub jerk: f64,
}

/// Checked limits of every joint of one arm, the gripper last if it has one.
///
/// All numbers are finite, velocities to jerks positive, ranges not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    names: Vec<String>,
    joints: Vec<JointLimits>,
}

impl Limits {
    /// Checks named limits.
    ///
    /// # Errors
    /// The first limit that is not usable, or a count outside 1 to
    /// [`MAX_JOINTS`].
    pub fn new<'a>(
        joints: impl IntoIterator<Item = (&'a str, JointLimits)>,
    ) -> Result<Self, MotionError> {
        let (names, joints): (Vec<String>, Vec<JointLimits>) = joints
            .into_iter()
            .map(|(name, limits)| (name.to_owned(), limits))
            .unzip();
        if joints.is_empty() || joints.len() > MAX_JOINTS {
            return Err(MotionError::JointCount {
                what: "limits",
                max: MAX_JOINTS,
                got: joints.len(),
            });
        }
        for (name, limits) in names.iter().zip(&joints) {
            limits.check(name)?;
        }
        Ok(Self { names, joints })
    }

    /// Limits of an embodiment, the gripper (named `gripper`) last.
    ///
    /// # Errors
    /// As [`Limits::new`].
    pub fn from_description(description: &EmbodimentDescription) -> Result<Self, MotionError> {
        let arm = description.joints.iter().map(|joint| {
            let limits = JointLimits {
                position_min: joint.position_min,
                position_max: joint.position_max,
                velocity: joint.max_velocity,
                acceleration: joint.max_acceleration,
                jerk: joint.max_jerk,
            };
            (joint.name.as_str(), limits)
        });
        let gripper = description.gripper_limits.as_ref().map(|gripper| {
            let limits = JointLimits {
                position_min: 0.0,
                position_max: 1.0,
                velocity: gripper.max_velocity_per_s,
                acceleration: gripper.max_acceleration_per_s2,
                jerk: gripper.max_jerk_per_s3,
            };
            ("gripper", limits)
        });
        Self::new(arm.chain(gripper.filter(|_| description.gripper.values() > 0)))
    }

    /// Number of joints, gripper included.
    #[must_use]
    pub fn joint_count(&self) -> usize {
        self.joints.len()
    }

    /// Limits in joint order.
    #[must_use]
    pub fn joints(&self) -> &[JointLimits] {
        &self.joints
    }

    /// Names in joint order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Name of one joint, for messages.
    #[must_use]
    pub fn name(&self, joint: usize) -> &str {
        self.names.get(joint).map_or("?", String::as_str)
    }

    /// Replaces one joint's limits by narrower ones.
    ///
    /// # Errors
    /// A number that is not usable, or wider than before (then nothing is
    /// changed); an unknown joint.
    pub fn narrow(&mut self, joint: &str, by: &JointLimits) -> Result<(), MotionError> {
        let Some((_, own)) = self
            .names
            .iter()
            .zip(&mut self.joints)
            .find(|(name, _)| *name == joint)
        else {
            let got = f64::NAN;
            return Err(MotionError::BadLimit {
                joint: joint.to_owned(),
                field: "name",
                expected: "a joint of this arm",
                got,
            });
        };
        by.check(joint)?;
        let pairs = [
            (
                "position_min",
                own.position_min,
                by.position_min,
                by.position_min >= own.position_min,
            ),
            (
                "position_max",
                own.position_max,
                by.position_max,
                by.position_max <= own.position_max,
            ),
            (
                "velocity",
                own.velocity,
                by.velocity,
                by.velocity <= own.velocity,
            ),
            (
                "acceleration",
                own.acceleration,
                by.acceleration,
                by.acceleration <= own.acceleration,
            ),
            ("jerk", own.jerk, by.jerk, by.jerk <= own.jerk),
        ];
        if let Some((field, allowed, asked, _)) =
            pairs.into_iter().find(|(_, _, _, narrower)| !narrower)
        {
            return Err(MotionError::Widened {
                joint: joint.to_owned(),
                field,
                allowed,
                asked,
            });
        }
        *own = *by;
        Ok(())
    }

    /// The same positions with velocity, acceleration and jerk times
    /// `fraction`: what a planner may use, so that a filter at the full limits
    /// stays out of its way.
    ///
    /// # Errors
    /// A fraction that is not in (0, 1].
    pub fn scaled(&self, fraction: f64) -> Result<Self, MotionError> {
        if !(fraction > 0.0 && fraction <= 1.0) {
            return Err(MotionError::BadSetting {
                what: "limit fraction",
                expected: "more than 0, at most 1",
                got: fraction,
            });
        }
        let mut scaled = self.clone();
        for joint in &mut scaled.joints {
            joint.velocity *= fraction;
            joint.acceleration *= fraction;
            joint.jerk *= fraction;
        }
        Ok(scaled)
    }
}

impl JointLimits {
    fn check(&self, joint: &str) -> Result<(), MotionError> {
        let bad = |field, expected, got| MotionError::BadLimit {
            joint: joint.to_owned(),
            field,
            expected,
            got,
        };
        for (field, got) in [
            ("position_min", self.position_min),
            ("position_max", self.position_max),
        ] {
            if !got.is_finite() {
                return Err(bad(field, "a finite number", got));
            }
        }
        // Both are finite by now.
        if self.position_min >= self.position_max {
            return Err(bad(
                "position_max",
                "more than position_min",
                self.position_max,
            ));
        }
        let magnitudes = [
            ("velocity", self.velocity),
            ("acceleration", self.acceleration),
            ("jerk", self.jerk),
        ];
        for (field, got) in magnitudes {
            if !(got.is_finite() && got > 0.0) {
                return Err(bad(field, "a finite number > 0", got));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELBOW: JointLimits = JointLimits {
        position_min: -1.0,
        position_max: 2.0,
        velocity: 3.0,
        acceleration: 4.0,
        jerk: 5.0,
    };

    #[test]
    fn unusable_limits_name_the_joint_and_field() {
        let cases = [
            (
                JointLimits {
                    velocity: f64::NAN,
                    ..ELBOW
                },
                "velocity: expected a finite number > 0, got NaN",
            ),
            (
                JointLimits {
                    acceleration: 0.0,
                    ..ELBOW
                },
                "acceleration: expected a finite number > 0, got 0",
            ),
            (
                JointLimits {
                    jerk: f64::INFINITY,
                    ..ELBOW
                },
                "jerk: expected a finite number > 0, got inf",
            ),
            (
                JointLimits {
                    position_min: f64::NEG_INFINITY,
                    ..ELBOW
                },
                "position_min: expected a finite number, got -inf",
            ),
            (
                JointLimits {
                    position_max: -1.0,
                    ..ELBOW
                },
                "position_max: expected more than position_min, got -1",
            ),
        ];
        for (limits, expected) in cases {
            let error = Limits::new([("elbow", limits)]).unwrap_err().to_string();
            assert_eq!(error, format!("limits of joint `elbow`: {expected}"));
        }
        assert!(Limits::new([]).is_err());
    }

    #[test]
    fn limits_narrow_but_never_widen() {
        let mut limits = Limits::new([("elbow", ELBOW)]).unwrap();
        limits
            .narrow(
                "elbow",
                &JointLimits {
                    velocity: 2.0,
                    ..ELBOW
                },
            )
            .unwrap();
        let error = limits
            .narrow(
                "elbow",
                &JointLimits {
                    velocity: 2.5,
                    ..ELBOW
                },
            )
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(
                "limits of joint `elbow`: velocity: 2.5 is wider than the robot's 2\n"
            ),
            "{error}"
        );
        let error = limits
            .narrow(
                "elbow",
                &JointLimits {
                    position_min: -1.1,
                    velocity: 1.0,
                    ..ELBOW
                },
            )
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("position_min: -1.1 is wider than the robot's -1"),
            "{error}"
        );
        assert!((limits.joints().first().unwrap().velocity - 2.0).abs() < 1e-12);
        assert!(limits.narrow("wrist", &ELBOW).is_err());
        assert!(limits.scaled(1.5).is_err() && limits.scaled(f64::NAN).is_err());
    }
}
