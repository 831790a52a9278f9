//! Cameras: each draws the newest poses for itself.

use std::sync::Arc;

use vola_plugin::{Camera, Fault, ImageBuffer};

use super::exchange::Exchange;
use crate::{
    render::{
        CameraView, Renderer, SceneModel, Snapshot, front_camera, overview_camera, wrist_camera,
    },
    scene::{Frozen, Random},
};

/// Which camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CameraPlace {
    /// Beyond the table, looking back at the robot.
    Front,
    /// On the hand.
    Wrist,
    /// Beside the table; for people.
    Overview,
}

impl CameraPlace {
    /// All cameras.
    pub(crate) const ALL: [Self; 3] = [Self::Front, Self::Wrist, Self::Overview];

    /// The key in observations.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Wrist => "wrist",
            Self::Overview => "overview",
        }
    }

    /// Where it is and looks.
    fn view(self, snapshot: &Snapshot) -> CameraView {
        match self {
            Self::Front => {
                let look = &snapshot.model.look;
                front_camera().moved(look.camera_offset, look.camera_turn)
            }
            Self::Wrist => wrist_camera(&snapshot.tool_pose()),
            Self::Overview => overview_camera(),
        }
    }
}

/// A camera of the world.
pub(crate) struct TabletopCamera {
    exchange: Arc<Exchange>,
    place: CameraPlace,
    size: [u32; 2],
    renderer: Renderer,
    /// The picture at which the camera stands still, and its episode's model.
    still: Option<(Arc<SceneModel>, Vec<u8>)>,
    grain: Random,
}

impl TabletopCamera {
    /// A camera with pictures of this size (columns, rows).
    pub(crate) fn new(exchange: Arc<Exchange>, place: CameraPlace, size: [u32; 2]) -> Self {
        Self {
            exchange,
            place,
            size,
            renderer: Renderer::default(),
            still: None,
            grain: Random::new(0, 10),
        }
    }

    /// Shows the picture at which the camera stands still, if it does; false
    /// when there is none yet.
    fn show_still(&mut self, snapshot: &Snapshot, out: &mut [u8]) -> bool {
        let Some(frozen) = self.frozen(snapshot) else {
            self.still = None;
            return false;
        };
        let known = self.still.as_ref();
        let Some((_, picture)) = known.filter(|(model, _)| Arc::ptr_eq(model, &snapshot.model))
        else {
            return false;
        };
        out.copy_from_slice(picture);
        if frozen.is_noisy {
            for value in out.iter_mut() {
                // One grey level up or down in a tenth of the values.
                match self.grain.below(20) {
                    0 => *value = value.saturating_add(1),
                    1 => *value = value.saturating_sub(1),
                    _ => {}
                }
            }
        }
        true
    }

    fn frozen(&self, snapshot: &Snapshot) -> Option<Frozen> {
        snapshot
            .model
            .frozen
            .filter(|frozen| self.place == CameraPlace::Front && frozen.after_ns <= snapshot.age_ns)
    }
}

impl Camera for TabletopCamera {
    fn grab(&mut self, image: &mut ImageBuffer<'_>) -> Result<(), Fault> {
        let [width, height] = self.size.map(|side| side as usize);
        if [image.width, image.height] != self.size || image.data.len() != width * height * 3 {
            return Err(Fault::input(format!(
                "camera `{}`: expected a buffer of {width} × {height} × 3 bytes, got {} × {} and {} bytes",
                self.place.key(),
                image.width,
                image.height,
                image.data.len()
            )));
        }
        let snapshot = self.exchange.snapshot();
        if !self.show_still(&snapshot, image.data) {
            let view = self.place.view(&snapshot);
            self.renderer
                .render(&snapshot, &view, [width, height], image.data);
            if self.frozen(&snapshot).is_some() {
                self.still = Some((Arc::clone(&snapshot.model), image.data.to_vec()));
            }
        }
        image.capture_time_ns = snapshot.time_ns;
        Ok(())
    }
}
