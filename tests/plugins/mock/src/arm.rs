//! Two joints and a gripper without physics: the arm is at once where it was
//! sent. One camera shows the joint positions as colours.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vola_plugin::{
    Actuator, Camera, CommandFrame, Embodiment, Fault, ImageBuffer, Parts, Simulation, StateFrame,
    StopCategory, Tensor,
    serde_json::{Value, json},
    types::{
        ActionSpace, CameraDescription, ColorOrder, EmbodimentDescription, Gripper, GripperLimits,
        JointDescription, JointKind, Op, PluginDescription, PluginKind, WorkspaceBox,
    },
};

/// Joints and gripper.
const VALUES: usize = 3;
const HOME: [f64; VALUES] = [0.4, -0.8, 1.0];
const WIDTH: u32 = 8;
const HEIGHT: u32 = 6;

const URDF: &str = r#"<robot name="mock_arm">
  <link name="base"/>
  <link name="upper"/>
  <link name="fore"/>
  <link name="tool"/>
  <joint name="shoulder" type="revolute">
    <parent link="base"/><child link="upper"/><origin xyz="0 0 0.2" rpy="0 0 0"/><axis xyz="0 1 0"/>
    <limit lower="-1.5" upper="1.5" velocity="2" effort="10"/>
  </joint>
  <joint name="elbow" type="revolute">
    <parent link="upper"/><child link="fore"/><origin xyz="0 0 0.3" rpy="0 0 0"/><axis xyz="0 1 0"/>
    <limit lower="-1.5" upper="1.5" velocity="2" effort="10"/>
  </joint>
  <joint name="tool_mount" type="fixed">
    <parent link="fore"/><child link="tool"/><origin xyz="0 0 0.25" rpy="0 0 0"/>
  </joint>
</robot>
"#;

#[derive(Default)]
struct World {
    time_ns: u64,
    position: [f64; VALUES],
    velocity: [f64; VALUES],
    stopped: bool,
    goal: Option<[f64; VALUES]>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<World>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `mock/arm`.
pub(crate) struct Arm;

impl Embodiment for Arm {
    fn describe_plugin() -> PluginDescription {
        PluginDescription {
            name: "arm".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: PluginKind::Embodiment,
            summary: "two joints and a gripper without physics".to_owned(),
            produces: None,
            capabilities: vec![],
            settings_schema: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            example_inputs: vec![],
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        match settings.as_object() {
            Some(table) if table.is_empty() => Ok(Self),
            _ => Err(Fault::settings(format!(
                "expected no settings, got {settings}"
            ))),
        }
    }

    fn describe(&mut self) -> Result<EmbodimentDescription, Fault> {
        Ok(describe())
    }

    fn open(&mut self) -> Result<Parts, Fault> {
        let world = Shared(Arc::new(Mutex::new(World {
            position: HOME,
            ..World::default()
        })));
        Ok(Parts {
            actuator: Box::new(world.clone()),
            cameras: vec![("front".to_owned(), Box::new(world.clone()))],
            simulation: Some(Box::new(world)),
        })
    }
}

fn describe() -> EmbodimentDescription {
    let joint = |name: &str| JointDescription {
        name: name.to_owned(),
        kind: JointKind::Revolute,
        position_min: -1.5,
        position_max: 1.5,
        max_velocity: 2.0,
        max_acceleration: 20.0,
        max_jerk: 400.0,
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
            min: [-1.0, -1.0, -0.5],
            max: [1.0, 1.0, 1.0],
        },
        max_tool_speed_m_per_s: 2.0,
        capsules: vec![],
        cameras: vec![CameraDescription {
            key: "front".to_owned(),
            width: WIDTH,
            height: HEIGHT,
            order: ColorOrder::Rgb,
            rate_hz: 25.0,
            intrinsics: None,
            mount: None,
        }],
        action_spaces: vec![ActionSpace::JointPosition],
        ops: vec![Op::Home, Op::Wait, Op::OpenGripper, Op::CloseGripper],
        command_timeout_ns: 100_000_000,
        stamp_clock: vola_plugin::types::StampClock::Own,
    }
}

impl Actuator for Shared {
    fn state(&mut self, frame: &mut StateFrame) -> Result<(), Fault> {
        let world = self.lock();
        frame.capture_time_ns = world.time_ns;
        frame.count = VALUES as u32;
        frame.has_wrench = 0;
        frame.position[..VALUES].copy_from_slice(&world.position);
        frame.velocity[..VALUES].copy_from_slice(&world.velocity);
        frame.effort[..VALUES].fill(0.0);
        Ok(())
    }

