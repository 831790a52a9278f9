//! Stops from random states, by everything that stops a filter.

use vola_motion::{Decision, SafeCommand, SafetyFilter};

use crate::arms::ArmUnderTest;
use crate::hostile::hostile;
use crate::random::Random;
use crate::referee::{PERIOD, Referee, fastest_stop};

/// What stops the arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The control loop asks for a hold.
    Hold,
    /// A command that is not finite.
    NotFinite,
    /// A command of the wrong length.
    WrongLength,
    /// A measured state that is not finite.
    BadMeasurement,
    /// A measured state of the wrong length.
    ShortMeasurement,
    /// A joint that does not follow.
    Blocked,
    /// No speed is left by whoever scales it.
    NoSpeed,
}

impl Trigger {
    pub(crate) const ALL: [Self; 7] = [
        Self::Hold,
        Self::NotFinite,
        Self::WrongLength,
        Self::BadMeasurement,
        Self::ShortMeasurement,
        Self::Blocked,
        Self::NoSpeed,
    ];

    /// One tick of the filter in which this is so.
    fn apply(self, filter: &mut SafetyFilter) -> (SafeCommand, Option<Decision>) {
        let mut raw = filter.positions().to_vec();
        let mut measured = raw.clone();
        match self {
            Self::Hold => return (filter.hold(), None),
            Self::NotFinite => raw[1] = f64::NAN,
            Self::WrongLength => raw.truncate(2),
            Self::BadMeasurement => measured[0] = f64::INFINITY,
            Self::ShortMeasurement => measured.truncate(3),
            Self::Blocked => measured[2] += 0.21,
            Self::NoSpeed => filter.set_speed_scale(0.0),
        }
        let verdict = filter.step(&raw, &measured);
        (verdict.command, Some(verdict.decision))
    }

    fn decision(self) -> Option<Decision> {
        match self {
            Self::Hold => None,
            Self::NoSpeed => Some(Decision::Continue),
            Self::NotFinite | Self::WrongLength => Some(Decision::Hold),
            Self::BadMeasurement | Self::ShortMeasurement | Self::Blocked => {
                Some(Decision::SafeStop)
            }
        }
    }
}

/// What stops by one trigger needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stops {
    pub(crate) states: u64,
    /// States in which the arm moved when it was stopped.
    pub(crate) moving: u64,
    /// States in which a joint had no full jerk against its motion in 2 ticks,
    /// and its stop took more than 1.1 times the fastest: who brakes already need
    /// not brake harder.
    pub(crate) late: u64,
    /// States in which rest took more than 500 ms and more than 1.1 times the
    /// fastest stop.
    pub(crate) slow: u64,
    /// Limits broken on the way.
    pub(crate) violations: u64,
    pub(crate) first_fault: Option<String>,
    /// Longest stop (ms).
    pub(crate) longest_ms: u64,
    /// Longest over the fastest possible (ms).
    pub(crate) over_fastest_ms: f64,
    /// Largest motion after rest (rad, m).
    pub(crate) drift: f64,
}

