//! Writes MCAP: the container that Foxglove and Rerun open.
//!
//! The few records that a recording has are written here; the format's own crate
//! brings a dozen others, and its derive macros would make every build of this
//! workspace longer.
//!
//! The file only grows. Messages gather in a chunk in memory, and a chunk is
//! appended as a whole with its checksum, so that what a killed process leaves is
//! good up to its last whole chunk.
//!
//! # Source
//! <https://mcap.dev/spec>

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// First and last bytes of a file.
pub(crate) const MAGIC: [u8; 8] = *b"\x89MCAP0\r\n";

/// Kinds of records.
pub(crate) mod op {
    pub(crate) const HEADER: u8 = 0x01;
    pub(crate) const FOOTER: u8 = 0x02;
    pub(crate) const SCHEMA: u8 = 0x03;
    pub(crate) const CHANNEL: u8 = 0x04;
    pub(crate) const MESSAGE: u8 = 0x05;
    pub(crate) const CHUNK: u8 = 0x06;
    pub(crate) const MESSAGE_INDEX: u8 = 0x07;
    pub(crate) const CHUNK_INDEX: u8 = 0x08;
    pub(crate) const STATISTICS: u8 = 0x0B;
    pub(crate) const METADATA: u8 = 0x0C;
    pub(crate) const METADATA_INDEX: u8 = 0x0D;
    pub(crate) const SUMMARY_OFFSET: u8 = 0x0E;
    pub(crate) const DATA_END: u8 = 0x0F;
}

/// A file being written.
pub(crate) struct McapWriter<W> {
    out: W,
    /// Bytes written so far.
    offset: u64,
    chunk: Chunk,
    schemas: Vec<Vec<u8>>,
    channels: Vec<Vec<u8>>,
    chunk_indexes: Vec<Vec<u8>>,
    metadata_indexes: Vec<Vec<u8>>,
    counts: BTreeMap<u16, u64>,
    first_time: Option<u64>,
    last_time: u64,
}

/// What is not in the file yet.
#[derive(Default)]
struct Chunk {
    records: Vec<u8>,
    /// Time and place of every message, by channel.
    index: BTreeMap<u16, Vec<(u64, u64)>>,
    first_time: Option<u64>,
    last_time: u64,
}

impl<W: Write> McapWriter<W> {
    /// Begins a file.
    pub(crate) fn begin(out: W, library: &str) -> io::Result<Self> {
        let mut writer = Self {
            out,
            offset: 0,
            chunk: Chunk::default(),
            schemas: Vec::new(),
            channels: Vec::new(),
            chunk_indexes: Vec::new(),
            metadata_indexes: Vec::new(),
            counts: BTreeMap::new(),
            first_time: None,
            last_time: 0,
        };
        writer.raw(&MAGIC)?;
        let header = Content::default().text("").text(library);
        writer.raw(&record(op::HEADER, &header.0))?;
        Ok(writer)
    }

    /// Writes texts by key, outside of any chunk.
    pub(crate) fn metadata(&mut self, name: &str, values: &[(&str, String)]) -> io::Result<()> {
        self.finish_chunk()?;
        let mut map = Content::default();
        for (key, value) in values {
            map = map.text(key).text(value);
        }
        let content = Content::default().text(name).sized_u32(&map.0);
        let bytes = record(op::METADATA, &content.0);
        let index = Content::default()
            .u64(self.offset)
            .u64(bytes.len() as u64)
            .text(name);
        self.metadata_indexes
            .push(record(op::METADATA_INDEX, &index.0));
        self.raw(&bytes)
    }

    /// Adds a schema; its number, from 1.
    pub(crate) fn schema(&mut self, name: &str, encoding: &str, data: &[u8]) -> u16 {
        let id = self.schemas.len() as u16 + 1;
        let content = Content::default()
            .u16(id)
            .text(name)
            .text(encoding)
            .sized_u32(data);
        let bytes = record(op::SCHEMA, &content.0);
        self.chunk.records.extend_from_slice(&bytes);
        self.schemas.push(bytes);
        id
    }

    /// Adds a channel for messages of a schema; its number, from 1.
    pub(crate) fn channel(&mut self, schema: u16, topic: &str, encoding: &str) -> u16 {
        let id = self.channels.len() as u16 + 1;
        let content = Content::default()
            .u16(id)
            .u16(schema)
            .text(topic)
            .text(encoding)
            .sized_u32(&[]);
        let bytes = record(op::CHANNEL, &content.0);
        self.chunk.records.extend_from_slice(&bytes);
        self.channels.push(bytes);
        id
    }

    /// Adds a message to the chunk in memory; its time counts since 1970 (ns).
    pub(crate) fn message(&mut self, channel: u16, sequence: u32, time_ns: u64, data: &[u8]) {
        let place = self.chunk.records.len() as u64;
        let index = self.chunk.index.entry(channel).or_default();
        index.push((time_ns, place));
        let first = self.chunk.first_time.get_or_insert(time_ns);
        *first = (*first).min(time_ns);
        self.chunk.last_time = self.chunk.last_time.max(time_ns);
        let records = &mut self.chunk.records;
        records.push(op::MESSAGE);
        records.extend_from_slice(&(2 + 4 + 8 + 8 + data.len() as u64).to_le_bytes());
        records.extend_from_slice(&channel.to_le_bytes());
        records.extend_from_slice(&sequence.to_le_bytes());
        records.extend_from_slice(&time_ns.to_le_bytes());
        records.extend_from_slice(&time_ns.to_le_bytes());
        records.extend_from_slice(data);
        *self.counts.entry(channel).or_default() += 1;
    }

