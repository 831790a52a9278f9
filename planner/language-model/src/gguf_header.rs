//! The head of a GGUF file: metadata, and where each tensor lies.
//!
//! candle reads it as well, but divides by whatever alignment a file declares,
//! and keeps 32 bytes for each byte of a declared list. Here every count is
//! held against the bytes that are left and against what real models need, and
//! every message says at which byte the file is wrong.

use std::collections::HashMap;
use std::io::{Read, Seek};

use candle_core::Shape;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, TensorInfo, Value, VersionedMagic};

/// Values in all lists together; the largest vocabularies need a million.
const MOST_VALUES: u64 = 1 << 22;
/// Longest text (bytes); templates are the longest.
const LONGEST_TEXT: u64 = 1 << 20;
/// Bytes of all texts together; the largest vocabularies with their merges have
/// some ten million.
const MOST_TEXT_BYTES: u64 = 1 << 28;
/// Tensors and metadata entries at most.
const MOST_ENTRIES: u64 = 1 << 16;
/// Dimensions of a tensor at most.
const MOST_DIMENSIONS: u32 = 4;
/// Lists inside lists.
const DEEPEST: usize = 4;
/// Where tensors begin, unless the file says otherwise.
const ALIGNMENT: u64 = 32;

/// Reads the head.
///
/// # Errors
/// What is wrong, at which byte, expected and got.
pub(crate) fn read(file: &mut (impl Read + Seek)) -> Result<Content, String> {
    let size = file.seek(std::io::SeekFrom::End(0));
    let size = size.and_then(|size| file.rewind().map(|()| size));
    let size = size.map_err(|error| error.to_string())?;
    let mut head = Head {
        file,
        at: 0,
        size,
        values: 0,
        text_bytes: 0,
    };
    head.content()
}

struct Head<'a, R> {
    file: &'a mut R,
    at: u64,
    size: u64,
    /// Values of lists so far.
    values: u64,
    /// Bytes of texts so far.
    text_bytes: u64,
}

