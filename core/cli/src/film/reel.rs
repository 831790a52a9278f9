//! The frames of an animation while a run goes on.
//!
//! A run of half a minute is hundreds of megabytes of pixels, most of which stay
//! as they are from frame to frame: only the rectangle that changed is kept.

use vola_runtime::Picture;

use super::{
    canvas::{Area, Canvas},
    caption::Caption,
    palette::Histogram,
};

/// Bytes of frames kept at most; later frames are dropped.
const MAX_BYTES: usize = 256 << 20;

/// A growing animation.
pub(crate) struct Reel {
    max_width: usize,
    caption: Caption,
    pub(super) last: Option<Canvas>,
    pub(super) changes: Vec<Change>,
    pub(super) histogram: Histogram,
    pub(super) end_ns: u64,
    bytes: usize,
}

/// What changed at one moment.
pub(super) struct Change {
    /// When (ns, on the runtime's clock).
    pub(super) at_ns: u64,
    /// Where.
    pub(super) area: Area,
    /// The new pixels of the area, row-major.
    pub(super) rgb: Vec<u8>,
}

impl Reel {
    /// An empty animation, at most this wide (px).
    pub(crate) fn new(max_width: usize) -> Self {
        Self {
            max_width: max_width.max(16),
            caption: Caption::default(),
            last: None,
            changes: Vec::new(),
            histogram: Histogram::new(),
            end_ns: 0,
            bytes: 0,
        }
    }

    /// The strip of text from the next frame on.
    pub(crate) fn caption(&mut self) -> &mut Caption {
        &mut self.caption
    }

    /// Adds a frame.
    pub(crate) fn push(&mut self, at_ns: u64, picture: &Picture) {
        let picture = Canvas::scaled(picture, self.max_width);
        let height = picture.height + Caption::height(picture.width);
        let mut canvas = Canvas::filled(picture.width, height, [0; 3]);
        canvas.paste(&picture, 0, 0);
        self.caption.draw(&mut canvas);
        self.end_ns = at_ns;
        let area = match &self.last {
            Some(last) if (last.width, last.height) != (canvas.width, canvas.height) => return,
            Some(last) => canvas.difference(last),
            None => Some(Area {
                left: 0,
                top: 0,
                width: canvas.width,
                height,
            }),
        };
        let Some(area) = area.filter(|_| self.bytes < MAX_BYTES) else {
            return;
        };
        let rgb = canvas.cut(area);
        self.histogram.add(&rgb);
        self.bytes += rgb.len();
        self.changes.push(Change { at_ns, area, rgb });
        self.last = Some(canvas);
    }

    /// Frames that differ from the one before.
    pub(crate) fn frames(&self) -> usize {
        self.changes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(level: u8) -> Picture {
        Picture {
            width: 40,
            height: 30,
            rgb: vec![level; 40 * 30 * 3].into(),
        }
    }

    #[test]
    fn equal_frames_are_kept_once() {
        let mut reel = Reel::new(640);
        for (at, level) in [(0, 10), (80, 10), (160, 10), (240, 90)] {
            reel.push(at, &gray(level));
        }
        assert_eq!(reel.frames(), 2);
        assert_eq!(reel.end_ns, 240);
        // The caption's strip did not change, so the rectangle ends above it.
        assert_eq!(
            reel.changes[1].area,
            Area {
                left: 0,
                top: 0,
                width: 40,
                height: 30
            }
        );
        reel.push(
            300,
            &Picture {
                width: 20,
                height: 30,
                rgb: vec![0; 20 * 30 * 3].into(),
            },
        );
        assert_eq!(reel.frames(), 2);
    }
}
