//! What an ELF file says of itself, read as data before the system's loader
//! maps it.
//!
//! The loader maps the parts that a header names without asking whether the file
//! reaches so far; reading one that was cut off then ends the process (SIGBUS).
//! A library for another machine it refuses in words that help nobody.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Length of a 64-bit header (bytes).
const HEADER: usize = 64;
/// Length of the part of a program header that is read here.
const PROGRAM_HEADER: usize = 40;
/// Type of a part that is mapped.
const LOADED: u32 = 1;

/// Architectures by their number in the header, with Rust's names for them.
const MACHINES: [(u16, &str); 6] = [
    (3, "x86"),
    (40, "arm"),
    (62, "x86_64"),
    (183, "aarch64"),
    (243, "riscv64"),
    (258, "loongarch64"),
];

/// Whether a file can be mapped here as far as its headers tell. A file of
/// another format passes; the loader has its own words for it.
pub(crate) fn check(image: &Path) -> Result<(), String> {
    // What cannot be opened or read is told by the loader as well.
    let Ok(mut file) = File::open(image) else {
        return Ok(());
    };
    check_file(&mut file).unwrap_or(Ok(()))
}

fn check_file(file: &mut File) -> io::Result<Result<(), String>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut header = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut header)?;
    if !header.starts_with(b"\x7fELF") {
        return Ok(Ok(()));
    }
    if header.len() < HEADER {
        return Ok(Err(cut_off(HEADER as u64, length)));
    }
    let header = Fields(&header);
    if let Some(foreign) = foreign(&header) {
        return Ok(Err(foreign));
    }
    let (programs_at, sections_at) = (header.u64(32), header.u64(40));
    let (program_size, programs) = (header.u16(54), header.u16(56));
    let table = |at: u64, size: u16, count: u16| {
        at.saturating_add(u64::from(size).saturating_mul(u64::from(count)))
    };
    let mut end = table(sections_at, header.u16(58), header.u16(60));
    end = end.max(table(programs_at, program_size, programs));
    if end > length {
        return Ok(Err(cut_off(end, length)));
    }
    for index in 0..programs {
        file.seek(SeekFrom::Start(table(programs_at, program_size, index)))?;
        let mut bytes = Vec::with_capacity(PROGRAM_HEADER);
        file.take(PROGRAM_HEADER as u64).read_to_end(&mut bytes)?;
        let program = Fields(&bytes);
        if program.u32(0) == LOADED {
            end = end.max(program.u64(8).saturating_add(program.u64(32)));
        }
    }
    Ok(if end > length {
        Err(cut_off(end, length))
    } else {
        Ok(())
    })
}

fn cut_off(end: u64, length: u64) -> String {
    format!("the file is cut off: expected {end} bytes at least, got {length}")
}

/// What a library is for when that is not this machine.
fn foreign(header: &Fields<'_>) -> Option<String> {
    let bits = match header.u8(4) {
        1 => 32,
        2 => 64,
        other => return Some(format!("its header names no width of words ({other})")),
    };
    let is_little = header.u8(5) == 1;
    let number = header.u16(18);
    let name = |number: u16| {
        let known = MACHINES.iter().find(|(it, _)| *it == number);
        known.map_or_else(
            || format!("machine {number}"),
            |(_, name)| (*name).to_owned(),
        )
    };
    let order = if is_little { "" } else { ", big-endian" };
    let is_own = usize::BITS == bits
        && is_little == cfg!(target_endian = "little")
        && MACHINES
            .iter()
            .find(|(_, name)| *name == std::env::consts::ARCH)
            .is_none_or(|(own, _)| *own == number);
    let got = if is_little {
        name(number)
    } else {
        name(number.swap_bytes())
    };
    (!is_own).then(|| {
        format!(
            "it is built for {got}, {bits} bits{order}; this machine is {}, {} bits",
            std::env::consts::ARCH,
            usize::BITS
        )
    })
}

/// Little-endian numbers in bytes; 0 past their end.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let bytes = self.0.get(at..at.saturating_add(N));
        bytes.and_then(|it| it.try_into().ok()).unwrap_or([0; N])
    }

    fn u8(&self, at: usize) -> u8 {
        u8::from_le_bytes(self.array(at))
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.array(at))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(bytes: &[u8]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lib.so");
        std::fs::write(&path, bytes).unwrap();
        check(&path)
    }

    /// A header with one loaded part of ten bytes behind its program header.
    fn image() -> Vec<u8> {
        let mut bytes = vec![0; HEADER + 56 + 10];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        let own = MACHINES
            .iter()
            .find(|(_, name)| *name == std::env::consts::ARCH);
        bytes[18..20].copy_from_slice(&own.unwrap().0.to_le_bytes());
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = 1;
        bytes[72] = 120;
        bytes[96] = 10;
        bytes
    }

    #[test]
    #[cfg(all(target_pointer_width = "64", target_endian = "little"))]
    fn a_file_that_ends_before_its_parts_is_cut_off_at_every_length() {
        let whole = image();
        assert_eq!(judge(&whole), Ok(()));
        for length in 4..whole.len() {
            let refused = judge(&whole[..length]).unwrap_err();
            assert!(refused.contains("is cut off"), "{length}: {refused}");
        }
        // Sizes that overflow are no way around it.
        let mut huge = whole.clone();
        huge[72..80].fill(255);
        huge[96..104].fill(255);
        assert!(judge(&huge).is_err());
        assert_eq!(judge(b"text"), Ok(()), "for the loader to refuse");
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", target_endian = "little"))]
    fn a_file_for_another_machine_is_named() {
        let with = |at: usize, value: u8| {
            let mut bytes = image();
            bytes[at] = value;
            judge(&bytes).unwrap_err()
        };
        assert_eq!(
            with(18, 183),
            "it is built for aarch64, 64 bits; this machine is x86_64, 64 bits"
        );
        assert!(with(18, 9).contains("machine 9"), "{}", with(18, 9));
        assert!(with(4, 1).contains("x86_64, 32 bits"), "{}", with(4, 1));
        assert!(with(5, 2).contains("big-endian"), "{}", with(5, 2));
        assert!(with(4, 7).contains("no width"), "{}", with(4, 7));
    }
}
