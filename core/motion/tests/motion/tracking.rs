//! The reference path and its tracker together, as the executor uses them.

use nalgebra::Isometry3;
use vola_motion::{
    FilterSettings, IkSettings, InverseKinematics, JointState, JointVec, KinematicModel, Limits,
    ReferencePath, SafetyFilter, Tracker,
};
use vola_types::Gripper;

use crate::arms::{READY, panda, panda_limits, six_joint_limits};
use crate::random::Random;

const PERIOD_NS: u64 = 1_000_000;
const ROW_NS: u64 = 100_000_000;

/// Joint rows of a tool that starts at the ready posture and moves by these
/// steps (m, in x and y) from row to row.
fn rows_of(model: &KinematicModel, steps: &[(f64, f64)]) -> Vec<JointVec> {
    let solver = InverseKinematics::new(model, IkSettings::default()).unwrap();
    let mut target: Isometry3<f64> = model.tool_in_base(&READY).unwrap();
    let mut q = JointVec::from_slice("q", &READY).unwrap();
    steps
        .iter()
        .map(|(dx, dy)| {
            target.translation.x += dx;
            target.translation.y += dy;
            q = solver.solve(model, &target, &q).unwrap().q;
            q
        })
        .collect()
}

/// What became of rows at 10 Hz.
#[derive(Debug)]
struct Outcome {
    /// Farthest that the tool was from its reference (m).
    worst_m: f64,
    /// Longest time by which the tool was late (ms): the age of the reference
    /// sample nearest to it.
    worst_lag_ms: usize,
    /// Ticks in which the filter changed the tracker's command.
    changed: usize,
    /// Greatest tool speed of the reference (m/s).
    fastest: f64,
}

/// Runs rows as the executor does: chunks of 8, of which 4 are used, spliced in
/// while the path runs.
fn run_rows(steps: &[(f64, f64)]) -> Outcome {
    let model = panda();
    let limits = panda_limits();
    let rows = rows_of(&model, steps);
    let mut path = ReferencePath::resting(&READY).unwrap();
    let own = limits.scaled(0.98).unwrap();
    let mut tracker = Tracker::new(&own, PERIOD_NS, &READY).unwrap();
    let settings = FilterSettings {
        gripper: Gripper::None,
        ..FilterSettings::default()
    };
    let mut filter = SafetyFilter::new(limits, settings, &READY).unwrap();
    let mut watch = Watch {
        limits: own,
        last: JointState::at_rest(&READY).unwrap(),
    };
    let mut wanted = vec![model.tool_in_base(&READY).unwrap().translation.vector];
    let mut outcome = Outcome {
        worst_m: 0.0,
        worst_lag_ms: 0,
        changed: 0,
        fastest: 0.0,
    };
    let end = (rows.len() as u64 + 4) * ROW_NS;
    for now in (0..end).step_by(PERIOD_NS as usize) {
        let used = (now / ROW_NS) as usize;
        if now % (4 * ROW_NS) == 0 && used < rows.len() {
            let chunk = rows.iter().enumerate().skip(used).take(8);
            path.splice(
                now,
                chunk.map(|(index, row)| ((index as u64 + 1) * ROW_NS, &row[..])),
            )
            .unwrap();
        }
        let reference = path.sample(now + PERIOD_NS);
        let state = *tracker.step(&reference);
        watch.check(&state);
        let tool = model.tool_in_base(&state.q).unwrap().translation.vector;
        wanted.push(model.tool_in_base(&reference.q).unwrap().translation.vector);
        outcome.worst_m = outcome
            .worst_m
            .max((tool - wanted[wanted.len() - 1]).norm());
        outcome.fastest = outcome
            .fastest
            .max((wanted[wanted.len() - 1] - wanted[wanted.len() - 2]).norm() / 1e-3);
        let nearest = (0..wanted.len().min(300))
            .min_by(|a, b| {
                let distance = |age: &usize| (wanted[wanted.len() - 1 - age] - tool).norm();
                distance(a).total_cmp(&distance(b))
            })
            .unwrap();
        outcome.worst_lag_ms = outcome.worst_lag_ms.max(nearest);
        outcome.changed += usize::from(!filter.step(&state.q, &state.q).interventions.is_empty());
    }
    assert_eq!(tracker.refusals(), 0);
    let last = model
        .tool_in_base(&tracker.state().q)
        .unwrap()
        .translation
        .vector;
    assert!((last - wanted[wanted.len() - 1]).norm() < 1e-9 && tracker.is_at_rest());
    outcome
}

/// Checks continuity and limits of a tracker's outputs.
struct Watch {
    limits: Limits,
    last: JointState,
}

