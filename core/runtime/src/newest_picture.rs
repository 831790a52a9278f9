//! Cameras in real time: each has a thread that keeps its newest picture.
//!
//! A camera's thread starts when somebody first reads it, so that a picture
//! nobody wants is never taken.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use vola_types::PluginId;

use crate::{
    CallWatch, Picture, RuntimeError, body::Watch, camera_pulse::CameraPulses,
    control_loop::TICK_NS, real_body::spawn_camera, robot::CameraPort,
};

/// Longest wait for a first picture.
const FIRST_PICTURE: Duration = Duration::from_secs(2);

/// Longest that the end of a session waits for a picture that is being taken: a
/// camera may block for a period, which is far less.
const LAST_GRAB: Duration = Duration::from_secs(1);
/// How often is looked meanwhile.
const NAP: Duration = Duration::from_millis(1);

/// All cameras of a robot.
pub(crate) struct CameraThreads {
    idle: Vec<CameraPort>,
    running: Vec<Running>,
    pulses: CameraPulses,
    ending: Arc<AtomicBool>,
    calls: CallWatch,
}

struct Running {
    key: String,
    shared: Arc<Shared>,
    handle: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    newest: Mutex<Newest>,
    taken: Condvar,
    /// Pictures taken before this one do not count.
    generation: AtomicU64,
    /// Somebody reads pictures when it needs them, not only those it is shown.
    is_read: AtomicBool,
    watches: Mutex<Vec<Watching>>,
}

impl Shared {
    fn watches(&self) -> MutexGuard<'_, Vec<Watching>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who is shown pictures while time passes.
struct Watching {
    watch: Watch,
    next_ns: u64,
}

#[derive(Default)]
struct Newest {
    picture: Picture,
    capture_ns: u64,
    generation: u64,
    fault: Option<String>,
}

impl CameraThreads {
    pub(crate) fn new(
        (cameras, pulses): (Vec<CameraPort>, CameraPulses),
        ending: Arc<AtomicBool>,
        calls: CallWatch,
    ) -> Self {
        Self {
            idle: cameras,
            running: Vec::new(),
            pulses,
            ending,
            calls,
        }
    }

    /// The newest picture of a camera, and its capture time (ns).
    pub(crate) fn newest(
        &mut self,
        key: &str,
        id: &PluginId,
        now_ns: impl Fn() -> u64 + Send + 'static,
    ) -> Result<(Picture, u64), RuntimeError> {
        let shared = self.shared(key, id, now_ns)?;
        shared.is_read.store(true, Ordering::Release);
        let wanted = shared.generation.load(Ordering::Acquire);
        let newest = shared.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let (newest, _timeout) = shared
            .taken
            .wait_timeout_while(newest, FIRST_PICTURE, |newest| {
                newest.fault.is_none() && newest.generation <= wanted
            })
            .unwrap_or_else(PoisonError::into_inner);
        if newest.generation <= wanted {
            let fault = newest.fault.clone();
            return Err(RuntimeError::Plugin {
                who: format!("embodiment `{id}`, camera `{key}`"),
                entry: "grab",
                kind: vola_abi::FaultKind::Failed,
                message: fault.unwrap_or_else(|| "no picture within 2 s".to_owned()),
            });
        }
        // From here on its pictures keep coming.
        self.pulses.expect(key);
        Ok((newest.picture.clone(), newest.capture_ns))
    }

    /// Hands every picture of a camera, at most one a period, to a sink.
    pub(crate) fn watch(
        &mut self,
        watch: Watch,
        id: &PluginId,
        now_ns: impl Fn() -> u64 + Send + 'static,
    ) -> Result<(), RuntimeError> {
        let shared = self.shared(&watch.camera, id, now_ns)?;
        shared.watches().push(Watching { watch, next_ns: 0 });
        Ok(())
    }

    /// Pictures taken until now do not count any more: the scene is another.
    pub(crate) fn forget(&mut self) {
        for camera in &self.running {
            let newest = camera
                .shared
                .newest
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // The picture being taken right now may still show the old scene.
            camera
                .shared
                .generation
                .store(newest.generation + 1, Ordering::Release);
        }
    }

