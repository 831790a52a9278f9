//! A plugin's log lines, from its process to the runtime.
//!
//! They have a socket of their own, a datagram each: who logs waits for nobody,
//! not for a runtime that reads late, nor for another thread. A line for which
//! there is no room is lost, and counted; the runtime tells how many were.

use std::{
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use vola_abi::{LogFn, LogLevel, abi_stable::std_types::RStr};

use crate::{
    sys::{Wanted, wait_for},
    wire::{Malformed, Reader, Writer},
};

/// Longest message (bytes); a longer one is cut.
const MAX_MESSAGE: usize = 16 << 10;
/// Longest target (bytes).
const MAX_TARGET: usize = 256;
/// Room for any line with all that surrounds it.
const MAX_LINE: usize = MAX_MESSAGE + MAX_TARGET + 64;
/// First byte of a record that tells of losses alone.
const NO_LINE: u8 = 255;
/// What follows a message that was cut.
const CUT: &str = " … (cut)";

/// Both ends: one to listen at, one to pass to the plugin's process.
pub(crate) fn log_pair() -> io::Result<(LogInlet, OwnedFd)> {
    let (own, other) = UnixDatagram::pair()?;
    own.set_nonblocking(true)?;
    let inlet = LogInlet {
        socket: own,
        told: 0,
    };
    Ok((inlet, OwnedFd::from(other)))
}

/// The plugin's end. Any thread may write; none ever waits.
#[derive(Debug)]
pub(crate) struct LogOutlet {
    socket: UnixDatagram,
    lost: AtomicU64,
    /// Losses that the other end has heard of.
    told: AtomicU64,
}

impl LogOutlet {
    /// The end that came through a descriptor.
    pub(crate) fn received(fd: OwnedFd) -> io::Result<Self> {
        let socket = UnixDatagram::from(fd);
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            lost: AtomicU64::new(0),
            told: AtomicU64::new(0),
        })
    }

    /// Sends a line, or counts it as lost.
    pub(crate) fn send(&self, level: LogLevel, target: &str, message: &str) {
        let message = match cut(message, MAX_MESSAGE) {
            whole if whole.len() == message.len() => whole.to_owned(),
            short => format!("{short}{CUT}"),
        };
        let is_sent = self.put(level_code(level), cut(target, MAX_TARGET), &message);
        if !is_sent {
            self.lost.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Tells of losses that no line has told of; tries again the next time
    /// where there is no room for that either.
    pub(crate) fn tell_losses(&self) {
        if self.lost.load(Ordering::Acquire) > self.told.load(Ordering::Acquire) {
            self.put(NO_LINE, "", "");
        }
    }

    fn put(&self, first: u8, target: &str, message: &str) -> bool {
        let lost = self.lost.load(Ordering::Acquire);
        let record = Writer::new(first).u64(lost).text(target).text(message);
        let is_sent = self.socket.send(record.bytes()).is_ok();
        if is_sent {
            self.told.fetch_max(lost, Ordering::AcqRel);
        }
        is_sent
    }
}

/// The runtime's end.
#[derive(Debug)]
pub(crate) struct LogInlet {
    socket: UnixDatagram,
    /// Lost lines that were told of.
    told: u64,
}

impl LogInlet {
    /// Hands lines to `log` until the process is gone and everything that it
    /// wrote was read. For a thread of its own: `log` may take its time.
    pub(crate) fn listen(mut self, process: BorrowedFd<'_>, log: &OnceLock<LogFn>, who: &str) {
        loop {
            let ready = wait_for(
                [(self.socket.as_fd(), Wanted::Read), (process, Wanted::Read)],
                None,
            );
            self.hear(who, |level, target, message| {
                if let Some(log) = log.get() {
                    log(level, RStr::from(target), RStr::from(message));
                }
            });
            match ready {
                Ok([_, false]) => {}
                Ok([_, true]) | Err(_) => return,
            }
        }
    }

    /// Reads what has come, without waiting.
    fn hear(&mut self, who: &str, mut log: impl FnMut(LogLevel, &str, &str)) {
        let mut room = [0; MAX_LINE];
        while let Ok(length) = self.socket.recv(&mut room) {
            let Ok(line) = read(room.get(..length).unwrap_or_default()) else {
                tracing::warn!("{who} wrote a log line that is not understood");
                continue;
            };
            if line.lost > self.told {
                let more = line.lost - self.told;
                self.told = line.lost;
                tracing::warn!(
                    "{more} log lines of {who} were lost: it writes faster than is read"
                );
            }
            if let Some(level) = line.level {
                log(level, line.target, line.message);
            }
        }
    }
}

struct Line<'a> {
    /// None where the record tells of losses alone.
    level: Option<LogLevel>,
    lost: u64,
    target: &'a str,
    message: &'a str,
}

