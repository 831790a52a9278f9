//! Whether the cameras are alive, as the control loop sees it.
//!
//! Whoever takes a camera's pictures writes down when the newest was taken and
//! whether it differs from the one before: numbers without a lock. The control loop
//! compares them with its own clock and with the tool's way, so a camera that fails
//! is found while a path is followed, whatever the policy's thread is doing. The
//! watch at a policy's decisions (`camera_watch`) judges the very pictures that it
//! decides by.

use vola_types::StampClock;

use crate::{
    StopCause,
    camera_watch::{FROZEN_PICTURES, FROZEN_TRAVEL_M, distance},
    sync::{Arc, AtomicBool, AtomicU64, Ordering},
    watchdog::AgeWatch,
};

/// What is known of one camera.
#[derive(Debug)]
struct Pulse {
    camera: String,
    /// Somebody decides by its pictures, so they keep coming.
    is_read: AtomicBool,
    pictures: AtomicU64,
    /// Stamp of the newest picture (ns).
    stamp_ns: AtomicU64,
    /// Pictures that differed from the one before.
    changes: AtomicU64,
    /// Pictures in a row that did not.
    same: AtomicU64,
    /// The arm was to stop because of it when the control loop last looked.
    is_accused: AtomicBool,
}

/// The cameras that the arm moves by; clones share what is known of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct CameraPulses(Arc<Vec<Pulse>>);

impl CameraPulses {
    /// Of these cameras; nothing is known yet, and nothing awaited.
    pub(crate) fn of(cameras: Vec<String>) -> Self {
        let pulse = |camera| Pulse {
            camera,
            is_read: AtomicBool::new(false),
            pictures: AtomicU64::new(0),
            stamp_ns: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            same: AtomicU64::new(0),
            is_accused: AtomicBool::new(false),
        };
        Self(Arc::new(cameras.into_iter().map(pulse).collect()))
    }

    fn index(&self, camera: &str) -> Option<usize> {
        self.0.iter().position(|pulse| pulse.camera == camera)
    }

    /// Somebody decides by this camera from now on.
    pub(crate) fn expect(&self, camera: &str) {
        if let Some(pulse) = self.index(camera).and_then(|index| self.0.get(index)) {
            pulse.is_read.store(true, Ordering::Release);
        }
    }

    /// Cameras that somebody decides by.
    pub(crate) fn expected(&self) -> impl Iterator<Item = &str> {
        let read = self
            .0
            .iter()
            .filter(|it| it.is_read.load(Ordering::Acquire));
        read.map(|pulse| pulse.camera.as_str())
    }

    /// The camera that the arm was stopped for, where it was.
    pub(crate) fn accused(&self) -> Option<&str> {
        let mut accused = self.0.iter();
        let accused = accused.find(|it| it.is_accused.load(Ordering::Acquire))?;
        Some(&accused.camera)
    }

    /// The side of whoever takes this camera's pictures; none where nobody is to
    /// know of them.
    pub(crate) fn writer(&self, camera: &str) -> Option<PulseWriter> {
        Some(PulseWriter {
            index: self.index(camera)?,
            pulses: self.clone(),
            last: None,
        })
    }
}

/// Tells of one camera's pictures.
#[derive(Debug)]
pub(crate) struct PulseWriter {
    pulses: CameraPulses,
    index: usize,
    last: Option<blake3::Hash>,
}

impl PulseWriter {
    /// A picture was taken. Never waits.
    pub(crate) fn take(&mut self, stamp_ns: u64, pixels: &[u8]) {
        let Some(pulse) = self.pulses.0.get(self.index) else {
            return;
        };
        let hash = blake3::hash(pixels);
        if self.last == Some(hash) {
            pulse.same.fetch_add(1, Ordering::Release);
        } else {
            pulse.same.store(0, Ordering::Release);
            pulse.changes.fetch_add(1, Ordering::Release);
        }
        self.last = Some(hash);
        pulse.stamp_ns.store(stamp_ns, Ordering::Release);
        pulse.pictures.fetch_add(1, Ordering::Release);
    }
}

/// The control loop's side.
///
/// # Timing
/// Reads some atomics; allocates nothing and never waits.
#[derive(Debug)]
pub(crate) struct PulseWatch {
    pulses: CameraPulses,
    watched: Vec<Watched>,
    stop_ns: u64,
}

/// What is remembered of one camera.
#[derive(Debug)]
struct Watched {
    age: AgeWatch,
    changes: u64,
    /// Where the tool was when the picture last changed (m); none before a look.
    from: Option<[f64; 3]>,
}

impl PulseWatch {
    /// Pictures older than `decision_ns` are as good as none; silence for longer
    /// than `stop_ns` is a cause to stop.
    pub(crate) fn new(
        pulses: CameraPulses,
        (decision_ns, stop_ns): (u64, u64),
        clock: StampClock,
    ) -> Self {
        let watched = |_: &Pulse| Watched {
            age: AgeWatch::new(decision_ns, clock),
            changes: 0,
            from: None,
        };
        Self {
            watched: pulses.0.iter().map(watched).collect(),
            pulses,
            stop_ns,
        }
    }