    fn shared(
        &mut self,
        key: &str,
        id: &PluginId,
        now_ns: impl Fn() -> u64 + Send + 'static,
    ) -> Result<Arc<Shared>, RuntimeError> {
        if let Some(camera) = self.running.iter().find(|camera| camera.key == key) {
            return Ok(Arc::clone(&camera.shared));
        }
        let index = self
            .idle
            .iter()
            .position(|camera| camera.description().key == key);
        let Some(index) = index else {
            return Err(RuntimeError::MissingPart {
                id: id.clone(),
                part: format!("camera `{key}`"),
                help: "name a camera that `vola doctor` lists, or add one in the settings of [robot]",
            });
        };
        let camera = self.idle.remove(index);
        let shared = Arc::new(Shared::default());
        let thread = CameraThread {
            shared: Arc::clone(&shared),
            ending: Arc::clone(&self.ending),
            calls: self.calls.clone(),
        };
        let handle = Some(spawn_camera(camera, thread, now_ns)?);
        self.running.push(Running {
            key: key.to_owned(),
            shared: Arc::clone(&shared),
            handle,
        });
        Ok(shared)
    }
}

impl Drop for CameraThreads {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        let handles = self.running.iter().filter_map(|it| it.handle.as_ref());
        handles.for_each(|handle| handle.thread().unpark());
        let give_up = Instant::now() + LAST_GRAB;
        for camera in &mut self.running {
            let Some(handle) = camera.handle.take() else {
                continue;
            };
            while !handle.is_finished() && Instant::now() < give_up {
                std::thread::sleep(NAP);
            }
            if !handle.is_finished() {
                // Nobody can end its call. It keeps what it holds, and nobody waits.
                let key = &camera.key;
                tracing::error!("camera `{key}` has not returned from `grab`; its thread is left");
            } else if handle.join().is_err() {
                tracing::error!("a camera thread panicked");
            }
        }
    }
}

/// The loop of one camera.
pub(crate) struct CameraThread {
    shared: Arc<Shared>,
    ending: Arc<AtomicBool>,
    calls: CallWatch,
}

impl CameraThread {
    /// Takes pictures at the camera's rate until the session ends.
    pub(crate) fn run(self, mut camera: CameraPort, now_ns: impl Fn() -> u64) {
        let period = period(camera.description().rate_hz);
        while !self.ending.load(Ordering::Acquire) {
            let Some(period) = self.period_now(period) else {
                std::thread::park_timeout(period);
                continue;
            };
            let started_ns = now_ns();
            let entered = self.calls.enter(camera.who().to_owned(), "grab");
            let taken = camera.grab(started_ns);
            drop(entered);
            if let Ok((picture, _)) = &taken {
                self.show(picture, started_ns);
            }
            let mut newest = self
                .shared
                .newest
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match taken {
                Ok((picture, capture_ns)) => {
                    newest.picture = picture;
                    newest.capture_ns = capture_ns;
                    newest.generation += 1;
                    newest.fault = None;
                }
                // Counted; the newest picture that there is stays the newest.
                Err(RuntimeError::PicturesHeld { .. }) => {}
                Err(error) => newest.fault = Some(error.to_string()),
            }
            drop(newest);
            self.shared.taken.notify_all();
            let spent = Duration::from_nanos(now_ns().saturating_sub(started_ns));
            std::thread::park_timeout(period.saturating_sub(spent));
        }
    }

    /// Time between two pictures as things are; none when nobody wants any.
    fn period_now(&self, own: Duration) -> Option<Duration> {
        if self.shared.is_read.load(Ordering::Acquire) {
            return Some(own);
        }
        let watches = self.shared.watches();
        if watches.is_empty() {
            // It was started to be read, and is about to be.
            return Some(own);
        }
        let wanted = watches.iter().filter(|it| it.watch.is_wanted());
        let shortest_ns = wanted.map(|it| it.watch.period_ns).min()?;
        Some(own.max(Duration::from_nanos(shortest_ns)))
    }

    fn show(&self, picture: &Picture, time_ns: u64) {
        for Watching { watch, next_ns } in self.shared.watches().iter_mut() {
            if time_ns >= *next_ns && watch.is_wanted() {
                (watch.sink)(time_ns, picture);
                *next_ns = time_ns + watch.period_ns;
            }
        }
    }
}

/// Time between two pictures: whole control ticks, so about 30 Hz is 33 ms.
pub(crate) fn period(rate_hz: f64) -> Duration {
    let ticks = (1e9 / rate_hz / TICK_NS as f64).round();
    // A rate that is not a positive number was refused with the description.
    let ticks = if ticks >= 1.0 { ticks as u64 } else { 1 };
    Duration::from_nanos(ticks.saturating_mul(TICK_NS))
}

#[cfg(test)]
mod tests {
    use vola_abi::{
        CallResult, CameraAbi, CameraAbi_TO, ImageBufferAbi,
        abi_stable::{sabi_trait::TD_Opaque, std_types::RResult},
    };
    use vola_types::{CameraDescription, ColorOrder};

    use super::*;
    use crate::picture::PictureMemory;

    /// Writes its picture's number, and notes where.
    struct Numbering {
        number: u8,
        written: Arc<Mutex<Vec<(usize, u8)>>>,
    }

    impl CameraAbi for Numbering {
        fn grab(&mut self, image: &mut ImageBufferAbi<'_>) -> CallResult<()> {
            self.number = self.number.wrapping_add(1);
            image.data.as_mut_slice().fill(self.number);
            let at = image.data.as_slice().as_ptr().addr();
            self.written.lock().unwrap().push((at, self.number));
            RResult::ROk(())
        }
    }

