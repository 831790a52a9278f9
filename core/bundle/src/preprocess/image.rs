//! Picture steps on f32 planes.

use vola_types::ColorOrder;

use crate::error::BundleError;
use crate::manifest::{Anchor, ImageSize, ResizeFit, ResizeMethod};
use crate::normalise::Normaliser;
use crate::observation::{ImageView, Pixels};

/// A picture as f32 `[3, height, width]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Planes {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

/// A step that changes a picture's size.
#[derive(Clone, Copy, Debug)]
pub(super) enum ImageStep {
    Resize {
        size: ImageSize,
        method: ResizeMethod,
        fit: ResizeFit,
    },
    Pad {
        size: ImageSize,
        value: f32,
        anchor: Anchor,
    },
    Crop {
        size: ImageSize,
        anchor: Anchor,
    },
}

impl Planes {
    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Takes a picture over: bytes become 0..1 in the channel order wanted.
    pub(super) fn read(
        &mut self,
        image: &ImageView<'_>,
        wanted: ColorOrder,
    ) -> Result<(), BundleError> {
        let (width, height) = (image.width as usize, image.height as usize);
        let area = width * height;
        let (order, got) = match image.pixels {
            Pixels::Bytes { order, values } => (order, values.len()),
            Pixels::Planes(values) => (wanted, values.len()),
        };
        if got != area * 3 || area == 0 {
            return Err(BundleError::ImageBytes {
                key: image.key.to_owned(),
                width: image.width,
                height: image.height,
                order,
                expected: area * 3,
                got,
            });
        }
        self.resize(width, height);
        match image.pixels {
            Pixels::Planes(values) => {
                if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                    return Err(BundleError::InputNotFinite {
                        what: super::image_name(image.key),
                        value: f64::from(*value),
                    });
                }
                self.values.copy_from_slice(values);
            }
            Pixels::Bytes { order, values } => {
                for (channel, plane) in self.values.chunks_exact_mut(area).enumerate() {
                    let from = if order == wanted {
                        channel
                    } else {
                        2 - channel
                    };
                    let pixels = values.iter().skip(from).step_by(3);
                    for (value, &pixel) in plane.iter_mut().zip(pixels) {
                        *value = f32::from(pixel) / 255.0;
                    }
                }
            }
        }
        Ok(())
    }

    /// Normalises channel by channel.
    pub(super) fn normalise(&mut self, normaliser: &Normaliser) {
        let area = (self.width * self.height).max(1);
        for (channel, plane) in self.values.chunks_exact_mut(area).enumerate() {
            normaliser.forward_plane(channel, plane);
        }
    }

    fn resize(&mut self, width: usize, height: usize) {
        self.width = width;
        self.height = height;
        self.values.resize(width * height * 3, 0.0);
    }

    fn size(&self) -> (u32, u32) {
        let side = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        (side(self.width), side(self.height))
    }
}

impl ImageStep {
    /// Runs the step from one buffer into another.
    pub(super) fn run(
        &self,
        from: &Planes,
        to: &mut Planes,
        feature: &str,
    ) -> Result<(), BundleError> {
        let refuse = |step: &'static str, size: ImageSize| BundleError::ImageStep {
            feature: feature.to_owned(),
            step,
            from: from.size(),
            to: (size.width, size.height),
        };
        match *self {
            Self::Resize { size, method, fit } => {
                let (width, height) = target(from, size, fit);
                resample(from, to, (width, height), method);
            }
            Self::Pad {
                size,
                value,
                anchor,
            } => {
                let (width, height) = (size.width as usize, size.height as usize);
                let (Some(free_x), Some(free_y)) = (
                    width.checked_sub(from.width),
                    height.checked_sub(from.height),
                ) else {
                    return Err(refuse("pad", size));
                };
                to.resize(width, height);
                to.values.fill(value);
                let corner = (offset(free_x, anchor), offset(free_y, anchor));
                copy_rows(from, (0, 0), to, corner, (from.width, from.height));
            }
            Self::Crop { size, anchor } => {
                let (width, height) = (size.width as usize, size.height as usize);
                let (Some(free_x), Some(free_y)) = (
                    from.width.checked_sub(width),
                    from.height.checked_sub(height),
                ) else {
                    return Err(refuse("crop", size));
                };
                to.resize(width, height);
                let corner = (offset(free_x, anchor), offset(free_y, anchor));
                copy_rows(from, corner, to, (0, 0), (width, height));
            }
        }
        Ok(())
    }
}