    /// Whether there is anything to watch.
    pub(crate) fn is_needed(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Whatever comes next counts as fresh: the scene is another, or the arm was
    /// reset.
    pub(crate) fn restart(&mut self) {
        for watched in &mut self.watched {
            watched.age.restart();
            // The arm may stand elsewhere now without having gone there.
            watched.from = None;
        }
    }

    /// Nobody looked for so long (ns).
    pub(crate) fn excuse(&mut self, unwatched_ns: u64) {
        for watched in &mut self.watched {
            watched.age.excuse(unwatched_ns);
        }
    }

    /// What is wrong at `now_ns` with the tool here (m); none before a first picture.
    pub(crate) fn look(&mut self, now_ns: u64, tool: [f64; 3]) -> Option<StopCause> {
        let mut cause = None;
        for (watched, pulse) in self.watched.iter_mut().zip(self.pulses.0.iter()) {
            let is_awaited =
                pulse.is_read.load(Ordering::Acquire) && pulse.pictures.load(Ordering::Acquire) > 0;
            if !is_awaited {
                continue;
            }
            let stamp_ns = pulse.stamp_ns.load(Ordering::Acquire);
            let silent_ns = watched.age.look(now_ns, stamp_ns);
            let changes = pulse.changes.load(Ordering::Acquire);
            let from = watched.from.filter(|_| changes == watched.changes);
            let from = from.unwrap_or(tool);
            (watched.changes, watched.from) = (changes, Some(from));
            // How far away, not how long a way: the noise of an arm that stands adds up.
            let moved_m = distance(from, tool);
            let is_same = pulse.same.load(Ordering::Acquire) >= u64::from(FROZEN_PICTURES);
            let own = if silent_ns > self.stop_ns {
                Some(StopCause::CameraSilent)
            } else if is_same && moved_m > FROZEN_TRAVEL_M {
                Some(StopCause::CameraFrozen)
            } else {
                None
            };
            pulse.is_accused.store(own.is_some(), Ordering::Release);
            cause = cause.or(own);
        }
        cause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn watch() -> (PulseWatch, PulseWriter) {
        let pulses = CameraPulses::of(vec!["front".to_owned()]);
        let writer = pulses.writer("front").unwrap();
        assert!(pulses.writer("wrist").is_none());
        pulses.expect("front");
        let deadlines = (200 * MS, 500 * MS);
        (
            PulseWatch::new(pulses, deadlines, StampClock::Runtime),
            writer,
        )
    }

    #[test]
    fn silence_counts_from_the_last_fresh_picture_and_not_before_the_first() {
        let (mut watch, mut writer) = watch();
        assert_eq!(watch.look(9000 * MS, [0.0; 3]), None);
        writer.take(10_000 * MS, &[1; 12]);
        let mut look = |now: u64| watch.look(now * MS, [0.0; 3]);
        assert_eq!(look(10_000), None);
        assert_eq!(look(10_500), None);
        assert_eq!(look(10_510), Some(StopCause::CameraSilent));
        assert_eq!(writer.pulses.accused(), Some("front"));
        // New, but older than anybody may decide by.
        writer.take(10_100 * MS, &[2; 12]);
        assert_eq!(look(10_520), Some(StopCause::CameraSilent));
        writer.take(10_500 * MS, &[3; 12]);
        assert_eq!(look(10_530), None);
        assert_eq!(writer.pulses.accused(), None);
        watch.restart();
        assert_eq!(watch.look(20_000 * MS, [0.0; 3]), None);
    }

    #[test]
    fn the_same_picture_is_a_cause_once_the_tool_has_moved() {
        let (mut watch, mut writer) = watch();
        let mut at = |step: u64, picture: u8| {
            writer.take(step * 33 * MS, &[picture; 12]);
            watch.look(step * 33 * MS, [0.02 * step as f64, 0.0, 0.0])
        };
        assert!((0..20).all(|step| at(step, step as u8).is_none()));
        let found = (20..40).find(|step| at(*step, 99) == Some(StopCause::CameraFrozen));
        // The first of them is new, the next three are 2 cm further each.
        assert_eq!(found, Some(23));
    }

    #[test]
    fn an_arm_that_stands_or_stands_elsewhere_has_not_moved() {
        let (mut watch, mut writer) = watch();
        let mut now_ns = 0;
        let mut at = |watch: &mut PulseWatch, x: f64| {
            now_ns += 33 * MS;
            writer.take(now_ns, &[7; 12]);
            watch.look(now_ns, [x, 0.0, 0.0])
        };
        // Measured with noise for minutes.
        assert!((0..9000).all(|step| at(&mut watch, 1e-4 * f64::from(step % 2)).is_none()));
        watch.restart();
        assert_eq!(at(&mut watch, 0.5), None);
        assert_eq!(at(&mut watch, 0.54), None);
        assert_eq!(at(&mut watch, 0.56), Some(StopCause::CameraFrozen));
    }
}
