//! The part that owns the world.

use std::{collections::VecDeque, sync::Arc};

use serde_json::Value;
use vola_plugin::{Fault, Simulation, Tensor};
use vola_types::{Op, Region};

use super::{
    camera::CameraPlace,
    exchange::{Exchange, Request},
    settings::Settings,
};
use crate::{
    arm::{ArmModel, narrow},
    catalog::Kind,
    error::TabletopError,
    expert::{self, HORIZON},
    render::Renderer,
    scene::{
        EpisodeJson, Goal, GoalJson, ObjectJson, ObjectRef, Target, TargetRef, TaskSpec, plan,
    },
    supervision::{MAX_OBJECTS, OBJECT_ROW, acted_point, object_rows, picture_point},
    world::{ActiveGoal, Drive, DriveMode, ObjectState, TICK_NS, World, reset, resolve_goal},
};

/// How far a command may lie back in time (ns) before its sender is taken to have
/// another clock by now.
const OTHER_CLOCK_NS: u64 = 20_000_000;

/// A command that has not yet reached the drives.
struct UnderWay {
    /// The world's time at which it does (ns).
    arrives_ns: u64,
    /// The time for which it was sent, and the time that it then was, on the
    /// runtime's clock (ns).
    time_ns: u64,
    sent_ns: u64,
    /// Positions, then velocities, of joints and gripper.
    values: Vec<f64>,
}

/// The world, its goal, and the runtime's clock.
pub(crate) struct TabletopSimulation {
    arm: Arc<ArmModel>,
    settings: Settings,
    exchange: Arc<Exchange>,
    world: World,
    /// Goals of the episode; all must hold at its end.
    episode: Vec<ActiveGoal>,
    /// Goal that `set_goal` named.
    goal: Option<ActiveGoal>,
    clock_ns: u64,
    /// What is added to the times of commands, to have them on this clock.
    offset_ns: u64,
    backlog_ns: u64,
    last_command: u64,
    command: Vec<f64>,
    /// Commands on their way to the drives, the oldest first.
    under_way: VecDeque<UnderWay>,
    /// How long each is on its way: whole ticks.
    delay_ns: u64,
    /// What is added to each measured joint position (rad).
    bias: Vec<f64>,
    renderer: Renderer,
}

impl TabletopSimulation {
    /// A simulation of a world that rests.
    pub(crate) fn new(
        arm: Arc<ArmModel>,
        settings: Settings,
        exchange: Arc<Exchange>,
        world: World,
    ) -> Self {
        let count = arm.kinematics.joint_count() + 1;
        let simulation = Self {
            arm,
            settings,
            exchange,
            world,
            episode: Vec::new(),
            goal: None,
            clock_ns: 0,
            offset_ns: 0,
            backlog_ns: 0,
            last_command: 0,
            command: vec![0.0; 2 * count],
            under_way: VecDeque::new(),
            delay_ns: 0,
            bias: vec![0.0; count],
            renderer: Renderer::default(),
        };
        simulation.publish();
        simulation
    }

    /// Takes the newest command or request before so many ticks.
    fn receive(&mut self, ticks: u64) {
        let now = self.world.time_ns();
        let drive = &mut self.world.drive;
        let request = self.exchange.request();
        if !request.is_stop() && drive.is_stopped() {
            // What was sent before and during the stop is void.
            self.under_way.clear();
            drive.restart();
        }
        match request {
            Request::Follow => self.take_command(ticks),
            Request::Hold => {
                self.under_way.clear();
                drive.stand(DriveMode::Hold);
            }
            Request::StopAtOnce => {
                self.under_way.clear();
                drive.cut();
            }
            Request::StopControlled => {
                // A stop has a line of its own and is not late; what is still on
                // its way was sent before it.
                if !drive.is_stopped() {
                    self.under_way.clear();
                }
                drive.stop(now);
                self.take_command(ticks);
            }
        }
    }

    /// Takes the newest command, and gives the drives those that have arrived.
    fn take_command(&mut self, ticks: u64) {
        let now = self.world.time_ns();
        let taken = self.read_command(ticks);
        let drive = &mut self.world.drive;
        if let Some(time_ns) = taken {
            if self.delay_ns == 0 {
                give(drive, &self.command, time_ns, now);
            } else {
                self.under_way.push_back(UnderWay {
                    arrives_ns: now + self.delay_ns,
                    time_ns,
                    sent_ns: self.clock_ns,
                    values: self.command.clone(),
                });
            }
        }
        let has_arrived = |command: &UnderWay| command.arrives_ns <= now;
        while self.under_way.front().is_some_and(has_arrived)
            && let Some(command) = self.under_way.pop_front()
        {
            // The whole path comes later: a command is for a tick as far from that
            // of its arrival as it was from that of its sending.
            let late_ns = self.clock_ns.saturating_sub(command.sent_ns);
            let time_ns = command.time_ns.saturating_add(late_ns);
            give(drive, &command.values, time_ns, now);
        }
    }

