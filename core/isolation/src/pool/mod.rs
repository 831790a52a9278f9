//! Memory for pictures and tensors that isolated plugins read in place.
//!
//! The pool is anonymous memory in areas with one numbering. The first area is
//! this process's: it writes, every stage's child maps the same pages for
//! reading alone, so that a tensor whose buffer comes from here crosses into a
//! child without a copy. An isolated robot adds an area for its pictures, which
//! its child and this process write to and everybody else reads. Each area is
//! sealed against new writers before a child of another plugin sees it: no
//! child can get a writable mapping, also not by opening the descriptor again.
//!
//! One area for all, writable for a robot's child in part, would spare the
//! numbering; but mappings of a part cannot be sealed apart from the rest.

#![expect(
    unsafe_code,
    reason = "a buffer is a slice of the mapping; the free list keeps buffers apart"
)]

mod area;

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

pub use area::PoolBuffer;

pub(crate) use area::Area;

use crate::sys::Mapping;

/// Most areas of one pool: each is a descriptor of every child.
pub(crate) const MAX_AREAS: usize = 8;
/// Room for the pictures of one isolated robot (bytes); pages come with use.
const PICTURE_BYTES: usize = 256 << 20;

/// The pool. Clones are the same pool.
#[derive(Clone, Debug)]
pub struct SharedPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    main: Arc<Area>,
    robots: Mutex<Robots>,
}

#[derive(Debug)]
struct Robots {
    /// Sealed areas, which children may see.
    areas: Vec<Arc<Area>>,
    /// The first number that no area has.
    end: usize,
}

impl SharedPool {
    /// A pool whose first area has this many bytes at most.
    ///
    /// # Errors
    /// When the system gives no memory.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let main = Area::new("vola-pool", bytes, 0)?;
        main.seal()?;
        let end = main.end();
        Ok(Self {
            inner: Arc::new(Inner {
                main: Arc::new(main),
                robots: Mutex::new(Robots {
                    areas: Vec::new(),
                    end,
                }),
            }),
        })
    }

    /// A buffer of `length` bytes; its content is whatever lay there.
    ///
    /// # Errors
    /// When there is no room left.
    pub fn buffer(&self, length: usize) -> io::Result<PoolBuffer> {
        self.inner.main.buffer(length)
    }

    /// Room for the pictures of a robot in this process.
    #[must_use]
    pub fn pictures(&self) -> PictureRoom {
        PictureRoom::over(Arc::clone(&self.inner.main))
    }

    /// A new area for the pictures of an isolated robot, open to writers until
    /// [`admit`](Self::admit) is called.
    pub(crate) fn picture_area(&self) -> io::Result<Area> {
        let mut robots = self.robots();
        if robots.areas.len() + 1 >= MAX_AREAS {
            return Err(io::Error::from(io::ErrorKind::OutOfMemory));
        }
        let area = Area::new("vola-pictures", PICTURE_BYTES, robots.end)?;
        robots.end = area.end();
        Ok(area)
    }

    /// Seals an area of a robot; children that start from now on may read it.
    pub(crate) fn admit(&self, area: Area) -> io::Result<PictureRoom> {
        area.seal()?;
        let area = Arc::new(area);
        self.robots().areas.push(Arc::clone(&area));
        Ok(PictureRoom::over(area))
    }

    /// Every area that a stage's child may read.
    pub(crate) fn areas(&self) -> Vec<Arc<Area>> {
        let mut areas = vec![Arc::clone(&self.inner.main)];
        areas.extend(self.robots().areas.iter().cloned());
        areas
    }

    fn robots(&self) -> std::sync::MutexGuard<'_, Robots> {
        self.inner
            .robots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the pictures of one robot are written. Clones are the same room.
#[derive(Clone, Debug)]
pub struct PictureRoom {
    area: Arc<Area>,
    copied: Arc<AtomicU64>,
}

impl PictureRoom {
    fn over(area: Arc<Area>) -> Self {
        Self {
            area,
            copied: Arc::default(),
        }
    }

