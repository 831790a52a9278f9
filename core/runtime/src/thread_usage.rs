//! What the system counted for the control thread, read by others.
//!
//! The thread itself asks for nothing but the time: whoever makes a report reads
//! the numbers from the system's files.

/// What the system counted for one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadUsage {
    /// Pages that had to be mapped or read.
    pub(crate) page_faults: u64,
    /// Times the processor was taken from it.
    pub(crate) involuntary_switches: u64,
}

impl ThreadUsage {
    /// The numbers of a thread of this process; none where the system does not
    /// tell, or once the thread is gone.
    pub(crate) fn of(thread: u64) -> Option<Self> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/self/task/{thread}/{name}"));
        Some(Self {
            page_faults: page_faults(&read("stat").ok()?)?,
            involuntary_switches: involuntary_switches(&read("status").ok()?)?,
        })
    }

    /// What came since then.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            page_faults: self.page_faults.saturating_sub(before.page_faults),
            involuntary_switches: self
                .involuntary_switches
                .saturating_sub(before.involuntary_switches),
        }
    }
}

/// Minor and major faults: the tenth and the twelfth field. The second, a name in
/// brackets, may hold spaces.
fn page_faults(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(7);
    let minor: u64 = fields.next()?.parse().ok()?;
    let major: u64 = fields.nth(1)?.parse().ok()?;
    Some(minor.saturating_add(major))
}

fn involuntary_switches(status: &str) -> Option<u64> {
    let line = |line: &str| {
        line.strip_prefix("nonvoluntary_ctxt_switches:")?
            .trim()
            .parse()
            .ok()
    };
    status.lines().find_map(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_files_are_read_field_by_field() {
        let stat = "41 (vola control) S 1 2 3 0 -1 64 120 0 7 0 11 12";
        assert_eq!(page_faults(stat), Some(127));
        let status = "Name:\tvola\nvoluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(involuntary_switches(status), Some(4));
        assert_eq!(page_faults("41 (x) S 1"), None);
        assert_eq!(involuntary_switches(""), None);
        assert_eq!(ThreadUsage::of(u64::MAX), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_of_one_s_own_is_counted() {
        let own = crate::real_time::thread_id();
        let before = ThreadUsage::of(own).unwrap();
        let mut pages = vec![0_u8; 8 << 20];
        for byte in pages.iter_mut().step_by(1024) {
            *std::hint::black_box(byte) = 1;
        }
        let since = ThreadUsage::of(own).unwrap().since(before);
        assert!(since.page_faults > 0, "{since:?}");
    }
}
