//! The child's side: hosts one plugin of one library, and nothing else.
//!
//! The child is confined before it loads the library. It leaves when its parent
//! is gone, also when the plugin hangs.

mod confinement;
mod embodiment_host;
mod motion_log;
mod stage_host;

use std::{
    fs::File,
    io,
    os::fd::AsFd as _,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use vola_abi::{
    CameraBox, FaultAbi, FaultKind, LoadedModule, LogLevel,
    abi_stable::std_types::{RResult, RStr},
};

use self::{
    confinement::Bounds,
    embodiment_host::{EmbodimentHost, serve_camera},
    stage_host::StageHost,
};
use crate::{
    channel::{Channel, ChannelError},
    frames::Frames,
    pool::{MAX_AREAS, PoolView},
    sys::{Access, Mapping, Memfd, Wanted, end_process, receive, wait_for},
    wire::{Ask, Malformed, Reader, Writer, answer},
};

/// The argument that makes `vola` a plugin host.
pub const HOST_ARGUMENT: &str = "plugin-host";
/// Exit code of a host whose parent is gone.
const ORPHANED: i32 = 0;

/// Where the plugin's log lines go: to the parent.
static LOG: OnceLock<Mutex<Channel>> = OnceLock::new();

/// Most cameras of an isolated robot.
pub(crate) const MAX_CAMERAS: usize = 6;
/// Descriptors of every child: channel, library, memory for results.
const COMMON: usize = 3;
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
    let [socket, image, output] = receive::<COMMON>(0)?;
    let mut channel = Channel::received(socket)?;
    let image = Memfd::received(image)?;
    let output = Memfd::received(output)?.map(Access::Write)?;
    // A second host in one process is nobody's.
    let _ = LOG.set(Mutex::new(channel.writer()?));
    let mut host = Host {
        image,
        pool: PoolView::default(),
        pictures: None,
        output,
        path: PathBuf::new(),
        module: None,
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
                continue;
            }
            Err(_) => break,
        };
        let answer = host.answer(&record, &channel);
        let sent = match LOG.get() {
            Some(writer) => writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .send(answer.bytes(), None),
            None => channel.send(answer.bytes(), None),
        };
        if sent.is_err() {
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
        let host = EmbodimentHost::new(embodiment, frames, File::from(log));
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

/// Starts a thread for each camera, each with the channel that the parent
/// reads its pictures over.
fn start_cameras(
    list: Vec<(String, CameraBox)>,
    pictures: Option<&Arc<Mapping>>,
) -> Result<(), FaultAbi> {
    let system = |error: io::Error| failed(&error.to_string());
    let pictures = pictures.ok_or_else(|| failed("no memory for pictures"))?;
    if list.len() > MAX_CAMERAS {
        return Err(failed(&format!(
            "an isolated robot: expected at most {MAX_CAMERAS} cameras, got {}",
            list.len()
        )));
    }
    for (index, (_, camera)) in list.into_iter().enumerate() {
        let [socket] = receive::<1>(COMMON + ROBOT + index).map_err(system)?;
        let channel = Channel::received(socket).map_err(system)?;
        let pictures = Arc::clone(pictures);
        std::thread::Builder::new()
            .name("vola-camera".to_owned())
            .spawn(move || serve_camera(camera, channel, &pictures))
            .map_err(system)?;
    }
    Ok(())
}

/// Sends a log line to the parent.
extern "C" fn log_to_parent(level: LogLevel, target: RStr<'_>, message: RStr<'_>) {
    let line = Writer::new(answer::LOG)
        .u8(match level {
            LogLevel::Error => 0,
            LogLevel::Warn => 1,
            LogLevel::Info => 2,
            LogLevel::Debug => 3,
            LogLevel::Trace => 4,
        })
        .text(target.as_str())
        .text(message.as_str());
    if let Some(log) = LOG.get() {
        let mut channel = log.lock().unwrap_or_else(PoisonError::into_inner);
        // A parent that is gone reads no log.
        let _ = channel.send(line.bytes(), None);
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
