//! A stage whose plugin runs in a child: the same trait, the same results.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use vola_abi::{
    CallContext, CallResult, FaultAbi, FaultKind, HostServicesAbi, LogFn, StageAbi, StageAbi_TO,
    StageBox, TensorAbi, TensorRefAbi,
    abi_stable::{
        sabi_trait::TD_Opaque,
        std_types::{ROption, RResult, RSlice, RStr, RString, RVec},
    },
};

use super::{
    child::{Child, Trouble},
    spec::{HostSpec, IsolationError},
    tensors::{number_of, read_tensors},
};
use crate::{
    PoolBuffer,
    pool::Area,
    wire::{Ask, Reader, TensorHead, Writer},
};

/// Times that a child is replaced.
const MAX_REPLACEMENTS: usize = 3;
/// Least time from the end of a child to the start of its replacement.
const BACK_OFF: [Duration; MAX_REPLACEMENTS] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_millis(1000),
];

/// A stage in a child.
///
/// When its child crashes, hangs past its deadline or answers nonsense, the
/// call is a fault, so that the primitive ends and the arm holds. The next call
/// finds a new child, configured, activated and reset as the old one was. What
/// the plugin had remembered since the last `reset` is lost, as is what `adapt`
/// taught it and no `restore` gave back. After three replacements every call is
/// a fault.
pub struct IsolatedStage {
    spec: HostSpec,
    plugin: String,
    child: Option<Child>,
    /// The last child, ended: it is waited for when there is time.
    dying: Option<Child>,
    /// Why there is no child, or a dead one that nobody was told of.
    ended: Option<Ended>,
    replacements: usize,
    settings: Option<String>,
    services: Option<(LogFn, String)>,
    seed: Option<u64>,
    restored: Option<Vec<u8>>,
    /// Calls since the last `reset` that no living child has seen.
    missed_steps: u64,
    next_step: u64,
    staging: Option<PoolBuffer>,
    /// The memory that the living child can read.
    areas: Vec<Arc<Area>>,
    health: Arc<ChildHealth>,
}

/// What became of an isolated plugin's children; read by whoever calls it.
#[derive(Debug, Default)]
pub struct ChildHealth {
    losses: AtomicU32,
    is_given_up: AtomicBool,
}

impl ChildHealth {
    /// Children that crashed, hung or answered nonsense.
    #[must_use]
    pub fn losses(&self) -> u32 {
        self.losses.load(Ordering::Acquire)
    }

    /// Whether no further child is started.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Acquire)
    }
}

struct Ended {
    reason: String,
    at: Instant,
    is_told: bool,
}

impl IsolatedStage {
    /// Starts a child and makes the stage `plugin` in it.
    ///
    /// # Errors
    /// When no child can be started, or the library holds no such stage.
    pub fn start(spec: &HostSpec, plugin: &str) -> Result<Self, IsolationError> {
        let mut stage = Self {
            spec: spec.clone(),
            plugin: plugin.to_owned(),
            child: None,
            dying: None,
            ended: None,
            replacements: 0,
            settings: None,
            services: None,
            seed: None,
            restored: None,
            missed_steps: 0,
            next_step: 0,
            staging: None,
            areas: Vec::new(),
            health: Arc::default(),
        };
        stage.begin()?;
        Ok(stage)
    }

    /// As a stage that crosses the boundary.
    #[must_use]
    pub fn into_box(self) -> StageBox {
        StageAbi_TO::from_value(self, TD_Opaque)
    }

    /// How far the child is confined, in words.
    #[must_use]
    pub fn level(&self) -> &str {
        self.child.as_ref().map_or("", Child::level)
    }

    /// What becomes of its children.
    #[must_use]
    pub fn health(&self) -> Arc<ChildHealth> {
        Arc::clone(&self.health)
    }

