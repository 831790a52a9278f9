//! What is told of a conversation, and to whom.

use serde_json::{Value, json};
use vola_types::RunEvent;

use crate::{
    chat::Screen,
    failure::Failure,
    interrupt::Interrupt,
    output::{Console, Story, Tone},
};

/// Something that was told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told<'a> {
    /// An event of a run.
    Event(&'a RunEvent),
    /// Something typed makes no sense.
    Complaint(&'a str),
    /// Something else: an object whose `notice` holds the words for people.
    News(&'a Value),
}

/// What hears of everything that is told.
pub(crate) type Listener = Box<dyn FnMut(Told<'_>)>;

/// Tells what happens, to a person through the screen or to a program as JSON.
pub(super) struct Teller {
    pub(super) console: Console,
    pub(super) screen: Screen,
    pub(super) story: Story,
    pub(super) interrupt: Interrupt,
    pub(super) fault: Option<Failure>,
    pub(super) listener: Option<Listener>,
}

impl Teller {
    pub(super) fn line(&self, text: &str) -> Result<(), Failure> {
        self.screen.line(text)
    }

    /// Something was done that is no event of a run.
    pub(super) fn notice(&mut self, text: &str) -> Result<(), Failure> {
        self.news(text, "about", &Value::Null)
    }

    /// The same, with what a program wants to know of it under a key of its own.
    pub(super) fn news(&mut self, text: &str, key: &str, about: &Value) -> Result<(), Failure> {
        let mut news = json!({"notice": text});
        if !about.is_null() {
            news[key] = about.clone();
        }
        if let Some(listener) = &mut self.listener {
            listener(Told::News(&news));
        }
        if self.console.is_json() {
            return self.console.object(&news);
        }
        self.line(text)
    }

    /// Something typed makes no sense.
    pub(super) fn complain(&mut self, text: &str) -> Result<(), Failure> {
        if let Some(listener) = &mut self.listener {
            listener(Told::Complaint(text));
        }
        if self.console.is_json() {
            return self.console.object(&json!({"error": {"message": text}}));
        }
        self.line(&self.console.style().paint(Tone::Warning, text))
    }

    pub(super) fn tell(&mut self, event: RunEvent) {
        if let Some(listener) = &mut self.listener {
            listener(Told::Event(&event));
        }
        let lines = self.story.tell(&event);
        if self.fault.is_some() {
            return;
        }
        self.fault = if self.console.is_json() {
            self.console.object(&event).err()
        } else {
            self.screen.set_status(self.story.status());
            lines
                .iter()
                .try_for_each(|line| self.screen.line(line))
                .err()
        };
        if self.fault.is_some() {
            // Nobody reads any more: the arm comes to rest and the talk ends.
            self.interrupt.request();
        }
    }
}
