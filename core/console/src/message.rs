//! How messages of the live connection are written.

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::live::{Attention, LIVE_VERSION};

/// A text message of a type, with the fields of `content`.
pub(crate) fn text(kind: &str, content: &impl Serialize) -> String {
    let mut message = serde_json::to_value(content).unwrap_or_default();
    if let Value::Object(fields) = &mut message {
        fields.insert("v".to_owned(), json!(LIVE_VERSION));
        fields.insert("type".to_owned(), json!(kind));
    }
    message.to_string()
}

/// A binary message: header and bytes.
pub(crate) fn binary(header: &Value, bytes: &[u8]) -> Bytes {
    let header = header.to_string();
    // A header is a few words long.
    let length = u32::try_from(header.len()).unwrap_or(0);
    let mut message = Vec::with_capacity(4 + header.len() + bytes.len());
    message.extend_from_slice(&length.to_le_bytes());
    message.extend_from_slice(header.as_bytes());
    message.extend_from_slice(bytes);
    message.into()
}

/// Where the policy looked.
pub(crate) fn attention(attention: &Attention) -> Bytes {
    let header = json!({
        "v": LIVE_VERSION, "type": "attention", "camera": attention.camera,
        "t": attention.t, "columns": attention.columns, "rows": attention.rows,
    });
    binary(&header, &attention.weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_their_type_and_version() {
        let pong: Value = serde_json::from_str(&text("pong", &json!({"ping": 3}))).unwrap();
        assert_eq!(pong, json!({"ping": 3, "type": "pong", "v": 1}));
        let message = attention(&Attention {
            t: 0.5,
            camera: "front".to_owned(),
            columns: 2,
            rows: 1,
            weights: vec![7, 255],
        });
        let length = u32::from_le_bytes(message[..4].try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&message[4..4 + length]).unwrap();
        assert_eq!(
            (&header["type"], &header["columns"]),
            (&json!("attention"), &json!(2))
        );
        assert_eq!(message[4 + length..], [7, 255]);
    }
}
