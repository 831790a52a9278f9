//! A key that shows itself to nobody but the server it is for.

use std::path::Path;
use std::sync::Arc;

use reqwest::header::HeaderValue;

use super::setup::SetupError;

/// Longest key, in bytes.
const MAX_KEY_BYTES: usize = 4096;

/// Shorter keys are words like "none" that local servers are given; they are
/// no secrets, and scrubbing them would tear holes into plain text.
const MIN_SECRET_BYTES: usize = 8;

/// What stands in place of a key.
const MARK: &str = "[key]";

/// The key of a model's interface. Neither `Debug` nor anything else prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Arc<str>);

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(not shown)")
    }
}

impl ApiKey {
    /// The key in this text; white space around it does not count. `origin`
    /// says where it came from, for the message.
    ///
    /// # Errors
    /// When it is empty, too long, or holds what no header can hold.
    pub fn new(text: &str, origin: &str) -> Result<Self, SetupError> {
        let key = text.trim();
        let fits = !key.is_empty()
            && key.len() <= MAX_KEY_BYTES
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(SetupError::Key {
                origin: origin.to_owned(),
                reason: "expected one line of visible ASCII characters".to_owned(),
            });
        }
        Ok(Self(key.into()))
    }

    /// The key in a file that only its owner can read.
    ///
    /// # Errors
    /// When the file cannot be read, others may read it, or it holds no key.
    pub fn from_file(path: &Path) -> Result<Self, SetupError> {
        let origin = path.display().to_string();
        let fault = |reason: String| SetupError::Key {
            origin: origin.clone(),
            reason,
        };
        let about = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = about.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(fault(format!(
                    "expected mode 0600, got {mode:04o}: run `chmod 600` on it"
                )));
            }
        }
        if about.len() > 2 * MAX_KEY_BYTES as u64 {
            return Err(fault(format!("{} bytes are no key", about.len())));
        }
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        Self::new(&text, &origin)
    }

    /// The key as a header, marked so that nothing prints it.
    pub(crate) fn header(&self, prefix: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The text with the key replaced by a mark.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        if self.0.len() < MIN_SECRET_BYTES {
            return text.to_owned();
        }
        text.replace(&*self.0, MARK)
    }
}

/// [`ApiKey::scrub`] where there may be no key.
pub(crate) fn scrub(key: Option<&ApiKey>, text: &str) -> String {
    key.map_or_else(|| text.to_owned(), |key| key.scrub(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-test-0123456789";

    #[test]
    fn a_key_is_never_shown() {
        let key = ApiKey::new(&format!(" {SECRET}\n"), "a test").unwrap();
        let header = key.header("Bearer ").unwrap();
        let shown = format!("{key:?} {header:?} {}", key.scrub(&format!("a {SECRET} b")));
        assert!(!shown.contains("0123456789"), "{shown}");
        assert!(shown.ends_with("a [key] b"));
        assert_eq!(header.to_str().unwrap(), format!("Bearer {SECRET}"));
        for wrong in ["", "  ", "two words", "line\nline", "ключ"] {
            let error = ApiKey::new(wrong, "a test").unwrap_err().to_string();
            assert!(wrong.trim().is_empty() || !error.contains(wrong), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, format!("{SECRET}\n")).unwrap();
        for (mode, fits) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match ApiKey::from_file(&path) {
                Ok(key) => assert!(fits && key == ApiKey::new(SECRET, "").unwrap()),
                Err(error) => {
                    let text = error.to_string();
                    assert!(!fits && text.contains("0600") && !text.contains(SECRET));
                }
            }
        }
        assert!(ApiKey::from_file(&folder.path().join("none")).is_err());
    }
}
