//! The controlled stop of one joint in discrete time, in closed form.
//!
//! Commands leave once a tick as positions, and what a robot controller checks
//! are their backward differences. So a joint is modelled as exactly that:
//! `a += j; v += a; q += v` a tick, in *tick units* (period = 1). A continuous
//! model would be off by half a tick in velocity, and positions sampled from it
//! cannot follow a given command exactly without becoming unstable; this one
//! can.
//!
//! Greatest acceleration and jerk are given by the caller, a little below the
//! joint's limits (`joint_guard`): where phases join, rounding is seen in the jerk.
//!
//! A stop ramps to a deceleration, holds it and ramps to zero. For a given
//! number of ticks the velocity it takes away is a continuous, piecewise linear
//! function of that deceleration, so there is exactly one that ends at rest *on*
//! a tick, found in closed form up to the piece. The number of ticks is the
//! continuous-time optimum rounded up, so the stop is at most a few ticks longer
//! than the fastest possible one.

/// Position and its backward differences, in tick units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Motion {
    pub(crate) q: f64,
    pub(crate) v: f64,
    pub(crate) a: f64,
}

impl Motion {
    /// The next tick, if its acceleration is `a`.
    pub(crate) fn stepped(self, a: f64) -> Self {
        let v = self.v + a;
        Self {
            q: self.q + v,
            v,
            a,
        }
    }

    /// After `n` ticks (a whole number) of constant jerk.
    fn after(self, n: f64, jerk: f64) -> Self {
        let triangle = 0.5 * n * (n + 1.0);
        Self {
            q: self.q + n * self.v + triangle * self.a + jerk * triangle * (n + 2.0) / 3.0,
            v: self.v + n * self.a + triangle * jerk,
            a: self.a + n * jerk,
        }
    }
}

/// Everything a motion touches on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    pub(crate) q_min: f64,
    pub(crate) q_max: f64,
    pub(crate) v_min: f64,
    pub(crate) v_max: f64,
}

impl Extent {
    fn of(at: Motion) -> Self {
        Self {
            q_min: at.q,
            q_max: at.q,
            v_min: at.v,
            v_max: at.v,
        }
    }

    fn include(&mut self, at: Motion) {
        self.q_min = self.q_min.min(at.q);
        self.q_max = self.q_max.max(at.q);
        self.v_min = self.v_min.min(at.v);
        self.v_max = self.v_max.max(at.v);
    }

    /// Greatest speed in either direction.
    pub(crate) fn speed(&self) -> f64 {
        self.v_max.max(-self.v_min)
    }
}

/// Ticks of constant jerk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Phase {
    /// Whole number of ticks.
    ticks: f64,
    jerk: f64,
}

/// How a joint comes to rest from where it is: ramp, the rest of the ramp, hold,
/// the first part of a ramp, ramp.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BrakePlan {
    phases: [Phase; 5],
}

/// Numeric slack of the planner's own limit checks.
const SLACK: f64 = 1.0 + 1e-9;

/// Velocity below which a joint counts as at rest, relative to one tick of jerk.
const AT_REST: f64 = 1e-10;

impl BrakePlan {
    /// Plans a stop from velocity `v` and acceleration `a` within greatest
    /// acceleration and jerk; none if the numbers allow no plan.
    pub(crate) fn new(v: f64, a: f64, max_a: f64, max_j: f64) -> Option<Self> {
        if !(v.is_finite() && a.is_finite() && max_a > 0.0 && max_j > 0.0) {
            return None;
        }
        // Velocity that would be left if the acceleration were ramped to zero.
        let ramp = (a.abs() / max_j - 1e-9).ceil();
        let coasting = if ramp > 0.0 {
            v + 0.5 * a * (ramp - 1.0)
        } else {
            v
        };
        if coasting.abs() <= AT_REST * max_j {
            let ticks = if a.abs() <= AT_REST * max_j {
                0.0
            } else {
                ramp.max(1.0)
            };
            let only = Phase {
                ticks,
                jerk: if ticks > 0.0 { -a / ticks } else { 0.0 },
            };
            return Some(Self {
                phases: [
                    only,
                    Phase::default(),
                    Phase::default(),
                    Phase::default(),
                    Phase::default(),
                ],
            });
        }
        let stop = Stop { v, a, max_a, max_j }.towards(coasting.signum());
        let least = stop.least_ticks();
        (0..8)
            .find_map(|more| stop.in_ticks(least + f64::from(more)))
            .map(|plan| plan.towards(coasting.signum()))
    }

    fn towards(mut self, sign: f64) -> Self {
        self.phases.iter_mut().for_each(|phase| phase.jerk *= sign);
        self
    }