    /// The newest command's time (ns), if there is a new one. It is for the last
    /// of the ticks that come: the clock is brought to the first.
    fn read_command(&mut self, ticks: u64) -> Option<u64> {
        let mut time_ns = 0;
        let read = self.exchange.command.read(&mut time_ns, &mut self.command);
        self.last_command = read.filter(|writes| *writes != self.last_command)?;
        let mut time_ns = time_ns.saturating_add(self.offset_ns);
        if self.clock_ns.saturating_sub(time_ns) > OTHER_CLOCK_NS {
            // Its clock began anew: the command is for now.
            self.offset_ns += self.clock_ns - time_ns;
            time_ns = self.clock_ns;
        }
        let first_ns = time_ns.saturating_sub(ticks.saturating_sub(1) * TICK_NS);
        self.clock_ns = self.clock_ns.max(first_ns);
        Some(time_ns)
    }

    /// Gives the newest state and poses to the other parts.
    fn publish(&self) {
        let drive = &self.world.drive;
        let gripper = self.world.gripper();
        let touch = self.world.touch();
        let values = drive
            .position()
            .iter()
            .zip(&self.bias)
            .map(|(position, bias)| position + bias)
            .chain([gripper])
            .chain(drive.velocity().iter().copied())
            .chain([self.world.gripper_velocity(), touch.grip])
            .chain(touch.wrench);
        self.exchange.state.write(self.clock_ns, values);
        self.exchange.publish(self.world.snapshot(self.clock_ns));
    }

    /// The goals that `goal_reached` speaks of.
    fn goals(&self) -> &[ActiveGoal] {
        self.goal
            .as_ref()
            .map_or(self.episode.as_slice(), std::slice::from_ref)
    }

    fn aspect(&self) -> f32 {
        let [width, height] = self
            .settings
            .size(CameraPlace::Front)
            .map(|side| narrow(f64::from(side)));
        width / height
    }
}

impl Simulation for TabletopSimulation {
    fn reset(&mut self, seed: u64, task: &Value) -> Result<Value, Fault> {
        let spec = TaskSpec::from_json(task)?;
        let scene = plan(seed, &spec, self.settings.drawer)?;
        self.world = reset(&self.arm, self.settings.physics, seed, &scene)?;
        self.episode = scene
            .goals
            .iter()
            .map(|goal| ActiveGoal::begin(*goal, None, &self.world))
            .collect::<Result<_, _>>()?;
        self.under_way.clear();
        self.delay_ns = scene.disturbance.delay_ns.next_multiple_of(TICK_NS);
        self.bias.fill(0.0);
        for (joint, offset) in &scene.disturbance.bias {
            if let Some(slot) = self.bias.get_mut(*joint) {
                *slot = *offset;
            }
        }
        self.goal = None;
        self.clock_ns = 0;
        self.offset_ns = 0;
        self.backlog_ns = 0;
        // A command from before the reset is no command to the new world.
        self.last_command = self.exchange.command.writes();
        if !self.exchange.request().is_stop() {
            self.exchange.ask(Request::Hold);
        }
        self.publish();
        let steps: Vec<GoalJson> = self
            .episode
            .iter()
            .map(|goal| goal_json(&goal.goal, goal.target_point(&self.world), &self.world))
            .collect();
        let first = steps.first();
        let episode = EpisodeJson {
            task: spec.task,
            seed,
            arm: self.arm.spec.name.to_owned(),
            op: first.map(|step| step.op),
            relation: first.and_then(|step| step.relation),
            object: first.and_then(|step| step.object.clone()),
            target: first.and_then(|step| step.target.clone()),
            steps,
            holding: scene.holding,
            objects: self.world.object_states().iter().map(object_json).collect(),
            perturbations: scene.disturbance.drawn,
        };
        Ok(serde_json::to_value(episode)?)
    }

    fn step(&mut self, duration_ns: u64) -> Result<(), Fault> {
        self.backlog_ns = self.backlog_ns.saturating_add(duration_ns);
        self.receive(self.backlog_ns / TICK_NS);
        while self.backlog_ns >= TICK_NS {
            self.backlog_ns -= TICK_NS;
            self.world.drive.set_clock(self.clock_ns);
            self.world.tick();
            self.clock_ns += TICK_NS;
            for goal in self.episode.iter_mut().chain(self.goal.iter_mut()) {
                goal.observe(&self.world);
            }
        }
        self.world.check()?;
        self.publish();
        Ok(())
    }

