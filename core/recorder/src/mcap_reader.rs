//! Reads MCAP front to back, as far as it is whole.
//!
//! Only what this crate writes is read: chunks without compression. Every length
//! is compared with what is there before it is believed.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use crate::{
    RecorderError, Result,
    mcap_writer::{MAGIC, op},
};

/// Largest record that is believed (bytes).
const MAX_RECORD: u64 = 512 << 20;

/// One record of interest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    /// Texts by key.
    Metadata {
        name: &'a str,
        values: Vec<(&'a str, &'a str)>,
    },
    /// A channel's number and topic.
    Channel { id: u16, topic: &'a str },
    /// A message: its channel, its time (ns), its content.
    Message {
        channel: u16,
        time_ns: u64,
        data: &'a [u8],
    },
}

/// Calls `each` with every record of interest; says why it stopped before the
/// file's proper end, if it did.
///
/// # Errors
/// When the file cannot be opened or read.
pub(crate) fn visit_records(
    path: &Path,
    each: &mut dyn FnMut(Record<'_>),
) -> Result<Option<String>> {
    let file = File::open(path).map_err(RecorderError::io(path))?;
    let size = file.metadata().map_err(RecorderError::io(path))?.len();
    let mut input = BufReader::new(file);
    let mut left = size;
    let cut = || Ok(Some("it stops in the middle".to_owned()));
    let mut magic = [0; MAGIC.len()];
    if size < MAGIC.len() as u64 {
        return cut();
    }
    input
        .read_exact(&mut magic)
        .map_err(RecorderError::io(path))?;
    left -= MAGIC.len() as u64;
    if magic != MAGIC {
        return Ok(Some("it does not begin as an MCAP file does".to_owned()));
    }
    let mut content = Vec::new();
    loop {
        let mut head = [0; 9];
        if left < head.len() as u64 {
            return cut();
        }
        input
            .read_exact(&mut head)
            .map_err(RecorderError::io(path))?;
        left -= head.len() as u64;
        let [kind, length @ ..] = head;
        let length = u64::from_le_bytes(length);
        if length > left {
            return cut();
        }
        if length > MAX_RECORD {
            return Ok(Some(format!("a record of {length} bytes")));
        }
        content.clear();
        let read = (&mut input)
            .take(length)
            .read_to_end(&mut content)
            .map_err(RecorderError::io(path))?;
        if read as u64 != length {
            return cut();
        }
        left -= length;
        let result = match kind {
            op::CHUNK => visit_chunk(&content, each),
            // The summary says again what was there.
            op::DATA_END => return Ok(end_fault(&mut input, left)),
            _ => visit_one(kind, &content, each),
        };
        if let Err(fault) = result {
            return Ok(Some(fault.to_owned()));
        }
    }
}

/// Whether the rest of the file is a summary with its end.
fn end_fault(input: &mut impl Read, left: u64) -> Option<String> {
    let mut rest = Vec::new();
    let is_read = left <= MAX_RECORD && input.take(left).read_to_end(&mut rest).is_ok();
    // Footer: kind, length, two places, checksum; then the last bytes.
    let footer = rest.len().checked_sub(29 + MAGIC.len());
    let whole = footer.is_some_and(|start| {
        let end = rest.len() - MAGIC.len();
        rest.get(start) == Some(&op::FOOTER) && rest.get(end..) == Some(&MAGIC) && {
            let told = rest.get(end - 4..end).map(|crc| crc.to_vec());
            let counted = rest.get(..end - 4).map(crc32fast::hash);
            told == counted.map(|crc| crc.to_le_bytes().to_vec())
        }
    });
    (!(is_read && whole)).then(|| "its summary is damaged or missing".to_owned())
}

type Fault = &'static str;

/// The records of a chunk, when its checksum is right.
fn visit_chunk(content: &[u8], each: &mut dyn FnMut(Record<'_>)) -> std::result::Result<(), Fault> {
    const SHORT: Fault = "a chunk is too short";
    let mut rest = Rest(content);
    let times_and_size = rest.take(24).ok_or(SHORT)?;
    let size = times_and_size.get(16..).and_then(|it| it.try_into().ok());
    let crc = rest.u32().ok_or(SHORT)?;
    if !rest.text().ok_or(SHORT)?.is_empty() {
        return Err("a chunk is compressed, which is not read here");
    }
    let length = rest.u64().ok_or(SHORT)?;
    let records = usize::try_from(length)
        .ok()
        .and_then(|length| rest.take(length))
        .ok_or(SHORT)?;
    if size.map(u64::from_le_bytes) != Some(length) || crc32fast::hash(records) != crc {
        return Err("a chunk's checksum is wrong");
    }
    let mut rest = Rest(records);
    while !rest.0.is_empty() {
        let kind = rest.u8().ok_or(SHORT)?;
        let length = rest.u64().and_then(|it| usize::try_from(it).ok());
        let content = length.and_then(|it| rest.take(it)).ok_or(SHORT)?;
        visit_one(kind, content, each)?;
    }
    Ok(())
}

fn visit_one(
    kind: u8,
    content: &[u8],
    each: &mut dyn FnMut(Record<'_>),
) -> std::result::Result<(), Fault> {
    let mut rest = Rest(content);
    match kind {
        op::METADATA => each(metadata(&mut rest).ok_or("metadata is damaged")?),
        op::CHANNEL => each(channel(&mut rest).ok_or("a channel is damaged")?),
        op::MESSAGE => each(message(&mut rest).ok_or("a message is damaged")?),
        _ => {}
    }
    Ok(())
}

fn metadata<'a>(rest: &mut Rest<'a>) -> Option<Record<'a>> {
    let name = rest.text()?;
    let length = rest.u32()?;
    let mut map = Rest(rest.take(length as usize)?);
    let mut values = Vec::new();
    while !map.0.is_empty() {
        values.push((map.text()?, map.text()?));
    }
    Some(Record::Metadata { name, values })
}

fn channel<'a>(rest: &mut Rest<'a>) -> Option<Record<'a>> {
    let id = rest.u16()?;
    rest.u16()?;
    let topic = rest.text()?;
    Some(Record::Channel { id, topic })
}

