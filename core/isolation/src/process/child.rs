//! One child process: its start, its calls, its end.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt as _,
    },
    process::{self, Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use vola_abi::{FaultAbi, FaultKind, LogFn};

use super::{
    exit_words::exit_words,
    spec::{HostSpec, IsolationError},
};
use crate::{
    PictureRoom,
    channel::{Channel, ChannelError},
    hosted::{HOST_ARGUMENT, MAX_CAMERAS},
    log_lines::{LogInlet, log_pair},
    pool::Area,
    sys::{Access, Mapping, Memfd, Pidfd, Wanted, pass, wait_for},
    wire::{Ask, Malformed, Reader, Writer, answer},
};

/// Room for what one call of a stage returns (bytes); pages come with use.
const STAGE_OUTPUT_BYTES: usize = 256 << 20;
/// The same of a robot, whose pictures lie elsewhere.
const ROBOT_OUTPUT_BYTES: usize = 64 << 20;
/// How long a child may take to leave by itself.
const LEAVE: Duration = Duration::from_millis(200);
/// Variables that a child keeps: what libraries need to be found and to run as
/// in the parent. Secrets stay out.
const KEPT_VARIABLES: [&str; 12] = [
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "LD_LIBRARY_PATH",
    "RUST_BACKTRACE",
    "RAYON_NUM_THREADS",
    "CANDLE_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MALLOC_ARENA_MAX",
    "CUDA_VISIBLE_DEVICES",
    "ORT_DYLIB_PATH",
];

/// A child that ended although nobody had asked it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildEnd {
    /// The library, and the plugin in it.
    pub who: String,
    /// How it ended, in words.
    pub how: String,
    /// When it was noticed.
    pub at: Instant,
}

/// Why a call into a child gave no payload.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The plugin's own fault; the child lives.
    #[error("{0}")]
    Fault(FaultAbi),
    /// The child is gone.
    #[error("it ended: {0}")]
    Ended(String),
    /// The child did not answer in time; it is killed.
    #[error("no answer within {0:?}, it was ended")]
    Hung(Duration),
    /// The child speaks nonsense; it is killed.
    #[error("its answer is not understood, it was ended")]
    Nonsense,
}

impl Trouble {
    /// The plugin's own fault, or one that `describe` makes of the reason.
    pub(super) fn into_fault(self, describe: impl FnOnce(&str) -> FaultAbi) -> FaultAbi {
        match self {
            Self::Fault(fault) => fault,
            other => describe(&other.to_string()),
        }
    }
}

/// What a child hosts, and the descriptors that it gets for that.
enum Guest<'a> {
    Stage(&'a [Arc<Area>]),
    Robot(&'a [BorrowedFd<'a>]),
}

impl Guest<'_> {
    fn output_bytes(&self) -> usize {
        match self {
            Self::Stage(_) => STAGE_OUTPUT_BYTES,
            Self::Robot(_) => ROBOT_OUTPUT_BYTES,
        }
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::Stage(areas) => areas.iter().map(|area| area.memory().as_fd()).collect(),
            Self::Robot(own) => own.to_vec(),
        }
    }

    /// The record that begins a child's life.
    fn begin(&self, spec: &HostSpec) -> Writer {
        let begin = Writer::new(Ask::Begin as u8)
            .u64(spec.limits.memory_bytes)
            .text(&spec.library.display().to_string());
        let areas = match self {
            Self::Robot(_) => return spec.servicing.write(begin.u8(1)),
            Self::Stage(areas) => areas,
        };
        let mut begin = begin.u8(0).u32(u32::try_from(areas.len()).unwrap_or(0));
        for area in *areas {
            begin = begin.u64(area.base() as u64);
        }
        begin = begin.u32(u32::try_from(spec.reads.len()).unwrap_or(0));
        for path in &spec.reads {
            begin = begin.text(&path.display().to_string());
        }
        begin
    }
}

/// A child that hosts a robot.
pub(super) struct RobotChild {
    pub(super) child: Child,
    /// One for each camera that it may have.
    pub(super) cameras: Vec<Channel>,
    /// Where it writes their pictures.
    pub(super) pictures: PictureRoom,
}

/// What the watcher of a child knows.
#[derive(Debug, Default)]
pub(super) struct Liveness {
    is_leaving: AtomicBool,
    has_ended: AtomicBool,
    end: Mutex<Option<String>>,
}

impl Liveness {
    /// Whether the child is gone; takes no lock.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }
}

/// A running child with its channel and its output memory.
pub(super) struct Child {
    channel: Channel,
    output: Arc<Mapping>,
    id: u32,
    process: Arc<Pidfd>,
    watched: Arc<Liveness>,
    /// One that waits for its end, one that reads its log.
    threads: Vec<JoinHandle<()>>,
    log: Arc<OnceLock<LogFn>>,
    level: String,
}

