//! Every cause of a stop and of a hold, in random states of a moving arm: how soon
//! it brakes, when it stands, and whether it stays there.
//!
//! Each trial has a twin to whom nothing happens: braking is being slower than it.

use super::*;
use crate::{Heartbeat, authority::Authority};

/// States for each cause, unless `VOLA_STOP_STATES` says otherwise.
const STATES: u64 = 5;
/// Speed (rad/s) of the fastest joint that is worth braking.
const FAST: f64 = 0.3;
/// Braking (rad/s²) of the twin up to which the stop is surely harder.
const GENTLE: f64 = 3.0;
/// Ticks in which the slower arm is compared with its twin.
const COMPARED: usize = 20;
/// Time constant of the arm behind its commands (ticks): what is measured after rest
/// is not what was commanded.
const LAG: f64 = 15.0;
/// Longest that a cause may need to be found (ticks).
const FOUND: usize = 400;

/// A cause, by what must follow.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cause {
    Stop(StopCause),
    Hold(HoldCause),
}

const HOLDS: [HoldCause; 7] = [
    HoldCause::ChunkLate,
    HoldCause::Filter,
    HoldCause::PlannerSilent,
    HoldCause::Demanded,
    HoldCause::PluginLost,
    HoldCause::AuthorityPassed,
    HoldCause::JogSilent,
];

impl Cause {
    /// Brings it about. Signs of life are awaited as long as what is given back
    /// lives.
    fn strike(self, rig: &mut Rig) -> Option<Heartbeat> {
        match self {
            Self::Stop(cause) => strike_to_stop(cause, rig),
            Self::Hold(cause) => strike_to_hold(cause, rig),
        }
    }

    fn mode(self) -> ControlMode {
        match self {
            Self::Stop(cause) => ControlMode::Stopped(cause),
            Self::Hold(_) => ControlMode::Holding,
        }
    }
}

fn strike_to_stop(cause: StopCause, rig: &mut Rig) -> Option<Heartbeat> {
    let mut script = rig.arm.script();
    match cause {
        StopCause::StateFault => script.state_fault = true,
        StopCause::StateInvalid => script.state_nan = true,
        StopCause::StateStale => script.is_silent = true,
        StopCause::StateFrozen => script.is_frozen = true,
        StopCause::CommandFault => script.command_fault = true,
        StopCause::TrackingError => {
            script.is_frozen = true;
            script.state.position[0] += 0.5;
        }
        StopCause::Contact => {
            rig.control.contact = ContactWatch::new(Some(20.0), None);
            script.flags = StateFrame::WRENCH;
            script.state.wrench[0] = 30.0;
        }
        StopCause::GripForce => {
            rig.control.contact = ContactWatch::new(None, None).with_grip(2, Some(10.0));
            script.state.effort[2] = 20.0;
        }
        StopCause::EmergencyStop => script.flags = StateFrame::EMERGENCY_STOP,
        StopCause::HoldReleased => script.flags = StateFrame::HOLD_RELEASED,
        // The twin has the same gap.
        StopCause::TicksMissed => {}
        StopCause::OperatorSilent => {
            return Some(rig.heartbeats.expect(HeartbeatKind::Operator, 10 * MS));
        }
        StopCause::Demanded => rig.stop_switch.demand(StopLevel::ControlledStop),
        StopCause::PowerCutDemanded => rig.stop_switch.demand(StopLevel::CutPower),
        StopCause::Filter
        | StopCause::CameraSilent
        | StopCause::CameraFrozen
        | StopCause::Unanswered
        | StopCause::UnansweredPowerOff => {
            drop(script);
            rig.control.order(ControlOrder::Stop(cause));
        }
    }
    None
}

fn strike_to_hold(cause: HoldCause, rig: &mut Rig) -> Option<Heartbeat> {
    match cause {
        HoldCause::ChunkLate => rig.control.fresh_by_ns = rig.now_ns,
        HoldCause::Filter => rig.control.hold_for(cause, None),
        HoldCause::Demanded => rig.stop_switch.throw(),
        HoldCause::PluginLost => rig.stop_switch.lose_plugin(),
        HoldCause::AuthorityPassed => {
            rig.authority.pass_to(Authority::Nobody);
        }
        HoldCause::PlannerSilent => {
            return Some(rig.heartbeats.expect(HeartbeatKind::Planner, 10 * MS));
        }
        HoldCause::JogSilent => {
            return Some(rig.heartbeats.expect(HeartbeatKind::Jog, 10 * MS));
        }
    }
    None
}

