//! The control thread: ticks on time, never waits for anybody.
//!
//! Orders come in through a single-producer queue, status goes out through a
//! newest-value buffer, what there is to tell through a ring that another
//! thread empties. All of it, and the thread's stack, is touched and locked in
//! memory before the first tick.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
    thread,
    time::Duration,
};

use rtrb::{Consumer, Producer};
use vola_bundle::ControlSettings;

use crate::{
    RealTimeReport,
    control_event::{ControlEvent, ControlNote},
    control_inputs::InputLog,
    control_loop::{ControlLoop, ControlOrder, TICK_NS},
    control_status::ControlStatus,
    log_sink::{LineSender, PluginLine},
    motion_report::{MotionOutlet, MotionTap},
    real_time::{self, lock_memory},
    real_time_report::prepare_thread,
    telemetry::ControlTelemetry,
    tick_clock::TickSchedule,
};

/// Ticks at most between the end of a session and the end of its control
/// thread: a second to come to rest.
const LAST_TICKS: u64 = 1000;
/// Longest time that something told waits to be logged.
const LISTEN_PERIOD: Duration = Duration::from_millis(10);
/// Notes kept for a run's log that nobody fetches.
const MAX_NOTES: usize = 1000;

/// The runtime's clock: nanoseconds since the session began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    zero_ns: u64,
}

impl Clock {
    /// A clock that shows zero now.
    pub(crate) fn start() -> Self {
        Self {
            zero_ns: real_time::monotonic_ns(),
        }
    }

    pub(crate) fn now_ns(self) -> u64 {
        real_time::monotonic_ns().saturating_sub(self.zero_ns)
    }

    /// Sleeps until a time; returns at once when it is past.
    pub(crate) fn sleep_until(self, time_ns: u64) {
        real_time::sleep_until_ns(self.zero_ns.saturating_add(time_ns));
    }

    /// The same, awake for the last `spin_ns`.
    fn wait_until(self, time_ns: u64, spin_ns: u64) {
        self.sleep_until(time_ns.saturating_sub(spin_ns));
        while self.now_ns() < time_ns {
            std::hint::spin_loop();
        }
    }
}

/// What the control thread publishes: its newest tick and how many orders it took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Published {
    pub(crate) status: ControlStatus,
    pub(crate) orders_taken: u64,
}

/// Everything that the thread owns.
pub(crate) struct ControlThread {
    pub(crate) control: ControlLoop,
    pub(crate) inbox: Consumer<ControlOrder>,
    pub(crate) publisher: triple_buffer::Input<Published>,
    /// Where plugins' log lines go that come on this thread.
    pub(crate) lines: Option<LineSender>,
    pub(crate) motion: MotionTap,
    pub(crate) settings: ControlSettings,
}

impl ControlThread {
    /// Ticks until the session ends and the arm stands. A late wake-up samples
    /// the path later; it never runs ticks in a burst.
    ///
    /// `locked` is how much of the queues was locked by whoever made them.
    pub(crate) fn run(
        mut self: Box<Self>,
        clock: Clock,
        ending: &AtomicBool,
        locked: io::Result<usize>,
        ready: &SyncSender<RealTimeReport>,
    ) {
        let settings = self.settings;
        if let Some(lines) = self.lines.take() {
            lines.take_this_thread_s();
        }
        let report = prepare_thread(&settings, || {
            let own = size_of::<Self>();
            lock_memory(std::ptr::from_ref::<Self>(&self).cast(), own)?;
            Ok(locked? + own)
        });
        let has_priority = report.priority.granted && settings.priority() > 0;
        let spin_ns = if has_priority {
            u64::try_from(settings.spin().as_nanos()).unwrap_or(0)
        } else {
            0
        };
        // Nobody waiting means that the session was given up; it ends us then.
        let _ = ready.send(report);
        self.control.measure_with(real_time::monotonic_ns);
        let telemetry = self.control.telemetry();
        let mut schedule = TickSchedule::new(clock.now_ns(), TICK_NS);
        telemetry.watch_thread(real_time::thread_id());
        let mut taken = 0;
        let mut left = u64::MAX;
        while left > 0 {
            clock.wait_until(schedule.due_ns(), spin_ns);
            let now_ns = clock.now_ns();
            telemetry.lateness.record(schedule.begin(now_ns));
            let began_ns = real_time::thread_cpu_ns();
            while let Ok(order) = self.inbox.pop() {
                self.control.order(order);
                taken += 1;
            }
            if ending.load(Ordering::Acquire) {
                self.control.order(ControlOrder::Hold);
                left = left.min(LAST_TICKS).saturating_sub(1);
                if self.control.status().at_rest {
                    left = 0;
                }
            }
            // The period's own time: the jitter of waking up is not the reference's.
            self.control.tick(now_ns / TICK_NS * TICK_NS);
            self.publisher.write(Published {
                status: *self.control.status(),
                orders_taken: taken,
            });
            self.motion.tell(self.control.status());
            telemetry
                .work
                .record(real_time::thread_cpu_ns().saturating_sub(began_ns));
        }
        telemetry.has_ended.store(true, Ordering::Relaxed);
    }
}