impl<R: Read> Head<'_, R> {
    fn content(&mut self) -> Result<Content, String> {
        let magic = self.bytes::<4>()?;
        if magic != *b"GGUF" {
            return Err(self.wrong(
                "a GGUF file, which begins with `GGUF`",
                &format!("{magic:02x?}"),
            ));
        }
        let magic = match self.u32()? {
            2 => VersionedMagic::GgufV2,
            3 => VersionedMagic::GgufV3,
            other => return Err(self.wrong("version 2 or 3", &other.to_string())),
        };
        let tensors = self.count("tensors", MOST_ENTRIES, 24)?;
        let entries = self.count("entries of metadata", MOST_ENTRIES, 13)?;
        let mut metadata = HashMap::new();
        for _ in 0..entries {
            let key = self.text()?;
            let kind = self.u32()?;
            let value = self.value(kind, 0)?;
            metadata.insert(key, value);
        }
        let mut tensor_infos = HashMap::new();
        for _ in 0..tensors {
            let (name, info) = self.tensor()?;
            tensor_infos.insert(name, info);
        }
        let alignment = match metadata.get("general.alignment") {
            None => ALIGNMENT,
            Some(value) => value.to_u64().unwrap_or_default(),
        };
        if !alignment.is_power_of_two() || alignment > 1 << 20 {
            return Err(format!(
                "general.alignment: expected a power of two up to 2^20, got {alignment}"
            ));
        }
        let tensor_data_offset = self.at.next_multiple_of(alignment);
        let mut extents: Vec<_> = tensor_infos.iter().collect();
        extents.sort_by_key(|it| it.0);
        for (name, info) in extents {
            check_extent(name, info, tensor_data_offset, self.size)?;
        }
        Ok(Content {
            magic,
            metadata,
            tensor_infos,
            tensor_data_offset,
        })
    }

    fn wrong(&self, expected: &str, got: &str) -> String {
        format!("byte {}: expected {expected}, got {got}", self.at)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        self.file.read_exact(bytes).map_err(|error| {
            format!(
                "byte {}: expected {} bytes more, the file ends at {} ({error})",
                self.at,
                bytes.len(),
                self.size
            )
        })?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    /// A number of things that each take at least so many bytes of the rest.
    fn count(&mut self, what: &str, most: u64, bytes_each: u64) -> Result<u64, String> {
        let count = self.u64()?;
        let most = most.min((self.size - self.at.min(self.size)) / bytes_each.max(1));
        if count > most {
            return Err(self.wrong(&format!("at most {most} {what}"), &count.to_string()));
        }
        Ok(count)
    }

    fn text(&mut self) -> Result<String, String> {
        let length = self.count("bytes of a text", LONGEST_TEXT, 1)?;
        self.text_bytes += length;
        if self.text_bytes > MOST_TEXT_BYTES {
            let expected = format!("at most {MOST_TEXT_BYTES} bytes in all texts");
            return Err(self.wrong(&expected, "more"));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.fill(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<Value, String> {
        Ok(match kind {
            0 => Value::U8(u8::from_le_bytes(self.bytes()?)),
            1 => Value::I8(i8::from_le_bytes(self.bytes()?)),
            2 => Value::U16(u16::from_le_bytes(self.bytes()?)),
            3 => Value::I16(i16::from_le_bytes(self.bytes()?)),
            4 => Value::U32(self.u32()?),
            5 => Value::I32(i32::from_le_bytes(self.bytes()?)),
            6 => Value::F32(f32::from_le_bytes(self.bytes()?)),
            7 => match self.bytes::<1>()? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [other] => return Err(self.wrong("0 or 1", &other.to_string())),
            },
            8 => Value::String(self.text()?),
            9 if depth < DEEPEST => {
                let kind = self.u32()?;
                let left = MOST_VALUES.saturating_sub(self.values);
                let count = self.count("values in lists", left, 1)?;
                self.values += count;
                let values = (0..count).map(|_| self.value(kind, depth + 1));
                Value::Array(values.collect::<Result<Vec<_>, _>>()?)
            }
            9 => return Err(self.wrong("lists without so many lists inside", "more")),
            10 => Value::U64(self.u64()?),
            11 => Value::I64(i64::from_le_bytes(self.bytes()?)),
            12 => Value::F64(f64::from_le_bytes(self.bytes()?)),
            other => return Err(self.wrong("a kind of value from 0 to 12", &other.to_string())),
        })
    }

    fn tensor(&mut self) -> Result<(String, TensorInfo), String> {
        let name = self.text()?;
        let dimensions = self.u32()?;
        if dimensions > MOST_DIMENSIONS {
            let expected = format!("`{name}` with at most {MOST_DIMENSIONS} dimensions");
            return Err(self.wrong(&expected, &dimensions.to_string()));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            let size = self.u64()?;
            shape.push(usize::try_from(size).unwrap_or(usize::MAX));
        }
        shape.reverse();
        let kind = self.u32()?;
        let Some(ggml_dtype) = dtype(kind) else {
            let expected =
                format!("`{name}` as F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q2_K to Q6_K");
            return Err(self.wrong(&expected, &format!("kind {kind}")));
        };
        let info = TensorInfo {
            ggml_dtype,
            shape: Shape::from(shape),
            offset: self.u64()?,
        };
        Ok((name, info))
    }
}

/// Bytes of a tensor in the file; none when they cannot be counted.
pub(crate) fn bytes(info: &TensorInfo) -> Option<u64> {
    let dims = info.shape.dims().iter();
    let count = dims.copied().try_fold(1_usize, usize::checked_mul)?;
    let blocks = count / info.ggml_dtype.block_size().max(1);
    u64::try_from(blocks.checked_mul(info.ggml_dtype.type_size())?).ok()
}

/// A tensor lies inside the file.
fn check_extent(name: &str, info: &TensorInfo, begin: u64, size: u64) -> Result<(), String> {
    let end = bytes(info).and_then(|it| begin.checked_add(info.offset)?.checked_add(it));
    match end {
        Some(end) if end <= size => Ok(()),
        _ => {
            let end = end.map_or("more than can be counted".to_owned(), |end| end.to_string());
            Err(format!(
                "{name}: expected {end} bytes for all of {:?}, the file ends at {size}",
                info.shape.dims()
            ))
        }
    }
}

/// The kinds that can be multiplied with, by their numbers.
fn dtype(kind: u32) -> Option<GgmlDType> {
    Some(match kind {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn file(tensors: u64, entries: u64, rest: &[u8]) -> Vec<u8> {
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend(tensors.to_le_bytes());
        file.extend(entries.to_le_bytes());
        file.extend(rest);
        file
    }

    #[test]
    fn all_texts_together_are_bounded() {
        let bytes = text("abc");
        for (text_bytes, is_read) in [(MOST_TEXT_BYTES - 3, true), (MOST_TEXT_BYTES - 2, false)] {
            let mut file = Cursor::new(&bytes);
            let mut head = Head {
                file: &mut file,
                at: 0,
                size: bytes.len() as u64,
                values: 0,
                text_bytes,
            };
            match head.text() {
                Ok(text) => assert!(is_read && text == "abc"),
                Err(error) => assert!(!is_read && error.contains("in all texts"), "{error}"),
            }
        }
    }

    #[test]
    fn heads_are_read_and_wrong_ones_refused_where_they_are_wrong() {
        let number = |key: &str, value: u32| {
            [
                text(key),
                4_u32.to_le_bytes().to_vec(),
                value.to_le_bytes().to_vec(),
            ]
            .concat()
        };
        let tensor = [
            text("t"),
            2_u32.to_le_bytes().to_vec(),
            64_u64.to_le_bytes().to_vec(),
            3_u64.to_le_bytes().to_vec(),
            8_u32.to_le_bytes().to_vec(),
            0_u64.to_le_bytes().to_vec(),
        ]
        .concat();
        let mut good = file(1, 1, &[number("n", 7), tensor].concat());
        let head = good.len();
        // Three rows of two blocks of 34 bytes, from the next multiple of 32 on.
        good.resize(head.next_multiple_of(32) + 3 * 2 * 34, 0);
        let content = read(&mut Cursor::new(&good)).unwrap();
        assert_eq!(content.tensor_infos["t"].shape.dims(), [3, 64]);
        assert_eq!(content.tensor_data_offset % 32, 0);
        let list = [
            text("l"),
            9_u32.to_le_bytes().to_vec(),
            0_u32.to_le_bytes().to_vec(),
            u64::MAX.to_le_bytes().to_vec(),
        ]
        .concat();
        let nested: Vec<u8> = [text("l"), 9_u32.to_le_bytes().to_vec()]
            .concat()
            .into_iter()
            .chain([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0].repeat(50))
            .collect();
        for (bytes, words) in [
            (b"GGML".to_vec(), "byte 4: expected a GGUF file"),
            (b"GGUF\x09\0\0\0".to_vec(), "version 2 or 3, got 9"),
            (file(u64::MAX, 0, &[]), "tensors, got 18446744073709551615"),
            (file(0, 1, &[]), "entries of metadata, got 1"),
            (file(0, 1, &list), "values in lists, got"),
            (file(0, 1, &nested), "lists inside"),
            (
                file(0, 1, &number("general.alignment", 0)),
                "general.alignment",
            ),
            (good[..head - 3].to_vec(), "the file ends at"),
            (good[..good.len() - 1].to_vec(), "t: expected"),
        ] {
            let error = read(&mut Cursor::new(&bytes)).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
