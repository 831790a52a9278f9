//! Makes the thread that services a robot ready for one tick a millisecond.

use std::io;

use crate::{
    servicing::Servicing,
    sys::{lock_memory, pin_to, set_fifo, touch_stack, wake_on_time},
};

/// What the system granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Readiness {
    /// Nothing that was asked for was refused.
    pub(super) is_whole: bool,
    /// In words.
    pub(super) words: String,
}

/// Asks for everything that is wished for. To be called on the thread itself,
/// once the robot is open: what its plugin started before has no priority of
/// ours, and what it mapped is locked too.
pub(super) fn prepare(wish: Servicing) -> Readiness {
    wake_on_time();
    touch_stack();
    let mut asked = Vec::new();
    if wish.lock_memory {
        asked.push(("memory locked", "memory not locked", lock_memory()));
    }
    let (core, priority);
    if let Some(number) = wish.core {
        core = format!("processor {number}");
        asked.push((&core, "any processor", pin_to(number)));
    }
    if wish.priority > 0 {
        priority = format!("first-in first-out {}", wish.priority);
        asked.push((&priority, "ordinary priority", set_fifo(wish.priority)));
    }
    describe(&asked)
}

fn describe(asked: &[(&str, &str, io::Result<()>)]) -> Readiness {
    let words = asked.iter().map(|(granted, refused, result)| match result {
        Ok(()) => (*granted).to_owned(),
        Err(error) => format!("{refused} ({error})"),
    });
    let words: Vec<String> = words.collect();
    Readiness {
        is_whole: asked.iter().all(|(_, _, result)| result.is_ok()),
        words: if words.is_empty() {
            "nothing asked of the system".to_owned()
        } else {
            words.join(", ")
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_said() {
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        let got = describe(&[
            ("memory locked", "memory not locked", Ok(())),
            ("first-in first-out 79", "ordinary priority", Err(refused)),
        ]);
        assert!(!got.is_whole);
        assert_eq!(
            got.words,
            "memory locked, ordinary priority (permission denied)"
        );
        assert!(prepare(Servicing::default()).is_whole);
    }
}
