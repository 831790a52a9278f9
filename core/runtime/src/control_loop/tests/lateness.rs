//! Ticks that come late, or not at all.

use proptest::prelude::*;

use super::*;
use crate::tick_clock::TickSchedule;

#[test]
fn nineteen_missed_ticks_are_bridged_and_twenty_stop_a_moving_arm() {
    for (missed, stops) in [(1, false), (19, false), (20, true), (200, true)] {
        let mut rig = Rig::moving();
        rig.now_ns += missed * MS;
        rig.tick();
        if stops {
            // The miss itself is told as well.
            let told = rig.told.pop().unwrap();
            assert_eq!(told.kind, ControlEventKind::TicksMissed { missed });
            while rig
                .told
                .peek()
                .is_ok_and(|event| matches!(event.kind, ControlEventKind::SuccessRate { .. }))
            {
                drop(rig.told.pop());
            }
            rig.assert_stopped(StopCause::TicksMissed, StopCategory::One);
        } else {
            assert_eq!(rig.mode(), ControlMode::Following, "{missed}");
        }
    }
    let mut resting = Rig::new();
    resting.run(5);
    resting.now_ns += 500 * MS;
    resting.run(5);
    assert_eq!(resting.mode(), ControlMode::Holding);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However late the thread wakes up, one wake-up sends one command, and no
    /// command is further from the last than the limits allow for one tick.
    #[test]
    fn lateness_never_becomes_a_jump_or_a_burst(
        lateness in prop::collection::vec(
            prop_oneof![20 => 0..MS, 2 => MS..10 * MS, 1 => 10 * MS..200 * MS], 300..1200),
    ) {
        let mut rig = Rig::with("[control]\nmissed_ticks = 1000");
        rig.run(2);
        rig.swing(u64::MAX);
        let mut schedule = TickSchedule::new(rig.now_ns, MS);
        let before = rig.arm.script().commands.len();
        let wake_ups = lateness.len();
        for late in lateness {
            let now_ns = schedule.due_ns() + late;
            schedule.begin(now_ns);
            rig.control.tick(now_ns / MS * MS);
            prop_assert!(!matches!(rig.mode(), ControlMode::Stopped(_)), "{:?}", rig.mode());
        }
        let commands = rig.arm.script().commands.clone();
        prop_assert_eq!(commands.len() - before, wake_ups);
        let period = 1e-3;
        let slack = 1.0 + 1e-6;
        for joint in 0..2 {
            let q = |tick: usize| commands[tick][joint];
            for tick in 3..commands.len() {
                let v = |tick: usize| (q(tick) - q(tick - 1)) / period;
                let a = |tick: usize| (v(tick) - v(tick - 1)) / period;
                let j = (a(tick) - a(tick - 1)) / period;
                prop_assert!(v(tick).abs() <= VELOCITY * slack);
                prop_assert!(a(tick).abs() <= ACCELERATION * slack);
                prop_assert!(j.abs() <= JERK * slack + 1e-3, "{}", j);
            }
        }
    }
}
