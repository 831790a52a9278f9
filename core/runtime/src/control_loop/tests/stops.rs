//! Stops that are demanded, pressed or forced, and how soon the arm brakes.

use super::*;

#[test]
fn a_stop_pressed_at_the_robot_is_obeyed_at_once_and_not_left_while_it_is_pressed() {
    for (flag, cause, category) in [
        (
            StateFrame::EMERGENCY_STOP,
            StopCause::EmergencyStop,
            StopCategory::Zero,
        ),
        (
            StateFrame::HOLD_RELEASED,
            StopCause::HoldReleased,
            StopCategory::One,
        ),
    ] {
        let mut rig = Rig::moving();
        rig.arm.script().flags = flag;
        let ticks = ticks_to_braking(&mut rig);
        assert!(ticks <= 2, "{ticks}");
        rig.run(500);
        rig.control.order(ControlOrder::Reset);
        assert_eq!(rig.mode(), ControlMode::Stopped(cause));
        assert!(rig.told().last().unwrap().2.contains("hold-to-run"));
        // The robot was not even asked: it never was without its stop.
        assert_eq!(rig.arm.script().resets, 0);
        assert_eq!(rig.arm.script().stops, [category]);
        let mut rig = Rig::moving();
        rig.arm.script().flags = flag | StateFrame::WRENCH;
        rig.tick();
        rig.assert_stopped(cause, category);
    }
}

#[test]
fn demanded_stops_have_their_category_and_may_be_raised() {
    for (level, cause, category) in [
        (
            StopLevel::ControlledStop,
            StopCause::Demanded,
            StopCategory::One,
        ),
        (
            StopLevel::CutPower,
            StopCause::PowerCutDemanded,
            StopCategory::Zero,
        ),
    ] {
        let mut rig = Rig::moving();
        rig.stop_switch.demand(level);
        rig.tick();
        rig.assert_stopped(cause, category);
    }
    let mut rig = Rig::moving();
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(10);
    rig.stop_switch.demand(StopLevel::CutPower);
    rig.run(10);
    assert_eq!(
        rig.arm.script().stops,
        [StopCategory::One, StopCategory::Zero]
    );
    let mut rig = Rig::moving();
    rig.stop_switch.throw();
    rig.run(500);
    assert_eq!(rig.mode(), ControlMode::Holding);
    assert!(rig.control.status().at_rest && rig.arm.script().stops.is_empty());
}

#[test]
fn a_stop_is_obeyed_although_somebody_released_the_switch_before_the_tick() {
    let mut rig = Rig::moving();
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.stop_switch.release();
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::Demanded));
    // Obeyed: now it may be released. The same again, or a stronger one, waits for
    // its own tick.
    for level in [StopLevel::ControlledStop, StopLevel::CutPower] {
        rig.stop_switch.demand(level);
        rig.stop_switch.release();
        assert_eq!(rig.stop_switch.level(), level);
        rig.tick();
    }
    rig.stop_switch.release();
    assert_eq!(rig.stop_switch.level(), StopLevel::None);
    // A mere hold is released at once.
    rig.stop_switch.throw();
    rig.stop_switch.release();
    assert_eq!(rig.stop_switch.level(), StopLevel::None);
}

#[test]
fn an_arm_that_moves_on_after_a_stop_loses_its_power() {
    let mut rig = Rig::moving();
    rig.arm.script().runs_on = 0.5;
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(1000);
    assert_eq!(rig.arm.script().stops, [StopCategory::One]);
    rig.run(100);
    assert_eq!(
        rig.arm.script().stops,
        [StopCategory::One, StopCategory::Zero]
    );
    assert_eq!(rig.told().last().unwrap().1, "stop");
}

/// A moving arm that is stopped, at rest for as long as a stop may take.
fn stopped() -> Rig {
    let mut rig = Rig::moving();
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(1100);
    assert_eq!(rig.arm.script().stops, [StopCategory::One]);
    rig.told();
    rig
}

#[test]
fn an_arm_that_creeps_after_a_stop_loses_its_power_although_it_measures_no_speed() {
    let mut rig = stopped();
    rig.arm.script().is_silent = true;
    rig.run(400);
    assert_eq!(rig.arm.script().stops.len(), 1);
    for _ in 0..30 {
        rig.arm.script().state.position[0] += 0.002;
        rig.tick();
    }
    let categories = [StopCategory::One, StopCategory::Zero];
    assert_eq!(rig.arm.script().stops, categories);
    let told = rig.told();
    assert!(
        told.len() == 1 && told[0].2.contains("still moves"),
        "{told:?}"
    );
}