fn message<'a>(rest: &mut Rest<'a>) -> Option<Record<'a>> {
    let channel = rest.u16()?;
    rest.u32()?;
    let time_ns = rest.u64()?;
    rest.u64()?;
    let data = rest.0;
    Some(Record::Message {
        channel,
        time_ns,
        data,
    })
}

/// What of a record is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.u32()?;
        std::str::from_utf8(self.take(length as usize)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::mcap_writer::McapWriter;

    /// A file of three chunks with two messages each.
    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = McapWriter::begin(&mut bytes, "test").unwrap();
        writer
            .metadata("about", &[("a", "1".to_owned()), ("b", "zwei".to_owned())])
            .unwrap();
        let schema = writer.schema("s", "jsonschema", b"{}");
        let channel = writer.channel(schema, "/topic", "json");
        for time in 0..6 {
            writer.message(channel, time, u64::from(time) * 10, &[time as u8; 100]);
            if time % 2 == 1 {
                writer.flush().unwrap();
            }
        }
        writer.finish().unwrap();
        bytes
    }

    /// Messages that are read of so many bytes, and why it stopped.
    fn read(bytes: &[u8]) -> (usize, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mcap");
        fs::write(&path, bytes).unwrap();
        let mut messages = 0;
        let fault = visit_records(&path, &mut |record| {
            if let Record::Message { time_ns, data, .. } = record {
                assert_eq!((data.len(), u64::from(data[0]) * 10), (100, time_ns));
                messages += 1;
            }
        });
        (messages, fault.unwrap())
    }

    #[test]
    fn a_whole_file_comes_out_whole() {
        let bytes = written();
        assert_eq!(read(&bytes), (6, None));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mcap");
        fs::write(&path, &bytes).unwrap();
        let mut seen = Vec::new();
        visit_records(&path, &mut |record| seen.push(format!("{record:?}"))).unwrap();
        assert!(
            seen[0].contains("zwei") && seen[1].contains("/topic"),
            "{seen:?}"
        );
    }

    #[test]
    fn a_file_cut_anywhere_gives_its_whole_chunks() {
        let bytes = written();
        let mut last = 0;
        for end in 0..bytes.len() {
            let (messages, fault) = read(&bytes[..end]);
            assert!(fault.is_some(), "{end}");
            assert!(messages >= last && messages % 2 == 0, "{end}: {messages}");
            last = messages;
        }
        assert_eq!(last, 6);
    }

    #[test]
    fn no_changed_byte_is_believed_or_fatal() {
        let bytes = written();
        for place in 8..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[place] ^= 0x55;
            let (messages, _) = read(&wrong);
            assert!(messages <= 6, "{place}");
        }
    }
}
