//! The state of one session's handoff, with its authority and its log.

use vola_bundle::SafeStop;

use super::{HandoffEvent, HandoffState, RefusedEvent, transition};
use crate::authority::{Authority, AuthorityWord, Mandate};

/// Transitions that are kept until somebody asks for them; a session that nobody
/// asks forgets the oldest.
const KEPT: usize = 256;

/// One change, for the run's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its number in the session, from 1.
    pub number: u64,
    /// When (ns, on the runtime's clock).
    pub time_ns: u64,
    /// The state before.
    pub from: HandoffState,
    /// What happened.
    pub event: HandoffEvent,
    /// The state after.
    pub to: HandoffState,
}

/// The machine. Owned by the session's thread; the control loop sees its word.
#[derive(Debug)]
pub(crate) struct Handoff {
    state: HandoffState,
    safe_stop: SafeStop,
    word: AuthorityWord,
    mandate: Mandate,
    number: u64,
    told: Vec<Transition>,
}

impl Handoff {
    /// In the state `auto`.
    pub(crate) fn new(word: AuthorityWord, safe_stop: SafeStop) -> Self {
        Self {
            state: HandoffState::Auto,
            safe_stop,
            mandate: word.pass_to(Authority::Policy),
            word,
            number: 0,
            told: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> HandoffState {
        self.state
    }

    /// The mandate of whoever has the arm.
    pub(crate) fn mandate(&self) -> Mandate {
        self.mandate
    }

    /// Takes an event. The authority has passed on when this returns, so that the
    /// next control tick obeys it.
    ///
    /// # Errors
    /// When this may not happen in this state; nothing changes then.
    pub(crate) fn take(&mut self, event: HandoffEvent, now_ns: u64) -> Result<(), RefusedEvent> {
        let from = self.state;
        let to = transition(from, event, self.safe_stop)?;
        if from.authority() != to.authority() {
            self.mandate = self.word.pass_to(to.authority());
        }
        self.state = to;
        // Primitives begin all the time; only changes are worth a line.
        if from == to {
            return Ok(());
        }
        self.number += 1;
        if self.told.len() == KEPT {
            self.told.remove(0);
        }
        self.told.push(Transition {
            number: self.number,
            time_ns: now_ns,
            from,
            event,
            to,
        });
        Ok(())
    }

    /// Changes since the last call.
    pub(crate) fn transitions(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handoff::{HandoffChoice, HoldReason, Options};

    #[test]
    fn the_authority_has_passed_on_before_the_event_is_over() {
        let word = AuthorityWord::default();
        let mut handoff = Handoff::new(word.clone(), SafeStop::Hold);
        let policy = handoff.mandate();
        assert!(word.confirms(policy));
        handoff
            .take(HandoffEvent::Held(HoldReason::Stuck), 1)
            .unwrap();
        assert!(!word.confirms(policy) && !word.confirms(handoff.mandate()));
        let asked = HandoffEvent::Asked {
            options: Options::offered(true),
            timeout_ns: 5,
        };
        handoff.take(asked, 2).unwrap();
        let refused = handoff.take(HandoffEvent::GivenBack, 3).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "handoff: `given_back` cannot follow in the state `ask`"
        );
        let answer = HandoffEvent::Answered(HandoffChoice::TakeOver);
        handoff.take(answer, 4).unwrap();
        assert_eq!(handoff.mandate().authority(), Authority::Operator);
        assert!(word.confirms(handoff.mandate()));
        let told = handoff.transitions();
        let numbers: Vec<u64> = told.iter().map(|one| one.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(told[2].to.as_str(), "take_over");
        assert!(handoff.transitions().is_empty());
    }

    #[test]
    fn a_primitive_that_begins_keeps_its_mandate_and_writes_nothing() {
        let mut handoff = Handoff::new(AuthorityWord::default(), SafeStop::Hold);
        let before = handoff.mandate();
        handoff.take(HandoffEvent::Begun, 1).unwrap();
        assert_eq!(before, handoff.mandate());
        assert!(handoff.transitions().is_empty());
    }
}
