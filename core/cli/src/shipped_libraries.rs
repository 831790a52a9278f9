//! The lock file that lies beside a packed program: are the libraries that were
//! loaded the ones it came with?

use std::path::{Path, PathBuf};

use vola_isolation::{LockedLibrary, PluginLock};
use vola_runtime::PluginLibrary;

use crate::{failure::Failure, workplace::shipped_lock};

/// The libraries that a packed program came with.
#[derive(Clone, Debug)]
pub(crate) struct ShippedLibraries {
    lock: PluginLock,
    /// The folder of the program, which the archive was unpacked to.
    folder: PathBuf,
}

/// How a loaded library differs from the shipped one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The shipped file is missing, is refused, or has another content.
    Spoiled(String),
    /// A library of the same name from elsewhere takes its place.
    Replaced(String),
}

/// A loaded library, as far as it is compared.
struct Found<'a> {
    path: &'a Path,
    version: &'a str,
    hash: String,
}

impl ShippedLibraries {
    /// Those of the program that runs; none for one that was not packed.
    ///
    /// # Errors
    /// When the lock file is there and cannot be read.
    pub(crate) fn of_program() -> Result<Option<Self>, Failure> {
        let Some(file) = shipped_lock() else {
            return Ok(None);
        };
        let folder = file.parent().unwrap_or(Path::new(""));
        Ok(Some(Self {
            lock: PluginLock::read(&file)?,
            folder: real(folder),
        }))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.lock.libraries().len()
    }

    /// Compares them with what was loaded.
    pub(crate) fn differences(&self, loaded: &[PluginLibrary]) -> Vec<Difference> {
        let check = |locked: &LockedLibrary| {
            let found = loaded.iter().find(|library| library.name() == locked.name);
            let found = found.map(|library| Found {
                path: library.path(),
                version: library.version(),
                hash: library.hash().to_hex().to_string(),
            });
            self.compare(locked, found.as_ref())
        };
        self.lock.libraries().iter().filter_map(check).collect()
    }

    fn compare(&self, locked: &LockedLibrary, found: Option<&Found<'_>>) -> Option<Difference> {
        let LockedLibrary { name, version, .. } = locked;
        let Some(found) = found else {
            let text = format!("`{name}`: expected the shipped library, which was not loaded");
            return Some(Difference::Spoiled(text));
        };
        if found.hash == locked.blake3 {
            return None;
        }
        let path = found.path.display();
        Some(if real(found.path).starts_with(&self.folder) {
            Difference::Spoiled(format!("`{name}`: {path} is not the file that was shipped"))
        } else {
            let text = format!(
                "`{name}` {version} is replaced by {path} ({})",
                found.version
            );
            Difference::Replaced(text)
        })
    }
}

/// The path without links, or as it is where it does not exist.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_has_its_kind() {
        let shipped = blake3_of('a');
        let text = format!(
            "format = 1\n[[library]]\nname = 'heads'\nversion = '0.1.0'\nblake3 = '{shipped}'\n"
        );
        let libraries = ShippedLibraries {
            lock: PluginLock::parse(&text, Path::new("/opt/vola/plugins.lock")).unwrap(),
            folder: PathBuf::from("/opt/vola"),
        };
        assert_eq!(libraries.len(), 1);
        let locked = &libraries.lock.libraries()[0];
        let compare = |path: &str, hash: String| {
            let found = Found {
                path: Path::new(path),
                version: "0.2.0",
                hash,
            };
            libraries.compare(locked, Some(&found))
        };
        let (inside, elsewhere) = ("/opt/vola/plugins/libheads.so", "/elsewhere/libheads.so");
        assert_eq!(compare(inside, shipped.clone()), None);
        // The same content from elsewhere is the same library.
        assert_eq!(compare(elsewhere, shipped), None);
        assert!(matches!(
            compare(inside, blake3_of('b')),
            Some(Difference::Spoiled(_))
        ));
        match compare(elsewhere, blake3_of('b')) {
            Some(Difference::Replaced(text)) => assert!(text.contains("/elsewhere"), "{text}"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            libraries.compare(locked, None),
            Some(Difference::Spoiled(_))
        ));
    }

    /// Something of a hash's form.
    fn blake3_of(digit: char) -> String {
        std::iter::repeat_n(digit, 64).collect()
    }
}
