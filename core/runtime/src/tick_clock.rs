//! When the control thread ticks, and how many ticks it missed.
//!
//! Ticks lie on a grid of whole periods of the runtime's clock. A thread that
//! wakes up late runs one tick, at the time it really is; the periods it slept
//! through are gone and are counted. So lateness can neither cause a burst of
//! ticks nor let the reference be sampled for a time that is past.

/// Ticks over which the success rate is taken.
const WINDOW: u32 = 100;

/// Due times of a thread that ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickSchedule {
    period_ns: u64,
    due_ns: u64,
}

impl TickSchedule {
    /// The first tick is due at the next whole period from `now_ns` on.
    pub(crate) fn new(now_ns: u64, period_ns: u64) -> Self {
        let period_ns = period_ns.max(1);
        Self {
            period_ns,
            due_ns: now_ns.div_ceil(period_ns) * period_ns,
        }
    }

    /// When the next tick is due (ns).
    pub(crate) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// A tick begins at `now_ns`. The answer is how late it is (ns); the next
    /// one is due at the first whole period after `now_ns`.
    pub(crate) fn begin(&mut self, now_ns: u64) -> u64 {
        let late_ns = now_ns.saturating_sub(self.due_ns);
        self.due_ns += (late_ns / self.period_ns + 1) * self.period_ns;
        late_ns
    }
}

/// Counts the periods in which no tick ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickPace {
    period_ns: u64,
    last: Option<u64>,
    /// One bit a period, the newest lowest; 1 for a tick that ran.
    window: u128,
    filled: u32,
}

impl TickPace {
    pub(crate) fn new(period_ns: u64) -> Self {
        Self {
            period_ns: period_ns.max(1),
            last: None,
            window: 0,
            filled: 0,
        }
    }

    /// A tick runs at `now_ns`. The answer is how many periods before it had none.
    pub(crate) fn tick(&mut self, now_ns: u64) -> u64 {
        let period = now_ns / self.period_ns;
        let missed = self
            .last
            .map_or(0, |last| period.saturating_sub(last).saturating_sub(1));
        self.last = Some(period);
        let passed = u32::try_from(missed.saturating_add(1)).unwrap_or(u32::MAX);
        self.window = self.window.checked_shl(passed).unwrap_or(0) | 1;
        self.filled = self.filled.saturating_add(passed).min(WINDOW);
        missed
    }

    /// Share of the last 100 periods that had their tick (0 … 1); of fewer after
    /// the start.
    pub(crate) fn success_rate(&self) -> f64 {
        if self.filled == 0 {
            return 1.0;
        }
        let mask = (1_u128 << self.filled) - 1;
        f64::from((self.window & mask).count_ones()) / f64::from(self.filled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: u64 = 1_000_000;

    proptest! {
        /// However late a thread wakes up: one tick a wake-up, in a later period
        /// each time, never before it is due, and every period is either ticked
        /// or counted as missed.
        #[test]
        fn late_wake_ups_neither_burst_nor_lose_time(
            start in 0..10 * MS,
            lateness in prop::collection::vec(
                prop_oneof![8 => 0..MS, 3 => MS..5 * MS, 1 => 5 * MS..200 * MS], 1..200),
        ) {
            let mut schedule = TickSchedule::new(start, MS);
            let mut pace = TickPace::new(MS);
            let first = schedule.due_ns();
            let (mut last, mut ticks, mut missed) = (None, 0, 0);
            for late in lateness {
                let due = schedule.due_ns();
                let now = due + late;
                prop_assert_eq!(schedule.begin(now), late);
                missed += pace.tick(now);
                ticks += 1;
                prop_assert!(schedule.due_ns() > now && schedule.due_ns() - now <= MS);
                prop_assert!(last.is_none_or(|last| now / MS > last));
                last = Some(now / MS);
                let late_at_first = if ticks == 1 { now / MS - first / MS } else { 0 };
                missed += late_at_first;
                prop_assert_eq!(ticks + missed, now / MS - first / MS + 1);
                prop_assert!((0.0..=1.0).contains(&pace.success_rate()));
            }
        }
    }

    #[test]
    fn the_success_rate_is_that_of_the_last_hundred_periods() {
        let mut pace = TickPace::new(MS);
        for tick in 0..200 {
            assert_eq!(pace.tick(tick * MS), 0);
        }
        assert!((pace.success_rate() - 1.0).abs() < 1e-12);
        assert_eq!(pace.tick(210 * MS), 10);
        assert!((pace.success_rate() - 0.9).abs() < 1e-12);
        for tick in 211..311 {
            pace.tick(tick * MS);
        }
        assert!((pace.success_rate() - 1.0).abs() < 1e-12);
        // More than the window holds.
        assert_eq!(pace.tick(10_000 * MS), 9_689);
        assert!((pace.success_rate() - 0.01).abs() < 1e-12);
    }
}
