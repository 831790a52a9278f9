//! Memory for pictures and tensors that isolated plugins read in place.
//!
//! One piece of anonymous memory. This process writes to it, every child maps
//! the same pages for reading alone: a tensor whose buffer comes from here
//! crosses into a child without a copy. No child can write to it, also not by
//! opening its descriptor again: it is sealed against new writers.

#![expect(
    unsafe_code,
    reason = "a buffer is a slice of the mapping; the free list keeps buffers apart"
)]

use std::{
    io,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use crate::sys::{Access, Mapping, Memfd};

/// Tensors begin at a multiple of this (bytes): what vector units want.
const ALIGNMENT: usize = 64;

/// The memory. Pages are taken from the system when they are first written to.
#[derive(Clone, Debug)]
pub struct SharedPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    memory: Memfd,
    mapping: Mapping,
    /// Free pieces (offset, length), sorted, never touching each other.
    free: Mutex<Vec<(usize, usize)>>,
}

impl SharedPool {
    /// A pool of this many bytes at most.
    ///
    /// # Errors
    /// When the system gives no memory.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let length = bytes.next_multiple_of(ALIGNMENT).max(ALIGNMENT);
        let memory = Memfd::zeroed("vola-pool", length)?;
        let mapping = memory.map(Access::Write)?;
        memory.forbid_new_writers()?;
        Ok(Self {
            inner: Arc::new(Inner {
                memory,
                mapping,
                free: Mutex::new(vec![(0, length)]),
            }),
        })
    }

    /// A buffer of `length` bytes; its content is whatever lay there.
    ///
    /// # Errors
    /// When there is no room left.
    pub fn buffer(&self, length: usize) -> io::Result<PoolBuffer> {
        let room = length.next_multiple_of(ALIGNMENT).max(ALIGNMENT);
        let mut free = self
            .inner
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let piece = free
            .iter_mut()
            .find(|(_, size)| *size >= room)
            .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let offset = piece.0;
        piece.0 += room;
        piece.1 -= room;
        free.retain(|(_, size)| *size > 0);
        Ok(PoolBuffer {
            pool: self.clone(),
            offset,
            room,
            length,
        })
    }

    /// Where a slice lies in the pool, when it does.
    pub(crate) fn offset_of(&self, bytes: &[u8]) -> Option<usize> {
        self.inner.mapping.offset_of(bytes)
    }

    pub(crate) fn memory(&self) -> &Memfd {
        &self.inner.memory
    }

    fn give_back(&self, offset: usize, room: usize) {
        let mut free = self
            .inner
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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
    pool: SharedPool,
    offset: usize,
    room: usize,
    length: usize,
}

impl PoolBuffer {
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }
}

impl Deref for PoolBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the piece was taken out of the free list for this buffer
        // alone, which is borrowed; children map the pool for reading only.
        let bytes = unsafe { self.pool.inner.mapping.lend(self.offset, self.length) };
        bytes.unwrap_or_default()
    }
}

impl DerefMut for PoolBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the buffer is borrowed exclusively.
        let bytes = unsafe { self.pool.inner.mapping.lend_mut(self.offset, self.length) };
        bytes.unwrap_or_default()
    }
}

impl Drop for PoolBuffer {
    fn drop(&mut self) {
        self.pool.give_back(self.offset, self.room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_apart_and_come_back() {
        let pool = SharedPool::new(1024).unwrap();
        let mut buffers: Vec<PoolBuffer> = (0..4).map(|_| pool.buffer(200).unwrap()).collect();
        assert!(pool.buffer(1).is_err(), "four times 256 bytes are all");
        for (index, buffer) in buffers.iter_mut().enumerate() {
            buffer.fill(u8::try_from(index).unwrap());
        }
        for (index, buffer) in buffers.iter().enumerate() {
            assert_eq!(buffer.len(), 200);
            assert!(buffer.iter().all(|byte| usize::from(*byte) == index));
            assert_eq!(pool.offset_of(buffer), Some(buffer.offset()));
            assert_eq!(buffer.as_ptr().addr() % ALIGNMENT, 0);
        }
        assert_eq!(pool.offset_of(&[0; 8]), None);
        // Whatever the order, the pieces grow together again.
        for index in [2, 0, 1, 0] {
            drop(buffers.remove(index));
        }
        assert_eq!(pool.buffer(1024).unwrap().len(), 1024);
        assert_eq!(pool.buffer(0).unwrap().len(), 0);
    }

    #[test]
    fn nobody_gets_a_second_writable_mapping() {
        let pool = SharedPool::new(4096).unwrap();
        assert!(pool.memory().map(Access::Write).is_err());
        let mut buffer = pool.buffer(3).unwrap();
        buffer.copy_from_slice(b"abc");
        let seen = pool.memory().map(Access::Read).unwrap();
        assert_eq!(seen.read(buffer.offset(), 3).unwrap(), b"abc");
        assert!(std::fs::write(pool.memory().path(), b"x").is_err());
    }
}
