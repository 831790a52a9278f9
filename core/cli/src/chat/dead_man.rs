//! Hold-to-run in the terminal: the arm moves as long as a person presses a key.
//!
//! A terminal tells of keys that are pressed, not of keys that are let go. A key
//! that is held repeats itself, after a first pause of up to 0.7 s and then some
//! thirty times a second; letting go is found when no press has come for the
//! deadline. So the arm moves on for so long after the key was let go: the
//! deadline should be short, but longer than the keyboard's first pause, unless
//! the key is tapped until it repeats.
//!
//! The key is the space bar, in a conversation on an empty line; for a program each
//! line, also an empty one, is a press. Signs of life are awaited while a primitive runs, and
//! not while the arm rests or a plan is made.

use std::{
    io::{self, BufRead, IsTerminal},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::Builder,
    time::Duration,
};

use clap::Args;
use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, RepeatCount};
use vola_runtime::{Heartbeat, HeartbeatKind, Session};

use crate::{failure::Failure, process_setup::read_single_keys};

/// Whether somebody must hold a key.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct HoldToRun {
    /// Move only while the space bar is held (in a conversation on an empty line; to a program: while lines come), at most so many milliseconds apart [default: 800]
    #[arg(long, value_name = "MS", num_args = 0..=1, default_missing_value = "800", conflicts_with = "fast", value_parser = clap::value_parser!(u64).range(20..=10_000))]
    dead_man: Option<u64>,
}

impl HoldToRun {
    /// The key, where one is asked for.
    pub(crate) fn key(self) -> Option<DeadMan> {
        self.dead_man.map(Duration::from_millis).map(DeadMan::new)
    }
}

/// The key and its deadline; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct DeadMan {
    deadline: Duration,
    awaited: Arc<Mutex<Option<Heartbeat>>>,
}

impl DeadMan {
    /// A key that must be pressed this often.
    fn new(deadline: Duration) -> Self {
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

    /// Reads standard input for presses and nothing else, on a thread of its own,
    /// until it ends.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn listen(&self) -> Result<(), Failure> {
        let own = self.clone();
        let read = move || {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                read_single_keys();
                own.press_by(b' ', stdin.lock());
            } else {
                own.press_by(b'\n', stdin.lock());
            }
        };
        let thread = Builder::new().name("hold-to-run".to_owned());
        thread
            .spawn(read)
            .map(|_| ())
            .map_err(|source| Failure::System {
                what: "the thread that reads the hold-to-run key",
                source,
            })
    }

    /// A press for each such byte. What cannot be read is no press.
    fn press_by(&self, key: u8, input: impl BufRead) {
        for byte in input.bytes().map_while(Result::ok) {
            if byte == key {
                self.press();
            }
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
