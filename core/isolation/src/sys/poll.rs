//! Waiting for descriptors with a deadline.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
    time::Instant,
};

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// There is something to read, or the other side is gone.
    Read,
    /// There is room to write.
    Write,
    /// The other side is gone.
    Gone,
}

/// Waits until one of the descriptors is ready; which ones are. None are when
/// the deadline is past. Without a deadline it waits for ever.
pub(crate) fn wait_for<const COUNT: usize>(
    fds: [(BorrowedFd<'_>, Wanted); COUNT],
    deadline: Option<Instant>,
) -> io::Result<[bool; COUNT]> {
    let mut entries = fds.map(|(fd, wanted)| libc::pollfd {
        fd: fd.as_raw_fd(),
        events: match wanted {
            Wanted::Read => libc::POLLIN,
            Wanted::Write => libc::POLLOUT,
            Wanted::Gone => 0,
        },
        revents: 0,
    });
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.map(|left| libc::timespec {
            tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(left.subsec_nanos()),
        });
        let timeout = timeout
            .as_ref()
            .map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: `entries` holds COUNT entries, `timeout` is null or lives
        // until the call returns, and no signal mask is given.
        let ready = unsafe {
            libc::ppoll(
                entries.as_mut_ptr(),
                COUNT as libc::nfds_t,
                timeout,
                std::ptr::null(),
            )
        };
        if ready >= 0 {
            return Ok(entries.map(|entry| entry.revents != 0));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
