//! Records over a socket, with a deadline for each.

use std::{
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use crate::sys::{Wanted, wait_for};

/// Longest record (bytes).
const MAX_RECORD: usize = 32 << 20;
/// Bytes that are asked of the system at once.
const READ_SIZE: usize = 64 << 10;
/// Bytes of a record's length.
const LENGTH: usize = 4;
/// How long an answer is looked for before the thread sleeps. To be woken takes a
/// thread of an idle core longer than most answers take to come.
const EAGER: Duration = Duration::from_micros(60);

/// Why no record came or went.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    /// The other side is gone.
    #[error("the other side is gone")]
    Gone,
    /// The deadline is past.
    #[error("the deadline is past")]
    Late,
    /// The socket failed, or the record is too long.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One end of a pair. It never blocks but in its own waits.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: UnixStream,
    /// Room for what comes; its length is not what has come.
    received: Vec<u8>,
    /// Bytes of it that have come.
    filled: usize,
    /// Bytes at its front that were handed out.
    used: usize,
    /// The last record's bytes with their length, for the next one's.
    sent: Vec<u8>,
}

impl Channel {
    /// Two ends.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (own, other) = UnixStream::pair()?;
        Ok((Self::over(own)?, OwnedFd::from(other)))
    }

    /// The end that came through a descriptor.
    pub(crate) fn received(fd: OwnedFd) -> io::Result<Self> {
        Self::over(UnixStream::from(fd))
    }

    fn over(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            received: Vec::new(),
            filled: 0,
            used: 0,
            sent: Vec::new(),
        })
    }

    /// Another handle of the same end, for writing only.
    pub(crate) fn writer(&self) -> io::Result<Self> {
        Self::over(self.socket.try_clone()?)
    }

    /// Tells the other side that nothing more comes from here.
    pub(crate) fn close(&self) {
        // Nothing is lost when the other side is gone already.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }

    /// Sends one record.
    pub(crate) fn send(
        &mut self,
        record: &[u8],
        deadline: Option<Instant>,
    ) -> Result<(), ChannelError> {
        let length = u32::try_from(record.len())
            .ok()
            .filter(|length| *length as usize <= MAX_RECORD)
            .ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.sent.clear();
        self.sent.shrink_to(READ_SIZE);
        self.sent.extend_from_slice(&length.to_le_bytes());
        self.sent.extend_from_slice(record);
        let mut rest = self.sent.as_slice();
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(0) => return Err(ChannelError::Gone),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let [ready] = wait_for([(self.socket.as_fd(), Wanted::Write)], deadline)?;
                    if !ready {
                        return Err(ChannelError::Late);
                    }
                }
                Err(error) if is_gone(&error) => return Err(ChannelError::Gone),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The next record, whenever it comes. A process that has ended (`process`
    /// became readable) counts as gone once everything it sent was read.
    pub(crate) fn receive(
        &mut self,
        process: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
    ) -> Result<Vec<u8>, ChannelError> {
        self.receive_after(None, process, deadline)
    }

    /// The same for what was asked for just now and takes little time: it is
    /// looked for a moment before the thread sleeps. Not for who waits for
    /// questions, who would look for nothing most of the time.
    pub(crate) fn receive_answer(
        &mut self,
        process: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
    ) -> Result<Vec<u8>, ChannelError> {
        let until = Instant::now() + EAGER;
        let until = deadline.map_or(until, |late| late.min(until));
        self.receive_after(Some(until), process, deadline)
    }

    fn receive_after(
        &mut self,
        eager_until: Option<Instant>,
        process: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
    ) -> Result<Vec<u8>, ChannelError> {
        loop {
            if let Some(record) = self.next()? {
                return Ok(record);
            }
            match self.fill() {
                Ok(0) => return Err(ChannelError::Gone),
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if eager_until.is_some_and(|until| Instant::now() < until) {
                        // The other side may need this core.
                        std::thread::yield_now();
                        continue;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_gone(&error) => return Err(ChannelError::Gone),
                Err(error) => return Err(error.into()),
            }
            let socket = (self.socket.as_fd(), Wanted::Read);
            let (readable, ended) = match process {
                Some(process) => {
                    let [readable, ended] = wait_for([socket, (process, Wanted::Read)], deadline)?;
                    (readable, ended)
                }
                None => (wait_for([socket], deadline)? == [true], false),
            };
            if !readable {
                return Err(if ended {
                    ChannelError::Gone
                } else {
                    ChannelError::Late
                });
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        if self.used > 0 {
            self.received.copy_within(self.used..self.filled, 0);
            self.filled -= self.used;
            self.used = 0;
        }
        if self.filled == 0 {
            // One long record is no reason to keep its room.
            self.received.truncate(READ_SIZE);
            self.received.shrink_to(READ_SIZE);
        }
        if self.received.len() < self.filled + READ_SIZE {
            self.received.resize(self.filled + READ_SIZE, 0);
        }
        let room = self.received.get_mut(self.filled..).unwrap_or_default();
        let count = self.socket.read(room)?;
        self.filled += count;
        Ok(count)
    }

    /// A whole record among the bytes that have come.
    fn next(&mut self) -> Result<Option<Vec<u8>>, ChannelError> {
        let come = self.received.get(self.used..self.filled);
        let Some((length, rest)) = come.unwrap_or_default().split_first_chunk::<LENGTH>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_RECORD {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
        }
        let Some(record) = rest.get(..length) else {
            return Ok(None);
        };
        let record = record.to_vec();
        self.used += LENGTH + length;
        Ok(Some(record))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(20))
    }

    #[test]
    fn records_keep_their_borders() {
        let (mut one, other) = Channel::pair().unwrap();
        let mut other = Channel::received(other).unwrap();
        let large = vec![7; 150_000];
        one.send(b"a", None).unwrap();
        one.send(b"", None).unwrap();
        one.send(&large, None).unwrap();
        assert_eq!(other.receive(None, None).unwrap(), b"a");
        assert_eq!(other.receive(None, None).unwrap(), b"");
        assert_eq!(other.receive(None, None).unwrap(), large);
        assert!(matches!(
            other.receive(None, soon()),
            Err(ChannelError::Late)
        ));
        // Nobody reads: the sender gives up at its deadline.
        let endless = vec![0; 8 << 20];
        assert!(matches!(
            one.send(&endless, soon()),
            Err(ChannelError::Late)
        ));
        drop(one);
        while let Ok(record) = other.receive(None, soon()) {
            assert!(record.len() <= 8 << 20);
        }
        assert!(matches!(other.receive(None, None), Err(ChannelError::Gone)));
        assert!(matches!(other.send(b"x", None), Err(ChannelError::Gone)));
    }

    #[test]
    fn a_lying_length_is_refused() {
        let (own, other) = UnixStream::pair().unwrap();
        let mut channel = Channel::received(OwnedFd::from(own)).unwrap();
        let mut other = other;
        other.write_all(&u32::MAX.to_le_bytes()).unwrap();
        assert!(matches!(
            channel.receive(None, None),
            Err(ChannelError::Io(_))
        ));
    }
}
