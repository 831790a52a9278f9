//! What parent and child say to each other, as bytes.
//!
//! Small little-endian records, because a call's message is read and written
//! while a robot moves; JSON of the same took as long as the rest of a call
//! together. Tensors' bytes never cross here: they lie in shared memory, and a
//! message says where. A child may be hostile: everything is bounded, nothing
//! is trusted.

/// Longest text or list of bytes in a message.
const MAX_BYTES: usize = 16 << 20;
/// Most tensors of one call.
const MAX_TENSORS: u32 = 4096;
/// Most dimensions of one tensor.
const MAX_RANK: u32 = 16;

/// What the parent asks. The number is the record's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Begin = 1,
    Manifest,
    CreateStage,
    Configure,
    Activate,
    Reset,
    Call,
    Deactivate,
    Adapt,
    Snapshot,
    Restore,
    CreateEmbodiment,
    Describe,
    Open,
    WorldReset,
    WorldStep,
    WorldSetGoal,
    WorldGoalReached,
    WorldDemonstrate,
    Grab,
}

impl Ask {
    pub(crate) const ALL: [Self; 20] = [
        Self::Begin,
        Self::Manifest,
        Self::CreateStage,
        Self::Configure,
        Self::Activate,
        Self::Reset,
        Self::Call,
        Self::Deactivate,
        Self::Adapt,
        Self::Snapshot,
        Self::Restore,
        Self::CreateEmbodiment,
        Self::Describe,
        Self::Open,
        Self::WorldReset,
        Self::WorldStep,
        Self::WorldSetGoal,
        Self::WorldGoalReached,
        Self::WorldDemonstrate,
        Self::Grab,
    ];

    pub(crate) fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ask| *ask as u8 == code)
    }

    /// The entry of the plugin, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Manifest => "manifest",
            Self::CreateStage => "create_stage",
            Self::Configure => "configure",
            Self::Activate => "activate",
            Self::Reset => "reset",
            Self::Call => "call",
            Self::Deactivate => "deactivate",
            Self::Adapt => "adapt",
            Self::Snapshot => "snapshot",
            Self::Restore => "restore",
            Self::CreateEmbodiment => "create_embodiment",
            Self::Describe => "describe",
            Self::Open => "open",
            Self::WorldReset => "reset",
            Self::WorldStep => "step",
            Self::WorldSetGoal => "set_goal",
            Self::WorldGoalReached => "goal_reached",
            Self::WorldDemonstrate => "demonstrate",
            Self::Grab => "grab",
        }
    }
}

/// First byte of what the child sends.
pub(crate) mod answer {
    /// Done; the payload follows.
    pub(crate) const DONE: u8 = 1;
    /// A fault: kind and message follow.
    pub(crate) const FAULT: u8 = 2;
}

/// Where a tensor's bytes lie, and how to read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TensorHead {
    pub(crate) name: String,
    pub(crate) dtype: u8,
    pub(crate) shape: Vec<u64>,
    /// Offset into the shared memory of this direction.
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

/// A message does not follow its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of another form than expected")]
pub(crate) struct Malformed;

/// Writes a record.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(first: u8) -> Self {
        Self { bytes: vec![first] }
    }

    pub(crate) fn u8(mut self, value: u8) -> Self {
        self.bytes.push(value);
        self
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn u64(mut self, value: u64) -> Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn text(mut self, value: &str) -> Self {
        self.bytes
            .extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
        self
    }

    pub(crate) fn tensors(mut self, heads: &[TensorHead]) -> Self {
        self = self.u32(u32::try_from(heads.len()).unwrap_or(u32::MAX));
        for head in heads {
            self = self
                .text(&head.name)
                .u8(head.dtype)
                .u32(u32::try_from(head.shape.len()).unwrap_or(u32::MAX));
            for size in &head.shape {
                self = self.u64(*size);
            }
            self = self.u64(head.offset as u64).u64(head.length as u64);
        }
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.take(1)?.first().copied().ok_or(Malformed)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        let bytes = self.take(4)?.try_into().map_err(|_length| Malformed)?;
        Ok(u32::from_le_bytes(bytes))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        let bytes = self.take(8)?.try_into().map_err(|_length| Malformed)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn size(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.u64()?).map_err(|_large| Malformed)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.size()?;
        if length > MAX_BYTES {
            return Err(Malformed);
        }
        std::str::from_utf8(self.take(length)?).map_err(|_other| Malformed)
    }

    pub(crate) fn tensors(&mut self) -> Result<Vec<TensorHead>, Malformed> {
        let count = self.u32()?;
        if count > MAX_TENSORS {
            return Err(Malformed);
        }
        (0..count)
            .map(|_| {
                let name = self.text()?.to_owned();
                let dtype = self.u8()?;
                let rank = self.u32()?;
                if rank > MAX_RANK {
                    return Err(Malformed);
                }
                let shape = (0..rank).map(|_| self.u64()).collect::<Result<_, _>>()?;
                Ok(TensorHead {
                    name,
                    dtype,
                    shape,
                    offset: self.size()?,
                    length: self.size()?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_went() {
        let heads = vec![
            TensorHead {
                name: "observation.images.front".to_owned(),
                dtype: 3,
                shape: vec![1, 3, 96, 96],
                offset: 64,
                length: 110_592,
            },
            TensorHead {
                name: String::new(),
                dtype: 0,
                shape: vec![],
                offset: 0,
                length: 0,
            },
        ];
        let sent = Writer::new(Ask::Call as u8)
            .u64(7)
            .text("é")
            .tensors(&heads)
            .u32(9);
        let mut got = Reader::new(sent.bytes());
        assert_eq!(got.u8().map(Ask::of), Ok(Some(Ask::Call)));
        assert_eq!((got.u64(), got.text()), (Ok(7), Ok("é")));
        assert_eq!(got.tensors(), Ok(heads));
        assert_eq!((got.u32(), got.u8()), (Ok(9), Err(Malformed)));
    }

    #[test]
    fn cut_and_lying_records_are_refused() {
        let whole = Writer::new(1).tensors(&[TensorHead {
            name: "x".to_owned(),
            dtype: 3,
            shape: vec![2],
            offset: 0,
            length: 8,
        }]);
        let bytes = whole.bytes();
        for cut in 1..bytes.len() {
            let mut reader = Reader::new(&bytes[1..cut]);
            assert_eq!(reader.tensors(), Err(Malformed), "{cut}");
        }
        for lie in [
            Writer::default().u32(u32::MAX),
            Writer::default().u32(1).u64(u64::MAX),
            Writer::default().u32(1).text("x").u8(3).u32(u32::MAX),
        ] {
            assert_eq!(Reader::new(lie.bytes()).tensors(), Err(Malformed));
        }
        let bad = Writer::default().u64(2).u8(0xC3).u8(0x28);
        assert_eq!(Reader::new(bad.bytes()).text(), Err(Malformed));
    }

    #[test]
    fn every_ask_has_its_own_number() {
        for ask in Ask::ALL {
            assert_eq!(Ask::of(ask as u8), Some(ask));
        }
        assert_eq!(Ask::of(0), None);
    }
}