/// Locks the memory of a queue that is still empty; the bytes locked.
pub(crate) fn lock_queue<T>(queue: &mut Producer<T>) -> io::Result<usize> {
    let slots = queue.slots();
    let Ok(mut chunk) = queue.write_chunk_uninit(slots) else {
        return Ok(0);
    };
    let (first, second) = chunk.as_mut_slices();
    let mut locked = 0;
    for part in [&*first, &*second] {
        let bytes = size_of_val(part);
        if bytes > 0 {
            lock_memory(part.as_ptr().cast(), bytes)?;
        }
        locked += bytes;
    }
    Ok(locked)
}

/// Locks the three places of a newest-value buffer; the bytes locked.
pub(crate) fn lock_status(
    publisher: &mut triple_buffer::Input<Published>,
    reader: &mut triple_buffer::Output<Published>,
) -> io::Result<usize> {
    let bytes = size_of::<Published>();
    let lock = |place: &Published| lock_memory(std::ptr::from_ref(place).cast(), bytes);
    lock(reader.output_buffer_mut())?;
    // What is written changes places with what waits to be read.
    for _ in 0..2 {
        let place = publisher.input_buffer_mut();
        lock(place)?;
        publisher.publish();
    }
    Ok(3 * bytes)
}

/// What was told and is not yet in a run's log.
pub(crate) type Notes = Arc<Mutex<Vec<ControlNote>>>;

/// What the control thread sends to who logs for it.
pub(crate) struct Told {
    pub(crate) events: Consumer<ControlEvent>,
    pub(crate) lines: Consumer<PluginLine>,
    pub(crate) inputs: InputLog,
    pub(crate) motion: MotionOutlet,
    pub(crate) telemetry: Arc<ControlTelemetry>,
}

impl Told {
    /// Logs what waits.
    fn log(&mut self, notes: &Notes) {
        while let Ok(event) = self.events.pop() {
            let Some(note) = event.told() else { continue };
            note.log();
            let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
            if notes.len() < MAX_NOTES {
                notes.push(note);
            }
        }
        while let Ok(line) = self.lines.pop() {
            line.log();
        }
        self.inputs.take(0);
        self.motion.drain();
    }
}

/// Logs what the control thread tells until it is gone. Runs on a thread of its
/// own, so that a slow terminal is nobody's matter but this thread's.
pub(crate) fn listen(mut told: Told, notes: &Notes) {
    let mut lost_before = 0;
    loop {
        // Asked first: what was told before the end is still taken out.
        let is_over = told.events.is_abandoned();
        told.log(notes);
        let lost = told.telemetry.lost_lines.load(Ordering::Relaxed);
        if lost > lost_before {
            let lines = lost - lost_before;
            tracing::warn!(target: "plugin", "{lines} log lines from the control thread were lost");
            lost_before = lost;
        }
        if is_over {
            return;
        }
        thread::park_timeout(LISTEN_PERIOD);
    }
}
