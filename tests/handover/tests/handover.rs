//! What threads hand over without a lock, under every order of their steps.
//!
//! The same source files as in the library, with the model checker's atomics in
//! place of the machine's. Orders and status go through single-producer queues
//! and newest-value buffers of other crates, which bring their own tests.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "two files of the library, included with other atomics"
)]

mod sync {
    pub(crate) use loom::sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    };
}

#[path = "../../../core/runtime/src/heartbeat.rs"]
mod heartbeat;
#[path = "../../../core/runtime/src/stop_switch.rs"]
mod stop_switch;

use heartbeat::{HeartbeatKind, Heartbeats};
use stop_switch::{StopLevel, StopSwitch};

const MS: u64 = 1_000_000;

#[test]
fn the_strongest_stop_wins_whoever_is_first() {
    loom::model(|| {
        let switch = StopSwitch::default();
        let hands = [StopLevel::Hold, StopLevel::CutPower].map(|level| {
            let switch = switch.clone();
            loom::thread::spawn(move || switch.demand(level))
        });
        // The control loop looks meanwhile: what it sees only grows.
        let first = switch.level();
        assert!(switch.level() >= first);
        for hand in hands {
            hand.join().unwrap();
        }
        assert_eq!(switch.level(), StopLevel::CutPower);
    });
}

#[test]
fn a_stop_is_seen_with_everything_that_was_written_before_it() {
    loom::model(|| {
        let switch = StopSwitch::default();
        let reason = loom::sync::Arc::new(loom::sync::atomic::AtomicU64::new(0));
        let hand = {
            let (switch, reason) = (switch.clone(), loom::sync::Arc::clone(&reason));
            loom::thread::spawn(move || {
                reason.store(7, loom::sync::atomic::Ordering::Relaxed);
                switch.demand(StopLevel::ControlledStop);
            })
        };
        if switch.is_thrown() {
            assert_eq!(reason.load(loom::sync::atomic::Ordering::Relaxed), 7);
        }
        hand.join().unwrap();
    });
}

#[test]
fn a_stop_is_never_released_unseen() {
    loom::model(|| {
        let switch = StopSwitch::default();
        let hand = {
            let switch = switch.clone();
            loom::thread::spawn(move || switch.demand(StopLevel::ControlledStop))
        };
        let sentence = {
            let switch = switch.clone();
            loom::thread::spawn(move || switch.release())
        };
        // The control loop looks once meanwhile.
        let seen = switch.level() == StopLevel::ControlledStop;
        if seen {
            switch.obeyed(StopLevel::ControlledStop);
        }
        hand.join().unwrap();
        sentence.join().unwrap();
        // Obeyed, or still there for the next look.
        assert!(seen || switch.level() == StopLevel::ControlledStop);
    });
}

#[test]
fn silence_is_found_and_a_beat_at_any_moment_is_heard() {
    loom::model(|| {
        let mut watched = Heartbeats::default();
        let beat = watched.expect(HeartbeatKind::Operator, 100 * MS);
        assert_eq!(watched.silent(0), None);
        let hand = loom::thread::spawn(move || {
            beat.beat();
            beat
        });
        // Before or after the beat: never silent yet.
        assert_eq!(watched.silent(100 * MS), None);
        let beat = hand.join().unwrap();
        // The beat counts from when it was first seen, at most 100 ms ago.
        assert_eq!(watched.silent(101 * MS), None);
        assert_eq!(watched.silent(250 * MS), Some(HeartbeatKind::Operator));
        beat.end();
        assert_eq!(watched.silent(500 * MS), None);
    });
}
