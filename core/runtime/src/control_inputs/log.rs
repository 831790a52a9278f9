//! The reader of the ring: hashes every command and writes the file, if one is
//! wanted.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use vola_bundle::{RawControl, RawSafety};
use vola_types::EmbodimentDescription;

use super::{
    InputReader, InputRecord,
    encoding::{FORMAT, Memory, write_end},
};
use crate::{CommandDigest, FilterUse, RuntimeError};

/// Bytes that are gathered before they are handed to the system at the latest.
const GATHERED: usize = 64 * 1024;

/// What a control loop is built from, as it stands in a file: together with the
/// inputs it gives the commands again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordedSetup {
    pub(crate) vola: String,
    pub(crate) embodiment: String,
    pub(crate) description: EmbodimentDescription,
    pub(crate) safety: RawSafety,
    pub(crate) control: RawControl,
    pub(crate) filter: FilterUse,
}

/// Takes the inputs out of their ring. Dropping it ends the file.
pub(crate) struct InputLog {
    reader: InputReader,
    digest: CommandDigest,
    /// None: not wanted, or not possible any more.
    file: Option<InputFile>,
}

struct InputFile {
    path: PathBuf,
    file: File,
    memory: Memory,
    gathered: Vec<u8>,
}

impl InputLog {
    /// Hashes; writes nothing.
    pub(crate) fn new(reader: InputReader) -> Self {
        Self {
            reader,
            digest: CommandDigest::default(),
            file: None,
        }
    }

    /// Writes what is taken out to a new file as well.
    ///
    /// # Errors
    /// When the file exists or cannot be made.
    pub(crate) fn write_to(
        &mut self,
        path: &Path,
        setup: &RecordedSetup,
    ) -> Result<(), RuntimeError> {
        let trouble = |source| RuntimeError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::create_new(path).map_err(trouble)?;
        let head = serde_json::to_string(setup).map_err(|error| trouble(error.into()))?;
        self.file = Some(InputFile {
            path: path.to_owned(),
            file,
            memory: Memory::default(),
            gathered: format!("{FORMAT}\n{head}\n").into_bytes(),
        });
        self.write_out(0);
        Ok(())
    }

    /// The hash of all commands taken out so far.
    pub(crate) fn digest(&self) -> CommandDigest {
        self.digest.clone()
    }

    /// Takes out what waits. What is gathered is written once there is this much.
    pub(crate) fn take(&mut self, at_least: usize) {
        while let Some((record, path)) = self.reader.next() {
            if let InputRecord::Tick(tick) = &record {
                self.digest.add(&tick.sent.frame(tick.now_ns));
            }
            if let Some(file) = &mut self.file {
                file.memory
                    .write(&record, path.as_ref(), &mut file.gathered);
            }
        }
        if self.reader.lost() > 0 {
            self.give_up();
        }
        self.write_out(at_least.min(GATHERED));
    }

    /// The recording has a gap: neither file nor hash are of any use.
    fn give_up(&mut self) {
        self.digest.spoil();
        if let Some(file) = self.file.take() {
            let path = file.path.display();
            tracing::error!(
                "{path}: the recording of the control loop's inputs ends here: {} of them were lost; the robot goes on",
                self.reader.lost()
            );
        }
    }

    fn write_out(&mut self, at_least: usize) {
        let Some(file) = &mut self.file else { return };
        if file.gathered.len() < at_least.max(1) {
            return;
        }
        if let Err(error) = file.file.write_all(&file.gathered) {
            let path = file.path.display();
            tracing::error!(
                "{path}: the recording of the control loop's inputs ends here: {error}; the robot goes on"
            );
            self.file = None;
            return;
        }
        file.gathered.clear();
    }
}

impl Drop for InputLog {
    fn drop(&mut self) {
        self.take(GATHERED);
        if let (Some(file), Some((frames, hash))) = (&mut self.file, self.digest.sum()) {
            write_end(frames, hash.as_bytes(), &mut file.gathered);
        }
        self.write_out(0);
    }
}
