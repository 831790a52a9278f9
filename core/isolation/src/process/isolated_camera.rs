//! A camera whose plugin runs in a child: pictures lie where the caller wants them.

use std::time::Instant;

use vola_abi::{CallResult, CameraAbi, FaultAbi, ImageBufferAbi};

use super::{
    child::fault_kind,
    isolated_embodiment::{Link, to_abi},
};
use crate::{
    PictureRoom, PoolBuffer,
    channel::{Channel, ChannelError},
    wire::{Ask, Malformed, Reader, Writer, answer},
};

/// A camera with a channel of its own. Its child writes into the caller's buffer
/// where that lies in the robot's memory for pictures, else into a spare one
/// that is copied.
pub(super) struct IsolatedCamera {
    channel: Channel,
    link: Link,
    room: PictureRoom,
    spare: Option<PoolBuffer>,
    /// A picture was asked for and not answered: its buffer may be written to.
    unanswered: bool,
}

impl IsolatedCamera {
    pub(super) fn new(channel: Channel, link: Link, room: PictureRoom) -> Self {
        Self {
            channel,
            link,
            room,
            spare: None,
            unanswered: false,
        }
    }

    fn grab_or(&mut self, image: &mut ImageBufferAbi<'_>) -> Result<(), FaultAbi> {
        let deadline = Instant::now() + self.link.call;
        if self.unanswered {
            // Until then no buffer of this camera is anybody's to read.
            self.receive(deadline)?;
        }
        let here = self.room.offset_of(image.data.as_slice());
        let offset = match here {
            Some(offset) => offset,
            None => self.spare(image.data.len())?,
        };
        let record = Writer::new(Ask::Grab as u8)
            .u32(image.width)
            .u32(image.height)
            .u64(offset as u64)
            .u64(image.data.len() as u64)
            .u64(image.capture_time_ns);
        self.channel
            .send(record.bytes(), Some(deadline))
            .map_err(|error| self.broken(&error.to_string()))?;
        self.unanswered = true;
        let answered = self.receive(deadline)?;
        let mut reader = Reader::new(&answered);
        let nonsense = |error: Malformed| self.broken(&error.to_string());
        if reader.u8().map_err(nonsense)? != answer::DONE {
            let kind = fault_kind(reader.u8().map_err(nonsense)?);
            return Err(FaultAbi::new(kind, reader.text().map_err(nonsense)?));
        }
        image.capture_time_ns = reader.u64().map_err(nonsense)?;
        if here.is_none()
            && let Some(spare) = &self.spare
        {
            self.room.count_copy();
            let target = image.data.as_mut_slice();
            let source = spare.get(..target.len()).unwrap_or_default();
            target.copy_from_slice(source);
        }
        Ok(())
    }

    /// The answer to the picture that was asked for last.
    fn receive(&mut self, deadline: Instant) -> Result<Vec<u8>, FaultAbi> {
        let answered = self.channel.receive(None, Some(deadline));
        self.unanswered = matches!(answered, Err(ChannelError::Late));
        answered.map_err(|error| self.broken(&error.to_string()))
    }

    /// Where the spare buffer lies, of at least this length.
    fn spare(&mut self, length: usize) -> Result<usize, FaultAbi> {
        if self.spare.as_ref().is_none_or(|it| it.len() < length) {
            self.spare = None;
            let made = self.room.buffer(length);
            let made = made.map_err(|error| {
                self.broken(&format!("no room for a picture of {length} bytes: {error}"))
            })?;
            self.spare = Some(made);
        }
        let offset = self.spare.as_ref().map(|it| self.room.offset_in(it));
        offset.ok_or_else(|| self.broken("no room for a picture"))
    }

    fn broken(&self, reason: &str) -> FaultAbi {
        self.link.fault(Ask::Grab, reason)
    }
}

impl CameraAbi for IsolatedCamera {
    fn grab(&mut self, image: &mut ImageBufferAbi<'_>) -> CallResult<()> {
        to_abi(self.grab_or(image))
    }
}
