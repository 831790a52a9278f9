//! The corpus of the fuzz target `plugin_lock` in `tests/fuzz`, replayed: each
//! file whole, cut short and with single bytes changed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::path::Path;

#[path = "../../../tests/fuzz/src/plugin_lock.rs"]
mod plugin_lock;

#[test]
fn plugin_locks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/plugin_lock");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        plugin_lock::check(&bytes);
        for end in 0..bytes.len() {
            plugin_lock::check(&bytes[..end]);
            for value in [0x00, 0x7f, b'"', b'[', b'9'] {
                let mut changed = bytes.clone();
                changed[end] = value;
                plugin_lock::check(&changed);
            }
        }
        count += 1;
    }
    assert!(count >= 10, "{count} files");
}
