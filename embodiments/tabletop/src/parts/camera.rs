//! Cameras: each draws the newest poses for itself.

use std::sync::Arc;

use vola_plugin::{Camera, Fault, ImageBuffer};

use super::exchange::Exchange;
use crate::render::{CameraView, Renderer, Snapshot, front_camera, overview_camera, wrist_camera};

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
            Self::Front => front_camera(),
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
}

impl TabletopCamera {
    /// A camera with pictures of this size (columns, rows).
    pub(crate) fn new(exchange: Arc<Exchange>, place: CameraPlace, size: [u32; 2]) -> Self {
        Self {
            exchange,
            place,
            size,
            renderer: Renderer::default(),
        }
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
        let view = self.place.view(&snapshot);
        self.renderer
            .render(&snapshot, &view, [width, height], image.data);
        image.capture_time_ns = snapshot.time_ns;
        Ok(())
    }
}
