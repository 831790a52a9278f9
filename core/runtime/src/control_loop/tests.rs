//! Every watchdog and every stop, with injected time, on an arm that does as its
//! script says.

#![allow(
    clippy::float_cmp,
    reason = "numbers that only pass through stay the same"
)]

mod cameras;
mod handoffs;
mod holding;
mod lateness;
mod links;
mod passing_on;
mod random_states;
mod resets;
mod stops;
mod watchdogs;

use std::sync::{Mutex, MutexGuard, PoisonError};

use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, CallResult, FaultAbi, FaultKind, StopCategory,
    abi_stable::{sabi_trait::TD_Opaque, std_types::RResult},
};
use vola_bundle::Deployment;
use vola_motion::JointState;
use vola_types::{Gripper, GripperLimits, JointDescription, JointKind, PluginId, WorkspaceBox};

use super::*;
use crate::{authority::Mandate, safety_setup::FilterUse};

const URDF: &str = r#"<robot name="arm">
  <link name="base"/><link name="upper"/><link name="tool"/>
  <joint name="shoulder" type="revolute">
    <parent link="base"/><child link="upper"/><origin xyz="0 0 0.2"/><axis xyz="0 1 0"/>
    <limit lower="-1.5" upper="1.5" velocity="2" effort="10"/>
  </joint>
  <joint name="elbow" type="revolute">
    <parent link="upper"/><child link="tool"/><origin xyz="0 0 0.3"/><axis xyz="0 1 0"/>
    <limit lower="-1.5" upper="1.5" velocity="2" effort="10"/>
  </joint>
</robot>"#;

const HOME: [f64; 3] = [0.4, -0.8, 1.0];
const MS: u64 = TICK_NS;
const VELOCITY: f64 = 2.0;
const ACCELERATION: f64 = 20.0;
const JERK: f64 = 400.0;

fn description() -> EmbodimentDescription {
    let joint = |name: &str| JointDescription {
        name: name.to_owned(),
        kind: JointKind::Revolute,
        position_min: -1.5,
        position_max: 1.5,
        max_velocity: VELOCITY,
        max_acceleration: ACCELERATION,
        max_jerk: JERK,
    };
    EmbodimentDescription {
        joints: vec![joint("shoulder"), joint("elbow")],
        gripper: Gripper::Parallel,
        gripper_limits: Some(GripperLimits {
            max_width_m: 0.08,
            max_velocity_per_s: 4.0,
            max_acceleration_per_s2: 40.0,
            max_jerk_per_s3: 800.0,
            max_force_n: 10.0,
        }),
        urdf: URDF.to_owned(),
        tool_link: "tool".to_owned(),
        home: HOME[..2].to_vec(),
        workspace: WorkspaceBox {
            min: [-2.0; 3],
            max: [2.0; 3],
        },
        max_tool_speed_m_per_s: 5.0,
        capsules: vec![],
        cameras: vec![],
        action_spaces: vec![vola_types::ActionSpace::JointPosition],
        ops: vec![],
        command_timeout_ns: 100 * MS,
        stamp_clock: vola_types::StampClock::Runtime,
    }
}

/// How states come through the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Delivery {
    #[default]
    InOrder,
    /// Every other one is the one before once more.
    Twice,
    /// Of each pair the later comes first, then the older one.
    Swapped,
}

/// What the arm does, and what it was asked.
#[derive(Default)]
struct Script {
    state: StateFrame,
    /// The link is gone: the last state again and again.
    is_silent: bool,
    /// New stamps on the same positions.
    is_frozen: bool,
    state_fault: bool,
    state_nan: bool,
    command_fault: bool,
    /// The robot's own stop, from before; it takes no commands until a reset.
    is_latched: bool,
    resets: usize,
    /// So many stops are not taken.
    refused_stops: usize,
    /// The reset is a fault, although it may have been obeyed.
    refuses_reset: bool,
    /// Where the reset finds the first joint; the state before it tells otherwise.
    found_at: Option<f64>,
    /// Time constant (ticks) with which the joints go after their commands; none:
    /// at once.
    lag: Option<f64>,
    /// Flags of the state.
    flags: u32,
    /// Velocity that the arm keeps whatever it is told.
    runs_on: f64,
    delivery: Delivery,
    /// The last state, and how many were asked for.
    before: StateFrame,
    asked: usize,
    stops: Vec<StopCategory>,
    commands: Vec<[f64; 3]>,
}

impl Script {
    /// Towards a command, as far as one tick goes.
    fn go(&mut self, frame: &CommandFrame) {
        let Some(lag) = self.lag else {
            self.state.position = frame.position;
            self.state.velocity = frame.velocity;
            return;
        };
        let share = 1.0 - (-1.0 / lag).exp();
        for joint in 0..3 {
            let step = share * (frame.position[joint] - self.state.position[joint]);
            self.state.position[joint] += step;
            self.state.velocity[joint] = step * 1e3;
        }
    }
}

