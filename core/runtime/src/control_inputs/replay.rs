//! The same loop over recorded inputs, with its own settings or with others.

use std::{
    collections::VecDeque,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, CallResult, CommandFrame, FaultAbi, FaultKind, StateFrame,
    StopCategory,
    abi_stable::{
        sabi_trait::TD_Opaque,
        std_types::{RResult, RString},
    },
};
use vola_bundle::{Deployment, RawDeployment, RawRobot};
use vola_types::PluginId;

use super::{
    OrderRecord, ReadState, RecordedSetup,
    encoding::{Entry, FORMAT, Memory},
    motions::{Motion, Motions},
};
use crate::{
    CommandDigest, RuntimeError, StopSwitch,
    arm_model::ArmModel,
    authority::AuthorityWord,
    control_loop::{ControlLoop, ControlOrder, ControlSetup},
    control_status::ControlMode,
    heartbeat::Heartbeats,
    limits::{checked_limits, tool_limits},
    robot::ActuatorPort,
    safety_setup::SafetySetup,
};

/// Longest head of a file (bytes): a description with its URDF is far below.
const LONGEST_HEAD: u64 = 16 << 20;

/// What a replay is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplayWish<'a> {
    /// It ends after so many commands.
    pub most: Option<u64>,
    /// The settings of this deployment instead of those recorded: what they would
    /// have changed.
    pub deployment: Option<&'a Deployment>,
}

/// What a replay showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ControlReplay {
    /// The robot.
    pub embodiment: String,
    /// Version that recorded.
    pub vola: String,
    /// Commands that the loop made.
    pub commands: u64,
    /// Where the runtime's clock stood at the first of them (s).
    pub begins_s: f64,
    /// Time from the first to the last of them (s).
    pub seconds: f64,
    /// When they moved the arm.
    pub motions: Vec<Motion>,
    /// Their hash (BLAKE3, hexadecimal).
    pub blake3: String,
    /// Settings that are not those of the recording, with both values.
    pub changed: Vec<String>,
    /// What the recording says of its own commands: number and hash. None for
    /// one that has no end, because its process was killed or inputs were lost.
    pub recorded: Option<(u64, String)>,
    /// Whether both are the same; none where there is nothing to compare.
    pub same: Option<bool>,
    /// Why the arm is stopped at the end, if it is.
    pub stopped: Option<&'static str>,
}

/// Gives recorded inputs to a control loop with its safety filter, and hashes
/// what it commands. Nothing moves: there is no robot.
///
/// # Errors
/// When the file cannot be read, is no recording, or the loop asks for other
/// inputs than it did then: another version decides differently. With the settings
/// of a deployment that is no error: the commands then are not the same.
pub fn replay_control(path: &Path, wish: ReplayWish<'_>) -> Result<ControlReplay, RuntimeError> {
    let source = |source| RuntimeError::Io {
        path: path.to_owned(),
        source,
    };
    let wrong = |reason: String| RuntimeError::Recording {
        path: path.to_owned(),
        reason,
    };
    let mut file = BufReader::new(File::open(path).map_err(source)?);
    let mut setup = head(&mut file).map_err(wrong)?;
    let changed = match wish.deployment {
        Some(deployment) => setup.take_over(deployment),
        None => Vec::new(),
    };
    let mut memory = Memory::default();
    let Ok(Some(Entry::State(Some(first)))) = memory.read(&mut file) else {
        return Err(wrong("it does not begin with a state".to_owned()));
    };
    let feed = Feed::default();
    feed.lock().states.push_back(Some(first));
    let authority = AuthorityWord::default();
    let control = control_loop(&setup, &feed, (path, authority.clone()))?;
    let mut rerun = Rerun {
        control,
        feed,
        authority,
        digest: CommandDigest::default(),
        motions: Motions::default(),
        commands: 0,
        recorded: None,
    };
    let most = wish.most.unwrap_or(u64::MAX);
    let mut is_astray = false;
    while rerun.commands < most && rerun.recorded.is_none() && !is_astray {
        let Some(entry) = memory.read(&mut file).map_err(wrong)? else {
            break;
        };
        is_astray = rerun.take(entry);
    }
    if is_astray && changed.is_empty() {
        return Err(wrong(format!(
            "after {} commands the loop reads the robot more or less often than it did then: another version recorded it",
            rerun.commands
        )));
    }
    let (commands, blake3) = rerun.digest.read();
    let same = match &rerun.recorded {
        Some((frames, hash)) => Some((*frames, hash) == (commands, &blake3)),
        None => is_astray.then_some(false),
    };
    Ok(ControlReplay {
        embodiment: setup.embodiment,
        vola: setup.vola,
        commands,
        begins_s: rerun.motions.begins_s(),
        seconds: rerun.motions.seconds(),
        motions: rerun.motions.list,
        blake3,
        changed,
        recorded: rerun.recorded,
        same,
        stopped: match rerun.control.status().mode {
            ControlMode::Stopped(cause) => Some(cause.as_str()),
            _ => None,
        },
    })
}

/// A loop that runs again, and what it did so far.
struct Rerun {
    control: ControlLoop,
    feed: Feed,
    authority: AuthorityWord,
    digest: CommandDigest,
    motions: Motions,
    commands: u64,
    /// What the recording says at its end.
    recorded: Option<(u64, String)>,
}

