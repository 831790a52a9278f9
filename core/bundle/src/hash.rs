//! The content hash of a bundle folder.
//!
//! The hash goes into the run log, so that a recording says which policy made
//! it. It covers every file's relative path and bytes; times, owners and the
//! folder's own name do not count. Symbolic links are refused: what they point
//! to may change without the bundle changing.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::BundleError;

/// Most files in a bundle.
const MAX_FILES: u64 = 4096;
/// Largest bundle (bytes).
const MAX_BYTES: u64 = 64 << 30;
/// Deepest folder inside a bundle.
const MAX_DEPTH: usize = 8;

/// The blake3 hash of a folder's content, as 64 hexadecimal digits.
///
/// # Errors
/// When something cannot be read, is neither a plain file nor a folder, or the
/// folder is larger than any honest bundle.
pub fn hash_folder(folder: &Path) -> Result<String, BundleError> {
    hash_files(folder, |_| true)
}

/// The same over the files whose relative path is accepted.
pub(crate) fn hash_files(
    folder: &Path,
    accepts: impl Fn(&str) -> bool,
) -> Result<String, BundleError> {
    let mut files = Vec::new();
    collect(folder, &mut Vec::new(), &mut files)?;
    files.retain(|names| accepts(&names.join("/")));
    files.sort();
    let mut hasher = blake3::Hasher::new();
    let mut total = 0u64;
    for names in &files {
        let path: PathBuf = names
            .iter()
            .fold(folder.to_owned(), |path, name| path.join(name));
        let mut file = fs::File::open(&path).map_err(|source| io(&path, source))?;
        let size = file.metadata().map_err(|source| io(&path, source))?.len();
        total = total.saturating_add(size);
        if total > MAX_BYTES {
            return Err(BundleError::TooLarge {
                path: path.clone(),
                limit: MAX_BYTES,
                size: total,
            });
        }
        // Lengths before contents: no two folders give the same bytes.
        let relative = names.join("/");
        hasher.update(&(relative.len() as u64).to_le_bytes());
        hasher.update(relative.as_bytes());
        hasher.update(&size.to_le_bytes());
        copy(&mut file, size, &mut hasher).map_err(|source| io(&path, source))?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn io(path: &Path, source: std::io::Error) -> BundleError {
    BundleError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    }
}

/// The plain files below a folder, as lists of names.
fn collect(
    folder: &Path,
    at: &mut Vec<String>,
    files: &mut Vec<Vec<String>>,
) -> Result<(), BundleError> {
    for entry in fs::read_dir(folder).map_err(|source| io(folder, source))? {
        let entry = entry.map_err(|source| io(folder, source))?;
        let path = entry.path();
        let foreign = |got: &str| BundleError::ForeignEntry {
            path: path.clone(),
            got: got.to_owned(),
        };
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_name| foreign("a name that is not UTF-8"))?;
        // Does not follow links.
        let kind = entry.file_type().map_err(|source| io(&path, source))?;
        at.push(name);
        if kind.is_dir() {
            if at.len() > MAX_DEPTH {
                return Err(foreign("a folder nested too deep"));
            }
            collect(&path, at, files)?;
        } else if kind.is_file() {
            files.push(at.clone());
        } else if kind.is_symlink() {
            return Err(foreign("a symbolic link"));
        } else {
            return Err(foreign("neither a file nor a folder"));
        }
        at.pop();
        let count = files.len() as u64;
        if count > MAX_FILES {
            return Err(foreign("more files than a bundle may hold"));
        }
    }
    Ok(())
}

/// Feeds exactly `size` bytes; a file that changes meanwhile is an error.
fn copy(file: &mut fs::File, size: u64, hasher: &mut blake3::Hasher) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    let mut read = 0u64;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        read += count as u64;
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
    if read == size {
        Ok(())
    } else {
        Err(std::io::Error::other("the file changed while it was read"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn hash(files: &[(&str, &str)]) -> String {
        hash_folder(folder(files).path()).unwrap()
    }

    #[test]
    fn content_and_names_count_and_nothing_else() {
        let first = hash(&[("a", "1"), ("b/c", "2")]);
        assert_eq!(first.len(), 64);
        assert_eq!(first, hash(&[("b/c", "2"), ("a", "1")]));
        for other in [
            vec![("a", "1"), ("b/c", "3")],
            vec![("a", "1"), ("b/d", "2")],
            vec![("a", "1")],
            vec![("a", "1"), ("b/c", "2"), ("e", "")],
            vec![("a", "12"), ("b/c", "")],
        ] {
            assert_ne!(first, hash(&other), "{other:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused() {
        let folder = folder(&[("a", "1")]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("b")).unwrap();
        let error = hash_folder(folder.path()).unwrap_err();
        assert!(error.to_string().contains("got a symbolic link"), "{error}");
    }
}