    fn begin(&mut self) -> Result<(), IsolationError> {
        let areas = self.spec.pool.areas();
        let mut child = Child::start(&self.spec, &self.plugin, &areas)?;
        self.areas = areas;
        tracing::debug!(
            plugin = self.plugin,
            level = child.level(),
            "started a process"
        );
        let create = Writer::new(Ask::CreateStage as u8).text(&self.plugin);
        if let Some((log, _)) = &self.services {
            child.log_to(*log);
        }
        child
            .ask(create, Instant::now() + self.spec.limits.start)
            .map_err(|trouble| IsolationError::Child {
                path: self.spec.library.clone(),
                entry: Ask::CreateStage.name(),
                reason: trouble.to_string(),
            })?;
        self.child = Some(child);
        Ok(())
    }

    /// One question to the living child, or a fault.
    fn ask(&mut self, ask: Ask, record: Writer, patience: Duration) -> Result<Vec<u8>, FaultAbi> {
        self.revive(ask)?;
        self.ask_living(ask, record, patience)
    }

    fn ask_living(
        &mut self,
        ask: Ask,
        record: Writer,
        patience: Duration,
    ) -> Result<Vec<u8>, FaultAbi> {
        let Some(child) = self.child.as_mut() else {
            return Err(self.gone(ask, "it was never started"));
        };
        match child.ask(record, Instant::now() + patience) {
            Ok(payload) => Ok(payload),
            Err(Trouble::Fault(fault)) if fault.kind == FaultKind::Panic => {
                // An instance that panicked is not called again; a new one may be.
                child.kill();
                let reason = fault.message.to_string();
                self.bury(reason.clone(), true);
                Err(FaultAbi::new(FaultKind::Panic, reason))
            }
            Err(Trouble::Fault(fault)) => Err(fault),
            Err(trouble) => {
                let reason = trouble.to_string();
                self.bury(reason.clone(), true);
                Err(self.gone(ask, &reason))
            }
        }
    }

    fn bury(&mut self, reason: String, is_told: bool) {
        self.dying = self.child.take();
        self.health.losses.fetch_add(1, Ordering::AcqRel);
        let is_last = self.replacements >= MAX_REPLACEMENTS;
        self.health.is_given_up.store(is_last, Ordering::Release);
        self.ended = Some(Ended {
            reason,
            at: Instant::now(),
            is_told,
        });
    }

    fn gone(&self, ask: Ask, reason: &str) -> FaultAbi {
        let left = MAX_REPLACEMENTS.saturating_sub(self.replacements);
        let next = if left == 0 {
            format!(
                "it was replaced {MAX_REPLACEMENTS} times and is not started again; mend the plugin, then start anew"
            )
        } else {
            format!("it is replaced at the next call ({left} left)")
        };
        FaultAbi::new(
            FaultKind::Failed,
            format!(
                "the process of plugin `{}` ({}) failed in `{}`: {reason}; {next}",
                self.plugin,
                self.spec.library.display(),
                ask.name(),
            ),
        )
    }

    /// Sees to it that a child lives. A death that nobody was told of is a
    /// fault first: the robot must not go on as if nothing had been lost.
    fn revive(&mut self, ask: Ask) -> Result<(), FaultAbi> {
        if let Some(how) = self.child.as_ref().and_then(Child::end) {
            // `reset` begins anew in any case.
            self.bury(format!("it ended: {how}"), ask == Ask::Reset);
        }
        let Some(ended) = self.ended.as_mut() else {
            return Ok(());
        };
        self.dying = None;
        let (at, reason) = (ended.at, ended.reason.clone());
        if !ended.is_told {
            ended.is_told = true;
            return Err(self.gone(ask, &reason));
        }
        let Some(pause) = BACK_OFF.get(self.replacements) else {
            return Err(self.gone(ask, &reason));
        };
        std::thread::sleep((at + *pause).saturating_duration_since(Instant::now()));
        self.replacements += 1;
        tracing::warn!(
            plugin = self.plugin,
            "replacing its process ({} of {MAX_REPLACEMENTS}): {reason}",
            self.replacements
        );
        self.ended = None;
        if let Err(error) = self.begin() {
            let reason = error.to_string();
            self.bury(reason.clone(), true);
            return Err(self.gone(ask, &reason));
        }
        self.replay(ask)
    }

