//! Pictures, and the buffers that cameras write them into.
//!
//! A picture is handed over, never copied: the camera writes into a buffer, and
//! whoever reads it has a handle of that buffer. While anybody has one the buffer
//! is not written to. With isolated plugins the buffers are memory that their
//! processes map.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use vola_isolation::{PictureRoom, PoolBuffer};

/// Buffers of one camera: one that is written to, one that is the newest picture,
/// one that the policy reads, one for people.
const BUFFERS: usize = 4;

/// An 8-bit RGB picture. A clone is a handle of the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
    /// `[height, width, 3]`, row-major.
    pub rgb: Pixels,
}

/// The bytes of a picture: a handle. They do not change while it lives.
#[derive(Clone, Default)]
pub struct Pixels(Arc<Buffer>);

enum Buffer {
    Own(Vec<u8>),
    Shared(PoolBuffer),
}

impl Default for Buffer {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Buffer {
    fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(buffer) => buffer,
        }
    }
}

impl Deref for Pixels {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            Buffer::Own(bytes) => bytes,
            Buffer::Shared(buffer) => buffer,
        }
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Buffer::Own(bytes)))
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Pixels {}

impl fmt::Debug for Pixels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes", self.len())
    }
}

/// What became of a robot's pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureCounts {
    /// Taken.
    pub taken: u64,
    /// Not taken, since readers held every buffer of the camera.
    pub dropped: u64,
    /// Copied on their way from the camera's process, beside being taken.
    pub copied: u64,
}

/// Where a robot's pictures are written, and how many were. Clones share both.
#[derive(Clone, Debug, Default)]
pub(crate) struct PictureMemory {
    /// Memory that isolated plugins see; none without any.
    room: Option<PictureRoom>,
    taken: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

impl PictureMemory {
    pub(crate) fn new(room: Option<PictureRoom>) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    pub(crate) fn counts(&self) -> PictureCounts {
        PictureCounts {
            taken: self.taken.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            copied: self.room.as_ref().map_or(0, PictureRoom::copied),
        }
    }

    fn buffer(&self, length: usize) -> Buffer {
        // A full room costs a copy, no more.
        let shared = self.room.as_ref().and_then(|room| room.buffer(length).ok());
        shared.map_or_else(|| Buffer::Own(vec![0; length]), Buffer::Shared)
    }
}

/// The buffers of one camera, used in turn. They come into being when they are
/// needed, so that a camera that nobody reads costs none.
#[derive(Debug)]
pub(crate) struct PictureBuffers {
    memory: PictureMemory,
    length: usize,
    buffers: Vec<Pixels>,
    next: usize,
}

impl PictureBuffers {
    /// For pictures of this length (bytes).
    pub(crate) fn new(memory: PictureMemory, length: usize) -> Self {
        Self {
            memory,
            length,
            buffers: Vec::new(),
            next: 0,
        }
    }

    /// Has `write` fill a buffer that nobody reads; a handle of it, with what
    /// `write` answered. None, and nothing written, when all are held.
    pub(crate) fn take<T, E>(
        &mut self,
        write: impl FnOnce(&mut [u8]) -> Result<T, E>,
    ) -> Option<Result<(Pixels, T), E>> {
        let Some(index) = self.free() else {
            self.memory.dropped.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let buffer = self.buffers.get_mut(index)?;
        // Nobody else has a handle: that is what `free` found, and only this
        // camera makes new ones.
        let answer = write(Arc::get_mut(&mut buffer.0)?.bytes_mut());
        self.next = index + 1;
        Some(answer.map(|answer| {
            self.memory.taken.fetch_add(1, Ordering::Relaxed);
            (buffer.clone(), answer)
        }))
    }

    /// A buffer that nobody reads, the longest unused first.
    fn free(&mut self) -> Option<usize> {
        let count = self.buffers.len();
        let mut order = (0..count).map(|step| (self.next + step) % count);
        let free = order.find(|index| {
            let buffer = self.buffers.get_mut(*index);
            buffer.is_some_and(|pixels| Arc::get_mut(&mut pixels.0).is_some())
        });
        if free.is_some() || count == BUFFERS {
            return free;
        }
        let made = Pixels(Arc::new(self.memory.buffer(self.length)));
        self.buffers.push(made);
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn buffers(memory: &PictureMemory) -> PictureBuffers {
        PictureBuffers::new(memory.clone(), 12)
    }

    fn take(camera: &mut PictureBuffers, value: u8) -> Option<(Pixels, usize)> {
        let taken = camera.take(|bytes| {
            bytes.fill(value);
            Ok::<_, Infallible>(bytes.as_ptr().addr())
        });
        taken.map(|result| result.unwrap())
    }

    #[test]
    fn what_a_camera_wrote_is_what_readers_have() {
        let memory = PictureMemory::default();
        let mut camera = buffers(&memory);
        let mut seen = std::collections::BTreeSet::new();
        for value in 0..20 {
            let (pixels, written_at) = take(&mut camera, value).unwrap();
            assert_eq!(
                pixels.as_ptr().addr(),
                written_at,
                "handed over, not copied"
            );
            let again = pixels.clone();
            assert_eq!(again.as_ptr().addr(), written_at);
            assert_eq!(*pixels, [value; 12]);
            seen.insert(written_at);
        }
        assert_eq!(seen.len(), 1, "nobody held one");
        assert_eq!((memory.counts().taken, memory.counts().dropped), (20, 0));
    }

    #[test]
    fn a_held_picture_is_never_written_to() {
        let memory = PictureMemory::default();
        let mut camera = buffers(&memory);
        let held: Vec<Pixels> = (0..BUFFERS as u8)
            .map(|value| take(&mut camera, value).unwrap().0)
            .collect();
        for _ in 0..3 {
            assert!(take(&mut camera, 99).is_none());
        }
        for (value, pixels) in (0..).zip(&held) {
            assert_eq!(**pixels, [value; 12]);
        }
        let counts = memory.counts();
        assert_eq!((counts.taken, counts.dropped), (BUFFERS as u64, 3));
        // One that is let go is used, the others stay as they are.
        let mut held = held;
        drop(held.remove(1));
        let (fresh, _) = take(&mut camera, 7).unwrap();
        assert_eq!(*fresh, [7; 12]);
        for (value, pixels) in [0, 2, 3].into_iter().zip(&held) {
            assert_eq!(**pixels, [value; 12]);
        }
    }

    #[test]
    fn a_picture_that_failed_is_none_and_holds_nothing() {
        let memory = PictureMemory::default();
        let mut camera = buffers(&memory);
        for _ in 0..10 {
            let failed = camera.take(|_| Err::<(), _>("no picture")).unwrap();
            assert_eq!(failed.unwrap_err(), "no picture");
        }
        assert_eq!(memory.counts(), PictureCounts::default());
        assert!(take(&mut camera, 1).is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn in_a_shared_pool_pictures_lie_in_it_until_it_is_full() {
        let pool = vola_isolation::SharedPool::new(128).unwrap();
        let memory = PictureMemory::new(Some(pool.pictures()));
        let mut camera = buffers(&memory);
        let held: Vec<Pixels> = (0..3).map(|_| take(&mut camera, 5).unwrap().0).collect();
        let is_shared = |pixels: &Pixels| matches!(*pixels.0, Buffer::Shared(_));
        let shared: Vec<bool> = held.iter().map(is_shared).collect();
        assert_eq!(shared, [true, true, false]);
        assert!(held.iter().all(|pixels| **pixels == [5; 12]));
    }
}
