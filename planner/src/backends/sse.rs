//! Server-sent events, from bytes as they arrive.
//!
//! Bytes are kept until a line is complete, so that a letter that is split
//! between two packets, or a server that sends one byte a second, changes
//! nothing. Lines end with `\n`, `\r\n` or `\r`; comments and unknown fields
//! are passed over.

/// Longest event, in bytes.
pub(crate) const MAX_EVENT_BYTES: usize = 1 << 20;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// Its name; empty when none was given.
    pub(crate) name: String,
    /// Its data; several lines are joined with line feeds.
    pub(crate) data: String,
}

/// Why a stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SseError {
    #[error("an event of more than {MAX_EVENT_BYTES} bytes")]
    TooLong,
    #[error("an event that is not UTF-8")]
    NotUtf8,
}

/// The state between two packets.
#[derive(Debug, Default)]
pub(crate) struct SseParser {
    line: Vec<u8>,
    after_return: bool,
    is_first_line_over: bool,
    event: SseEvent,
    has_data: bool,
}

impl SseParser {
    /// Takes the next bytes; gives the events that they complete.
    ///
    /// # Errors
    /// When an event is too long or not UTF-8; the stream is then useless.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<SseEvent>, SseError> {
        let mut events = Vec::new();
        for &byte in bytes {
            let ends_pair = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if ends_pair => {}
                b'\n' | b'\r' => events.extend(self.end_line()?),
                _ => {
                    if self.line.len() + self.event.data.len() >= MAX_EVENT_BYTES {
                        return Err(SseError::TooLong);
                    }
                    self.line.push(byte);
                }
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Result<Option<SseEvent>, SseError> {
        let line = std::mem::take(&mut self.line);
        let mut line = std::str::from_utf8(&line).map_err(|_bad| SseError::NotUtf8)?;
        if !std::mem::replace(&mut self.is_first_line_over, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return Ok(std::mem::take(&mut self.has_data).then_some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}: comment\r\nevent: a\r\ndata: {\"x\":\"é🤖\"}\r\n\r\n\
        id: 7\ndata: one\ndata: two\nretry\n\ndata\n\nevent: lonely\n\ndata:last\r\rdata: half";

    fn events(parser: &mut SseParser, packets: &[&[u8]]) -> Vec<(String, String)> {
        packets
            .iter()
            .flat_map(|packet| parser.feed(packet).unwrap())
            .map(|event| (event.name, event.data))
            .collect()
    }

    #[test]
    fn any_split_gives_the_same_events() {
        let whole = events(&mut SseParser::default(), &[STREAM.as_bytes()]);
        let pair = |name: &str, data: &str| (name.to_owned(), data.to_owned());
        assert_eq!(
            whole,
            [
                pair("a", "{\"x\":\"é🤖\"}"),
                pair("", "one\ntwo"),
                pair("", ""),
                pair("", "last"),
            ]
        );
        for size in 1..STREAM.len() {
            let packets: Vec<&[u8]> = STREAM.as_bytes().chunks(size).collect();
            assert_eq!(events(&mut SseParser::default(), &packets), whole, "{size}");
        }
    }

    #[test]
    fn floods_and_foreign_bytes_end_the_stream() {
        let mut parser = SseParser::default();
        let flood = vec![b'x'; MAX_EVENT_BYTES + 1];
        assert_eq!(parser.feed(&flood), Err(SseError::TooLong));
        let mut parser = SseParser::default();
        assert_eq!(parser.feed(b"data: \xff\n"), Err(SseError::NotUtf8));
        let mut parser = SseParser::default();
        let line = [b"data: ".as_slice(), &[b'y'; 1000], b"\n"].concat();
        let lines = (0..2000).map(|_| parser.feed(&line).map(|_| ()));
        assert!(lines.into_iter().any(|it| it == Err(SseError::TooLong)));
    }
}