impl Child {
    /// Starts a child for a stage, confined before it loads the library.
    /// It reads these areas of the pool in place.
    pub(super) fn start(
        spec: &HostSpec,
        plugin: &str,
        areas: &[Arc<Area>],
    ) -> Result<Self, IsolationError> {
        Self::launch(spec, plugin, &Guest::Stage(areas))
    }

    /// Starts a child for a robot. It has the memory for pictures before that is
    /// sealed against writers; nobody else has it before.
    pub(super) fn start_embodiment(
        spec: &HostSpec,
        plugin: &str,
        frames: &Memfd,
        motion_log: &File,
    ) -> Result<RobotChild, IsolationError> {
        let pairs = (0..MAX_CAMERAS)
            .map(|_| Channel::pair())
            .collect::<Result<Vec<_>, _>>()
            .map_err(spec.system("make a socket"))?;
        let (cameras, others): (Vec<Channel>, Vec<OwnedFd>) = pairs.into_iter().unzip();
        let pictures = spec
            .pool
            .picture_area()
            .map_err(spec.system("make shared memory"))?;
        let mut own = vec![
            frames.as_fd(),
            motion_log.as_fd(),
            pictures.memory().as_fd(),
        ];
        own.extend(others.iter().map(AsFd::as_fd));
        let child = Self::launch(spec, plugin, &Guest::Robot(&own))?;
        drop(others);
        let pictures = spec
            .pool
            .admit(pictures)
            .map_err(spec.system("seal shared memory"))?;
        Ok(RobotChild {
            child,
            cameras,
            pictures,
        })
    }

    fn launch(spec: &HostSpec, plugin: &str, guest: &Guest<'_>) -> Result<Self, IsolationError> {
        let who = if plugin.is_empty() {
            spec.library.display().to_string()
        } else {
            format!("`{plugin}` of {}", spec.library.display())
        };
        let (channel, other) = Channel::pair().map_err(spec.system("make a socket"))?;
        let (inlet, outlet) = log_pair().map_err(spec.system("make a socket"))?;
        let memory = Memfd::zeroed("vola-output", guest.output_bytes())
            .map_err(spec.system("make shared memory"))?;
        let output = memory
            .map(Access::Read)
            .map_err(spec.system("map shared memory"))?;
        let mut command = Command::new(&spec.program);
        command
            .arg(HOST_ARGUMENT)
            .env_clear()
            // Ctrl-C is the runtime's to act upon.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        for name in KEPT_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let mut fds = vec![
            other.as_fd(),
            spec.image.memory().as_fd(),
            memory.as_fd(),
            outlet.as_fd(),
        ];
        fds.extend(guest.descriptors());
        pass(&mut command, &fds).map_err(spec.system("pass descriptors"))?;
        let mut process = command.spawn().map_err(spec.system("start a program"))?;
        // The child has its own copies; ours would hide that it is gone.
        drop((command, other, outlet));
        let pidfd = match Pidfd::open(process.id()) {
            Ok(pidfd) => Arc::new(pidfd),
            Err(error) => {
                // Without a watcher nothing may run.
                let _ = process.kill();
                let _ = process.wait();
                return Err(spec.system("watch a process")(error));
            }
        };
        let id = process.id();
        let (watched, log) = (Arc::new(Liveness::default()), Arc::default());
        let threads = [
            listen(inlet, &pidfd, &log, who.clone()),
            watch(process, &pidfd, &watched, spec, who),
        ];
        let threads: io::Result<Vec<_>> = threads.into_iter().collect();
        let threads = threads.map_err(|source| {
            watched.is_leaving.store(true, Ordering::Release);
            pidfd.kill();
            spec.system("watch a process")(source)
        })?;
        let mut child = Self {
            channel,
            output: Arc::new(output),
            id,
            process: pidfd,
            watched,
            threads,
            log,
            level: String::new(),
        };
        let deadline = Instant::now() + spec.limits.start;
        let level = child
            .ask(guest.begin(spec), deadline)
            .map_err(|trouble| trouble.to_string())
            .and_then(|payload| {
                let text = Reader::new(&payload).text().map(ToOwned::to_owned);
                text.map_err(|malformed: Malformed| malformed.to_string())
            })
            .map_err(|reason| IsolationError::Child {
                path: spec.library.clone(),
                entry: Ask::Begin.name(),
                reason,
            })?;
        child.level = level;
        Ok(child)
    }

    /// How far the child is confined, in words.
    pub(super) fn level(&self) -> &str {
        &self.level
    }

    /// Memory that holds what a call returned.
    pub(super) fn output(&self) -> Arc<Mapping> {
        Arc::clone(&self.output)
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Whether it lives, for those who may take no lock.
    pub(super) fn liveness(&self) -> Arc<Liveness> {
        Arc::clone(&self.watched)
    }

    /// Whether it has ended, and how.
    pub(super) fn end(&self) -> Option<String> {
        self.watched
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Where the plugin's log lines go from now on. They come on a thread that
    /// does nothing else.
    pub(super) fn log_to(&self, log: LogFn) {
        // Whoever activates it a second time has the same runtime's.
        let _ = self.log.set(log);
    }

    /// Sends a record and waits for its answer. After any trouble but a fault
    /// the child is gone.
    pub(super) fn ask(&mut self, record: Writer, deadline: Instant) -> Result<Vec<u8>, Trouble> {
        let begun = Instant::now();
        let result = self.exchange(&record, deadline);
        result.map_err(|error| match error {
            Exchange::Fault(fault) => Trouble::Fault(fault),
            Exchange::Channel(ChannelError::Gone) => Trouble::Ended(self.wait_for_end()),
            Exchange::Channel(ChannelError::Late) => {
                self.kill();
                Trouble::Hung(deadline.saturating_duration_since(begun))
            }
            Exchange::Channel(ChannelError::Io(_)) | Exchange::Malformed => {
                self.kill();
                Trouble::Nonsense
            }
        })
    }

    fn exchange(&mut self, record: &Writer, deadline: Instant) -> Result<Vec<u8>, Exchange> {
        self.channel.send(record.bytes(), Some(deadline))?;
        let process = Some(self.process.as_fd());
        let mut got = self.channel.receive_answer(process, Some(deadline))?;
        let mut reader = Reader::new(&got);
        match reader.u8()? {
            answer::DONE => {
                got.remove(0);
                Ok(got)
            }
            answer::FAULT => {
                let kind = fault_kind(reader.u8()?);
                Err(Exchange::Fault(FaultAbi::new(kind, reader.text()?)))
            }
            _ => Err(Exchange::Malformed),
        }
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        self.watched.is_leaving.store(true, Ordering::Release);
        self.process.kill();
    }

    fn wait_for_end(&self) -> String {
        // The socket closed, the process may need a moment more.
        let deadline = Instant::now() + LEAVE;
        let gone = wait_for([(self.process.as_fd(), Wanted::Read)], Some(deadline));
        if !matches!(gone, Ok([true])) {
            self.kill();
            return "it closed its channel".to_owned();
        }
        while Instant::now() < deadline {
            if let Some(how) = self.end() {
                return how;
            }
            std::thread::yield_now();
        }
        "it left".to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.watched.is_leaving.store(true, Ordering::Release);
        self.channel.close();
        let deadline = Instant::now() + LEAVE;
        let left = wait_for([(self.process.as_fd(), Wanted::Read)], Some(deadline));
        if !matches!(left, Ok([true])) {
            self.process.kill();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a watcher of a plugin's process panicked");
            }
        }
    }
}

