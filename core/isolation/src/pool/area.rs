//! One piece of shared memory, and the buffers in it.

use std::{
    io,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use crate::sys::{Access, Mapping, Memfd};

/// Buffers begin at a multiple of this (bytes): what vector units want.
const ALIGNMENT: usize = 64;

/// The memory. Pages are taken from the system when they are first written to.
#[derive(Debug)]
pub(crate) struct Area {
    memory: Memfd,
    mapping: Mapping,
    /// Where it begins in the numbering of its pool.
    base: usize,
    /// Free pieces (offset, length), sorted, never touching each other.
    free: Mutex<Vec<(usize, usize)>>,
}

impl Area {
    /// Memory that others may still map for writing.
    pub(super) fn new(name: &str, bytes: usize, base: usize) -> io::Result<Self> {
        let length = bytes.next_multiple_of(ALIGNMENT).max(ALIGNMENT);
        let memory = Memfd::zeroed(name, length)?;
        let mapping = memory.map(Access::Write)?;
        Ok(Self {
            memory,
            mapping,
            base,
            free: Mutex::new(vec![(0, length)]),
        })
    }

    /// From here on nobody gets a writable mapping; those that exist stay.
    pub(crate) fn seal(&self) -> io::Result<()> {
        self.memory.forbid_new_writers()
    }

    pub(crate) fn memory(&self) -> &Memfd {
        &self.memory
    }

    /// Where it begins in the numbering of its pool.
    pub(crate) fn base(&self) -> usize {
        self.base
    }

    /// The first number after it.
    pub(super) fn end(&self) -> usize {
        self.base + self.mapping.length()
    }

    /// Where a slice lies in this area, when it does.
    pub(crate) fn offset_of(&self, bytes: &[u8]) -> Option<usize> {
        self.mapping.offset_of(bytes)
    }

    /// A buffer; its content is whatever lay there.
    pub(crate) fn buffer(self: &Arc<Self>, length: usize) -> io::Result<PoolBuffer> {
        let room = length.next_multiple_of(ALIGNMENT).max(ALIGNMENT);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = free
            .iter_mut()
            .find(|(_, size)| *size >= room)
            .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let offset = piece.0;
        piece.0 += room;
        piece.1 -= room;
        free.retain(|(_, size)| *size > 0);
        Ok(PoolBuffer {
            area: Arc::clone(self),
            offset,
            room,
            length,
        })
    }

    fn give_back(&self, offset: usize, room: usize) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let index = free.partition_point(|(begin, _)| *begin < offset);
        free.insert(index, (offset, room));
        free.dedup_by(|next, earlier| {
            let touch = earlier.0 + earlier.1 == next.0;
            if touch {
                earlier.1 += next.1;
            }
            touch
        });
    }
}

/// A buffer of the pool; it goes back when dropped.
#[derive(Debug)]
pub struct PoolBuffer {
    area: Arc<Area>,
    offset: usize,
    room: usize,
    length: usize,
}

impl PoolBuffer {
    /// Where it lies in the numbering of its pool.
    pub(crate) fn offset(&self) -> usize {
        self.area.base + self.offset
    }
}

impl Deref for PoolBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the piece was taken out of the free list for this buffer
        // alone, which is borrowed. Stages map it for reading only. A robot's
        // child writes pictures into the buffer that it was lent in `grab`,
        // whose caller has it exclusively and waits for the answer. One that
        // writes at another time breaks that promise: then pixels change while
        // they are read, which every reader survives, since any byte is a pixel
        // and none of them decides what memory is touched.
        let bytes = unsafe { self.area.mapping.lend(self.offset, self.length) };
        bytes.unwrap_or_default()
    }
}

impl DerefMut for PoolBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the buffer is borrowed exclusively.
        let bytes = unsafe { self.area.mapping.lend_mut(self.offset, self.length) };
        bytes.unwrap_or_default()
    }
}

impl Drop for PoolBuffer {
    fn drop(&mut self) {
        self.area.give_back(self.offset, self.room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_apart_and_come_back() {
        let area = Arc::new(Area::new("vola-test", 1024, 4096).unwrap());
        let mut buffers: Vec<PoolBuffer> = (0..4).map(|_| area.buffer(200).unwrap()).collect();
        assert!(area.buffer(1).is_err(), "four times 256 bytes are all");
        for (index, buffer) in buffers.iter_mut().enumerate() {
            buffer.fill(u8::try_from(index).unwrap());
        }
        for (index, buffer) in buffers.iter().enumerate() {
            assert_eq!(buffer.len(), 200);
            assert!(buffer.iter().all(|byte| usize::from(*byte) == index));
            assert_eq!(area.offset_of(buffer), Some(buffer.offset() - 4096));
            assert_eq!(buffer.as_ptr().addr() % ALIGNMENT, 0);
        }
        assert_eq!(area.offset_of(&[0; 8]), None);
        // Whatever the order, the pieces grow together again.
        for index in [2, 0, 1, 0] {
            drop(buffers.remove(index));
        }
        assert_eq!(area.buffer(1024).unwrap().len(), 1024);
        assert_eq!(area.buffer(0).unwrap().len(), 0);
    }
}
