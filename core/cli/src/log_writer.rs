//! Log lines on their way to standard error.
//!
//! Whoever logs hands a line to a thread of its own and goes on: behind a slow
//! terminal or a pipe that nobody reads, lines are lost and counted, and the
//! robot's threads wait for nothing.

use std::{
    io::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};

/// Lines that may wait.
const MOST_LINES: usize = 2048;
/// How often a full queue is tried again while it is waited for.
const NAP: Duration = Duration::from_millis(1);

/// The queue of this process; none until it is started.
static QUEUE: OnceLock<SyncSender<Waiting>> = OnceLock::new();
/// Lines lost since the last one that was written.
static LOST: AtomicU64 = AtomicU64::new(0);

/// What waits to be written.
enum Waiting {
    Line(Vec<u8>),
    /// Everything before is written: told here.
    Mark(SyncSender<()>),
}

/// Starts the thread that writes. Without it every line is written at once, by
/// whoever logs it.
pub(crate) fn start() {
    let (sender, waiting) = sync_channel(MOST_LINES);
    let thread = std::thread::Builder::new().name("vola-log".to_owned());
    if thread.spawn(move || write_on(&waiting)).is_ok() {
        // Set once; a second call has no use for its thread, which then ends.
        let _ = QUEUE.set(sender);
    }
}

/// Waits until what was logged before is written, no longer than `patience`.
pub(crate) fn flush(patience: Duration) {
    let Some(queue) = QUEUE.get() else { return };
    let give_up = Instant::now() + patience;
    let (mark, is_written) = sync_channel(1);
    let mut waiting = Waiting::Mark(mark);
    while let Err(TrySendError::Full(back)) = queue.try_send(waiting) {
        if Instant::now() >= give_up {
            return;
        }
        waiting = back;
        std::thread::sleep(NAP);
    }
    // Whether it came in time or not, nothing more can be done.
    let _ = is_written.recv_timeout(give_up.saturating_duration_since(Instant::now()));
}

/// The end that logs; each write is one whole line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match QUEUE.get() {
            Some(queue) => {
                if queue.try_send(Waiting::Line(line.to_vec())).is_err() {
                    LOST.fetch_add(1, Ordering::Relaxed);
                }
            }
            None => io::stderr().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes until nobody is left who logs.
fn write_on(waiting: &Receiver<Waiting>) {
    while let Ok(next) = waiting.recv() {
        let lost = LOST.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let text = format!("{lost} log lines were lost: nobody read fast enough\n");
            put(text.as_bytes());
        }
        match next {
            Waiting::Line(line) => put(&line),
            // Nobody waits any more: fine.
            Waiting::Mark(mark) => drop(mark.try_send(())),
        }
    }
}

fn put(bytes: &[u8]) {
    // A log that nobody can be told of is over; the robot goes on.
    let _ = io::stderr().write_all(bytes);
}
