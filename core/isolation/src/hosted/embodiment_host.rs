//! A robot in a child: its parts, serviced here, and its end without a parent.
//!
//! A simulated robot is serviced when the parent steps its world: orders and
//! the newest command first, then the step, then the new state. Any other
//! robot is serviced every millisecond, and holds by itself when no command
//! comes for its own time-out. When the parent is gone, either holds at once,
//! is watched until it rests, and its last motion is written down.

use std::{
    fs::File,
    time::{Duration, Instant},
};

use vola_abi::{
    ActuatorBox, CameraBox, CommandFrame, EmbodimentBox, FaultAbi, HostServicesAbi, ImageBufferAbi,
    SimulationBox, StateFrame,
    abi_stable::std_types::{ROption, RSliceMut, RStr, RString},
};
use vola_types::EmbodimentDescription;

use super::{failed, log_to_parent, motion_log::MotionLog, stage_host::place, unwrap};
use crate::{
    channel::Channel,
    frames::{Frames, Order, Seen},
    sys::Mapping,
    wire::{Ask, Reader, Writer, answer},
};

/// Length of a tick.
pub(super) const TICK: Duration = Duration::from_millis(1);
/// The same (ns).
const TICK_NS: u64 = 1_000_000;
/// A robot without a parent is watched at most so long; the motion log keeps
/// as much before the loss.
const LAST_WATCH: Duration = Duration::from_secs(2);
/// Below this speed (rad/s, m/s) a joint rests.
const AT_REST: f64 = 1e-4;
/// Ticks of rest after which the watch ends.
const REST_TICKS: u32 = 50;
/// Time-out of a robot that does not say its own.
const USUAL_TIMEOUT: Duration = Duration::from_millis(100);

/// The one robot of this process.
pub(super) struct EmbodimentHost {
    embodiment: EmbodimentBox,
    frames: Frames,
    timeout: Duration,
    parts: Option<Parts>,
    log: MotionLog,
    log_file: File,
}

struct Parts {
    actuator: ActuatorBox,
    simulation: Option<SimulationBox>,
    seen_command: u64,
    taken_orders: u64,
    commanded: Option<Instant>,
    has_fault: bool,
    command: CommandFrame,
    state: StateFrame,
}

impl EmbodimentHost {
    pub(super) fn new(embodiment: EmbodimentBox, frames: Frames, log_file: File) -> Self {
        Self {
            embodiment,
            frames,
            timeout: USUAL_TIMEOUT,
            parts: None,
            log: MotionLog::new(),
            log_file,
        }
    }

    /// When the robot must be serviced next; none when the parent's steps do it.
    pub(super) fn next_service(&self) -> Option<Instant> {
        let parts = self.parts.as_ref()?;
        parts.simulation.is_none().then(|| Instant::now() + TICK)
    }

    /// One tick, at `now`, of a robot that is not simulated.
    pub(super) fn service(&mut self, now: Instant) {
        let Some(parts) = &mut self.parts else { return };
        parts.obey(&self.frames, now);
        let is_silent = parts
            .commanded
            .is_some_and(|commanded| now.saturating_duration_since(commanded) > self.timeout);
        if is_silent {
            parts.commanded = None;
            parts.has_fault |= parts.actuator.hold().is_err();
        }
        parts.tell(&self.frames, &mut self.log);
    }

    /// Carries out one question.
    pub(super) fn answer(
        &mut self,
        ask: Ask,
        mut reader: Reader<'_>,
        output: &Mapping,
        cameras: &mut dyn FnMut(Vec<(String, CameraBox)>) -> Result<(), FaultAbi>,
    ) -> Result<Writer, FaultAbi> {
        let done = || Writer::new(answer::DONE);
        match ask {
            Ask::Configure => {
                let settings = RStr::from(reader.text()?);
                unwrap(self.embodiment.configure(settings)).map(|()| done())
            }
            Ask::Describe => {
                let text = unwrap(self.embodiment.describe())?;
                if let Ok(description) = serde_json::from_str::<EmbodimentDescription>(&text)
                    && description.command_timeout_ns > 0
                {
                    self.timeout = Duration::from_nanos(description.command_timeout_ns);
                }
                Ok(done().text(&text))
            }
            Ask::Activate => {
                let services = HostServicesAbi {
                    log: log_to_parent,
                    data: RString::from(reader.text()?),
                };
                unwrap(self.embodiment.activate(services)).map(|()| done())
            }
            Ask::Open => self.open(cameras),
            Ask::Deactivate => {
                self.parts = None;
                unwrap(self.embodiment.deactivate()).map(|()| done())
            }
            _ => self.simulate(ask, reader, output),
        }
    }