/// Where the kept part begins among `free` spare pixels.
fn offset(free: usize, anchor: Anchor) -> usize {
    match anchor {
        Anchor::TopLeft => 0,
        Anchor::Centre => free / 2,
        Anchor::BottomRight => free,
    }
}

/// Copies a rectangle of all three planes.
fn copy_rows(
    from: &Planes,
    (from_x, from_y): (usize, usize),
    to: &mut Planes,
    (to_x, to_y): (usize, usize),
    (width, height): (usize, usize),
) {
    for channel in 0..3 {
        for row in 0..height {
            let source = (channel * from.height + from_y + row) * from.width + from_x;
            let target = (channel * to.height + to_y + row) * to.width + to_x;
            to.values[target..target + width].copy_from_slice(&from.values[source..source + width]);
        }
    }
}

/// The size after a resize.
fn target(from: &Planes, size: ImageSize, fit: ResizeFit) -> (usize, usize) {
    let (width, height) = (size.width as usize, size.height as usize);
    match fit {
        ResizeFit::Stretch => (width, height),
        ResizeFit::KeepRatio => {
            // The side with the greater reduction decides; the other is rounded
            // down, as LeRobot's `resize_with_pad` does.
            if from.width * height >= from.height * width {
                (width, (from.height * width / from.width).max(1))
            } else {
                ((from.width * height / from.height).max(1), height)
            }
        }
    }
}

fn resample(from: &Planes, to: &mut Planes, (width, height): (usize, usize), method: ResizeMethod) {
    to.resize(width, height);
    let columns = taps(from.width, width, method);
    let rows = taps(from.height, height, method);
    // Rows first into a narrow buffer, then columns: separable filters.
    let mut line = vec![0.0f32; from.width];
    for channel in 0..3 {
        for (y, row) in rows.iter().enumerate() {
            line.fill(0.0);
            for (k, weight) in row.weights.iter().enumerate() {
                let start = (channel * from.height + row.first + k) * from.width;
                let source = &from.values[start..start + from.width];
                for (sum, value) in line.iter_mut().zip(source) {
                    *sum += weight * value;
                }
            }
            let start = (channel * height + y) * width;
            for (value, column) in to.values[start..start + width].iter_mut().zip(&columns) {
                let source = &line[column.first..column.first + column.weights.len()];
                *value = source.iter().zip(&column.weights).map(|(a, b)| a * b).sum();
            }
        }
    }
}

