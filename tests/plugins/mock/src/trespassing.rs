//! What a stage has no business with, tried.
//!
//! Every attempt is harmless where it succeeds: nothing is changed that is not
//! changed back, and calls to the kernel are made with arguments that it refuses
//! once it has allowed the call.

use std::{
    fs, io,
    net::{TcpListener, UdpSocket},
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram},
    path::PathBuf,
    process::Command,
};

use vola_plugin::{Fault, Tensor};

/// An attempt: its name, and whether it could be done.
type Attempt = (&'static str, fn() -> bool);

/// Those that reach for files.
const FILES: [Attempt; 11] = [
    ("write_a_file", || {
        let file = scratch("file");
        let could = fs::write(&file, "x").is_ok();
        let _ = fs::remove_file(&file);
        could
    }),
    ("write_into_the_home", || {
        let file = home().join(format!(".vola-trespass-{}", std::process::id()));
        let could = fs::write(&file, "x").is_ok();
        let _ = fs::remove_file(&file);
        could
    }),
    ("write_shared_memory", || {
        let file = PathBuf::from(format!("/dev/shm/vola-trespass-{}", std::process::id()));
        let could = fs::write(&file, "x").is_ok();
        let _ = fs::remove_file(&file);
        could
    }),
    ("make_a_folder", || {
        let folder = scratch("folder");
        let could = fs::create_dir(&folder).is_ok();
        let _ = fs::remove_dir(&folder);
        could
    }),
    ("make_a_link", || {
        let link = scratch("link");
        let could = std::os::unix::fs::symlink("/etc/passwd", &link).is_ok();
        let _ = fs::remove_file(&link);
        could
    }),
    ("read_passwords", || fs::read("/etc/shadow").is_ok()),
    ("read_the_home", || fs::read_dir(home()).is_ok()),
    ("read_others_temporary_files", || {
        fs::read_dir(std::env::temp_dir()).is_ok()
    }),
    ("read_the_parent_s_variables", || {
        fs::read(format!("/proc/{}/environ", parent())).is_ok()
    }),
    ("open_the_parent_s_memory", || {
        fs::File::open(format!("/proc/{}/mem", parent())).is_ok()
    }),
    ("open_the_system_log", || {
        fs::File::open("/dev/kmsg").is_ok()
    }),
];

/// Those that reach for other processes, the network or the kernel.
const CALLS: [Attempt; 38] = [
    ("udp_socket", || UdpSocket::bind("127.0.0.1:0").is_ok()),
    ("tcp_socket", || TcpListener::bind("127.0.0.1:0").is_ok()),
    ("unix_socket", || UnixDatagram::unbound().is_ok()),
    ("socket_pair", || UnixDatagram::pair().is_ok()),
    ("start_a_program", || Command::new("true").status().is_ok()),
    ("fork", fork),
    ("signal_the_parent", || {
        call(libc::SYS_kill, [parent(), 0, 0])
    }),
    ("queue_a_signal", || {
        call(libc::SYS_rt_sigqueueinfo, [parent(), 0, 0])
    }),
    ("trace_the_parent", || {
        const PEEK: i64 = 3;
        call(libc::SYS_ptrace, [PEEK, parent(), 0])
    }),
    ("read_the_parent", || {
        call(libc::SYS_process_vm_readv, [parent(), 0, 0])
    }),
    ("write_the_parent", || {
        call(libc::SYS_process_vm_writev, [parent(), 0, 0])
    }),
    ("take_hold_of_the_parent", || {
        call(libc::SYS_pidfd_open, [parent(), 0, 0])
    }),
    ("limits_of_the_parent", || {
        // One that is set to what it is.
        let mut limit = [0_u64; 2];
        let at = limit.as_mut_ptr().addr() as i64;
        call4(libc::SYS_prlimit64, [parent(), CORE, 0, at])
            && call4(libc::SYS_prlimit64, [parent(), CORE, at, 0])
    }),
    ("raise_own_limits", || {
        let mut limit = [0_u64; 2];
        let at = limit.as_mut_ptr().addr() as i64;
        call4(libc::SYS_prlimit64, [0, CORE, 0, at]) && call4(libc::SYS_prlimit64, [0, CORE, at, 0])
    }),
    ("mount", || call(libc::SYS_mount, [0, 0, 0])),
    ("unmount", || call(libc::SYS_umount2, [0, 0, 0])),
    ("change_root", || call(libc::SYS_chroot, [0, 0, 0])),
    ("own_namespaces", || call(libc::SYS_unshare, [-1, 0, 0])),
    ("enter_namespaces", || call(libc::SYS_setns, [-1, 0, 0])),
    ("become_another_user", || {
        call(libc::SYS_setresuid, [-1, -1, -1])
    }),
    ("take_capabilities", || call(libc::SYS_capset, [0, 0, 0])),
    ("bpf", || call(libc::SYS_bpf, [-1, 0, 0])),
    ("perf_event", || call(libc::SYS_perf_event_open, [0, 0, 0])),
    ("user_faults", || call(libc::SYS_userfaultfd, [-1, 0, 0])),
    ("io_uring", || call(libc::SYS_io_uring_setup, [0, 0, 0])),
    ("keyring", || call(libc::SYS_keyctl, [-1, 0, 0])),
    ("add_a_key", || call(libc::SYS_add_key, [0, 0, 0])),
    ("request_a_key", || call(libc::SYS_request_key, [0, 0, 0])),
    ("load_a_module", || call(libc::SYS_init_module, [0, 0, 0])),
    ("restart_the_machine", || call(libc::SYS_reboot, [0, 0, 0])),
    ("set_the_clock", || {
        call(libc::SYS_clock_settime, [-1, 0, 0])
    }),
    ("read_the_kernel_s_log", || {
        call(libc::SYS_syslog, [-1, 0, 0])
    }),
    ("open_by_handle", || {
        call(libc::SYS_open_by_handle_at, [-1, 0, 0])
    }),
    ("change_the_program_s_mode", || {
        let Ok(program) = fs::metadata("/proc/self/exe") else {
            return false;
        };
        let same = fs::Permissions::from_mode(program.permissions().mode());
        fs::set_permissions("/proc/self/exe", same).is_ok()
    }),
    ("change_a_mode_by_descriptor", || {
        call(libc::SYS_fchmod, [-1, 0, 0])
    }),
    ("own_priority", || {
        // The usual one, which it has.
        let parameter = 0_i32;
        let at = (&raw const parameter).addr() as i64;
        call(libc::SYS_sched_setscheduler, [0, 0, at])
    }),
    ("own_niceness", || call(libc::SYS_setpriority, [-1, 0, 0])),
    ("personality", || {
        call(libc::SYS_personality, [0xFFFF_FFFF, 0, 0])
    }),
];

/// What a stage must be able to do.
const NEEDED: [Attempt; 4] = [
    ("may_start_threads", || {
        let named = std::thread::Builder::new().name("trespass".to_owned());
        named
            .spawn(|| 7)
            .is_ok_and(|it| it.join().is_ok_and(|seven| seven == 7))
    }),
    ("may_read_libraries", || fs::read_dir("/usr").is_ok()),
    ("may_read_the_machine", || fs::read("/proc/cpuinfo").is_ok()),
    ("may_draw_randomness", || {
        fs::File::open("/dev/urandom").is_ok()
    }),
];

/// `RLIMIT_CORE`.
const CORE: i64 = 4;

/// Tries everything: a tensor for each, 1 where it could be done.
pub(crate) fn attempts() -> Result<Vec<Tensor>, Fault> {
    let all = FILES.iter().chain(&CALLS).chain(&NEEDED);
    all.map(|(name, attempt)| Tensor::u8(*name, &[1], &[u8::from(attempt())]))
        .chain(std::iter::once(Tensor::u8(
            "foreign_descriptors",
            &[1],
            &[u8::from(has_foreign_descriptors())],
        )))
        .collect()
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("vola-trespass-{name}-{}", std::process::id()))
}

