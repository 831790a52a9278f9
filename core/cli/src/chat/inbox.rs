//! Lines on their way from the input thread to the main thread.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use vola_planner::is_stop_word;
use vola_runtime::StopSwitch;

/// Lines kept at most. A program that writes faster than a robot moves loses
/// the rest, loudly; a stop is never queued, so never lost.
const MOST_LINES: usize = 10_000;
/// Leaves the conversation. "Quit" is a word that stops.
const LEAVE: &str = "/quit";

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A line of text, trimmed, not empty.
    Line {
        /// The text.
        text: String,
        /// How many questions had been asked before it was typed.
        questions: u64,
        /// How many stops had been demanded before it was typed.
        stops: u64,
    },
    /// Nothing more will come.
    End,
}

/// The way between the two threads; clones share it.
#[derive(Clone)]
pub(crate) struct Inbox {
    shared: Arc<Shared>,
    stop: StopSwitch,
}

struct Shared {
    lines: Mutex<VecDeque<Said>>,
    arrived: Condvar,
    is_moving: AtomicBool,
    is_running: AtomicBool,
    questions: AtomicU64,
    stops: AtomicU64,
}

impl Inbox {
    /// An empty inbox that throws this switch when a stop word comes in.
    pub(crate) fn new(stop: StopSwitch) -> Self {
        let shared = Shared {
            lines: Mutex::default(),
            arrived: Condvar::new(),
            is_moving: AtomicBool::new(false),
            is_running: AtomicBool::new(false),
            questions: AtomicU64::new(0),
            stops: AtomicU64::new(0),
        };
        Self {
            shared: Arc::new(shared),
            stop,
        }
    }

    /// Whether a sentence is being carried out: then a stop word acts at once,
    /// also between two motions and while the person is asked.
    pub(crate) fn set_running(&self, is_running: bool) {
        self.shared.is_running.store(is_running, Ordering::Release);
    }

    /// Whether a sentence is being carried out.
    pub(crate) fn is_running(&self) -> bool {
        self.shared.is_running.load(Ordering::Acquire)
    }

    /// Whether the arm moves: then a stop word acts at once, else it is a line
    /// like others.
    pub(crate) fn set_moving(&self, is_moving: bool) {
        self.shared.is_moving.store(is_moving, Ordering::Release);
    }

    /// Whether the arm moves.
    pub(crate) fn is_moving(&self) -> bool {
        self.shared.is_moving.load(Ordering::Acquire)
    }

    /// A line was typed; whether it stopped the arm.
    pub(crate) fn typed(&self, line: &str) -> bool {
        let text = line.trim();
        if text.is_empty() {
            return false;
        }
        let is_running = self.shared.is_running.load(Ordering::Acquire);
        let stops = (is_running || self.is_moving()) && is_stop_word(text);
        if stops {
            self.stop.throw();
            // Whoever waits for an answer hears of it.
            self.shared.arrived.notify_all();
        }
        // Leaving stops, and is done after that.
        if stops && text != LEAVE {
            return true;
        }
        let questions = self.shared.questions.load(Ordering::Acquire);
        self.push(Said::Line {
            text: text.to_owned(),
            questions,
            stops: self.stops(),
        });
        stops
    }

    /// A stop is demanded from outside of the conversation: what waits is
    /// dropped, and what was taken already is known to be older than the stop.
    /// To be called before the switch is thrown.
    pub(crate) fn stopped(&self) {
        self.shared.stops.fetch_add(1, Ordering::AcqRel);
        self.lines().retain(|said| *said == Said::End);
    }

    /// How many stops were demanded so far.
    pub(crate) fn stops(&self) -> u64 {
        self.shared.stops.load(Ordering::Acquire)
    }

    /// Nothing more will be typed.
    pub(crate) fn end(&self) {
        self.push(Said::End);
    }

    fn push(&self, said: Said) {
        let mut lines = self.lines();
        if lines.len() < MOST_LINES || said == Said::End {
            lines.push_back(said);
        } else {
            tracing::warn!("a line was dropped: {MOST_LINES} wait already");
        }
        self.shared.arrived.notify_all();
    }

    /// Puts a line back to be taken next.
    pub(crate) fn put_back(&self, said: Said) {
        if said != Said::End {
            self.lines().push_front(said);
        }
    }

