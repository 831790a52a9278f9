//! A child process by a descriptor, which no later process can be mistaken for.

use std::{
    io,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd},
};

/// A process; readable once it has ended.
#[derive(Debug)]
pub(crate) struct Pidfd {
    fd: OwnedFd,
}

impl Pidfd {
    /// Of a child that was not waited for yet.
    pub(crate) fn open(pid: u32) -> io::Result<Self> {
        let pid = libc::pid_t::try_from(pid)
            .map_err(|_large| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: two integers; the result is a descriptor or an error.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        let fd =
            RawFd::try_from(fd).map_err(|_large| io::Error::from(io::ErrorKind::InvalidData))?;
        // SAFETY: the call succeeded: the descriptor is new, and ours.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd })
    }

    /// Ends the process at once. No error when it has ended already.
    pub(crate) fn kill(&self) {
        // SAFETY: a descriptor, two integers and no information for the signal.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.fd.as_raw_fd(),
                libc::SIGKILL,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
    }
}

impl AsFd for Pidfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
