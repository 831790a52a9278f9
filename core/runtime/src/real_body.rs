//! Real time: a control thread at 1 kHz, a thread for a simulated world, and one
//! for every camera that somebody reads.
//!
//! Orders reach the control thread through a single-producer queue, its status
//! comes back through a newest-value buffer; it never waits for anybody. The
//! other threads may share a lock, since nobody real-time waits for them.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rtrb::{Consumer, Producer, RingBuffer};
use vola_bundle::ControlSettings;
use vola_types::PluginId;

use crate::{
    CallWatch, CommandDigest, MotionSink, Picture, RealTimeReport, RuntimeError, StopSwitch,
    arm_model::ArmModel,
    body::{Body, TickWrapper, Watch, World},
    camera_pulse::CameraPulses,
    control_event::{ControlEvent, ControlNote},
    control_inputs::{InputLog, RecordedSetup},
    control_loop::{ControlLoop, ControlOrder, TICK_NS},
    control_status::ControlStatus,
    control_thread::{
        Clock, ControlThread, Notes, Published, Told, listen, lock_queue, lock_status,
    },
    log_sink::line_ring,
    motion_report::{MotionTap, TapHandle, motion_queue},
    newest_picture::{CameraThread, CameraThreads},
    real_time::STACK_SIZE,
    robot::{CameraPort, SimulationPort},
    telemetry::ControlTelemetry,
};

/// Orders that may wait for the control thread.
const ORDER_QUEUE: usize = 4;
/// Longest wait for the control thread to take an order.
const ORDER_PATIENCE: Duration = Duration::from_millis(200);
/// Longest wait for the control thread to begin.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// How often a waiting thread looks at the stop switch.
const NAP: Duration = Duration::from_millis(1);
/// Time a simulated world may fall behind before it gives up catching up (ns).
const MAX_LAG_NS: u64 = 100_000_000;

/// A robot under the machine's clock.
pub(crate) struct RealBody {
    id: PluginId,
    clock: Clock,
    orders: Producer<ControlOrder>,
    orders_sent: u64,
    status: triple_buffer::Output<Published>,
    notes: Notes,
    motion: TapHandle,
    telemetry: Arc<ControlTelemetry>,
    digest: CommandDigest,
    real_time: RealTimeReport,
    simulation: Option<Arc<Mutex<SimulationPort>>>,
    cameras: CameraThreads,
    stop_switch: StopSwitch,
    ending: Arc<AtomicBool>,
    /// Control, world, listener: joined in this order.
    threads: Vec<JoinHandle<()>>,
}

/// What a body in real time is made of.
pub(crate) struct RealParts<'a> {
    pub(crate) id: PluginId,
    pub(crate) control: (ControlLoop, Consumer<ControlEvent>),
    pub(crate) cameras: (Vec<CameraPort>, CameraPulses),
    /// Calls into them are seen here.
    pub(crate) calls: CallWatch,
    pub(crate) simulation: Option<SimulationPort>,
    pub(crate) stop_switch: StopSwitch,
    pub(crate) settings: ControlSettings,
    /// A file for what the control loop takes in.
    pub(crate) record: Option<(&'a Path, RecordedSetup)>,
}

