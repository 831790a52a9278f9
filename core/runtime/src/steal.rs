//! Time that a hypervisor took from this machine.
//!
//! On a virtual machine a late tick may be nobody's fault inside; so every
//! figure of lateness is shown with the steal beside it.

/// Time that the system's counters advance by at once (ns): they count at 100 Hz.
const COUNTER_NS: u64 = 10_000_000;

/// Processor time taken by the hypervisor since the start, over all processors
/// (ns); none where the system does not tell.
#[must_use]
pub fn hypervisor_steal_ns() -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/stat").ok()?)
}

/// The eighth number of the line `cpu`: user, nice, system, idle, iowait, irq,
/// softirq, steal.
fn parse(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("cpu "))?;
    let ticks: u64 = line.split_whitespace().nth(8)?.parse().ok()?;
    ticks.checked_mul(COUNTER_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steal_column_is_the_eighth() {
        let text = "cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(parse(text), Some(800_000_000));
        assert_eq!(parse("cpu  10 20 30"), None);
        assert_eq!(parse("intr 1"), None);
    }
}
