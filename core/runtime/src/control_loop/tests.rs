//! Every watchdog and every stop, with injected time.

#![allow(
    clippy::float_cmp,
    reason = "numbers that only pass through stay the same"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use proptest::prelude::*;
use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, CallResult, FaultKind, StopCategory,
    abi_stable::{sabi_trait::TD_Opaque, std_types::RResult},
};
use vola_bundle::Deployment;
use vola_motion::JointState;
use vola_types::{Gripper, GripperLimits, JointDescription, JointKind, PluginId, WorkspaceBox};

use super::*;
use crate::{
    authority::{Authority, Mandate},
    safety_setup::FilterUse,
    tick_clock::TickSchedule,
};

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
    /// Flags of the state.
    flags: u32,
    /// Velocity that the arm keeps whatever it is told.
    runs_on: f64,
    stops: Vec<StopCategory>,
    commands: Vec<[f64; 3]>,
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
        let script = self.script();
        if script.state_fault {
            return fault("the encoder does not answer");
        }
        *frame = script.state;
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
        if script.command_fault {
            return fault("the bus is full");
        }
        if !script.is_silent {
            script.state.capture_time_ns = frame.time_ns;
            if !script.is_frozen {
                script.state.position = frame.position;
                script.state.velocity = frame.velocity;
            }
        }
        RResult::ROk(())
    }

    fn hold(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }

    fn stop(&mut self, category: StopCategory) -> CallResult<()> {
        self.script().stops.push(category);
        RResult::ROk(())
    }

    fn reset(&mut self) -> CallResult<()> {
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
        let rows: Vec<(u64, [f64; 3])> = (1..60)
            .map(|row| {
                let swing = 0.3 * (0.5 * row as f64).sin();
                (
                    self.now_ns + row * 100 * MS,
                    [HOME[0] + swing, HOME[1] - swing, 1.0],
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

#[test]
fn a_robot_that_gives_no_new_state_is_stopped_after_its_deadline() {
    let mut rig = Rig::moving();
    rig.arm.script().is_silent = true;
    // One tick still sees the last state for the first time.
    let ticks = rig.ticks_in(ControlMode::Following, 100);
    assert!((20..=22).contains(&ticks), "{ticks}");
    rig.assert_stopped(StopCause::StateStale, StopCategory::One);
}

#[test]
fn a_state_that_is_stamped_anew_and_never_changes_is_found() {
    let mut rig = Rig::moving();
    rig.arm.script().is_frozen = true;
    let ticks = rig.ticks_in(ControlMode::Following, 300);
    assert!((20..250).contains(&ticks), "{ticks}");
    rig.assert_stopped(StopCause::StateFrozen, StopCategory::One);
}

#[test]
fn faults_of_state_and_command_stop_at_once() {
    for cause in [
        StopCause::StateFault,
        StopCause::StateInvalid,
        StopCause::CommandFault,
    ] {
        let mut rig = Rig::moving();
        {
            let mut script = rig.arm.script();
            script.state_fault = cause == StopCause::StateFault;
            script.state_nan = cause == StopCause::StateInvalid;
            script.command_fault = cause == StopCause::CommandFault;
        }
        rig.tick();
        rig.assert_stopped(cause, StopCategory::One);
    }
    let mut rig = Rig::moving();
    rig.arm.script().state_fault = true;
    rig.tick();
    let told = rig.told();
    assert!(
        told[0].2.ends_with("the encoder does not answer"),
        "{told:?}"
    );
}

#[test]
fn nineteen_missed_ticks_are_bridged_and_twenty_stop_a_moving_arm() {
    for (missed, stops) in [(1, false), (19, false), (20, true), (200, true)] {
        let mut rig = Rig::moving();
        rig.now_ns += missed * MS;
        rig.tick();
        if stops {
            // The miss itself is told as well.
            let told = rig.told.pop().unwrap();
            assert_eq!(told.kind, ControlEventKind::TicksMissed { missed });
            while rig
                .told
                .peek()
                .is_ok_and(|event| matches!(event.kind, ControlEventKind::SuccessRate { .. }))
            {
                drop(rig.told.pop());
            }
            rig.assert_stopped(StopCause::TicksMissed, StopCategory::One);
        } else {
            assert_eq!(rig.mode(), ControlMode::Following, "{missed}");
        }
    }
    let mut resting = Rig::new();
    resting.run(5);
    resting.now_ns += 500 * MS;
    resting.run(5);
    assert_eq!(resting.mode(), ControlMode::Holding);
}

#[test]
fn a_chunk_that_does_not_come_holds_and_the_next_may_follow() {
    let mut rig = Rig::new();
    rig.run(5);
    let due_ns = rig.now_ns + 300 * MS;
    rig.swing(due_ns);
    let ticks = rig.ticks_in(ControlMode::Following, 1000);
    assert_eq!(ticks, 301);
    assert_eq!(rig.mode(), ControlMode::Holding);
    let told = rig.told();
    assert_eq!((told.len(), told[0].1), (1, "inference_deadline"));
    rig.run(300);
    assert!(rig.control.status().at_rest);
    assert!(rig.arm.script().stops.is_empty());
    rig.swing(u64::MAX);
    rig.run(500);
    assert_eq!(rig.mode(), ControlMode::Following);
}

#[test]
fn a_silent_operator_stops_and_a_silent_planner_holds() {
    let mut rig = Rig::moving();
    let operator = rig.heartbeats.expect(HeartbeatKind::Operator, 100 * MS);
    for _ in 0..10 {
        rig.run(80);
        operator.beat();
    }
    assert_eq!(rig.mode(), ControlMode::Following);
    let ticks = rig.ticks_in(ControlMode::Following, 500);
    assert!((100..=103).contains(&ticks), "{ticks}");
    // Otherwise the silence outlasts the reset, which is right as well.
    operator.end();
    rig.assert_stopped(StopCause::OperatorSilent, StopCategory::One);

    let mut rig = Rig::moving();
    let planner = rig.heartbeats.expect(HeartbeatKind::Planner, 100 * MS);
    rig.run(110);
    assert_eq!(rig.mode(), ControlMode::Holding);
    assert_eq!(rig.told()[0].1, "planner_heartbeat");
    planner.end();
}

#[test]
fn who_loses_the_authority_is_held_in_the_same_tick_and_not_heard_any_more() {
    let mut rig = Rig::moving();
    let policy = rig.authority.mandate();
    rig.authority.pass_to(Authority::Nobody);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Holding);
    assert_eq!(rig.told()[0].1, "authority");
    // Nothing that is ordered in the name of before, or of nobody, moves it.
    rig.run(300);
    assert!(rig.control.status().at_rest);
    rig.swing_as(policy, u64::MAX);
    rig.swing(u64::MAX);
    rig.run(50);
    assert!(rig.mode() == ControlMode::Holding && rig.control.status().at_rest);
    // The person's motion begins at rest, and ends with the person's term.
    let person = rig.authority.pass_to(Authority::Operator);
    rig.swing_as(policy, u64::MAX);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.swing_as(person, u64::MAX);
    rig.run(300);
    assert_eq!(rig.mode(), ControlMode::Following);
    let again = rig.authority.pass_to(Authority::Policy);
    rig.swing_as(again, u64::MAX);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Holding, "not spliced onto it");
    rig.swing_as(again, u64::MAX);
    assert_eq!(rig.mode(), ControlMode::Holding, "nor while it brakes");
}

#[test]
fn a_hand_that_lets_go_of_the_arm_holds_it_and_may_take_it_again() {
    let mut rig = Rig::moving();
    let person = rig.authority.pass_to(Authority::Operator);
    rig.run(300);
    rig.told();
    let key = rig.heartbeats.expect(HeartbeatKind::Jog, 100 * MS);
    rig.swing_as(person, u64::MAX);
    for _ in 0..5 {
        rig.run(80);
        key.beat();
    }
    let ticks = rig.ticks_in(ControlMode::Following, 500);
    assert!((100..=103).contains(&ticks), "{ticks}");
    assert_eq!(rig.mode(), ControlMode::Holding);
    assert_eq!(rig.told()[0].1, "jog_heartbeat");
    rig.run(300);
    key.beat();
    rig.swing_as(person, u64::MAX);
    rig.run(50);
    assert_eq!(rig.mode(), ControlMode::Following);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whoever orders whatever in the name of whomever: within one tick of the
    /// authority's end the arm brakes, and it stands until a new term's order.
    #[test]
    fn no_order_moves_an_arm_that_nobody_has(codes in prop::collection::vec(any::<u8>(), 20..60)) {
        let mut rig = Rig::new();
        rig.run(5);
        let mut known = vec![rig.authority.mandate()];
        for code in codes {
            match code % 6 {
                0 | 1 => known.push(rig.authority.pass_to(Authority::Nobody)),
                2 => known.push(rig.authority.pass_to(Authority::Operator)),
                3 => known.push(rig.authority.pass_to(Authority::Policy)),
                _ => {
                    let mandate = known[usize::from(code) % known.len()];
                    rig.swing_as(mandate, u64::MAX);
                }
            }
            rig.tick();
            let who = rig.authority.mandate();
            if who.authority() == Authority::Nobody {
                prop_assert_eq!(rig.mode(), ControlMode::Holding);
                rig.run(300);
                prop_assert!(rig.control.status().at_rest);
            } else if rig.mode() == ControlMode::Following {
                prop_assert_eq!(rig.control.mandate, who);
                rig.run(u64::from(code % 40));
            }
        }
    }
}

#[test]
fn a_stop_pressed_at_the_robot_is_obeyed_at_once_and_not_left_while_it_is_pressed() {
    for (flag, cause, category) in [
        (
            StateFrame::EMERGENCY_STOP,
            StopCause::EmergencyStop,
            StopCategory::Zero,
        ),
        (
            StateFrame::HOLD_RELEASED,
            StopCause::HoldReleased,
            StopCategory::One,
        ),
    ] {
        let mut rig = Rig::moving();
        rig.arm.script().flags = flag;
        let ticks = ticks_to_braking(&mut rig);
        assert!(ticks <= 2, "{ticks}");
        rig.run(500);
        rig.control.order(ControlOrder::Reset);
        assert_eq!(rig.mode(), ControlMode::Stopped(cause));
        assert!(rig.told().last().unwrap().2.contains("hold-to-run"));
        let mut rig = Rig::moving();
        rig.arm.script().flags = flag | StateFrame::WRENCH;
        rig.tick();
        rig.assert_stopped(cause, category);
    }
}

#[test]
fn demanded_stops_have_their_category_and_may_be_raised() {
    for (level, cause, category) in [
        (
            StopLevel::ControlledStop,
            StopCause::Demanded,
            StopCategory::One,
        ),
        (
            StopLevel::CutPower,
            StopCause::PowerCutDemanded,
            StopCategory::Zero,
        ),
    ] {
        let mut rig = Rig::moving();
        rig.stop_switch.demand(level);
        rig.tick();
        rig.assert_stopped(cause, category);
    }
    let mut rig = Rig::moving();
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(10);
    rig.stop_switch.demand(StopLevel::CutPower);
    rig.run(10);
    assert_eq!(
        rig.arm.script().stops,
        [StopCategory::One, StopCategory::Zero]
    );
    let mut rig = Rig::moving();
    rig.stop_switch.throw();
    rig.run(500);
    assert_eq!(rig.mode(), ControlMode::Holding);
    assert!(rig.control.status().at_rest && rig.arm.script().stops.is_empty());
}

#[test]
fn a_stop_is_obeyed_although_somebody_released_the_switch_before_the_tick() {
    let mut rig = Rig::moving();
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.stop_switch.release();
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::Demanded));
    // Obeyed: now it may be released. The same again, or a stronger one, waits for
    // its own tick.
    for level in [StopLevel::ControlledStop, StopLevel::CutPower] {
        rig.stop_switch.demand(level);
        rig.stop_switch.release();
        assert_eq!(rig.stop_switch.level(), level);
        rig.tick();
    }
    rig.stop_switch.release();
    assert_eq!(rig.stop_switch.level(), StopLevel::None);
    // A mere hold is released at once.
    rig.stop_switch.throw();
    rig.stop_switch.release();
    assert_eq!(rig.stop_switch.level(), StopLevel::None);
}

