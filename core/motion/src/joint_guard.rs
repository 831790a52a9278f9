//! One joint's part of the safety filter: follow a goal, but only through
//! states from which a verified stop within every limit is known.
//!
//! The invariant is kept by induction rather than by a formula for "safe"
//! states: beside the joint's motion lies a [`BrakePlan`] from it that was
//! checked in full. A next state is taken only if a plan from *it* passes the
//! same check; otherwise the next tick of the plan at hand is taken, which is
//! always allowed. So a planner that misses an opportunity makes the joint
//! slower, never unsafe.
//!
//! A goal that can be met exactly is met exactly. Otherwise the joint runs at
//! the goal as fast as the limits allow, without overshoot: the acceleration is
//! chosen so that the stop, seen from a frame that moves with the goal, ends on
//! the goal.

use crate::brake_plan::{BrakePlan, Extent, Motion};
use crate::{JointLimits, Limit, LimitSet};

/// Limits in tick units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickLimits {
    pub(crate) q_min: f64,
    pub(crate) q_max: f64,
    pub(crate) v: f64,
    pub(crate) a: f64,
    pub(crate) j: f64,
}

/// Share of velocity, acceleration, jerk and tool speed that is planned with. The
/// rest is for rounding, which three differences of positions make large: what is
/// sent is within the limits themselves.
pub(crate) const PLANNED_SHARE: f64 = 1.0 - 1e-6;

impl TickLimits {
    pub(crate) fn new(limits: &JointLimits, period_secs: f64) -> Self {
        let v = PLANNED_SHARE * period_secs;
        Self {
            q_min: limits.position_min,
            q_max: limits.position_max,
            v: limits.velocity * v,
            a: limits.acceleration * v * period_secs,
            j: limits.jerk * v * period_secs * period_secs,
        }
    }
}

/// A next tick that has passed every check, with the stop that follows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Candidate {
    pub(crate) next: Motion,
    pub(crate) plan: BrakePlan,
    pub(crate) extent: Extent,
    pub(crate) touched: LimitSet,
}

/// Share of one tick of jerk by which a goal may miss the limits and still
/// count as met: rounding of positions, seen through three differences.
const ROUNDING: f64 = 1e-7;

/// Numeric slack of the limit checks, relative.
const SLACK: f64 = 1.0 + 1e-9;

/// Slack of position checks (rad, m): rounding of a few hundred additions.
const POSITION_SLACK: f64 = 1e-11;

/// Halvings when an acceleration is searched for.
const HALVINGS: u32 = 12;

/// Motion of one joint and the verified stop from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JointGuard {
    limits: TickLimits,
    now: Motion,
    plan: BrakePlan,
    /// The goal of the last tick and how fast it moved.
    goal: Option<(f64, f64)>,
    /// Whether the last goal was met exactly.
    following: bool,
}

impl JointGuard {
    /// A joint at rest at `q`.
    pub(crate) fn at_rest(limits: TickLimits, q: f64) -> Self {
        let now = Motion { q, v: 0.0, a: 0.0 };
        Self {
            limits,
            now,
            plan: BrakePlan::default(),
            goal: None,
            following: true,
        }
    }

    pub(crate) fn now(&self) -> Motion {
        self.now
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.now.v == 0.0 && self.now.a == 0.0
    }

    /// The next tick of the verified stop. Always allowed.
    pub(crate) fn braking(&self) -> Candidate {
        let mut plan = self.plan;
        let next = match plan.take_tick() {
            // The last tick ends at rest by construction; rounding is cut off.
            Some(_) if plan.ticks() <= 0.0 => Motion {
                v: 0.0,
                a: 0.0,
                ..self.now.stepped(0.0 - self.now.v)
            },
            Some(jerk) => self.now.stepped(self.now.a + jerk),
            None => Motion {
                q: self.now.q,
                v: 0.0,
                a: 0.0,
            },
        };
        let (extent, _) = plan.extent(next);
        Candidate {
            next,
            plan,
            extent,
            touched: LimitSet::default(),
        }
    }

    /// Takes a candidate of this joint.
    pub(crate) fn commit(&mut self, candidate: &Candidate) {
        self.now = candidate.next;
        self.plan = candidate.plan;
        if self.plan.ticks() <= 0.0 {
            // A stop that needs no tick is rest; what rounding left is cut off.
            (self.now.v, self.now.a) = (0.0, 0.0);
        }
    }

    /// Forgets the goal's motion: after a hold the next goal starts afresh.
    pub(crate) fn forget_goal(&mut self) {
        self.goal = None;
        self.following = false;
    }