    fn command(&mut self, frame: &CommandFrame) -> Result<(), Fault> {
        let mut world = self.lock();
        if frame.count as usize != VALUES {
            return Err(Fault::input(format!(
                "expected {VALUES} values, got {}",
                frame.count
            )));
        }
        if world.stopped {
            return Err(Fault::failed("stopped; reset first"));
        }
        // Stamps are on the runtime's clock, which commands bring.
        world.time_ns = world.time_ns.max(frame.time_ns);
        world.position.copy_from_slice(&frame.position[..VALUES]);
        world.velocity.copy_from_slice(&frame.velocity[..VALUES]);
        Ok(())
    }

    fn hold(&mut self) -> Result<(), Fault> {
        self.lock().velocity = [0.0; VALUES];
        Ok(())
    }

    fn stop(&mut self, _: StopCategory) -> Result<(), Fault> {
        let mut world = self.lock();
        world.stopped = true;
        world.velocity = [0.0; VALUES];
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.lock().stopped = false;
        Ok(())
    }
}

impl Camera for Shared {
    fn grab(&mut self, image: &mut ImageBuffer<'_>) -> Result<(), Fault> {
        if (image.width, image.height) != (WIDTH, HEIGHT) {
            return Err(Fault::input(format!(
                "picture: expected {WIDTH} × {HEIGHT}, got {} × {}",
                image.width, image.height
            )));
        }
        let world = self.lock();
        image.capture_time_ns = world.time_ns;
        let color = world
            .position
            .map(|value| (128.0 + 60.0 * value).clamp(1.0, 255.0) as u8);
        for pixel in image.data.chunks_exact_mut(3) {
            pixel.copy_from_slice(&color);
        }
        Ok(())
    }
}

impl Simulation for Shared {
    fn reset(&mut self, seed: u64, task: &Value) -> Result<Value, Fault> {
        // Null is some scene: a session opens with it.
        if !task.is_object() && !task.is_null() {
            return Err(Fault::input(format!(
                "task: expected an object or null, got {task}"
            )));
        }
        *self.lock() = World {
            position: HOME,
            ..World::default()
        };
        Ok(json!({ "seed": seed }))
    }

    fn step(&mut self, duration_ns: u64) -> Result<(), Fault> {
        self.lock().time_ns += duration_ns;
        Ok(())
    }

    fn set_goal(&mut self, goal: &Value) -> Result<(), Fault> {
        match goal.get("op").and_then(Value::as_str) {
            Some("home") => self.lock().goal = Some(HOME),
            _ => {
                return Err(Fault::input(format!(
                    "goal: expected {{\"op\":\"home\"}}, got {goal}"
                )));
            }
        }
        Ok(())
    }

    fn goal_reached(&mut self) -> Result<bool, Fault> {
        let world = self.lock();
        let goal = world.goal.ok_or_else(|| Fault::failed("no goal was set"))?;
        Ok(world
            .position
            .iter()
            .zip(goal)
            .take(2)
            .all(|(at, to)| (at - to).abs() < 0.01))
    }

    fn demonstrate(&mut self) -> Result<Vec<Tensor>, Fault> {
        Err(Fault::unsupported("demonstrate"))
    }
}
