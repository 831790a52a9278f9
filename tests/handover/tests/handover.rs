//! What threads hand over without a lock, under every order of their steps.
//!
//! The same source files as in the library, with the model checker's atomics in
//! place of the machine's. Orders and status go through single-producer queues
//! and newest-value buffers of other crates, which bring their own tests.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "files of the libraries, included with other atomics"
)]

mod sync {
    pub(crate) use loom::sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence},
    };

    /// A reader that was overtaken gives up at once: more tries show nothing new.
    pub(crate) const READ_TRIES: usize = 1;
}

#[path = "../../../core/runtime/src/authority.rs"]
mod authority;
#[path = "../../../core/runtime/src/heartbeat.rs"]
mod heartbeat;
#[path = "../../../embodiments/tabletop/src/parts/newest_slot.rs"]
mod newest_slot;
#[path = "../../../core/isolation/src/shared_words.rs"]
mod shared_words;
#[path = "../../../core/runtime/src/stop_switch.rs"]
mod stop_switch;

use authority::{Authority, AuthorityWord};
use heartbeat::{HeartbeatKind, Heartbeats};
use newest_slot::NewestSlot;
use shared_words::{NewestWords, OrderList, SharedWords};
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
fn of_two_who_pass_the_authority_on_at_once_one_has_it() {
    use Authority::{Operator, Policy};
    for pair in [[Policy, Operator], [Operator, Operator]] {
        loom::model(move || {
            let word = AuthorityWord::default();
            let first = word.mandate();
            let hands = pair.map(|who| {
                let word = word.clone();
                loom::thread::spawn(move || word.pass_to(who))
            });
            let mandates = hands.map(|hand| hand.join().unwrap());
            let confirmed = mandates.iter().filter(|it| word.confirms(**it)).count();
            assert_eq!(confirmed, 1, "{mandates:?}");
            assert!(!word.confirms(first));
        });
    }
}

/// The control loop, and a person who takes over: the policy's mandate never comes
/// back to life.
#[test]
fn a_mandate_is_over_for_good_once_the_new_term_was_seen() {
    loom::model(|| {
        let word = AuthorityWord::default();
        let policy = word.mandate();
        let person = {
            let word = word.clone();
            loom::thread::spawn(move || word.pass_to(Authority::Operator))
        };
        let mut is_over = false;
        for _ in 0..3 {
            is_over |= word.mandate() != policy;
            assert!(!(is_over && word.confirms(policy)), "an old term runs again");
        }
        let operator = person.join().unwrap();
        assert!(word.confirms(operator) && !word.confirms(policy));
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

/// Words as two processes share them.
struct Memory(Vec<loom::sync::atomic::AtomicU64>);

impl Memory {
    fn new(words: usize) -> loom::sync::Arc<Self> {
        let word = |_| loom::sync::atomic::AtomicU64::new(0);
        loom::sync::Arc::new(Self((0..words).map(word).collect()))
    }
}

impl SharedWords for Memory {
    fn word(&self, index: usize) -> &loom::sync::atomic::AtomicU64 {
        &self.0[index]
    }
}

/// Every order of steps with at most so many threads interrupted.
fn model(interruptions: usize, check: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.check(check);
}

/// Three writes: the third goes where the first one lies.
#[test]
fn a_frame_is_read_whole_or_not_at_all() {
    const FRAME: NewestWords = NewestWords { at: 0, words: 2 };
    model(4, || {
        let memory = Memory::new(FRAME.end());
        let writer = {
            let memory = loom::sync::Arc::clone(&memory);
            loom::thread::spawn(move || {
                for value in 1..=3 {
                    FRAME.write(&*memory, [value, 10 * value].into_iter());
                }
            })
        };
        let (mut words, mut last) = ([0; 2], 0);
        for _ in 0..2 {
            if let Some(write) = FRAME.read(&*memory, &mut words) {
                assert_eq!(words, [write, 10 * write], "half a frame");
                assert!(write >= last, "an older frame after a newer one");
                last = write;
            }
        }
        writer.join().unwrap();
        assert_eq!(FRAME.read(&*memory, &mut words), Some(3));
        assert_eq!(words, [3, 30]);
    });
}

#[test]
fn orders_are_taken_once_and_in_their_order_and_the_newest_is_never_lost() {
    const ORDERS: OrderList = OrderList { at: 0, room: 4 };
    model(4, || {
        let memory = Memory::new(ORDERS.end());
        let runtime = {
            let memory = loom::sync::Arc::clone(&memory);
            loom::thread::spawn(move || (1..=3).for_each(|order| ORDERS.push(&*memory, order)))
        };
        let (mut taken, mut seen) = (0, Vec::new());
        for _ in 0..2 {
            seen.extend(ORDERS.next(&*memory, &mut taken));
        }
        runtime.join().unwrap();
        seen.extend(std::iter::from_fn(|| ORDERS.next(&*memory, &mut taken)));
        assert_eq!(seen, [1, 2, 3]);
    });
}

/// A command that was written before a stop is not carried out after it: it
/// tells the number of orders before it.
#[test]
fn an_order_is_seen_by_who_sees_the_command_that_follows_it() {
    const ORDERS: OrderList = OrderList { at: 0, room: 2 };
    const COMMAND: NewestWords = NewestWords {
        at: ORDERS.end(),
        words: 1,
    };
    model(4, || {
        let memory = Memory::new(COMMAND.end());
        let runtime = {
            let memory = loom::sync::Arc::clone(&memory);
            loom::thread::spawn(move || {
                ORDERS.push(&*memory, 7);
                COMMAND.write(&*memory, std::iter::once(ORDERS.given(&*memory)));
            })
        };
        let mut words = [0];
        if COMMAND.read(&*memory, &mut words) == Some(1) {
            assert_eq!(words, [1]);
            assert_eq!(ORDERS.next(&*memory, &mut 0), Some(7));
        }
        runtime.join().unwrap();
    });
}

/// What crosses between the simulated world's threads.
#[test]
fn a_state_of_the_simulated_arm_is_read_whole_or_not_at_all() {
    model(4, || {
        let slot = loom::sync::Arc::new(NewestSlot::new(2));
        let writer = {
            let slot = loom::sync::Arc::clone(&slot);
            loom::thread::spawn(move || {
                for time in 1..=3_u32 {
                    slot.write(time.into(), std::iter::once(f64::from(time)));
                }
            })
        };
        let (mut time_ns, mut values) = (0, [0.0]);
        if let Some(write) = slot.read(&mut time_ns, &mut values) {
            assert_eq!((time_ns, values[0] as u64), (write, write));
        }
        writer.join().unwrap();
        assert_eq!(slot.read(&mut time_ns, &mut values), Some(3));
        assert_eq!(slot.writes(), 3);
    });
}
