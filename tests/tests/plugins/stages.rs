//! Stages that panic, fail or answer nonsense.

use std::time::{Duration, Instant};

use vola_abi::{FaultKind, abi_stable::std_types::RStr};

use super::host::{LOG, active_stage, assert_fault, call, floats, load, services, stage, values};

fn context() -> vola_abi::TensorAbi {
    floats("context", &[1, 3], &[1.0, 2.0, 3.0])
}

#[track_caller]
fn assert_panicked<T: std::fmt::Debug>(result: Result<T, vola_abi::FaultAbi>, entry: &str) {
    let text = format!("the plugin panicked in `{entry}`: on purpose: panic_in_{entry}");
    assert_fault(result, FaultKind::Panic, &text);
}

#[test]
fn a_panic_in_any_entry_is_a_fault() {
    let create = load("wrong").module().create_stage();
    let mut it = create(RStr::from("panic_in_configure"))
        .into_result()
        .unwrap();
    assert_panicked(it.configure(RStr::from("{}")).into_result(), "configure");
    let mut it = stage("wrong", "panic_in_activate", "{}");
    assert_panicked(it.activate(services()).into_result(), "activate");
    let mut it = stage("wrong", "panic_in_reset", "{}");
    assert_panicked(it.reset(0).into_result(), "reset");
    let mut it = active_stage("wrong", "panic_in_call");
    assert_panicked(call(&mut it, 0, &[context().lend()]), "call");
    let mut it = active_stage("wrong", "panic_in_deactivate");
    assert_panicked(it.deactivate().into_result(), "deactivate");
}

#[test]
fn a_faulted_instance_is_never_called_again_and_a_new_one_works() {
    let mut it = active_stage("wrong", "panic_in_call");
    call(&mut it, 0, &[context().lend()]).unwrap_err();
    assert_fault(
        it.reset(0).into_result(),
        FaultKind::Panic,
        "not called again after an earlier panic \
         (the plugin panicked in `call`: on purpose: panic_in_call)",
    );
    active_stage("wrong", "panic_in_call")
        .deactivate()
        .into_result()
        .unwrap();
}

/// As often as it happens: each instance is lost, the library and the host are not.
#[test]
fn a_hundred_panics_are_a_hundred_faults() {
    for _ in 0..100 {
        let mut it = active_stage("wrong", "panic_in_call");
        assert_panicked(call(&mut it, 0, &[context().lend()]), "call");
        drop(it);
        let mut it = stage("wrong", "panic_in_activate", "{}");
        assert_panicked(it.activate(services()).into_result(), "activate");
        drop(it);
        drop(active_stage("wrong", "panic_in_drop"));
    }
    let output = call(
        &mut active_stage("wrong", "nan_output"),
        0,
        &[context().lend()],
    );
    assert!(values(&output.unwrap()[0])[1].is_nan());
}

#[test]
fn a_panic_in_drop_is_logged() {
    let it = active_stage("wrong", "panic_in_drop");
    let line = "Error plugin: the plugin panicked in `drop`: on purpose: panic_in_drop";
    drop(it);
    let log = LOG.lock().unwrap();
    assert!(log.iter().any(|entry| entry == line), "{log:?}");
    // The panic hook of the library goes to the host's log, not to the terminal.
    assert!(
        log.iter()
            .any(|entry| entry.starts_with("Error panic: panicked at")),
        "{log:?}"
    );
}

#[test]
fn errors_cross_as_they_are() {
    let mut it = active_stage("wrong", "error_in_call");
    let answer = call(&mut it, 0, &[context().lend()]);
    assert_fault(answer, FaultKind::Failed, "the gears are stuck");
    // An error is no panic: the next call is made.
    let misshapen = floats("context", &[3], &[1.0; 3]);
    let answer = call(&mut it, 1, &[misshapen.lend()]);
    assert_fault(
        answer,
        FaultKind::Input,
        "context: expected [1, 3], got [3]",
    );
    let mut it = stage("wrong", "error_in_activate", "{}");
    assert_fault(
        it.activate(services()).into_result(),
        FaultKind::Failed,
        "weights: expected a file, got none",
    );
}

#[test]
fn nonsense_arrives_unchanged_for_the_host_to_judge() {
    let output = |name| call(&mut active_stage("wrong", name), 0, &[context().lend()]).unwrap();
    assert!(values(&output("nan_output")[0])[1].is_nan());
    assert_eq!(output("wrong_shape")[0].shape.as_slice(), [1, 1, 4, 3]);
    assert_eq!(output("wrong_name")[0].name.as_str(), "actoin");
    let started = Instant::now();
    output("slow");
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_good_chain_carries_numbers_through() {
    let state = floats("observation.state", &[1, 3], &[0.5, -0.5, 1.0]);
    let features = call(&mut active_stage("mock", "encode"), 0, &[state.lend()]).unwrap();
    let fused = call(&mut active_stage("mock", "fuse"), 0, &[features[0].lend()]).unwrap();
    let mut head = active_stage("mock", "act");
    let action = call(&mut head, 0, &[fused[0].lend()]).unwrap();
    assert_eq!(action[0].name.as_str(), "action");
    assert_eq!(action[0].shape.as_slice(), [1, 1, 8, 3]);
    assert_eq!(values(&action[0]), [0.5, -0.5, 1.0].repeat(8));
    assert_fault(
        call(&mut head, 5, &[fused[0].lend()]),
        FaultKind::Input,
        "step 5, expected 1",
    );
    head.reset(0).into_result().unwrap();
    call(&mut head, 0, &[fused[0].lend()]).unwrap();
}
