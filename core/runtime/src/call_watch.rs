//! Which call into a stage is under way, for a thread that watches over hangs.
//!
//! A stage in this process that never returns takes the policy thread with it:
//! nobody on that thread can end it or tell of it. The control loop goes on
//! meanwhile and brings the arm to rest where its path ends.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Sees the call that the policy thread is in; clones see the same. Only the
/// policy thread and the watching one share its lock.
#[derive(Clone, Debug, Default)]
pub struct CallWatch {
    under_way: Arc<Mutex<Option<UnderWay>>>,
}

#[derive(Clone, Debug)]
struct UnderWay {
    who: String,
    entry: &'static str,
    since: Instant,
}

/// A call that takes too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdueCall {
    /// The stage with its plugin, as in messages.
    pub who: String,
    /// The entry that was called.
    pub entry: &'static str,
    /// For how long it has not returned.
    pub lasted: Duration,
}

/// A call ends when this is dropped.
pub(crate) struct Entered<'a>(&'a CallWatch);

impl CallWatch {
    /// A call begins on this thread.
    pub(crate) fn enter(&self, who: String, entry: &'static str) -> Entered<'_> {
        self.set(Some(UnderWay {
            who,
            entry,
            since: Instant::now(),
        }));
        Entered(self)
    }

    /// The call that is under way, when it began longer than `limit` ago.
    #[must_use]
    pub fn overdue(&self, limit: Duration) -> Option<OverdueCall> {
        let under_way = self.under_way.lock();
        let under_way = under_way.unwrap_or_else(PoisonError::into_inner);
        let call = under_way.as_ref()?;
        let lasted = call.since.elapsed();
        (lasted > limit).then(|| OverdueCall {
            who: call.who.clone(),
            entry: call.entry,
            lasted,
        })
    }

    fn set(&self, call: Option<UnderWay>) {
        *self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = call;
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.set(None);
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
}