impl RealBody {
    /// Starts the threads. The robot holds where it is.
    pub(crate) fn start(parts: RealParts<'_>) -> Result<Self, RuntimeError> {
        let RealParts {
            id,
            control: (mut control, told),
            cameras,
            calls,
            simulation,
            stop_switch,
            settings,
            record,
        } = parts;
        let mut inputs = InputLog::new(control.record_inputs());
        if let Some((path, setup)) = record {
            inputs.write_to(path, &setup)?;
        }
        let digest = inputs.digest();
        let clock = Clock::start();
        let ending = Arc::new(AtomicBool::new(false));
        let (mut orders, inbox) = RingBuffer::new(ORDER_QUEUE);
        let first = Published {
            status: *control.status(),
            orders_taken: 0,
        };
        let (mut publisher, mut status) = triple_buffer::TripleBuffer::new(&first).split();
        let (mut tap, outlet, motion) = motion_queue();
        let telemetry = control.telemetry();
        telemetry.clear();
        let (mut lines, plugin_lines) = line_ring(Arc::clone(&telemetry));
        let locked = if settings.lock_memory() {
            lock_queues(
                &mut control,
                &mut orders,
                &mut tap,
                (&mut publisher, &mut status),
            )
            .and_then(|bytes| Ok(bytes + lines.lock_memory()?))
        } else {
            Ok(0)
        };
        let simulation = simulation.map(|simulation| Arc::new(Mutex::new(simulation)));
        let thread = Box::new(ControlThread {
            control,
            inbox,
            publisher,
            motion: tap,
            lines: Some(lines),
            settings,
        });
        let told = Told {
            events: told,
            lines: plugin_lines,
            inputs,
            motion: outlet,
            telemetry: Arc::clone(&telemetry),
        };
        let (ready, report) = mpsc::sync_channel(1);
        let mut threads = vec![spawn("vola-control", {
            let ending = Arc::clone(&ending);
            move || thread.run(clock, &ending, locked, &ready)
        })?];
        if let Some(simulation) = &simulation {
            let (simulation, ending) = (Arc::clone(simulation), Arc::clone(&ending));
            threads.push(spawn("vola-world", move || {
                run_world(clock, &simulation, &ending);
            })?);
        }
        let notes = Notes::default();
        threads.push(spawn("vola-listener", {
            let notes = Arc::clone(&notes);
            move || listen(told, &notes)
        })?);
        let real_time = report.recv_timeout(START_PATIENCE).unwrap_or_default();
        for refusal in real_time.refusals() {
            tracing::warn!(target: "control", "{refusal}");
        }
        Ok(Self {
            id,
            clock,
            orders,
            orders_sent: 0,
            status,
            notes,
            motion,
            telemetry,
            digest,
            real_time,
            simulation,
            cameras: CameraThreads::new(cameras, Arc::clone(&ending), calls),
            stop_switch,
            ending,
            threads,
        })
    }

