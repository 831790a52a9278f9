//! What a thread that services a robot asks of the system: priority, a
//! processor, memory that stays, wake-ups on time.

use std::io;

/// Stack that is touched before the first tick (bytes).
const STACK_USED: usize = 128 * 1024;

/// Gives the calling thread a first-in first-out priority. Threads that it starts
/// from then on do not have it: what a plugin starts is not the robot's clock.
pub(crate) fn set_fifo(priority: u8) -> io::Result<()> {
    let wanted = libc::sched_param {
        sched_priority: libc::c_int::from(priority),
    };
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: thread 0 is the calling one and `wanted` a valid `sched_param`.
    done(unsafe { libc::sched_setscheduler(0, policy, &raw const wanted) })
}

/// Keeps the calling thread, and those that it starts, on one processor.
pub(crate) fn pin_to(core: u32) -> io::Result<()> {
    let core = core as usize;
    if core >= usize::try_from(libc::CPU_SETSIZE).unwrap_or(0) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: a set of bits without invalid patterns; zero is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `core` is below the set's size, as checked.
    unsafe { libc::CPU_SET(core, &mut set) };
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: thread 0 is the calling one, `set` is valid for reads of its size.
    done(unsafe { libc::sched_setaffinity(0, size, &raw const set) })
}

/// Keeps in memory what this process has mapped, page by page as it is used.
/// What it maps later is free: a driver may need more than may be locked.
pub(crate) fn lock_memory() -> io::Result<()> {
    let flags = libc::MCL_CURRENT | libc::MCL_ONFAULT;
    // SAFETY: takes an integer, and neither reads nor writes memory of ours.
    done(unsafe { libc::mlockall(flags) })
}

/// Touches the stack that ticks will use.
#[inline(never)]
pub(crate) fn touch_stack() {
    let mut deep = [0_u8; STACK_USED];
    // One write a page is enough; the compiler must not remove them.
    for byte in deep.iter_mut().step_by(1024) {
        *std::hint::black_box(byte) = 1;
    }
}

/// Wakes the calling thread when its sleep is over and not, as usual, some 50 µs
/// later; of use where it has no real-time priority.
pub(crate) fn wake_on_time() {
    const SLACK_NS: libc::c_ulong = 1;
    const UNUSED: libc::c_ulong = 0;
    // A kernel that refuses wakes it later, which is all.
    // SAFETY: `prctl` with integers only.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, SLACK_NS, UNUSED, UNUSED, UNUSED) };
}

fn done(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_an_error() {
        assert!(set_fifo(200).is_err());
        assert!(pin_to(u32::MAX).is_err());
        touch_stack();
    }
}