impl Rerun {
    /// Gives the loop what it took in then. Whether it now read the robot more or
    /// less often.
    fn take(&mut self, entry: Entry) -> bool {
        let is_state = matches!(entry, Entry::State(_));
        match entry {
            Entry::State(state) => self.feed.lock().states.push_back(state),
            Entry::Follow { path, fresh_by_ns } => self.control.order(ControlOrder::Follow {
                path: *path,
                fresh_by_ns,
                // Orders that were refused then are not in the recording.
                mandate: self.authority.mandate(),
            }),
            Entry::Order(order) => give(order, &mut self.control, &self.feed),
            Entry::Tick {
                now_ns,
                signals,
                is_taken,
            } => {
                self.feed.lock().takes_command = is_taken;
                self.control.tick_with(now_ns, Some(signals));
                self.digest.add(self.control.command_frame());
                self.motions.add(now_ns, self.control.command_frame());
                self.commands += 1;
            }
            Entry::End { frames, blake3 } => {
                let hash = blake3::Hash::from(blake3).to_hex().to_string();
                self.recorded = Some((frames, hash));
            }
        }
        self.feed.lock().is_astray(is_state)
    }
}

fn give(order: OrderRecord, control: &mut ControlLoop, feed: &Feed) {
    match order {
        OrderRecord::Hold => control.order(ControlOrder::Hold),
        OrderRecord::Stop(cause) => control.order(ControlOrder::Stop(cause)),
        OrderRecord::NewWorld => control.order(ControlOrder::NewWorld),
        OrderRecord::Reset { is_taken } => {
            feed.lock().takes_reset = is_taken;
            control.order(ControlOrder::Reset);
        }
        // Read with its path, as an entry of its own.
        OrderRecord::Follow { .. } => {}
    }
}

/// What the loop was built from.
fn head(file: &mut impl BufRead) -> Result<RecordedSetup, String> {
    let line = |file: &mut dyn BufRead| {
        let mut line = String::new();
        let read = file.take(LONGEST_HEAD).read_line(&mut line);
        read.map_err(|error| error.to_string())?;
        Ok::<String, String>(line)
    };
    let first = line(file)?;
    if first.trim_end() != FORMAT {
        let got: String = first.trim_end().chars().take(40).collect();
        return Err(format!("its first line: expected `{FORMAT}`, got `{got}`"));
    }
    serde_json::from_str(&line(file)?).map_err(|error| format!("its head: {error}"))
}

fn control_loop(
    setup: &RecordedSetup,
    feed: &Feed,
    (path, authority): (&Path, AuthorityWord),
) -> Result<ControlLoop, RuntimeError> {
    let wrong = |reason: String| RuntimeError::Recording {
        path: path.to_owned(),
        reason,
    };
    let id = PluginId::parse(&setup.embodiment).map_err(|error| wrong(error.to_string()))?;
    let raw = RawDeployment {
        robot: Some(RawRobot {
            plugin: setup.embodiment.clone(),
            ..RawRobot::default()
        }),
        safety: setup.safety.clone(),
        control: setup.control.clone(),
        ..RawDeployment::default()
    };
    let deployment = Deployment::from_raw(&raw, path)?;
    let description = &setup.description;
    description
        .check()
        .map_err(|faults| RuntimeError::Description {
            id: id.clone(),
            faults,
        })?;
    let actuator = ActuatorAbi_TO::from_value(feed.clone(), TD_Opaque);
    let (control, _told) = ControlLoop::new(ControlSetup {
        actuator: ActuatorPort::new(format!("recording {}", path.display()), actuator),
        model: Arc::new(ArmModel::new(&id, description)?),
        description,
        limits: checked_limits(&deployment, description)?,
        tool_limits: tool_limits(&deployment, description),
        safety: SafetySetup::new(&deployment, description, setup.filter),
        stop_switch: StopSwitch::default(),
        authority,
        heartbeats: Heartbeats::default(),
        cameras: crate::camera_pulse::CameraPulses::default(),
        deadlines: deployment.safety().deadlines(),
        settings: *deployment.control(),
    })?;
    Ok(control)
}

/// The robot of a recording: gives what was read then.
#[derive(Clone, Debug, Default)]
struct Feed(Arc<Mutex<Recorded>>);

/// See [`Feed`].
#[derive(Debug, Default)]
struct Recorded {
    states: VecDeque<Option<ReadState>>,
    takes_command: bool,
    takes_reset: bool,
    /// The loop asked for a state that is not there.
    is_missed: bool,
}

impl Recorded {
    /// Whether the loop read another number of states than was recorded for what
    /// it just did; `may_wait`: it did nothing yet.
    fn is_astray(&self, may_wait: bool) -> bool {
        self.is_missed || !(may_wait || self.states.is_empty())
    }
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(is_well: bool) -> CallResult<()> {
    if is_well {
        return RResult::ROk(());
    }
    RResult::RErr(FaultAbi {
        kind: FaultKind::Failed,
        message: RString::new(),
    })
}

impl ActuatorAbi for Feed {
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
        let mut feed = self.lock();
        let next = feed.states.pop_front();
        feed.is_missed |= next.is_none();
        match next.flatten() {
            Some(state) => {
                state.put(frame);
                RResult::ROk(())
            }
            None => answer(false),
        }
    }

    fn command(&mut self, _: &CommandFrame) -> CallResult<()> {
        answer(self.lock().takes_command)
    }

    fn hold(&mut self) -> CallResult<()> {
        answer(true)
    }

    fn stop(&mut self, _: StopCategory) -> CallResult<()> {
        answer(true)
    }

    fn reset(&mut self) -> CallResult<()> {
        answer(self.lock().takes_reset)
    }
}