    /// A buffer of `length` bytes; its content is whatever lay there.
    ///
    /// # Errors
    /// When there is no room left.
    pub fn buffer(&self, length: usize) -> io::Result<PoolBuffer> {
        self.area.buffer(length)
    }

    /// Pictures that had to be copied, since they were asked for in a buffer
    /// from elsewhere.
    #[must_use]
    pub fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed)
    }

    pub(crate) fn count_copy(&self) {
        self.copied.fetch_add(1, Ordering::Relaxed);
    }

    /// Where a slice lies in the room, when it does.
    pub(crate) fn offset_of(&self, bytes: &[u8]) -> Option<usize> {
        self.area.offset_of(bytes)
    }

    /// Where a buffer of this room lies in it.
    pub(crate) fn offset_in(&self, buffer: &PoolBuffer) -> usize {
        buffer.offset() - self.area.base()
    }
}

/// The pool in a stage's child: every area, for reading.
#[derive(Debug, Default)]
pub(crate) struct PoolView {
    areas: Vec<(usize, Mapping)>,
}

impl PoolView {
    /// Adds an area that begins at this number.
    pub(crate) fn add(&mut self, base: usize, mapping: Mapping) {
        self.areas.push((base, mapping));
    }

    /// Lends bytes in place; none when they lie in no area.
    ///
    /// # Safety
    /// Nobody, in no process, may write to the range while the slice lives.
    pub(crate) unsafe fn lend(&self, number: usize, length: usize) -> Option<&[u8]> {
        self.areas.iter().find_map(|(base, mapping)| {
            let offset = number.checked_sub(*base)?;
            // SAFETY: this function's contract.
            unsafe { mapping.lend(offset, length) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Access;

    fn number_of(pool: &SharedPool, bytes: &[u8]) -> Option<usize> {
        let areas = pool.areas();
        areas
            .iter()
            .find_map(|area| Some(area.base() + area.offset_of(bytes)?))
    }

    #[test]
    fn nobody_gets_a_second_writable_mapping() {
        let pool = SharedPool::new(4096).unwrap();
        let area = pool.picture_area().unwrap();
        // The robot's child, before its library is loaded.
        let child = area.memory().map(Access::Write).unwrap();
        assert_eq!(pool.areas().len(), 1, "nobody sees it yet");
        let room = pool.admit(area).unwrap();
        for area in pool.areas() {
            assert!(area.memory().map(Access::Write).is_err());
            assert!(std::fs::write(area.memory().path(), b"x").is_err());
        }
        // What was mapped before goes on: the child's picture is seen here.
        let buffer = room.buffer(3).unwrap();
        assert!(child.write(room.offset_in(&buffer), b"abc"));
        assert_eq!(&*buffer, b"abc");
    }

    #[test]
    fn areas_have_one_numbering_that_children_resolve() {
        let pool = SharedPool::new(4096).unwrap();
        let area = pool.picture_area().unwrap();
        let room = pool.admit(area).unwrap();
        let mut tensor = pool.buffer(3).unwrap();
        tensor.copy_from_slice(b"abc");
        let mut picture = room.buffer(3).unwrap();
        picture.copy_from_slice(b"def");
        let mut view = PoolView::default();
        for area in pool.areas() {
            view.add(area.base(), area.memory().map(Access::Read).unwrap());
        }
        for buffer in [&tensor, &picture] {
            let number = number_of(&pool, buffer).unwrap();
            assert_eq!(number, buffer.offset());
            // SAFETY: nobody writes while the slice is compared.
            assert_eq!(unsafe { view.lend(number, 3) }, Some(&**buffer));
        }
        assert_eq!(number_of(&pool, &[0; 8]), None);
        // SAFETY: nothing is lent.
        assert_eq!(unsafe { view.lend(usize::MAX, 2) }, None);
        // SAFETY: nothing is lent.
        assert_eq!(unsafe { view.lend(4095, 2) }, None);
        for _ in 2..MAX_AREAS {
            let area = pool.picture_area().unwrap();
            pool.admit(area).unwrap();
        }
        assert!(pool.picture_area().is_err());
    }
}