    fn set_goal(&mut self, goal: &Value) -> Result<(), Fault> {
        if goal.is_null() {
            self.goal = None;
            return Ok(());
        }
        let json: GoalJson = serde_json::from_value(goal.clone()).map_err(TabletopError::Goal)?;
        if !json.op.is_policy() {
            return Err(TabletopError::NoExpert {
                op: json.op.as_str(),
            }
            .into());
        }
        let (resolved, point) = resolve_goal(&json, &self.world)?;
        self.goal = Some(ActiveGoal::begin(resolved, point, &self.world)?);
        Ok(())
    }

    fn goal_reached(&mut self) -> Result<bool, Fault> {
        let goals = self.goals();
        if goals.is_empty() {
            return Err(TabletopError::NoGoal.into());
        }
        Ok(goals.iter().all(|goal| goal.reached(&self.world)))
    }

    fn demonstrate(&mut self) -> Result<Vec<Tensor>, Fault> {
        let aspect = self.aspect();
        let rows = object_rows(&self.world, &mut self.renderer, aspect);
        let mut tensors = vec![Tensor::f32(
            "scene.objects",
            &[1, MAX_OBJECTS, OBJECT_ROW],
            &rows,
        )?];
        let Some(goal) = self.goals().first() else {
            return Ok(tensors);
        };
        let demonstration =
            expert::demonstrate(&self.world, goal).ok_or(TabletopError::NoExpert {
                op: goal.goal.op.as_str(),
            })?;
        let action: Vec<f32> = demonstration
            .rows
            .iter()
            .flatten()
            .map(|value| narrow(*value))
            .collect();
        tensors.push(Tensor::f32("action", &[1, HORIZON, 7], &action)?);
        let flag = |set: bool| if set { 1.0 } else { 0.0 };
        let progress = [flag(demonstration.done), flag(demonstration.failing)];
        tensors.push(Tensor::f32("progress", &[1, 2], &progress)?);
        let object = self
            .world
            .object(goal.goal.object)
            .map(|object| object.position);
        let points = [
            ("anchor", Some(goal.anchor)),
            ("object", object),
            ("destination", goal.target_point(&self.world)),
            ("target", acted_point(goal, &self.world)),
        ];
        for (name, point) in points {
            let at = point.unwrap_or([0.0; 3]);
            let uv = point.map_or([0.0; 2], |point| picture_point(point, aspect));
            tensors.push(Tensor::f32(name, &[1, 3], &at.map(narrow))?);
            tensors.push(Tensor::f32(format!("{name}.uv"), &[1, 2], &uv)?);
            tensors.push(Tensor::f32(
                format!("{name}.mask"),
                &[1, 1],
                &[flag(point.is_some())],
            )?);
        }
        Ok(tensors)
    }
}

impl From<TabletopError> for Fault {
    fn from(error: TabletopError) -> Self {
        let text = match std::error::Error::source(&error) {
            Some(source) if !error.to_string().contains(&source.to_string()) => {
                format!("{error}: {source}")
            }
            _ => error.to_string(),
        };
        match error {
            TabletopError::Arm { .. } | TabletopError::Diverged { .. } => Self::failed(text),
            _ => Self::input(text),
        }
    }
}

/// Gives a command (positions, then velocities) to the drives.
fn give(drive: &mut Drive, command: &[f64], time_ns: u64, now_ns: u64) {
    let (values, velocities) = command.split_at(command.len() / 2);
    drive.command_at(values, velocities, time_ns, now_ns);
}

fn object_json(object: &ObjectState) -> ObjectJson {
    ObjectJson {
        kind: object.kind,
        color: object.color,
        position: object.position,
        yaw: object.yaw,
        open: (object.kind == Kind::Drawer).then_some(object.open),
    }
}

/// A goal as `set_goal` takes it.
fn goal_json(goal: &Goal, point: Option<[f64; 3]>, world: &World) -> GoalJson {
    let named = |index: usize| {
        world.object(index).map(|object| ObjectRef {
            kind: object.kind,
            color: object.color,
            position: Some(object.position),
        })
    };
    let region = |region: Region| TargetRef {
        region: Some(region.name().to_owned()),
        ..TargetRef::default()
    };
    let target = match goal.target {
        Target::None => None,
        Target::Object(index) => named(index).map(|object| TargetRef {
            kind: Some(object.kind),
            color: object.color,
            position: object.position,
            ..TargetRef::default()
        }),
        Target::Region(name) => Some(region(name)),
        Target::Table => Some(TargetRef {
            region: Some(vola_types::ON_TABLE.to_owned()),
            ..TargetRef::default()
        }),
        Target::Direction(direction) => Some(TargetRef {
            direction: Some(direction),
            ..TargetRef::default()
        }),
    };
    let relation = goal.relation.filter(|_| goal.op == Op::Place);
    GoalJson {
        op: goal.op,
        relation,
        object: named(goal.object),
        target: target.map(|target| TargetRef { point, ..target }),
    }
}
