//! The lock file: which libraries, by their hashes, may be loaded.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::TrustError;

/// Format of the file.
const FORMAT: u32 = 1;
/// Largest lock file (bytes).
const MAX_BYTES: u64 = 1 << 20;
/// Most libraries in one file.
const MAX_LIBRARIES: usize = 1000;

/// The libraries that may be loaded.
///
/// ```toml
/// format = 1
/// [[library]]
/// name = "heads"
/// version = "0.1.0"
/// blake3 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
/// signature = """…"""      # the text of a minisign file; optional
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginLock {
    file: PathBuf,
    libraries: Vec<LockedLibrary>,
}

/// One library of a lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedLibrary {
    /// First half of its plugins' ids.
    pub name: String,
    /// Version of the library.
    pub version: String,
    /// blake3 hash of the file, 64 hexadecimal digits.
    pub blake3: String,
    /// The text of its minisign signature file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    format: u32,
    #[serde(default)]
    library: Vec<LockedLibrary>,
}

impl PluginLock {
    /// A lock file at `file` that lists nothing yet.
    #[must_use]
    pub fn empty(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            libraries: Vec::new(),
        }
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// When it cannot be read, or has a fault.
    pub fn read(file: &Path) -> Result<Self, TrustError> {
        let size = std::fs::metadata(file)
            .map_err(TrustError::io(file, "read"))?
            .len();
        if size > MAX_BYTES {
            return Err(fault(file, "", "at most 1 MiB", format!("{size} bytes")));
        }
        let text = std::fs::read_to_string(file).map_err(TrustError::io(file, "read"))?;
        Self::parse(&text, file)
    }

    /// Checks the text of a lock file.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn parse(text: &str, file: &Path) -> Result<Self, TrustError> {
        let raw: RawLock = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            let line = 1 + text.get(..start).unwrap_or_default().matches('\n').count();
            fault(
                file,
                &format!("line {line}"),
                "a plugin lock in TOML",
                error.message().to_owned(),
            )
        })?;
        if raw.format != FORMAT {
            return Err(fault(file, "format", "1", raw.format.to_string()));
        }
        if raw.library.len() > MAX_LIBRARIES {
            let got = format!("{} libraries", raw.library.len());
            return Err(fault(file, "library", "at most 1000 libraries", got));
        }
        for (index, library) in raw.library.iter().enumerate() {
            let key = |field: &str| format!("library[{index}].{field}");
            if !vola_types::is_word(&library.name) {
                let got = format!("\"{}\"", library.name);
                return Err(fault(file, &key("name"), "a name of [a-z0-9_]+", got));
            }
            if semver::Version::parse(&library.version).is_err() {
                let got = format!("\"{}\"", library.version);
                let expected = "a version, as in 0.1.0";
                return Err(fault(file, &key("version"), expected, got));
            }
            if blake3::Hash::from_hex(&library.blake3).is_err() {
                let got = format!("\"{}\"", library.blake3);
                let expected = "64 hexadecimal digits";
                return Err(fault(file, &key("blake3"), expected, got));
            }
            let earlier = raw.library.iter().take(index);
            if earlier.clone().any(|other| other.name == library.name) {
                let got = format!("\"{}\" twice", library.name);
                return Err(fault(file, &key("name"), "each library once", got));
            }
        }
        Ok(Self {
            file: file.to_owned(),
            libraries: raw.library,
        })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its libraries, sorted by name once [`put`](Self::put) was used.
    #[must_use]
    pub fn libraries(&self) -> &[LockedLibrary] {
        &self.libraries
    }

    /// The library with this hash.
    #[must_use]
    pub fn find(&self, hash: blake3::Hash) -> Option<&LockedLibrary> {
        self.libraries
            .iter()
            .find(|library| blake3::Hash::from_hex(&library.blake3).is_ok_and(|it| it == hash))
    }

    /// The library of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&LockedLibrary> {
        self.libraries.iter().find(|library| library.name == name)
    }

    /// Adds a library, in place of one of the same name.
    pub fn put(&mut self, library: LockedLibrary) {
        self.libraries.retain(|other| other.name != library.name);
        self.libraries.push(library);
        self.libraries.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<(), TrustError> {
        let raw = RawLock {
            format: FORMAT,
            library: self.libraries.clone(),
        };
        let body = toml::to_string(&raw).map_err(|error| {
            fault(
                &self.file,
                "",
                "libraries that TOML can hold",
                error.to_string(),
            )
        })?;
        let text =
            format!("# Libraries that Vola may load; written by `vola plugin lock`.\n{body}");
        let mut beside = self.file.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        std::fs::write(&beside, text).map_err(TrustError::io(&beside, "write"))?;
        std::fs::rename(&beside, &self.file).map_err(TrustError::io(&self.file, "write"))
    }
}

fn fault(file: &Path, key: &str, expected: &'static str, got: String) -> TrustError {
    TrustError::Lock {
        file: file.to_owned(),
        key: if key.is_empty() { "file" } else { key }.to_owned(),
        expected,
        got,
    }
}
