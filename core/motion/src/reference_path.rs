//! The joint-space reference: a twice differentiable curve through the rows of
//! an action chunk at the rows' own times.
//!
//! Between knots runs a quintic Hermite polynomial, so position, velocity and
//! acceleration are continuous and a new chunk can be spliced in anywhere.
//! Slopes at the knots are those of the parabola through the neighbours,
//! limited so that the curve does not swing past its rows; a natural spline was
//! rejected because a change of its last row moves all of it. Speed limits are
//! not looked at here: that is the tracker's job.

use crate::joint_vec::check_finite;
use crate::{JointState, JointVec, KinematicModel, Limits, MotionError};

/// Most waypoints in one path.
pub const MAX_WAYPOINTS: usize = 64;

/// How much of the limits a path asks for; more than 1 cannot be tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Greatest speed over the limit of its joint.
    pub velocity: f64,
    /// Greatest acceleration over the limit of its joint.
    pub acceleration: f64,
}

/// A joint-space curve in time.
///
/// Before its start it stands at the start state's position, after its end at
/// its last row, with no velocity.
///
/// # Timing
/// [`Self::sample`] is allocation-free; so is [`Self::splice`] unless it
/// returns an error. The size is fixed (about 27 KiB), so keep one and splice.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferencePath {
    knots: [Knot; MAX_WAYPOINTS + 1],
    used: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Knot {
    at_ns: u64,
    state: JointState,
}

impl ReferencePath {
    /// A path that stands still at `q`.
    ///
    /// # Errors
    /// No joints, too many, or a value that is not finite.
    pub fn resting(q: &[f64]) -> Result<Self, MotionError> {
        let mut knots = [Knot::default(); MAX_WAYPOINTS + 1];
        if let Some(first) = knots.first_mut() {
            first.state = JointState::at_rest(q)?;
        }
        Ok(Self { knots, used: 1 })
    }

    /// A path from `start` at `start_ns` through waypoints, ending at rest at
    /// the last. See [`Self::splice`].
    ///
    /// # Errors
    /// As [`Self::splice`].
    pub fn through<'a>(
        start_ns: u64,
        start: &JointState,
        waypoints: impl IntoIterator<Item = (u64, &'a [f64])>,
    ) -> Result<Self, MotionError> {
        start.check()?;
        let mut path = Self::resting(&start.q)?;
        path.replace(start_ns, *start, waypoints)?;
        Ok(path)
    }

    /// Replaces everything after `at_ns` by a curve through new waypoints
    /// (absolute time in ns, positions); position, velocity and acceleration
    /// are continuous at `at_ns`. No waypoints: comes to stand where it is.
    ///
    /// # Errors
    /// More than [`MAX_WAYPOINTS`]; times that are not after `at_ns` or do not
    /// grow; rows of the wrong length or not finite. Then nothing changes.
    pub fn splice<'a>(
        &mut self,
        at_ns: u64,
        waypoints: impl IntoIterator<Item = (u64, &'a [f64])>,
    ) -> Result<(), MotionError> {
        let start = self.sample(at_ns);
        self.replace(at_ns, start, waypoints)
    }

    /// Every knot with its time (ns), to write a path down.
    pub fn knots_in_time(&self) -> impl Iterator<Item = (u64, &JointState)> {
        self.knots().iter().map(|knot| (knot.at_ns, &knot.state))
    }

    /// The path that was written down: bit by bit the same.
    ///
    /// # Errors
    /// No knots or more than a path has, times that do not grow, states that are
    /// not finite or of different lengths.
    pub fn from_knots(
        written: impl IntoIterator<Item = (u64, JointState)>,
    ) -> Result<Self, MotionError> {
        let mut knots = [Knot::default(); MAX_WAYPOINTS + 1];
        let mut used = 0;
        let mut last: Option<Knot> = None;
        let mut slots = knots.iter_mut();
        let bad = |what, expected, got| MotionError::BadPath {
            what,
            expected,
            got,
        };
        for (at_ns, state) in written {
            let joints = last.map_or(state.q.len().max(1), |last| last.state.q.len());
            check_finite("knot", &state.q, joints)?;
            state.check()?;
            if last.is_some_and(|last| at_ns <= last.at_ns) {
                return Err(bad("knot time (ns)", "after the one before", at_ns));
            }
            let Some(slot) = slots.next() else {
                return Err(bad("knots", "65 at most", used as u64 + 1));
            };
            *slot = Knot { at_ns, state };
            last = Some(*slot);
            used += 1;
        }
        if used == 0 {
            return Err(bad("knots", "one at least", 0));
        }
        Ok(Self { knots, used })
    }

