//! The child's side: hosts one plugin of one library, and nothing else.
//!
//! The child is confined before it loads the library. It leaves when its parent
//! is gone, also when the plugin hangs.

mod camera_host;
mod confinement;
mod embodiment_host;
mod motion_log;
mod readiness;
mod robot_parts;
mod stage_host;

use std::{
    fs::File,
    io,
    os::fd::AsFd as _,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use vola_abi::{
    FaultAbi, FaultKind, LoadedModule, LogLevel,
    abi_stable::std_types::{RResult, RStr},
};

use self::{
    camera_host::start_cameras, confinement::Bounds, embodiment_host::EmbodimentHost,
    stage_host::StageHost,
};
use crate::{
    channel::{Channel, ChannelError},
    frames::Frames,
    log_lines::LogOutlet,
    pool::{MAX_AREAS, PoolView},
    servicing::Servicing,
    sys::{Access, Mapping, Memfd, Wanted, end_process, receive, wait_for},
    wire::{Ask, Malformed, Reader, Writer, answer},
};

/// The argument that makes `vola` a plugin host.
pub const HOST_ARGUMENT: &str = "plugin-host";
/// Exit code of a host whose parent is gone.
const ORPHANED: i32 = 0;

/// Where the plugin's log lines go: to the parent.
static LOG: OnceLock<LogOutlet> = OnceLock::new();

/// Most cameras of an isolated robot.
pub(crate) const MAX_CAMERAS: usize = 6;
/// Descriptors of every child: channel, library, memory for results, log.
const COMMON: usize = 4;
/// Descriptors of a robot's child after those: frames, motion log, memory for
/// pictures; then a channel a camera.
const ROBOT: usize = 3;
/// A robot's host may need so long to bring it to rest.
const LAST_WORK: Duration = Duration::from_secs(5);

/// Serves the parent that started this process until it is gone. Call it first
/// of all, while the process has one thread.
///
/// # Errors
/// When the process was not started by a parent of this crate, or the parent
/// says something that is not understood.
pub fn serve_plugin_host() -> io::Result<()> {
    let [socket, image, output, log] = receive::<COMMON>(0)?;
    let mut channel = Channel::received(socket)?;
    let image = Memfd::received(image)?;
    let output = Memfd::received(output)?.map(Access::Write)?;
    // A second host in one process is nobody's.
    let _ = LOG.set(LogOutlet::received(log)?);
    let mut host = Host {
        image,
        pool: PoolView::default(),
        pictures: None,
        output,
        path: PathBuf::new(),
        module: None,
        servicing: Servicing::default(),
        guest: Guest::None,
    };
    loop {
        let due = match &host.guest {
            Guest::Robot(robot) => robot.next_service(),
            Guest::None | Guest::Stage(_) => None,
        };
        let record = match channel.receive(None, due) {
            Ok(record) => record,
            Err(ChannelError::Late) => {
                if let Guest::Robot(robot) = &mut host.guest {
                    robot.service(Instant::now());
                }
                tell_losses();
                continue;
            }
            Err(_) => break,
        };
        let answer = host.answer(&record, &channel);
        tell_losses();
        if channel.send(answer.bytes(), None).is_err() {
            break;
        }
    }
    if let Guest::Robot(robot) = &mut host.guest {
        robot.end_alone();
    }
    // No destructor of the plugin may keep this process.
    end_process(ORPHANED)
}

/// What is hosted.
enum Guest {
    None,
    Stage(StageHost),
    Robot(Box<EmbodimentHost>),
}

/// What a host has.
struct Host {
    image: Memfd,
    /// What a stage reads.
    pool: PoolView,
    /// Where a robot's cameras write.
    pictures: Option<Arc<Mapping>>,
    output: Mapping,
    path: PathBuf,
    module: Option<LoadedModule>,
    /// What a robot's thread asks of the system once it is open.
    servicing: Servicing,
    guest: Guest,
}

impl Host {
    fn answer(&mut self, record: &[u8], channel: &Channel) -> Writer {
        let mut reader = Reader::new(record);
        let ask = reader.u8().ok().and_then(Ask::of);
        let result = match ask {
            Some(Ask::Begin) => self.begin(reader, channel),
            Some(Ask::Manifest) => self.manifest(),
            Some(Ask::CreateStage) => self.create_stage(reader),
            Some(Ask::CreateEmbodiment) => self.create_embodiment(reader),
            Some(ask) => match &mut self.guest {
                Guest::Stage(stage) => stage.answer(ask, reader, &self.pool, &self.output),
                Guest::Robot(robot) => {
                    let pictures = self.pictures.clone();
                    let mut cameras = |list| start_cameras(list, pictures.as_ref());
                    robot.answer(ask, reader, &self.output, &mut cameras)
                }
                Guest::None => Err(failed("there is no plugin yet")),
            },
            None => Err(failed("an unknown question")),
        };
        result.unwrap_or_else(|fault| fault_record(&fault))
    }

    /// Takes the shared memory, confines this process, then watches the parent.
    fn begin(&mut self, mut reader: Reader<'_>, channel: &Channel) -> Result<Writer, FaultAbi> {
        let memory_bytes = reader.u64()?;
        self.path = PathBuf::from(reader.text()?);
        let is_robot = reader.u8()? == 1;
        let (bounds, patience) = if is_robot {
            self.servicing = Servicing::read(&mut reader)?;
            self.take_picture_memory()
                .map_err(|error| failed(&error.to_string()))?;
            (Bounds::Robot, LAST_WORK)
        } else {
            self.take_pool(&mut reader)?;
            let mut reads = Vec::new();
            for _ in 0..reader.u32()? {
                reads.push(PathBuf::from(reader.text()?));
            }
            (Bounds::Stage { reads }, Duration::ZERO)
        };
        let level = confinement::confine(memory_bytes, &bounds);
        let watched = channel
            .writer()
            .map_err(|error| failed(&error.to_string()))?;
        std::thread::Builder::new()
            .name("vola-parent-watch".to_owned())
            .spawn(move || {
                // Whatever the plugin does meanwhile: without a parent nobody
                // wants its result. A robot is brought to rest first.
                let _ = wait_for([(watched.as_fd(), Wanted::Gone)], None);
                std::thread::sleep(patience);
                end_process(ORPHANED)
            })
            .map_err(|error| failed(&error.to_string()))?;
        Ok(Writer::new(answer::DONE).text(&level))
    }

    /// Maps the area that this robot's pictures are written to, before the
    /// parent seals it and before anything of the plugin runs.
    fn take_picture_memory(&mut self) -> io::Result<()> {
        let [pictures] = receive::<1>(COMMON + 2)?;
        let mapping = Memfd::received(pictures)?.map(Access::Write)?;
        self.pictures = Some(Arc::new(mapping));
        Ok(())
    }

    /// Maps the areas of the pool, whose first numbers the record tells.
    fn take_pool(&mut self, reader: &mut Reader<'_>) -> Result<(), FaultAbi> {
        let count = reader.u32()? as usize;
        if count > MAX_AREAS {
            return Err(failed("more shared memory than there may be"));
        }
        for index in 0..count {
            let base = reader.size()?;
            let mapping = receive::<1>(COMMON + index)
                .and_then(|[area]| Memfd::received(area)?.map(Access::Read))
                .map_err(|error| failed(&error.to_string()))?;
            self.pool.add(base, mapping);
        }
        Ok(())
    }

    fn create_embodiment(&mut self, mut reader: Reader<'_>) -> Result<Writer, FaultAbi> {
        let name = reader.text()?;
        let system = |error: io::Error| failed(&error.to_string());
        let [frames, log] = receive::<2>(COMMON).map_err(system)?;
        let frames = Memfd::received(frames).and_then(|memory| Frames::over(&memory));
        let create = self.module()?.module().create_embodiment();
        let embodiment = unwrap(create(RStr::from(name)))?;
        let frames = frames.map_err(system)?;
        let host = EmbodimentHost::new(embodiment, frames, File::from(log), self.servicing);
        self.guest = Guest::Robot(Box::new(host));
        Ok(Writer::new(answer::DONE))
    }

    fn module(&mut self) -> Result<LoadedModule, FaultAbi> {
        if let Some(module) = self.module {
            return Ok(module);
        }
        let module = LoadedModule::load_image(&self.image.path(), &self.path)
            .map_err(|error| failed(&error.to_string()))?;
        self.module = Some(module);
        Ok(module)
    }

    fn manifest(&mut self) -> Result<Writer, FaultAbi> {
        let text = (self.module()?.module().manifest())();
        Ok(Writer::new(answer::DONE).text(&text))
    }

    fn create_stage(&mut self, mut reader: Reader<'_>) -> Result<Writer, FaultAbi> {
        let name = reader.text()?;
        let create = self.module()?.module().create_stage();
        let stage = unwrap(create(RStr::from(name)))?;
        self.guest = Guest::Stage(StageHost::new(stage));
        Ok(Writer::new(answer::DONE))
    }
}

/// Sends a log line to the parent; waits for nobody.
extern "C" fn log_to_parent(level: LogLevel, target: RStr<'_>, message: RStr<'_>) {
    if let Some(log) = LOG.get() {
        log.send(level, target.as_str(), message.as_str());
    }
}

/// Says how many lines were lost since it was said last.
fn tell_losses() {
    if let Some(log) = LOG.get() {
        log.tell_losses();
    }
}

fn fault_record(fault: &FaultAbi) -> Writer {
    Writer::new(answer::FAULT)
        .u8(fault_code(fault.kind))
        .text(&fault.message)
}

fn unwrap<T>(result: vola_abi::CallResult<T>) -> Result<T, FaultAbi> {
    match result {
        RResult::ROk(value) => Ok(value),
        RResult::RErr(fault) => Err(fault),
    }
}

fn failed(message: &str) -> FaultAbi {
    FaultAbi::new(FaultKind::Failed, message)
}

fn fault_code(kind: FaultKind) -> u8 {
    match kind {
        FaultKind::Settings => 0,
        FaultKind::Input => 1,
        FaultKind::Failed => 2,
        FaultKind::Unsupported => 3,
        FaultKind::Panic => 4,
    }
}

impl From<Malformed> for FaultAbi {
    fn from(malformed: Malformed) -> Self {
        failed(&malformed.to_string())
    }
}