    /// Ticks until rest.
    pub(crate) fn ticks(&self) -> f64 {
        self.phases.iter().map(|phase| phase.ticks).sum()
    }

    /// Takes the jerk of the next tick off the plan; none at its end.
    pub(crate) fn take_tick(&mut self) -> Option<f64> {
        let phase = self.phases.iter_mut().find(|phase| phase.ticks > 0.0)?;
        phase.ticks -= 1.0;
        Some(phase.jerk)
    }

    /// Where the joint is after `ticks` (a whole number) of this plan.
    pub(crate) fn at(&self, start: Motion, ticks: f64) -> Motion {
        let (mut at, mut left) = (start, ticks);
        for phase in &self.phases {
            let n = phase.ticks.min(left);
            if n > 0.0 {
                at = at.after(n, phase.jerk);
                left -= n;
            }
            if left <= 0.0 {
                break;
            }
        }
        at
    }

    /// Everything touched from `start` until rest, and where rest is.
    pub(crate) fn extent(&self, start: Motion) -> (Extent, f64) {
        let mut extent = Extent::of(start);
        let mut at = start;
        for phase in self.phases.iter().filter(|phase| phase.ticks > 0.0) {
            let end = at.after(phase.ticks, phase.jerk);
            extent.include(end);
            // Velocity turns where acceleration crosses zero.
            let mut turns = false;
            if at.a * end.a < 0.0 {
                turns = true;
                include_around(&mut extent, at, phase, -at.a / phase.jerk);
            }
            // Position turns where velocity crosses zero.
            if at.v * end.v < 0.0 || turns {
                for root in velocity_zeros(at, phase.jerk) {
                    include_around(&mut extent, at, phase, root);
                }
            }
            at = end;
        }
        (extent, at.q)
    }
}

/// A stop to be planned, in which the motion to be taken away is positive.
#[derive(Clone, Copy, Debug)]
struct Stop {
    v: f64,
    a: f64,
    max_a: f64,
    max_j: f64,
}

impl Stop {
    fn towards(self, sign: f64) -> Self {
        Self {
            v: sign * self.v,
            a: sign * self.a,
            ..self
        }
    }

    /// Velocity at this tick; a backward difference is half a tick late.
    fn velocity_now(&self) -> f64 {
        self.v - 0.5 * self.a
    }

    /// Ticks of the fastest stop in continuous time, rounded up.
    fn least_ticks(&self) -> f64 {
        let Self {
            a, max_a, max_j, ..
        } = *self;
        let left = self.velocity_now() + 0.5 * a * a / max_j;
        let peak = (max_j * left).max(0.0).sqrt().max(-a);
        let ticks = if peak > max_a {
            (a + 2.0 * max_a) / max_j + (left - max_a * max_a / max_j) / max_a
        } else {
            (a + 2.0 * peak) / max_j
        };
        (ticks - 1e-9).ceil().max(2.0)
    }

    /// Deceleration with which a stop takes this long in continuous time.
    fn deceleration_in(&self, ticks: f64) -> f64 {
        let (v, a, j) = (self.velocity_now(), self.a, self.max_j);
        if a < 0.0 && v < -a * ticks - 0.5 * a * a / j {
            // Braking too hard already: relax first.
            return (v - 0.5 * a * a / j) / (ticks + a / j);
        }
        let half = 0.5 * (ticks * j - a);
        half - (half * half - (j * v + 0.5 * a * a)).max(0.0).sqrt()
    }

    /// The plan that takes exactly this long, if the limits allow one.
    fn in_ticks(&self, ticks: f64) -> Option<BrakePlan> {
        let Self { v, a, max_a, max_j } = *self;
        let mut level = -self.deceleration_in(ticks);
        for _ in 0..4 {
            // Whole ticks of full jerk on either side of the level.
            let turn = (level - a).signum();
            let before = ((level - a).abs() / max_j).floor();
            let after = (level.abs() / max_j).floor();
            let hold = ticks - before - after - 2.0;
            if hold < 0.0 {
                return None;
            }
            let ramped = a + turn * max_j * before;
            let ramp_sum = before * a + 0.5 * turn * max_j * before * (before + 1.0);
            let landing = level.signum() * max_j * after;
            let solved = -(v + ramp_sum + 0.5 * landing * (after + 1.0)) / (1.0 + hold);
            let jumps = (solved - ramped).abs().max((solved - landing).abs());
            if jumps <= max_j * SLACK && solved.abs() <= max_a * SLACK {
                let phases = [
                    Phase {
                        ticks: before,
                        jerk: turn * max_j,
                    },
                    Phase {
                        ticks: 1.0,
                        jerk: solved - ramped,
                    },
                    Phase {
                        ticks: hold,
                        jerk: 0.0,
                    },
                    Phase {
                        ticks: 1.0,
                        jerk: landing - solved,
                    },
                    Phase {
                        ticks: after,
                        jerk: -level.signum() * max_j,
                    },
                ];
                return Some(BrakePlan { phases });
            }
            level = solved.clamp(-max_a, max_a);
        }
        None
    }
}

