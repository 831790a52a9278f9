//! Writes an animation as GIF.

use std::{fs::File, io::BufWriter, path::Path};

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use super::{
    canvas::{Canvas, Rgb},
    palette::{Palette, UNCHANGED},
    reel::{Change, Reel},
};
use crate::failure::Failure;

/// How long the last frame stays (1/100 s).
const LAST_FRAME_CENTISECONDS: u16 = 250;
/// Shortest time that viewers honour (1/100 s).
const LEAST_CENTISECONDS: u64 = 2;

impl Reel {
    /// Writes the animation; an empty one writes nothing.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write_gif(&self, path: &Path) -> Result<(), Failure> {
        let Some(last) = &self.last else {
            return Ok(());
        };
        let file = File::create(path).map_err(Failure::file(path, "write"))?;
        let mut palette = Palette::build(&self.histogram);
        let size = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        let fault = |error: gif::EncodingError| Failure::Picture {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let (width, height) = (size(last.width), size(last.height));
        let mut encoder =
            Encoder::new(BufWriter::new(file), width, height, &palette.bytes()).map_err(fault)?;
        encoder.set_repeat(Repeat::Infinite).map_err(fault)?;
        let mut shown: Option<Canvas> = None;
        for (index, change) in self.changes.iter().enumerate() {
            let next = self.changes.get(index + 1).map(|next| next.at_ns);
            let delay = next.map_or(LAST_FRAME_CENTISECONDS, |next| {
                centiseconds(change.at_ns, next)
            });
            let canvas =
                shown.get_or_insert_with(|| Canvas::filled(last.width, last.height, [0; 3]));
            let first = index == 0;
            let frame = Frame {
                left: size(change.area.left),
                top: size(change.area.top),
                width: size(change.area.width),
                height: size(change.area.height),
                delay,
                dispose: DisposalMethod::Keep,
                transparent: Some(UNCHANGED),
                buffer: indices(change, canvas, &mut palette, first).into(),
                ..Frame::default()
            };
            encoder.write_frame(&frame).map_err(fault)?;
        }
        Ok(())
    }
}

/// Time between two frames, rounded against the start so that the errors of
/// many frames do not add up.
fn centiseconds(from_ns: u64, to_ns: u64) -> u16 {
    const NS: u64 = 10_000_000;
    let rounded = |ns: u64| (ns + NS / 2) / NS;
    u16::try_from(
        rounded(to_ns)
            .saturating_sub(rounded(from_ns))
            .max(LEAST_CENTISECONDS),
    )
    .unwrap_or(u16::MAX)
}

/// Palette indices of a change; pixels as before become [`UNCHANGED`]. The
/// canvas takes the new pixels.
fn indices(change: &Change, canvas: &mut Canvas, palette: &mut Palette, first: bool) -> Vec<u8> {
    let mut indices = Vec::with_capacity(change.area.width * change.area.height);
    let columns = change.area.width.max(1);
    for (at, pixel) in change.rgb.chunks_exact(3).enumerate() {
        let (x, y) = (
            change.area.left + at % columns,
            change.area.top + at / columns,
        );
        let color: Rgb = [pixel[0], pixel[1], pixel[2]];
        if !first && canvas.get(x, y) == color {
            indices.push(UNCHANGED);
        } else {
            indices.push(palette.index(color, x, y));
            canvas.set(x, y, color);
        }
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;
    use vola_runtime::Picture;

    /// A red square that wanders over a gradient.
    fn picture(step: usize) -> Picture {
        let mut rgb = Vec::new();
        for y in 0..60 {
            for x in 0..80 {
                let inside = (step * 4..step * 4 + 12).contains(&x) && (20..32).contains(&y);
                let shade = u8::try_from(100 + x).unwrap();
                rgb.extend(if inside {
                    [200, 40, 40]
                } else {
                    [shade, shade, 120]
                });
            }
        }
        Picture {
            width: 80,
            height: 60,
            rgb: rgb.into(),
        }
    }

    #[test]
    fn an_animation_decodes_to_what_was_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.gif");
        let mut reel = Reel::new(640);
        for step in 0..8_usize {
            reel.push(step as u64 * 80_000_000, &picture(step));
        }
        reel.write_gif(&path).unwrap();

        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::Indexed);
        let mut decoder = options.read_info(File::open(&path).unwrap()).unwrap();
        let palette = decoder.global_palette().unwrap().to_vec();
        let mut shown = vec![0_u8; usize::from(decoder.width()) * usize::from(decoder.height())];
        let width = usize::from(decoder.width());
        let mut delays = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            delays.push(frame.delay);
            for (at, index) in frame.buffer.iter().enumerate() {
                let x = usize::from(frame.left) + at % usize::from(frame.width);
                let y = usize::from(frame.top) + at / usize::from(frame.width);
                if *index != UNCHANGED {
                    shown[y * width + x] = *index;
                }
            }
        }
        assert_eq!(delays, [8, 8, 8, 8, 8, 8, 8, LAST_FRAME_CENTISECONDS]);
        let last = picture(7);
        for (at, pixel) in last.rgb.chunks_exact(3).enumerate() {
            let index = usize::from(shown[at / 80 * width + at % 80]);
            for (value, expected) in palette[index * 3..index * 3 + 3].iter().zip(pixel) {
                assert!(value.abs_diff(*expected) <= 14, "{value} for {expected}");
            }
        }
        assert!(std::fs::metadata(&path).unwrap().len() < 20_000);
    }

    #[test]
    fn an_unwritable_file_is_named() {
        let mut reel = Reel::new(64);
        reel.push(0, &picture(0));
        let error = reel
            .write_gif(Path::new("/nowhere/film.gif"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere/film.gif"), "{error}");
    }
}
