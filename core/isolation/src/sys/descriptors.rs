//! Descriptors that a child gets from its parent, and no others.

use std::{
    io,
    os::{
        fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd},
        unix::process::CommandExt as _,
    },
    process::Command,
};

/// Number of the first passed descriptor; the others follow. Far above those
/// that the standard library uses while it starts a program.
const FIRST_PASSED: RawFd = 100;
/// Above every number that a passed descriptor may get.
const OUT_OF_THE_WAY: RawFd = 164;
/// After standard input, output and error.
const FIRST_UNNAMED: libc::c_uint = 3;
/// As `CLOSE_RANGE_CLOEXEC` of the kernel.
const CLOSE_AT_EXEC: libc::c_uint = 4;

/// Lets `command` start with these descriptors as 100, 101, …, and no others
/// beside standard input, output and error. The copies live in the command.
pub(crate) fn pass(command: &mut Command, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let copies = fds
        .iter()
        .map(|fd| copy_above(*fd))
        .collect::<io::Result<Vec<OwnedFd>>>()?;
    let hook = move || {
        // Descriptors that a C library opened without the flag stay behind too.
        // An old kernel refuses: the standard library's own have the flag.
        // SAFETY: three integers; descriptors are marked, none is closed here.
        unsafe {
            libc::syscall(
                libc::SYS_close_range,
                FIRST_UNNAMED,
                libc::c_uint::MAX,
                CLOSE_AT_EXEC,
            )
        };
        for (copy, target) in copies.iter().zip(FIRST_PASSED..) {
            // SAFETY: between fork and exec: `dup2` is async-signal-safe, takes
            // integers, and the copies lie above every target.
            if unsafe { libc::dup2(copy.as_raw_fd(), target) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: the hook runs in the child between fork and exec; it calls two
    // async-signal-safe functions, allocates nothing and takes no lock.
    unsafe { command.pre_exec(hook) };
    Ok(())
}

fn copy_above(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: `fd` is open; the call takes integers.
    let copy = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded: `copy` is open, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Takes passed descriptors, in a child: `COUNT` of them after the first
/// `taken`. Each is taken once.
pub(crate) fn receive<const COUNT: usize>(taken: usize) -> io::Result<[OwnedFd; COUNT]> {
    let mut fds = Vec::with_capacity(COUNT);
    for index in taken..taken + COUNT {
        let fd = FIRST_PASSED + RawFd::try_from(index).unwrap_or(RawFd::MAX);
        // SAFETY: `fcntl` with F_SETFD takes integers; it fails on a number
        // that is not open.
        if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the number is open; the parent passed it for this process
        // alone, and this is the one place that takes it.
        fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
    }
    fds.try_into()
        .map_err(|_count| io::Error::from(io::ErrorKind::InvalidInput))
}

/// Ends this process now: no destructor, no exit handler, for a plugin that
/// hangs may hold what they wait for.
pub(crate) fn end_process(code: i32) -> ! {
    // SAFETY: ends the process; nothing after it runs.
    unsafe { libc::_exit(code) }
}