/// Stops an arm from `count` random states.
pub(crate) fn stops(make: fn() -> ArmUnderTest, trigger: Trigger, count: u64, seed: u64) -> Stops {
    let mut random = Random::new(100 * seed + trigger as u64);
    let arm = make();
    let mut filter = arm.full();
    let mut referee = Referee::new(&arm.limits, &arm.start).with_surroundings(make());
    let mut out = Stops::default();
    for state in 0..count {
        set_moving(&arm, &mut filter, &mut referee, &mut random, &mut out);
        let before: Vec<[f64; 3]> = referee.states().collect();
        let fastest_of: Vec<f64> = before
            .iter()
            .zip(arm.limits.joints())
            .map(|(state, joint)| fastest_stop(*state, joint).0 / PERIOD)
            .collect();
        let fastest = fastest_of.iter().copied().fold(0.0, f64::max);
        let mut jerked = vec![false; before.len()];
        // Last tick in which each joint moved.
        let mut moved_in = vec![0_u64; before.len()];
        let mut ticks = 0_u64;
        while !filter.is_at_rest() && ticks < 5000 {
            let old: Vec<[f64; 3]> = referee.states().collect();
            let (command, decision) = trigger.apply(&mut filter);
            note(&mut out, referee.judge(&command), state);
            if decision != trigger.decision() {
                note(
                    &mut out,
                    Some(format!("{trigger:?}: decided {decision:?}")),
                    state,
                );
            }
            ticks += 1;
            for (last, [_, v, _]) in moved_in.iter_mut().zip(referee.states()) {
                if v.abs() > 0.0 {
                    *last = ticks;
                }
            }
            if ticks <= 2 {
                let joints = old.iter().zip(referee.states()).zip(arm.limits.joints());
                for (slot, ((old, new), limits)) in jerked.iter_mut().zip(joints) {
                    *slot |= is_braking(*old, new, limits);
                }
            }
        }
        out.states += 1;
        out.moving += u64::from(ticks > 0);
        let is_late = |joint: usize| {
            let stop = moved_in[joint] as f64;
            // A stop in whole ticks is up to four longer than in continuous time.
            !jerked[joint] && stop > 1.1 * fastest_of[joint].max(0.0) + 4.0
        };
        out.late += u64::from(ticks > 0 && (0..jerked.len()).any(is_late));
        out.longest_ms = out.longest_ms.max(ticks);
        out.over_fastest_ms = out.over_fastest_ms.max(ticks as f64 - fastest);
        out.slow += u64::from(ticks > 500 && ticks as f64 > 1.1 * fastest);
        let rest = filter.positions();
        for _ in 0..50 {
            let (command, _) = trigger.apply(&mut filter);
            note(&mut out, referee.judge(&command), state);
        }
        let moved = filter.positions();
        for (q, was) in moved.iter().zip(rest.iter()) {
            out.drift = out.drift.max((q - was).abs());
        }
        filter.reset_to(&moved).unwrap();
        filter.set_speed_scale(1.0);
    }
    out
}

/// Brings the arm into a random moving state.
fn set_moving(
    arm: &ArmUnderTest,
    filter: &mut SafetyFilter,
    referee: &mut Referee,
    random: &mut Random,
    out: &mut Stops,
) {
    let commands = 2 + random.below(4);
    for index in 0..100 {
        // Hostile commands often stop it, too.
        if index >= commands && !filter.is_at_rest() {
            return;
        }
        let raw = if index == 0 && random.below(3) == 0 {
            arm.start.clone()
        } else {
            hostile(random, &filter.positions(), &arm.limits)
        };
        for _ in 0..20 + random.below(120) {
            let measured = filter.positions();
            let broken = referee.judge(&filter.step(&raw, &measured).command);
            note(out, broken, out.states);
        }
    }
}

fn note(out: &mut Stops, broken: Option<String>, state: u64) {
    if let Some(what) = broken {
        out.violations += 1;
        out.first_fault
            .get_or_insert(format!("state {state}: {what}"));
    }
}

/// Whether a joint's acceleration moved against its motion at the jerk limit,
/// or had no need to: at rest, at its full deceleration, or within two ticks of
/// jerk of what its stop needs.
fn is_braking(old: [f64; 3], new: [f64; 3], limits: &vola_motion::JointLimits) -> bool {
    let [_, v, a] = old;
    let tick = limits.jerk * PERIOD;
    let coasting = v + 0.5 * a * a.abs() / limits.jerk;
    let sign = coasting.signum();
    // Deceleration that a stop from here rises to.
    let peak = (limits.jerk * sign * v + 0.5 * a * a)
        .max(0.0)
        .sqrt()
        .min(limits.acceleration);
    sign * a <= -peak + 3.0 * tick || sign * (new[2] - a) <= -0.99 * tick
}

#[cfg(test)]
#[test]
fn every_trigger_stops_both_arms_from_random_states() {
    for trigger in Trigger::ALL {
        for (make, seed) in [
            (ArmUnderTest::franka as fn() -> _, 3),
            (ArmUnderTest::ur5e, 4),
        ] {
            let result = stops(make, trigger, 20, seed);
            println!("{trigger:?}: {result:?}");
            assert_eq!(result.violations, 0, "{:?}", result.first_fault);
            assert_eq!(
                (result.late, result.slow),
                (0, 0),
                "{trigger:?}: {result:?}"
            );
            assert!(result.drift <= 0.05 && result.longest_ms > 20);
        }
    }
}