#[derive(Clone, Default)]
struct Arm(Arc<Mutex<Script>>);

impl Arm {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fault<T>(message: &str) -> CallResult<T> {
    RResult::RErr(FaultAbi::new(FaultKind::Failed, message))
}

impl ActuatorAbi for Arm {
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
        let mut script = self.script();
        if script.state_fault {
            return fault("the encoder does not answer");
        }
        script.asked += 1;
        let is_second = script.asked.is_multiple_of(2);
        *frame = match script.delivery {
            Delivery::Twice | Delivery::Swapped if is_second => script.before,
            _ => script.state,
        };
        if script.delivery != Delivery::Twice || !is_second {
            script.before = script.state;
        }
        frame.has_wrench = script.flags;
        frame.velocity[0] += script.runs_on;
        if script.state_nan {
            frame.position[1] = f64::NAN;
        }
        RResult::ROk(())
    }

    fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
        let mut script = self.script();
        script
            .commands
            .push([frame.position[0], frame.position[1], frame.position[2]]);
        if !script.is_silent {
            // It measures, whatever it is told.
            script.state.capture_time_ns = frame.time_ns;
        }
        if script.command_fault {
            return fault("the bus is full");
        }
        if script.is_latched {
            return fault("stopped; reset first");
        }
        if !script.is_silent && !script.is_frozen {
            script.go(frame);
        }
        RResult::ROk(())
    }

    fn hold(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }

    fn stop(&mut self, category: StopCategory) -> CallResult<()> {
        let mut script = self.script();
        if script.refused_stops > 0 {
            script.refused_stops -= 1;
            return fault("the bus is full");
        }
        script.stops.push(category);
        RResult::ROk(())
    }

    fn reset(&mut self) -> CallResult<()> {
        let mut script = self.script();
        script.is_latched = false;
        script.resets += 1;
        if let Some(place) = script.found_at {
            script.state_fault = false;
            script.state.position[0] = place;
        }
        if script.refuses_reset {
            return fault("no answer");
        }
        RResult::ROk(())
    }
}

/// A control loop, its arm and its clock.
struct Rig {
    control: ControlLoop,
    told: Consumer<ControlEvent>,
    arm: Arm,
    stop_switch: StopSwitch,
    authority: AuthorityWord,
    heartbeats: Heartbeats,
    cameras: CameraPulses,
    now_ns: u64,
}

impl Rig {
    fn new() -> Self {
        Self::with("")
    }

    /// A rig whose deployment has more to say.
    fn with(text: &str) -> Self {
        let text = format!("[robot]\nplugin = 'a/arm'\n[policy]\nbundle = 'b'\n{text}");
        let deployment = Deployment::parse(&text, std::path::Path::new("d.toml")).unwrap();
        let description = description();
        let id = PluginId::parse("a/arm").unwrap();
        let arm = Arm::default();
        arm.script().state.count = 3;
        arm.script().state.position[..3].copy_from_slice(&HOME);
        let (stop_switch, heartbeats) = (StopSwitch::default(), Heartbeats::default());
        let authority = AuthorityWord::default();
        let cameras = CameraPulses::of(vec!["front".to_owned()]);
        let (control, told) = ControlLoop::new(ControlSetup {
            actuator: ActuatorPort::new(
                "arm".to_owned(),
                ActuatorAbi_TO::from_value(arm.clone(), TD_Opaque),
            ),
            model: Arc::new(ArmModel::new(&id, &description).unwrap()),
            description: &description,
            limits: Limits::from_description(&description).unwrap(),
            tool_limits: ToolLimits {
                workspace: description.workspace,
                max_speed_m_per_s: description.max_tool_speed_m_per_s,
            },
            safety: SafetySetup::new(&deployment, &description, FilterUse::On),
            stop_switch: stop_switch.clone(),
            authority: authority.clone(),
            heartbeats: heartbeats.clone(),
            cameras: cameras.clone(),
            deadlines: deployment.safety().deadlines(),
            settings: *deployment.control(),
        })
        .unwrap();
        Self {
            control,
            told,
            arm,
            stop_switch,
            authority,
            heartbeats,
            cameras,
            now_ns: 0,
        }
    }

    fn tick(&mut self) {
        self.control.tick(self.now_ns);
        self.now_ns += MS;
    }

    fn run(&mut self, ticks: u64) {
        (0..ticks).for_each(|_| self.tick());
    }

    /// Ticks until the loop is no longer in this mode; how many it took.
    fn ticks_in(&mut self, mode: ControlMode, most: u64) -> u64 {
        (0..most)
            .find(|_| {
                self.tick();
                self.mode() != mode
            })
            .unwrap_or(most)
            + 1
    }

