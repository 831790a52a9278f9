//! A folder of recordings that a running robot adds to.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread::JoinHandle,
};

use crate::{
    Feed, Language, Layout, RecorderError, RepairReport, Result,
    data_set::DataSet,
    folder,
    repair::{mend, mend_stream},
    station::{Next, Station},
    stream_writer::Durability,
};

/// Finished streams that may wait to become part of the data set.
const WAITING: usize = 64;
/// Stack of a recorder's thread (bytes).
const STACK: usize = 2 << 20;

/// How recordings are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecorderSettings {
    /// When streams are forced to the disk.
    pub durability: Durability,
    /// Whether language rows are columns of the data files.
    pub language: Language,
}

/// Whether giving waits for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Real time: a queue and a thread; giving never waits.
    Queued,
    /// Virtual time: giving writes.
    Direct,
}

/// The data set of a folder, shared by all that record into it.
pub(crate) struct Shelf {
    set: Mutex<DataSet>,
    folder: PathBuf,
    /// Held as long as anybody records here.
    _lock: File,
}

impl Shelf {
    /// Makes an episode of a finished stream.
    pub(crate) fn put(&self, stream: &Path) -> Result<()> {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        mend_stream(&self.folder, &mut set, stream).map(|_| ())
    }
}

/// Records into one folder. Streams may record side by side; their episodes are
/// numbered as they end.
pub struct Recorder {
    shelf: Arc<Shelf>,
    layout: Layout,
    settings: RecorderSettings,
    threads: Vec<(Option<Feed>, JoinHandle<()>)>,
}

impl Recorder {
    /// Opens a folder, mends what an earlier process left unfinished, and keeps
    /// others from recording there.
    ///
    /// # Errors
    /// When the folder cannot be used, is in use, or holds another layout.
    pub fn open(
        folder: &Path,
        layout: Layout,
        settings: RecorderSettings,
    ) -> Result<(Self, RepairReport)> {
        let streams = folder::streams(folder);
        fs::create_dir_all(&streams).map_err(RecorderError::io(&streams))?;
        let lock = lock_folder(folder)?;
        let mut set = DataSet::open(folder, &layout, settings.language)?;
        let report = mend(folder, &mut set)?;
        let shelf = Shelf {
            set: Mutex::new(set),
            folder: folder.to_owned(),
            _lock: lock,
        };
        let recorder = Self {
            shelf: Arc::new(shelf),
            layout,
            settings,
            threads: Vec::new(),
        };
        Ok((recorder, report))
    }

    /// What every frame holds.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Episodes of the data set by now.
    #[must_use]
    pub fn episodes(&self) -> usize {
        let set = self
            .shelf
            .set
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        set.episodes()
    }

    /// A new source of episodes: one robot.
    ///
    /// # Errors
    /// When a thread cannot be had.
    pub fn feed(&mut self, pace: Pace) -> Result<Feed> {
        let durability = match (pace, self.settings.durability) {
            // Virtual time runs through many episodes a second.
            (Pace::Direct, Durability::Second) => Durability::Episode,
            (_, durability) => durability,
        };
        let station = |next| {
            Station::new(
                self.shelf.folder.clone(),
                self.layout.clone(),
                durability,
                next,
            )
        };
        match pace {
            Pace::Direct => Ok(Feed::direct(station(Next::Shelf(Arc::clone(&self.shelf))))),
            Pace::Queued => {
                let (finished, streams) = sync_channel(WAITING);
                let station = station(Next::Thread(finished));
                let (feed, inbox) = Feed::queued();
                let writer = self.spawn("vola-recorder", move || inbox.run(station))?;
                self.threads.push((Some(feed.clone()), writer));
                let shelf = Arc::clone(&self.shelf);
                let maker = self.spawn("vola-dataset", move || shelve(&shelf, &streams))?;
                self.threads.push((None, maker));
                Ok(feed)
            }
        }
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
        std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK)
            .spawn(run)
            .map_err(RecorderError::io(&self.shelf.folder))
    }
}

impl Drop for Recorder {
    /// Waits until what was given is written and part of the data set.
    fn drop(&mut self) {
        for (feed, thread) in self.threads.drain(..) {
            if let Some(feed) = feed {
                feed.close();
            }
            if thread.join().is_err() {
                tracing::error!("a thread of the recorder panicked");
            }
        }
    }
}

/// Puts finished streams onto the shelf until no more come. Its own thread, so
/// that the next episode's stream never waits for the last one's pictures.
fn shelve(shelf: &Shelf, streams: &Receiver<PathBuf>) {
    for stream in streams {
        if let Err(error) = shelf.put(&stream) {
            let stream = stream.display();
            tracing::error!("{stream} stays a stream for now: {error}");
        }
    }
}

/// Takes the folder's lock; the system gives it back however the process ends.
pub(crate) fn lock_folder(folder: &Path) -> Result<File> {
    let path = folder.join("recorder.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(RecorderError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RecorderError::Busy {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(RecorderError::io(&path)(error)),
    }
}
