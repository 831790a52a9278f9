//! The time that the parts of a tick take.

use crate::latency::LatencyHistogram;

/// Measures the parts of a tick, where there is a clock to measure with.
pub(super) struct Lap {
    clock: Option<fn() -> u64>,
    began_ns: u64,
}

impl Lap {
    pub(super) fn begin(clock: Option<fn() -> u64>) -> Self {
        Self {
            clock,
            began_ns: clock.map_or(0, |clock| clock()),
        }
    }

    /// Records the part that ends here; the next one begins.
    pub(super) fn end(&mut self, histogram: &LatencyHistogram) {
        if let Some(clock) = self.clock {
            let now_ns = clock();
            histogram.record(now_ns.saturating_sub(self.began_ns));
            self.began_ns = now_ns;
        }
    }
}
