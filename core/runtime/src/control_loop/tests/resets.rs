//! Out of a stop: what is refused, and what is not done by itself.

use super::*;

#[test]
fn a_robot_that_was_left_stopped_is_not_reset_by_a_new_loop() {
    // The runtime before was killed; the robot's own time-out has latched.
    let mut rig = Rig::new();
    rig.arm.script().is_latched = true;
    rig.run(500);
    rig.swing(u64::MAX);
    rig.run(500);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::CommandFault));
    {
        let script = rig.arm.script();
        assert_eq!((script.resets, script.is_latched), (0, true));
        assert_eq!(script.state.position[..3], HOME, "it never moved");
    }
    rig.control.order(ControlOrder::Reset);
    rig.run(2);
    assert_eq!(rig.arm.script().resets, 1);
    rig.swing(u64::MAX);
    rig.run(200);
    assert_eq!(rig.mode(), ControlMode::Following);
}

#[test]
fn a_reset_while_braking_is_refused_and_the_arm_brakes_on() {
    for kind in [StopLevel::ControlledStop, StopLevel::CutPower] {
        let mut rig = Rig::moving();
        let begin = rig.arm.script().commands.len();
        rig.stop_switch.demand(kind);
        rig.run(3);
        let stopped = rig.mode();
        let mut refused = 0;
        // Asked in every tick: only the first that finds the arm at rest leaves.
        for _ in 0..600 {
            rig.control.order(ControlOrder::Reset);
            if rig.mode() != stopped {
                break;
            }
            assert!(!rig.control.status().stands);
            refused += 1;
            rig.tick();
        }
        assert_eq!(rig.mode(), ControlMode::Holding);
        assert!(refused > 20, "{refused}");
        let told = rig.told();
        assert!(told.iter().any(|told| told.2.contains("still moves")));
        rig.stop_switch.release();
        rig.swing(u64::MAX);
        rig.run(300);
        assert_eq!(rig.mode(), ControlMode::Following);
        let commands = rig.arm.script().commands[begin..].to_vec();
        let (velocity, acceleration) = steepest(&commands);
        assert!(velocity <= VELOCITY * (1.0 + 1e-6), "{velocity}");
        assert!(
            acceleration <= ACCELERATION * (1.0 + 1e-6),
            "{acceleration}"
        );
    }
}

#[test]
fn a_reset_while_braking_for_a_hold_is_refused_too() {
    let mut rig = Rig::moving();
    // Away from the turning point of its swing.
    rig.run(250);
    rig.control.order(ControlOrder::Hold);
    rig.run(3);
    rig.control.order(ControlOrder::Reset);
    let last = rig.arm.script().commands.last().copied().unwrap();
    rig.tick();
    // It brakes on instead of standing at once.
    let next = rig.arm.script().commands.last().copied().unwrap();
    assert!(((next[0] - last[0]) * 1e3).abs() > 0.05, "{next:?}");
}

#[test]
fn a_reset_is_refused_while_the_arm_is_measured_to_move() {
    let mut rig = Rig::moving();
    rig.arm.script().runs_on = 0.5;
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(500);
    assert!(rig.control.status().at_rest && !rig.control.status().stands);
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::Demanded));
    rig.arm.script().runs_on = 0.0;
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.mode(), ControlMode::Holding);
}

#[test]
fn an_old_state_is_no_place_to_begin_from() {
    let mut rig = Rig::moving();
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(3);
    // The link repeats a state from before the arm had braked; it measures no speed.
    rig.arm.script().is_silent = true;
    rig.arm.script().state.velocity = StateFrame::default().velocity;
    rig.run(500);
    assert!(rig.control.status().stands);
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::Demanded));
    assert_eq!(rig.arm.script().resets, 0);
    rig.arm.script().is_silent = false;
    rig.run(2);
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.mode(), ControlMode::Holding);
}

#[test]
fn an_arm_that_is_first_seen_by_its_reset_and_moves_is_stopped_again() {
    let mut rig = stopped();
    {
        let mut script = rig.arm.script();
        script.state_fault = true;
        script.found_at = Some(script.state.position[0]);
        script.runs_on = 0.5;
    }
    rig.run(3);
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::Demanded));
    let script = rig.arm.script();
    assert_eq!(script.resets, 1);
    assert_eq!(script.stops, [StopCategory::One, StopCategory::One]);
}

/// A stopped arm at rest.
fn stopped() -> Rig {
    let mut rig = Rig::moving();
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(500);
    rig.stop_switch.release();
    assert_eq!(rig.arm.script().stops, [StopCategory::One]);
    rig
}

#[test]
fn an_arm_outside_its_limits_is_not_reset() {
    let mut rig = stopped();
    rig.arm.script().state.position[0] = 1.6;
    rig.control.order(ControlOrder::Reset);
    rig.run(3);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::Demanded));
    assert_eq!(rig.arm.script().resets, 0);
    let told = rig.told();
    assert!(told.iter().any(|told| told.2.contains("within its limits")));
}

#[test]
fn a_robot_that_took_the_reset_and_is_not_ready_is_stopped_again() {
    // It gave no state before, and then tells that it stands outside its limits.
    let mut rig = stopped();
    {
        let mut script = rig.arm.script();
        (script.state_fault, script.found_at) = (true, Some(1.6));
    }
    rig.control.order(ControlOrder::Reset);
    let stopped_twice = [StopCategory::One, StopCategory::One];
    assert_eq!(rig.arm.script().resets, 1);
    assert_eq!(rig.arm.script().stops, stopped_twice);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::Demanded));
    // The answer was lost, the reset perhaps not.
    let mut rig = stopped();
    rig.arm.script().refuses_reset = true;
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.arm.script().stops, stopped_twice);
    // Whose power was cut, it is again.
    let mut rig = Rig::moving();
    rig.arm.script().flags = StateFrame::EMERGENCY_STOP;
    rig.run(500);
    {
        let mut script = rig.arm.script();
        (script.flags, script.refuses_reset) = (0, true);
    }
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.arm.script().stops, [StopCategory::Zero; 2]);
}

#[test]
fn nothing_follows_in_a_world_that_is_rebuilt_and_one_that_fails_stops() {
    let mut rig = Rig::new();
    rig.run(5);
    rig.control.order(ControlOrder::NewWorld);
    rig.swing(u64::MAX);
    rig.run(50);
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.arm.script().refuses_reset = true;
    rig.control.order(ControlOrder::Reset);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::CommandFault));
    assert_eq!(rig.arm.script().stops, [StopCategory::One]);
    // It is watched again: who moves is not reset.
    {
        let mut script = rig.arm.script();
        (script.refuses_reset, script.runs_on) = (false, 0.5);
    }
    rig.control.order(ControlOrder::Reset);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::CommandFault));
    rig.arm.script().runs_on = 0.0;
    rig.control.order(ControlOrder::Reset);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.swing(u64::MAX);
    rig.run(200);
    assert_eq!(rig.mode(), ControlMode::Following);
}

#[test]
fn a_world_that_is_rebuilt_is_not_silent() {
    let mut rig = Rig::moving();
    rig.control.order(ControlOrder::NewWorld);
    rig.arm.script().is_silent = true;
    rig.run(3000);
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.arm.script().is_silent = false;
    rig.control.order(ControlOrder::Reset);
    rig.run(100);
    assert_eq!(rig.mode(), ControlMode::Holding);
    // From then on it is watched again.
    rig.arm.script().is_silent = true;
    rig.run(100);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::StateStale));
}
