//! How a process ended, in words.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

/// The signal by its name, or the exit code.
pub(super) fn exit_words(status: ExitStatus) -> String {
    const NAMES: [(i32, &str); 7] = [
        (libc::SIGABRT, "aborted (SIGABRT)"),
        (libc::SIGSEGV, "segmentation fault (SIGSEGV)"),
        (libc::SIGBUS, "bus error (SIGBUS)"),
        (libc::SIGILL, "illegal instruction (SIGILL)"),
        (libc::SIGFPE, "arithmetic fault (SIGFPE)"),
        (libc::SIGKILL, "killed (SIGKILL)"),
        (libc::SIGTERM, "terminated (SIGTERM)"),
    ];
    match (status.signal(), status.code()) {
        (Some(signal), _) => NAMES
            .iter()
            .find(|(known, _)| *known == signal)
            .map_or_else(
                || format!("signal {signal}"),
                |(_, name)| (*name).to_owned(),
            ),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => status.to_string(),
    }
}
