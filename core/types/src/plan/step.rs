//! One step of a plan: an operation with exactly its arguments.
//!
//! In JSON a step is a flat object (`{"op":"pick","object":"red_block"}`); in
//! Rust each operation is a variant with the arguments it has, and the flat
//! form exists only on the way in and out.

use serde::{Deserialize, Serialize};

/// Longest `wait`, in seconds.
pub const MAX_WAIT_SECONDS: f64 = 60.0;

/// The operations of the plan language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Gripper above an object or a region.
    MoveTo,
    /// Grasp an object and lift it.
    Pick,
    /// Put the held object somewhere and let go.
    Place,
    /// Slide an object over the table.
    Push,
    /// Open a drawer.
    Open,
    /// Close a drawer.
    Close,
    /// Spread the fingers.
    OpenGripper,
    /// Bring the fingers together.
    CloseGripper,
    /// Arm to its home pose.
    Home,
    /// Stand still for a time.
    Wait,
}

impl Op {
    /// All operations, in the contract's order.
    pub const ALL: [Self; 10] = [
        Self::MoveTo,
        Self::Pick,
        Self::Place,
        Self::Push,
        Self::Open,
        Self::Close,
        Self::OpenGripper,
        Self::CloseGripper,
        Self::Home,
        Self::Wait,
    ];

    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MoveTo => "move_to",
            Self::Pick => "pick",
            Self::Place => "place",
            Self::Push => "push",
            Self::Open => "open",
            Self::Close => "close",
            Self::OpenGripper => "open_gripper",
            Self::CloseGripper => "close_gripper",
            Self::Home => "home",
            Self::Wait => "wait",
        }
    }

    /// The operation with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == word)
    }

    /// Whether the learned policy drives it (the runtime generates the rest).
    #[must_use]
    pub fn is_policy(self) -> bool {
        matches!(
            self,
            Self::Pick | Self::Place | Self::Push | Self::Open | Self::Close
        )
    }
}

/// Where `place` puts the object with respect to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Inside a bowl or an open drawer.
    In,
    /// On a block, a region or the table.
    On,
    /// 8 cm to the left (+y) of an object.
    LeftOf,
    /// 8 cm to the right (−y) of an object.
    RightOf,
    /// Between the object and the robot (−x).
    InFrontOf,
    /// Beyond the object (+x).
    Behind,
    /// On whichever side is freest.
    NextTo,
}

impl Relation {
    /// All relations, in the contract's order.
    pub const ALL: [Self; 7] = [
        Self::In,
        Self::On,
        Self::LeftOf,
        Self::RightOf,
        Self::InFrontOf,
        Self::Behind,
        Self::NextTo,
    ];

    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::On => "on",
            Self::LeftOf => "left_of",
            Self::RightOf => "right_of",
            Self::InFrontOf => "in_front_of",
            Self::Behind => "behind",
            Self::NextTo => "next_to",
        }
    }

    /// The words in a sentence: "left of", "in front of".
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::On => "on",
            Self::LeftOf => "left of",
            Self::RightOf => "right of",
            Self::InFrontOf => "in front of",
            Self::Behind => "behind",
            Self::NextTo => "next to",
        }
    }

    /// Whether the target is an object beside which the other comes to stand.
    #[must_use]
    pub fn is_beside(self) -> bool {
        !matches!(self, Self::In | Self::On)
    }

    /// Direction from the target in the table plane `(x, y)`; `None` for
    /// `in`, `on` and `next_to`, which have none.
    #[must_use]
    pub fn direction(self) -> Option<[f64; 2]> {
        match self {
            Self::LeftOf => Some([0.0, 1.0]),
            Self::RightOf => Some([0.0, -1.0]),
            Self::InFrontOf => Some([-1.0, 0.0]),
            Self::Behind => Some([1.0, 0.0]),
            Self::In | Self::On | Self::NextTo => None,
        }
    }
}

/// Direction of a push, seen from the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// +y.
    Left,
    /// −y.
    Right,
    /// +x, away from the robot.
    Forward,
    /// −x, towards the robot.
    Back,
}

