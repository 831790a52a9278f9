//! Writes what is given into the open episode's stream, and hands finished
//! streams on to become part of the data set.
//!
//! A disk that is full or cannot be written ends the episode's recording; that is
//! told once, and the next episode is tried again.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::SyncSender,
    },
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    EpisodeEnd, Layout, Result,
    feed::{Counts, Item},
    folder,
    recorder::Shelf,
    stream_writer::{Durability, EpisodeStart, StreamWriter},
};

/// An episode is cut in two when its stream is so large (bytes): a recording of
/// an hour must not need the memory of one.
const MAX_STREAM_BYTES: u64 = 256 << 20;

/// Where finished streams go.
pub(crate) enum Next {
    /// Into the data set, in the same call.
    Shelf(Arc<Shelf>),
    /// To the thread that does that.
    Thread(SyncSender<PathBuf>),
}

/// The state behind a feed.
pub(crate) struct Station {
    folder: PathBuf,
    layout: Layout,
    durability: Durability,
    next: Next,
    open: Option<StreamWriter>,
    counts: Option<Arc<Counts>>,
    lost: u64,
    /// The fault was told; nothing is written until the next episode.
    told: bool,
    /// The newest episode came to its end, and its stream is whole.
    is_whole: bool,
}

impl Station {
    pub(crate) fn new(folder: PathBuf, layout: Layout, durability: Durability, next: Next) -> Self {
        Self {
            folder,
            layout,
            durability,
            next,
            open: None,
            counts: None,
            lost: 0,
            told: false,
            is_whole: false,
        }
    }

    /// Whether the newest episode came to its end without a fault.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Where the feed counts what it could not give.
    pub(crate) fn count_with(&mut self, counts: Arc<Counts>) {
        self.counts = Some(counts);
    }

    /// Records one item; a fault is told, not returned.
    pub(crate) fn take(&mut self, item: Item) {
        if let Err(error) = self.record(item) {
            self.give_up(&error.to_string());
        }
    }

    /// Hands what waits to the system.
    pub(crate) fn flush(&mut self) {
        if let Some(open) = &mut self.open
            && let Err(error) = open.flush()
        {
            self.give_up(&error.to_string());
        }
    }

    fn give_up(&mut self, error: &str) {
        // What is in the file stays, and is mended at the next start.
        self.open = None;
        self.is_whole = false;
        if !std::mem::replace(&mut self.told, true) {
            tracing::error!("recording stops here: {error}; the robot goes on");
        }
    }

    fn record(&mut self, item: Item) -> Result<()> {
        if let Item::Begin(start) = item {
            if self.open.is_some() {
                let interrupted = EpisodeEnd {
                    success: false,
                    outcome: "interrupted".to_owned(),
                };
                self.end(start.time_ns, &interrupted)?;
            }
            self.lost = 0;
            self.take_lost();
            return self.begin(*start);
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        match item {
            Item::Begin(_) => Ok(()),
            Item::Motion(sample) => {
                open.motion(&sample)?;
                if open.bytes() > MAX_STREAM_BYTES {
                    self.turn_over(sample.time_ns)?;
                }
                Ok(())
            }
            Item::Picture(camera, time_ns, pixels) => {
                open.picture(camera, time_ns, pixels);
                Ok(())
            }
            Item::PrimitiveBegan(time_ns, task, who) => open.primitive_began(time_ns, &task, who),
            Item::PrimitiveEnded(time_ns, outcome) => open.primitive_ended(time_ns, &outcome),
            Item::Control(time_ns, who, phase) => open.control(time_ns, who, phase),
            Item::Gate(time_ns, gate) => open.gate(time_ns, &gate),
            Item::Event(time_ns, event) => open.event(time_ns, &event),
            Item::End(time_ns, end) => self.end(time_ns, &end),
            Item::Discard => self.discard(),
        }
    }

    fn begin(&mut self, start: EpisodeStart) -> Result<()> {
        self.is_whole = false;
        let path = folder::open_stream(&self.folder, &unique_stem());
        let stream = StreamWriter::begin(&path, &self.layout, start, self.durability)?;
        self.open = Some(stream);
        self.told = false;
        Ok(())
    }

    fn end(&mut self, time_ns: u64, end: &EpisodeEnd) -> Result<()> {
        self.take_lost();
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        if self.lost > 0 {
            let lost = self.lost;
            tracing::warn!("{lost} things could not be recorded in time; the robot was not kept");
        }
        let path = open.end(time_ns, end, self.lost)?;
        match &self.next {
            Next::Shelf(shelf) => shelf.put(&path)?,
            // A thread that is gone leaves the stream for the next start.
            Next::Thread(thread) => {
                let _ = thread.send(path);
            }
        }
        self.is_whole = true;
        Ok(())
    }

    /// Nothing of the open episode stays.
    fn discard(&mut self) -> Result<()> {
        self.take_lost();
        self.lost = 0;
        self.is_whole = false;
        self.open.take().map_or(Ok(()), StreamWriter::discard)
    }

    /// Goes on in a new episode.
    fn turn_over(&mut self, time_ns: u64) -> Result<()> {
        let Some(open) = &self.open else {
            return Ok(());
        };
        let (running, who, phase) = open.situation();
        let start = EpisodeStart {
            time_ns,
            ..open.start().clone()
        };
        let cut = EpisodeEnd {
            success: false,
            outcome: "continued".to_owned(),
        };
        self.end(time_ns, &cut)?;
        self.lost = 0;
        self.begin(start)?;
        if let Some(open) = &mut self.open {
            if let Some(task) = running {
                open.primitive_began(time_ns, &task, who)?;
            }
            open.control(time_ns, who, phase)?;
        }
        Ok(())
    }

    fn take_lost(&mut self) {
        if let Some(counts) = &self.counts {
            self.lost += counts.take_lost();
        }
    }
}

impl Drop for Station {
    /// An episode that nobody ended was interrupted.
    fn drop(&mut self) {
        let Some(last_ns) = self.open.as_ref().map(StreamWriter::last_ns) else {
            return;
        };
        let interrupted = EpisodeEnd {
            success: false,
            outcome: "interrupted".to_owned(),
        };
        if let Err(error) = self.end(last_ns, &interrupted) {
            self.give_up(&error.to_string());
        }
    }
}

/// A name that no other stream of this machine has.
fn unique_stem() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{:013}-{}-{number:04}", now.as_millis(), std::process::id())
}
