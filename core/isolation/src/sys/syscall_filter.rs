//! A seccomp filter: calls that no plugin needs are refused with "not permitted".
//!
//! A list of what is forbidden, not of what is allowed: numeric libraries and
//! drivers use too many calls to name them all, and a filter that ends a plugin
//! for a harmless call of a new C library would cost more than it brings.

use std::io;

/// What is hosted; the filter of a robot leaves more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarded {
    /// No new socket of any kind, and no say in what runs when.
    Stage,
    /// Network and priorities as the system allows: robots hang on both.
    Robot,
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// Without the first nothing new reaches a network; with the others a plugin
/// could take a processor from the control loop.
const STAGE: [libc::c_long; 7] = [
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
];
/// A new process; threads are another call, or the same with a flag.
#[cfg(target_arch = "x86_64")]
const FORK: &[libc::c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(target_arch = "aarch64")]
const FORK: &[libc::c_long] = &[];
/// `fchmodat2`; the same number everywhere.
const CHANGE_MODE: libc::c_long = 452;
/// Never: other programs, other processes, other users, the system itself; and
/// `io_uring`, whose requests no filter sees.
const FORBIDDEN: [libc::c_long; 76] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pidfd_getfd,
    libc::SYS_setrlimit,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    CHANGE_MODE,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_mknodat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_utimensat,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_personality,
];
/// The same in the form with a path, which newer processors do not have.
#[cfg(target_arch = "x86_64")]
const WITH_PATH: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_mknod,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_ioperm,
    libc::SYS_iopl,
];
#[cfg(target_arch = "aarch64")]
const WITH_PATH: &[libc::c_long] = &[];

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
pub(crate) fn install_filter(guarded: Guarded) -> io::Result<()> {
    let mut program = build(guarded);
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
pub(crate) fn install_filter(_: Guarded) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn build(guarded: Guarded) -> Vec<libc::sock_filter> {
    /// Where `seccomp_data` holds the call's number, the processor, and the low
    /// halves of arguments; the high half follows.
    const NUMBER: u32 = 0;
    const PROCESSOR: u32 = 4;
    const FIRST_ARGUMENT: u32 = 16;
    const THIRD_ARGUMENT: u32 = 32;
    const LOAD: u16 = 0x20;
    const IF_EQUAL: u16 = 0x15;
    const IF_AT_LEAST: u16 = 0x35;
    const IF_ANY_OF: u16 = 0x45;
    const ANSWER: u16 = 0x06;
    /// Numbers of the x32 interface, which would go round the list.
    const X32: u32 = 0x4000_0000;
    let step = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let number = |call: libc::c_long| u32::try_from(call).unwrap_or(u32::MAX);
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs();
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    let allow = libc::SECCOMP_RET_ALLOW;
    let mut program = vec![
        step(LOAD, PROCESSOR, 0, 0),
        step(IF_EQUAL, ARCHITECTURE, 1, 0),
        step(ANSWER, refuse, 0, 0),
        step(LOAD, NUMBER, 0, 0),
        step(IF_AT_LEAST, X32, 0, 1),
        step(ANSWER, refuse, 0, 0),
    ];
    let extra: &[libc::c_long] = match guarded {
        Guarded::Stage => &STAGE,
        Guarded::Robot => &[],
    };
    let lists = [&FORBIDDEN[..], FORK, WITH_PATH, extra];
    for call in lists.into_iter().flatten() {
        program.push(step(IF_EQUAL, number(*call), 0, 1));
        program.push(step(ANSWER, refuse, 0, 0));
    }
    // Limits are read by this call too: a new one is what its third argument
    // points to.
    program.push(step(IF_EQUAL, number(libc::SYS_prlimit64), 0, 6));
    program.push(step(LOAD, THIRD_ARGUMENT, 0, 0));
    program.push(step(IF_EQUAL, 0, 0, 2));
    program.push(step(LOAD, THIRD_ARGUMENT + 4, 0, 0));
    program.push(step(IF_EQUAL, 0, 1, 0));
    program.push(step(ANSWER, refuse, 0, 0));
    program.push(step(ANSWER, allow, 0, 0));
    // Its flags lie in memory that no filter reads: C libraries that hear that it
    // does not exist take `clone`, of which threads are let through.
    program.push(step(IF_EQUAL, number(libc::SYS_clone3), 0, 1));
    program.push(step(ANSWER, unknown, 0, 0));
    program.push(step(IF_EQUAL, number(libc::SYS_clone), 0, 3));
    program.push(step(LOAD, FIRST_ARGUMENT, 0, 0));
    program.push(step(IF_ANY_OF, libc::CLONE_THREAD.unsigned_abs(), 1, 0));
    program.push(step(ANSWER, refuse, 0, 0));
    program.push(step(ANSWER, allow, 0, 0));
    program
}
