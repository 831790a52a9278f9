//! Real time: a control thread at 1 kHz, a thread for a simulated world, and one
//! for every camera that somebody reads.
//!
//! Orders reach the control thread through a single-producer queue, its status
//! comes back through a newest-value buffer; it never waits for anybody. The
//! other threads may share a lock, since nobody real-time waits for them.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rtrb::{Consumer, Producer, RingBuffer};
use vola_types::PluginId;

use crate::{
    Picture, RuntimeError, StopSwitch,
    body::{Body, Watch, World},
    control_loop::{ControlLoop, ControlOrder, TICK_NS},
    control_status::ControlStatus,
    newest_picture::{CameraThread, CameraThreads},
    robot::{CameraPort, SimulationPort},
};

/// Orders that may wait for the control thread.
const ORDER_QUEUE: usize = 4;
/// Longest wait for the control thread to take an order.
const ORDER_PATIENCE: Duration = Duration::from_millis(200);
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
    simulation: Option<Arc<Mutex<SimulationPort>>>,
    cameras: CameraThreads,
    stop_switch: StopSwitch,
    ending: Arc<AtomicBool>,
    control: Option<JoinHandle<()>>,
    world: Option<JoinHandle<()>>,
}

/// The runtime's clock: nanoseconds since the session began.
#[derive(Clone, Copy)]
struct Clock {
    zero: Instant,
}

impl Clock {
    fn now_ns(self) -> u64 {
        u64::try_from(self.zero.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Sleeps until a time; returns at once when it is past.
    fn sleep_until(self, time_ns: u64) {
        loop {
            let left = time_ns.saturating_sub(self.now_ns());
            if left == 0 {
                return;
            }
            thread::park_timeout(Duration::from_nanos(left));
        }
    }
}

/// What the control thread publishes: its newest tick and how many orders it took.
#[derive(Clone, Copy, Debug, Default)]
struct Published {
    status: ControlStatus,
    orders_taken: u64,
}

impl RealBody {
    /// Starts the threads. The robot holds where it is.
    pub(crate) fn start(
        id: PluginId,
        control: ControlLoop,
        cameras: Vec<CameraPort>,
        simulation: Option<SimulationPort>,
        stop_switch: StopSwitch,
    ) -> Result<Self, RuntimeError> {
        let clock = Clock {
            zero: Instant::now(),
        };
        let ending = Arc::new(AtomicBool::new(false));
        let (orders, inbox) = RingBuffer::new(ORDER_QUEUE);
        let first = Published {
            status: *control.status(),
            orders_taken: 0,
        };
        let (publisher, status) = triple_buffer::TripleBuffer::new(&first).split();
        let simulation = simulation.map(|simulation| Arc::new(Mutex::new(simulation)));
        let control = ControlThread {
            control,
            inbox,
            publisher,
            taken: 0,
        };
        let control = spawn("vola-control", {
            let ending = Arc::clone(&ending);
            move || control.run(clock, &ending)
        })?;
        let world = simulation
            .as_ref()
            .map(|simulation| {
                let (simulation, ending) = (Arc::clone(simulation), Arc::clone(&ending));
                spawn("vola-world", move || run_world(clock, &simulation, &ending))
            })
            .transpose()?;
        Ok(Self {
            id,
            clock,
            orders,
            orders_sent: 0,
            status,
            simulation,
            cameras: CameraThreads::new(cameras, Arc::clone(&ending)),
            stop_switch,
            ending,
            control: Some(control),
            world,
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

    fn picture(&mut self, camera: &str, into: &mut Picture) -> Result<u64, RuntimeError> {
        let clock = self.clock;
        self.cameras
            .newest(camera, &self.id, move || clock.now_ns(), into)
    }

    fn world(&mut self) -> Option<&mut dyn World> {
        self.simulation.is_some().then_some(self)
    }

    fn watch(&mut self, watch: Watch) -> Result<(), RuntimeError> {
        let clock = self.clock;
        self.cameras.watch(watch, &self.id, move || clock.now_ns())
    }
}

impl World for RealBody {
    fn reset(
        &mut self,
        seed: u64,
        task: &serde_json::Value,
    ) -> Result<serde_json::Value, RuntimeError> {
        // No path may run on into the new scene.
        self.order(ControlOrder::Hold)?;
        let episode = self.simulation()?.reset(seed, task)?;
        self.order(ControlOrder::Reset)?;
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
        for handle in [self.control.take(), self.world.take()]
            .into_iter()
            .flatten()
        {
            handle.thread().unpark();
            if handle.join().is_err() {
                tracing::error!("a thread of the runtime panicked");
            }
        }
    }
}

struct ControlThread {
    control: ControlLoop,
    inbox: Consumer<ControlOrder>,
    publisher: triple_buffer::Input<Published>,
    taken: u64,
}

impl ControlThread {
    /// Ticks until the session ends and the arm stands. A late wake-up samples
    /// the path later; it never runs ticks in a burst.
    fn run(mut self, clock: Clock, ending: &AtomicBool) {
        let mut due_ns = clock.now_ns();
        let mut left = u64::MAX;
        while left > 0 {
            while let Ok(order) = self.inbox.pop() {
                self.control.order(order);
                self.taken += 1;
            }
            if ending.load(Ordering::Acquire) {
                self.control.order(ControlOrder::Hold);
                // At most a second to come to rest.
                left = left.min(1000).saturating_sub(1);
                if self.control.status().at_rest {
                    left = 0;
                }
            }
            self.control.tick(clock.now_ns());
            self.publisher.write(Published {
                status: *self.control.status(),
                orders_taken: self.taken,
            });
            due_ns = (due_ns + TICK_NS).max(clock.now_ns());
            clock.sleep_until(due_ns);
        }
    }
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
