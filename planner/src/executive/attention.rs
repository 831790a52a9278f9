//! What is said while a primitive runs.

use vola_types::{RunEvent, RunEventKind};

use super::events::EventSink;
use super::interjection::{Interjection, RunQuestion};
use super::journal::Journal;
use super::operator::{Heed, Operator};

/// Hears what a running primitive tells, and may call it to rest.
pub trait Attention: EventSink {
    /// Whether the primitive is to come to rest within limits and end as
    /// interrupted. The robot asks before every decision, or at least every
    /// 100 ms; the answer comes at once and stays true for the primitive.
    fn is_rest_wanted(&mut self, seconds: f64) -> bool;
}

/// Attention that never interrupts: events alone.
#[derive(Debug)]
pub struct EventsOnly<'a, E: EventSink + ?Sized>(pub &'a mut E);

impl<E: EventSink + ?Sized> EventSink for EventsOnly<'_, E> {
    fn emit(&mut self, event: RunEvent) {
        self.0.emit(event);
    }
}

impl<E: EventSink + ?Sized> Attention for EventsOnly<'_, E> {
    fn is_rest_wanted(&mut self, _seconds: f64) -> bool {
        false
    }
}

/// The person's lines and the log while something runs.
pub(super) struct Attending<'a> {
    pub(super) operator: &'a mut dyn Operator,
    pub(super) events: &'a mut dyn EventSink,
    pub(super) journal: &'a mut Journal,
    pub(super) heed: Heed,
    /// What was wished that needs the arm at rest.
    pub(super) wish: Option<Wish>,
}

/// A line that changes the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) line: String,
    pub(super) meaning: Interjection,
    /// Position of the step that it was said to.
    pub(super) at: usize,
}

impl Attending<'_> {
    /// Takes what was said: questions are answered, the first line that needs
    /// the arm at rest becomes the wish.
    pub(super) fn listen(&mut self, seconds: f64) {
        while self.wish.is_none()
            && let Some(line) = self.operator.overhear(self.heed)
        {
            match Interjection::read(&line) {
                Some(Interjection::Ask(question)) => {
                    let say = self.journal.answer(question);
                    self.tell(
                        seconds,
                        RunEventKind::Answered {
                            question: line,
                            say,
                        },
                    );
                }
                Some(Interjection::Resume) => {
                    let say = format!(
                        "I am not paused. {}",
                        self.journal.answer(RunQuestion::Doing)
                    );
                    self.tell(
                        seconds,
                        RunEventKind::Answered {
                            question: line,
                            say,
                        },
                    );
                }
                Some(meaning) => {
                    let at = self.journal.next();
                    self.wish = Some(Wish { line, meaning, at });
                }
                None => {}
            }
        }
    }

    fn tell(&mut self, t: f64, kind: RunEventKind) {
        self.emit(RunEvent { t, kind });
    }
}

impl EventSink for Attending<'_> {
    fn emit(&mut self, event: RunEvent) {
        self.journal.note(&event);
        self.events.emit(event);
    }
}

impl Attention for Attending<'_> {
    fn is_rest_wanted(&mut self, seconds: f64) -> bool {
        self.listen(seconds);
        self.wish.is_some()
    }
}
