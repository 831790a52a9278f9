//! A plugin gives the same bytes in its own process as in this one, and reads
//! its inputs where they lie.

use std::time::{Duration, Instant};

use vola_abi::{
    StageBox, TensorAbi, TensorRefAbi,
    abi_stable::std_types::{ROption, RSlice, RStr},
};
use vola_types::DType;

use super::{Hosting, PATIENT};
use crate::plugins::host::{active_stage, call, floats};

fn plain(tensors: &[TensorAbi]) -> Vec<(String, u8, Vec<u64>, Vec<u8>)> {
    tensors
        .iter()
        .map(|it| {
            let (shape, bytes) = (it.shape.to_vec(), it.bytes.to_vec());
            (it.name.to_string(), it.dtype, shape, bytes)
        })
        .collect()
}

#[test]
fn encoder_fusion_and_head_give_the_same_bytes() {
    let hosting = Hosting::of("mock", PATIENT);
    // Values whose last bits would show any detour through text.
    let state = floats("observation.state", &[1, 3], &[0.1, -1.0 / 3.0, 1e-42]);
    let mut passed = vec![state];
    for name in ["encode", "fuse", "act"] {
        let (mut isolated, _) = hosting.stage(name, "{}");
        let mut here = active_stage("mock", name);
        let mut last = Vec::new();
        for step in 0..3 {
            let inputs: Vec<TensorRefAbi<'_>> = passed.iter().map(TensorAbi::lend).collect();
            let there = call(&mut isolated, step, &inputs).unwrap();
            let expected = call(&mut here, step, &inputs).unwrap();
            assert_eq!(plain(&there), plain(&expected), "{name}");
            last = there.into_vec();
        }
        passed = last;
    }
    assert_eq!(passed[0].name.as_str(), "action");
}

#[test]
fn faults_cross_as_they_are() {
    let hosting = Hosting::of("mock", PATIENT);
    let (mut isolated, health) = hosting.stage("act", "{}");
    let mut here = active_stage("mock", "act");
    let context = floats("context", &[1, 2], &[1.0, 2.0]);
    let there = call(&mut isolated, 0, &[context.lend()]).unwrap_err();
    assert_eq!(there, call(&mut here, 0, &[context.lend()]).unwrap_err());
    assert_eq!(health.losses(), 0, "a plugin's own fault costs no process");
    let settings = isolated.configure(RStr::from("[]")).into_result();
    assert_eq!(settings, here.configure(RStr::from("[]")).into_result());
    // A resident tensor is nothing that another process could read.
    let (mut remember, _) = hosting.stage("remember", "{}");
    let x = floats("x", &[1, 4], &[1.0; 4]);
    let fault = call(&mut remember, 0, &[x.lend()]).unwrap_err();
    assert!(
        fault.message.contains("resident tensor cannot leave"),
        "{}",
        fault.message
    );
}

/// A u8 tensor over bytes that lie wherever they lie.
fn lent<'a>(name: &'a str, shape: &'a [u64], bytes: &'a [u8]) -> TensorRefAbi<'a> {
    TensorRefAbi {
        name: RStr::from(name),
        dtype: TensorAbi::dtype_code(DType::U8),
        shape: RSlice::from_slice(shape),
        bytes: RSlice::from_slice(bytes),
        resident: ROption::RNone,
    }
}

fn seen(tensors: &[TensorAbi]) -> [i64; 2] {
    let mut words = tensors[0].bytes.chunks_exact(8);
    let mut next = || i64::from_le_bytes(words.next().unwrap().try_into().unwrap());
    [next(), next()]
}

#[test]
fn buffers_of_the_pool_are_read_in_place() {
    let hosting = Hosting::of("mock", PATIENT);
    let (mut stage, _) = hosting.stage("look", "{}");
    let mut buffers: Vec<_> = (0..3)
        .map(|_| hosting.pool.buffer(1 << 20).unwrap())
        .collect();
    for (value, buffer) in (1..).zip(&mut buffers) {
        buffer.fill(value);
    }
    let shape = [1, 1 << 20];
    let tell = floats("tell", &[1], &[1.0]);
    let mut addresses = Vec::new();
    for (value, buffer) in (1..).zip(&buffers) {
        let x = lent("x", &shape, buffer);
        let [sum, address] = seen(&call(&mut stage, 0, &[x, tell.lend()]).unwrap());
        assert_eq!(sum, value * 256);
        addresses.push(address);
    }
    // In the child they lie as far apart as here: the same pages, no copies.
    for (pair, here) in addresses.windows(2).zip(buffers.windows(2)) {
        let apart = here[1].as_ptr().addr() - here[0].as_ptr().addr();
        assert_eq!(pair[1] - pair[0], i64::try_from(apart).unwrap());
    }
    // What is written into the buffer, the child sees at its next call.
    buffers[0].fill(9);
    let x = lent("x", &shape, &buffers[0]);
    let [sum, address] = seen(&call(&mut stage, 0, &[x, tell.lend()]).unwrap());
    assert_eq!((sum, address), (9 * 256, addresses[0]));
    // Bytes from elsewhere are copied into the pool first, and are as right.
    let heap = vec![2; 1 << 20];
    let x = lent("x", &shape, &heap);
    assert_eq!(seen(&call(&mut stage, 0, &[x]).unwrap()), [2 * 256, 0]);
}

