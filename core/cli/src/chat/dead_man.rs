//! Hold-to-run in the terminal: the arm moves as long as a person presses a key.
//!
//! A terminal tells of keys that are pressed, not of keys that are let go. A key
//! that is held repeats itself, after a first pause of up to 0.7 s and then some
//! thirty times a second; letting go is found when no press has come for the
//! deadline. So the arm moves on for so long after the key was let go: the
//! deadline should be short, but longer than the keyboard's first pause, unless
//! the key is tapped until it repeats.
//!
//! The key is the space bar on an empty line; for a program each line, also an
//! empty one, is a press. Signs of life are awaited while a primitive runs, and
//! not while the arm rests or a plan is made.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, RepeatCount};
use vola_runtime::{Heartbeat, HeartbeatKind, Session};

/// The key and its deadline; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct DeadMan {
    deadline: Duration,
    awaited: Arc<Mutex<Option<Heartbeat>>>,
}

impl DeadMan {
    /// A key that must be pressed this often.
    pub(crate) fn new(deadline: Duration) -> Self {
        Self {
            deadline,
            awaited: Arc::default(),
        }
    }

    /// The longest time between two presses.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Motion begins: presses are awaited, the first within the deadline.
    pub(crate) fn begin(&self, session: &Session) {
        let heartbeat = session.expect_heartbeat(HeartbeatKind::Operator, self.deadline);
        *self.awaited() = Some(heartbeat);
    }

    /// Motion is over: nobody has to press any more.
    pub(crate) fn end(&self) {
        if let Some(heartbeat) = self.awaited().take() {
            heartbeat.end();
        }
    }

    /// The key was pressed.
    pub(crate) fn press(&self) {
        if let Some(heartbeat) = &*self.awaited() {
            heartbeat.beat();
        }
    }

    fn awaited(&self) -> MutexGuard<'_, Option<Heartbeat>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The space bar: pressed on an empty line it is the key, else a space.
impl ConditionalEventHandler for DeadMan {
    fn handle(
        &self,
        _: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        if !context.line().is_empty() {
            return None;
        }
        self.press();
        Some(Cmd::Noop)
    }
}
