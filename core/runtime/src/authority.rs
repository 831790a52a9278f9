//! Who may move the arm: one word that the control loop reads every tick.
//!
//! The word holds one authority and the number of its term, so there is never
//! more than one. Every motion carries the [`Mandate`] of the term in which it
//! was ordered; when the word changes, the loop holds what was ordered before in
//! the same tick that reads it, and takes no late order of an earlier term. So a
//! hold does not wait for a queue, and nobody has to be told to keep still.
//!
//! Rejected: a lock around orders (the control loop would wait), and a flag for
//! each party (two could be set).

use crate::sync::{Arc, AtomicU64, Ordering};

/// Bits of the word that name the authority; the rest counts terms.
const WHO: u64 = 0b11;
const ONE_TERM: u64 = WHO + 1;

/// Who decides where the arm goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authority {
    /// Nobody: the arm holds, and no motion is taken.
    #[default]
    Nobody,
    /// What runs primitives: the policy, and motions that the runtime makes.
    Policy,
    /// A person who moves it by hand.
    Operator,
}

impl Authority {
    /// The word in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Policy => "policy",
            Self::Operator => "person",
        }
    }

    fn code(self) -> u64 {
        match self {
            Self::Nobody => 0,
            Self::Policy => 1,
            Self::Operator => 2,
        }
    }

    fn of_word(word: u64) -> Self {
        match word & WHO {
            1 => Self::Policy,
            2 => Self::Operator,
            _ => Self::Nobody,
        }
    }
}

/// Leave to move the arm for one term. Only [`AuthorityWord::pass_to`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mandate(u64);

impl Mandate {
    /// Whose it is.
    pub(crate) fn authority(self) -> Authority {
        Authority::of_word(self.0)
    }
}

/// The word; clones share it. Reading and writing never wait.
#[derive(Clone, Debug)]
pub(crate) struct AuthorityWord(Arc<AtomicU64>);

impl Default for AuthorityWord {
    /// The policy's first term.
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(Authority::Policy.code())))
    }
}

impl AuthorityWord {
    /// Begins a new term; whatever was ordered in earlier ones ends at rest.
    pub(crate) fn pass_to(&self, who: Authority) -> Mandate {
        let next = |word: u64| (word & !WHO).wrapping_add(ONE_TERM) | who.code();
        let pass = |word: u64| Some(next(word));
        // It always gives a value, so it always succeeds.
        let before = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, pass)
            .unwrap_or_else(|word| word);
        Mandate(next(before))
    }

    /// The mandate of the running term.
    pub(crate) fn mandate(&self) -> Mandate {
        Mandate(self.0.load(Ordering::Acquire))
    }

    /// Whether this mandate's term runs, and is somebody's.
    pub(crate) fn confirms(&self, mandate: Mandate) -> bool {
        self.mandate() == mandate && mandate.authority() != Authority::Nobody
    }
}
