//! Films a run: frames from the session, captions from its events.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vola_runtime::Session;
use vola_types::{RunEvent, RunEventKind};

use super::Reel;
use crate::{failure::Failure, output::Story};

/// Keys that a camera for people goes by, the best first.
const PEOPLE_CAMERAS: [&str; 2] = ["overview", "view"];
/// Time between frames (ns): 12.5 frames a second, a whole number of the
/// hundredths of a second that GIF counts in.
const FRAME_NS: u64 = 80_000_000;

/// The camera whose pictures people look at: one made for them, else the one
/// with the most pixels. A robot without cameras gets the usual key, whose error
/// then says that there is none.
pub(crate) fn people_camera(session: &Session) -> String {
    let cameras = &session.description().cameras;
    let made = PEOPLE_CAMERAS
        .iter()
        .find(|key| cameras.iter().any(|camera| camera.key == **key));
    let largest = || {
        cameras
            .iter()
            .max_by_key(|camera| u64::from(camera.width) * u64::from(camera.height))
    };
    match (made, largest()) {
        (Some(key), _) => (*key).to_owned(),
        (None, Some(camera)) => camera.key.clone(),
        (None, None) => PEOPLE_CAMERAS[0].to_owned(),
    }
}

/// A film of a run; clones share it.
#[derive(Clone)]
pub(crate) struct Film {
    reel: Arc<Mutex<Reel>>,
}

impl Film {
    /// Starts to film a session.
    ///
    /// # Errors
    /// When the robot has no camera for people.
    pub(crate) fn start(
        session: &mut Session,
        sentence: &str,
        max_width: usize,
    ) -> Result<Self, Failure> {
        let mut reel = Reel::new(max_width);
        reel.caption().sentence = sentence.to_owned();
        let film = Self {
            reel: Arc::new(Mutex::new(reel)),
        };
        let camera = people_camera(session);
        let first = session.picture(&camera)?;
        film.reel().push(session.now_ns(), &first);
        let sink = film.clone();
        session.watch(
            &camera,
            FRAME_NS,
            Box::new(move |at_ns, picture| sink.reel().push(at_ns, picture)),
        )?;
        Ok(film)
    }

    /// Writes under the picture what the event means.
    pub(crate) fn caption(&self, event: &RunEvent, story: &Story) {
        let mut reel = self.reel();
        let caption = reel.caption();
        match &event.kind {
            RunEventKind::Plan { plan } => caption.step.clone_from(&plan.say),
            RunEventKind::Handoff { reason, .. } => caption.step = format!("holding: {reason}"),
            RunEventKind::Finished {
                success, outcome, ..
            } => {
                let sign = if *success { "✓ " } else { "" };
                caption.step = format!("{sign}{}", outcome.as_str().replace('_', " "));
                caption.confidence = None;
            }
            _ => {
                if let Some((step, confidence)) = story.current() {
                    caption.step = step;
                    caption.confidence = confidence;
                }
            }
        }
    }

    /// Takes the last frame and writes the file.
    ///
    /// # Errors
    /// When the camera fails or the file cannot be written.
    pub(crate) fn finish(&self, session: &mut Session, path: &Path) -> Result<(), Failure> {
        let last = session.picture(&people_camera(session))?;
        let mut reel = self.reel();
        reel.push(session.now_ns(), &last);
        tracing::info!(frames = reel.frames(), path = %path.display(), "film");
        reel.write_gif(path)
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        self.reel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
