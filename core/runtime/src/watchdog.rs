//! Watchdogs over what is measured: is it new, does it change when it must.
//!
//! Every one is a value that is fed with times and measurements; none reads a
//! clock, so real and virtual time use the same. What follows from a verdict is
//! decided in the control loop.
//!
//! A robot stamps its measurements on the runtime's clock, unless its description
//! says that it keeps a clock of its own: then they cannot be checked for age, but
//! still for standing stamps.

use vola_motion::MAX_JOINTS;
use vola_types::StampClock;

/// Way (rad, m) that a command may go before the measured joint must have
/// changed at all: far above an encoder's step, far below what matters.
const FROZEN_TRAVEL: f64 = 0.02;

/// Finds a source that gives nothing new: a stamp that stands still, is older than
/// the deadline, or is from as far ahead, where no measurement can come from: its
/// clock has leapt, and says nothing of its age any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgeWatch {
    deadline_ns: u64,
    clock: StampClock,
    stamp_ns: u64,
    fresh_ns: Option<u64>,
}

impl AgeWatch {
    pub(crate) fn new(deadline_ns: u64, clock: StampClock) -> Self {
        Self {
            deadline_ns,
            clock,
            stamp_ns: 0,
            fresh_ns: None,
        }
    }

    /// Begins anew, after a reset: whatever comes next counts as fresh.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(self.deadline_ns, self.clock);
    }

    /// Nobody looked for so long: that time is not held against the source.
    pub(crate) fn excuse(&mut self, unwatched_ns: u64) {
        self.fresh_ns = self
            .fresh_ns
            .map(|fresh_ns| fresh_ns.saturating_add(unwatched_ns));
    }

    /// A measurement with this stamp is the newest at `now_ns`. The answer is
    /// for how long (ns) nothing fresh has come.
    pub(crate) fn look(&mut self, now_ns: u64, stamp_ns: u64) -> u64 {
        let is_first = self.fresh_ns.is_none();
        let is_recent = match self.clock {
            StampClock::Runtime => now_ns.abs_diff(stamp_ns) <= self.deadline_ns,
            StampClock::Own => true,
        };
        if is_first || (stamp_ns != self.stamp_ns && is_recent) {
            self.fresh_ns = Some(now_ns);
        }
        self.stamp_ns = stamp_ns;
        now_ns.saturating_sub(self.fresh_ns.unwrap_or(now_ns))
    }

    /// For how long (ns) nothing fresh has come, when nothing comes now either;
    /// none before the first measurement.
    pub(crate) fn silent_ns(&self, now_ns: u64) -> Option<u64> {
        Some(now_ns.saturating_sub(self.fresh_ns?))
    }

    /// Whether an answer of [`look`](Self::look) is too much.
    pub(crate) fn is_stale(&self, silent_ns: u64) -> bool {
        silent_ns > self.deadline_ns
    }
}

/// Finds measured joints that repeat themselves bit by bit while the command
/// goes on: a driver that stamps an old frame anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrozenStateWatch {
    deadline_ns: u64,
    measured: [f64; MAX_JOINTS],
    commanded: [f64; MAX_JOINTS],
    since_ns: Option<u64>,
}

impl FrozenStateWatch {
    pub(crate) fn new(deadline_ns: u64) -> Self {
        Self {
            deadline_ns,
            measured: [0.0; MAX_JOINTS],
            commanded: [0.0; MAX_JOINTS],
            since_ns: None,
        }
    }

    pub(crate) fn restart(&mut self) {
        self.since_ns = None;
    }

    /// Measured and last commanded positions of the arm, without the gripper:
    /// fingers rightly stand at what they hold. Whether they are frozen.
    pub(crate) fn look(&mut self, now_ns: u64, measured: &[f64], commanded: &[f64]) -> bool {
        let same = self
            .measured
            .iter()
            .zip(measured)
            .all(|(last, now)| last.to_bits() == now.to_bits());
        let Some(since_ns) = self.since_ns.filter(|_| same) else {
            self.since_ns = Some(now_ns);
            put(&mut self.measured, measured);
            put(&mut self.commanded, commanded);
            return false;
        };
        let travel = self
            .commanded
            .iter()
            .zip(commanded)
            .map(|(from, to)| (to - from).abs())
            .fold(0.0, f64::max);
        travel > FROZEN_TRAVEL && now_ns.saturating_sub(since_ns) > self.deadline_ns
    }
}

