//! Ctrl-C: the arm comes to rest, then the process ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use vola_runtime::StopSwitch;

use crate::{failure::exit, log_writer, process_setup::restore_terminal};

/// Exit code of a command that was interrupted: what it was to do is not done.
pub(crate) const INTERRUPTED: u8 = exit::ERROR;
/// How long a command may take to end by itself. The arm comes to rest in a
/// fraction of it, in its own thread.
const PATIENCE: Duration = Duration::from_millis(1800);

/// How long log lines are waited for then.
const LAST_LINES: Duration = Duration::from_millis(50);

/// How a command leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Within two seconds, whatever it waits for.
    InTime,
    /// When it has saved its work.
    WhenSaved,
}

/// Whether the user wants to leave, and the switch that brings the arm to rest.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    wanted: Arc<AtomicBool>,
    stop: StopSwitch,
    leaving: Leaving,
}

impl Interrupt {
    /// Takes over SIGINT and SIGTERM: the first brings the arm to rest and asks
    /// the command to end; a second one ends the process at once.
    pub(crate) fn install(stop: StopSwitch, leaving: Leaving) -> Self {
        let interrupt = Self {
            wanted: Arc::default(),
            stop,
            leaving,
        };
        let handler = interrupt.clone();
        let installed = ctrlc::set_handler(move || {
            if handler.is_wanted() {
                leave();
            }
            handler.request();
        });
        if let Err(error) = installed {
            tracing::warn!(%error, "Ctrl-C cannot be caught; it will end the process at once");
        }
        interrupt
    }

    /// One that nothing but [`request`](Self::request) raises.
    #[cfg(test)]
    pub(crate) fn idle() -> Self {
        Self {
            wanted: Arc::default(),
            stop: StopSwitch::default(),
            leaving: Leaving::WhenSaved,
        }
    }

    /// As if Ctrl-C had been pressed.
    pub(crate) fn request(&self) {
        self.stop.throw();
        let was_wanted = self.wanted.swap(true, Ordering::AcqRel);
        if was_wanted || self.leaving == Leaving::WhenSaved {
            return;
        }
        let watch = || {
            std::thread::sleep(PATIENCE);
            leave();
        };
        if let Err(error) = std::thread::Builder::new()
            .name("leaving".to_owned())
            .spawn(watch)
        {
            tracing::warn!(%error, "nobody watches that the process ends in time");
        }
    }

    /// Whether the process should end.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }
}

/// Ends the process at once, with the terminal as it was found.
fn leave() -> ! {
    restore_terminal();
    log_writer::flush(LAST_LINES);
    std::process::exit(i32::from(INTERRUPTED));
}
