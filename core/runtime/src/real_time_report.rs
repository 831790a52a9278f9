//! How the control thread is set up, and what the system permitted of it.
//!
//! A robot works without any of it; what is missing costs steadiness, so it is
//! said aloud: in the log, in the run's header, by `vola doctor` and by
//! `vola bench control`.

use std::{io, thread};

use serde::Serialize;
use vola_bundle::ControlSettings;

use crate::real_time::{self, STACK_SIZE};

/// One thing asked of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Whether it was permitted; also true when the deployment does not want it.
    pub granted: bool,
    /// What is in force.
    pub detail: String,
    /// How to permit it; empty when it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub help: String,
}

impl Grant {
    fn given(detail: impl Into<String>) -> Self {
        Self {
            granted: true,
            detail: detail.into(),
            help: String::new(),
        }
    }

    fn refused(detail: String, help: impl Into<String>) -> Self {
        Self {
            granted: false,
            detail,
            help: help.into(),
        }
    }
}

/// What the control thread was permitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RealTimeReport {
    /// First-in first-out priority.
    pub priority: Grant,
    /// A processor of its own.
    pub processor: Grant,
    /// Its stack, frames and queues locked in memory.
    pub memory: Grant,
}

impl RealTimeReport {
    /// Name and grant of each thing that was asked for.
    #[must_use]
    pub fn grants(&self) -> [(&'static str, &Grant); 3] {
        [
            ("real-time priority", &self.priority),
            ("processor", &self.processor),
            ("memory lock", &self.memory),
        ]
    }

    /// One line for each thing that was refused, with what to do about it.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        self.grants()
            .into_iter()
            .filter(|(_, grant)| !grant.granted)
            .map(|(name, grant)| {
                format!(
                    "control thread without {name}: {}; {}",
                    grant.detail, grant.help
                )
            })
            .collect()
    }
}

/// Prepares the calling thread: priority, processor, stack. Memory that is not
/// on the stack is locked by whoever owns it; its result comes in as `queues`.
pub(crate) fn prepare_thread(
    settings: &ControlSettings,
    queues: impl FnOnce() -> io::Result<usize>,
) -> RealTimeReport {
    let priority = fifo(settings.priority());
    let is_fifo = priority.granted && settings.priority() > 0;
    let processor = processor(settings.core(), is_fifo);
    let memory = if settings.lock_memory() {
        memory(queues)
    } else {
        // The pages are touched all the same.
        let _ = real_time::prepare_stack(false);
        Grant::given("not wanted (`control.lock_memory = false`)")
    };
    RealTimeReport {
        priority,
        processor,
        memory,
    }
}

/// Tries on a thread of its own what the control thread would ask for.
#[must_use]
pub fn probe_real_time(settings: &ControlSettings) -> RealTimeReport {
    let settings = *settings;
    let probe = thread::Builder::new()
        .name("vola-probe".to_owned())
        .stack_size(STACK_SIZE)
        .spawn(move || prepare_thread(&settings, || Ok(0)));
    let refused = |detail: &str| Grant::refused(detail.to_owned(), "free some memory");
    match probe.map(thread::JoinHandle::join) {
        Ok(Ok(report)) => report,
        _ => RealTimeReport {
            priority: refused("no thread could be started"),
            processor: refused("no thread could be started"),
            memory: refused("no thread could be started"),
        },
    }
}

fn fifo(priority: u8) -> Grant {
    if priority == 0 {
        return Grant::given("ordinary, as the deployment asks (`control.priority = 0`)");
    }
    match real_time::set_fifo(priority) {
        Ok(()) => Grant::given(format!("first-in first-out {priority}")),
        Err(error) => Grant::refused(
            format!("ordinary priority ({error})"),
            format!(
                "give the user `rtprio {priority}` in /etc/security/limits.d, or the program `setcap cap_sys_nice=ep`"
            ),
        ),
    }
}

/// Pins only a thread that has a real-time priority, or that the deployment
/// names a processor for: an ordinary thread must be free to leave a processor
/// that another thread is busy on.
fn processor(wanted: Option<u32>, is_fifo: bool) -> Grant {
    let cores = real_time::allowed_cores();
    let last = cores.last().copied();
    let core = match wanted {
        Some(core) => usize::try_from(core).ok(),
        None if is_fifo && cores.len() > 1 => last,
        None if cores.len() <= 1 => return Grant::given("the only one there is"),
        None => {
            return Grant::refused(
                "any, shared with other threads".to_owned(),
                "it is pinned once it has a real-time priority, or name one in `control.core`",
            );
        }
    };
    let Some(core) = core else {
        return Grant::given("any");
    };
    match real_time::pin_to(core) {
        Ok(()) => Grant::given(format!("processor {core}")),
        Err(error) => Grant::refused(
            format!("any: processor {core} cannot be had ({error})"),
            format!("name one of {cores:?} in `control.core`"),
        ),
    }
}

fn memory(queues: impl FnOnce() -> io::Result<usize>) -> Grant {
    let locked = real_time::prepare_stack(true).and_then(|()| queues());
    match locked {
        Ok(bytes) => Grant::given(format!(
            "{} KiB of stack, frames and queues",
            (bytes + real_time::STACK_USED) / 1024
        )),
        Err(error) => Grant::refused(
            format!("not locked ({error})"),
            "give the user `memlock 16384` (KiB) or more in /etc/security/limits.d",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_said_with_its_remedy() {
        let report = RealTimeReport {
            priority: Grant::refused("ordinary priority (no)".to_owned(), "do this"),
            processor: Grant::given("processor 1"),
            memory: Grant::given("300 KiB"),
        };
        assert_eq!(
            report.refusals(),
            ["control thread without real-time priority: ordinary priority (no); do this"]
        );
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["processor"]["granted"], true);
        assert!(json["processor"].get("help").is_none());
    }
}
