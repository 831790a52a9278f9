//! What the joints together may not do: tool limits and clearance in one
//! judgement, and the search for the fastest motion that passes it.
//!
//! A motion that does not pass is slowed as a whole. First the joints are moved
//! along the straight line to their commands, all by the same share, so that
//! the tool stays on its path; the largest share that passes is taken. Where no
//! share does (the arm must brake harder than that line allows), each joint
//! goes between its verified stop and its wish.

use crate::clearance_guard::ClearanceGuard;
use crate::joint_guard::{Candidate, JointGuard};
use crate::tool_guard::ToolGuard;
use crate::{JointVec, MAX_JOINTS};

/// Halvings of a search: the speed is found to a sixteenth of what one tick can
/// change. With the judgement of the wish and that of the least share, a tick
/// judges six times at most.
const HALVINGS: u32 = 4;

/// What a set of candidates would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) leaves_workspace: bool,
    pub(crate) too_fast: bool,
    pub(crate) too_near: bool,
}

impl Judgement {
    pub(crate) fn is_fine(self) -> bool {
        !self.leaves_workspace && !self.too_fast && !self.too_near
    }
}

/// Judges all joints together, in one tick.
pub(crate) struct Surroundings<'a> {
    pub(crate) tool: Option<&'a ToolGuard>,
    pub(crate) clearance: Option<&'a mut ClearanceGuard>,
    /// Joint positions of this tick, of the arm alone.
    pub(crate) now: JointVec,
}

impl Surroundings<'_> {
    pub(crate) fn judge(&mut self, candidates: &[Candidate; MAX_JOINTS]) -> Judgement {
        let mut judgement = Judgement::default();
        if let Some(tool) = self.tool {
            let verdict = tool.judge(&self.now, candidates);
            judgement.leaves_workspace = verdict.leaves_workspace;
            judgement.too_fast = verdict.too_fast;
        }
        if judgement.is_fine()
            && let Some(clearance) = &mut self.clearance
        {
            judgement.too_near = !clearance.is_clear(candidates);
        }
        judgement
    }

    /// Candidates that pass, as near to the wishes as can be: together along
    /// the way to the goals, else each joint towards its stop.
    pub(crate) fn slow_down(
        &mut self,
        guards: &[JointGuard],
        goals: &[f64],
        wishes: &[Candidate; MAX_JOINTS],
    ) -> [Candidate; MAX_JOINTS] {
        let arm = self.now.len();
        let guards = guards.get(..arm).unwrap_or(guards);
        if let Some((low, high)) = shares(guards, goals) {
            let along = |share: f64, out: &mut [Candidate; MAX_JOINTS]| {
                for (((slot, guard), goal), wish) in
                    out.iter_mut().zip(guards).zip(goals).zip(wishes)
                {
                    *slot = guard.on_the_way(*goal, share, wish.touched);
                }
            };
            if let Some(found) = self.largest(low, high, wishes, along) {
                return found;
            }
        }
        let apart = |share: f64, out: &mut [Candidate; MAX_JOINTS]| {
            for ((slot, guard), wish) in out.iter_mut().zip(guards).zip(wishes) {
                *slot = guard.between(wish, share);
            }
        };
        // The stop itself was judged when the last command was taken.
        let mut stop = *wishes;
        apart(0.0, &mut stop);
        self.search(0.0, 1.0, stop, apart)
    }

    /// The largest share between `low` and `high` found whose candidates pass;
    /// none where those of `low` do not.
    fn largest(
        &mut self,
        low: f64,
        high: f64,
        wishes: &[Candidate; MAX_JOINTS],
        make: impl Fn(f64, &mut [Candidate; MAX_JOINTS]),
    ) -> Option<[Candidate; MAX_JOINTS]> {
        let mut trial = *wishes;
        make(low, &mut trial);
        let passes = self.judge(&trial).is_fine();
        passes.then(|| self.search(low, high, trial, make))
    }

    /// The same when the candidates of `low`, which are `best`, are known to pass.
    fn search(
        &mut self,
        mut low: f64,
        mut high: f64,
        mut best: [Candidate; MAX_JOINTS],
        make: impl Fn(f64, &mut [Candidate; MAX_JOINTS]),
    ) -> [Candidate; MAX_JOINTS] {
        let mut trial = best;
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            make(middle, &mut trial);
            if self.judge(&trial).is_fine() {
                low = middle;
                best = trial;
            } else {
                high = middle;
            }
        }
        best
    }
}

/// Shares of the way to the goals that the joints can cover in the next tick:
/// what their accelerations leave, seen along that way. None without a way.
fn shares(guards: &[JointGuard], goals: &[f64]) -> Option<(f64, f64)> {
    let (mut length, mut middle, mut reach) = (0.0, 0.0, 0.0);
    let mut most = 1.0_f64;
    for (guard, goal) in guards.iter().zip(goals) {
        let way = guard.way_to(*goal);
        let (low, high) = guard.reachable_velocity();
        length += way * way;
        middle += way * 0.5 * (low + high);
        reach += way.abs() * 0.5 * (high - low);
        most = most.min(guard.full_speed() / way.abs());
    }
    let (low, high) = ((middle - reach) / length, (middle + reach) / length);
    (length > 0.0 && high > 0.0).then_some((low.max(0.0), high.min(most)))
}
