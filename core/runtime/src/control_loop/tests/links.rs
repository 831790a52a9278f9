//! The link to the robot is dead for a while, or gives states twice or in another
//! order.

use super::*;

/// Longest time without a new state that is bridged, and the shortest that surely
/// stops (ticks): with states that come out of order the last one may be old.
const BRIDGED: u64 = 19;
const TOO_LONG: u64 = 22;

/// A moving arm whose link is dead for so long.
fn after_a_gap(delivery: Delivery, gap: u64) -> Rig {
    let mut rig = Rig::moving();
    rig.arm.script().delivery = delivery;
    rig.run(20);
    assert_eq!(rig.mode(), ControlMode::Following, "{delivery:?}");
    rig.arm.script().is_silent = true;
    rig.run(gap);
    rig.arm.script().is_silent = false;
    rig.run(100);
    rig
}

#[test]
fn a_link_that_is_dead_for_up_to_19_ms_is_bridged_and_a_longer_gap_stops_the_arm_for_good() {
    let gaps = (1..=30).chain([40, 60, 100, 200, 500, 1000]);
    let deliveries = [Delivery::InOrder, Delivery::Twice, Delivery::Swapped];
    let cases = gaps.flat_map(|gap| deliveries.map(|delivery| (gap, delivery)));
    let stopped = ControlMode::Stopped(StopCause::StateStale);
    for (gap, delivery) in cases {
        let mut rig = after_a_gap(delivery, gap);
        let slack = u64::from(delivery != Delivery::InOrder);
        if gap <= BRIDGED - slack {
            assert_eq!(rig.mode(), ControlMode::Following, "{gap} ms, {delivery:?}");
            assert!(rig.told().is_empty(), "{gap} ms, {delivery:?}");
        } else if gap >= TOO_LONG {
            assert_eq!(rig.mode(), stopped, "{gap} ms, {delivery:?}");
        }
        if rig.mode() == stopped {
            // The link is back, and nothing moves until somebody says so.
            assert_eq!(rig.arm.script().stops, [StopCategory::One]);
            rig.run(300);
            let rest = rig.arm.script().commands.last().copied();
            rig.swing(u64::MAX);
            rig.run(100);
            assert_eq!(rig.mode(), stopped, "{gap} ms, {delivery:?}");
            assert_eq!(rig.arm.script().commands.last().copied(), rest);
            rig.control.order(ControlOrder::Reset);
            assert_eq!(rig.mode(), ControlMode::Holding, "{gap} ms, {delivery:?}");
        }
        let (velocity, acceleration) = steepest(&rig.arm.script().commands);
        assert!(velocity <= VELOCITY * (1.0 + 1e-6), "{gap} ms: {velocity}");
        let most = ACCELERATION * (1.0 + 1e-6);
        assert!(acceleration <= most, "{gap} ms: {acceleration}");
    }
}
