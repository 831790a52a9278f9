//! Finds an arm that leaves the place where it came to rest: it sags, it ignores
//! that it shall stand, or somebody else drives it.
//!
//! Measured against where the arm itself came to stand, not against its command: a
//! drive that carries a load stands a little beside it, and rightly so.

use vola_motion::MAX_JOINTS;

/// An arm has come to rest so long after its command has, and after the oldest
/// state that may count is from then (ns).
const SETTLE_NS: u64 = 200_000_000;
/// Way (rad, m) that a joint at rest may go: what nobody calls rest any more, and
/// several times what a drive gives way to a touch.
const DRIFT: f64 = 0.05;

/// Remembers where the arm stood.
///
/// # Timing
/// Compares one number a joint; allocates nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DriftWatch {
    settle_ns: u64,
    since_ns: Option<u64>,
    place: Option<[f64; MAX_JOINTS]>,
}

impl DriftWatch {
    /// For states that may be `state_ns` old.
    pub(crate) fn new(state_ns: u64) -> Self {
        Self {
            settle_ns: SETTLE_NS.saturating_add(state_ns),
            since_ns: None,
            place: None,
        }
    }

    /// The arm moves, or may stand elsewhere.
    pub(crate) fn restart(&mut self) {
        (self.since_ns, self.place) = (None, None);
    }

    /// Nobody looked for so long (ns): the state may be as much older.
    pub(crate) fn excuse(&mut self, unwatched_ns: u64) {
        self.since_ns = self
            .since_ns
            .map(|since_ns| since_ns.saturating_add(unwatched_ns));
    }

    /// Measured positions of an arm whose command rests; `moves`: it is still
    /// measured to. Which joint went too far, and how far (rad, m).
    pub(crate) fn look(
        &mut self,
        now_ns: u64,
        measured: &[f64],
        moves: bool,
    ) -> Option<(usize, f64)> {
        let since_ns = *self.since_ns.get_or_insert(now_ns);
        let Some(place) = &self.place else {
            let has_settled = now_ns.saturating_sub(since_ns) >= self.settle_ns;
            if has_settled && !moves {
                let mut place = [0.0; MAX_JOINTS];
                for (slot, value) in place.iter_mut().zip(measured) {
                    *slot = *value;
                }
                self.place = Some(place);
            }
            return None;
        };
        let ways = place
            .iter()
            .zip(measured)
            .map(|(from, to)| (to - from).abs());
        ways.enumerate().find(|(_, way)| *way > DRIFT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn an_arm_is_held_to_where_it_came_to_stand_and_not_to_its_command() {
        let mut watch = DriftWatch::new(20 * MS);
        // It follows its command late, and then stands 0.1 rad beside it.
        let late = |now: u64| 0.1 + 0.15 * (-(now as f64) / 50.0).exp();
        for now in 0..2000 {
            assert_eq!(watch.look(now * MS, &[0.0, late(now)], false), None);
        }
        assert_eq!(watch.look(2000 * MS, &[0.0, 0.149], false), None);
        let (joint, way) = watch.look(2001 * MS, &[0.0, 0.152], false).unwrap();
        assert!(joint == 1 && way > 0.05, "{joint} {way}");
        watch.restart();
        assert_eq!(watch.look(2002 * MS, &[0.5, 0.5], false), None);
    }

    #[test]
    fn it_counts_from_a_state_that_is_from_after_the_rest() {
        let mut watch = DriftWatch::new(100 * MS);
        // The newest state is from before; nobody looked for a while besides.
        assert_eq!(watch.look(0, &[0.0], false), None);
        watch.excuse(400 * MS);
        assert_eq!(watch.look(650 * MS, &[0.0], false), None);
        assert_eq!(watch.look(701 * MS, &[0.3], true), None, "it still moves");
        assert_eq!(watch.look(702 * MS, &[0.4], false), None);
        assert_eq!(watch.look(703 * MS, &[0.44], false), None);
        assert!(watch.look(704 * MS, &[0.34], false).is_some());
    }
}