    /// Brings a new child to where the old one was.
    fn replay(&mut self, ask: Ask) -> Result<(), FaultAbi> {
        let patience = self.spec.limits.start;
        if ask == Ask::Configure {
            return Ok(());
        }
        if let Some(settings) = &self.settings {
            let record = Writer::new(Ask::Configure as u8).text(settings);
            self.ask_living(Ask::Configure, record, patience)?;
        }
        if ask == Ask::Activate {
            return Ok(());
        }
        if let Some((_, data)) = &self.services {
            let record = Writer::new(Ask::Activate as u8).text(data);
            self.ask_living(Ask::Activate, record, patience)?;
        }
        if let Some(snapshot) = self.restored.take() {
            let restored = self.send_restore(&snapshot);
            self.restored = Some(snapshot);
            restored?;
        }
        if let Some(seed) = self.seed {
            let record = Writer::new(Ask::Reset as u8).u64(seed);
            self.ask_living(Ask::Reset, record, self.spec.limits.call)?;
        }
        self.missed_steps = self.next_step;
        Ok(())
    }

    /// Where the inputs lie in the pool; those that lie elsewhere are copied
    /// into it first.
    fn place(&mut self, inputs: &[TensorRefAbi<'_>]) -> Result<Vec<TensorHead>, FaultAbi> {
        let areas = &self.areas;
        let outside =
            |tensor: &&TensorRefAbi<'_>| number_of(areas, tensor.bytes.as_slice()).is_none();
        let room = |tensor: &TensorRefAbi<'_>| tensor.bytes.len().next_multiple_of(64);
        let needed: usize = inputs.iter().filter(outside).map(room).sum();
        if self.staging.as_ref().map_or(0, |staging| staging.len()) < needed {
            self.staging = None;
            let staging = self.spec.pool.buffer(needed).map_err(|error| {
                let what = format!("the shared pool has no room for {needed} bytes: {error}");
                FaultAbi::new(FaultKind::Failed, what)
            })?;
            self.staging = Some(staging);
        }
        let mut used = 0;
        inputs
            .iter()
            .map(|tensor| {
                if tensor.resident.is_some() {
                    return Err(resident(tensor.name.as_str()));
                }
                let bytes = tensor.bytes.as_slice();
                let offset = match (number_of(areas, bytes), &mut self.staging) {
                    (Some(offset), _) => offset,
                    (None, Some(staging)) => {
                        let begin = used;
                        used += room(tensor);
                        if let Some(target) = staging.get_mut(begin..begin + bytes.len()) {
                            target.copy_from_slice(bytes);
                        }
                        staging.offset() + begin
                    }
                    (None, None) => 0,
                };
                Ok(TensorHead {
                    name: tensor.name.to_string(),
                    dtype: tensor.dtype,
                    shape: tensor.shape.to_vec(),
                    offset,
                    length: bytes.len(),
                })
            })
            .collect()
    }

    fn run(
        &mut self,
        ask: Ask,
        context: &CallContext,
        inputs: &[TensorRefAbi<'_>],
        patience: Duration,
    ) -> Result<Vec<u8>, FaultAbi> {
        self.revive(ask)?;
        let heads = self.place(inputs)?;
        // Steps of learning are not calls: a new child has learned nothing.
        let missed = if ask == Ask::Call {
            self.missed_steps
        } else {
            0
        };
        let record = Writer::new(ask as u8)
            .u64(context.seed)
            .u64(context.step.saturating_sub(missed))
            .u64(context.deadline_ns)
            .tensors(&heads);
        self.ask_living(ask, record, patience)
    }

    fn outputs(&mut self, payload: &[u8]) -> Result<RVec<TensorAbi>, FaultAbi> {
        let nonsense = |stage: &mut Self| {
            let reason = "its answer is not understood".to_owned();
            if let Some(child) = &stage.child {
                child.kill();
            }
            stage.bury(reason.clone(), true);
            stage.gone(Ask::Call, &reason)
        };
        let output = self.child.as_ref().map(Child::output);
        match output.and_then(|output| read_tensors(payload, &output)) {
            Some(tensors) => Ok(tensors),
            None => Err(nonsense(self)),
        }
    }

    fn send_restore(&mut self, snapshot: &[u8]) -> Result<(), FaultAbi> {
        let tensor = TensorRefAbi {
            name: RStr::from("snapshot"),
            dtype: 0,
            shape: RSlice::EMPTY,
            bytes: RSlice::from_slice(snapshot),
            resident: ROption::RNone,
        };
        let heads = self.place(std::slice::from_ref(&tensor))?;
        let record = Writer::new(Ask::Restore as u8).tensors(&heads);
        self.ask_living(Ask::Restore, record, self.spec.limits.start)
            .map(drop)
    }
}

impl StageAbi for IsolatedStage {
    fn configure(&mut self, settings: RStr<'_>) -> CallResult<()> {
        let record = Writer::new(Ask::Configure as u8).text(settings.as_str());
        let result = self.ask(Ask::Configure, record, self.spec.limits.start);
        if result.is_ok() {
            self.settings = Some(settings.as_str().to_owned());
        }
        to_abi(result.map(drop))
    }

    fn activate(&mut self, host: HostServicesAbi) -> CallResult<()> {
        let (log, data) = (host.log, host.data.into_string());
        let record = Writer::new(Ask::Activate as u8).text(&data);
        let result = self.revive(Ask::Activate).and_then(|()| {
            self.child.iter().for_each(|child| child.log_to(log));
            self.ask_living(Ask::Activate, record, self.spec.limits.start)
        });
        self.services = Some((log, data));
        to_abi(result.map(drop))
    }

    fn reset(&mut self, seed: u64) -> CallResult<()> {
        self.seed = Some(seed);
        let record = Writer::new(Ask::Reset as u8).u64(seed);
        let result = self.ask(Ask::Reset, record, self.spec.limits.call);
        (self.missed_steps, self.next_step) = (0, 0);
        to_abi(result.map(drop))
    }

    fn call<'a>(
        &mut self,
        context: &CallContext,
        inputs: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RVec<TensorAbi>> {
        self.next_step = context.step;
        let patience = self.spec.limits.call;
        let result = self.run(Ask::Call, context, inputs.as_slice(), patience);
        to_abi(result.and_then(|payload| self.outputs(&payload)))
    }

    fn deactivate(&mut self) -> CallResult<()> {
        // A child that is gone has nothing left to free.
        if self
            .child
            .as_ref()
            .is_none_or(|child| child.end().is_some())
        {
            return RResult::ROk(());
        }
        let record = Writer::new(Ask::Deactivate as u8);
        let result = self.ask_living(Ask::Deactivate, record, self.spec.limits.start);
        to_abi(result.map(drop))
    }

    fn adapt<'a>(
        &mut self,
        context: &CallContext,
        examples: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RString> {
        // Learning is no step of a motion: it may take as long as loading.
        let patience = self.spec.limits.start;
        let result = self.run(Ask::Adapt, context, examples.as_slice(), patience);
        to_abi(result.and_then(|payload| {
            let text = Reader::new(&payload).text().map(RString::from);
            text.map_err(|malformed| FaultAbi::new(FaultKind::Failed, malformed.to_string()))
        }))
    }

    fn snapshot(&mut self) -> CallResult<RVec<u8>> {
        let record = Writer::new(Ask::Snapshot as u8);
        let result = self.ask(Ask::Snapshot, record, self.spec.limits.start);
        to_abi(result.and_then(|payload| {
            let mut outputs = self.outputs(&payload)?;
            Ok(outputs.pop().map(|tensor| tensor.bytes).unwrap_or_default())
        }))
    }

    fn restore(&mut self, snapshot: RSlice<'_, u8>) -> CallResult<()> {
        let result = self
            .revive(Ask::Restore)
            .and_then(|()| self.send_restore(snapshot.as_slice()));
        if result.is_ok() {
            self.restored = Some(snapshot.to_vec());
        }
        to_abi(result)
    }
}

fn resident(name: &str) -> FaultAbi {
    FaultAbi::new(
        FaultKind::Input,
        format!(
            "tensor `{name}`: a resident tensor cannot enter or leave a plugin's process\nhelp: run the stages that share it in the runtime's process"
        ),
    )
}

fn to_abi<T>(result: Result<T, FaultAbi>) -> CallResult<T> {
    match result {
        Ok(value) => RResult::ROk(value),
        Err(fault) => RResult::RErr(fault),
    }
}
