//! What the boundary costs, through a loaded library.
//!
//! Times are the best of many batches: what is asserted is the code's cost, not
//! the machine's load.

use std::time::{Duration, Instant};

use vola_abi::{
    CallContext, LoadedModule, StateFrame, TensorRefAbi,
    abi_stable::std_types::{ROption, RSlice, RStr},
};
use vola_tests::workspace;

use crate::plugins::host::{active_stage, floats, load, robot};

const BATCHES: usize = 200;
const CALLS: u32 = 1000;

/// Nanoseconds of one call: the best batch and the middle one.
fn nanos(mut call: impl FnMut()) -> (f64, f64) {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let started = Instant::now();
            (0..CALLS).for_each(|_| call());
            started.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    (batches[0], batches[BATCHES / 2])
}

#[test]
fn a_call_costs_less_than_150_ns() {
    let mut stage = active_stage("mock", "encode");
    let (reset, reset_p50) = nanos(|| stage.reset(1).into_result().unwrap());
    let mut parts = robot("mock", "arm").open().into_result().unwrap();
    let mut frame = StateFrame::default();
    let (state, state_p50) = nanos(|| parts.actuator.state(&mut frame).into_result().unwrap());
    println!(
        "boundary: reset {reset:.0} ns (p50 {reset_p50:.0}), state of three joints {state:.0} ns (p50 {state_p50:.0})"
    );
    assert!(reset <= 150.0, "reset: {reset:.0} ns");
    assert!(state <= 150.0, "state: {state:.0} ns");

    // A whole stage call: inputs checked, one tensor with name, shape and bytes
    // allocated by the plugin and freed by the host.
    let x = floats("observation.state", &[1, 3], &[1.0, 2.0, 3.0]);
    let inputs = [x.lend()];
    let context = CallContext::default();
    let (call, call_p50) = nanos(|| {
        let outputs = stage
            .call(&context, RSlice::from_slice(&inputs))
            .into_result()
            .unwrap();
        assert_eq!(outputs.len(), 1);
    });
    println!(
        "boundary: stage call with one small tensor in and out {call:.0} ns (p50 {call_p50:.0})"
    );
    assert!(call <= 1000.0, "call: {call:.0} ns");
}

#[test]
fn a_megabyte_crosses_without_a_copy() {
    let mut stage = active_stage("mock", "remember");
    let pixels = vec![0.25_f32; 1 << 18];
    let bytes: &[u8] = &pixels
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect::<Vec<u8>>();
    let shape = [1, 1 << 18];
    let lend = |name: &'static str| TensorRefAbi {
        name: RStr::from(name),
        dtype: vola_abi::TensorAbi::dtype_code(vola_types::DType::F32),
        shape: RSlice::from_slice(&shape),
        bytes: RSlice::from_slice(bytes),
        resident: ROption::RNone,
    };
    let inputs = [lend("x"), lend("tell")];
    let outputs = stage
        .call(&CallContext::default(), RSlice::from_slice(&inputs))
        .into_result()
        .unwrap();
    let seen = i64::from_le_bytes(outputs[1].bytes.as_slice().try_into().unwrap());
    assert_eq!(seen as usize, bytes.as_ptr().addr());
}

#[test]
fn loading_takes_less_than_5_ms() {
    load("mock");
    let folder = tempfile::tempdir().unwrap();
    // Each copy is a library of its own for the system's loader.
    let took: Vec<Duration> = (0..10)
        .map(|index| {
            let copy = folder.path().join(format!("copy_{index}.so"));
            std::fs::copy(workspace().library("mock"), &copy).unwrap();
            let started = Instant::now();
            let loaded = LoadedModule::load(&copy).unwrap();
            assert_eq!(loaded.manifest().unwrap().library, "mock");
            started.elapsed()
        })
        .collect();
    let best = took.iter().min().copied().unwrap_or_default();
    println!(
        "boundary: loading {best:?} at best, {:?} at worst",
        took.iter().max()
    );
    assert!(best <= Duration::from_millis(5), "{best:?}");
}
