//! Limits of what this process may take from the system.

/// Files that a plugin may have open.
const MAX_FILES: libc::rlim_t = 256;

/// Limits address space, open files and core dumps of this process; which of
/// them the system took.
pub(crate) fn limit_resources(memory_bytes: u64) -> Vec<&'static str> {
    [
        (libc::RLIMIT_AS, memory_bytes, "memory"),
        (libc::RLIMIT_NOFILE, MAX_FILES, "files"),
        (libc::RLIMIT_CORE, 0, "core dumps"),
    ]
    .into_iter()
    .filter_map(|(resource, most, name)| {
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