#[test]
fn an_arm_that_moves_on_after_a_stop_loses_its_power() {
    let mut rig = Rig::moving();
    rig.arm.script().runs_on = 0.5;
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(1000);
    assert_eq!(rig.arm.script().stops, [StopCategory::One]);
    rig.run(100);
    assert_eq!(
        rig.arm.script().stops,
        [StopCategory::One, StopCategory::Zero]
    );
    assert_eq!(rig.told().last().unwrap().1, "stop");
}

/// Ticks from now until the commands are slower than those of a twin to whom
/// nothing happens, in the fastest joint, and stay so.
fn ticks_to_braking(rig: &mut Rig) -> usize {
    let mut twin = Rig::moving();
    let fastest = |rig: &Rig| {
        let speed = |joint: &usize| rig.control.command_frame().velocity[*joint].abs();
        (0..2).max_by(|a, b| speed(a).total_cmp(&speed(b))).unwrap()
    };
    let joint = fastest(&twin);
    let slower: Vec<bool> = (0..20)
        .map(|_| {
            rig.tick();
            twin.tick();
            let of = |rig: &Rig| rig.control.command_frame().velocity[joint].abs();
            of(rig) < of(&twin)
        })
        .collect();
    slower
        .iter()
        .rposition(|slower| !slower)
        .map_or(1, |last| last + 2)
}