impl Direction {
    /// All directions, in the contract's order.
    pub const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Forward, Self::Back];

    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Forward => "forward",
            Self::Back => "back",
        }
    }

    /// The words after "push the red block": "to the left", "forward".
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Left => "to the left",
            Self::Right => "to the right",
            Self::Forward => "forward",
            Self::Back => "back",
        }
    }

    /// Unit vector in the table plane `(x, y)`.
    #[must_use]
    pub fn vector(self) -> [f64; 2] {
        match self {
            Self::Left => [0.0, 1.0],
            Self::Right => [0.0, -1.0],
            Self::Forward => [1.0, 0.0],
            Self::Back => [-1.0, 0.0],
        }
    }
}

/// Where a push goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushTo {
    /// Into a region of the table (JSON key `target`).
    Region(String),
    /// Some centimetres in a direction (JSON key `direction`).
    Direction(Direction),
}

/// One primitive with its arguments. Names are ids of the scene or regions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FlatStep", into = "FlatStep")]
pub enum Step {
    /// Gripper above an object or region.
    MoveTo {
        /// Object id or region.
        target: String,
    },
    /// Grasp and lift.
    Pick {
        /// Object id.
        object: String,
    },
    /// Put down and let go.
    Place {
        /// Id of the held object.
        object: String,
        /// Object id, region or `table`.
        target: String,
        /// Where, with respect to the target.
        relation: Relation,
    },
    /// Slide over the table.
    Push {
        /// Object id.
        object: String,
        /// Where to.
        to: PushTo,
    },
    /// Open a drawer.
    Open {
        /// Object id.
        object: String,
    },
    /// Close a drawer.
    Close {
        /// Object id.
        object: String,
    },
    /// Spread the fingers.
    OpenGripper,
    /// Bring the fingers together.
    CloseGripper,
    /// Arm to its home pose.
    Home,
    /// Stand still.
    Wait {
        /// Duration, 0 to [`MAX_WAIT_SECONDS`].
        seconds: f64,
    },
}

impl Step {
    /// The operation.
    #[must_use]
    pub fn op(&self) -> Op {
        match self {
            Self::MoveTo { .. } => Op::MoveTo,
            Self::Pick { .. } => Op::Pick,
            Self::Place { .. } => Op::Place,
            Self::Push { .. } => Op::Push,
            Self::Open { .. } => Op::Open,
            Self::Close { .. } => Op::Close,
            Self::OpenGripper => Op::OpenGripper,
            Self::CloseGripper => Op::CloseGripper,
            Self::Home => Op::Home,
            Self::Wait { .. } => Op::Wait,
        }
    }

    /// The object that is manipulated.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Pick { object }
            | Self::Place { object, .. }
            | Self::Push { object, .. }
            | Self::Open { object }
            | Self::Close { object } => Some(object),
            _ => None,
        }
    }

    /// The object, region or word that is the target.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::MoveTo { target }
            | Self::Place { target, .. }
            | Self::Push {
                to: PushTo::Region(target),
                ..
            } => Some(target),
            _ => None,
        }
    }
}

/// Why a flat step is not a [`Step`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// An argument the op needs is missing.
    #[error("step {op}: the argument {argument:?} is missing")]
    Missing {
        /// The op's word.
        op: &'static str,
        /// JSON key.
        argument: &'static str,
    },
    /// An argument the op does not take is present.
    #[error("step {op}: takes no argument {argument:?}")]
    Unwanted {
        /// The op's word.
        op: &'static str,
        /// JSON key.
        argument: &'static str,
    },
    /// A push with both `target` and `direction`.
    #[error("step push: expected one of \"target\" and \"direction\", got both")]
    TwoWays,
    /// A wait outside 0..=60 seconds.
    #[error("step wait: expected 0 to {MAX_WAIT_SECONDS} seconds, got {got}")]
    Seconds {
        /// Value found.
        got: f64,
    },
}

/// The JSON form.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct FlatStep {
    op: Op,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relation: Option<Relation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    direction: Option<Direction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

impl FlatStep {
    fn bare(op: Op) -> Self {
        Self {
            op,
            object: None,
            target: None,
            relation: None,
            direction: None,
            seconds: None,
        }
    }

    /// The first argument that is present but not in `wanted`.
    fn refuse_others(&self, wanted: &[&'static str]) -> Result<(), StepError> {
        let present = [
            ("object", self.object.is_some()),
            ("target", self.target.is_some()),
            ("relation", self.relation.is_some()),
            ("direction", self.direction.is_some()),
            ("seconds", self.seconds.is_some()),
        ];
        for (argument, is_present) in present {
            if is_present && !wanted.contains(&argument) {
                return Err(StepError::Unwanted {
                    op: self.op.as_str(),
                    argument,
                });
            }
        }
        Ok(())
    }
}

impl TryFrom<FlatStep> for Step {
    type Error = StepError;

