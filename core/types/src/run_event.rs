//! Run events: what `vola run` prints, one JSON object a line.
//!
//! The executive and the runtime emit them, the command line and the console
//! show them. `t` is the run's own clock; this file never reads one.

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, Step};
use crate::primitive::Outcome;
use crate::scene::Scene;
use crate::signal::{Signal, SignalReading};

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Seconds since the run began, on the run's own clock.
    pub t: f64,
    /// What happened.
    #[serde(flatten)]
    pub kind: RunEventKind,
}

/// What happened; the JSON key `event` holds the variant's word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEventKind {
    /// The scene was read.
    Scene {
        /// What was seen.
        scene: Scene,
    },
    /// A plan was made (and verified).
    Plan {
        /// The plan.
        plan: Plan,
    },
    /// A step is about to run.
    StepStarted {
        /// Position in the current plan's `steps`.
        index: usize,
        /// The step.
        step: Step,
        /// Its canonical sentence.
        task: String,
        /// 1 at the first try.
        attempt: u32,
        /// What is done otherwise than at the tries before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alternative: Option<String>,
    },
    /// The measured state of the arm, where a step begins and where it ends.
    State {
        /// Names of the joints, base to tip.
        names: Vec<String>,
        /// Positions of the joints, in the order of the names (rad, m).
        positions: Vec<f64>,
        /// Gripper value, 0 closed to 1 open; none without a gripper.
        gripper: Option<f64>,
        /// Position of the tool in the base frame (m).
        tool: [f64; 3],
    },
    /// The policy's confidence while a step runs.
    Confidence {
        /// Score, higher is surer.
        score: f64,
        /// Below it the robot holds.
        threshold: f64,
        /// The signal that is nearest to holding, or holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<Signal>,
        /// Every signal of this decision.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        signals: Vec<SignalReading>,
        /// Probability that the step fails, by what was seen so far, where it is
        /// calibrated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure_probability: Option<f64>,
    },
    /// The robot holds and asks a person.
    Handoff {
        /// Why.
        reason: String,
        /// Confidence score when a score was the reason.
        #[serde(default)]
        score: Option<f64>,
        /// Threshold when a score was the reason.
        #[serde(default)]
        threshold: Option<f64>,
        /// What the person can choose from.
        choices: Vec<String>,
    },
    /// The arm passed from one to another, or a question became a decision.
    HandoffState {
        /// Number of the change, from 1; grows by one.
        number: u64,
        /// State before: `auto`, `hold`, `ask`, `take_over`, `aborted`,
        /// `safe_stop`, `stopped` or `dropped`.
        from: String,
        /// State after.
        to: String,
        /// Who may move the arm now: `policy`, `person` or `nobody`.
        who: String,
        /// What happened: the signal or reason that holds, the person's choice,
        /// `asked`, `recovered`, `given_back`, `given_up`, `no_answer`, `stopped`.
        cause: String,
        /// When (s, on the run's clock): what the arm was told at once is told to
        /// people when it stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<f64>,
        /// While a person moves the arm: `recovery`, then `correction`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phase: Option<String>,
    },
    /// A step came to its end.
    StepFinished {
        /// Position in the current plan's `steps`.
        index: usize,
        /// The step.
        step: Step,
        /// How it ended.
        outcome: Outcome,
        /// Why, when it is not done.
        #[serde(default)]
        reason: Option<String>,
    },
    /// The safety layer acted.
    Safety {
        /// Which limit.
        limit: String,
        /// What was done about it.
        action: String,
    },
    /// The rest of the plan was made anew.
    Replanned {
        /// Why.
        reason: String,
        /// The steps that are run from here.
        #[serde(default)]
        steps: Vec<Step>,
    },
    /// A person said to wait: the arm has come to rest and holds.
    Paused {
        /// Position of the step that waits.
        index: usize,
        /// Why.
        reason: String,
    },
    /// A person said to go on.
    Resumed {
        /// Position of the step that is run next.
        index: usize,
    },
    /// A person left out a step.
    Skipped {
        /// Its position.
        index: usize,
        /// The step.
        step: Step,
        /// The steps that are run from the next position on.
        steps: Vec<Step>,
    },
    /// A person changed the plan while it runs.
    Edited {
        /// What was said.
        sentence: String,
        /// What is done now, for the person.
        say: String,
        /// The steps that are run from here.
        steps: Vec<Step>,
    },
    /// A change that cannot be made; the plan is as it was.
    EditRefused {
        /// What was said.
        sentence: String,
        /// Why not.
        reason: String,
    },
    /// A question about the run, answered from its log.
    Answered {
        /// What was asked.
        question: String,
        /// The answer.
        say: String,
    },
    /// The commands sent to the robot so far, in virtual time, just before the
    /// end: equal hashes are equal motions.
    Commands {
        /// Commands, one a tick of 1 ms.
        frames: u64,
        /// BLAKE3 over time, positions and velocities of each, hexadecimal.
        blake3: String,
    },
    /// The run is over; always the last event of a sentence.
    Finished {
        /// Whether the goal was reached, measured by the world where a world
        /// can tell.
        success: bool,
        /// How it ended.
        outcome: RunOutcome,
        /// Length of the run, in seconds of its own clock.
        seconds: f64,
        /// The open question, with [`RunOutcome::NeedsPerson`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question: Option<String>,
        /// Why, when it is not a success.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every step was done.
    Done,
    /// The sentence was answered in words.
    Chat,
    /// The planner refused: it cannot be done.
    Infeasible,
    /// The planner refused: it must not be done.
    Unsafe,
    /// Nobody answered a question.
    NeedsPerson,
    /// A step failed for good.
    Failed,
    /// A person ended it.
    Aborted,
    /// The safety layer ended it.
    SafetyStop,
}

