//! Virtual time: one scheduler, no threads.
//!
//! Every tick of 1 ms runs in fixed order: state, safety and command (the control
//! loop), the world, then the pictures that somebody watches. A picture that
//! nobody reads is not rendered. Nothing here reads a clock, so the same seed
//! gives the same commands however busy the machine is.

use std::{path::Path, sync::Arc};

use rtrb::Consumer;
use vola_types::PluginId;

use crate::{
    CommandDigest, MotionSink, Picture, RealTimeReport, RuntimeError, StopSwitch,
    arm_model::ArmModel,
    body::{Body, TickWrapper, Watch, World},
    camera_pulse::CameraPulses,
    control_event::{ControlEvent, ControlNote},
    control_inputs::{InputLog, RecordedSetup},
    control_loop::{ControlLoop, ControlOrder, TICK_NS},
    control_status::ControlStatus,
    motion_report::MotionInstant,
    newest_picture::period,
    robot::{CameraPort, SimulationPort},
    telemetry::ControlTelemetry,
};

/// A simulated robot under virtual time.
pub(crate) struct VirtualBody {
    id: PluginId,
    now_ns: u64,
    control: ControlLoop,
    told: Consumer<ControlEvent>,
    notes: Vec<ControlNote>,
    digest: CommandDigest,
    /// Where a recording is wanted.
    inputs: Option<InputLog>,
    wrapper: Option<TickWrapper>,
    cameras: Vec<CameraPort>,
    pulses: CameraPulses,
    simulation: SimulationPort,
    stop_switch: StopSwitch,
    watches: Vec<(Watch, u64)>,
    motion: Option<(Arc<ArmModel>, MotionSink)>,
    motion_told_ns: u64,
}

impl VirtualBody {
    pub(crate) fn new(
        id: PluginId,
        (mut control, told): (ControlLoop, Consumer<ControlEvent>),
        (cameras, pulses): (Vec<CameraPort>, CameraPulses),
        simulation: SimulationPort,
        stop_switch: StopSwitch,
        record: Option<(&Path, RecordedSetup)>,
    ) -> Result<Self, RuntimeError> {
        control.telemetry().clear();
        let inputs = record.map(|(path, setup)| {
            let mut log = InputLog::new(control.record_inputs());
            log.write_to(path, &setup).map(|()| log)
        });
        Ok(Self {
            id,
            now_ns: 0,
            control,
            told,
            notes: Vec::new(),
            digest: CommandDigest::default(),
            inputs: inputs.transpose()?,
            wrapper: None,
            cameras,
            pulses,
            simulation,
            stop_switch,
            watches: Vec::new(),
            motion: None,
            motion_told_ns: 0,
        })
    }

    fn tick(&mut self) -> Result<(), RuntimeError> {
        match &mut self.wrapper {
            Some(wrapper) => wrapper(&mut || self.control.tick(self.now_ns)),
            None => self.control.tick(self.now_ns),
        }
        self.digest.add(self.control.command_frame());
        self.listen();
        if let Some(inputs) = &mut self.inputs {
            inputs.take(usize::MAX);
        }
        self.simulation.step(TICK_NS)?;
        self.now_ns += TICK_NS;
        self.take_awaited_pictures();
        for watch in 0..self.watches.len() {
            self.show(watch)?;
        }
        self.tell_motion();
        Ok(())
    }

    /// Pictures that the control loop awaits, at their camera's rate. One that cannot
    /// be taken is one that does not come.
    fn take_awaited_pictures(&mut self) {
        for key in self.pulses.expected() {
            let camera = self.cameras.iter_mut();
            let mut camera = camera.filter(|camera| camera.description().key == key);
            if let Some(camera) = camera.next()
                && self
                    .now_ns
                    .is_multiple_of(period_ns(camera.description().rate_hz))
                && let Err(error) = camera.grab(self.now_ns)
            {
                tracing::debug!("{error}");
            }
        }
    }

    /// Hands on a new measured instant; pictures of the same time came before.
    fn tell_motion(&mut self) {
        let status = self.control.status();
        let Some((model, sink)) = &mut self.motion else {
            return;
        };
        if status.proprioception_ns == self.motion_told_ns {
            return;
        }
        self.motion_told_ns = status.proprioception_ns;
        // An invalid state stops the arm, which is told elsewhere.
        if let Ok(report) = MotionInstant::of(status).report(model) {
            sink(&report);
        }
    }

    /// Logs what the control loop told, and keeps it for the run's log.
    fn listen(&mut self) {
        while let Ok(event) = self.told.pop() {
            let Some(note) = event.told() else { continue };
            note.log();
            self.notes.push(note);
        }
    }

