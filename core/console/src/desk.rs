//! What the server may ask of whoever owns the robot.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Attention, ChosenAnswer, Decision, Jog, LiveState, RobotCard};

/// How the arm is brought to rest, by analogy to IEC 60204-1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// Brake along the limits and stand under power; the next sentence may move.
    #[default]
    Hold,
    /// A controlled stop, latched until a reset.
    Controlled,
    /// A request that power be cut, latched until a reset.
    Power,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong and what to do.
    pub reason: String,
}

/// The robot's side of the console.
///
/// # Timing
/// Called on the server's thread. No call waits for the robot.
pub trait Desk: Send + Sync {
    /// Brings the arm to rest; at once, whatever else is done.
    fn stop(&self, kind: StopKind);

    /// A sign of life of the person at the controls.
    fn beat(&self);

    /// A sentence, an answer or a command, as if typed.
    ///
    /// # Errors
    /// When it cannot be taken now.
    fn say(&self, text: &str) -> Result<(), Refusal>;

    /// An answer to the question that is open, chosen among its options.
    ///
    /// # Errors
    /// When it cannot be taken now.
    fn answer(&self, chosen: &ChosenAnswer) -> Result<(), Refusal>;

    /// A person wants to show the robot what a sentence means; the arm is handed
    /// over once it stands.
    ///
    /// # Errors
    /// When it cannot be shown, or not now.
    fn teach(&self, sentence: &str) -> Result<(), Refusal> {
        let _ = sentence;
        Err(Refusal {
            reason: "this robot is not taught: nothing is recorded here".to_owned(),
        })
    }

    /// What a person decides about a holding robot, or while having the arm.
    ///
    /// # Errors
    /// When the robot does not ask, or nobody has the arm.
    fn decide(&self, decision: Decision) -> Result<(), Refusal>;

    /// A motion that a person who has the arm wishes; a sign of life as well.
    ///
    /// # Errors
    /// When nobody has the arm.
    fn jog(&self, jog: Jog) -> Result<(), Refusal>;

    /// What the robot is and does: name, whether it moves, what it last said.
    fn state(&self) -> Value;

    /// Counters and times, as a Prometheus text exposition.
    fn metrics(&self) -> String;

    /// What does not change while the robot is served.
    fn card(&self) -> RobotCard {
        RobotCard::default()
    }

    /// The robot at this moment. Asked ten times a second while a page is open.
    fn live(&self) -> LiveState {
        LiveState::default()
    }

    /// Where the policy looked in its last decision; none when it does not tell.
    fn attention(&self) -> Option<Attention> {
        None
    }
}
