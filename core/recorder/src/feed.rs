//! The way from whoever drives the robot to whoever writes it down.
//!
//! Giving never waits: a full queue drops what is given and counts it. Only the
//! two ends of an episode wait a little, for the arm stands then. In virtual
//! time there is no queue: what is given is written in the same call, so that
//! the same run gives the same file.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};

use vola_types::RunEvent;

use crate::{
    EpisodeEnd, Gate, MotionSample, Phase, Pixels, Who, station::Station,
    stream_writer::EpisodeStart,
};

/// Items that may wait: some five seconds of them.
const QUEUE: usize = 1024;
/// Bytes of pictures that may wait.
const QUEUE_BYTES: usize = 64 << 20;
/// Longest wait for a place in the queue at the ends of an episode.
const END_PATIENCE: Duration = Duration::from_millis(500);
/// Longest wait for an episode's end to be on the disk.
const SAFE_PATIENCE: Duration = Duration::from_secs(2);
/// Longest time without a look at what is to be flushed.
const IDLE: Duration = Duration::from_millis(200);

/// Something to record.
#[derive(Debug)]
pub(crate) enum Item {
    Begin(Box<EpisodeStart>),
    Motion(Box<MotionSample>),
    Picture(usize, u64, Pixels),
    PrimitiveBegan(u64, String, Who),
    PrimitiveEnded(u64, String),
    Control(u64, Who, Phase),
    Gate(u64, Box<Gate>),
    Event(u64, Box<RunEvent>),
    End(u64, EpisodeEnd),
    Discard,
}

/// What comes through the queue.
enum Parcel {
    Item(Item),
    /// Answered when everything before it is in the file: whether the newest episode
    /// is whole.
    Written(SyncSender<bool>),
    Close,
}

/// Records what it is given. Clones give to the same episode; any thread but
/// the control loop may.
#[derive(Clone)]
pub struct Feed(Way);

#[derive(Clone)]
enum Way {
    Queued {
        parcels: SyncSender<Parcel>,
        counts: Arc<Counts>,
    },
    Direct(Arc<Mutex<Station>>),
}

/// What the two ends of a queue know of each other.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    waiting_bytes: AtomicUsize,
    lost: AtomicU64,
}

impl Counts {
    /// What could not be taken since the last call.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }
}

impl Feed {
    /// A feed whose calls write.
    pub(crate) fn direct(station: Station) -> Self {
        Self(Way::Direct(Arc::new(Mutex::new(station))))
    }

    /// A feed with a queue, and what empties it.
    pub(crate) fn queued() -> (Self, Inbox) {
        let (parcels, inbox) = sync_channel(QUEUE);
        let counts = Arc::new(Counts::default());
        let feed = Self(Way::Queued {
            parcels,
            counts: Arc::clone(&counts),
        });
        (feed, Inbox { inbox, counts })
    }

    /// An episode begins; one that is open ends as interrupted.
    pub fn begin(&self, start: EpisodeStart) {
        self.must(Item::Begin(Box::new(start)));
    }

    /// The episode ends. Returns when its stream is whole on the disk, or after
    /// two seconds: call it while the arm stands. False when it is known by then that
    /// the episode could not be recorded.
    pub fn end(&self, time_ns: u64, end: EpisodeEnd) -> bool {
        let is_given = self.must(Item::End(time_ns, end));
        let is_whole = self.await_written();
        is_given && is_whole
    }

    /// The episode is given up: nothing of it stays, but what was cut off of a very
    /// long one before. Returns as [`end`](Self::end) does.
    pub fn discard(&self) {
        self.must(Item::Discard);
        self.await_written();
    }

    /// Waits until everything given is in the file; false when it is known that the
    /// newest episode is not whole.
    fn await_written(&self) -> bool {
        match &self.0 {
            Way::Direct(station) => lock(station).is_whole(),
            Way::Queued { parcels, .. } => {
                let (answer, written) = sync_channel(1);
                if !send_patiently(parcels, Parcel::Written(answer)) {
                    return true;
                }
                match written.recv_timeout(SAFE_PATIENCE) {
                    Ok(is_whole) => is_whole,
                    // A disk that takes longer does not keep the robot.
                    Err(RecvTimeoutError::Timeout) => true,
                    Err(RecvTimeoutError::Disconnected) => false,
                }
            }
        }
    }

