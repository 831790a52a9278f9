//! Where plugins' log lines arrive in the host.
//!
//! A line from the control thread is copied into a ring of fixed size, and the
//! thread that listens to the control loop logs it: a slow terminal, a full pipe
//! or a subscriber's lock is never the control loop's matter. What does not fit
//! is counted and lost. Lines of all other threads are logged where they are.

use std::{
    cell::RefCell,
    sync::{Arc, atomic::Ordering},
};

use rtrb::{Consumer, Producer, RingBuffer};
use vola_abi::{LogLevel, abi_stable::std_types::RStr};

use crate::{control_thread::lock_queue, telemetry::ControlTelemetry};

/// Lines that may wait; the listener empties the ring every 10 ms.
const RING: usize = 64;
/// Bytes kept of a line's origin and of its text; the rest is cut off.
const ORIGIN: usize = 48;
const TEXT: usize = 400;

/// A line in a place of its own.
pub(crate) struct PluginLine {
    level: LogLevel,
    from: Cut<ORIGIN>,
    text: Cut<TEXT>,
}

impl PluginLine {
    /// Writes it to the log.
    pub(crate) fn log(&self) {
        write(self.level, self.from.as_str(), self.text.as_str());
    }
}

/// The control thread's end of the ring.
pub(crate) struct LineSender {
    ring: Producer<PluginLine>,
    telemetry: Arc<ControlTelemetry>,
}

impl LineSender {
    /// Locks the ring in memory, while it is empty; the bytes locked.
    pub(crate) fn lock_memory(&mut self) -> std::io::Result<usize> {
        lock_queue(&mut self.ring)
    }

    /// From now on, lines that come on this thread go into the ring. To be called
    /// before the first tick: the first use of a thread's own place allocates.
    pub(crate) fn take_this_thread_s(self) {
        OWN.with(|own| *own.borrow_mut() = Some(self));
    }

    fn send(&mut self, level: LogLevel, from: &str, text: &str) {
        let line = PluginLine {
            level,
            from: Cut::new(from),
            text: Cut::new(text),
        };
        if self.ring.push(line).is_err() {
            self.telemetry.lost_lines.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The two ends of a ring of lines; losses are counted in the telemetry.
pub(crate) fn line_ring(telemetry: Arc<ControlTelemetry>) -> (LineSender, Consumer<PluginLine>) {
    let (ring, receiver) = RingBuffer::new(RING);
    (LineSender { ring, telemetry }, receiver)
}

thread_local! {
    /// The ring of a thread that must not wait.
    static OWN: RefCell<Option<LineSender>> = const { RefCell::new(None) };
}

/// Passes a plugin's line to the host's `tracing`.
///
/// Given to every plugin at `activate`; may be called from any thread.
pub(crate) extern "C" fn plugin_log(level: LogLevel, target: RStr<'_>, message: RStr<'_>) {
    // A panic here would cross the boundary; the formatting below has none, and
    // a subscriber that panics is caught.
    let _ = std::panic::catch_unwind(|| {
        let (from, text) = (target.as_str(), message.as_str());
        if !is_sent(level, from, text) {
            write(level, from, text);
        }
    });
}

/// Whether this thread has a ring, and the line went that way.
fn is_sent(level: LogLevel, from: &str, text: &str) -> bool {
    let sent = OWN.try_with(|own| {
        let mut own = own.try_borrow_mut().ok()?;
        own.as_mut()?.send(level, from, text);
        Some(())
    });
    matches!(sent, Ok(Some(())))
}

fn write(level: LogLevel, from: &str, text: &str) {
    match level {
        LogLevel::Error => tracing::error!(target: "plugin", from, "{text}"),
        LogLevel::Warn => tracing::warn!(target: "plugin", from, "{text}"),
        LogLevel::Info => tracing::info!(target: "plugin", from, "{text}"),
        LogLevel::Debug => tracing::debug!(target: "plugin", from, "{text}"),
        LogLevel::Trace => tracing::trace!(target: "plugin", from, "{text}"),
    }
}

/// The first bytes of a text, whole characters only.
struct Cut<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Cut<N> {
    fn new(text: &str) -> Self {
        let mut length = text.len().min(N);
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        let mut bytes = [0; N];
        for (slot, byte) in bytes.iter_mut().zip(text.bytes().take(length)) {
            *slot = byte;
        }
        Self { bytes, length }
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_loses_and_counts_and_never_waits() {
        let telemetry = Arc::new(ControlTelemetry::default());
        let (sender, mut lines) = line_ring(Arc::clone(&telemetry));
        let body = move || {
            sender.take_this_thread_s();
            for number in 0..100 {
                let text = format!("{number} {}", "ü".repeat(TEXT));
                plugin_log(LogLevel::Warn, RStr::from("arm"), RStr::from(text.as_str()));
            }
        };
        std::thread::Builder::new()
            .spawn(body)
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(telemetry.lost_lines.load(Ordering::Relaxed), 36);
        for number in 0..RING {
            let line = lines.pop().unwrap();
            assert_eq!(line.level, LogLevel::Warn);
            assert_eq!(line.from.as_str(), "arm");
            let text = line.text.as_str();
            assert!(text.starts_with(&format!("{number} ü")), "{text}");
            assert!((TEXT - 1..=TEXT).contains(&text.len()));
        }
        assert!(lines.pop().is_err());
    }
}