/// Rounds whose middle difference is told, and calls of each kind in a round.
const ROUNDS: usize = 5;
const CALLS: usize = 2000;

/// Times of calls with these bytes, shortest first.
fn times(stage: &mut StageBox, bytes: &[u8]) -> Vec<Duration> {
    let shape = [1, bytes.len() as u64];
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let begun = Instant::now();
            call(stage, 0, &[lent("x", &shape, bytes)]).unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times
}

/// Calls of each kind in a round that come as far apart as a policy's, and how
/// far.
const APART_CALLS: usize = 60;
const APART: Duration = Duration::from_millis(20);

/// Times of calls in this process and in another, in turn, each kind as far
/// apart; shortest first.
fn times_apart(here: &mut StageBox, isolated: &mut StageBox, bytes: &[u8]) -> [Vec<Duration>; 2] {
    let shape = [1, bytes.len() as u64];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..APART_CALLS {
        for (stage, times) in [&mut *here, &mut *isolated].into_iter().zip(&mut times) {
            std::thread::sleep(APART / 2);
            let begun = Instant::now();
            call(stage, 0, &[lent("x", &shape, bytes)]).unwrap();
            times.push(begun.elapsed());
        }
    }
    times.iter_mut().for_each(|it| it.sort());
    times
}

/// Prints what a kind of call costs, and what it costs more than in this process:
/// for each round the times here and there, shortest first.
fn print_cost(what: &str, rounds: &[(&[Duration], &[Duration])]) {
    let calls = rounds[0].1.len();
    let mut all: Vec<Duration> = rounds
        .iter()
        .flat_map(|(_, there)| there.to_vec())
        .collect();
    all.sort();
    let (p50, p99) = (all[all.len() / 2], all[all.len() * 99 / 100]);
    let mut more: Vec<Duration> = rounds
        .iter()
        .map(|(here, there)| there[calls / 2].saturating_sub(here[calls / 2]))
        .collect();
    more.sort();
    let middle = more[rounds.len() / 2];
    println!(
        "a call {what}: p50 {p50:?}, p99 {p99:?}; more than in this process {middle:?}, the middle of {} trials of {calls} calls",
        rounds.len()
    );
}

/// One difference of two medians is as much the machine's moment as the call's:
/// every round measures all kinds, and the middle of the differences is told.
#[test]
fn the_cost_of_a_call_is_printed() {
    let hosting = Hosting::of("mock", PATIENT);
    let (mut isolated, _) = hosting.stage("look", "{}");
    let mut here = active_stage("mock", "look");
    let buffer = hosting.pool.buffer(1 << 20).unwrap();
    let heap = vec![0_u8; 1 << 20];
    let rounds: Vec<[Vec<Duration>; 5]> = (0..ROUNDS)
        .map(|_| {
            let in_a_row = [
                times(&mut here, &buffer),
                times(&mut isolated, &buffer),
                times(&mut isolated, &heap),
            ];
            let [here, there] = times_apart(&mut here, &mut isolated, &buffer);
            let [first, second, third] = in_a_row;
            [first, second, third, here, there]
        })
        .collect();
    for (what, here, there) in [
        ("in this process", 0, 0),
        ("in its own, 1 MiB in the pool", 0, 1),
        ("in its own, 1 MiB copied into the pool", 0, 2),
        ("in this process, calls 20 ms apart", 3, 3),
        ("in its own, 1 MiB in the pool, calls 20 ms apart", 3, 4),
    ] {
        let rounds: Vec<(&[Duration], &[Duration])> = rounds
            .iter()
            .map(|it| (it[here].as_slice(), it[there].as_slice()))
            .collect();
        print_cost(what, &rounds);
    }
}