    fn description() -> CameraDescription {
        CameraDescription {
            key: "front".to_owned(),
            width: 4,
            height: 2,
            order: ColorOrder::Rgb,
            rate_hz: 1000.0,
            intrinsics: None,
            mount: None,
        }
    }

    /// A camera in real time: readers get the very bytes that it wrote, those
    /// that they keep stay, and what cannot be taken is counted.
    #[test]
    fn readers_have_the_buffers_that_the_camera_wrote() {
        let written = Arc::default();
        let camera = Numbering {
            number: 0,
            written: Arc::clone(&written),
        };
        let memory = PictureMemory::default();
        let camera = CameraAbi_TO::from_value(camera, TD_Opaque);
        let port = CameraPort::new("it".to_owned(), description(), camera, memory.clone());
        let mut threads = CameraThreads::new(
            (vec![port], CameraPulses::default()),
            Arc::default(),
            CallWatch::default(),
        );
        let id = PluginId::parse("test/robot").unwrap();
        let mut held: Vec<Picture> = Vec::new();
        let give_up = Instant::now() + Duration::from_secs(20);
        // Until the reader has every buffer, and the camera found none: it may find
        // none already while the newest still waits for its reader.
        let is_full = |held: usize| held >= 4 && memory.counts().dropped > 0;
        while !is_full(held.len()) && Instant::now() < give_up {
            let (picture, _) = threads.newest("front", &id, || 0).unwrap();
            if held.last() != Some(&picture) {
                held.push(picture);
            }
            std::thread::yield_now();
        }
        let counts = memory.counts();
        assert!(counts.dropped > 0 && counts.copied == 0, "{counts:?}");
        assert_eq!(held.len(), 4);
        let written = written.lock().unwrap();
        for picture in &held {
            let (at, number) = (picture.rgb.as_ptr().addr(), picture.rgb[0]);
            assert!(written.contains(&(at, number)), "a copy of {number}");
            assert!(picture.rgb.iter().all(|byte| *byte == number));
        }
    }

    /// Takes one picture, and never returns from the next.
    struct Hanging {
        number: u8,
        gate: Arc<Mutex<()>>,
    }

    impl CameraAbi for Hanging {
        fn grab(&mut self, _: &mut ImageBufferAbi<'_>) -> CallResult<()> {
            self.number += 1;
            if self.number > 1 {
                drop(self.gate.lock().unwrap_or_else(PoisonError::into_inner));
            }
            RResult::ROk(())
        }
    }

    #[test]
    fn a_camera_that_hangs_is_named_and_the_end_does_not_wait_for_it() {
        let gate = Arc::new(Mutex::new(()));
        let closed = gate.lock().unwrap();
        let camera = Hanging {
            number: 0,
            gate: Arc::clone(&gate),
        };
        let camera = CameraAbi_TO::from_value(camera, TD_Opaque);
        let who = "embodiment `test/robot`, camera `front`";
        let port = CameraPort::new(
            who.to_owned(),
            description(),
            camera,
            PictureMemory::default(),
        );
        let calls = CallWatch::default();
        let cameras = (vec![port], CameraPulses::default());
        let mut threads = CameraThreads::new(cameras, Arc::default(), calls.clone());
        let id = PluginId::parse("test/robot").unwrap();
        threads.newest("front", &id, || 0).unwrap();
        let overdue = loop {
            // No other call lasts for so long.
            match calls.overdue(Duration::from_millis(300)) {
                Some(overdue) => break overdue,
                None => std::thread::yield_now(),
            }
        };
        assert_eq!((overdue.who.as_str(), overdue.entry), (who, "grab"));
        // It would wait for ever.
        drop(threads);
        drop(closed);
    }

    #[test]
    fn a_camera_takes_pictures_for_who_reads_or_looks() {
        let own = Duration::from_millis(40);
        let camera = CameraThread {
            shared: Arc::default(),
            ending: Arc::default(),
            calls: CallWatch::default(),
        };
        assert_eq!(camera.period_now(own), Some(own));
        let looks = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&looks);
        let watch = Watch {
            camera: "wrist".to_owned(),
            period_ns: 100_000_000,
            sink: Box::new(|_, _| {}),
            is_wanted: Some(Box::new(move || asked.load(Ordering::Relaxed))),
        };
        camera.shared.watches().push(Watching { watch, next_ns: 0 });
        assert_eq!(camera.period_now(own), None);
        looks.store(true, Ordering::Relaxed);
        assert_eq!(camera.period_now(own), Some(Duration::from_millis(100)));
        camera.shared.is_read.store(true, Ordering::Relaxed);
        assert_eq!(camera.period_now(own), Some(own));
    }

    #[test]
    fn a_camera_s_period_is_whole_ticks() {
        for (rate_hz, millis) in [(25.0, 40), (30.0, 33), (60.0, 17), (5000.0, 1)] {
            assert_eq!(period(rate_hz), Duration::from_millis(millis), "{rate_hz}");
        }
    }
}
