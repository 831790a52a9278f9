//! What the robot, the policy and people are silent about, or tell wrongly.

use super::*;

#[test]
fn a_robot_that_gives_no_new_state_is_stopped_after_its_deadline() {
    let mut rig = Rig::moving();
    rig.arm.script().is_silent = true;
    // One tick still sees the last state for the first time.
    let ticks = rig.ticks_in(ControlMode::Following, 100);
    assert!((20..=22).contains(&ticks), "{ticks}");
    rig.assert_stopped(StopCause::StateStale, StopCategory::One);
}

#[test]
fn a_state_that_is_stamped_anew_and_never_changes_is_found() {
    let mut rig = Rig::moving();
    rig.arm.script().is_frozen = true;
    let ticks = rig.ticks_in(ControlMode::Following, 300);
    assert!((20..250).contains(&ticks), "{ticks}");
    rig.assert_stopped(StopCause::StateFrozen, StopCategory::One);
}

#[test]
fn faults_of_state_and_command_stop_at_once() {
    for cause in [
        StopCause::StateFault,
        StopCause::StateInvalid,
        StopCause::CommandFault,
    ] {
        let mut rig = Rig::moving();
        {
            let mut script = rig.arm.script();
            script.state_fault = cause == StopCause::StateFault;
            script.state_nan = cause == StopCause::StateInvalid;
            script.command_fault = cause == StopCause::CommandFault;
        }
        rig.tick();
        rig.assert_stopped(cause, StopCategory::One);
    }
    let mut rig = Rig::moving();
    rig.arm.script().state_fault = true;
    rig.tick();
    let told = rig.told();
    assert!(
        told[0].2.ends_with("the encoder does not answer"),
        "{told:?}"
    );
}

#[test]
fn a_chunk_that_does_not_come_holds_and_the_next_may_follow() {
    let mut rig = Rig::new();
    rig.run(5);
    let due_ns = rig.now_ns + 300 * MS;
    rig.swing(due_ns);
    let ticks = rig.ticks_in(ControlMode::Following, 1000);
    assert_eq!(ticks, 301);
    assert_eq!(rig.mode(), ControlMode::Holding);
    let told = rig.told();
    assert_eq!((told.len(), told[0].1), (1, "inference_deadline"));
    rig.run(300);
    assert!(rig.control.status().at_rest);
    assert!(rig.arm.script().stops.is_empty());
    rig.swing(u64::MAX);
    rig.run(500);
    assert_eq!(rig.mode(), ControlMode::Following);
}

#[test]
fn a_silent_operator_stops_and_a_silent_planner_holds() {
    let mut rig = Rig::moving();
    let operator = rig.heartbeats.expect(HeartbeatKind::Operator, 100 * MS);
    for _ in 0..10 {
        rig.run(80);
        operator.beat();
    }
    assert_eq!(rig.mode(), ControlMode::Following);
    let ticks = rig.ticks_in(ControlMode::Following, 500);
    assert!((100..=103).contains(&ticks), "{ticks}");
    // Otherwise the silence outlasts the reset, which is right as well.
    operator.end();
    rig.assert_stopped(StopCause::OperatorSilent, StopCategory::One);

    let mut rig = Rig::moving();
    let planner = rig.heartbeats.expect(HeartbeatKind::Planner, 100 * MS);
    rig.run(110);
    assert_eq!(rig.mode(), ControlMode::Holding);
    assert_eq!(rig.told()[0].1, "planner_heartbeat");
    planner.end();
}

#[test]
fn policies_see_the_state_at_100_hz() {
    let mut rig = Rig::moving();
    let mut changes = 0;
    let mut last = rig.control.status().proprioception_ns;
    for _ in 0..1000 {
        rig.tick();
        let status = rig.control.status();
        assert!(rig.now_ns - status.proprioception_ns < PROPRIOCEPTION_NS);
        if status.proprioception_ns != last {
            assert_eq!(status.proprioception_ns % PROPRIOCEPTION_NS, 0);
            assert_eq!(status.proprioception.position, status.state.position);
            (changes, last) = (changes + 1, status.proprioception_ns);
        }
    }
    assert_eq!(changes, 100);
}