    /// A measured instant, 100 a second.
    pub fn motion(&self, sample: MotionSample) {
        self.may(Item::Motion(Box::new(sample)), 0);
    }

    /// The newest picture of the layout's camera with this number.
    pub fn picture(&self, camera: usize, time_ns: u64, pixels: Pixels) {
        let bytes = pixels.rgb.len();
        self.may(Item::Picture(camera, time_ns, pixels), bytes);
    }

    /// A primitive begins; frames count from now.
    pub fn primitive_began(&self, time_ns: u64, task: &str, who: Who) {
        self.may(Item::PrimitiveBegan(time_ns, task.to_owned(), who), 0);
    }

    /// The primitive ended; the arm is at rest.
    pub fn primitive_ended(&self, time_ns: u64, outcome: &str) {
        self.may(Item::PrimitiveEnded(time_ns, outcome.to_owned()), 0);
    }

    /// Somebody else is in control from now on, or in another phase. While a
    /// person is, frames count without a primitive too.
    pub fn control(&self, time_ns: u64, who: Who, phase: Phase) {
        self.may(Item::Control(time_ns, who, phase), 0);
    }

    /// What the confidence gate said of a decision.
    pub fn gate(&self, time_ns: u64, gate: Gate) {
        self.may(Item::Gate(time_ns, Box::new(gate)), 0);
    }

    /// Something happened.
    pub fn event(&self, time_ns: u64, event: &RunEvent) {
        self.may(Item::Event(time_ns, Box::new(event.clone())), 0);
    }

    /// Asks whoever empties the queue to end.
    pub(crate) fn close(&self) {
        if let Way::Queued { parcels, .. } = &self.0 {
            send_patiently(parcels, Parcel::Close);
        }
    }

    /// Given now or lost and counted.
    fn may(&self, item: Item, bytes: usize) {
        match &self.0 {
            Way::Direct(station) => lock(station).take(item),
            Way::Queued { parcels, counts } => {
                let waiting = counts.waiting_bytes.load(Ordering::Relaxed);
                let fits = waiting + bytes <= QUEUE_BYTES;
                if fits && parcels.try_send(Parcel::Item(item)).is_ok() {
                    counts.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
                } else {
                    counts.lost.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// Given, or lost and counted; whether it was given.
    fn must(&self, item: Item) -> bool {
        match &self.0 {
            Way::Direct(station) => {
                lock(station).take(item);
                true
            }
            Way::Queued { parcels, counts } => {
                let is_given = send_patiently(parcels, Parcel::Item(item));
                if !is_given {
                    counts.lost.fetch_add(1, Ordering::Relaxed);
                }
                is_given
            }
        }
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

/// The other end of the queue.
pub(crate) struct Inbox {
    inbox: Receiver<Parcel>,
    counts: Arc<Counts>,
}

impl Inbox {
    /// Writes what comes until it is asked to end, or nobody can give any more.
    pub(crate) fn run(self, mut station: Station) {
        station.count_with(Arc::clone(&self.counts));
        loop {
            match self.inbox.recv_timeout(IDLE) {
                Ok(Parcel::Item(item)) => {
                    if let Item::Picture(_, _, pixels) = &item {
                        let bytes = pixels.rgb.len();
                        self.counts
                            .waiting_bytes
                            .fetch_sub(bytes, Ordering::Relaxed);
                    }
                    station.take(item);
                }
                Ok(Parcel::Written(answer)) => {
                    // Nobody waits any more when the disk was too slow.
                    let _ = answer.send(station.is_whole());
                }
                Err(RecvTimeoutError::Timeout) => station.flush(),
                Ok(Parcel::Close) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

fn lock(station: &Mutex<Station>) -> std::sync::MutexGuard<'_, Station> {
    station.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits a little for a place; false when there was none.
fn send_patiently(parcels: &SyncSender<Parcel>, parcel: Parcel) -> bool {
    let give_up = Instant::now() + END_PATIENCE;
    let mut parcel = parcel;
    loop {
        match parcels.try_send(parcel) {
            Ok(()) => return true,
            Err(TrySendError::Full(back)) if Instant::now() < give_up => {
                parcel = back;
                std::thread::park_timeout(Duration::from_millis(2));
            }
            Err(_) => return false,
        }
    }
}
