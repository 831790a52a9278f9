//! Reads files with a bound on their size, so that a wrong path or a hostile
//! bundle cannot fill the memory.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::error::BundleError;

/// Largest TOML file (bytes).
pub(crate) const MAX_TOML_BYTES: u64 = 1 << 20;
/// Largest statistics file (bytes).
pub(crate) const MAX_STATISTICS_BYTES: u64 = 64 << 20;

/// The whole file, or an error when it is larger than `limit`.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, BundleError> {
    let io = |source| BundleError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    };
    let file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    if size > limit {
        return Err(BundleError::TooLarge {
            path: path.to_owned(),
            limit,
            size,
        });
    }
    let mut bytes = Vec::new();
    // One byte more than allowed shows a file that grew or has no length.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(BundleError::TooLarge {
            path: path.to_owned(),
            limit,
            size: bytes.len() as u64,
        });
    }
    Ok(bytes)
}

/// A TOML file's text.
///
/// # Errors
/// When it cannot be read, is larger than 1 MiB, or is no text.
pub fn read_toml_text(path: &Path) -> Result<String, BundleError> {
    read_text(path, MAX_TOML_BYTES)
}

/// The text of a file of at most `limit` bytes; of a larger one no more is read.
///
/// # Errors
/// When it cannot be read, is larger, or is no text.
pub fn read_text(path: &Path, limit: u64) -> Result<String, BundleError> {
    String::from_utf8(read_bounded(path, limit)?).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        BundleError::Syntax {
            file: path.display().to_string(),
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + before
                .iter()
                .rev()
                .take_while(|byte| **byte != b'\n')
                .count(),
            message: "the file is not UTF-8 text".to_owned(),
        }
    })
}

/// Parses TOML, with the place of a syntax fault.
pub(crate) fn parse_toml(text: &str, file: &str) -> Result<toml::Table, BundleError> {
    text.parse::<toml::Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..start).unwrap_or_default();
        BundleError::Syntax {
            file: file.to_owned(),
            line: 1 + before.matches('\n').count(),
            column: 1 + before.chars().rev().take_while(|c| *c != '\n').count(),
            message: error.message().to_owned(),
        }
    })
}

/// Whether a path stays inside the folder it is joined to.
pub(crate) fn stays_inside(path: &Path) -> bool {
    !path.as_os_str().is_empty()
        && path
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// `path` as seen from the folder of `file`.
pub(crate) fn beside(file: &Path, path: &str) -> PathBuf {
    match file.parent() {
        Some(folder) => folder.join(path),
        None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_bundle_are_seen() {
        for (path, inside) in [
            ("model.safetensors", true),
            ("stats/a.safetensors", true),
            ("./a", true),
            ("../a", false),
            ("stats/../../a", false),
            ("/etc/passwd", false),
            ("", false),
        ] {
            assert_eq!(stays_inside(Path::new(path)), inside, "{path}");
        }
    }

    #[test]
    fn syntax_faults_have_a_place() {
        let error = parse_toml("a = 1\nb = = 2\n", "x.toml")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("x.toml: line 2, column"), "{error}");
    }

    #[test]
    fn large_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big");
        std::fs::write(&path, vec![0; 100]).unwrap();
        assert!(matches!(
            read_bounded(&path, 99),
            Err(BundleError::TooLarge { size: 100, .. })
        ));
        assert_eq!(read_bounded(&path, 100).unwrap().len(), 100);
    }
}
