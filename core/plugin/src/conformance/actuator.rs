//! Checks of the part that moves: state, hold, command, stop, time-out.

use vola_abi::{
    EmbodimentPartsAbi, StateFrame, StopCategory,
    abi_stable::std_types::{ROption, RStr},
};
use vola_types::EmbodimentDescription;

use super::{
    motion::{Motion, TICK_NS},
    report::{Flaw, Rows, Verdict, succeeded},
};

const SEED: u64 = 7;
/// Holding calls of one check; a second of control.
const HOLD_TICKS: u64 = 1000;
/// Largest drift while holding or stopped (rad, m, gripper value).
const STILL: f64 = 1e-3;
/// Largest error after a motion has settled (rad, m, gripper value).
const FOLLOWED: f64 = 1e-2;
/// Time to come to rest after a motion, a stop or silence.
const SETTLE_TICKS: u64 = 500;

/// Resets the world to the kit's seed.
pub(super) fn seed(parts: &mut EmbodimentPartsAbi) -> Verdict {
    match &mut parts.simulation {
        ROption::RSome(world) => {
            let help = "accept `{}` as the default task";
            let answer = world.reset(SEED, RStr::from("{}"));
            Ok(succeeded("Simulation::reset", answer, help)?.into_string())
        }
        ROption::RNone => Err(Flaw::skipped("no simulation")),
    }
}

/// The newest state.
pub(super) fn state(parts: &mut EmbodimentPartsAbi) -> Result<StateFrame, Flaw> {
    let mut frame = StateFrame::default();
    let help = "an open robot must be able to tell its state";
    succeeded("state", parts.actuator.state(&mut frame), help)?;
    Ok(frame)
}

pub(super) fn check(
    rows: &mut Rows<'_>,
    description: &EmbodimentDescription,
    parts: &mut EmbodimentPartsAbi,
) {
    if !rows.record(
        "state is whole, finite, inside the limits",
        whole(description, parts),
    ) {
        return;
    }
    rows.record("holds still", holds(parts));
    if parts.simulation.is_none() {
        let reason = "no simulation: the kit does not move a real robot";
        rows.record("follows commands", Err(Flaw::skipped(reason)));
        rows.record("a stop is latched until reset", Err(Flaw::skipped(reason)));
        rows.record("silence means rest", Err(Flaw::skipped(reason)));
        return;
    }
    rows.record("follows commands", follows(description, parts));
    rows.record("a stop is latched until reset", latched(description, parts));
    rows.record("silence means rest", silence(description, parts));
}

fn whole(description: &EmbodimentDescription, parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "fill `count`, and for each joint and the gripper position and velocity";
    let frame = state(parts)?;
    let expected = description.frame_length();
    if frame.count as usize != expected {
        let detail = format!("expected {expected} values, got {}", frame.count);
        return Err(Flaw::fault(detail, help));
    }
    for (index, value) in frame
        .positions()
        .iter()
        .chain(frame.velocities())
        .enumerate()
    {
        if !value.is_finite() {
            return Err(Flaw::fault(
                format!("value {index} of the state is {value}"),
                help,
            ));
        }
    }
    for (joint, position) in description.joints.iter().zip(frame.positions()) {
        // A measured joint may lie a little outside of its limit.
        let margin = 0.01 * (joint.position_max - joint.position_min);
        if *position < joint.position_min - margin || *position > joint.position_max + margin {
            return Err(Flaw::fault(
                format!(
                    "joint `{}` is at {position}, outside of its limits",
                    joint.name
                ),
                "check unit, sign and order of the joints",
            ));
        }
    }
    if let Some(gripper) = frame.positions().get(description.joints.len())
        && !(-0.05..=1.05).contains(gripper)
    {
        let detail = format!("the gripper value is {gripper}");
        return Err(Flaw::fault(
            detail,
            "the gripper value is 0 closed … 1 open, last in the frame",
        ));
    }
    Ok(format!("{expected} values"))
}

fn holds(parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "`hold` keeps the pose at the time of the call; a world lets a holding arm rest";
    let start = state(parts)?;
    for _ in 0..HOLD_TICKS {
        succeeded("hold", parts.actuator.hold(), help)?;
        step(parts)?;
    }
    let drift = distance(&start, &state(parts)?);
    if drift <= STILL {
        Ok(format!("moved {drift:.1e} in {HOLD_TICKS} calls"))
    } else {
        Err(Flaw::fault(
            format!("moved {drift:.1e} in {HOLD_TICKS} calls"),
            help,
        ))
    }
}

