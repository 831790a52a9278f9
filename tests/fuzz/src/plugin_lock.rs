//! Any text as a plugin lock: an error, or libraries whose hashes are hashes.

use std::path::Path;

use vola_isolation::PluginLock;

/// Panics where a text is accepted that must not be.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let lock = match PluginLock::parse(text, Path::new("fuzz.lock")) {
        Ok(lock) => lock,
        Err(error) => {
            assert!(error.to_string().contains("fuzz.lock"), "{error}");
            return;
        }
    };
    for library in lock.libraries() {
        assert_eq!(library.blake3.len(), 64);
        assert!(library.blake3.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let of_name = lock.named(&library.name);
        assert_eq!(of_name, Some(library), "each library once");
    }
}
