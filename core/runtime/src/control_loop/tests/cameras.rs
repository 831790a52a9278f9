//! Cameras that fall silent or freeze while a path is followed, whoever made it.

use super::*;
use crate::{authority::Authority, camera_pulse::PulseWriter};

/// A rig whose camera is read, and the hand that takes its pictures.
fn seeing() -> (Rig, PulseWriter) {
    let mut rig = Rig::new();
    rig.cameras.expect("front");
    let camera = rig.cameras.writer("front").unwrap();
    rig.run(5);
    (rig, camera)
}

/// Ticks with a picture every 33 ms.
fn run(rig: &mut Rig, camera: &mut PulseWriter, ticks: u64) {
    for tick in 0..ticks {
        if tick % 33 == 0 {
            camera.take(rig.now_ns, &rig.now_ns.to_le_bytes());
        }
        rig.tick();
    }
}

#[test]
fn a_silent_camera_stops_an_arm_that_follows_a_path_within_ten_milliseconds() {
    let (mut rig, mut camera) = seeing();
    rig.swing(u64::MAX);
    run(&mut rig, &mut camera, 331);
    assert_eq!(rig.mode(), ControlMode::Following);
    // The last picture came just before.
    let ticks = rig.ticks_in(ControlMode::Following, 1000);
    assert!((500..=516).contains(&ticks), "{ticks}");
    rig.assert_stopped(StopCause::CameraSilent, StopCategory::One);
}

#[test]
fn a_frozen_camera_stops_an_arm_that_moves_on() {
    let (mut rig, mut camera) = seeing();
    rig.swing(u64::MAX);
    run(&mut rig, &mut camera, 300);
    let found = (0..1000).find(|tick| {
        if tick % 33 == 0 {
            camera.take(rig.now_ns, &[7; 8]);
        }
        rig.tick();
        rig.mode() != ControlMode::Following
    });
    assert!(
        found.is_some_and(|tick| (99..700).contains(&tick)),
        "{found:?}"
    );
    // It shows something new again.
    camera.take(rig.now_ns, &[8; 8]);
    rig.assert_stopped(StopCause::CameraFrozen, StopCategory::One);
}

#[test]
fn nobody_stops_for_a_camera_that_nothing_moves_by() {
    // One that nobody reads, and one that never gave a picture.
    let mut rig = Rig::moving();
    let mut camera = rig.cameras.writer("front").unwrap();
    camera.take(rig.now_ns, &[1; 8]);
    rig.run(1000);
    assert_eq!(rig.mode(), ControlMode::Following);
    let mut rig = Rig::moving();
    rig.cameras.expect("front");
    rig.run(1000);
    assert_eq!(rig.mode(), ControlMode::Following);
    // An arm that stands; and in a new scene the silence before does not count.
    let (mut rig, mut camera) = seeing();
    run(&mut rig, &mut camera, 40);
    rig.run(2000);
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.control.order(ControlOrder::NewWorld);
    rig.control.order(ControlOrder::Reset);
    rig.swing(u64::MAX);
    rig.run(400);
    assert_eq!(rig.mode(), ControlMode::Following);
}

#[test]
fn a_person_may_move_the_arm_away_from_a_broken_camera() {
    let (mut rig, mut camera) = seeing();
    run(&mut rig, &mut camera, 40);
    let person = rig.authority.pass_to(Authority::Operator);
    rig.swing_as(person, u64::MAX);
    rig.run(1500);
    assert_eq!(rig.mode(), ControlMode::Following);
}
