//! Limits of what this process may take from the system.

/// Files that a plugin may have open.
const MAX_FILES: libc::rlim_t = 256;

/// Threads that may be started beside those that the system has by now. The
/// limit counts all of a user's; what the plugin itself may start is this or
/// less. It does not bind the superuser.
const MORE_THREADS: libc::rlim_t = 1024;

/// Limits address space, open files, threads and core dumps of this process;
/// which of them the system took.
pub(crate) fn limit_resources(memory_bytes: u64) -> Vec<&'static str> {
    let threads = threads_now().map(|now| now + MORE_THREADS);
    [
        (libc::RLIMIT_AS, Some(memory_bytes), "memory"),
        (libc::RLIMIT_NOFILE, Some(MAX_FILES), "files"),
        (libc::RLIMIT_NPROC, threads, "threads"),
        (libc::RLIMIT_CORE, Some(0), "core dumps"),
    ]
    .into_iter()
    .filter_map(|(resource, most, name)| {
        let most = most?;
        let limit = libc::rlimit {
            rlim_cur: most,
            rlim_max: most,
        };
        // SAFETY: `limit` is read during the call only.
        let result = unsafe { libc::setrlimit(resource, &raw const limit) };
        (result == 0).then_some(name)
    })
    .collect()
}

/// Threads of the whole system: the last but one word of `0.1 0.2 0.3 2/345 678`.
fn threads_now() -> Option<libc::rlim_t> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let counts = text.split_whitespace().nth(3)?;
    counts.split_once('/')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_system_tells_its_threads() {
        assert!(super::threads_now().is_some_and(|threads| threads > 1));
    }
}