/// The source pixels that make one target pixel along one axis.
struct Tap {
    first: usize,
    weights: Vec<f32>,
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixel indices below 8192, clamped to the picture"
)]
fn taps(from: usize, to: usize, method: ResizeMethod) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let last = from - 1;
    (0..to)
        .map(|index| {
            // Pixel centres lie at halves.
            let centre = (index as f64 + 0.5) * scale;
            match method {
                ResizeMethod::Nearest => Tap {
                    first: (centre.floor() as usize).min(last),
                    weights: vec![1.0],
                },
                ResizeMethod::Bilinear => {
                    let place = (centre - 0.5).clamp(0.0, last as f64);
                    let first = (place.floor() as usize).min(last);
                    let part = (place - first as f64) as f32;
                    let weights = if first == last {
                        vec![1.0]
                    } else {
                        vec![1.0 - part, part]
                    };
                    Tap { first, weights }
                }
                ResizeMethod::BilinearAntialias => {
                    let reach = scale.max(1.0);
                    let first = (centre - reach + 0.5).floor().max(0.0) as usize;
                    let end = ((centre + reach + 0.5).floor().max(1.0) as usize).min(from);
                    let weight = |pixel: usize| {
                        (1.0 - ((pixel as f64 + 0.5 - centre) / reach).abs()).max(0.0)
                    };
                    let total: f64 = (first..end).map(weight).sum();
                    let weights = (first..end).map(|pixel| (weight(pixel) / total) as f32);
                    Tap {
                        first,
                        weights: weights.collect(),
                    }
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes(width: usize, height: usize, values: impl Fn(usize, usize, usize) -> f32) -> Planes {
        let mut planes = Planes::default();
        planes.resize(width, height);
        for channel in 0..3 {
            for y in 0..height {
                for x in 0..width {
                    planes.values[(channel * height + y) * width + x] = values(channel, x, y);
                }
            }
        }
        planes
    }

    fn run(step: ImageStep, from: &Planes) -> Planes {
        let mut to = Planes::default();
        step.run(from, &mut to, "observation.images.a").unwrap();
        to
    }

    fn resize(from: &Planes, width: u32, height: u32, method: ResizeMethod) -> Planes {
        let size = ImageSize { width, height };
        run(
            ImageStep::Resize {
                size,
                method,
                fit: ResizeFit::Stretch,
            },
            from,
        )
    }

    fn close(got: &[f32], expected: &[f32]) {
        assert_eq!(got.len(), expected.len());
        for (a, b) in got.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{got:?} is not {expected:?}");
        }
    }

    #[test]
    fn doubling_two_pixels_mixes_at_quarters() {
        // Values of PyTorch's interpolate(align_corners=False): 0, 1/4, 3/4, 1.
        let from = planes(2, 1, |_, x, _| x as f32);
        let to = resize(&from, 4, 1, ResizeMethod::Bilinear);
        close(&to.values[..4], &[0.0, 0.25, 0.75, 1.0]);
        let to = resize(&from, 4, 1, ResizeMethod::Nearest);
        close(&to.values[..4], &[0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn halving_averages_pairs_or_a_triangle() {
        let from = planes(8, 2, |channel, x, _| (x * (channel + 1)) as f32);
        let to = resize(&from, 4, 1, ResizeMethod::Bilinear);
        close(&to.values[4..8], &[1.0, 5.0, 9.0, 13.0]);
        // Triangle of half-width 2: weights 1/8, 3/8, 3/8, 1/8 inside, and
        // 3/7, 3/7, 1/7 at the border.
        let to = resize(&from, 4, 1, ResizeMethod::BilinearAntialias);
        close(&to.values[..4], &[5.0 / 7.0, 2.5, 4.5, 7.0 - 5.0 / 7.0]);
    }

    #[test]
    fn every_method_keeps_a_constant_picture() {
        let from = planes(7, 5, |channel, _, _| 0.25 * channel as f32);
        for method in [
            ResizeMethod::Bilinear,
            ResizeMethod::BilinearAntialias,
            ResizeMethod::Nearest,
        ] {
            for (width, height) in [(1, 1), (3, 9), (7, 5), (20, 2)] {
                let to = resize(&from, width, height, method);
                let area = (width * height) as usize;
                for channel in 0..3 {
                    let expected = vec![0.25 * channel as f32; area];
                    close(&to.values[channel * area..(channel + 1) * area], &expected);
                }
            }
        }
    }

    #[test]
    fn the_ratio_is_kept_inside_the_box() {
        for (from, expected) in [
            ((640, 480), (512, 384)),
            ((480, 640), (384, 512)),
            ((8, 8), (512, 512)),
        ] {
            let source = planes(from.0, from.1, |_, _, _| 0.5);
            let size = ImageSize {
                width: 512,
                height: 512,
            };
            assert_eq!(target(&source, size, ResizeFit::KeepRatio), expected);
        }
    }

    #[test]
    fn crop_undoes_pad() {
        let from = planes(3, 2, |channel, x, y| (channel * 100 + y * 10 + x) as f32);
        for anchor in [Anchor::TopLeft, Anchor::Centre, Anchor::BottomRight] {
            let large = ImageSize {
                width: 6,
                height: 5,
            };
            let padded = run(
                ImageStep::Pad {
                    size: large,
                    value: -1.0,
                    anchor,
                },
                &from,
            );
            let border = padded.values.iter().filter(|value| **value < 0.0).count();
            assert_eq!(border, 3 * (6 * 5 - 3 * 2));
            let small = ImageSize {
                width: 3,
                height: 2,
            };
            let back = run(
                ImageStep::Crop {
                    size: small,
                    anchor,
                },
                &padded,
            );
            close(&back.values, &from.values);
        }
    }

    #[test]
    fn crop_and_pad_refuse_the_wrong_direction() {
        let from = planes(4, 4, |_, _, _| 0.0);
        let anchor = Anchor::Centre;
        let steps = [
            ImageStep::Crop {
                size: ImageSize {
                    width: 5,
                    height: 4,
                },
                anchor,
            },
            ImageStep::Pad {
                size: ImageSize {
                    width: 4,
                    height: 3,
                },
                value: 0.0,
                anchor,
            },
        ];
        for step in steps {
            let error = step.run(&from, &mut Planes::default(), "observation.images.a");
            assert!(matches!(error, Err(BundleError::ImageStep { .. })));
        }
    }
}