    /// When the path ends (ns).
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.knots().last().map_or(0, |knot| knot.at_ns)
    }

    /// Reference at one instant.
    #[must_use]
    pub fn sample(&self, at_ns: u64) -> JointState {
        let next = self.knots().iter().position(|knot| knot.at_ns > at_ns);
        let (from, to) = match next {
            Some(index) => (
                index
                    .checked_sub(1)
                    .and_then(|before| self.knots.get(before)),
                self.knots.get(index),
            ),
            None => (None, self.knots().last()),
        };
        match (from, to) {
            (Some(from), Some(to)) => between(from, to, at_ns),
            (None, Some(only)) => standing(&only.state),
            _ => JointState::default(),
        }
    }

    /// What the path asks of the joints from `from_ns` to its end, looked at in
    /// eight places an interval. A tracker leaves a path that asks too much and
    /// returns to it; whoever sends it may rather give its rows more time:
    /// stretching the times by `k` divides velocities by `k` and accelerations
    /// by `k²`.
    #[must_use]
    pub fn demand(&self, from_ns: u64, limits: &Limits) -> Demand {
        let mut most = Demand::default();
        for (from, to) in self.knots().iter().zip(self.knots().iter().skip(1)) {
            for eighth in 0..=8 {
                let at_ns = from.at_ns + (to.at_ns - from.at_ns) / 8 * eighth;
                if at_ns < from_ns {
                    continue;
                }
                let state = between(from, to, at_ns);
                for ((v, a), joint) in state.v.iter().zip(state.a.iter()).zip(limits.joints()) {
                    most.velocity = most.velocity.max(v.abs() / joint.velocity);
                    most.acceleration = most.acceleration.max(a.abs() / joint.acceleration);
                }
            }
        }
        most
    }

    /// Greatest speed of the tool (m/s) from `from_ns` to the end, looked at in
    /// the same places; the arm's joints must come first in the path.
    #[must_use]
    pub fn tool_speed(&self, from_ns: u64, model: &KinematicModel) -> f64 {
        let mut most = 0.0_f64;
        for (from, to) in self.knots().iter().zip(self.knots().iter().skip(1)) {
            for eighth in 0..=8 {
                let at_ns = from.at_ns + (to.at_ns - from.at_ns) / 8 * eighth;
                if at_ns < from_ns {
                    continue;
                }
                let state = between(from, to, at_ns);
                let arm = state.q.get(..model.joint_count()).unwrap_or_default();
                let speed = match model.jacobian(arm) {
                    Ok(jacobian) => jacobian.tool_velocity(&state.v).fixed_rows::<3>(0).norm(),
                    Err(_) => f64::INFINITY,
                };
                most = most.max(speed);
            }
        }
        most
    }

    fn knots(&self) -> &[Knot] {
        self.knots.get(..self.used).unwrap_or_default()
    }

    fn replace<'a>(
        &mut self,
        start_ns: u64,
        start: JointState,
        waypoints: impl IntoIterator<Item = (u64, &'a [f64])>,
    ) -> Result<(), MotionError> {
        let mut knots = [Knot::default(); MAX_WAYPOINTS + 1];
        let mut used = 1;
        let mut last_ns = start_ns;
        let mut slots = knots.iter_mut();
        if let Some(slot) = slots.next() {
            *slot = Knot {
                at_ns: start_ns,
                state: start,
            };
        }
        for (at_ns, row) in waypoints {
            check_finite("waypoint", row, start.q.len())?;
            if at_ns <= last_ns {
                return Err(MotionError::BadPath {
                    what: "waypoint time (ns)",
                    expected: "after the one before",
                    got: at_ns,
                });
            }
            let Some(slot) = slots.next() else {
                let got = used as u64;
                return Err(MotionError::BadPath {
                    what: "waypoints",
                    expected: "64 at most",
                    got,
                });
            };
            *slot = Knot {
                at_ns,
                state: JointState::at_rest(row)?,
            };
            last_ns = at_ns;
            used += 1;
        }
        if used == 1 {
            // Standing still needs a place to stop at.
            let stop = standing(&start);
            if let Some(slot) = slots.next() {
                *slot = Knot {
                    at_ns: start_ns.saturating_add(STOP_NS),
                    state: stop,
                };
                used = 2;
            }
        }
        self.knots = knots;
        self.used = used;
        self.set_slopes();
        Ok(())
    }

    /// Velocities and accelerations at the inner knots.
    fn set_slopes(&mut self) {
        for middle in 1..self.used.saturating_sub(1) {
            let Some([before, here, after]) = self.knots.get_mut(middle - 1..=middle + 1) else {
                continue;
            };
            let before_secs = secs(before.at_ns, here.at_ns);
            let after_secs = secs(here.at_ns, after.at_ns);
            let state = &mut here.state;
            let neighbours = before.state.q.iter().zip(after.state.q.iter());
            let slopes = state.v.iter_mut().zip(state.a.iter_mut());
            for ((q, (v, a)), (q_before, q_after)) in state.q.iter().zip(slopes).zip(neighbours) {
                let (left, right) = ((q - q_before) / before_secs, (q_after - q) / after_secs);
                (*v, *a) = knot_slopes([left, right], [before_secs, after_secs]);
            }
        }
    }
}