    fn simulation(&self) -> Result<MutexGuard<'_, SimulationPort>, RuntimeError> {
        let simulation = self
            .simulation
            .as_ref()
            .ok_or_else(|| RuntimeError::MissingPart {
                id: self.id.clone(),
                part: "simulated world".to_owned(),
                help: "only a simulated embodiment can be reset or measured",
            })?;
        Ok(simulation.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Body for RealBody {
    fn now_ns(&self) -> u64 {
        self.clock.now_ns()
    }

    fn advance_to(&mut self, time_ns: u64) -> Result<(), RuntimeError> {
        let was_thrown = self.stop_switch.is_thrown();
        while self.clock.now_ns() < time_ns {
            if !was_thrown && self.stop_switch.is_thrown() {
                break;
            }
            let left = Duration::from_nanos(time_ns.saturating_sub(self.clock.now_ns()));
            thread::park_timeout(left.min(NAP));
        }
        Ok(())
    }

    fn status(&mut self) -> ControlStatus {
        self.status.read().status
    }

    fn order(&mut self, order: ControlOrder) -> Result<(), RuntimeError> {
        let stuck = || RuntimeError::Stopped {
            reason: "the control thread takes no orders".to_owned(),
        };
        self.orders.push(order).map_err(|_full| stuck())?;
        self.orders_sent += 1;
        let give_up = Instant::now() + ORDER_PATIENCE;
        while self.status.read().orders_taken < self.orders_sent {
            if Instant::now() > give_up {
                return Err(stuck());
            }
            thread::park_timeout(NAP);
        }
        Ok(())
    }

    fn picture(&mut self, camera: &str) -> Result<(Picture, u64), RuntimeError> {
        let clock = self.clock;
        self.cameras
            .newest(camera, &self.id, move || clock.now_ns())
    }

    fn notes(&mut self) -> Vec<ControlNote> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn telemetry(&self) -> Arc<ControlTelemetry> {
        Arc::clone(&self.telemetry)
    }

    fn digest(&self) -> Option<CommandDigest> {
        Some(self.digest.clone())
    }

    fn real_time(&self) -> Option<&RealTimeReport> {
        Some(&self.real_time)
    }

    fn world(&mut self) -> Option<&mut dyn World> {
        self.simulation.is_some().then_some(self)
    }

    fn wrap_ticks(&mut self, _: TickWrapper) -> Result<(), RuntimeError> {
        Err(RuntimeError::MissingPart {
            id: self.id.clone(),
            part: "ticks that can be wrapped in real time".to_owned(),
            help: "open the session in virtual time",
        })
    }

    fn watch(&mut self, watch: Watch) -> Result<(), RuntimeError> {
        let clock = self.clock;
        self.cameras.watch(watch, &self.id, move || clock.now_ns())
    }

    fn watch_motion(&mut self, model: Arc<ArmModel>, sink: MotionSink) {
        self.motion.open(model, sink);
    }
}

impl World for RealBody {
    fn reset(
        &mut self,
        seed: u64,
        task: &serde_json::Value,
    ) -> Result<serde_json::Value, RuntimeError> {
        // No path may run on into the new scene, and none is silent meanwhile.
        self.order(ControlOrder::NewWorld)?;
        let episode = self.simulation()?.reset(seed, task);
        self.order(ControlOrder::Reset)?;
        let episode = episode?;
        self.cameras.forget();
        Ok(episode)
    }

    fn set_goal(&mut self, goal: &serde_json::Value) -> Result<(), RuntimeError> {
        self.simulation()?.set_goal(goal)
    }

    fn goal_reached(&mut self) -> Result<bool, RuntimeError> {
        self.simulation()?.goal_reached()
    }

    fn demonstrate(&mut self) -> Result<Vec<vola_abi::TensorAbi>, RuntimeError> {
        self.simulation()?.demonstrate()
    }
}

impl Drop for RealBody {
    fn drop(&mut self) {
        // The arm is brought to rest by the control thread itself before it ends.
        self.ending.store(true, Ordering::Release);
        for handle in self.threads.drain(..) {
            handle.thread().unpark();
            if handle.join().is_err() {
                tracing::error!("a thread of the runtime panicked");
            }
        }
    }
}

/// Locks what the control thread shares with this one; the bytes locked.
fn lock_queues(
    control: &mut ControlLoop,
    orders: &mut Producer<ControlOrder>,
    motion: &mut MotionTap,
    (publisher, status): (
        &mut triple_buffer::Input<Published>,
        &mut triple_buffer::Output<Published>,
    ),
) -> io::Result<usize> {
    Ok(control.lock_rings()?
        + lock_queue(orders)?
        + lock_queue(motion.queue())?
        + lock_status(publisher, status)?)
}

/// Steps a simulated world with the clock until the session ends.
fn run_world(clock: Clock, simulation: &Mutex<SimulationPort>, ending: &AtomicBool) {
    let mut stepped_ns = clock.now_ns();
    while !ending.load(Ordering::Acquire) {
        let behind = clock.now_ns().saturating_sub(stepped_ns);
        if behind > MAX_LAG_NS {
            stepped_ns += behind - MAX_LAG_NS;
        }
        let ticks = clock.now_ns().saturating_sub(stepped_ns) / TICK_NS;
        if ticks > 0 {
            let mut world = simulation.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = world.step(ticks * TICK_NS) {
                tracing::error!("{error}");
                return;
            }
            stepped_ns += ticks * TICK_NS;
        }
        clock.sleep_until(stepped_ns + TICK_NS);
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, RuntimeError> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_SIZE)
        .spawn(body)
        .map_err(|source| RuntimeError::Io {
            path: std::path::PathBuf::from(format!("thread `{name}`")),
            source,
        })
}

/// Makes the thread of one camera.
pub(crate) fn spawn_camera(
    camera: CameraPort,
    thread: CameraThread,
    now_ns: impl Fn() -> u64 + Send + 'static,
) -> Result<JoinHandle<()>, RuntimeError> {
    spawn("vola-camera", move || thread.run(camera, now_ns))
}