fn put(slots: &mut [f64], values: &[f64]) {
    for (slot, value) in slots.iter_mut().zip(values) {
        *slot = *value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_stamp_may_stand_for_the_deadline_and_no_longer() {
        let mut watch = AgeWatch::new(20 * MS, StampClock::Runtime);
        for now in 0..50 {
            let silent = watch.look(now * MS, now * MS);
            assert!(!watch.is_stale(silent));
        }
        for (now, stale) in [(69, false), (70, true)] {
            let silent = watch.look(now * MS, 49 * MS);
            assert_eq!(watch.is_stale(silent), stale, "{now}");
        }
        // New again.
        assert_eq!(watch.look(71 * MS, 71 * MS), 0);
    }

    #[test]
    fn measurements_that_are_new_but_old_are_stale() {
        let mut watch = AgeWatch::new(20 * MS, StampClock::Runtime);
        let mut delayed = |now: u64, by: u64| {
            let silent = watch.look(now * MS, (now - by) * MS);
            watch.is_stale(silent)
        };
        assert!((50..100).all(|now| !delayed(now, 20)));
        assert!((100..120).all(|now| !delayed(now, 30)));
        assert!(delayed(120, 30));
    }

    #[test]
    fn measurements_from_ahead_are_stale_but_for_a_little() {
        let mut watch = AgeWatch::new(20 * MS, StampClock::Runtime);
        let mut ahead = |now: u64, by: u64| {
            let silent = watch.look(now * MS, (now + by) * MS);
            watch.is_stale(silent)
        };
        // The newest may be taken after the tick was due.
        assert!((50..100).all(|now| !ahead(now, 2)));
        assert!((100..120).all(|now| !ahead(now, 3_600_000)));
        assert!(ahead(120, 3_600_000));
    }

    #[test]
    fn a_constant_delay_is_found_after_a_start_or_a_reset() {
        let mut watch = AgeWatch::new(20 * MS, StampClock::Runtime);
        for begin in [1000, 2000] {
            let found = (begin..begin + 100).find(|now| {
                let silent = watch.look(now * MS, (now - 300) * MS);
                watch.is_stale(silent)
            });
            // The first counts as fresh, and then nothing does.
            assert_eq!(found, Some(begin + 21));
            watch.restart();
        }
    }

    #[test]
    fn a_clock_of_the_robot_s_own_is_no_fault() {
        let mut watch = AgeWatch::new(20 * MS, StampClock::Own);
        for now in 1_000_000..1_000_100_u64 {
            let silent = watch.look(now * MS, now - 1_000_000);
            assert!(!watch.is_stale(silent));
        }
        assert!(watch.look(1_000_121 * MS, 99) > 20 * MS);
    }

    #[test]
    fn nobody_is_blamed_for_what_nobody_looked_at() {
        let mut watch = AgeWatch::new(20 * MS, StampClock::Runtime);
        watch.look(0, 0);
        watch.look(MS, 0);
        watch.excuse(99 * MS);
        let silent = watch.look(101 * MS, 0);
        assert_eq!(silent, 2 * MS);
        watch.restart();
        assert_eq!(watch.look(500 * MS, 0), 0);
    }

    #[test]
    fn joints_that_repeat_themselves_while_commanded_are_frozen() {
        let mut watch = FrozenStateWatch::new(20 * MS);
        // At rest the same bits are right.
        assert!((0..1000).all(|now| !watch.look(now * MS, &[0.5, 0.1], &[0.5, 0.1])));
        // The command leaves; the second joint answers for a while.
        for now in 0..100 {
            let way = 0.001 * now as f64;
            assert!(!watch.look(now * MS, &[0.5, 0.1 + way], &[0.5, 0.1 + way]));
        }
        let frozen = |watch: &mut FrozenStateWatch, now: u64| {
            let way = 0.001 * now as f64;
            watch.look(now * MS, &[0.5, 0.199], &[0.5, 0.1 + way])
        };
        let found = (100..200).find(|now| frozen(&mut watch, *now));
        // 20 ms and 0.02 rad after the last change, at tick 99.
        assert!(matches!(found, Some(119..=121)), "{found:?}");
        watch.restart();
        assert!(!frozen(&mut watch, 300));
    }
}
