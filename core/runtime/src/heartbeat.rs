//! Signs of life that the control loop waits for: of the person who holds the
//! dead-man's button, of the planner.
//!
//! A beat is a number that changes. When it last changed is judged by the
//! control loop on its own clock, so that whoever beats needs none, and virtual
//! time works the same.

use crate::sync::{Arc, AtomicU64, Ordering};

/// Whose sign of life is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartbeatKind {
    /// A person who must stay at the controls. Silence: a controlled stop, latched.
    Operator,
    /// The planner, while motion depends on its next word. Silence: the arm holds.
    Planner,
    /// A person who moves the arm by hand. Silence: the arm holds, and what was
    /// asked of it is forgotten.
    Jog,
}

impl HeartbeatKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 3] = [Self::Operator, Self::Planner, Self::Jog];
}

/// What both sides share about one kind.
#[derive(Debug)]
struct Beats {
    count: AtomicU64,
    /// Longest silence (ns); 0 while nothing is awaited.
    deadline_ns: AtomicU64,
}

impl Beats {
    fn new() -> Self {
        Self {
            count: AtomicU64::new(0),
            deadline_ns: AtomicU64::new(0),
        }
    }
}

/// The side that gives the signs of life.
///
/// Dropping it is silence: only [`end`](Self::end) says that no more will come.
#[derive(Debug)]
pub struct Heartbeat {
    beats: Arc<Beats>,
}

impl Heartbeat {
    /// Gives a sign of life. Never waits.
    pub fn beat(&self) {
        self.beats.count.fetch_add(1, Ordering::AcqRel);
    }

    /// No sign is awaited any more.
    pub fn end(self) {
        self.beats.deadline_ns.store(0, Ordering::Release);
    }
}

/// The control loop's side.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeats {
    all: [Watched; HeartbeatKind::ALL.len()],
}

#[derive(Clone, Debug)]
struct Watched {
    kind: HeartbeatKind,
    beats: Arc<Beats>,
    count: u64,
    heard_ns: Option<u64>,
}

impl Default for Heartbeats {
    fn default() -> Self {
        Self {
            all: HeartbeatKind::ALL.map(|kind| Watched {
                kind,
                beats: Arc::new(Beats::new()),
                count: 0,
                heard_ns: None,
            }),
        }
    }
}

impl Heartbeats {
    /// Awaits signs of life from now on, at most `deadline_ns` apart.
    pub(crate) fn expect(&self, kind: HeartbeatKind, deadline_ns: u64) -> Heartbeat {
        let beats = self
            .all
            .iter()
            .find(|watched| watched.kind == kind)
            .map_or_else(
                || Arc::new(Beats::new()),
                |watched| Arc::clone(&watched.beats),
            );
        beats.count.fetch_add(1, Ordering::AcqRel);
        beats
            .deadline_ns
            .store(deadline_ns.max(1), Ordering::Release);
        Heartbeat { beats }
    }

    /// Who has been silent for too long, if anybody. Called every tick.
    pub(crate) fn silent(&mut self, now_ns: u64) -> Option<HeartbeatKind> {
        let mut silent = None;
        for watched in &mut self.all {
            let deadline_ns = watched.beats.deadline_ns.load(Ordering::Acquire);
            if deadline_ns == 0 {
                watched.heard_ns = None;
                continue;
            }
            let count = watched.beats.count.load(Ordering::Acquire);
            let heard_ns = match watched.heard_ns {
                Some(heard_ns) if count == watched.count => heard_ns,
                _ => now_ns,
            };
            watched.count = count;
            watched.heard_ns = Some(heard_ns);
            if now_ns.saturating_sub(heard_ns) > deadline_ns && silent.is_none() {
                silent = Some(watched.kind);
            }
        }
        silent
    }
}