/// Why an exchange gave no payload, before it is told in words.
enum Exchange {
    Fault(FaultAbi),
    Channel(ChannelError),
    Malformed,
}

impl From<ChannelError> for Exchange {
    fn from(error: ChannelError) -> Self {
        Self::Channel(error)
    }
}

impl From<Malformed> for Exchange {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Waits for the end of a process on a thread of its own, and raises the alarm
/// where it comes unasked.
fn watch(
    mut process: process::Child,
    pidfd: &Arc<Pidfd>,
    watched: &Arc<Liveness>,
    spec: &HostSpec,
    who: String,
) -> io::Result<JoinHandle<()>> {
    let (pidfd, watched) = (Arc::clone(pidfd), Arc::clone(watched));
    let alarm = Arc::clone(&spec.alarm);
    let thread = std::thread::Builder::new().name("vola-plugin-watch".to_owned());
    thread.spawn(move || {
        let ended = wait_for([(pidfd.as_fd(), Wanted::Read)], None);
        let at = Instant::now();
        let how = match (ended, process.wait()) {
            (Ok(_), Ok(status)) => exit_words(status),
            (Err(error), _) | (_, Err(error)) => error.to_string(),
        };
        let mut end = watched.end.lock().unwrap_or_else(PoisonError::into_inner);
        *end = Some(how.clone());
        drop(end);
        watched.has_ended.store(true, Ordering::Release);
        if !watched.is_leaving.load(Ordering::Acquire) {
            tracing::error!("the process of {who} ended: {how}");
            alarm(&ChildEnd { who, how, at });
        }
    })
}

/// Reads its log on another: a reader of logs that is slow delays no alarm.
fn listen(
    inlet: LogInlet,
    pidfd: &Arc<Pidfd>,
    log: &Arc<OnceLock<LogFn>>,
    who: String,
) -> io::Result<JoinHandle<()>> {
    let (pidfd, log) = (Arc::clone(pidfd), Arc::clone(log));
    let thread = std::thread::Builder::new().name("vola-plugin-log".to_owned());
    thread.spawn(move || inlet.listen(pidfd.as_fd(), &log, &who))
}

pub(super) fn fault_kind(code: u8) -> FaultKind {
    match code {
        0 => FaultKind::Settings,
        1 => FaultKind::Input,
        3 => FaultKind::Unsupported,
        4 => FaultKind::Panic,
        _ => FaultKind::Failed,
    }
}
