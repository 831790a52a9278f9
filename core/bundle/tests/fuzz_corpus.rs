//! The corpora of the fuzz targets in `tests/fuzz`, replayed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a panic is the report"
)]

use std::path::Path;

#[path = "../../../tests/fuzz/src/chunk_frame.rs"]
mod chunk_frame;
#[path = "../../../tests/fuzz/src/deployment.rs"]
mod deployment;
#[path = "../../../tests/fuzz/src/safetensors_header.rs"]
mod safetensors_header;

/// Files of a corpus, each given to the target whole, cut short and with single
/// bytes changed.
fn replay(corpus: &str, check: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join(corpus)).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        check(&bytes);
        for end in (0..bytes.len()).step_by(bytes.len() / 50 + 1) {
            check(&bytes[..end]);
            for value in [0x00, 0x7f, 0xff, b'-', b'9'] {
                let mut changed = bytes.clone();
                changed[end] = value;
                check(&changed);
            }
        }
        count += 1;
    }
    count
}

#[test]
fn deployments() {
    assert!(replay("deployment", deployment::check) >= 6);
}

#[test]
fn chunk_frames() {
    assert!(replay("chunk_frame", chunk_frame::check) >= 6);
}

#[test]
fn safetensors_headers() {
    assert!(replay("safetensors_header", safetensors_header::check) >= 12);
}