#[test]
fn a_lost_plugin_brakes_the_arm_within_two_ticks_and_the_next_path_may_follow() {
    let mut rig = Rig::moving();
    rig.stop_switch.lose_plugin();
    let ticks = ticks_to_braking(&mut rig);
    assert!(ticks <= 2, "{ticks}");
    assert_eq!(rig.mode(), ControlMode::Holding);
    let told = rig.told();
    assert_eq!((told.len(), told[0].1), (1, "plugin"));
    assert!(told[0].2.contains("hold (category 2)"), "{}", told[0].2);
    rig.run(500);
    assert!(rig.control.status().stands && rig.arm.script().stops.is_empty());
    // As long as nobody has seen to it, nothing follows.
    rig.swing(u64::MAX);
    rig.run(50);
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.stop_switch.forget_lost_plugin();
    rig.swing(u64::MAX);
    rig.run(50);
    assert_eq!(rig.mode(), ControlMode::Following);
}

#[test]
fn a_robot_whose_process_is_gone_is_braked_within_two_ticks() {
    let mut rig = Rig::moving();
    {
        let mut script = rig.arm.script();
        (script.state_fault, script.command_fault) = (true, true);
    }
    let ticks = ticks_to_braking(&mut rig);
    assert!(ticks <= 2, "{ticks}");
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::StateFault));
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

