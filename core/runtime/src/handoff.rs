//! Who has the arm, from doubt to decision: the states of a handoff.
//!
//! [`transition`] is the whole of it, a pure function. The session applies it and
//! passes the [`Authority`] on as the new state says; so authority follows from
//! state and nothing else. From *hold* and *ask* nothing leads back to motion
//! but a person's act; when nobody answers, the stop that the deployment names
//! follows, never a guess.

mod in_session;
mod machine;
#[cfg(test)]
pub(crate) mod properties;

use vola_bundle::SafeStop;
use vola_types::Signal;

use crate::Authority;

pub(crate) use machine::Handoff;
pub use machine::Transition;

/// Why the arm holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// The policy is unsure; the signal that says so, where one does.
    Unsure(Option<Signal>),
    /// A step does not work, and no other way to do it is left.
    Stuck,
    /// A person wants to show something.
    Taught,
    /// A person wants the arm, without having been asked.
    Demanded,
}

impl HoldReason {
    /// The word in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsure(Some(signal)) => signal.as_str(),
            Self::Unsure(None) => "unsure",
            Self::Stuck => "stuck",
            Self::Taught => "taught",
            Self::Demanded => "demanded",
        }
    }
}

/// What a person may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffChoice {
    /// Go on as if sure.
    Continue,
    /// The primitive once more.
    Retry,
    /// Without the primitive.
    Skip,
    /// The person moves the arm.
    TakeOver,
    /// Nothing more.
    Abort,
}

impl HandoffChoice {
    /// Every choice.
    pub const ALL: [Self; 5] = [
        Self::Continue,
        Self::Retry,
        Self::Skip,
        Self::TakeOver,
        Self::Abort,
    ];

    /// The word in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::TakeOver => "take_over",
            Self::Abort => "abort",
        }
    }
}

/// A set of choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options(u8);

impl Options {
    /// All choices; taking over only where somebody could.
    #[must_use]
    pub fn offered(can_take_over: bool) -> Self {
        let all = HandoffChoice::ALL.into_iter();
        let offered = all.filter(|choice| can_take_over || *choice != HandoffChoice::TakeOver);
        Self(offered.fold(0, |set, choice| set | bit(choice)))
    }

    /// Whether this was offered.
    #[must_use]
    pub fn has(self, choice: HandoffChoice) -> bool {
        self.0 & bit(choice) != 0
    }
}

fn bit(choice: HandoffChoice) -> u8 {
    1 << choice as u8
}

/// What the person does with the arm: first back to where the policy knows its
/// way, then what it could not do. A recording keeps both apart, because only the
/// second is worth imitating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOverPhase {
    /// Back to where the policy has been before.
    Recovery,
    /// What the policy should have done.
    Correction,
}

impl TakeOverPhase {
    /// The word in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::Correction => "correction",
        }
    }
}

/// How a run that held came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffEnd {
    /// A person ended it.
    Aborted,
    /// Nobody answered: the stop that the deployment names.
    Unanswered(SafeStop),
    /// A stop came from elsewhere.
    Stopped,
    /// The primitive ended at rest and nobody was asked.
    Dropped,
}

/// The states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandoffState {
    /// The plan runs by itself.
    #[default]
    Auto,
    /// The arm brakes and holds; nobody was asked yet.
    Hold(HoldReason),
    /// The arm holds and a person is asked.
    Ask {
        /// Why.
        reason: HoldReason,
        /// What was offered.
        options: Options,
        /// How long an answer is awaited (ns).
        timeout_ns: u64,
    },
    /// A person moves the arm.
    TakeOver {
        /// Why it was handed over.
        reason: HoldReason,
        /// What for.
        phase: TakeOverPhase,
    },
    /// The run is over; the arm holds, or is stopped.
    Over(HandoffEnd),
}

impl HandoffState {
    /// Who may move the arm.
    #[must_use]
    pub fn authority(&self) -> Authority {
        match self {
            Self::Auto => Authority::Policy,
            Self::TakeOver { .. } => Authority::Operator,
            Self::Hold(_) | Self::Ask { .. } | Self::Over(_) => Authority::Nobody,
        }
    }

