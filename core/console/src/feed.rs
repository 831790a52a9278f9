//! Events on their way to everybody who listens.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

/// Events that a slow listener may be behind; then it loses the oldest.
const BACKLOG: usize = 1024;
/// Events that a new listener is told first.
const REMEMBERED: usize = 200;

/// A stream of JSON lines; clones feed the same one.
#[derive(Clone, Debug)]
pub struct Feed {
    sender: broadcast::Sender<Arc<str>>,
    past: Arc<Mutex<Vec<Arc<str>>>>,
}

impl Default for Feed {
    fn default() -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self {
            sender,
            past: Arc::default(),
        }
    }
}

impl Feed {
    /// Tells everybody. Never waits.
    pub fn tell(&self, event: &impl Serialize) {
        let Ok(line) = serde_json::to_string(event) else {
            return;
        };
        let line: Arc<str> = line.into();
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        if past.len() == REMEMBERED {
            past.remove(0);
        }
        past.push(Arc::clone(&line));
        // Under the lock, so that a new listener misses none and hears none twice.
        // Nobody listening is no fault.
        let _ = self.sender.send(line);
    }

    /// Tells everybody who listens now; who comes later is not told. For what
    /// comes so often that it would displace what matters.
    pub fn pass(&self, event: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(event) {
            // Nobody listening is no fault.
            let _ = self.sender.send(line.into());
        }
    }

    /// What was told lately, and everything from now on.
    pub(crate) fn listen(&self) -> (Vec<Arc<str>>, broadcast::Receiver<Arc<str>>) {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        (past.clone(), self.sender.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_listener_hears_the_last_events_and_the_next() {
        let feed = Feed::default();
        for number in 0..REMEMBERED + 5 {
            feed.tell(&number);
        }
        let (past, mut next) = feed.listen();
        assert_eq!(past.len(), REMEMBERED);
        assert_eq!(past.first().map(AsRef::as_ref), Some("5"));
        assert!(next.try_recv().is_err());
        feed.tell(&"later");
        assert_eq!(next.try_recv().as_deref(), Ok("\"later\""));
        feed.pass(&"often");
        assert_eq!(next.try_recv().as_deref(), Ok("\"often\""));
        let (past, _) = feed.listen();
        assert_eq!(past.last().map(AsRef::as_ref), Some("\"later\""));
    }
}
