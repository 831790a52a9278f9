//! A seccomp filter: calls that no plugin needs are refused with "not permitted".
//!
//! A list of what is forbidden, not of what is allowed: numeric libraries and
//! drivers use too many calls to name them all, and a filter that ends a plugin
//! for a harmless call of a new C library would cost more than it brings.

use std::io;

/// Whether the plugin may use the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// No new socket of any kind.
    Forbidden,
    /// As the system allows: robots hang on networks.
    Allowed,
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// Without them nothing new reaches a network.
const NETWORK: [libc::c_long; 2] = [libc::SYS_socket, libc::SYS_socketpair];
/// Never: other programs, other processes, the system itself.
const FORBIDDEN: [libc::c_long; 33] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_personality,
];

/// Gives up every way to more rights; needed before a filter.
pub(crate) fn forbid_privileges() -> io::Result<()> {
    // SAFETY: `prctl` with integers only.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Installs the filter for this thread and all that it starts.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) fn install_filter(network: Network) -> io::Result<()> {
    let mut program = build(network);
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len())
            .map_err(|_long| io::Error::from(io::ErrorKind::InvalidInput))?,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `filter` points to `len` instructions that live until the call
    // returns; the kernel checks and copies them.
    let result = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const filter,
            0,
            0,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Not written for this processor.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn install_filter(_: Network) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn build(network: Network) -> Vec<libc::sock_filter> {
    /// Where `seccomp_data` holds the call's number and the processor.
    const NUMBER: u32 = 0;
    const PROCESSOR: u32 = 4;
    const LOAD: u16 = 0x20;
    const IF_EQUAL: u16 = 0x15;
    const IF_AT_LEAST: u16 = 0x35;
    const ANSWER: u16 = 0x06;
    /// Numbers of the x32 interface, which would go round the list.
    const X32: u32 = 0x4000_0000;
    let step = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs();
    let mut program = vec![
        step(LOAD, PROCESSOR, 0, 0),
        step(IF_EQUAL, ARCHITECTURE, 1, 0),
        step(ANSWER, refuse, 0, 0),
        step(LOAD, NUMBER, 0, 0),
        step(IF_AT_LEAST, X32, 0, 1),
        step(ANSWER, refuse, 0, 0),
    ];
    let extra: &[libc::c_long] = match network {
        Network::Forbidden => &NETWORK,
        Network::Allowed => &[],
    };
    for number in FORBIDDEN.iter().chain(extra) {
        let number = u32::try_from(*number).unwrap_or(u32::MAX);
        program.push(step(IF_EQUAL, number, 0, 1));
        program.push(step(ANSWER, refuse, 0, 0));
    }
    program.push(step(ANSWER, libc::SECCOMP_RET_ALLOW, 0, 0));
    program
}
