//! minisign signatures of libraries.

use minisign_verify::{PublicKey, Signature};

use super::TrustError;

/// The public half of a key that signs libraries.
#[derive(Clone, Debug)]
pub struct SigningKey {
    key: PublicKey,
}

impl SigningKey {
    /// Reads the one-line base64 text of a minisign public key.
    ///
    /// # Errors
    /// When the text is no such key.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let key = PublicKey::from_base64(text.trim()).map_err(|error| TrustError::Key {
            got: text.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self { key })
    }
}

/// Whether one of `keys` signed `bytes`; the reason when none did. Signatures
/// of the old, not pre-hashed kind are refused.
pub(super) fn verify(keys: &[SigningKey], signature: &str, bytes: &[u8]) -> Result<(), String> {
    let signature = Signature::decode(signature).map_err(|error| error.to_string())?;
    let mut reason = "no key is configured".to_owned();
    for key in keys {
        match key.key.verify(bytes, &signature, false) {
            Ok(()) => return Ok(()),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}