/// Includes the whole ticks on both sides of `n`, as far as the phase has them.
fn include_around(extent: &mut Extent, at: Motion, phase: &Phase, n: f64) {
    if n > 0.0 && n < phase.ticks {
        extent.include(at.after(n.floor(), phase.jerk));
        extent.include(at.after(n.ceil(), phase.jerk));
    }
}

/// Ticks at which velocity is zero under constant jerk (NaN where never).
fn velocity_zeros(at: Motion, jerk: f64) -> [f64; 2] {
    // v + n a + j n(n+1)/2 = 0
    let (a, b, c) = (0.5 * jerk, at.a + 0.5 * jerk, at.v);
    if a == 0.0 {
        return [-c / b, f64::NAN];
    }
    let root = (b * b - 4.0 * a * c).sqrt();
    let q = -0.5 * (b + root.copysign(b));
    [q / a, c / q]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Steps the plan tick by tick and compares with the closed forms.
    fn check(v: f64, a: f64, max_a: f64, max_j: f64) -> Result<(), TestCaseError> {
        let start = Motion { q: 1.0, v, a };
        let plan = BrakePlan::new(v, a, max_a, max_j).expect("a plan");
        let (extent, rest) = plan.extent(start);
        let mut left = plan;
        let mut at = start;
        let mut seen = Extent::of(start);
        let mut ticks = 0.0;
        while let Some(jerk) = left.take_tick() {
            prop_assert!(jerk.abs() <= max_j * 1.000_000_01, "jerk {jerk}");
            at = at.stepped(at.a + jerk);
            prop_assert!(
                at.a.abs() <= max_a * 1.000_000_01 + 1e-15,
                "acceleration {}",
                at.a
            );
            seen.include(at);
            ticks += 1.0;
            let closed = plan.at(start, ticks);
            prop_assert!((closed.q - at.q).abs() < 1e-9 && (closed.v - at.v).abs() < 1e-11);
        }
        prop_assert!(
            at.v.abs() <= 1e-9 * max_j + 1e-13 && at.a.abs() <= 1e-9 * max_j + 1e-13,
            "not at rest: {at:?}"
        );
        prop_assert!((at.q - rest).abs() < 1e-9);
        let slack = 1e-11;
        prop_assert!(seen.q_min >= extent.q_min - slack && seen.q_max <= extent.q_max + slack);
        prop_assert!(seen.v_min >= extent.v_min - slack && seen.v_max <= extent.v_max + slack);
        prop_assert!(extent.q_max <= seen.q_max + slack && extent.q_min >= seen.q_min - slack);
        // Near the continuous optimum: ramp down, then a triangle or trapezoid.
        let sign = if v + 0.5 * a * a.abs() / max_j >= 0.0 {
            1.0
        } else {
            -1.0
        };
        let (v, a) = (sign * v - 0.5 * sign * a, sign * a);
        let peak = (max_j * v + 0.5 * a * a).max(0.0).sqrt().max(-a);
        let best = if peak <= max_a {
            (a + 2.0 * peak) / max_j
        } else {
            (a + 2.0 * max_a) / max_j + (v + (0.5 * a * a - max_a * max_a) / max_j) / max_a
        };
        prop_assert!(
            ticks <= best.max(0.0) + 4.0,
            "{ticks} ticks, {best} at best"
        );
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_plan_stops_within_limits_and_its_extent_is_exact(
            v in -3e-3..3e-3_f64,
            share in -1.0..1.0_f64,
            max_a in 1e-6..2e-5_f64,
            ramp_ticks in 0.3..60.0_f64,
        ) {
            check(v, share * max_a, max_a, max_a / ramp_ticks)?;
        }
    }

    #[test]
    fn special_states_have_plans() {
        for (v, a) in [
            (0.0, 0.0),
            (0.0, 1e-5),
            (1e-3, -1e-5),
            (-1e-3, 0.0),
            (1e-20, 0.0),
            (4.5e-6, -1e-5),
            (0.0, 1e-18),
        ] {
            check(v, a, 1e-5, 1e-6).unwrap();
        }
        assert!(BrakePlan::new(f64::NAN, 0.0, 1.0, 1.0).is_none());
    }
}