#[test]
fn a_reset_while_braking_is_refused_and_the_arm_brakes_on() {
    for kind in [StopLevel::ControlledStop, StopLevel::CutPower] {
        let mut rig = Rig::moving();
        let begin = rig.arm.script().commands.len();
        rig.stop_switch.demand(kind);
        rig.run(3);
        let stopped = rig.mode();
        let mut refused = 0;
        // Asked in every tick: only the first that finds the arm at rest leaves.
        for _ in 0..600 {
            rig.control.order(ControlOrder::Reset);
            if rig.mode() != stopped {
                break;
            }
            assert!(!rig.control.status().stands);
            refused += 1;
            rig.tick();
        }
        assert_eq!(rig.mode(), ControlMode::Holding);
        assert!(refused > 20, "{refused}");
        let told = rig.told();
        assert!(told.iter().any(|told| told.2.contains("still moves")));
        rig.stop_switch.release();
        rig.swing(u64::MAX);
        rig.run(300);
        assert_eq!(rig.mode(), ControlMode::Following);
        let commands = rig.arm.script().commands[begin..].to_vec();
        let (velocity, acceleration) = steepest(&commands);
        assert!(velocity <= VELOCITY * (1.0 + 1e-6), "{velocity}");
        assert!(
            acceleration <= ACCELERATION * (1.0 + 1e-6),
            "{acceleration}"
        );
    }
}