/// A rig in the middle of a motion that follows from the seed.
fn moving(text: &str, seed: u64) -> Rig {
    let mut draws = Draws(seed);
    let mut rig = Rig::with(text);
    rig.arm.script().lag = Some(LAG);
    rig.run(5);
    let swings = [0, 1].map(|_| {
        let (wide, speed) = (draws.within(0.2, 0.45), draws.within(0.5, 1.6));
        let sign = if draws.within(0.0, 1.0) < 0.5 {
            -1.0
        } else {
            1.0
        };
        (sign * wide, 0.1 * speed / wide)
    });
    let mandate = rig.authority.mandate();
    rig.follow_rows(mandate, u64::MAX, |row| {
        swings.map(|(wide, pace)| wide * (pace * row).sin())
    });
    rig.run(draws.within(150.0, 700.0) as u64);
    rig
}

/// What followed a cause.
#[derive(Debug, Default)]
struct Followed {
    ticks_to_braking: usize,
    rest_ms: usize,
    drift_rad: f64,
}

/// None where the arm was not fast when the cause was found.
fn trial(cause: Cause, seed: u64) -> Option<Followed> {
    let mut rig = moving("", seed);
    let mut twin = moving("[control]\nmissed_ticks = 1000", seed);
    let _awaited = cause.strike(&mut rig);
    if cause == Cause::Stop(StopCause::TicksMissed) {
        rig.now_ns += 20 * MS;
        twin.now_ns += 20 * MS;
    }
    let mut step = || {
        rig.tick();
        twin.tick();
        let of = |rig: &Rig| [0, 1].map(|joint| rig.control.command_frame().velocity[joint]);
        (of(&rig), of(&twin), rig.mode())
    };
    let found = (0..FOUND)
        .map(|_| step())
        .find(|(_, _, mode)| *mode != ControlMode::Following);
    let (own, twins, mode) = found.unwrap_or_else(|| panic!("{cause:?} was not found"));
    assert_eq!(mode, cause.mode());
    let joint = usize::from(twins[1].abs() > twins[0].abs());
    let forward = twins[joint].signum();
    let mut compared = vec![(forward * own[joint], forward * twins[joint])];
    compared.extend((1..COMPARED).map(|_| {
        let (own, twins, _) = step();
        (forward * own[joint], forward * twins[joint])
    }));
    // A twin that brakes by itself, as hard as the stop, shows nothing.
    let twin_s = (compared[1].1 - compared[0].1) * 1e3;
    if twins[joint].abs() < FAST || twin_s < -GENTLE {
        return None;
    }
    let last_faster = compared.iter().rposition(|(own, twin)| own >= twin);
    let mut rest_ms = COMPARED;
    while !rig.control.status().at_rest && rest_ms < 2000 {
        rig.tick();
        rest_ms += 1;
    }
    // Of the arm, not of its commands; those do not change any more.
    let pose = rig.control.status().command().to_vec();
    let place = rig.arm.script().state.position;
    let mut drift_rad = 0.0_f64;
    for _ in 0..100 {
        rig.tick();
        assert_eq!(rig.control.status().command(), pose);
        for (now, then) in rig.arm.script().state.position.iter().zip(&place) {
            drift_rad = drift_rad.max((now - then).abs());
        }
    }
    assert_eq!(rig.mode(), cause.mode());
    Some(Followed {
        ticks_to_braking: last_faster.map_or(1, |last| last + 2),
        rest_ms,
        drift_rad,
    })
}

#[test]
fn every_cause_stops_the_arm_from_random_states() {
    let asked = std::env::var("VOLA_STOP_STATES").ok();
    let states: u64 = asked.and_then(|text| text.parse().ok()).unwrap_or(STATES);
    let stops = StopCause::ALL.map(Cause::Stop);
    let causes: Vec<Cause> = stops.into_iter().chain(HOLDS.map(Cause::Hold)).collect();
    let mut most = Followed::default();
    for (number, cause) in (1..).zip(&causes) {
        let seeds = (0..20 * states).map(|seed| seed * 1000 + number);
        let trials = seeds.filter_map(|seed| Some((seed, trial(*cause, seed)?)));
        let mut count = 0;
        for (seed, followed) in trials.take(usize::try_from(states).unwrap()) {
            let what = format!("{cause:?}, seed {seed}: {followed:?}");
            assert!(followed.ticks_to_braking <= 2, "{what}");
            assert!(followed.rest_ms <= 500, "{what}");
            assert!(followed.drift_rad <= 0.05, "{what}");
            most.ticks_to_braking = most.ticks_to_braking.max(followed.ticks_to_braking);
            most.rest_ms = most.rest_ms.max(followed.rest_ms);
            most.drift_rad = most.drift_rad.max(followed.drift_rad);
            count += 1;
        }
        assert_eq!(count, states, "{cause:?}: too few fast states");
    }
    println!(
        "{} causes of stops and {} of holds, {} trials: braking after {} ticks at most, at rest after {}ms at most, moved {} rad after it at most",
        StopCause::ALL.len(),
        HOLDS.len(),
        states * causes.len() as u64,
        most.ticks_to_braking,
        most.rest_ms,
        most.drift_rad
    );
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Draws(u64);

impl Draws {
    fn within(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        low + unit * (high - low)
    }
}