    /// Bytes that wait in memory.
    pub(crate) fn waiting(&self) -> usize {
        self.chunk.records.len()
    }

    /// Appends what waits, and hands it to the system.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.finish_chunk()?;
        self.out.flush()
    }

    /// Ends the file with an index of its chunks, so that viewers can seek.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.finish_chunk()?;
        self.raw(&record(op::DATA_END, &0_u32.to_le_bytes()))?;
        let summary_start = self.offset;
        let (mut summary, mut offsets) = (Vec::new(), Vec::new());
        let statistics = [record(op::STATISTICS, &self.statistics().0)];
        for (kind, group) in [
            (op::SCHEMA, self.schemas.as_slice()),
            (op::CHANNEL, &self.channels),
            (op::STATISTICS, &statistics),
            (op::CHUNK_INDEX, &self.chunk_indexes),
            (op::METADATA_INDEX, &self.metadata_indexes),
        ] {
            let start = summary.len() as u64;
            summary.extend(group.iter().flatten());
            let length = summary.len() as u64 - start;
            if length > 0 {
                let place = Content::default()
                    .u8(kind)
                    .u64(summary_start + start)
                    .u64(length);
                offsets.extend(record(op::SUMMARY_OFFSET, &place.0));
            }
        }
        let offsets_start = summary_start + summary.len() as u64;
        summary.extend(offsets);
        // The checksum covers the summary and the footer up to itself.
        summary.push(op::FOOTER);
        summary.extend_from_slice(&20_u64.to_le_bytes());
        summary.extend_from_slice(&summary_start.to_le_bytes());
        summary.extend_from_slice(&offsets_start.to_le_bytes());
        let crc = crc32fast::hash(&summary);
        summary.extend_from_slice(&crc.to_le_bytes());
        summary.extend_from_slice(&MAGIC);
        self.raw(&summary)?;
        self.out.flush()
    }

    /// Appends the chunk and the index of its messages.
    fn finish_chunk(&mut self) -> io::Result<()> {
        if self.chunk.records.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.chunk);
        let (first, last) = (chunk.first_time.unwrap_or(0), chunk.last_time);
        if chunk.first_time.is_some() {
            self.first_time = Some(self.first_time.map_or(first, |time| time.min(first)));
            self.last_time = self.last_time.max(last);
        }
        let size = chunk.records.len() as u64;
        let content = Content::default()
            .u64(first)
            .u64(last)
            .u64(size)
            .u32(crc32fast::hash(&chunk.records))
            .text("")
            .sized_u64(&chunk.records);
        let bytes = record(op::CHUNK, &content.0);
        let (start, length) = (self.offset, bytes.len() as u64);
        let (mut all, mut places) = (bytes, Content::default());
        let indexes_start = all.len();
        for (channel, messages) in &chunk.index {
            places = places.u16(*channel).u64(start + all.len() as u64);
            let mut list = Content::default();
            for (time, place) in messages {
                list = list.u64(*time).u64(*place);
            }
            let index = Content::default().u16(*channel).sized_u32(&list.0);
            all.extend(record(op::MESSAGE_INDEX, &index.0));
        }
        let index = Content::default()
            .u64(first)
            .u64(last)
            .u64(start)
            .u64(length)
            .sized_u32(&places.0)
            .u64((all.len() - indexes_start) as u64)
            .text("")
            .u64(size)
            .u64(size);
        self.chunk_indexes.push(record(op::CHUNK_INDEX, &index.0));
        self.raw(&all)
    }

    fn statistics(&self) -> Content {
        let mut counts = Content::default();
        for (channel, count) in &self.counts {
            counts = counts.u16(*channel).u64(*count);
        }
        Content::default()
            .u64(self.counts.values().sum())
            .u16(self.schemas.len() as u16)
            .u32(self.channels.len() as u32)
            .u32(0)
            .u32(self.metadata_indexes.len() as u32)
            .u32(self.chunk_indexes.len() as u32)
            .u64(self.first_time.unwrap_or(0))
            .u64(self.last_time)
            .sized_u32(&counts.0)
    }

    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

/// A record: its kind, its length, its content.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 9);
    bytes.push(kind);
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// The content of a record, field by field.
#[derive(Default)]
struct Content(Vec<u8>);

impl Content {
    fn and(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u8(self, value: u8) -> Self {
        self.and(&[value])
    }

    fn u16(self, value: u16) -> Self {
        self.and(&value.to_le_bytes())
    }

    fn u32(self, value: u32) -> Self {
        self.and(&value.to_le_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.and(&value.to_le_bytes())
    }

    /// Bytes after their length.
    fn sized_u32(self, bytes: &[u8]) -> Self {
        self.u32(bytes.len() as u32).and(bytes)
    }

    fn sized_u64(self, bytes: &[u8]) -> Self {
        self.u64(bytes.len() as u64).and(bytes)
    }

    fn text(self, text: &str) -> Self {
        self.sized_u32(text.as_bytes())
    }
}