#[test]
fn a_reset_while_braking_for_a_hold_is_refused_too() {
    let mut rig = Rig::moving();
    // Away from the turning point of its swing.
    rig.run(250);
    rig.control.order(ControlOrder::Hold);
    rig.run(3);
    rig.control.order(ControlOrder::Reset);
    let last = rig.arm.script().commands.last().copied().unwrap();
    rig.tick();
    // It brakes on instead of standing at once.
    let next = rig.arm.script().commands.last().copied().unwrap();
    assert!(((next[0] - last[0]) * 1e3).abs() > 0.05, "{next:?}");
}

#[test]
fn a_reset_is_refused_while_the_arm_is_measured_to_move() {
    let mut rig = Rig::moving();
    rig.arm.script().runs_on = 0.5;
    rig.stop_switch.demand(StopLevel::ControlledStop);
    rig.run(500);
    assert!(rig.control.status().at_rest && !rig.control.status().stands);
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::Demanded));
    rig.arm.script().runs_on = 0.0;
    rig.control.order(ControlOrder::Reset);
    assert_eq!(rig.mode(), ControlMode::Holding);
}

#[test]
fn a_world_that_is_rebuilt_is_not_silent() {
    let mut rig = Rig::moving();
    rig.control.order(ControlOrder::NewWorld);
    rig.arm.script().is_silent = true;
    rig.run(3000);
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.arm.script().is_silent = false;
    rig.control.order(ControlOrder::Reset);
    rig.run(100);
    assert_eq!(rig.mode(), ControlMode::Holding);
    // From then on it is watched again.
    rig.arm.script().is_silent = true;
    rig.run(100);
    assert_eq!(rig.mode(), ControlMode::Stopped(StopCause::StateStale));
}

#[test]
fn policies_see_the_state_at_100_hz() {
    let mut rig = Rig::moving();
    let mut changes = 0;
    let mut last = rig.control.status().proprioception_ns;
    for _ in 0..1000 {
        rig.tick();
        let status = rig.control.status();
        assert!(rig.now_ns - status.proprioception_ns < PROPRIOCEPTION_NS);
        if status.proprioception_ns != last {
            assert_eq!(status.proprioception_ns % PROPRIOCEPTION_NS, 0);
            assert_eq!(status.proprioception.position, status.state.position);
            (changes, last) = (changes + 1, status.proprioception_ns);
        }
    }
    assert_eq!(changes, 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However late the thread wakes up, one wake-up sends one command, and no
    /// command is further from the last than the limits allow for one tick.
    #[test]
    fn lateness_never_becomes_a_jump_or_a_burst(
        lateness in prop::collection::vec(
            prop_oneof![20 => 0..MS, 2 => MS..10 * MS, 1 => 10 * MS..200 * MS], 300..1200),
    ) {
        let mut rig = Rig::with("[control]\nmissed_ticks = 1000");
        rig.run(2);
        rig.swing(u64::MAX);
        let mut schedule = TickSchedule::new(rig.now_ns, MS);
        let before = rig.arm.script().commands.len();
        let wake_ups = lateness.len();
        for late in lateness {
            let now_ns = schedule.due_ns() + late;
            schedule.begin(now_ns);
            rig.control.tick(now_ns / MS * MS);
            prop_assert!(!matches!(rig.mode(), ControlMode::Stopped(_)), "{:?}", rig.mode());
        }
        let commands = rig.arm.script().commands.clone();
        prop_assert_eq!(commands.len() - before, wake_ups);
        let period = 1e-3;
        let slack = 1.0 + 1e-6;
        for joint in 0..2 {
            let q = |tick: usize| commands[tick][joint];
            for tick in 3..commands.len() {
                let v = |tick: usize| (q(tick) - q(tick - 1)) / period;
                let a = |tick: usize| (v(tick) - v(tick - 1)) / period;
                let j = (a(tick) - a(tick - 1)) / period;
                prop_assert!(v(tick).abs() <= VELOCITY * slack);
                prop_assert!(a(tick).abs() <= ACCELERATION * slack);
                prop_assert!(j.abs() <= JERK * slack + 1e-3, "{}", j);
            }
        }
    }
}
