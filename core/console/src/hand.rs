//! What a person decides about a holding robot, and how one moves it by hand.

use serde::{Deserialize, Serialize};

/// A way out of a hold, or of a person's time with the arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go on as if sure.
    Continue,
    /// The step once more.
    Retry,
    /// Without this step.
    Skip,
    /// A person moves the arm.
    TakeOver,
    /// Recovery is over; what follows is what the robot should have done.
    Correct,
    /// The arm is given back.
    GiveBack,
    /// Nothing more.
    Abort,
    /// What was shown is kept: the lesson is over.
    Keep,
    /// What was shown is thrown away: the lesson is over.
    Discard,
    /// The step is shown; the next one follows.
    Next,
}

impl Decision {
    /// What a person would type.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::TakeOver => "take over",
            Self::Correct => "correct",
            Self::GiveBack => "give back",
            Self::Abort => "abort",
            Self::Keep => "keep",
            Self::Discard => "discard",
            Self::Next => "next",
        }
    }

    /// Whether it is for a person who has the arm; else it answers a question.
    #[must_use]
    pub fn is_by_hand(self) -> bool {
        matches!(self, Self::Correct | Self::GiveBack)
    }

    /// Whether it is for a person who shows the robot something.
    #[must_use]
    pub fn is_of_lesson(self) -> bool {
        matches!(self, Self::Keep | Self::Discard | Self::Next)
    }
}

/// A wished motion; each is a sign of life as well. Absent parts stand still.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jog {
    /// Velocity of the tool along the axes of the base frame (m/s).
    pub linear_m_per_s: Option<[f64; 3]>,
    /// Turning of the tool about them (rad/s).
    pub angular_rad_per_s: Option<[f64; 3]>,
    /// Instead: joints from base to tip (rad/s, m/s).
    pub joints_rad_per_s: Option<Vec<f64>>,
    /// Where the gripper shall be, 0 closed to 1 open; absent: as it is.
    pub gripper: Option<f64>,
}

impl Jog {
    /// What is wrong with it, if something is.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let by_tool = self.linear_m_per_s.iter().chain(&self.angular_rad_per_s);
        let is_both = self.joints_rad_per_s.is_some()
            && (self.linear_m_per_s.is_some() || self.angular_rad_per_s.is_some());
        let by_joints = self.joints_rad_per_s.iter().flatten();
        let all = by_tool.flatten().chain(by_joints).chain(&self.gripper);
        let mut all = all.copied();
        if is_both {
            Some("expected the tool's velocity or the joints', not both")
        } else if !all.all(f64::is_finite) {
            Some("expected finite numbers")
        } else if !self
            .gripper
            .is_none_or(|value| (0.0..=1.0).contains(&value))
        {
            Some("gripper: expected 0 to 1")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_of_the_tool_or_of_the_joints() {
        for (text, fits) in [
            (r#"{"linear_m_per_s":[0,0,0.1],"gripper":0.5}"#, true),
            (r#"{"joints_rad_per_s":[0.1,0]}"#, true),
            ("{}", true),
            (
                r#"{"linear_m_per_s":[0,0,1],"joints_rad_per_s":[0.1]}"#,
                false,
            ),
            (r#"{"gripper":1.5}"#, false),
        ] {
            let jog: Jog = serde_json::from_str(text).unwrap();
            assert_eq!(jog.fault().is_none(), fits, "{text}");
        }
        for wrong in [r#"{"linear":[0,0,1]}"#, r#"{"linear_m_per_s":[0,1]}"#] {
            assert!(serde_json::from_str::<Jog>(wrong).is_err(), "{wrong}");
        }
        let nan = Jog {
            gripper: Some(f64::NAN),
            ..Jog::default()
        };
        assert!(nan.fault().is_some());
    }
}
