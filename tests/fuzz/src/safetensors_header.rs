//! Any bytes as a statistics file, which is safetensors: an error, or finite
//! numbers that can be normalised with.

use vola_bundle::{Statistics, read_safetensors};

/// Panics where a file is accepted that must not be.
pub(crate) fn check(bytes: &[u8]) {
    if let Ok(file) = read_safetensors(bytes) {
        for (name, view) in file.iter() {
            let elements: usize = view.shape().iter().product();
            let bits = elements.checked_mul(view.dtype().bitsize());
            assert_eq!(bits, Some(view.data().len() * 8), "{name}");
        }
    }
    let Err(error) = Statistics::from_bytes(bytes, "fuzz.safetensors") else {
        return;
    };
    assert!(error.to_string().contains("fuzz.safetensors"), "{error}");
}
