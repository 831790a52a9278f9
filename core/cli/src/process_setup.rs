//! What the process sets up with the system before any thread exists, and what
//! it gives back at its end. The one module of this crate with unsafe code.
//!
//! Numeric libraries read their thread counts from the environment once, in
//! every plugin library separately, so a value set here holds for all of them.
//! The allocator's thresholds likewise: glibc returns every large temporary to
//! the kernel by default, which costs a network's forward pass half its time.

#![allow(
    unsafe_code,
    reason = "environment, allocator and terminal mode are reached through the C library only"
)]

use std::num::NonZeroUsize;

/// Variables that fix the number of threads of the numeric libraries.
const THREAD_VARIABLES: [&str; 2] = ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"];

/// Prepares environment and allocator.
///
/// A variable that is already set is left as it is: the user knows better.
///
/// # Safety
/// Must be called while the process has one thread only, so before anything
/// that may start one.
pub(crate) unsafe fn prepare(threads: NonZeroUsize) {
    for name in THREAD_VARIABLES {
        if std::env::var_os(name).is_none() {
            // SAFETY: by this function's contract no other thread exists that
            // could read or write the environment at the same time.
            unsafe { std::env::set_var(name, threads.to_string()) };
        }
    }
    keep_memory();
}

/// Lets glibc keep freed memory for the next tensor.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_memory() {
    // SAFETY: `mallopt` takes two integers and touches the allocator's own
    // settings only; an unknown or refused value is reported by its result and
    // leaves the default, which is slower and still right.
    let kept = unsafe { libc::mallopt(libc::M_MMAP_MAX, 0) };
    // SAFETY: as above.
    let trimmed = unsafe { libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX) };
    debug_assert!(
        kept == 1 && trimmed == 1,
        "glibc refused an allocator setting"
    );
}

/// Other allocators keep their defaults.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_memory() {}

/// One store of memory for all threads. A training starts its workers anew at
/// every step; glibc would give each a store of its own and keep what it freed
/// there.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn share_memory() {
    // SAFETY: `mallopt` takes two integers and touches the allocator's own
    // settings only; threads that have a store already keep it.
    let shared = unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    debug_assert!(shared == 1, "glibc refused an allocator setting");
}

/// Other allocators keep their defaults.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn share_memory() {}

/// Gives way to everything else on this machine, and ends when the process `parent`
/// does, which started this one. For work that a robot's process hands to another.
/// Whether that one is still there.
#[cfg(target_os = "linux")]
pub(crate) fn give_way(parent: u32) -> bool {
    // SAFETY: plain numbers; a refusal leaves the priority as it was.
    let lowered = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
    // SAFETY: this option takes one number, the signal; it touches no memory.
    let bound = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if lowered != 0 || bound != 0 {
        tracing::warn!("the system did not let this process give way to others");
    }
    // It may have ended before the signal was asked for.
    std::os::unix::process::parent_id() == parent
}

/// Other systems are asked for nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn give_way(_parent: u32) -> bool {
    true
}

/// What a child process is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Stand still where it is.
    Paused,
    /// Go on.
    Going,
}

/// Lets a child stand still, or go on; whether it does.
#[cfg(unix)]
pub(crate) fn set_pace(child: &std::process::Child, pace: Pace) -> bool {
    let signal = match pace {
        Pace::Paused => libc::SIGSTOP,
        Pace::Going => libc::SIGCONT,
    };
    let Ok(id) = libc::pid_t::try_from(child.id()) else {
        return false;
    };
    // SAFETY: two numbers. The child was not waited for, so its number is still its
    // own, also when it has ended by itself.
    unsafe { libc::kill(id, signal) == 0 }
}

/// Children of other systems go on.
#[cfg(not(unix))]
pub(crate) fn set_pace(_child: &std::process::Child, _pace: Pace) -> bool {
    false
}

/// The terminal's mode at the start, where standard input is a terminal.
#[cfg(unix)]
static FOUND_MODE: std::sync::OnceLock<libc::termios> = std::sync::OnceLock::new();

/// Remembers the terminal's mode, for [`restore_terminal`].
#[cfg(unix)]
pub(crate) fn remember_terminal() {
    let mut mode = std::mem::MaybeUninit::<libc::termios>::uninit();
    // SAFETY: descriptor 0 may be any file; `tcgetattr` fails on those that are
    // no terminal. `mode` is valid for writes of one `termios`.
    let result = unsafe { libc::tcgetattr(libc::STDIN_FILENO, mode.as_mut_ptr()) };
    if result == 0 {
        // SAFETY: a result of 0 says that `tcgetattr` has filled `mode`.
        let mode = unsafe { mode.assume_init() };
        // Set once: a second call finds the same mode.
        let _ = FOUND_MODE.set(mode);
    }
}

/// Lets each key be read when it is pressed, unseen; Ctrl-C stays what it is. Only
/// on a terminal whose mode was remembered, so that it is put back.
#[cfg(unix)]
pub(crate) fn read_single_keys() {
    if let Some(found) = FOUND_MODE.get() {
        let mut mode = *found;
        mode.c_lflag &= !(libc::ICANON | libc::ECHO);
        mode.c_cc[libc::VMIN] = 1;
        mode.c_cc[libc::VTIME] = 0;
        // SAFETY: `mode` is a valid `termios` that outlives the call; a failure
        // (the terminal is gone) changes nothing.
        let _ = unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &raw const mode) };
    }
}

/// Puts the terminal's mode back. Line editing runs on its own thread in raw
/// mode; when the process ends meanwhile, nobody else would. May be called on
/// any thread, and more than once.
#[cfg(unix)]
pub(crate) fn restore_terminal() {
    if let Some(mode) = FOUND_MODE.get() {
        // SAFETY: `mode` is a valid `termios` that lives as long as the process;
        // a failure (the terminal is gone) changes nothing.
        let _ = unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, mode) };
    }
}

/// Nothing to remember on this system.
#[cfg(not(unix))]
pub(crate) fn remember_terminal() {}

/// Keys come with their line on this system.
#[cfg(not(unix))]
pub(crate) fn read_single_keys() {}

/// Nothing to put back on this system.
#[cfg(not(unix))]
pub(crate) fn restore_terminal() {}
