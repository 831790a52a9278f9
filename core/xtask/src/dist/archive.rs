//! A gzipped tar archive whose bytes depend on its contents alone.

use std::io;

use flate2::{Compression, GzBuilder};

use super::Contents;

/// Modification time of every file (s since 1970): the first day of 1980, the
/// oldest that all common archive programs take for a real date.
const FIXED_TIME_S: u64 = 315_532_800;
/// Value of gzip's field for the system that packed: unknown.
const UNKNOWN_SYSTEM: u8 = 255;

/// A file to be packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
    mode: u32,
}

impl Packed {
    /// A program or library.
    pub(crate) fn program(bytes: Vec<u8>) -> Self {
        Self { bytes, mode: 0o755 }
    }

    /// Any other file.
    pub(crate) fn text(bytes: Vec<u8>) -> Self {
        Self { bytes, mode: 0o644 }
    }

    /// blake3 hash of the content.
    pub(crate) fn hash(&self) -> blake3::Hash {
        blake3::hash(&self.bytes)
    }
}

/// The archive, with all files in the folder `top`.
///
/// # Errors
/// When a path does not fit into the format.
pub(crate) fn pack(top: &str, contents: &Contents) -> io::Result<Vec<u8>> {
    let gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(UNKNOWN_SYSTEM)
        .write(Vec::new(), Compression::default());
    let mut archive = tar::Builder::new(gzip);
    for (path, file) in contents {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(file.bytes.len() as u64);
        header.set_mode(file.mode);
        header.set_mtime(FIXED_TIME_S);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, format!("{top}/{path}"), file.bytes.as_slice())?;
    }
    archive.into_inner()?.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn contents(order: [usize; 3]) -> Contents {
        let long = format!("configs/{}/model", "very_long_name".repeat(9));
        let files = [
            ("vola".to_owned(), Packed::program(b"run".to_vec())),
            (
                "README.md".to_owned(),
                Packed::text("words ".repeat(999).into()),
            ),
            (long, Packed::text(Vec::new())),
        ];
        order
            .map(|index| files[index].clone())
            .into_iter()
            .collect()
    }

    #[test]
    fn the_same_contents_give_the_same_bytes() {
        let first = pack("vola-1", &contents([0, 1, 2])).unwrap();
        let again = pack("vola-1", &contents([2, 0, 1])).unwrap();
        assert_eq!(first, again);
        assert_ne!(first, pack("vola-2", &contents([0, 1, 2])).unwrap());
    }

    #[test]
    fn everything_comes_out_as_it_went_in() {
        let contents = contents([0, 1, 2]);
        let bytes = pack("top", &contents).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), FIXED_TIME_S);
            let mode = header.mode().unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            found.push((path, Packed { bytes, mode }));
        }
        let expected: Vec<_> = contents
            .into_iter()
            .map(|(path, file)| (format!("top/{path}"), file))
            .collect();
        assert_eq!(found, expected);
    }
}
