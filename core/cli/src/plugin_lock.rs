//! The list of shipped plugin libraries, `plugins.lock`, that lies beside a
//! packed program: are the libraries that were loaded the ones it came with?

use std::path::{Path, PathBuf};

use serde::Deserialize;
use vola_runtime::PluginLibrary;

use crate::failure::Failure;

/// The file's name.
const FILE: &str = "plugins.lock";

/// The list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PluginLock {
    #[serde(skip)]
    file: PathBuf,
    #[serde(default, rename = "library")]
    libraries: Vec<Locked>,
}

/// One library of the list.
#[derive(Clone, Debug, Deserialize)]
struct Locked {
    name: String,
    version: String,
    /// Relative to the list.
    file: PathBuf,
    /// Hash of the file's content, in hexadecimal digits.
    blake3: String,
}

/// How a loaded library differs from the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The shipped file is missing, is refused, or has another content.
    Spoiled(String),
    /// A library of the same name from elsewhere takes its place.
    Replaced(String),
}

impl PluginLock {
    /// The list beside the program; none for a program that was not packed.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(crate) fn beside_program() -> Result<Option<Self>, Failure> {
        let program = std::env::current_exe().unwrap_or_default();
        let file = program.with_file_name(FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&file).map_err(Failure::file(&file, "read"))?;
        Self::parse(&text, &file).map(Some)
    }

    fn parse(text: &str, file: &Path) -> Result<Self, Failure> {
        let mut lock: Self = toml::from_str(text).map_err(|error| Failure::Content {
            path: file.to_owned(),
            reason: error.message().to_owned(),
            help: "unpack the archive again",
        })?;
        file.clone_into(&mut lock.file);
        Ok(lock)
    }

    /// How many libraries it lists.
    pub(crate) fn len(&self) -> usize {
        self.libraries.len()
    }

    /// Compares it with what was loaded.
    pub(crate) fn differences(&self, loaded: &[PluginLibrary]) -> Vec<Difference> {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let check = |locked: &Locked| {
            let shipped = folder.join(&locked.file);
            let found = loaded.iter().find(|library| library.name() == locked.name);
            let found = found.map(|library| Found {
                path: library.path(),
                version: library.version(),
                hash: library.hash().to_hex().to_string(),
            });
            locked.compare(&shipped, found.as_ref())
        };
        self.libraries.iter().filter_map(check).collect()
    }
}

/// A loaded library, as far as it is compared.
struct Found<'a> {
    path: &'a Path,
    version: &'a str,
    hash: String,
}

impl Locked {
    fn compare(&self, shipped: &Path, found: Option<&Found<'_>>) -> Option<Difference> {
        let Self { name, version, .. } = self;
        let Some(found) = found else {
            let text = format!(
                "`{name}`: expected {}, which was not loaded",
                shipped.display()
            );
            return Some(Difference::Spoiled(text));
        };
        if found.hash == self.blake3 {
            return None;
        }
        if same_file(found.path, shipped) {
            let text = format!(
                "`{name}`: {} is not the file that was shipped",
                shipped.display()
            );
            return Some(Difference::Spoiled(text));
        }
        Some(Difference::Replaced(format!(
            "`{name}` {version} is replaced by {} ({})",
            found.path.display(),
            found.version
        )))
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "[[library]]\nname = 'heads'\nversion = '0.1.0'\n\
        file = 'plugins/libheads.so'\nblake3 = 'abc'\n";

    #[test]
    fn each_difference_has_its_kind() {
        let lock = PluginLock::parse(LOCK, Path::new("/opt/vola/plugins.lock")).unwrap();
        assert_eq!(lock.len(), 1);
        let shipped = Path::new("/opt/vola/plugins/libheads.so");
        let compare = |path: &str, hash: &str| {
            let found = Found {
                path: Path::new(path),
                version: "0.2.0",
                hash: hash.to_owned(),
            };
            lock.libraries[0].compare(shipped, Some(&found))
        };
        assert_eq!(compare("/opt/vola/plugins/libheads.so", "abc"), None);
        // The same content from elsewhere is the same library.
        assert_eq!(compare("/elsewhere/libheads.so", "abc"), None);
        assert!(matches!(
            compare("/opt/vola/plugins/libheads.so", "abd"),
            Some(Difference::Spoiled(_))
        ));
        match compare("/elsewhere/libheads.so", "abd") {
            Some(Difference::Replaced(text)) => assert!(text.contains("/elsewhere"), "{text}"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            lock.libraries[0].compare(shipped, None),
            Some(Difference::Spoiled(_))
        ));
    }

    #[test]
    fn a_damaged_list_is_named() {
        for text in ["[[library", "[[library]]\nname = 3"] {
            let error = PluginLock::parse(text, Path::new("x/plugins.lock")).unwrap_err();
            assert!(error.to_string().contains("x/plugins.lock"), "{error}");
        }
    }
}
