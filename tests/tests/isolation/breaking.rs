//! Children that crash, hang, leave or eat memory.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use super::{Hosting, MEMORY_MIB, PATIENT, SHORT};
use crate::plugins::host::{call, floats, values};
use vola_abi::FaultKind;

/// Kills and hangs of the quick tier.
const ROUNDS: usize = 20;

/// More where the environment asks for them.
fn rounds() -> usize {
    let asked = std::env::var("VOLA_ISOLATION_ROUNDS").ok();
    asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS)
        .max(1)
}

fn x() -> vola_abi::TensorAbi {
    floats("x", &[1, 2], &[1.5, -2.0])
}

#[test]
fn every_way_to_break_is_a_fault_and_a_new_child_follows() {
    for (way, words) in [
        ("panic", "on purpose"),
        ("segfault", "SIGSEGV"),
        ("abort", "SIGABRT"),
        ("exit", "exit code 7"),
        ("hang", "no answer within"),
        ("eat_memory", "SIGABRT"),
        ("overflow_stack", "SIGABRT"),
    ] {
        let call_deadline = if way == "hang" { SHORT } else { PATIENT };
        let hosting = Hosting::of("mock", call_deadline);
        let settings = format!(r#"{{"way":"{way}","at":1}}"#);
        let (mut stage, health) = hosting.stage("break", &settings);
        let x = x();
        for round in 0..4_u32 {
            // The first call of a child is well, its second breaks.
            let made = call(&mut stage, 0, &[x.lend()]).unwrap_or_else(|fault| {
                panic!("{way}, round {round}: {}", fault.message);
            });
            assert_eq!(values(&made[0]), [3.0, -4.0], "{way}");
            let fault = call(&mut stage, 1, &[x.lend()]).unwrap_err();
            assert!(fault.message.contains(words), "{way}: {}", fault.message);
            assert_eq!(health.losses(), round + 1, "{way}");
            assert_eq!(health.is_given_up(), round == 3, "{way}");
            if round < 3 {
                stage.reset(u64::from(round)).into_result().unwrap();
            }
        }
        for _ in 0..2 {
            let fault = call(&mut stage, 0, &[x.lend()]).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Failed, "{way}");
            let words = "replaced 3 times and is not started again";
            assert!(fault.message.contains(words), "{way}: {}", fault.message);
        }
    }
}

/// The bound is the one that was set, not what the machine has.
#[test]
fn a_child_may_take_the_memory_that_it_was_given_and_no_more() {
    let hosting = Hosting::of("mock", PATIENT);
    let (mut stage, health) = hosting.stage("break", r#"{"way":"fill_memory","at":9}"#);
    let x = x();
    for step in 0..2 {
        let made = call(&mut stage, step, &[x.lend()]).unwrap();
        let mib = values(&made[0])[0];
        // Program, libraries and shared memory count as well.
        println!("a child with {MEMORY_MIB} MiB could take {mib} MiB");
        assert!(mib > 100.0 && mib < MEMORY_MIB as f32, "{mib}");
    }
    // Whoever asks first lives on.
    assert_eq!(health.losses(), 0);
}

#[test]
fn steps_go_on_with_a_new_child_that_knows_nothing_of_the_old_ones() {
    let hosting = Hosting::of("mock", PATIENT);
    let (mut stage, _) = hosting.stage("break", r#"{"way":"exit","at":2}"#);
    let x = x();
    for step in 0..2 {
        call(&mut stage, step, &[x.lend()]).unwrap();
    }
    call(&mut stage, 2, &[x.lend()]).unwrap_err();
    // The runtime counts on; the plugin, which checks its own count, does too.
    for step in 3..5 {
        let made = call(&mut stage, step, &[x.lend()]).unwrap();
        assert_eq!(values(&made[0]), [3.0, -4.0], "{step}");
    }
}

/// Kills from outside while the child is idle: the alarm tells of it, the next
/// call is a fault although a child could be had, and only then one is.
#[test]
fn a_killed_child_is_noticed_while_nobody_calls_it() {
    let hosting = Hosting::of("mock", PATIENT);
    let x = x();
    let mut noticed = Vec::new();
    for round in 0..rounds() {
        let (mut stage, health) = hosting.stage("break", "{}");
        call(&mut stage, 0, &[x.lend()]).unwrap();
        let child = newest_child();
        let killed = Instant::now();
        let status = Command::new("kill").args(["-9", &child]).status().unwrap();
        assert!(status.success(), "round {round}");
        let end = hosting.ends.recv_timeout(Duration::from_secs(10)).unwrap();
        noticed.push(end.at.saturating_duration_since(killed));
        assert_eq!(end.how, "killed (SIGKILL)");
        assert!(end.who.contains("`break`"), "{}", end.who);
        let fault = call(&mut stage, 1, &[x.lend()]).unwrap_err();
        assert!(fault.message.contains("SIGKILL"), "{}", fault.message);
        assert_eq!(health.losses(), 1);
        call(&mut stage, 2, &[x.lend()]).unwrap();
    }
    noticed.sort();
    println!(
        "killed child noticed (with the start of `kill`): p50 {:?}, max {:?} of {} trials",
        noticed[noticed.len() / 2],
        noticed[noticed.len() - 1],
        noticed.len()
    );
}

/// A hang is noticed at the call's deadline.
#[test]
fn a_hung_child_is_ended_at_its_deadline() {
    let mut late = Vec::new();
    let hosting = Hosting::of("mock", Duration::from_millis(20));
    let x = x();
    for _ in 0..rounds() {
        let (mut stage, _) = hosting.stage("break", r#"{"way":"hang"}"#);
        let begun = Instant::now();
        let fault = call(&mut stage, 0, &[x.lend()]).unwrap_err();
        late.push(begun.elapsed().saturating_sub(Duration::from_millis(20)));
        assert!(
            fault.message.contains("no answer within"),
            "{}",
            fault.message
        );
    }
    late.sort();
    println!(
        "hung child noticed after its deadline: p50 {:?}, max {:?} of {} trials",
        late[late.len() / 2],
        late[late.len() - 1],
        late.len()
    );
    assert!(
        hosting.ends.try_recv().is_err(),
        "an end that was asked for"
    );
}

#[test]
fn children_leave_with_their_parent_s_stage() {
    let hosting = Hosting::of("mock", SHORT);
    let before = children().len();
    let (stage, _) = hosting.stage("break", "{}");
    let own = newest_child();
    drop(stage);
    assert!(!children().contains(&own), "{before} before");
}

/// Process ids of this thread's children that host plugins.
fn children() -> Vec<String> {
    let list = std::fs::read_to_string("/proc/thread-self/children").unwrap();
    list.split_whitespace().map(ToOwned::to_owned).collect()
}

/// This thread started it last; tests have a thread each.
pub(super) fn newest_child() -> String {
    children().pop().unwrap()
}