fn home() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from)
}

fn parent() -> i64 {
    i64::from(std::os::unix::process::parent_id())
}

/// Whether something is open that is neither memory, a socket, nor one of the
/// three standard streams.
fn has_foreign_descriptors() -> bool {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten();
    let links = entries.filter_map(Result::ok).filter(|entry| {
        let number = entry.file_name().to_string_lossy().parse::<i32>();
        number.is_ok_and(|number| number > 2)
    });
    links
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .any(|link| {
            let own = ["/memfd:", "socket:", "anon_inode:", "/proc/"];
            !own.iter().any(|kind| link.starts_with(kind))
        })
}

/// Whether this was refused for want of a right, not for its arguments.
fn is_refused(error: Option<&io::Error>) -> bool {
    error.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Whether the kernel took the call, be it to find its arguments wrong.
fn call(number: libc::c_long, [first, second, third]: [i64; 3]) -> bool {
    call4(number, [first, second, third, 0])
}

#[expect(unsafe_code, reason = "the kernel is asked directly")]
fn call4(number: libc::c_long, [first, second, third, fourth]: [i64; 4]) -> bool {
    // SAFETY: every caller passes arguments with which the call does nothing
    // beyond reading or writing memory of the caller's own.
    let answer = unsafe { libc::syscall(number, first, second, third, fourth) };
    answer >= 0 || !is_refused(Some(&io::Error::last_os_error()))
}

#[expect(unsafe_code, reason = "a new process is what is tried")]
fn fork() -> bool {
    // SAFETY: the child, if there is one, calls nothing but `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: ends the child; nothing after it runs.
            unsafe { libc::_exit(0) }
        }
        child if child > 0 => {
            // SAFETY: waits for the child made above; no status is written.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            true
        }
        _ => false,
    }
}
