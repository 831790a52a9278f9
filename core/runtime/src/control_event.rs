//! What the control loop has to tell, as records of fixed size.
//!
//! The control thread formats nothing, locks nothing and frees nothing: it puts
//! a record into a bounded ring. Another thread (in virtual time the scheduler)
//! takes it out, logs it and keeps it for the run's log.

use rtrb::{Consumer, Producer, RingBuffer};
use vola_abi::FaultAbi;
use vola_motion::Rejection;

use crate::control_status::{HoldCause, StopCause};

/// Records that may wait; a loop that tells more within 10 ms loses the rest,
/// and counts them.
const RING: usize = 128;

/// One record.
#[derive(Debug)]
pub(crate) struct ControlEvent {
    /// The tick (ns).
    pub(crate) time_ns: u64,
    pub(crate) kind: ControlEventKind,
    /// What the plugin said, where it did: made by it, dropped by the reader.
    pub(crate) fault: Option<FaultAbi>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ControlEventKind {
    /// The loop stopped the arm; latched.
    Stopped {
        cause: StopCause,
        rejection: Option<Rejection>,
    },
    /// The loop holds the arm.
    Held {
        cause: HoldCause,
        rejection: Option<Rejection>,
    },
    /// The arm still moves although it was stopped: power is asked to be cut.
    NotAtRest,
    /// The same, because nobody can see whether it does.
    NotSeenAtRest,
    /// A stop was left by a reset.
    Reset,
    /// The robot did not take a stop.
    StopRefused,
    /// A reset was asked for, and the robot is not ready.
    ResetRefused,
    /// A reset was asked for while the arm moved.
    ResetTooEarly,
    /// Periods without their tick.
    TicksMissed { missed: u64 },
    /// The share of ticks in time fell below what motion needs (percent).
    SuccessRate { percent: u8 },
    /// Nothing to tell: the text of a fault that was told before, to be freed by
    /// the reader.
    Known,
}

/// How much a person should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Info,
    Warning,
    Error,
}

/// A record in words, for the log and the run's log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ControlNote {
    pub(crate) time_ns: u64,
    pub(crate) severity: Severity,
    /// Which limit or watchdog.
    pub(crate) limit: &'static str,
    /// What was done about it.
    pub(crate) action: String,
}

/// The two ends of a ring of events.
pub(crate) fn event_ring() -> (EventSender, Consumer<ControlEvent>) {
    let (sender, receiver) = RingBuffer::new(RING);
    (EventSender { sender, lost: 0 }, receiver)
}

/// The control loop's end.
pub(crate) struct EventSender {
    sender: Producer<ControlEvent>,
    lost: u64,
}

impl EventSender {
    /// Tells; when the ring is full, counts.
    pub(crate) fn tell(&mut self, time_ns: u64, kind: ControlEventKind) {
        self.tell_fault(time_ns, kind, None);
    }

    pub(crate) fn tell_fault(
        &mut self,
        time_ns: u64,
        kind: ControlEventKind,
        fault: Option<FaultAbi>,
    ) {
        let event = ControlEvent {
            time_ns,
            kind,
            fault,
        };
        if self.sender.push(event).is_err() {
            self.lost += 1;
        }
    }

    /// Gives away the text of a fault that needs no telling: it is freed by the
    /// reader. A ring that is half full is kept for what there is to tell; then it
    /// is freed here, which is not waited for either.
    pub(crate) fn give_away(&mut self, time_ns: u64, fault: FaultAbi) {
        if fault.message.is_empty() || self.sender.slots() < RING / 2 {
            return;
        }
        self.tell_fault(time_ns, ControlEventKind::Known, Some(fault));
    }

    /// Locks the ring in memory, while it is empty; the bytes locked.
    pub(crate) fn lock_memory(&mut self) -> std::io::Result<usize> {
        crate::control_thread::lock_queue(&mut self.sender)
    }

    /// Events that did not fit.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

impl ControlEvent {
    /// In words; none where there is nothing to tell.
    pub(crate) fn told(&self) -> Option<ControlNote> {
        (self.kind != ControlEventKind::Known).then(|| self.note())
    }