fn read(record: &[u8]) -> Result<Line<'_>, Malformed> {
    let mut reader = Reader::new(record);
    let first = reader.u8()?;
    Ok(Line {
        level: (first != NO_LINE).then(|| level_of(first)),
        lost: reader.u64()?,
        target: reader.text()?,
        message: reader.text()?,
    })
}

/// At most so many bytes of a text, whole characters.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn level_code(level: LogLevel) -> u8 {
    match level {
        LogLevel::Error => 0,
        LogLevel::Warn => 1,
        LogLevel::Info => 2,
        LogLevel::Debug => 3,
        LogLevel::Trace => 4,
    }
}

fn level_of(code: u8) -> LogLevel {
    match code {
        0 => LogLevel::Error,
        1 => LogLevel::Warn,
        2 => LogLevel::Info,
        3 => LogLevel::Debug,
        _ => LogLevel::Trace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(inlet: &mut LogInlet) -> Vec<String> {
        let mut lines = Vec::new();
        inlet.hear("it", |level, target, message| {
            lines.push(format!("{level:?} {target}: {message}"));
        });
        lines
    }

    #[test]
    fn lines_that_nobody_reads_are_lost_and_counted_and_the_writer_goes_on() {
        let (mut inlet, other) = log_pair().unwrap();
        let outlet = LogOutlet::received(other).unwrap();
        outlet.send(LogLevel::Warn, "arm", "hot");
        assert_eq!(heard(&mut inlet), ["Warn arm: hot"]);
        // Nobody reads: more than any socket keeps.
        let long = "x".repeat(300);
        for _ in 0..10_000 {
            outlet.send(LogLevel::Info, "arm", &long);
        }
        let lost = outlet.lost.load(Ordering::Acquire);
        assert!(lost > 5000, "{lost}");
        // No room: it is told when there is some.
        outlet.tell_losses();
        let read = heard(&mut inlet);
        assert_eq!(read.len() as u64 + lost, 10_000);
        outlet.tell_losses();
        assert_eq!(heard(&mut inlet), Vec::<String>::new());
        assert_eq!(inlet.told, lost);
        // Nothing new is nothing to tell.
        outlet.tell_losses();
        assert!(inlet.socket.recv(&mut [0; 64]).is_err());
        drop(inlet);
        outlet.send(LogLevel::Error, "arm", "nobody is there");
    }

    #[test]
    fn long_lines_are_cut_at_a_character_and_nonsense_is_passed_over() {
        let (mut inlet, other) = log_pair().unwrap();
        let raw = UnixDatagram::from(other.try_clone().unwrap());
        let outlet = LogOutlet::received(other).unwrap();
        raw.send(&[1, 2, 3]).unwrap();
        outlet.send(LogLevel::Error, &"t".repeat(1000), &"é".repeat(MAX_MESSAGE));
        let lines = heard(&mut inlet);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with(&format!("é{CUT}")));
        assert!(lines[0].len() < MAX_LINE);
        assert_eq!(cut("aé", 2), "a");
    }
}