#[test]
fn an_arm_that_nobody_sees_after_a_stop_loses_its_power() {
    for is_fault in [true, false] {
        let mut rig = stopped();
        {
            let mut script = rig.arm.script();
            (script.state_fault, script.state_nan) = (is_fault, !is_fault);
        }
        rig.run(999);
        assert_eq!(rig.arm.script().stops.len(), 1);
        rig.run(10);
        let categories = [StopCategory::One, StopCategory::Zero];
        assert_eq!(rig.arm.script().stops, categories);
        // Faults that were told before are only given away.
        let mut told = rig.told();
        told.retain(|told| told.1 == "stop");
        assert!(
            told.len() == 1 && told[0].2.contains("no state tells"),
            "{told:?}"
        );
    }
    // Nor is the last state again and again a sight of it.
    let mut rig = stopped();
    rig.arm.script().is_silent = true;
    rig.run(1010);
    let categories = [StopCategory::One, StopCategory::Zero];
    assert_eq!(rig.arm.script().stops, categories);
    // One gap after another, with states in between, is no reason.
    let mut rig = stopped();
    for _ in 0..10 {
        rig.arm.script().state_fault = true;
        rig.run(500);
        rig.arm.script().state_fault = false;
        rig.tick();
    }
    assert_eq!(rig.arm.script().stops, [StopCategory::One]);
}

#[test]
fn a_stop_that_the_robot_does_not_take_is_asked_for_until_it_does() {
    let mut rig = Rig::moving();
    rig.arm.script().refused_stops = 3;
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(25);
    assert!(rig.arm.script().stops.is_empty());
    rig.run(10);
    assert_eq!(rig.arm.script().stops, [StopCategory::One]);
    // Told once, and not asked again once it was heard.
    let refused = |told: &(u64, &str, String)| told.2.contains("did not take it");
    assert_eq!(rig.told().iter().filter(|told| refused(told)).count(), 1);
    // Nor is a power cut lost, or made weaker.
    rig.arm.script().refused_stops = 5;
    rig.stop_switch.demand(StopLevel::CutPower);
    rig.run(500);
    let categories = [StopCategory::One, StopCategory::Zero];
    assert_eq!(rig.arm.script().stops, categories);
}

/// Ticks from now until the commands are slower than those of a twin to whom
/// nothing happens, in the fastest joint, and stay so.
fn ticks_to_braking(rig: &mut Rig) -> usize {
    let mut twin = Rig::moving();
    let fastest = |rig: &Rig| {
        let speed = |joint: &usize| rig.control.command_frame().velocity[*joint].abs();
        (0..2).max_by(|a, b| speed(a).total_cmp(&speed(b))).unwrap()
    };
    let joint = fastest(&twin);
    let slower: Vec<bool> = (0..20)
        .map(|_| {
            rig.tick();
            twin.tick();
            let of = |rig: &Rig| rig.control.command_frame().velocity[joint].abs();
            of(rig) < of(&twin)
        })
        .collect();
    slower
        .iter()
        .rposition(|slower| !slower)
        .map_or(1, |last| last + 2)
}

#[test]
fn a_lost_plugin_brakes_the_arm_within_two_ticks_and_the_next_path_may_follow() {
    let mut rig = Rig::moving();
    rig.stop_switch.lose_plugin();
    let ticks = ticks_to_braking(&mut rig);
    assert!(ticks <= 2, "{ticks}");
    assert_eq!(rig.mode(), ControlMode::Holding);
    let told = rig.told();
    assert_eq!((told.len(), told[0].1), (1, "plugin"));
    assert!(told[0].2.contains("hold (category 2)"), "{}", told[0].2);
    rig.run(500);
    assert!(rig.control.status().stands && rig.arm.script().stops.is_empty());
    // As long as nobody has seen to it, nothing follows.
    rig.swing(u64::MAX);
    rig.run(50);
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.stop_switch.forget_lost_plugin();
    rig.swing(u64::MAX);
    rig.run(50);
    assert_eq!(rig.mode(), ControlMode::Following);
}

#[test]
fn a_robot_whose_process_is_gone_is_braked_within_two_ticks() {
    let mut rig = Rig::moving();
    {
        let mut script = rig.arm.script();
        (script.state_fault, script.command_fault) = (true, true);
    }
    let ticks = ticks_to_braking(&mut rig);
    assert!(ticks <= 2, "{ticks}");
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::StateFault));
}