    fn open(
        &mut self,
        cameras: &mut dyn FnMut(Vec<(String, CameraBox)>) -> Result<(), FaultAbi>,
    ) -> Result<Writer, FaultAbi> {
        let opened = unwrap(self.embodiment.open())?;
        let list: Vec<(String, CameraBox)> = opened
            .cameras
            .into_iter()
            .map(|part| (part.key.into_string(), part.camera))
            .collect();
        let mut answer = Writer::new(answer::DONE).u32(u32::try_from(list.len()).unwrap_or(0));
        for (key, _) in &list {
            answer = answer.text(key);
        }
        cameras(list)?;
        let mut parts = Parts {
            actuator: opened.actuator,
            simulation: match opened.simulation {
                ROption::RSome(simulation) => Some(simulation),
                ROption::RNone => None,
            },
            seen_command: 0,
            taken_orders: 0,
            commanded: None,
            has_fault: false,
            command: CommandFrame::default(),
            state: StateFrame::default(),
        };
        parts.tell(&self.frames, &mut self.log);
        let is_simulated = parts.simulation.is_some();
        self.parts = Some(parts);
        Ok(answer.u8(u8::from(is_simulated)))
    }

    fn simulate(
        &mut self,
        ask: Ask,
        mut reader: Reader<'_>,
        output: &Mapping,
    ) -> Result<Writer, FaultAbi> {
        let done = || Writer::new(answer::DONE);
        let Some(parts) = &mut self.parts else {
            return Err(failed("the robot is not open"));
        };
        parts.obey(&self.frames, Instant::now());
        let Some(world) = &mut parts.simulation else {
            return Err(failed("the robot has no simulated world"));
        };
        let result = match ask {
            Ask::WorldReset => {
                let seed = reader.u64()?;
                let task = RStr::from(reader.text()?);
                unwrap(world.reset(seed, task)).map(|episode| done().text(&episode))
            }
            Ask::WorldStep => unwrap(world.step(reader.u64()?)).map(|()| done()),
            Ask::WorldSetGoal => {
                unwrap(world.set_goal(RStr::from(reader.text()?))).map(|()| done())
            }
            Ask::WorldGoalReached => {
                unwrap(world.goal_reached()).map(|reached| done().u8(u8::from(reached)))
            }
            Ask::WorldDemonstrate => {
                let tensors = unwrap(world.demonstrate())?;
                place(&tensors, output).map(|heads| done().tensors(&heads))
            }
            _ => Err(failed("a question for a stage, not for a robot")),
        };
        parts.tell(&self.frames, &mut self.log);
        result
    }

    /// The parent is gone: holds, watches the robot until it rests, and writes
    /// its last motion down.
    pub(super) fn end_alone(&mut self) {
        let Some(parts) = &mut self.parts else { return };
        // What was commanded last is not carried out any more.
        let _ = parts.actuator.hold();
        parts.tell(&self.frames, &mut self.log);
        let lost_ns = parts.state.capture_time_ns;
        let end = Instant::now() + LAST_WATCH;
        let mut due = Instant::now();
        let mut rested = 0;
        while rested < REST_TICKS && Instant::now() < end {
            if let Some(world) = &mut parts.simulation
                && world.step(TICK_NS).is_err()
            {
                break;
            }
            parts.tell(&self.frames, &mut self.log);
            let speeds = parts.state.velocities();
            rested = if speeds.iter().all(|speed| speed.abs() <= AT_REST) {
                rested + 1
            } else {
                0
            };
            due += TICK;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        // Nobody is left who could be told that it failed.
        let _ = self
            .log
            .write(&mut self.log_file, "the runtime is gone", lost_ns);
    }
}

impl Parts {
    /// Orders in their order, then the newest command if it came after them.
    fn obey(&mut self, frames: &Frames, now: Instant) {
        while let Some(order) = frames.next_order(&mut self.taken_orders) {
            let result = match order {
                Order::Hold => self.actuator.hold(),
                Order::Stop(category) => self.actuator.stop(category),
                Order::Reset => {
                    self.has_fault = false;
                    self.actuator.reset()
                }
            };
            self.has_fault |= result.is_err();
        }
        let newest = frames.take_command(self.seen_command, self.taken_orders, &mut self.command);
        if let Some(number) = newest {
            self.seen_command = number;
            self.commanded = Some(now);
            self.has_fault |= self.actuator.command(&self.command).is_err();
        }
    }