    /// In words.
    pub(crate) fn note(&self) -> ControlNote {
        let (severity, limit, mut action) = match self.kind {
            ControlEventKind::Stopped { cause, rejection } => (
                Severity::Error,
                cause.word(),
                format!(
                    "{} (category {}): {}{}",
                    if cause.cuts_power() {
                        "power is asked to be cut"
                    } else {
                        "controlled stop, then disabled"
                    },
                    cause.category_number(),
                    cause.as_str(),
                    because(rejection)
                ),
            ),
            ControlEventKind::Held { cause, rejection } => (
                Severity::Warning,
                cause.word(),
                format!(
                    "hold (category 2): {}{}",
                    cause.as_str(),
                    because(rejection)
                ),
            ),
            ControlEventKind::NotAtRest => (
                Severity::Error,
                "stop",
                "power is asked to be cut (category 0): the arm still moves after a stop"
                    .to_owned(),
            ),
            ControlEventKind::NotSeenAtRest => (
                Severity::Error,
                "stop",
                "power is asked to be cut (category 0): no state tells whether the arm stands after a stop"
                    .to_owned(),
            ),
            ControlEventKind::StopRefused => (
                Severity::Error,
                "stop",
                "the robot did not take it and is asked again; else its own command time-out must bring it to rest"
                    .to_owned(),
            ),
            ControlEventKind::Reset => (
                Severity::Info,
                "reset",
                "the arm holds where it was measured".to_owned(),
            ),
            ControlEventKind::ResetRefused => (
                Severity::Error,
                "reset",
                "refused: the robot gives no state within its limits, or its emergency stop or hold-to-run device keeps it stopped".to_owned(),
            ),
            ControlEventKind::ResetTooEarly => (
                Severity::Warning,
                "reset",
                "refused: the arm still moves; ask again once it stands".to_owned(),
            ),
            ControlEventKind::TicksMissed { missed } => (
                Severity::Warning,
                "control_ticks",
                format!("{missed} periods of 1 ms without a tick"),
            ),
            ControlEventKind::SuccessRate { percent } => (
                Severity::Warning,
                "control_ticks",
                format!("only {percent} of the last 100 ticks came in time"),
            ),
            ControlEventKind::Known => (Severity::Info, "fault", "as before".to_owned()),
        };
        if let Some(fault) = &self.fault
            && !fault.message.is_empty()
        {
            action.push_str(": ");
            action.push_str(&fault.message);
        }
        ControlNote {
            time_ns: self.time_ns,
            severity,
            limit,
            action,
        }
    }
}

fn because(rejection: Option<Rejection>) -> String {
    rejection.map_or_else(String::new, |rejection| format!(" ({rejection:?})"))
}

impl ControlNote {
    /// Writes the note to the log.
    pub(crate) fn log(&self) {
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a run")]
        let at_s = self.time_ns as f64 * 1e-9;
        let (limit, action) = (self.limit, &self.action);
        match self.severity {
            Severity::Info => tracing::info!(target: "control", at_s, limit, "{action}"),
            Severity::Warning => tracing::warn!(target: "control", at_s, limit, "{action}"),
            Severity::Error => tracing::error!(target: "control", at_s, limit, "{action}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_loses_and_counts_and_never_waits() {
        let (mut sender, mut receiver) = event_ring();
        for tick in 0..200 {
            sender.tell(tick, ControlEventKind::TicksMissed { missed: 1 });
        }
        assert_eq!(sender.lost(), 72);
        let mut seen = 0;
        while let Ok(event) = receiver.pop() {
            assert_eq!(event.time_ns, seen);
            seen += 1;
        }
        assert_eq!(seen, 128);
    }

    #[test]
    fn a_known_fault_goes_to_the_reader_to_be_freed_and_leaves_room_for_news() {
        let (mut sender, mut receiver) = event_ring();
        let fault = || FaultAbi {
            kind: vola_abi::FaultKind::Failed,
            message: "the encoder does not answer".into(),
        };
        for tick in 0..200 {
            sender.give_away(tick, fault());
        }
        for _ in 0..RING / 2 - 1 {
            sender.tell(1, ControlEventKind::Reset);
        }
        assert_eq!(sender.lost(), 0);
        let events: Vec<ControlEvent> = std::iter::from_fn(|| receiver.pop().ok()).collect();
        let known = events.iter().filter(|event| event.fault.is_some());
        assert_eq!(known.count(), RING / 2 + 1);
        let told = events.iter().filter_map(ControlEvent::told);
        assert_eq!(told.count(), RING / 2 - 1);
    }

    #[test]
    fn a_note_names_category_cause_and_the_plugin_s_words() {
        let event = ControlEvent {
            time_ns: 1,
            kind: ControlEventKind::Stopped {
                cause: StopCause::StateFault,
                rejection: None,
            },
            fault: Some(FaultAbi {
                kind: vola_abi::FaultKind::Failed,
                message: "the encoder does not answer".into(),
            }),
        };
        let note = event.note();
        assert_eq!(
            (note.severity, note.limit, note.action.as_str()),
            (
                Severity::Error,
                "robot_link",
                "controlled stop, then disabled (category 1): the robot gave no state: the encoder does not answer"
            )
        );
    }
}
