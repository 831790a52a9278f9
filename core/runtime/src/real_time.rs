//! What the control thread asks of the system: a clock, a wake-up at an absolute
//! time, priority, a processor of its own, memory that is never paged out. The
//! one module of this crate with unsafe code.
//!
//! Only the thread's own memory is locked, never everything that the process
//! maps (`mlockall` with `MCL_FUTURE`): a policy's weights are gigabytes, and
//! locking them would fail, or starve the rest of the machine.

#![allow(
    unsafe_code,
    reason = "priority, affinity, memory locks and the thread's clocks are reached through the C library only"
)]

use std::io;

/// Stack of the control thread that is touched and locked before its first
/// tick (bytes). A tick's deepest frame, a path of 27 KiB moved twice, is far
/// below.
pub(crate) const STACK_USED: usize = 256 * 1024;
/// Whole stack of the control thread, and of the session's other threads (bytes): a
/// plugin's code runs on it too. Only what is used of it costs memory.
pub(crate) const STACK_SIZE: usize = 4 * 1024 * 1024;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    allowed_cores, lock_memory, monotonic_ns, pin_to, set_fifo, sleep_until_ns, thread_cpu_ns,
    thread_id,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{
    allowed_cores, lock_memory, monotonic_ns, pin_to, set_fifo, sleep_until_ns, thread_cpu_ns,
    thread_id,
};

