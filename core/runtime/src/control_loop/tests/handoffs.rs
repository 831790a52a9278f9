//! Random handoffs on a running loop, with motions ordered all the while in the name
//! of whoever has the arm or had it: nothing moves while the arm holds, or a person
//! is asked.

use super::*;
use crate::{
    authority::Authority,
    handoff::{Handoff, HandoffEvent, HandoffState, properties::event},
};
use vola_bundle::SafeStop;

/// Sequences, unless `VOLA_HANDOFF_SEQUENCES` says otherwise.
const SEQUENCES: u64 = 100;
/// Events of a sequence.
const EVENTS: usize = 10;
/// An event that the state does not know is drawn again, so often.
const DRAWS: usize = 40;
/// Longest that the arm brakes (ticks).
const BRAKES: u64 = 500;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as usize % end
    }
}

/// What was seen in all sequences.
#[derive(Debug, Default)]
struct Seen {
    taken: u64,
    refused: u64,
    /// Ticks in which nobody had the arm, and it stood.
    still: u64,
    /// Of those, ticks whose command was another than the one before.
    motions: u64,
    /// Ticks in which the arm moved by the policy's orders, and by a person's.
    by_policy: u64,
    by_person: u64,
}

/// A loop whose authority follows from a handoff.
struct Stage {
    rig: Rig,
    handoff: Handoff,
    /// Mandates of now and of before.
    known: Vec<Mandate>,
    /// Ticks since nobody has the arm.
    unowned: u64,
    /// Where it came to rest since.
    rest: Option<[f64; 3]>,
}

impl Stage {
    fn new() -> Self {
        let mut rig = Rig::new();
        rig.run(5);
        let handoff = Handoff::new(rig.authority.clone(), SafeStop::Hold);
        let known = vec![handoff.mandate()];
        Self {
            rig,
            handoff,
            known,
            unowned: 0,
            rest: None,
        }
    }

    /// As the owner of a session begins the next run.
    fn begin(&mut self) {
        let now_ns = self.rig.now_ns;
        if self.handoff.state() != HandoffState::Auto {
            self.handoff.take(HandoffEvent::Stopped, now_ns).unwrap();
            self.handoff.take(HandoffEvent::Begun, now_ns).unwrap();
        }
        self.handoff.transitions();
        self.known.push(self.handoff.mandate());
        self.rig.arm.script().commands.clear();
        while self.rig.told.pop().is_ok() {}
    }

    /// Somebody takes the arm, gives it back, asks, answers, …
    fn pass(&mut self, draws: &mut Draws, seen: &mut Seen) {
        if matches!(self.handoff.state(), HandoffState::Over(_)) && draws.below(2) == 0 {
            // Else a sequence would be over with its first end.
            self.begin();
        }
        for _ in 0..DRAWS {
            let code = u8::try_from(draws.below(256)).unwrap();
            if self.handoff.take(event(code), self.rig.now_ns).is_ok() {
                seen.taken += 1;
                break;
            }
            seen.refused += 1;
        }
        if self.known.last() != Some(&self.handoff.mandate()) {
            self.known.push(self.handoff.mandate());
        }
    }

    /// Somebody wants a motion, with the right to it or without.
    fn order(&mut self, draws: &mut Draws) {
        let newest = self.known.len() - 1;
        let index = match draws.below(3) {
            0 => draws.below(self.known.len()),
            _ => newest,
        };
        self.rig.swing_as(self.known[index], u64::MAX);
    }

    fn tick(&mut self, seen: &mut Seen) {
        let before = self.command();
        self.rig.tick();
        let after = self.command();
        let authority = self.handoff.state().authority();
        if authority != Authority::Nobody {
            (self.unowned, self.rest) = (0, None);
            let moved = u64::from(after != before);
            match authority {
                Authority::Operator => seen.by_person += moved,
                _ => seen.by_policy += moved,
            }
            return;
        }
        self.unowned += 1;
        assert_eq!(self.rig.mode(), ControlMode::Holding, "in the same tick");
        match self.rest {
            Some(rest) => {
                seen.still += 1;
                seen.motions += u64::from(after != rest);
            }
            None if self.rig.control.status().at_rest => self.rest = Some(after),
            None => assert!(self.unowned < BRAKES, "it comes to rest"),
        }
    }

    fn command(&self) -> [f64; 3] {
        let mut command = [0.0; 3];
        command.copy_from_slice(self.rig.control.status().command());
        command
    }
}

#[test]
fn nothing_moves_while_the_arm_holds_or_a_person_is_asked() {
    let asked = std::env::var("VOLA_HANDOFF_SEQUENCES").ok();
    let sequences = asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(SEQUENCES);
    let (mut stage, mut draws, mut seen) = (Stage::new(), Draws(1), Seen::default());
    for _ in 0..sequences {
        stage.begin();
        stage.known.truncate(1);
        stage.known.push(stage.handoff.mandate());
        for _ in 0..EVENTS {
            if draws.below(2) == 0 {
                stage.order(&mut draws);
            }
            stage.pass(&mut draws, &mut seen);
            if draws.below(2) == 0 {
                stage.order(&mut draws);
            }
            for _ in 0..1 + draws.below(60) {
                stage.tick(&mut seen);
            }
        }
    }
    assert_eq!(seen.motions, 0, "{seen:?}");
    // It was no arm that never moves.
    assert!(
        seen.by_policy > sequences && seen.by_person > sequences && seen.still > sequences,
        "{seen:?}"
    );
    println!(
        "handoffs: {sequences} sequences, {} events taken, {} refused; {} motions in {} ticks at rest in which nobody had the arm; moved in {} ticks by the policy, in {} by a person",
        seen.taken, seen.refused, seen.motions, seen.still, seen.by_policy, seen.by_person
    );
}