impl Watch {
    fn check(&mut self, now: &JointState) {
        let dt = 1e-3;
        for (index, joint) in self.limits.joints().iter().enumerate() {
            let (q, v, a) = (now.q[index], now.v[index], now.a[index]);
            let (q0, v0, a0) = (self.last.q[index], self.last.v[index], self.last.a[index]);
            let slack = 1.0 + 1e-6;
            assert!(
                v.abs() <= joint.velocity * slack && a.abs() <= joint.acceleration * slack,
                "{index}: v {v} a {a}"
            );
            assert!(
                (a - a0).abs() <= joint.jerk * dt * slack,
                "{index}: jerk {}",
                (a - a0) / dt
            );
            // Within a tick the acceleration may go beyond both ends by half a
            // tick of jerk at most.
            assert!(
                ((v - v0) - 0.5 * (a + a0) * dt).abs() <= 0.26 * joint.jerk * dt * dt,
                "{index}: v jumps {v0} {a0} to {v} {a}: {:e}, q {q0} {q}",
                ((v - v0) - 0.5 * (a + a0) * dt) / (joint.jerk * dt * dt)
            );
            assert!(
                ((q - q0) - 0.5 * (v + v0) * dt).abs() <= 0.26 * joint.acceleration * dt * dt,
                "{index}: q jumps"
            );
        }
        self.last = *now;
    }
}

#[test]
fn rows_that_speed_up_softly_are_tracked_without_lag_and_pass_the_filter_unchanged() {
    let ramp = [
        0.01, 0.025, 0.04, 0.045, 0.045, 0.045, 0.045, 0.04, 0.025, 0.01,
    ];
    let out = ramp.iter().map(|step| (0.3 * step, 0.95 * step));
    let back = ramp.iter().map(|step| (-0.3 * step, -0.95 * step));
    let outcome = run_rows(&out.chain(back).collect::<Vec<_>>());
    println!("soft rows: {outcome:?}");
    assert!(
        outcome.worst_m < 1e-9 && outcome.changed == 0,
        "{outcome:?}"
    );
    assert!(outcome.fastest > 0.4, "{outcome:?}");
}

#[test]
fn full_steps_from_rest_and_around_corners_lag_only_as_the_limits_demand() {
    let line = vec![(0.0, 0.045); 6];
    let sides = [(0.045, 0.0), (0.0, 0.045), (-0.045, 0.0), (0.0, -0.045)];
    let square: Vec<_> = sides.iter().flat_map(|step| [*step; 4]).collect();
    let back: Vec<_> = [(0.0, 0.045); 6]
        .into_iter()
        .chain([(0.0, -0.045); 6])
        .collect();
    // Turning round at 0.45 m/s within two rows asks joint 2 for five times its
    // acceleration limit; Δv² / 2a puts it 0.25 rad off for a moment.
    for (name, steps, most_m) in [
        ("line", line, 0.03),
        ("square", square, 0.09),
        ("line and back", back, 0.11),
    ] {
        let outcome = run_rows(&steps);
        println!("{name}: {outcome:?}");
        assert!(
            outcome.worst_m < most_m && outcome.changed == 0,
            "{name}: {outcome:?}"
        );
    }
}

#[test]
fn an_impossible_reference_is_followed_within_limits_and_caught_again() {
    for (limits, seed) in [(panda_limits(), 11), (six_joint_limits(), 12)] {
        let mut random = Random::new(seed);
        let middle: Vec<f64> = limits
            .joints()
            .iter()
            .map(|l| 0.5 * (l.position_min + l.position_max))
            .collect();
        let mut tracker = Tracker::new(&limits, PERIOD_NS, &middle).unwrap();
        let mut watch = Watch {
            limits: limits.clone(),
            last: JointState::at_rest(&middle).unwrap(),
        };
        let mut path = ReferencePath::resting(&middle).unwrap();
        let mut met = 0;
        let ticks = 60_000;
        for tick in 1..=ticks {
            let now = tick * PERIOD_NS;
            if tick % 350 == 0 {
                let row = |random: &mut Random| -> Vec<f64> {
                    limits
                        .joints()
                        .iter()
                        .map(|l| l.position_min + (l.position_max - l.position_min) * random.unit())
                        .collect()
                };
                let (near, far) = (row(&mut random), row(&mut random));
                let soon = now + (1 + random.below(200) as u64) * PERIOD_NS;
                path.splice(now, [(soon, &near[..]), (soon + ROW_NS, &far[..])])
                    .unwrap();
            }
            if tick % 7000 > 4500 {
                // Long rests, to see that the reference is met again.
                path.splice(now, []).unwrap();
            }
            let mut reference = path.sample(now);
            if tick % 911 == 0 {
                reference.v[0] = f64::NAN;
            }
            let state = tracker.step(&reference);
            watch.check(state);
            let distance = state
                .q
                .iter()
                .zip(path.sample(now).q.iter())
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            met += u64::from(distance < 1e-9);
        }
        println!(
            "met in {met} of {ticks} ticks, refusals {}",
            tracker.refusals()
        );
        assert!(
            tracker.refusals() <= 65 + ticks / 1000,
            "{}",
            tracker.refusals()
        );
        assert!(met > ticks / 30, "{met}");
        // And a controlled stop from wherever it is.
        let mut left = 2000;
        while !tracker.is_at_rest() {
            watch.check(tracker.brake());
            left -= 1;
            assert!(left > 0, "never came to rest");
        }
    }
}

#[test]
fn missing_references_brake_and_bad_starts_are_refused() {
    let mut tracker = Tracker::new(&panda_limits(), PERIOD_NS, &READY).unwrap();
    tracker.step(&JointState::default());
    assert_eq!(&*tracker.state().q, &READY[..]);
    assert_eq!(tracker.refusals(), 7);
    assert!(tracker.reset(&[0.0; 6]).is_err());
    assert!(Tracker::new(&panda_limits(), 0, &READY).is_err());
}
