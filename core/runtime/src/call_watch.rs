//! Which calls into stages and cameras are under way, for a thread that watches over
//! hangs.
//!
//! A stage in this process that never returns takes the policy thread with it, a
//! camera its own: nobody on that thread can end it or tell of it. The control loop
//! goes on meanwhile and brings the arm to rest where its path ends.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Sees the calls that the policy thread and the cameras' are in; clones see the
/// same. The control thread has no part in its lock.
#[derive(Clone, Debug, Default)]
pub struct CallWatch {
    under_way: Arc<Mutex<UnderWays>>,
}

#[derive(Debug, Default)]
struct UnderWays {
    calls: Vec<UnderWay>,
    /// Number of the next call.
    next: u64,
}

#[derive(Clone, Debug)]
struct UnderWay {
    number: u64,
    who: String,
    entry: &'static str,
    since: Instant,
}

/// A call that takes too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdueCall {
    /// The stage with its plugin, or the robot with its camera, as in messages.
    pub who: String,
    /// The entry that was called.
    pub entry: &'static str,
    /// For how long it has not returned.
    pub lasted: Duration,
}

/// A call ends when this is dropped.
pub(crate) struct Entered<'a> {
    watch: &'a CallWatch,
    number: u64,
}

impl CallWatch {
    /// A call begins on this thread.
    pub(crate) fn enter(&self, who: String, entry: &'static str) -> Entered<'_> {
        let mut under_way = self.lock();
        let number = under_way.next;
        under_way.next = number.wrapping_add(1);
        under_way.calls.push(UnderWay {
            number,
            who,
            entry,
            since: Instant::now(),
        });
        drop(under_way);
        Entered {
            watch: self,
            number,
        }
    }

    /// The call that has been under way longest, when it began longer than `limit`
    /// ago.
    #[must_use]
    pub fn overdue(&self, limit: Duration) -> Option<OverdueCall> {
        let under_way = self.lock();
        // They are in the order in which they began.
        let call = under_way.calls.first()?;
        let lasted = call.since.elapsed();
        (lasted > limit).then(|| OverdueCall {
            who: call.who.clone(),
            entry: call.entry,
            lasted,
        })
    }

    fn lock(&self) -> MutexGuard<'_, UnderWays> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let number = self.number;
        self.watch.lock().calls.retain(|call| call.number != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_overdue_while_it_lasts_and_not_after_it() {
        let watch = CallWatch::default();
        assert_eq!(watch.overdue(Duration::ZERO), None);
        let entered = watch.enter("stage `a`".to_owned(), "call");
        assert_eq!(watch.clone().overdue(Duration::from_secs(3600)), None);
        while watch.overdue(Duration::ZERO).is_none() {
            std::thread::yield_now();
        }
        let overdue = watch.overdue(Duration::ZERO).unwrap();
        assert_eq!((overdue.who.as_str(), overdue.entry), ("stage `a`", "call"));
        drop(entered);
        assert_eq!(watch.overdue(Duration::ZERO), None);
    }

    #[test]
    fn of_several_calls_the_one_that_hangs_is_named() {
        let watch = CallWatch::default();
        let camera = watch.enter("camera `front`".to_owned(), "grab");
        for _ in 0..3 {
            drop(watch.enter("stage `a`".to_owned(), "call"));
        }
        let stage = watch.enter("stage `a`".to_owned(), "call");
        while watch.overdue(Duration::ZERO).is_none() {
            std::thread::yield_now();
        }
        assert_eq!(watch.overdue(Duration::ZERO).unwrap().entry, "grab");
        drop(camera);
        while watch.overdue(Duration::ZERO).is_none() {
            std::thread::yield_now();
        }
        assert_eq!(watch.overdue(Duration::ZERO).unwrap().entry, "call");
        drop(stage);
        assert_eq!(watch.overdue(Duration::ZERO), None);
    }
}