impl RunOutcome {
    /// The process's exit code for this outcome.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done | Self::Chat => 0,
            Self::Infeasible | Self::Unsafe | Self::Failed | Self::Aborted => 1,
            Self::NeedsPerson => 3,
            Self::SafetyStop => 4,
        }
    }

    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Chat => "chat",
            Self::Infeasible => "infeasible",
            Self::Unsafe => "unsafe",
            Self::NeedsPerson => "needs_person",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::SafetyStop => "safety_stop",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_flat_objects_with_t_and_event() {
        let event = RunEvent {
            t: 1.5,
            kind: RunEventKind::StepFinished {
                index: 0,
                step: Step::Home,
                outcome: Outcome::TimedOut,
                reason: Some("slow".to_owned()),
            },
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(
            text,
            r#"{"t":1.5,"event":"step_finished","index":0,"step":{"op":"home"},"outcome":"timed_out","reason":"slow"}"#
        );
        assert_eq!(serde_json::from_str::<RunEvent>(&text).unwrap(), event);
    }

    #[test]
    fn every_event_round_trips() {
        for kind in [
            RunEventKind::Scene {
                scene: Scene::default(),
            },
            RunEventKind::Plan {
                plan: Plan::default(),
            },
            RunEventKind::State {
                names: vec!["joint_1".to_owned()],
                positions: vec![0.25],
                gripper: None,
                tool: [0.5, 0.0, 0.25],
            },
            RunEventKind::Confidence {
                score: 0.5,
                threshold: 0.4,
                signal: Some(Signal::Stall),
                signals: vec![SignalReading {
                    name: Signal::Stall,
                    value: 2.5,
                    ratio: Some(1.0),
                }],
                failure_probability: Some(0.25),
            },
            RunEventKind::Handoff {
                reason: "low".to_owned(),
                score: Some(0.1),
                threshold: None,
                choices: vec!["continue".to_owned()],
            },
            RunEventKind::HandoffState {
                number: 3,
                from: "ask".to_owned(),
                to: "take_over".to_owned(),
                who: "person".to_owned(),
                cause: "take_over".to_owned(),
                at: Some(1.5),
                phase: Some("recovery".to_owned()),
            },
            RunEventKind::Replanned {
                reason: "slipped".to_owned(),
                steps: vec![Step::Wait { seconds: 1.0 }],
            },
            RunEventKind::Paused {
                index: 1,
                reason: "a person said so".to_owned(),
            },
            RunEventKind::Resumed { index: 1 },
            RunEventKind::Skipped {
                index: 0,
                step: Step::Home,
                steps: vec![Step::OpenGripper],
            },
            RunEventKind::Edited {
                sentence: "no, home".to_owned(),
                say: "I will go home.".to_owned(),
                steps: vec![Step::Home],
            },
            RunEventKind::EditRefused {
                sentence: "no, the moon".to_owned(),
                reason: "I see no moon.".to_owned(),
            },
            RunEventKind::Answered {
                question: "why did you stop?".to_owned(),
                say: "You said so.".to_owned(),
            },
            RunEventKind::Commands {
                frames: 1200,
                blake3: "af13".to_owned(),
            },
            RunEventKind::Finished {
                success: false,
                outcome: RunOutcome::NeedsPerson,
                seconds: 2.0,
                question: Some("which one?".to_owned()),
                reason: None,
            },
        ] {
            let event = RunEvent { t: 0.25, kind };
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<RunEvent>(&text).unwrap(), event);
        }
    }
}
