//! Anonymous memory with a descriptor, and mappings of it.

use std::{
    ffi::CString,
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd},
    path::PathBuf,
    ptr::NonNull,
    sync::atomic::AtomicU64,
};

/// Anonymous memory, shared by whoever holds its descriptor.
#[derive(Debug)]
pub(crate) struct Memfd {
    file: File,
    length: usize,
}

/// What a mapping allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

/// Seals that keep anybody from changing the length.
const FIXED_LENGTH: libc::c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW;

impl Memfd {
    /// Memory of a fixed length, full of zeros. Pages come into being when
    /// they are touched.
    pub(crate) fn zeroed(name: &str, length: usize) -> io::Result<Self> {
        let file = create(name, 0)?;
        file.set_len(length as u64)?;
        let memory = Self { file, length };
        // Else whoever else has it could shorten it under a mapping.
        memory.seal(FIXED_LENGTH)?;
        Ok(memory)
    }

    /// Memory with these bytes that nobody can change any more.
    pub(crate) fn sealed(name: &str, bytes: &[u8]) -> io::Result<Self> {
        // Kernels before 6.3 do not know the flag and need none.
        let mut file = create(name, libc::MFD_EXEC).or_else(|_unknown| create(name, 0))?;
        file.write_all(bytes)?;
        let memory = Self {
            file,
            length: bytes.len(),
        };
        memory.seal(FIXED_LENGTH | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL)?;
        Ok(memory)
    }

    /// Memory that came through a descriptor.
    pub(crate) fn received(fd: OwnedFd) -> io::Result<Self> {
        let file = File::from(fd);
        let length = usize::try_from(file.metadata()?.len())
            .map_err(|_too_long| io::Error::from(io::ErrorKind::FileTooLarge))?;
        Ok(Self { file, length })
    }

    /// From here on nobody gets a writable mapping or writes through the
    /// descriptor; writable mappings that exist stay so.
    pub(crate) fn forbid_new_writers(&self) -> io::Result<()> {
        self.seal(libc::F_SEAL_FUTURE_WRITE | libc::F_SEAL_SEAL)
    }

    /// A name under which this process can open it, while it is open.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// Maps all of it.
    pub(crate) fn map(&self, access: Access) -> io::Result<Mapping> {
        Mapping::new(self.file.as_fd(), self.length, access)
    }

    fn seal(&self, seals: libc::c_int) -> io::Result<()> {
        // SAFETY: `fcntl` with F_ADD_SEALS takes an integer and touches no memory of ours.
        let result = unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl AsFd for Memfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn create(name: &str, flags: libc::c_uint) -> io::Result<File> {
    let name = CString::new(name)?;
    let flags = flags | libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: `name` is a string with a zero at its end that outlives the call.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `fd` is open and nobody else owns it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// A shared mapping of memory. Other processes may change the bytes at any
/// time, so they are only ever copied in and out, or lent to code that is told.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    length: usize,
    access: Access,
}

// SAFETY: a mapping is plain memory that belongs to no thread; unmapping is
// done once, by whoever drops it.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference bytes are only copied, and addresses given.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(fd: BorrowedFd<'_>, length: usize, access: Access) -> io::Result<Self> {
        let protection = match access {
            Access::Read => libc::PROT_READ,
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
        };
        // SAFETY: a new mapping at an address of the kernel's choice; it
        // replaces nothing that exists.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                protection,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => Ok(Self {
                start,
                length,
                access,
            }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Bytes.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Lends bytes in place; none when the range is not inside.
    ///
    /// # Safety
    /// Nobody, in no process, may write to the range while the slice lives.
    pub(crate) unsafe fn lend(&self, offset: usize, length: usize) -> Option<&[u8]> {
        if !self.holds(offset, length) {
            return None;
        }
        // SAFETY: the range lies inside of the mapping, which lives as long as
        // the slice; that nobody writes is this function's contract.
        Some(unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(offset), length) })
    }

    /// Lends bytes for writing; none when the range is not inside or nothing
    /// may be written.
    ///
    /// # Safety
    /// The range must be the caller's alone in this process while the slice
    /// lives; other processes may at most read it.
    #[allow(
        clippy::mut_from_ref,
        reason = "the mapping is shared by disjoint ranges; the contract makes each exclusive"
    )]
    pub(crate) unsafe fn lend_mut(&self, offset: usize, length: usize) -> Option<&mut [u8]> {
        if self.access != Access::Write || !self.holds(offset, length) {
            return None;
        }
        // SAFETY: the range lies inside of this writable mapping and is the
        // caller's alone by this function's contract.
        Some(unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(offset), length) })
    }

    /// Copies bytes in; false when they do not fit or nothing may be written.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) -> bool {
        if self.access != Access::Write || !self.holds(offset, bytes.len()) {
            return false;
        }
        // SAFETY: `offset..offset + len` lies inside of this writable mapping,
        // and `bytes` is memory of this process alone, so the two do not overlap
        // unless the caller lent a part of the mapping, which `copy` allows.
        unsafe {
            std::ptr::copy(bytes.as_ptr(), self.start.as_ptr().add(offset), bytes.len());
        }
        true
    }

    /// Copies bytes out; none when the range is not inside.
    pub(crate) fn read(&self, offset: usize, length: usize) -> Option<Vec<u8>> {
        if !self.holds(offset, length) {
            return None;
        }
        let mut bytes = Vec::with_capacity(length);
        // SAFETY: the source lies inside of the mapping, the target has room for
        // `length` bytes and is initialised by the copy. The bytes may change
        // meanwhile; any value of a byte is valid, and they are checked after.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.start.as_ptr().add(offset),
                bytes.as_mut_ptr(),
                length,
            );
            bytes.set_len(length);
        }
        Some(bytes)
    }

    /// One word, for both sides to read and write; none outside, or when
    /// nothing may be written.
    pub(crate) fn word(&self, index: usize) -> Option<&AtomicU64> {
        let offset = index.checked_mul(size_of::<u64>())?;
        if self.access != Access::Write || !self.holds(offset, size_of::<u64>()) {
            return None;
        }
        // SAFETY: the word lies inside of the writable mapping, which lives as
        // long as the reference; mappings begin at a page, so it is aligned.
        // Memory whose words are used is used in no other way, here or there.
        Some(unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(offset).cast()) })
    }

    /// Where a slice lies in the mapping, when it does.
    pub(crate) fn offset_of(&self, bytes: &[u8]) -> Option<usize> {
        let begin = self.start.as_ptr().addr();
        let offset = bytes.as_ptr().addr().checked_sub(begin)?;
        self.holds(offset, bytes.len()).then_some(offset)
    }

    /// Whether a range lies inside.
    pub(crate) fn holds(&self, offset: usize, length: usize) -> bool {
        offset
            .checked_add(length)
            .is_some_and(|end| end <= self.length)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what was mapped, once; nothing borrowed from it
        // outlives it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
