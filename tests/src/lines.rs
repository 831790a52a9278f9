//! The lines of a running program, none of which is waited for without an end.

use std::{
    io::{BufRead, BufReader, Read},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::{Duration, Instant},
};

/// Lines kept for the words of a wait that fails.
const REMEMBERED: usize = 5;

/// What a program writes, line by line; read on a thread, so that a program that is
/// silent fails a test and does not hold it up for ever.
#[derive(Debug)]
pub struct Lines {
    lines: Receiver<String>,
    last: Vec<String>,
}

impl Lines {
    /// Reads a pipe from now on.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let (given, lines) = sync_channel(4096);
        std::thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || {
                for line in BufReader::new(pipe).lines() {
                    // A pipe that fails is as one that ended; nobody may listen any more.
                    let Ok(line) = line else { return };
                    if given.send(line).is_err() {
                        return;
                    }
                }
            })
            .expect("a thread starts");
        Self {
            lines,
            last: Vec::new(),
        }
    }

    /// The next line; none at the end. `what` is waited for.
    pub fn next_within(&mut self, what: &str, limit: Duration) -> Option<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => {
                if self.last.len() == REMEMBERED {
                    self.last.remove(0);
                }
                self.last.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!(
                "{what} did not come in time; the last lines:\n{}",
                self.last.join("\n")
            ),
        }
    }

    /// Passes lines over until one is what is waited for.
    pub fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut find: impl FnMut(&str) -> Option<T>,
    ) -> T {
        let give_up = Instant::now() + limit;
        loop {
            // A program that writes other lines all the time is no end either.
            let left = give_up.saturating_duration_since(Instant::now());
            let Some(line) = self.next_within(what, left) else {
                panic!(
                    "the program ended, and {what} was waited for; the last lines:\n{}",
                    self.last.join("\n")
                );
            };
            if let Some(found) = find(&line) {
                return found;
            }
        }
    }

    /// Everything until the program ends.
    pub fn rest(&mut self, limit: Duration) -> Vec<String> {
        let give_up = Instant::now() + limit;
        let mut all = Vec::new();
        loop {
            let left = give_up.saturating_duration_since(Instant::now());
            match self.next_within("the program's end", left) {
                Some(line) => all.push(line),
                None => return all,
            }
        }
    }
}