/// Time in which a path without waypoints comes to stand (ns).
const STOP_NS: u64 = 200_000_000;

/// Velocity and acceleration at a knot, from the mean velocities and lengths of
/// the intervals on both sides.
fn knot_slopes([left, right]: [f64; 2], [before, after]: [f64; 2]) -> (f64, f64) {
    let bend = 2.0 * (right - left) / (before + after);
    if left * right <= 0.0 {
        // The path turns here: stand at the turning point.
        return (0.0, bend);
    }
    let parabola = (after * left + before * right) / (before + after);
    // Twice the smaller mean velocity keeps a quintic from swinging past.
    let limit = 2.0 * left.abs().min(right.abs());
    (parabola.clamp(-limit, limit), bend)
}

fn secs(from_ns: u64, to_ns: u64) -> f64 {
    to_ns.saturating_sub(from_ns) as f64 * 1e-9
}

fn standing(state: &JointState) -> JointState {
    let zeros = JointVec::zeros(state.q.len());
    JointState {
        q: state.q,
        v: zeros,
        a: zeros,
    }
}

/// Quintic Hermite interpolation.
fn between(from: &Knot, to: &Knot, at_ns: u64) -> JointState {
    let (length, t) = (secs(from.at_ns, to.at_ns), secs(from.at_ns, at_ns));
    let s = t / length;
    let mut out = standing(&from.state);
    let starts = from
        .state
        .q
        .iter()
        .zip(from.state.v.iter().zip(from.state.a.iter()));
    let ends = to
        .state
        .q
        .iter()
        .zip(to.state.v.iter().zip(to.state.a.iter()));
    let slots = out.q.iter_mut().zip(out.v.iter_mut().zip(out.a.iter_mut()));
    for (((q, (v, a)), (q0, (v0, a0))), (q1, (v1, a1))) in slots.zip(starts).zip(ends) {
        // What is left after the start's parabola, at the end, in units of the
        // interval.
        let step = q1 - (q0 + length * (v0 + 0.5 * length * a0));
        let slope = length * (v1 - (v0 + length * a0));
        let bend = length * length * (a1 - a0);
        let c3 = 10.0 * step - 4.0 * slope + 0.5 * bend;
        let c4 = -15.0 * step + 7.0 * slope - bend;
        let c5 = 6.0 * step - 3.0 * slope + 0.5 * bend;
        *q = q0 + t * (v0 + 0.5 * t * a0) + s * s * s * (c3 + s * (c4 + s * c5));
        *v = v0 + t * a0 + s * s * (3.0 * c3 + s * (4.0 * c4 + s * 5.0 * c5)) / length;
        *a = a0 + s * (6.0 * c3 + s * (12.0 * c4 + s * 20.0 * c5)) / (length * length);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JointLimits;

    const ROW_NS: u64 = 100_000_000;

    fn rows(values: &[f64]) -> Vec<[f64; 1]> {
        values.iter().map(|value| [*value]).collect()
    }

    fn path(values: &[f64]) -> ReferencePath {
        let rows = rows(values);
        let start = JointState::at_rest(&[0.0]).unwrap();
        ReferencePath::through(0, &start, timed(&rows)).unwrap()
    }

    fn timed(rows: &[[f64; 1]]) -> impl Iterator<Item = (u64, &[f64])> {
        rows.iter()
            .enumerate()
            .map(|(index, row)| ((index as u64 + 1) * ROW_NS, &row[..]))
    }

    #[test]
    fn passes_through_its_rows_and_ends_at_rest() {
        let values = [0.1, 0.3, 0.3, -0.2, 0.0, 0.5];
        let path = path(&values);
        for (index, value) in values.iter().enumerate() {
            assert!((path.sample((index as u64 + 1) * ROW_NS).q[0] - value).abs() < 1e-12);
        }
        let end = path.sample(path.end_ns() + 5);
        assert_eq!((end.q[0], end.v[0], end.a[0]), (0.5, 0.0, 0.0));
    }

    #[test]
    fn is_twice_differentiable_and_its_derivatives_are_right() {
        let path = path(&[0.1, 0.3, 0.35, -0.2, 0.0, 0.5]);
        let step = 1_000_u64;
        for at in (step..path.end_ns() - step).step_by(777_777) {
            let (before, here, after) = (
                path.sample(at - step),
                path.sample(at),
                path.sample(at + step),
            );
            let h = step as f64 * 1e-9;
            assert!(((after.q[0] - before.q[0]) / (2.0 * h) - here.v[0]).abs() < 1e-6);
            assert!(((after.v[0] - before.v[0]) / (2.0 * h) - here.a[0]).abs() < 1e-2);
            assert!((after.a[0] - before.a[0]).abs() < 0.2);
        }
    }

    #[test]
    fn a_monotone_chunk_does_not_swing_past_its_rows() {
        let path = path(&[0.045, 0.09, 0.135, 0.14, 0.14, 0.14]);
        let mut farthest = 0.0_f64;
        for at in (0..path.end_ns()).step_by(1_000_000) {
            farthest = farthest.max(path.sample(at).q[0]);
        }
        assert!(farthest < 0.1415, "{farthest}");
    }

    #[test]
    fn a_splice_is_continuous_to_the_second_order() {
        let mut path = path(&[0.1, 0.2, 0.3, 0.4]);
        let at = 237_000_000;
        let before = path.sample(at);
        let rows = rows(&[0.0, 0.0, 0.0, -0.1, -0.2]);
        path.splice(at, timed(&rows).skip(2)).unwrap();
        let after = path.sample(at);
        for (old, new) in [
            (before.q, after.q),
            (before.v, after.v),
            (before.a, after.a),
        ] {
            assert!((old[0] - new[0]).abs() < 1e-12);
        }
        assert!((path.sample(500_000_000).q[0] + 0.2).abs() < 1e-12);
        path.splice(300_000_000, []).unwrap();
        assert!(path.sample(600_000_000).v[0].abs() < 1e-12);
    }

    #[test]
    fn demand_is_the_share_of_the_limits_and_falls_with_time() {
        let joint = JointLimits {
            position_min: -1.0,
            position_max: 1.0,
            velocity: 1.0,
            acceleration: 2.0,
            jerk: 1e3,
        };
        let limits = Limits::new([("joint", joint)]).unwrap();
        let start = JointState::at_rest(&[0.0]).unwrap();
        let demand = |length_ns| {
            ReferencePath::through(0, &start, [(length_ns, &[0.4][..])])
                .unwrap()
                .demand(0, &limits)
        };
        let (fast, slow) = (demand(ROW_NS), demand(2 * ROW_NS));
        // A rest-to-rest quintic has 15/8 of the mean velocity in its middle.
        assert!((fast.velocity - 7.5).abs() < 1e-9, "{fast:?}");
        assert!((fast.velocity / slow.velocity - 2.0).abs() < 1e-9);
        assert!((fast.acceleration / slow.acceleration - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_path_that_was_written_down_is_the_same_bit_by_bit() {
        let path = path(&[0.1, 0.2, -0.3]);
        let knots: Vec<(u64, JointState)> = path
            .knots_in_time()
            .map(|(at_ns, state)| (at_ns, *state))
            .collect();
        assert_eq!(ReferencePath::from_knots(knots.clone()).unwrap(), path);
        let refused = |knots: Vec<(u64, JointState)>| {
            ReferencePath::from_knots(knots).unwrap_err().to_string()
        };
        assert!(refused(vec![]).contains("one at least"));
        let twice = vec![knots[0], knots[0]];
        assert!(refused(twice).contains("after the one before"));
        let many = (0..66).map(|at| (at, knots[0].1)).collect();
        assert!(refused(many).contains("65 at most"));
        let mut nan = knots.clone();
        nan[1].1.v[0] = f64::NAN;
        assert!(refused(nan).contains("finite"));
        let mut two = knots;
        two[1].1 = JointState::at_rest(&[0.0, 0.0]).unwrap();
        assert!(refused(two).contains("expected 1 values, got 2"));
    }

    #[test]
    fn bad_waypoints_change_nothing() {
        let mut path = path(&[0.1, 0.2]);
        let nan = [f64::NAN];
        let two = [0.0, 0.0];
        type Case<'a> = (Vec<(u64, &'a [f64])>, &'a str);
        let cases: [Case<'_>; 4] = [
            (vec![(0, &[0.0])], "expected after the one before, got 0"),
            (
                vec![(5, &[0.0]), (5, &[0.0])],
                "expected after the one before, got 5",
            ),
            (vec![(5, &nan)], "waypoint[0]: expected a finite number"),
            (vec![(5, &two)], "waypoint: expected 1 values, got 2"),
        ];
        for (rows, expected) in cases {
            let error = path.splice(0, rows).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let many = vec![[0.0]; 65];
        assert!(
            path.splice(0, timed(&many))
                .unwrap_err()
                .to_string()
                .contains("64 at most")
        );
        assert!((path.sample(2 * ROW_NS).q[0] - 0.2).abs() < 1e-12);
    }
}
