//! A robot in a child: its parts, serviced here, and its end without a parent.
//!
//! A simulated robot is serviced when the parent steps its world: orders and
//! the newest command first, then the step, then the new state. Any other
//! robot is serviced every millisecond, and holds by itself when no command
//! comes for its own time-out. When the parent is gone, either is brought to
//! rest, and its last motion is written down.

use std::{
    fs::File,
    time::{Duration, Instant},
};

use vola_abi::{
    CameraBox, EmbodimentBox, FaultAbi, HostServicesAbi,
    abi_stable::std_types::{ROption, RStr, RString},
};
use vola_types::EmbodimentDescription;

use super::{
    failed, log_to_parent, motion_log::MotionLog, readiness::prepare, robot_parts::Parts,
    stage_host::place, unwrap,
};
use crate::{
    frames::Frames,
    servicing::Servicing,
    sys::Mapping,
    wire::{Ask, Reader, Writer, answer},
};

/// Length of a tick.
pub(super) const TICK: Duration = Duration::from_millis(1);
/// The same (ns).
pub(super) const TICK_NS: u64 = 1_000_000;
/// Time-out of a robot that does not say its own.
const USUAL_TIMEOUT: Duration = Duration::from_millis(100);

/// The one robot of this process.
pub(super) struct EmbodimentHost {
    embodiment: EmbodimentBox,
    frames: Frames,
    timeout: Duration,
    servicing: Servicing,
    /// When it is serviced next, where it is by itself.
    due: Instant,
    parts: Option<Parts>,
    log: MotionLog,
    log_file: File,
}

impl EmbodimentHost {
    pub(super) fn new(
        embodiment: EmbodimentBox,
        frames: Frames,
        log_file: File,
        servicing: Servicing,
    ) -> Self {
        Self {
            embodiment,
            frames,
            timeout: USUAL_TIMEOUT,
            servicing,
            due: Instant::now(),
            parts: None,
            log: MotionLog::new(),
            log_file,
        }
    }

    /// When the robot must be serviced next; none when the parent's steps do it.
    /// The times lie on a grid of ticks, whatever happens in between.
    pub(super) fn next_service(&self) -> Option<Instant> {
        let parts = self.parts.as_ref()?;
        parts.simulation.is_none().then_some(self.due)
    }

    /// One tick, at `now`, of a robot that is not simulated.
    pub(super) fn service(&mut self, now: Instant) {
        let Some(parts) = &mut self.parts else { return };
        self.due = next_due(self.due, now);
        parts.obey(&self.frames, now);
        let is_silent = parts
            .commanded
            .is_some_and(|commanded| now.saturating_duration_since(commanded) > self.timeout);
        if is_silent {
            parts.commanded = None;
            parts.has_refused |= parts.actuator.hold().is_err();
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
        let simulation = match opened.simulation {
            ROption::RSome(simulation) => Some(simulation),
            ROption::RNone => None,
        };
        let is_simulated = simulation.is_some();
        answer = answer.u8(u8::from(is_simulated));
        if !is_simulated {
            let readiness = prepare(self.servicing);
            answer = answer
                .u8(u8::from(readiness.is_whole))
                .text(&readiness.words);
        }
        let mut parts = Parts::new(opened.actuator, simulation);
        parts.tell(&self.frames, &mut self.log);
        self.parts = Some(parts);
        self.due = Instant::now() + TICK;
        Ok(answer)
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

    /// The parent is gone: brings the robot to rest, and writes its last motion
    /// down.
    pub(super) fn end_alone(&mut self) {
        if let Some(parts) = &mut self.parts {
            parts.end_alone(&self.frames, &mut self.log, &mut self.log_file);
        }
    }
}

/// The next time on the grid of `due` that is after `now`. Ticks that were
/// missed are left out: nothing is made up for in a burst.
fn next_due(due: Instant, now: Instant) -> Instant {
    let late = now.saturating_duration_since(due).as_nanos();
    let missed = late / TICK.as_nanos();
    due + TICK * u32::try_from(missed + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Seek as _},
        sync::{Arc, Mutex},
    };

    use vola_abi::{
        ActuatorAbi, ActuatorAbi_TO, CallResult, CommandFrame, EmbodimentAbi, EmbodimentAbi_TO,
        EmbodimentPartsAbi, FaultKind, StateFrame, StopCategory,
        abi_stable::{
            sabi_trait::TD_Opaque,
            std_types::{RResult, RVec},
        },
    };

    use super::{super::robot_parts::REST_TICKS, *};
    use crate::frames::Order;

    /// What the robot was told, in order.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<&'static str>>>);

    impl Told {
        fn tell(&self, what: &'static str) -> CallResult<()> {
            self.0.lock().unwrap().push(what);
            RResult::ROk(())
        }

        fn take(&self) -> Vec<&'static str> {
            std::mem::take(&mut *self.0.lock().unwrap())
        }
    }