    fn mode(&self) -> ControlMode {
        self.control.status().mode
    }

    /// Rows of 100 ms that swing both joints; far longer than any test.
    fn swing(&mut self, fresh_by_ns: u64) {
        let mandate = self.authority.mandate();
        self.swing_as(mandate, fresh_by_ns);
    }

    /// The same, ordered under a mandate.
    fn swing_as(&mut self, mandate: Mandate, fresh_by_ns: u64) {
        self.follow_rows(mandate, fresh_by_ns, |row| {
            let swing = 0.3 * (0.5 * row).sin();
            [swing, -swing]
        });
    }

    /// Sixty rows of 100 ms, each so far from home.
    fn follow_rows(
        &mut self,
        mandate: Mandate,
        fresh_by_ns: u64,
        from_home: impl Fn(f64) -> [f64; 2],
    ) {
        let rows: Vec<(u64, [f64; 3])> = (1..60)
            .map(|row| {
                let [shoulder, elbow] = from_home(row as f64);
                (
                    self.now_ns + row * 100 * MS,
                    [HOME[0] + shoulder, HOME[1] + elbow, 1.0],
                )
            })
            .collect();
        let start = JointState::at_rest(self.control.status().command()).unwrap();
        let rows = rows.iter().map(|(at_ns, row)| (*at_ns, &row[..]));
        let path = ReferencePath::through(self.now_ns, &start, rows).unwrap();
        self.control.order(ControlOrder::Follow {
            path,
            fresh_by_ns,
            mandate,
        });
    }

    /// A rig whose arm is in the middle of a motion.
    fn moving() -> Self {
        let mut rig = Self::new();
        rig.run(5);
        rig.swing(u64::MAX);
        rig.run(300);
        assert_eq!(rig.mode(), ControlMode::Following);
        assert!(!rig.control.status().at_rest);
        rig
    }

    /// Words of everything told so far.
    fn told(&mut self) -> Vec<(u64, &'static str, String)> {
        let mut told = Vec::new();
        while let Ok(event) = self.told.pop() {
            let note = event.note();
            told.push((note.time_ns, note.limit, note.action));
        }
        told
    }

    /// The loop has just stopped for this cause: told in the same tick, the robot
    /// asked once, the arm comes to rest, and only a reset leads out of it.
    fn assert_stopped(mut self, cause: StopCause, category: StopCategory) {
        let stopped = ControlMode::Stopped(cause);
        assert_eq!(self.mode(), stopped);
        assert_eq!(self.arm.script().stops, [category]);
        let told = self.told();
        let [(at_ns, word, action)] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert_eq!((*at_ns, *word), (self.now_ns - MS, cause.word()));
        assert!(action.contains(cause.as_str()), "{action}");
        self.run(500);
        assert!(self.control.status().at_rest);
        // Whatever was wrong is over; still nothing moves.
        let pose = {
            let mut script = self.arm.script();
            *script = Script {
                state: script.state,
                commands: script.commands.clone(),
                ..Script::default()
            };
            script.commands.last().copied().unwrap()
        };
        self.stop_switch.release();
        self.swing(u64::MAX);
        self.run(50);
        assert_eq!(self.mode(), stopped);
        assert_eq!(self.arm.script().commands.last(), Some(&pose));
        // The reset takes up where the arm was measured, at rest.
        let measured = [0.31, -0.71, 1.0];
        {
            let mut script = self.arm.script();
            script.state.position[..3].copy_from_slice(&measured);
            script.state.velocity = StateFrame::default().velocity;
        }
        self.control.order(ControlOrder::Reset);
        assert_eq!(self.mode(), ControlMode::Holding);
        self.run(3);
        for command in self.arm.script().commands.iter().rev().take(3) {
            assert_eq!(command, &measured);
        }
        self.swing(u64::MAX);
        self.run(200);
        assert_eq!(self.mode(), ControlMode::Following);
        let last = self.arm.script().commands.last().copied().unwrap();
        assert!((last[0] - measured[0]).abs() > 0.01, "{last:?}");
    }
}

/// Largest step of the commands from one tick to the next, as a velocity, and of
/// that velocity, as an acceleration.
fn steepest(commands: &[[f64; 3]]) -> (f64, f64) {
    let velocity = |pair: &[[f64; 3]]| [0, 1].map(|joint| (pair[1][joint] - pair[0][joint]) * 1e3);
    let velocities: Vec<[f64; 2]> = commands.windows(2).map(velocity).collect();
    let fastest = velocities.iter().flatten();
    let steps = velocities.windows(2).flat_map(|pair| {
        let step = |joint: usize| (pair[1][joint] - pair[0][joint]) * 1e3;
        [step(0), step(1)]
    });
    let most = |values: f64, value: f64| values.max(value.abs());
    (fastest.copied().fold(0.0, most), steps.fold(0.0, most))
}