    /// A question is asked now; its number, for [`answer`](Self::answer).
    pub(crate) fn ask(&self) -> u64 {
        self.shared.questions.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Waits for the next line, whenever it was typed; nothing after `wait`.
    pub(crate) fn next(&self, wait: Duration) -> Option<Said> {
        let mut lines = self.lines();
        if lines.is_empty() {
            let waited = self.shared.arrived.wait_timeout(lines, wait);
            lines = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        take_first(&mut lines, |_| true)
    }

    /// Waits for a line typed after a question was asked; lines from before stay
    /// for later. Nothing after `wait`.
    pub(crate) fn answer(&self, question: u64, wait: Duration) -> Option<Said> {
        let fits = |said: &Said| match said {
            // Whoever leaves answers nothing.
            Said::Line {
                text, questions, ..
            } => *questions >= question && text != LEAVE,
            Said::End => true,
        };
        let mut lines = self.lines();
        if !lines.iter().any(fits) {
            let waited = self.shared.arrived.wait_timeout(lines, wait);
            lines = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        take_first(&mut lines, fits)
    }

    /// Takes a waiting line that `fits`; at once.
    pub(crate) fn take(&self, fits: impl Fn(&str) -> bool) -> Option<String> {
        let fits = |said: &Said| matches!(said, Said::Line { text, .. } if fits(text));
        text_of(take_first(&mut self.lines(), fits))
    }

    /// Takes the next line when it `fits`; at once.
    pub(crate) fn take_next(&self, fits: impl Fn(&str) -> bool) -> Option<String> {
        let mut lines = self.lines();
        let is_next = matches!(lines.front(), Some(Said::Line { text, .. }) if fits(text));
        if is_next {
            text_of(lines.pop_front())
        } else {
            None
        }
    }

    /// Waits for something to be there and shows what is next; nothing after
    /// `wait`. Where something waits already, the whole time passes, so that
    /// whoever looks again and again does not spin.
    pub(crate) fn peek(&self, wait: Duration) -> Option<Said> {
        let lines = self.lines();
        let is_over = lines.front() == Some(&Said::End);
        if is_over {
            return Some(Said::End);
        }
        let waited = self.shared.arrived.wait_timeout(lines, wait);
        let lines = waited.unwrap_or_else(PoisonError::into_inner).0;
        lines.front().cloned()
    }

    /// Whether a stop is ordered.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_thrown()
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<Said>> {
        self.shared
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn text_of(said: Option<Said>) -> Option<String> {
    match said? {
        Said::Line { text, .. } => Some(text),
        Said::End => None,
    }
}

/// Takes the first that fits; the end stays, for everyone who asks later.
fn take_first(lines: &mut VecDeque<Said>, fits: impl Fn(&Said) -> bool) -> Option<Said> {
    let index = lines.iter().position(fits)?;
    match lines.get(index)? {
        Said::End => Some(Said::End),
        Said::Line { .. } => lines.remove(index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn text(said: Option<Said>) -> Option<String> {
        match said? {
            Said::Line { text, .. } => Some(text),
            Said::End => Some("(end)".to_owned()),
        }
    }

    #[test]
    fn stop_acts_at_once_while_the_arm_moves_and_waits_its_turn_otherwise() {
        let stop = StopSwitch::default();
        let inbox = Inbox::new(stop.clone());
        assert!(!inbox.typed("put it there"));
        assert!(!inbox.typed("stop"));
        assert!(!stop.is_thrown());
        inbox.set_moving(true);
        assert!(inbox.typed(" Stop! "));
        assert!(stop.is_thrown());
        assert_eq!(text(inbox.next(NOW)).as_deref(), Some("put it there"));
        assert_eq!(text(inbox.next(NOW)).as_deref(), Some("stop"));
        assert_eq!(inbox.next(NOW), None);
    }

    #[test]
    fn stop_acts_at_once_between_two_motions_of_a_run() {
        let stop = StopSwitch::default();
        let inbox = Inbox::new(stop.clone());
        inbox.set_running(true);
        assert!(!inbox.is_moving());
        // Denied, and reason to pause at most: these wait to be heard.
        assert!(!inbox.typed("don't stop") && !inbox.typed("stop at the bowl"));
        assert!(!inbox.is_stopped());
        assert!(inbox.typed("ruko") && inbox.is_stopped());
        assert!(inbox.typed(&"stop ".repeat(17)) && inbox.typed("can you stop doing that"));
        inbox.set_running(false);
        assert!(!inbox.typed("stop"));
    }

    #[test]
    fn leaving_stops_what_runs_and_is_not_forgotten() {
        let stop = StopSwitch::default();
        let inbox = Inbox::new(stop.clone());
        inbox.set_running(true);
        assert!(inbox.typed("/quit") && stop.is_thrown());
        assert_eq!(text(inbox.next(NOW)).as_deref(), Some("/quit"));
    }

    #[test]
    fn a_stop_from_outside_drops_what_waits_and_is_newer_than_what_was_taken() {
        let inbox = Inbox::new(StopSwitch::default());
        inbox.typed("one");
        inbox.typed("two");
        let Some(Said::Line { stops, .. }) = inbox.next(NOW) else {
            panic!("a line was typed");
        };
        assert_eq!(stops, inbox.stops());
        inbox.stopped();
        assert_ne!(stops, inbox.stops());
        assert_eq!(inbox.next(NOW), None);
        inbox.typed("three");
        assert_eq!(text(inbox.next(NOW)).as_deref(), Some("three"));
    }

    #[test]
    fn an_answer_is_typed_after_its_question() {
        let inbox = Inbox::new(StopSwitch::default());
        inbox.typed("then close the drawer");
        let question = inbox.ask();
        assert_eq!(inbox.answer(question, NOW), None);
        inbox.typed("retry");
        assert_eq!(text(inbox.answer(question, NOW)).as_deref(), Some("retry"));
        inbox.end();
        assert_eq!(text(inbox.answer(question, NOW)).as_deref(), Some("(end)"));
        assert_eq!(
            text(inbox.next(NOW)).as_deref(),
            Some("then close the drawer")
        );
        assert_eq!(text(inbox.next(NOW)).as_deref(), Some("(end)"));
        assert_eq!(text(inbox.next(NOW)).as_deref(), Some("(end)"));
    }

    #[test]
    fn lines_arrive_from_another_thread() {
        let inbox = Inbox::new(StopSwitch::default());
        let other = inbox.clone();
        let typist = std::thread::Builder::new()
            .spawn(move || other.typed("  hello "))
            .unwrap();
        assert_eq!(
            text(inbox.next(Duration::from_secs(5))).as_deref(),
            Some("hello")
        );
        assert!(!typist.join().unwrap());
    }
}
