//! Robots that panic, fail or answer nonsense.

use vola_abi::{
    CallResult, CommandFrame, EmbodimentPartsAbi, FaultKind, ImageBufferAbi, StateFrame,
    StopCategory,
    abi_stable::std_types::{ROption, RSliceMut, RStr},
};
use vola_types::EmbodimentDescription;

use super::host::{LOG, assert_fault, robot};

fn opened(library: &str, name: &str) -> EmbodimentPartsAbi {
    robot(library, name)
        .open()
        .into_result()
        .unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn world(parts: &mut EmbodimentPartsAbi) -> &mut vola_abi::SimulationBox {
    match &mut parts.simulation {
        ROption::RSome(world) => world,
        ROption::RNone => panic!("no simulation"),
    }
}

fn grab(parts: &mut EmbodimentPartsAbi, width: u32, height: u32, bytes: usize) -> CallResult<()> {
    let mut pixels = vec![0; bytes];
    let data = RSliceMut::from_mut_slice(&mut pixels);
    parts.cameras[0].camera.grab(&mut ImageBufferAbi {
        width,
        height,
        capture_time_ns: 0,
        data,
    })
}

#[test]
fn a_panic_in_any_part_is_a_fault() {
    let check = |name: &str, entry: &str, call: fn(&mut EmbodimentPartsAbi) -> CallResult<()>| {
        let mut parts = opened("wrong", name);
        let text = format!("the plugin panicked in `{entry}`: on purpose: {name}");
        assert_fault(call(&mut parts).into_result(), FaultKind::Panic, &text);
        let again = call(&mut parts).into_result().unwrap_err();
        assert_eq!(
            again.message.as_str(),
            format!("not called again after an earlier panic ({text})")
        );
        // The other parts live on.
        if entry != "state" {
            assert_eq!(
                parts.actuator.state(&mut StateFrame::default()).is_ok(),
                !["command", "hold", "stop"].contains(&entry)
            );
        }
    };
    check("panic_in_state", "state", |it| {
        it.actuator.state(&mut StateFrame::default())
    });
    check("panic_in_command", "command", |it| {
        it.actuator.command(&CommandFrame::default())
    });
    check("panic_in_hold", "hold", |it| it.actuator.hold());
    check("panic_in_stop", "stop", |it| {
        it.actuator.stop(StopCategory::Two)
    });
    check("panic_in_grab", "grab", |it| grab(it, 4, 2, 24));
    check("panic_in_world_reset", "reset", |it| {
        world(it).reset(1, RStr::from("{}")).map(|_episode| ())
    });
    check("panic_in_step", "step", |it| world(it).step(1_000_000));
    let answer = robot("wrong", "panic_in_open")
        .open()
        .into_result()
        .map(|_parts| ());
    assert_fault(
        answer,
        FaultKind::Panic,
        "the plugin panicked in `open`: on purpose: panic_in_open",
    );
}

#[test]
fn a_panic_in_the_drop_of_a_part_is_logged() {
    drop(opened("wrong", "panic_in_part_drop"));
    let line = "Error plugin: the plugin panicked in `drop`: on purpose: panic_in_part_drop";
    let log = LOG.lock().unwrap();
    assert_eq!(
        log.iter().filter(|entry| *entry == line).count(),
        3,
        "{log:?}"
    );
}

#[test]
fn faults_of_a_description_are_named() {
    for (name, text) in [
        (
            "nan_limits",
            "joints[0].max_velocity (turn): expected a finite number > 0, got NaN",
        ),
        (
            "home_outside",
            "home[0] (turn): expected a position inside the joint's limits, got 1.5",
        ),
    ] {
        let text = format!("the description has 1 fault(s):\n  {text}");
        assert_fault(
            robot("wrong", name).describe().into_result(),
            FaultKind::Failed,
            &text,
        );
    }
}

#[test]
fn nonsense_arrives_unchanged_for_the_host_to_judge() {
    let state = |name| {
        let mut frame = StateFrame::default();
        opened("wrong", name)
            .actuator
            .state(&mut frame)
            .into_result()
            .map(|()| frame)
    };
    assert!(state("nan_state").unwrap().position[0].is_nan());
    assert_eq!(state("short_frame").unwrap().count, 1);
    assert_fault(
        state("error_in_state"),
        FaultKind::Failed,
        "the encoder does not answer",
    );
}

#[test]
fn a_picture_buffer_that_lies_about_its_size_never_reaches_the_author() {
    let mut parts = opened("mock", "arm");
    for (width, height, bytes) in [(8, 6, 143), (8, 6, 0), (u32::MAX, u32::MAX, 3)] {
        let fault = grab(&mut parts, width, height, bytes)
            .into_result()
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Input);
        assert!(
            fault.message.starts_with("image buffer: expected"),
            "{fault}"
        );
    }
    let fault = grab(&mut parts, 6, 8, 144).into_result().unwrap_err();
    assert_eq!(fault.message.as_str(), "picture: expected 8 × 6, got 6 × 8");
    grab(&mut parts, 8, 6, 144).into_result().unwrap();
}

#[test]
fn a_good_robot_describes_itself_and_does_what_it_is_told() {
    let mut arm = robot("mock", "arm");
    let text = arm.describe().into_result().unwrap();
    let description: EmbodimentDescription = serde_json::from_str(&text).unwrap();
    description.check().unwrap();
    let mut parts = arm.open().into_result().unwrap();
    world(&mut parts)
        .reset(3, RStr::from("{}"))
        .into_result()
        .unwrap();
    let mut command = CommandFrame {
        count: 3,
        ..CommandFrame::default()
    };
    command.position[..3].copy_from_slice(&[0.1, 0.2, 0.3]);
    parts.actuator.command(&command).into_result().unwrap();
    world(&mut parts).step(1_000_000).into_result().unwrap();
    let mut frame = StateFrame::default();
    parts.actuator.state(&mut frame).into_result().unwrap();
    assert_eq!(frame.positions(), [0.1, 0.2, 0.3]);
    assert_eq!(frame.capture_time_ns, 1_000_000);
    drop(parts);
    arm.deactivate().into_result().unwrap();
}