    /// Puts a watch back into its place.
    fn keep(&mut self, number: usize, watch: (Watch, u64)) {
        self.watches.push(watch);
        let last = self.watches.len() - 1;
        self.watches.swap(number, last);
    }

    /// Shows a watch its picture when it is due.
    fn show(&mut self, number: usize) -> Result<(), RuntimeError> {
        let due = |(_, due_ns): &(Watch, u64)| self.now_ns >= *due_ns;
        if !self.watches.get(number).is_some_and(due) {
            return Ok(());
        }
        let (mut watch, due_ns) = self.watches.swap_remove(number);
        let next = due_ns + watch.period_ns;
        if !watch.is_wanted() {
            self.keep(number, (watch, next));
            return Ok(());
        }
        let taken = self.picture(&watch.camera);
        if let Ok((picture, _)) = &taken {
            (watch.sink)(self.now_ns, picture);
        }
        self.keep(number, (watch, next));
        taken.map(|_| ())
    }
}

impl Body for VirtualBody {
    fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn advance_to(&mut self, time_ns: u64) -> Result<(), RuntimeError> {
        let was_thrown = self.stop_switch.is_thrown();
        while self.now_ns < time_ns {
            self.tick()?;
            if !was_thrown && self.stop_switch.is_thrown() {
                break;
            }
        }
        Ok(())
    }

    fn status(&mut self) -> ControlStatus {
        *self.control.status()
    }

    fn order(&mut self, order: ControlOrder) -> Result<(), RuntimeError> {
        self.control.order(order);
        Ok(())
    }

    fn picture(&mut self, camera: &str) -> Result<(Picture, u64), RuntimeError> {
        let taken = find_camera(&mut self.cameras, camera, &self.id)?.grab(self.now_ns)?;
        self.pulses.expect(camera);
        Ok(taken)
    }

    fn world(&mut self) -> Option<&mut dyn World> {
        Some(self)
    }

    fn notes(&mut self) -> Vec<ControlNote> {
        self.listen();
        std::mem::take(&mut self.notes)
    }

    fn telemetry(&self) -> Arc<ControlTelemetry> {
        self.control.telemetry()
    }

    fn digest(&self) -> Option<CommandDigest> {
        Some(self.digest.clone())
    }

    fn real_time(&self) -> Option<&RealTimeReport> {
        None
    }

    fn wrap_ticks(&mut self, wrapper: TickWrapper) -> Result<(), RuntimeError> {
        self.wrapper = Some(wrapper);
        Ok(())
    }

    fn watch(&mut self, watch: Watch) -> Result<(), RuntimeError> {
        find_camera(&mut self.cameras, &watch.camera, &self.id)?;
        // On the clock's own grid, so that pictures of several cameras and
        // measured instants meet.
        let first_ns = self.now_ns.next_multiple_of(watch.period_ns.max(TICK_NS));
        self.watches.push((watch, first_ns));
        Ok(())
    }

    fn watch_motion(&mut self, model: Arc<ArmModel>, sink: MotionSink) {
        self.motion = Some((model, sink));
    }
}

impl World for VirtualBody {
    fn reset(
        &mut self,
        seed: u64,
        task: &serde_json::Value,
    ) -> Result<serde_json::Value, RuntimeError> {
        // The arm may stand elsewhere in the new scene, and begin to at once.
        self.control.order(ControlOrder::NewWorld);
        let episode = self.simulation.reset(seed, task);
        self.control.order(ControlOrder::Reset);
        episode
    }

    fn set_goal(&mut self, goal: &serde_json::Value) -> Result<(), RuntimeError> {
        self.simulation.set_goal(goal)
    }

    fn goal_reached(&mut self) -> Result<bool, RuntimeError> {
        self.simulation.goal_reached()
    }

    fn demonstrate(&mut self) -> Result<Vec<vola_abi::TensorAbi>, RuntimeError> {
        self.simulation.demonstrate()
    }
}

/// Time between two pictures (ns).
fn period_ns(rate_hz: f64) -> u64 {
    u64::try_from(period(rate_hz).as_nanos())
        .unwrap_or(u64::MAX)
        .max(TICK_NS)
}

/// The camera with this key.
pub(crate) fn find_camera<'a>(
    cameras: &'a mut [CameraPort],
    key: &str,
    id: &PluginId,
) -> Result<&'a mut CameraPort, RuntimeError> {
    cameras
        .iter_mut()
        .find(|camera| camera.description().key == key)
        .ok_or_else(|| RuntimeError::MissingPart {
            id: id.clone(),
            part: format!("camera `{key}`"),
            help: "name a camera that `vola doctor` lists, or add one in the settings of [robot]",
        })
}
