//! Where run events go.

use vola_types::RunEvent;

/// Takes the events of a run in order. Called on the executive's thread; must
/// not block for long, since the robot waits meanwhile.
pub trait EventSink {
    /// Takes one event.
    fn emit(&mut self, event: RunEvent);
}

impl<F: FnMut(RunEvent)> EventSink for F {
    fn emit(&mut self, event: RunEvent) {
        self(event);
    }
}

/// Sends events into a bounded channel; an event that finds it full is
/// dropped and counted rather than holding up the robot.
#[derive(Debug)]
pub struct ChannelSink {
    sender: tokio::sync::mpsc::Sender<RunEvent>,
    /// Events that found the channel full or closed.
    pub dropped: u64,
}

impl ChannelSink {
    /// A sink into this channel.
    #[must_use]
    pub fn new(sender: tokio::sync::mpsc::Sender<RunEvent>) -> Self {
        Self { sender, dropped: 0 }
    }
}

impl EventSink for ChannelSink {
    fn emit(&mut self, event: RunEvent) {
        if self.sender.try_send(event).is_err() {
            self.dropped += 1;
        }
    }
}