    /// Publishes the measured state.
    fn tell(&mut self, frames: &Frames, log: &mut MotionLog) {
        let measured = self.actuator.state(&mut self.state);
        let seen = Seen {
            has_fault: self.has_fault || measured.is_err(),
            obeyed: self.taken_orders,
        };
        frames.put_state(&self.state, seen);
        log.keep(&self.state);
    }
}

/// Serves one camera on its own thread until the parent is gone. Pictures are
/// written where the parent says, into memory that it reads in place.
pub(super) fn serve_camera(mut camera: CameraBox, mut channel: Channel, pictures: &Mapping) {
    while let Ok(record) = channel.receive(None, None) {
        let result = grab(&mut camera, &record, pictures);
        let answer = result.unwrap_or_else(|fault| super::fault_record(&fault));
        if channel.send(answer.bytes(), None).is_err() {
            return;
        }
    }
}

#[expect(
    unsafe_code,
    reason = "the picture is written where the parent reads it"
)]
fn grab(camera: &mut CameraBox, record: &[u8], pictures: &Mapping) -> Result<Writer, FaultAbi> {
    let mut reader = Reader::new(record);
    let (_, width, height) = (reader.u8()?, reader.u32()?, reader.u32()?);
    let (offset, length, now_ns) = (reader.size()?, reader.size()?, reader.u64()?);
    // SAFETY: the parent has this buffer for this one picture: no other camera
    // gets it, and nobody reads it before the answer was received.
    let data = unsafe { pictures.lend_mut(offset, length) };
    let data = data.ok_or_else(|| failed("a picture outside of the memory for pictures"))?;
    let mut image = ImageBufferAbi {
        width,
        height,
        capture_time_ns: now_ns,
        data: RSliceMut::from_mut_slice(data),
    };
    let result = camera.grab(&mut image);
    let captured_ns = image.capture_time_ns;
    unwrap(result).map(|()| Writer::new(answer::DONE).u64(captured_ns))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Seek as _},
        sync::Mutex,
    };

    use vola_abi::{
        ActuatorAbi, ActuatorAbi_TO, CallResult, EmbodimentAbi, EmbodimentAbi_TO,
        EmbodimentPartsAbi, StopCategory,
        abi_stable::{
            sabi_trait::TD_Opaque,
            std_types::{RResult, RVec},
        },
    };

    use super::*;

    /// What the robot was told, in order.
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn tell(what: &str) -> CallResult<()> {
        TOLD.lock().unwrap().push(what.to_owned());
        RResult::ROk(())
    }

    fn told() -> Vec<String> {
        std::mem::take(&mut *TOLD.lock().unwrap())
    }

    /// A robot without a simulated world: one joint that is where it was told.
    struct Real;

    struct Drive(StateFrame);

    impl EmbodimentAbi for Real {
        fn configure(&mut self, _: RStr<'_>) -> CallResult<()> {
            RResult::ROk(())
        }

        fn describe(&mut self) -> CallResult<RString> {
            RResult::ROk(RString::from("{}"))
        }

        fn activate(&mut self, _: HostServicesAbi) -> CallResult<()> {
            RResult::ROk(())
        }

        fn open(&mut self) -> CallResult<EmbodimentPartsAbi> {
            let state = StateFrame {
                count: 1,
                ..StateFrame::default()
            };
            RResult::ROk(EmbodimentPartsAbi {
                actuator: ActuatorAbi_TO::from_value(Drive(state), TD_Opaque),
                cameras: RVec::new(),
                simulation: ROption::RNone,
            })
        }

        fn deactivate(&mut self) -> CallResult<()> {
            RResult::ROk(())
        }
    }

    impl ActuatorAbi for Drive {
        fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
            self.0.capture_time_ns += TICK_NS;
            *frame = self.0;
            RResult::ROk(())
        }

        fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
            self.0.position[0] = frame.position[0];
            tell("command")
        }

        fn hold(&mut self) -> CallResult<()> {
            tell("hold")
        }

        fn stop(&mut self, _: StopCategory) -> CallResult<()> {
            tell("stop")
        }

        fn reset(&mut self) -> CallResult<()> {
            tell("reset")
        }
    }

    #[test]
    fn a_robot_without_commands_holds_by_itself_and_at_once_without_a_parent() {
        let memory = Frames::memory().unwrap();
        let (here, runtime) = (
            Frames::over(&memory).unwrap(),
            Frames::over(&memory).unwrap(),
        );
        let mut file = tempfile::tempfile().unwrap();
        let robot = EmbodimentAbi_TO::from_value(Real, TD_Opaque);
        let mut host = EmbodimentHost::new(robot, here, file.try_clone().unwrap());
        host.open(&mut |cameras| {
            assert!(cameras.is_empty());
            Ok(())
        })
        .unwrap();
        assert!(host.next_service().is_some(), "serviced every tick");
        let begin = Instant::now();
        let mut command = CommandFrame {
            count: 1,
            ..CommandFrame::default()
        };
        command.position[0] = 0.25;
        runtime.put_command(&command);
        // The tick that takes it, the last within the time-out, the one after.
        for (after, expected) in [
            (Duration::ZERO, &["command"][..]),
            (USUAL_TIMEOUT, &[]),
            (USUAL_TIMEOUT + TICK, &["hold"]),
            (USUAL_TIMEOUT + 2 * TICK, &[]),
        ] {
            host.service(begin + after);
            assert_eq!(told(), expected, "{after:?}");
        }
        let mut state = StateFrame::default();
        assert!(!runtime.take_state(&mut state).unwrap().has_fault);
        assert_eq!(state.positions(), [0.25]);
        runtime.order(Order::Stop(StopCategory::Two));
        runtime.order(Order::Reset);
        runtime.put_command(&command);
        host.service(begin + Duration::from_secs(1));
        assert_eq!(told(), ["stop", "reset", "command"]);

        host.end_alone();
        assert_eq!(told(), ["hold"]);
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(header["cause"], "the runtime is gone", "{text}");
        assert!(text.lines().count() > REST_TICKS as usize);
    }
}
