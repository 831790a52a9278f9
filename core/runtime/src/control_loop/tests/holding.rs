//! Whether an arm that shall hold does.

use super::*;

/// Moves the first joint so far a tick, whatever it is told, with new stamps.
fn driven(rig: &mut Rig, by: f64, ticks: usize) -> usize {
    rig.arm.script().is_silent = true;
    let moved = (0..ticks).find(|_| {
        {
            let mut script = rig.arm.script();
            script.state.position[0] += by;
            script.state.capture_time_ns = rig.now_ns;
        }
        rig.tick();
        rig.mode() != ControlMode::Holding
    });
    moved.unwrap_or(ticks)
}

#[test]
fn an_arm_that_leaves_its_hold_is_stopped() {
    // Driven by somebody else, and sagging by 2 cm a second.
    for (by, most) in [(0.002, 30), (0.00002, 2600)] {
        let mut rig = Rig::new();
        rig.run(500);
        let ticks = driven(&mut rig, by, 5000);
        assert!((20..most).contains(&ticks), "{by}: {ticks}");
        rig.assert_stopped(StopCause::TrackingError, StopCategory::One);
    }
}

#[test]
fn an_arm_that_does_not_brake_for_a_hold_is_stopped() {
    let mut rig = Rig::moving();
    // Away from the turning point of its swing.
    rig.run(250);
    let velocity = rig.control.command_frame().velocity[0];
    assert!(velocity.abs() > 0.5, "{velocity}");
    rig.control.order(ControlOrder::Hold);
    let ticks = driven(&mut rig, velocity * 1e-3, 1000);
    assert!(ticks < 500, "{ticks}");
    rig.assert_stopped(StopCause::TrackingError, StopCategory::One);
}

#[test]
fn ordinary_holds_are_no_cause_to_stop() {
    // Far behind its command, as a soft drive is: 50 ms at 1.5 rad/s.
    for lag in [5.0, 20.0, 50.0] {
        let mut rig = Rig::new();
        rig.arm.script().lag = Some(lag);
        rig.run(5);
        for _ in 0..20 {
            rig.swing(u64::MAX);
            rig.run(437);
            assert_eq!(rig.mode(), ControlMode::Following, "{lag}");
            rig.control.order(ControlOrder::Hold);
            rig.run(700);
            assert_eq!(rig.mode(), ControlMode::Holding, "{lag}");
        }
        assert!(rig.told().is_empty());
    }
    // Its load hangs it 0.15 rad below its command, and it is touched a little.
    let mut rig = Rig::new();
    rig.run(5);
    driven(&mut rig, 0.001, 150);
    for round in 0..200 {
        let by = if round % 2 == 0 { 0.002 } else { -0.002 };
        assert_eq!(driven(&mut rig, by, 20), 20, "{round}");
    }
    // A state that is as old as it may be, on an arm that comes to rest.
    let mut rig = Rig::moving();
    rig.run(250);
    rig.control.order(ControlOrder::Hold);
    while !rig.control.status().at_rest {
        rig.arm.script().is_silent = !rig.now_ns.is_multiple_of(20 * MS);
        rig.tick();
    }
    rig.arm.script().is_silent = false;
    rig.run(1000);
    assert_eq!(rig.mode(), ControlMode::Holding);
}
