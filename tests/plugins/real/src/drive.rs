//! One joint and a gripper, in real time.

use vola_plugin::{
    Actuator, CommandFrame, Embodiment, Fault, Parts, StateFrame, StopCategory,
    serde_json::{Value, json},
    types::{
        ActionSpace, EmbodimentDescription, Gripper, GripperLimits, JointDescription, JointKind,
        Op, PluginDescription, PluginKind, StampClock, WorkspaceBox,
    },
};

use crate::clock::monotonic_ns;

/// Joint and gripper.
const VALUES: usize = 2;
/// Far from home: the way there takes a while.
const START: [f64; VALUES] = [-1.2, 1.0];
const HOME: f64 = 1.2;
/// How fast it brakes (rad/s²).
const BRAKING: f64 = 10.0;
/// It brakes by itself without a command for so long (ns).
const TIMEOUT_NS: u64 = 100_000_000;

const URDF: &str = r#"<robot name="real"><link name="base"/><link name="tool"/>
<joint name="turn" type="revolute"><parent link="base"/><child link="tool"/>
<origin xyz="0 0 0.3"/><axis xyz="0 0 1"/>
<limit lower="-1.5" upper="1.5" velocity="2" effort="1"/></joint></robot>
"#;

/// `real/drive`.
pub(crate) struct Drive {
    /// Whether it logs each command.
    logs: bool,
}

impl Embodiment for Drive {
    fn describe_plugin() -> PluginDescription {
        PluginDescription {
            name: "drive".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: PluginKind::Embodiment,
            summary: "one joint and a gripper on the machine's clock".to_owned(),
            produces: None,
            capabilities: vec![],
            settings_schema: json!({
                "type": "object",
                "properties": {"logs": {"type": "boolean"}},
                "additionalProperties": false,
            }),
            example_inputs: vec![],
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        match settings.get("logs") {
            None | Some(Value::Bool(false)) => Ok(Self { logs: false }),
            Some(Value::Bool(true)) => Ok(Self { logs: true }),
            Some(other) => Err(Fault::settings(format!(
                "logs: expected true or false, got {other}"
            ))),
        }
    }

    fn describe(&mut self) -> Result<EmbodimentDescription, Fault> {
        Ok(describe())
    }

    fn open(&mut self) -> Result<Parts, Fault> {
        Ok(Parts {
            actuator: Box::new(Joint {
                logs: self.logs,
                position: START,
                velocity: [0.0; VALUES],
                at_ns: monotonic_ns(),
                commanded_ns: None,
                is_stopped: false,
                commands: 0,
            }),
            cameras: vec![],
            simulation: None,
        })
    }
}

fn describe() -> EmbodimentDescription {
    EmbodimentDescription {
        joints: vec![JointDescription {
            name: "turn".to_owned(),
            kind: JointKind::Revolute,
            position_min: -1.5,
            position_max: 1.5,
            max_velocity: 2.0,
            max_acceleration: 20.0,
            max_jerk: 400.0,
        }],
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
        home: vec![HOME],
        workspace: WorkspaceBox {
            min: [-1.0; 3],
            max: [1.0; 3],
        },
        max_tool_speed_m_per_s: 2.0,
        capsules: vec![],
        cameras: vec![],
        action_spaces: vec![ActionSpace::JointPosition],
        ops: vec![Op::Home, Op::Wait],
        command_timeout_ns: TIMEOUT_NS,
        stamp_clock: StampClock::Own,
    }
}

/// What moves.
struct Joint {
    logs: bool,
    position: [f64; VALUES],
    velocity: [f64; VALUES],
    /// When that was so.
    at_ns: u64,
    /// When it was commanded last; none while it brakes or stands.
    commanded_ns: Option<u64>,
    is_stopped: bool,
    /// Commands that reached it.
    commands: u64,
}

impl Joint {
    /// Goes on to now: where it was sent, or braking.
    fn advance(&mut self) {
        let now_ns = monotonic_ns();
        let seconds = now_ns.saturating_sub(self.at_ns) as f64 * 1e-9;
        self.at_ns = now_ns;
        match self.commanded_ns {
            Some(last_ns) if now_ns.saturating_sub(last_ns) <= TIMEOUT_NS => return,
            Some(_) => self.commanded_ns = None,
            None => {}
        }
        for (position, velocity) in self.position.iter_mut().zip(&mut self.velocity) {
            let speed = velocity.abs();
            let braking = seconds.min(speed / BRAKING);
            let left = (speed - BRAKING * seconds).max(0.0);
            *position += velocity.signum() * 0.5 * (speed + left) * braking;
            *velocity = velocity.signum() * left;
        }
    }

    fn brake(&mut self) {
        self.advance();
        self.commanded_ns = None;
    }
}

impl Actuator for Joint {
    /// The first effort is the number of commands that came.
    fn state(&mut self, frame: &mut StateFrame) -> Result<(), Fault> {
        self.advance();
        frame.capture_time_ns = self.at_ns;
        frame.count = VALUES as u32;
        frame.has_wrench = 0;
        frame.position[..VALUES].copy_from_slice(&self.position);
        frame.velocity[..VALUES].copy_from_slice(&self.velocity);
        frame.effort[..VALUES].copy_from_slice(&[self.commands as f64, 0.0]);
        Ok(())
    }

    fn command(&mut self, frame: &CommandFrame) -> Result<(), Fault> {
        if frame.count as usize != VALUES {
            return Err(Fault::input(format!(
                "expected {VALUES} values, got {}",
                frame.count
            )));
        }
        self.commands += 1;
        if self.logs {
            vola_plugin::tracing::error!("drive told {} ns: {}", frame.time_ns, "x".repeat(300));
        }
        if self.is_stopped {
            return Ok(());
        }
        self.advance();
        self.commanded_ns = Some(self.at_ns);
        self.position.copy_from_slice(&frame.position[..VALUES]);
        self.velocity.copy_from_slice(&frame.velocity[..VALUES]);
        Ok(())
    }

    fn hold(&mut self) -> Result<(), Fault> {
        self.brake();
        Ok(())
    }

    fn stop(&mut self, _: StopCategory) -> Result<(), Fault> {
        self.brake();
        self.is_stopped = true;
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.is_stopped = false;
        Ok(())
    }
}