    fn try_from(flat: FlatStep) -> Result<Self, StepError> {
        let op = flat.op;
        flat.refuse_others(match op {
            Op::MoveTo => &["target"],
            Op::Pick | Op::Open | Op::Close => &["object"],
            Op::Place => &["object", "target", "relation"],
            Op::Push => &["object", "target", "direction"],
            Op::OpenGripper | Op::CloseGripper | Op::Home => &[],
            Op::Wait => &["seconds"],
        })?;
        let missing = |argument| StepError::Missing {
            op: op.as_str(),
            argument,
        };
        let object = flat.object.ok_or_else(|| missing("object"));
        let target = flat.target.ok_or_else(|| missing("target"));
        Ok(match op {
            Op::MoveTo => Self::MoveTo { target: target? },
            Op::Pick => Self::Pick { object: object? },
            Op::Open => Self::Open { object: object? },
            Op::Close => Self::Close { object: object? },
            Op::Place => Self::Place {
                object: object?,
                target: target?,
                relation: flat.relation.ok_or_else(|| missing("relation"))?,
            },
            Op::Push => Self::Push {
                object: object?,
                to: match (target, flat.direction) {
                    (Ok(_), Some(_)) => return Err(StepError::TwoWays),
                    (Ok(region), None) => PushTo::Region(region),
                    (Err(_), Some(direction)) => PushTo::Direction(direction),
                    (Err(error), None) => return Err(error),
                },
            },
            Op::OpenGripper => Self::OpenGripper,
            Op::CloseGripper => Self::CloseGripper,
            Op::Home => Self::Home,
            Op::Wait => {
                let got = flat.seconds.ok_or_else(|| missing("seconds"))?;
                if !(0.0..=MAX_WAIT_SECONDS).contains(&got) {
                    return Err(StepError::Seconds { got });
                }
                Self::Wait { seconds: got }
            }
        })
    }
}

impl From<Step> for FlatStep {
    fn from(step: Step) -> Self {
        let mut flat = Self::bare(step.op());
        flat.object = step.object().map(str::to_owned);
        flat.target = step.target().map(str::to_owned);
        match step {
            Step::Place { relation, .. } => flat.relation = Some(relation),
            Step::Push {
                to: PushTo::Direction(direction),
                ..
            } => flat.direction = Some(direction),
            Step::Wait { seconds } => flat.seconds = Some(seconds),
            _ => {}
        }
        flat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_contract_round_trips() {
        for text in [
            r#"{"op":"move_to","target":"middle"}"#,
            r#"{"op":"pick","object":"red_block"}"#,
            r#"{"op":"place","object":"a","target":"b","relation":"in_front_of"}"#,
            r#"{"op":"push","object":"a","target":"left side"}"#,
            r#"{"op":"push","object":"a","direction":"forward"}"#,
            r#"{"op":"open","object":"drawer"}"#,
            r#"{"op":"close","object":"drawer"}"#,
            r#"{"op":"open_gripper"}"#,
            r#"{"op":"close_gripper"}"#,
            r#"{"op":"home"}"#,
            r#"{"op":"wait","seconds":2.5}"#,
        ] {
            let step: Step = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&step).unwrap(), text);
            assert_eq!(Op::from_word(step.op().as_str()), Some(step.op()));
        }
    }

    #[test]
    fn unfitting_arguments_are_refused() {
        for (text, expected) in [
            (r#"{"op":"pick"}"#, "\"object\" is missing"),
            (r#"{"op":"place","object":"a","target":"b"}"#, "relation"),
            (r#"{"op":"push","object":"a"}"#, "\"target\" is missing"),
            (
                r#"{"op":"push","object":"a","target":"middle","direction":"left"}"#,
                "got both",
            ),
            (r#"{"op":"home","object":"a"}"#, "takes no argument"),
            (r#"{"op":"wait","seconds":61}"#, "0 to 60"),
            (r#"{"op":"wait","seconds":-1}"#, "0 to 60"),
            (r#"{"op":"throw","object":"a"}"#, "unknown variant"),
        ] {
            let error = serde_json::from_str::<Step>(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        }
    }
}