/// One tick of the world.
fn step(parts: &mut EmbodimentPartsAbi) -> Result<(), Flaw> {
    match &mut parts.simulation {
        ROption::RSome(world) => succeeded(
            "Simulation::step",
            world.step(TICK_NS),
            "a step after a reset must succeed",
        ),
        ROption::RNone => Ok(()),
    }
}

/// Greatest difference of two states' positions.
fn distance(one: &StateFrame, other: &StateFrame) -> f64 {
    one.positions()
        .iter()
        .zip(other.positions())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

/// Drives a motion to its end and lets it settle; the greatest error then.
fn drive(motion: &mut Motion, parts: &mut EmbodimentPartsAbi) -> Result<f64, Flaw> {
    let help = "pass every command on; it was checked against the limits of the description";
    for _ in 0..motion.ticks() + SETTLE_TICKS {
        succeeded("command", parts.actuator.command(&motion.next()), help)?;
        step(parts)?;
    }
    Ok(motion.error(&state(parts)?))
}

fn follows(description: &EmbodimentDescription, parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "the arm must be where it was sent, at half of every limit, half a second later";
    let mut there = Motion::away(description, &state(parts)?);
    let error = drive(&mut there, parts)?;
    if error > FOLLOWED {
        return Err(Flaw::fault(
            format!("{error:.1e} from where it was sent"),
            help,
        ));
    }
    let mut back = there.back();
    let error = drive(&mut back, parts)?;
    if error > FOLLOWED {
        return Err(Flaw::fault(
            format!("{error:.1e} from where it was sent back"),
            help,
        ));
    }
    let seconds = there.ticks() as f64 * 1e-3;
    Ok(format!(
        "there and back in {seconds:.2} s each, error {error:.1e}"
    ))
}

fn latched(description: &EmbodimentDescription, parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "after `stop`, ignore or refuse commands until `reset`";
    let mut motion = Motion::away(description, &state(parts)?);
    for category in [StopCategory::Two, StopCategory::One] {
        for _ in 0..motion.ticks() / 4 {
            succeeded("command", parts.actuator.command(&motion.next()), help)?;
            step(parts)?;
        }
        succeeded(
            "stop",
            parts.actuator.stop(category),
            "a stop must always be taken",
        )?;
        for _ in 0..SETTLE_TICKS {
            step(parts)?;
        }
        let rest = state(parts)?;
        for _ in 0..motion.ticks() {
            // A fault is as good an answer as none.
            let _refused_or_ignored = parts.actuator.command(&motion.next());
            step(parts)?;
        }
        let moved = distance(&rest, &state(parts)?);
        if moved > STILL {
            let detail = format!("moved {moved:.1e} after a stop of category {category:?}");
            return Err(Flaw::fault(detail, help));
        }
        succeeded(
            "reset",
            parts.actuator.reset(),
            "a reset must leave the stop",
        )?;
        let released = state(parts)?;
        step(parts)?;
        let jumped = distance(&released, &state(parts)?);
        if jumped > STILL {
            let detail = format!("moved {jumped:.1e} on reset");
            return Err(Flaw::fault(detail, "after `reset` hold the measured pose"));
        }
        motion = Motion::away(description, &released);
        let error = drive(&mut motion, parts)?;
        if error > FOLLOWED {
            let detail = format!("after `reset` {error:.1e} from where it was sent");
            return Err(Flaw::fault(detail, "`reset` must let commands pass again"));
        }
        motion = motion.back();
    }
    Ok("categories one and two".to_owned())
}

fn silence(description: &EmbodimentDescription, parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "without a command for `command_timeout_ns` the robot must come to rest by itself";
    let mut motion = Motion::away(description, &state(parts)?);
    for _ in 0..motion.ticks() / 2 {
        succeeded("command", parts.actuator.command(&motion.next()), help)?;
        step(parts)?;
    }
    let patience = (description.command_timeout_ns / TICK_NS).min(5000) + SETTLE_TICKS;
    for _ in 0..patience {
        step(parts)?;
    }
    let rest = state(parts)?;
    for _ in 0..100 {
        step(parts)?;
    }
    let moved = distance(&rest, &state(parts)?);
    // Silence may latch a stop; leave it for whoever comes next.
    succeeded(
        "reset",
        parts.actuator.reset(),
        "a reset must leave the stop",
    )?;
    if moved <= STILL {
        Ok(format!(
            "at rest after {} ms",
            description.command_timeout_ns / 1_000_000
        ))
    } else {
        Err(Flaw::fault(
            format!("still moved {moved:.1e} in 100 ms"),
            help,
        ))
    }
}