    /// Notes that the goal was not met after all, because of the tool.
    pub(crate) fn lose_goal(&mut self) {
        self.following = false;
    }

    /// The best allowed next tick towards a finite goal, with the speed limited
    /// to `speed_scale` (0 … 1) of the velocity limit.
    pub(crate) fn propose(&mut self, goal: f64, speed_scale: f64) -> Candidate {
        let limits = self.limits;
        let target = goal.clamp(limits.q_min, limits.q_max);
        let speed = limits.v * speed_scale;
        let (target_v, target_a) = self.goal_motion(target);
        let mut touched = LimitSet::default();
        touched.set(Limit::Position, goal < limits.q_min || goal > limits.q_max);

        let wanted = target - self.now.q - self.now.v;
        let (low, high) = self.reachable();
        let rounding = ROUNDING * limits.j;
        let meets = wanted >= low - rounding && wanted <= high + rounding;
        if meets && (self.following || self.lands_smoothly(target, target_v, target_a)) {
            let next = Motion {
                q: target,
                v: target - self.now.q,
                a: wanted,
            };
            if let Some(candidate) = self.verified(next, speed, touched) {
                self.following = true;
                return candidate;
            }
        }
        self.following = false;
        touched.insert(self.limit_in_the_way(target, wanted, speed));
        let mut best = self.braking();
        best.touched = touched;
        let Some(a) = self.approach(target, target_v) else {
            return best;
        };
        if let Some(candidate) = self.verified(self.now.stepped(a), speed, touched) {
            return candidate;
        }
        // Between the stop, which is allowed, and the wish, which is not.
        let (mut good, mut bad) = (best.next.a, a);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (good + bad);
            match self.verified(self.now.stepped(middle), speed, touched) {
                Some(candidate) => (good, best) = (middle, candidate),
                None => bad = middle,
            }
        }
        best
    }

    /// The tick between the verified stop (`share` = 0) and another candidate
    /// (1), if it is allowed; the stop otherwise.
    pub(crate) fn between(&self, wish: &Candidate, share: f64) -> Candidate {
        let mut stop = self.braking();
        stop.touched = wish.touched;
        if wish.next == stop.next {
            // Planned anew in every tick, a stop would come near rest for ever.
            return stop;
        }
        let a = stop.next.a + share * (wish.next.a - stop.next.a);
        self.verified(self.now.stepped(a), self.limits.v, wish.touched)
            .unwrap_or(stop)
    }

    /// Way left to a finite goal, within the position limits.
    pub(crate) fn way_to(&self, goal: f64) -> f64 {
        goal.clamp(self.limits.q_min, self.limits.q_max) - self.now.q
    }

    /// Greatest speed.
    pub(crate) fn full_speed(&self) -> f64 {
        self.limits.v
    }

    /// Velocities that the next tick can have.
    pub(crate) fn reachable_velocity(&self) -> (f64, f64) {
        let (low, high) = self.reachable();
        (self.now.v + low, self.now.v + high)
    }

    /// The tick that covers this share of the way to the goal, or comes as near
    /// to that as the limits allow; the stop where even that is not allowed.
    pub(crate) fn on_the_way(&self, goal: f64, share: f64, touched: LimitSet) -> Candidate {
        let (low, high) = self.reachable();
        let wanted = share * self.way_to(goal) - self.now.v;
        // Low is at most high: both are clamped to the same limits.
        let a = wanted.max(low).min(high);
        self.verified(self.now.stepped(a), self.limits.v, touched)
            .unwrap_or_else(|| Candidate {
                touched,
                ..self.braking()
            })
    }

    /// A candidate for this next state, if a stop from it stays within limits.
    fn verified(&self, next: Motion, speed: f64, touched: LimitSet) -> Option<Candidate> {
        let limits = &self.limits;
        let plan = BrakePlan::new(next.v, next.a, limits.a, limits.j)?;
        let (extent, _) = plan.extent(next);
        // A joint that starts outside its positions may only come back in.
        let q_min = limits.q_min.min(self.now.q) - POSITION_SLACK;
        let q_max = limits.q_max.max(self.now.q) + POSITION_SLACK;
        let inside =
            extent.q_min >= q_min && extent.q_max <= q_max && extent.speed() <= speed * SLACK;
        inside.then_some(Candidate {
            next,
            plan,
            extent,
            touched,
        })
    }

    /// Accelerations that jerk and acceleration limits leave for the next tick.
    fn reachable(&self) -> (f64, f64) {
        let limits = &self.limits;
        let low = (self.now.a - limits.j).clamp(-limits.a, limits.a);
        let high = (self.now.a + limits.j).clamp(-limits.a, limits.a);
        (low, high)
    }

    /// How the goal itself moves; a jump counts as standing still.
    fn goal_motion(&mut self, target: f64) -> (f64, f64) {
        let (v, a) = match self.goal {
            Some((before, v_before)) if (target - before).abs() <= self.limits.v => {
                let v = target - before;
                (v, (v - v_before).clamp(-self.limits.a, self.limits.a))
            }
            _ => (0.0, 0.0),
        };
        self.goal = Some((target, v));
        (v, a)
    }

    /// Whether, having met the goal on the next tick, the joint could stay with
    /// it on the tick after: otherwise it would shoot past and come back.
    fn lands_smoothly(&self, target: f64, target_v: f64, target_a: f64) -> bool {
        let v = target - self.now.q;
        let correction = target_v + target_a - v;
        (correction - (v - self.now.v)).abs() <= self.limits.j
            && (correction - target_a).abs() <= self.limits.j
    }

    /// Acceleration for the next tick whose stop, in the frame that moves with
    /// the goal, ends on the goal; or the nearest that is reachable.
    fn approach(&self, target: f64, target_v: f64) -> Option<f64> {
        let miss = |a: f64| -> Option<f64> {
            let next = self.now.stepped(a);
            let relative = Motion {
                q: next.q - target,
                v: next.v - target_v,
                a,
            };
            let plan = BrakePlan::new(relative.v, a, self.limits.a, self.limits.j)?;
            Some(plan.at(relative, plan.ticks()).q)
        };
        let (mut low, mut high) = self.reachable();
        if miss(high)? <= 0.0 {
            return Some(high);
        }
        if miss(low)? >= 0.0 {
            return Some(low);
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if miss(middle)? <= 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(0.5 * (low + high))
    }

    /// Which limit keeps the goal from being met on the next tick.
    fn limit_in_the_way(&self, target: f64, wanted: f64, speed: f64) -> Limit {
        let step = (target - self.now.q).abs();
        if step > self.limits.v {
            Limit::Velocity
        } else if step > speed {
            Limit::SpeedScale
        } else if wanted.abs() > self.limits.a {
            Limit::Acceleration
        } else if (wanted - self.now.a).abs() > self.limits.j {
            Limit::Jerk
        } else {
            Limit::StoppingDistance
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: f64 = 1e-3;
    const LIMITS: JointLimits = JointLimits {
        position_min: -1.0,
        position_max: 1.0,
        velocity: 2.0,
        acceleration: 20.0,
        jerk: 4000.0,
    };

    /// A goal counts as met although it asks for a little more than the planned
    /// jerk; that little must still be within the limit itself.
    #[test]
    fn a_goal_that_misses_a_limit_by_rounding_is_met_within_it() {
        let limits = TickLimits::new(&LIMITS, PERIOD);
        let mut guard = JointGuard::at_rest(limits, 0.0);
        let goal = limits.j * (1.0 + 0.9 * ROUNDING);
        let met = guard.propose(goal, 1.0).next;
        assert_eq!(met.q.to_bits(), goal.to_bits());
        let jerk = met.a / (PERIOD * PERIOD * PERIOD);
        assert!(
            jerk > LIMITS.jerk * (1.0 - 1e-5) && jerk <= LIMITS.jerk,
            "{jerk}"
        );
    }

    /// Goals that are as far as can be: every limit is used, none to the full.
    #[test]
    fn what_is_planned_is_within_every_limit() {
        let mut guard = JointGuard::at_rest(TickLimits::new(&LIMITS, PERIOD), 0.0);
        let mut most = [0.0_f64; 3];
        let mut before = 0.0;
        for tick in 0..4000 {
            let goal = if tick % 900 < 450 { 0.9 } else { -0.9 };
            let candidate = guard.propose(goal, 1.0);
            let Motion { v, a, .. } = candidate.next;
            for (most, used) in most.iter_mut().zip([v, a, a - before]) {
                *most = most.max(used.abs());
            }
            before = a;
            guard.commit(&candidate);
        }
        let limits = [
            LIMITS.velocity * PERIOD,
            LIMITS.acceleration * PERIOD.powi(2),
            LIMITS.jerk * PERIOD.powi(3),
        ];
        for (most, limit) in most.iter().zip(limits) {
            let share = most / limit;
            assert!(share > 0.99 && share < 1.0 - 0.5e-6, "{share}");
        }
    }
}
