//! Safetensors from outside: read only after their header was found to be small.
//!
//! The format allows a header of 100 MB of JSON and any number of tensors, which
//! costs a reader gigabytes and seconds before a single number is seen. No model
//! comes near the limits here.

use safetensors::SafeTensors;

/// Largest header (bytes of JSON).
const MAX_HEADER_BYTES: u64 = 16 << 20;
/// Most tensors.
const MAX_TENSORS: usize = 100_000;

/// Why bytes are not taken for a safetensors file.
#[derive(Debug, thiserror::Error)]
pub enum SafetensorsFault {
    /// The header is larger than any model needs.
    #[error("its header: expected at most {MAX_HEADER_BYTES} bytes, got {got}")]
    HeaderSize {
        /// Bytes that it claims.
        got: u64,
    },
    /// It holds more tensors than any model has.
    #[error("expected at most {MAX_TENSORS} tensors, got {got}")]
    Tensors {
        /// How many.
        got: usize,
    },
    /// It is damaged, incomplete, or something else.
    #[error(transparent)]
    Format(#[from] safetensors::SafeTensorError),
}

/// The tensors of a file in memory, without a copy.
///
/// # Errors
/// When header or tensors are too many, overlap, leave holes, or do not lie in
/// the file.
pub fn read_safetensors(bytes: &[u8]) -> Result<SafeTensors<'_>, SafetensorsFault> {
    if let Some(length) = bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
        && length > MAX_HEADER_BYTES
    {
        return Err(SafetensorsFault::HeaderSize { got: length });
    }
    let file = SafeTensors::deserialize(bytes)?;
    if file.len() > MAX_TENSORS {
        return Err(SafetensorsFault::Tensors { got: file.len() });
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_claims_too_much_is_refused_before_it_is_read() {
        for claimed in [MAX_HEADER_BYTES + 1, 100_000_000, u64::MAX] {
            let mut bytes = claimed.to_le_bytes().to_vec();
            bytes.extend_from_slice(b"{}");
            let fault = read_safetensors(&bytes).unwrap_err();
            assert!(
                matches!(fault, SafetensorsFault::HeaderSize { got } if got == claimed),
                "{fault}"
            );
        }
        for bytes in [&b""[..], b"1234567", &8_u64.to_le_bytes()] {
            let fault = read_safetensors(bytes).unwrap_err();
            assert!(matches!(fault, SafetensorsFault::Format(_)), "{fault}");
        }
        let mut empty = 2_u64.to_le_bytes().to_vec();
        empty.extend_from_slice(b"{}");
        assert_eq!(read_safetensors(&empty).unwrap().len(), 0);
    }
}
