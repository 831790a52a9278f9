//! The processes of isolated plugins, found to be broken.

use rustix::process::{Pid, Signal, kill_process};

/// Ends every process that this thread started for a plugin. The answer is how
/// many there were.
pub(crate) fn kill() -> usize {
    signal(Signal::KILL)
}

/// Makes them stand still.
pub(crate) fn freeze() -> usize {
    signal(Signal::STOP)
}

fn signal(signal: Signal) -> usize {
    // Only Linux isolates plugins, and tells of children here.
    let list = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    list.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|child| hosts_a_plugin(*child) && kill_process(*child, signal).is_ok())
        .count()
}

fn hosts_a_plugin(child: Pid) -> bool {
    let file = format!("/proc/{}/cmdline", child.as_raw_nonzero());
    let words = std::fs::read(file).unwrap_or_default();
    words
        .split(|byte| *byte == 0)
        .any(|word| word == b"plugin-host")
}
