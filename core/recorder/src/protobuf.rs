//! The wire format of protocol buffers: the few parts that Foxglove's messages
//! need.
//!
//! Messages are written field by field where they are used; a code generator and
//! its compiler would be more than the six messages that a recording has.

/// A message being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint_raw(&mut self, mut value: u64) {
        while value >= 0x80 {
            // The low seven bits, and a mark that more follow.
            self.0.push((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u32, wire: u8) {
        self.varint_raw(u64::from(field) << 3 | u64::from(wire));
    }

    /// A whole number; zero is left out, as proto3 does.
    pub(crate) fn integer(self, field: u32, value: u64) -> Self {
        if value == 0 {
            return self;
        }
        self.present_integer(field, value)
    }

    /// A whole number, also when it is zero.
    pub(crate) fn present_integer(mut self, field: u32, value: u64) -> Self {
        self.key(field, VARINT);
        self.varint_raw(value);
        self
    }

    /// A double, also when it is zero: fields with presence need it.
    pub(crate) fn double(mut self, field: u32, value: f64) -> Self {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Bytes or a text.
    pub(crate) fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.key(field, LENGTH);
        self.varint_raw(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// A text.
    pub(crate) fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// A message inside of this one.
    pub(crate) fn message(self, field: u32, value: Self) -> Self {
        self.bytes(field, &value.0)
    }
}

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH: u8 = 2;
const FIXED32: u8 = 5;

/// The bytes of the first length-delimited field with this number; none when
/// there is none, or the message is damaged.
pub(crate) fn find_bytes(message: &[u8], wanted: u32) -> Option<&[u8]> {
    let mut rest = message;
    while !rest.is_empty() {
        let key = take_varint(&mut rest)?;
        let found = key >> 3 == u64::from(wanted);
        match (key & 7) as u8 {
            VARINT => {
                take_varint(&mut rest)?;
            }
            FIXED64 => rest = rest.get(8..)?,
            FIXED32 => rest = rest.get(4..)?,
            LENGTH => {
                let length = usize::try_from(take_varint(&mut rest)?).ok()?;
                let value = rest.get(..length)?;
                if found {
                    return Some(value);
                }
                rest = rest.get(length..)?;
            }
            _ => return None,
        }
    }
    None
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_found_again() {
        let inner = Message::new().integer(1, 300).text(2, "x");
        let message = Message::new()
            .integer(1, u64::MAX)
            .double(3, -0.5)
            .message(2, inner)
            .bytes(700, &[1, 2, 3])
            .into_bytes();
        assert_eq!(find_bytes(&message, 700), Some(&[1, 2, 3][..]));
        let inner = find_bytes(&message, 2).unwrap();
        // 300 = 0b10_0101100
        assert_eq!(inner, [0x08, 0xAC, 0x02, 0x12, 1, b'x']);
        assert_eq!(find_bytes(&message, 9), None);
    }

    #[test]
    fn a_damaged_message_has_no_fields() {
        let message = Message::new().bytes(4, &[7; 200]).into_bytes();
        for end in 0..message.len() {
            assert_eq!(find_bytes(&message[..end], 4), None, "{end}");
        }
        assert_eq!(find_bytes(&[0xFF; 30], 1), None);
        assert_eq!(find_bytes(&[0x0B, 1, 2], 1), None);
    }
}