    /// How it takes a hold.
    #[derive(Clone, Copy, PartialEq)]
    enum Held {
        Rests,
        /// At rest, as an encoder of a real joint tells it.
        Trembles,
        Refuses,
        RunsOn,
        /// Runs on, and does not take its first two stops.
        Deaf,
    }

    /// A robot without a simulated world: one joint that is where it was told.
    struct Real(Told, Held);

    struct Drive {
        state: StateFrame,
        told: Told,
        held: Held,
        /// It takes commands, and so many stops it does not.
        takes_commands: bool,
        deaf_stops: u32,
    }

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
            let drive = Drive {
                state: StateFrame {
                    count: 1,
                    ..StateFrame::default()
                },
                told: self.0.clone(),
                held: self.1,
                takes_commands: true,
                deaf_stops: u32::from(self.1 == Held::Deaf) * 2,
            };
            RResult::ROk(EmbodimentPartsAbi {
                actuator: ActuatorAbi_TO::from_value(drive, TD_Opaque),
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
            self.state.capture_time_ns += TICK_NS;
            *frame = self.state;
            if self.held == Held::Trembles {
                let odd = self.state.capture_time_ns / TICK_NS % 2 == 1;
                frame.velocity[0] += if odd { 0.005 } else { -0.005 };
            }
            RResult::ROk(())
        }

        fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
            if !self.takes_commands {
                return RResult::RErr(FaultAbi::new(FaultKind::Failed, "stopped; reset first"));
            }
            self.state.position[0] = frame.position[0];
            self.state.velocity[0] = frame.velocity[0];
            self.told.tell("command")
        }

        fn hold(&mut self) -> CallResult<()> {
            let _ = self.told.tell("hold");
            match self.held {
                Held::Rests | Held::Trembles => self.state.velocity[0] = 0.0,
                Held::Refuses => return RResult::RErr(FaultAbi::new(FaultKind::Failed, "no")),
                Held::RunsOn | Held::Deaf => {}
            }
            RResult::ROk(())
        }

        fn stop(&mut self, category: StopCategory) -> CallResult<()> {
            if self.deaf_stops > 0 {
                self.deaf_stops -= 1;
                let _ = self.told.tell("no stop");
                return RResult::RErr(FaultAbi::new(FaultKind::Failed, "no"));
            }
            self.state.velocity[0] = 0.0;
            self.takes_commands = false;
            self.told.tell(match category {
                StopCategory::Zero => "cut",
                _ => "stop",
            })
        }

