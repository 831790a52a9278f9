//! Opens the folder of recordings once, for all sessions that record into it.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use vola_bundle::{Deployment, RecordSettings, RecordSync};
use vola_recorder::{
    Durability, Feed, Language, MotionSample, Pace, Pixels, Pose, Recorder, RecorderSettings,
    RepairReport,
};
use vola_runtime::{MotionReport, Picture, Session};
use vola_types::ColorOrder;

use super::{Recording, frame_layout::frame_layout};
use crate::{arguments::Clock, failure::Failure};

/// The folder of a command's recordings.
pub(crate) struct RecordingDesk {
    folder: PathBuf,
    settings: RecordSettings,
    clock: Clock,
    /// None until the first session says what it looks like.
    recorder: Mutex<Option<Recorder>>,
}

impl RecordingDesk {
    /// The desk of a deployment; none where it names no folder.
    pub(crate) fn of(deployment: &Deployment, clock: Clock) -> Option<Self> {
        let settings = deployment.record().clone();
        Some(Self {
            folder: settings.folder()?.to_owned(),
            settings,
            clock,
            recorder: Mutex::new(None),
        })
    }

    /// The desk of a folder.
    pub(crate) fn at(deployment: &Deployment, folder: &Path, clock: Clock) -> Self {
        Self {
            folder: folder.to_owned(),
            settings: deployment.record().clone(),
            clock,
            recorder: Mutex::new(None),
        }
    }

    /// Records a session from now on. What an earlier process left unfinished is
    /// mended first.
    ///
    /// # Errors
    /// When the folder cannot be used or holds recordings of another robot.
    pub(crate) fn attach(&self, session: &mut Session) -> Result<Recording, Failure> {
        let layout = frame_layout(session, &self.settings);
        let mut slot = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        let recorder = match &mut *slot {
            Some(recorder) => recorder,
            None => {
                let settings = RecorderSettings {
                    durability: durability(self.settings.sync()),
                    language: if self.settings.language() {
                        Language::Columns
                    } else {
                        Language::None
                    },
                };
                let (recorder, mended) = Recorder::open(&self.folder, layout.clone(), settings)?;
                tell_mended(&mended);
                slot.insert(recorder)
            }
        };
        let pace = match self.clock {
            Clock::Real => Pace::Queued,
            Clock::Virtual => Pace::Direct,
        };
        let feed = recorder.feed(pace)?;
        let state: Vec<usize> = places(session.state_names(), &layout.state);
        for (place, camera) in layout.cameras.iter().enumerate() {
            watch_camera(
                session,
                place,
                &camera.key,
                layout.period_ns(),
                self.clock,
                &feed,
            )?;
        }
        let motion = feed.clone();
        session.watch_motion(Box::new(move |report| {
            motion.motion(sample(report, &state))
        }));
        Ok(Recording {
            feed,
            events_began_ns: session.now_ns(),
            epoch_ns: epoch_ns(self.clock, session.now_ns()),
            header: session.run_header(),
        })
    }
}

/// Gives pictures of a camera to the feed: in virtual time those of frames, in
/// real time every one, so that a frame has the newest.
fn watch_camera(
    session: &mut Session,
    place: usize,
    key: &str,
    frame_ns: u64,
    clock: Clock,
    feed: &Feed,
) -> Result<(), Failure> {
    let cameras = &session.description().cameras;
    let order = cameras.iter().find(|camera| camera.key == key);
    let order = order.map_or(ColorOrder::Rgb, |camera| camera.order);
    let feed = feed.clone();
    let period_ns = match clock {
        Clock::Virtual => frame_ns,
        Clock::Real => 0,
    };
    session.watch(
        key,
        period_ns,
        Box::new(move |time_ns, picture| feed.picture(place, time_ns, pixels(picture, order))),
    )?;
    Ok(())
}

fn pixels(picture: &Picture, order: ColorOrder) -> Pixels {
    let mut rgb = picture.rgb.clone();
    if order == ColorOrder::Bgr {
        let (pixels, _) = rgb.as_chunks_mut::<3>();
        pixels.iter_mut().for_each(|pixel| pixel.swap(0, 2));
    }
    Pixels {
        width: picture.width,
        height: picture.height,
        rgb,
    }
}

fn sample(report: &MotionReport, state: &[usize]) -> MotionSample {
    let measured = &report.measured;
    let (position, orientation) = report.commanded_tool;
    MotionSample {
        time_ns: measured.time_ns,
        position: measured.position.clone(),
        velocity: measured.velocity.clone(),
        command: report.command.clone(),
        state: state
            .iter()
            .map(|place| report.state.get(*place).copied().unwrap_or(0.0))
            .collect(),
        tool: Pose {
            position: measured.tool_position(),
            orientation: measured.tool_orientation(),
        },
        tool_command: Pose {
            position,
            orientation,
        },
    }
}

/// Where each wanted name stands.
fn places(names: &[String], wanted: &[String]) -> Vec<usize> {
    wanted
        .iter()
        .filter_map(|name| names.iter().position(|known| known == name))
        .collect()
}

fn durability(sync: RecordSync) -> Durability {
    match sync {
        RecordSync::Second => Durability::Second,
        RecordSync::Episode => Durability::Episode,
        RecordSync::System => Durability::System,
    }
}

/// The runtime's zero since 1970; 0 in virtual time.
fn epoch_ns(clock: Clock, now_ns: u64) -> u64 {
    if clock == Clock::Virtual {
        return 0;
    }
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos())
        .unwrap_or(0)
        .saturating_sub(now_ns)
}

fn tell_mended(mended: &RepairReport) {
    for recovered in &mended.recovered {
        tracing::warn!(
            "episode {} was recovered from a recording that was cut off: {} frames",
            recovered.episode,
            recovered.frames
        );
    }
    for (path, reason) in &mended.set_aside {
        tracing::warn!("{} was set aside: {reason}", path.display());
    }
}
