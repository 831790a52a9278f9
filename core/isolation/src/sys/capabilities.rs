//! What the superuser may do beside others, given up.

use std::io;

use super::Guarded;

/// Third version of the calls, for the calling thread: `[version, thread]`.
const HEADER: [u32; 2] = [0x2008_0522, 0];
/// `CAP_DAC_READ_SEARCH`: reads what it is shown, whoever owns it; Landlock says
/// what that is.
const READ: u32 = 1 << 2;
/// What drivers hang on: raw sockets (`CAP_NET_RAW`, buses over Ethernet), memory
/// that is not swapped (`CAP_IPC_LOCK`), and priorities of threads
/// (`CAP_SYS_NICE`).
const OF_DRIVERS: u32 = 1 << 13 | 1 << 14 | 1 << 23;
/// Where a call asks for nothing.
const NOTHING: libc::c_ulong = 0;
/// Rights that a kernel may know; one that it does not is refused, which is all
/// the same.
const ALL: libc::c_ulong = 64;

/// Which rights are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// None beside those of the user, or of reading.
    NoneLeft,
    /// A driver's, too.
    OfDrivers,
}

/// Gives up every such right that is not needed, for good: from what is in
/// force, what may be taken up again, and what a program that is started could
/// have. Does nothing for who has no such rights. To be called while the process
/// has one thread.
///
/// # Errors
/// When the kernel refuses; then the rights are as they were.
pub(crate) fn drop_capabilities(guarded: Guarded) -> io::Result<Rights> {
    let wanted = match guarded {
        Guarded::Stage => READ,
        Guarded::Robot => READ | OF_DRIVERS,
    };
    let mut header = HEADER;
    // Effective, permitted and inheritable, of the low half and of the high one.
    let mut now = [0_u32; 6];
    // SAFETY: the call writes two times three words, which `now` has.
    let told = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), now.as_mut_ptr()) };
    if told != 0 {
        return Err(io::Error::last_os_error());
    }
    // First those of programs to be started: afterwards the right to do so is gone.
    // Without it they are out of reach anyhow, since no program may be started.
    for right in (0..ALL).filter(|right| *right >= 32 || wanted >> right & 1 == 0) {
        // SAFETY: `prctl` with integers only.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, right, NOTHING, NOTHING, NOTHING) };
    }
    let clear = libc::c_ulong::from(libc::PR_CAP_AMBIENT_CLEAR_ALL.unsigned_abs());
    // SAFETY: as above.
    unsafe { libc::prctl(libc::PR_CAP_AMBIENT, clear, NOTHING, NOTHING, NOTHING) };
    let kept = now[1] & wanted;
    let left = [kept, kept, 0, 0, 0, 0];
    header = HEADER;
    // SAFETY: the call reads the header and two times three words.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), left.as_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(if kept & OF_DRIVERS == 0 {
        Rights::NoneLeft
    } else {
        Rights::OfDrivers
    })
}