        fn reset(&mut self) -> CallResult<()> {
            self.takes_commands = true;
            self.told.tell("reset")
        }
    }

    /// An open robot, the runtime's end of its frames, and where its last motion
    /// is written.
    fn opened(told: &Told, held: Held) -> (EmbodimentHost, Frames, File) {
        let memory = Frames::memory().unwrap();
        let here = Frames::over(&memory).unwrap();
        let file = tempfile::tempfile().unwrap();
        let robot = EmbodimentAbi_TO::from_value(Real(told.clone(), held), TD_Opaque);
        let own = file.try_clone().unwrap();
        let mut host = EmbodimentHost::new(robot, here, own, Servicing::default());
        host.open(&mut |cameras| {
            assert!(cameras.is_empty());
            Ok(())
        })
        .unwrap();
        (host, Frames::over(&memory).unwrap(), file)
    }

    fn command(velocity: f64) -> CommandFrame {
        let mut command = CommandFrame {
            count: 1,
            ..CommandFrame::default()
        };
        (command.position[0], command.velocity[0]) = (0.25, velocity);
        command
    }

    fn written(mut file: File) -> (serde_json::Value, usize) {
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let header = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        (header, text.lines().count())
    }

    #[test]
    fn a_robot_without_commands_holds_by_itself_and_at_once_without_a_parent() {
        let told = Told::default();
        let (mut host, runtime, file) = opened(&told, Held::Rests);
        let begin = Instant::now();
        runtime.put_command(&command(0.0));
        // The tick that takes it, the last within the time-out, the one after.
        for (after, expected) in [
            (Duration::ZERO, &["command"][..]),
            (USUAL_TIMEOUT, &[]),
            (USUAL_TIMEOUT + TICK, &["hold"]),
            (USUAL_TIMEOUT + 2 * TICK, &[]),
        ] {
            host.service(begin + after);
            assert_eq!(told.take(), expected, "{after:?}");
        }
        let mut state = StateFrame::default();
        let seen = runtime.take_state(&mut state).unwrap();
        assert!(!seen.has_refused && !seen.is_unmeasured);
        assert_eq!(state.positions(), [0.25]);
        runtime.order(Order::Stop(StopCategory::Two));
        runtime.order(Order::Reset);
        runtime.put_command(&command(0.5));
        host.service(begin + Duration::from_secs(1));
        assert_eq!(told.take(), ["stop", "reset", "command"]);

        host.end_alone();
        assert_eq!(told.take(), ["hold"]);
        let (header, lines) = written(file);
        assert_eq!(header["cause"], "the runtime is gone");
        assert!(lines > REST_TICKS as usize);
    }

    #[test]
    fn a_stopped_robot_refuses_commands_and_is_seen_all_the_same() {
        let told = Told::default();
        let (mut host, runtime, _file) = opened(&told, Held::Rests);
        let begin = Instant::now();
        runtime.order(Order::Stop(StopCategory::One));
        runtime.put_command(&command(0.5));
        host.service(begin);
        assert_eq!(told.take(), ["stop"]);
        let mut state = StateFrame::default();
        let seen = runtime.take_state(&mut state).unwrap();
        assert!(seen.has_refused && !seen.is_unmeasured, "{seen:?}");
        let stamp_ns = state.capture_time_ns;
        runtime.order(Order::Reset);
        host.service(begin + TICK);
        let seen = runtime.take_state(&mut state).unwrap();
        assert!(!seen.has_refused && state.capture_time_ns > stamp_ns);
    }

    #[test]
    fn a_stop_that_the_robot_does_not_take_is_asked_again_by_its_process() {
        let told = Told::default();
        let (mut host, runtime, _file) = opened(&told, Held::Deaf);
        let begin = Instant::now();
        runtime.order(Order::Stop(StopCategory::Zero));
        for (after, expected) in [
            (0, &["no stop"][..]),
            (5, &[]),
            (10, &["no stop"]),
            (15, &[]),
            (20, &["cut"]),
            (30, &[]),
        ] {
            host.service(begin + Duration::from_millis(after));
            assert_eq!(told.take(), expected, "{after}");
        }
    }

    #[test]
    fn an_encoder_that_trembles_is_no_motion() {
        let told = Told::default();
        let (mut host, _runtime, file) = opened(&told, Held::Trembles);
        host.end_alone();
        assert_eq!(told.take(), ["hold"]);
        assert_eq!(written(file).0["cause"], "the runtime is gone");
    }

    #[test]
    fn a_robot_that_a_hold_does_not_bring_to_rest_has_its_power_cut() {
        for (held, ticks, expected) in [
            (Held::Refuses, 0, &["hold", "cut"][..]),
            (Held::RunsOn, 100, &["hold", "cut"]),
            (Held::Deaf, 100, &["hold", "no stop", "no stop", "cut"]),
        ] {
            let told = Told::default();
            let (mut host, runtime, file) = opened(&told, held);
            runtime.put_command(&command(0.5));
            host.service(Instant::now());
            assert_eq!(told.take(), ["command"]);
            host.end_alone();
            assert_eq!(told.take(), expected);
            let (header, lines) = written(file);
            let cause = header["cause"].as_str().unwrap();
            assert!(cause.ends_with("power cut"), "{cause}");
            assert!(lines > ticks, "{lines}");
        }
    }

    #[test]
    fn ticks_keep_to_their_grid_and_those_missed_are_left_out() {
        let begin = Instant::now();
        let micros = Duration::from_micros;
        for (now, next) in [
            // Early, as a test may be; on time; late; later than a tick, than ten.
            (Duration::ZERO, 11_000),
            (micros(10_000), 11_000),
            (micros(10_900), 11_000),
            (micros(11_000), 12_000),
            (micros(20_300), 21_000),
        ] {
            let due = next_due(begin + micros(10_000), begin + now);
            assert_eq!(due - begin, micros(next), "{now:?}");
        }
        let (mut host, _runtime, _file) = opened(&Told::default(), Held::Rests);
        let due = host.next_service().unwrap();
        // However often it is asked, and however late it came.
        assert_eq!(host.next_service(), Some(due));
        host.service(due + micros(400));
        assert_eq!(host.next_service(), Some(due + TICK));
    }
}