/// Touches the stack that ticks will use, and locks it where `lock` asks for it.
///
/// # Errors
/// When the system refuses to lock so much memory.
#[inline(never)]
pub(crate) fn prepare_stack(lock: bool) -> io::Result<()> {
    let mut deep = [0_u8; STACK_USED];
    // One write a page is enough; the compiler must not remove them.
    for byte in deep.iter_mut().step_by(1024) {
        *std::hint::black_box(byte) = 1;
    }
    let area = std::hint::black_box(&deep);
    if lock {
        lock_memory(area.as_ptr(), area.len())
    } else {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;

    fn clock_ns(clock: libc::clockid_t) -> u64 {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `time` is valid for writes of one `timespec`; an unknown clock
        // leaves it as it is.
        let _ = unsafe { libc::clock_gettime(clock, &raw mut time) };
        let whole = u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000;
        whole + u64::try_from(time.tv_nsec).unwrap_or(0)
    }

    /// The system's monotonic clock (ns).
    pub(crate) fn monotonic_ns() -> u64 {
        clock_ns(libc::CLOCK_MONOTONIC)
    }

    /// Time that the calling thread has spent on a processor (ns).
    pub(crate) fn thread_cpu_ns() -> u64 {
        clock_ns(libc::CLOCK_THREAD_CPUTIME_ID)
    }

    /// Sleeps until the monotonic clock shows `deadline_ns`; at once when it is past.
    pub(crate) fn sleep_until_ns(deadline_ns: u64) {
        let deadline = libc::timespec {
            tv_sec: libc::time_t::try_from(deadline_ns / 1_000_000_000)
                .unwrap_or(libc::time_t::MAX),
            #[expect(clippy::cast_possible_wrap, reason = "below a thousand million")]
            tv_nsec: (deadline_ns % 1_000_000_000) as libc::c_long,
        };
        loop {
            // SAFETY: `deadline` is a valid `timespec`; an absolute sleep writes
            // no remaining time, so the last pointer may be null.
            let result = unsafe {
                libc::clock_nanosleep(
                    libc::CLOCK_MONOTONIC,
                    libc::TIMER_ABSTIME,
                    &raw const deadline,
                    std::ptr::null_mut(),
                )
            };
            // A signal handler interrupted it: the deadline stays the same.
            if result != libc::EINTR {
                return;
            }
        }
    }

    /// Gives the calling thread a first-in first-out real-time priority, 1 to 99.
    pub(crate) fn set_fifo(priority: u8) -> io::Result<()> {
        let wanted = libc::sched_param {
            sched_priority: libc::c_int::from(priority),
        };
        // SAFETY: thread 0 is the calling one and `wanted` a valid `sched_param`.
        let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const wanted) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Processors that the calling thread may use, ascending.
    pub(crate) fn allowed_cores() -> Vec<usize> {
        // SAFETY: a set of bits without invalid patterns; zero is the empty set.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is valid for writes of its own size.
        let result =
            unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
        if result != 0 {
            return Vec::new();
        }
        let size = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
        // SAFETY: every index is below the set's size.
        (0..size)
            .filter(|core| unsafe { libc::CPU_ISSET(*core, &set) })
            .collect()
    }

    /// Keeps the calling thread on one processor.
    pub(crate) fn pin_to(core: usize) -> io::Result<()> {
        if core >= usize::try_from(libc::CPU_SETSIZE).unwrap_or(0) {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        // SAFETY: a set of bits without invalid patterns; zero is the empty set.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: `core` is below the set's size, as checked.
        unsafe { libc::CPU_SET(core, &mut set) };
        // SAFETY: thread 0 is the calling one, `set` is valid for reads of its size.
        let result =
            unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Maps the pages of a range and keeps them in memory until they are unmapped.
    pub(crate) fn lock_memory(start: *const u8, bytes: usize) -> io::Result<()> {
        // SAFETY: `mlock` reads and writes nothing; a range that is not mapped
        // is refused with an error.
        let result = unsafe { libc::mlock(start.cast(), bytes) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// The system's number of the calling thread.
    pub(crate) fn thread_id() -> u64 {
        // SAFETY: takes nothing and always succeeds.
        let id = unsafe { libc::syscall(libc::SYS_gettid) };
        u64::try_from(id).unwrap_or(0)
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::{
        io,
        sync::OnceLock,
        time::{Duration, Instant},
    };

    /// The system's monotonic clock (ns, since the first call).
    pub(crate) fn monotonic_ns() -> u64 {
        static ZERO: OnceLock<Instant> = OnceLock::new();
        let elapsed = ZERO.get_or_init(Instant::now).elapsed();
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }

    /// No thread clock here: the monotonic one stands in.
    pub(crate) fn thread_cpu_ns() -> u64 {
        monotonic_ns()
    }

    /// Sleeps until the clock shows `deadline_ns`; at once when it is past.
    pub(crate) fn sleep_until_ns(deadline_ns: u64) {
        while let Some(left) = deadline_ns.checked_sub(monotonic_ns()) {
            if left == 0 {
                return;
            }
            std::thread::park_timeout(Duration::from_nanos(left));
        }
    }

    fn unsupported() -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, "not used on this system")
    }

    /// Not used on this system.
    pub(crate) fn set_fifo(_: u8) -> io::Result<()> {
        Err(unsupported())
    }

    /// Not known on this system.
    pub(crate) fn allowed_cores() -> Vec<usize> {
        Vec::new()
    }

    /// Not used on this system.
    pub(crate) fn pin_to(_: usize) -> io::Result<()> {
        Err(unsupported())
    }

    /// Not used on this system.
    pub(crate) fn lock_memory(_: *const u8, _: usize) -> io::Result<()> {
        Err(unsupported())
    }

    /// Threads are not counted on this system.
    pub(crate) fn thread_id() -> u64 {
        0
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_after_its_deadline_and_costs_no_processor_time() {
        let (clock, cpu) = (monotonic_ns(), thread_cpu_ns());
        sleep_until_ns(clock + 5_000_000);
        assert!(monotonic_ns() >= clock + 5_000_000);
        assert!(thread_cpu_ns() - cpu < 4_000_000);
        // A deadline in the past returns at once.
        sleep_until_ns(1);
        assert!(thread_id() > 0);
    }

    #[test]
    fn what_the_system_refuses_is_an_error() {
        assert!(pin_to(usize::MAX).is_err());
        assert!(lock_memory(std::ptr::null(), 4096).is_err());
        assert!(!allowed_cores().is_empty());
        prepare_stack(false).unwrap();
    }
}