    /// The word in logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Hold(_) => "hold",
            Self::Ask { .. } => "ask",
            Self::TakeOver { .. } => "take_over",
            Self::Over(HandoffEnd::Aborted) => "aborted",
            Self::Over(HandoffEnd::Unanswered(_)) => "safe_stop",
            Self::Over(HandoffEnd::Stopped) => "stopped",
            Self::Over(HandoffEnd::Dropped) => "dropped",
        }
    }

    /// What the person does, while one moves the arm.
    #[must_use]
    pub fn phase(&self) -> Option<TakeOverPhase> {
        match self {
            Self::TakeOver { phase, .. } => Some(*phase),
            _ => None,
        }
    }
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffEvent {
    /// The arm must hold.
    Held(HoldReason),
    /// A person is asked.
    Asked {
        /// What is offered.
        options: Options,
        /// How long an answer is awaited (ns).
        timeout_ns: u64,
    },
    /// The person decided.
    Answered(HandoffChoice),
    /// The person who moves the arm says that recovery is over.
    Recovered,
    /// The person gives the arm back; the plan goes on from what is there now.
    GivenBack,
    /// The person who moved the arm ends the run.
    GivenUp,
    /// No answer came in time, or nobody is there.
    TimedOut,
    /// A stop came from elsewhere.
    Stopped,
    /// The primitive is left at rest without a question.
    Dropped,
    /// A person, or the owner of the session, begins anew.
    Begun,
}

impl HandoffEvent {
    /// The word in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held(reason) => reason.as_str(),
            Self::Asked { .. } => "asked",
            Self::Answered(choice) => choice.as_str(),
            Self::Recovered => "recovered",
            Self::GivenBack => "given_back",
            Self::GivenUp => "given_up",
            Self::TimedOut => "no_answer",
            Self::Stopped => "stopped",
            Self::Dropped => "dropped",
            Self::Begun => "begun",
        }
    }
}

/// An event that this state does not know. Nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("handoff: `{}` cannot follow in the state `{}`", event.as_str(), state.as_str())]
pub struct RefusedEvent {
    /// The state that stays.
    pub state: HandoffState,
    /// What was refused.
    pub event: HandoffEvent,
}

/// The next state.
///
/// # Errors
/// When this may not happen in this state.
pub fn transition(
    state: HandoffState,
    event: HandoffEvent,
    safe_stop: SafeStop,
) -> Result<HandoffState, RefusedEvent> {
    use HandoffEvent as Event;
    use HandoffState as State;
    Ok(match (state, event) {
        (State::Auto | State::Over(_), Event::Begun) => State::Auto,
        (State::Auto, Event::Held(reason)) => State::Hold(reason),
        (
            State::Hold(reason),
            Event::Asked {
                options,
                timeout_ns,
            },
        ) => State::Ask {
            reason,
            options,
            timeout_ns,
        },
        (
            State::Ask {
                reason, options, ..
            },
            Event::Answered(choice),
        ) if options.has(choice) => answered(reason, choice),
        (
            State::TakeOver {
                reason,
                phase: TakeOverPhase::Recovery,
            },
            Event::Recovered,
        ) => State::TakeOver {
            reason,
            phase: TakeOverPhase::Correction,
        },
        (State::TakeOver { .. }, Event::GivenBack) => State::Auto,
        (State::TakeOver { .. }, Event::GivenUp) => State::Over(HandoffEnd::Aborted),
        (State::Hold(_) | State::Ask { .. } | State::TakeOver { .. }, Event::TimedOut) => {
            State::Over(HandoffEnd::Unanswered(safe_stop))
        }
        (State::Hold(_), Event::Dropped) => State::Over(HandoffEnd::Dropped),
        (State::Over(end), Event::Stopped) => State::Over(end),
        (_, Event::Stopped) => State::Over(HandoffEnd::Stopped),
        (state, event) => return Err(RefusedEvent { state, event }),
    })
}

fn answered(reason: HoldReason, choice: HandoffChoice) -> HandoffState {
    match choice {
        HandoffChoice::Continue | HandoffChoice::Retry | HandoffChoice::Skip => HandoffState::Auto,
        HandoffChoice::TakeOver => HandoffState::TakeOver {
            reason,
            phase: TakeOverPhase::Recovery,
        },
        HandoffChoice::Abort => HandoffState::Over(HandoffEnd::Aborted),
    }
}
