//! One picture from one snapshot.

use rapier3d::math::{Pose, Vector};

use super::{
    CameraView, Snapshot,
    light::{Shading, ShadowMap, table_tone},
    model::{Part, Surface},
    raster::{NOTHING, Samples},
};
use crate::arm::narrow;

/// Samples a pixel has along each side.
const SUPERSAMPLING: usize = 2;

/// Draws pictures; keeps its buffers from one to the next.
///
/// # Timing
/// About 3 ms for 128 × 96 pixels. Allocates only when the size grows.
#[derive(Debug, Default)]
pub(crate) struct Renderer {
    samples: Samples,
    shadows: ShadowMap,
    linear: Vec<[f32; 3]>,
}

impl Renderer {
    /// Writes u8 `[height, width, 3]` RGB into `out`; what does not fit in
    /// `out` is left out.
    pub(crate) fn render(
        &mut self,
        snapshot: &Snapshot,
        camera: &CameraView,
        [width, height]: [usize; 2],
        out: &mut [u8],
    ) {
        let look = &snapshot.model.look;
        let to_light = Vector::from(look.to_light.map(narrow));
        self.shadows
            .clear(if width > 320 { 1400 } else { 360 }, to_light);
        for (_, part, pose) in parts(snapshot) {
            if part.surface != Surface::Table {
                self.shadows.draw(&part.mesh, &pose);
            }
        }
        self.draw(
            snapshot,
            camera,
            [width * SUPERSAMPLING, height * SUPERSAMPLING],
        );
        self.resolve(snapshot, camera);
        let gains = look.gains.map(|gain| narrow(gain * look.level));
        self.reduce([width, height], gains, out);
    }

    /// Depth and part number at one sample a pixel, without shading: what the
    /// labels of visibility are made from.
    pub(crate) fn depth(
        &mut self,
        snapshot: &Snapshot,
        camera: &CameraView,
        size: [usize; 2],
    ) -> &Samples {
        self.draw(snapshot, camera, size);
        &self.samples
    }

    fn draw(&mut self, snapshot: &Snapshot, camera: &CameraView, [width, height]: [usize; 2]) {
        self.samples.clear(width, height);
        #[allow(clippy::cast_precision_loss, reason = "picture sizes are small")]
        let half_height = camera.half_width * height as f32 / width as f32;
        for (index, part, pose) in parts(snapshot) {
            let center = camera.to_view(pose.translation);
            let beside = |offset: f32, half: f32| {
                // Distance to the side plane of the view.
                (offset.abs() - center.z * half) > part.radius * (1.0 + half * half).sqrt()
            };
            let outside = center.z < -part.radius
                || beside(center.x, camera.half_width)
                || beside(center.y, half_height);
            if !outside {
                self.samples.draw(camera, &part.mesh, &pose, index);
            }
        }
    }

    /// Light of every sample.
    fn resolve(&mut self, snapshot: &Snapshot, camera: &CameraView) {
        let samples = &self.samples;
        #[allow(clippy::cast_precision_loss, reason = "picture sizes are small")]
        let (width, height) = (samples.width as f32, samples.height as f32);
        let per_column = 2.0 * camera.half_width / width;
        self.linear.clear();
        self.linear.reserve(samples.width * samples.height);
        for row in 0..samples.height {
            #[allow(clippy::cast_precision_loss, reason = "picture sizes are small")]
            let v = (0.5 * height - row as f32 - 0.5) * per_column;
            let row_ray = camera.forward + camera.up * v;
            let start = row * samples.width;
            let depths = samples.inverse_depth.iter().skip(start).take(samples.width);
            let owners = samples
                .part
                .iter()
                .skip(start)
                .zip(samples.normal.iter().skip(start));
            for (column, (inverse, (owner, normal))) in depths.zip(owners).enumerate() {
                #[allow(clippy::cast_precision_loss, reason = "picture sizes are small")]
                let u = (column as f32 + 0.5 - 0.5 * width) * per_column;
                let ray = row_ray + camera.right * u;
                let color = if *owner == NOTHING {
                    background(ray)
                } else {
                    let part = snapshot.model.parts.get(usize::from(*owner));
                    part.map_or_else(
                        || background(ray),
                        |part| {
                            let point = camera.position + ray / *inverse;
                            light_of(part, point, normal.normalize(), ray, &self.shadows)
                        },
                    )
                };
                self.linear.push(color);
            }
        }
    }

    /// Averages the samples of each pixel, scales its channels by `gains` and
    /// applies the display's curve.
    fn reduce(&self, [width, height]: [usize; 2], gains: [f32; 3], out: &mut [u8]) {
        #[allow(clippy::cast_precision_loss, reason = "a small count")]
        let share = 1.0 / (SUPERSAMPLING * SUPERSAMPLING) as f32;
        let stride = width * SUPERSAMPLING;
        for (index, pixel) in out.chunks_exact_mut(3).enumerate().take(width * height) {
            let (row, column) = (index / width, index % width);
            let mut sum = [0.0_f32; 3];
            for down in 0..SUPERSAMPLING {
                let start = (row * SUPERSAMPLING + down) * stride + column * SUPERSAMPLING;
                for sample in self.linear.iter().skip(start).take(SUPERSAMPLING) {
                    for ((total, part), gain) in sum.iter_mut().zip(sample).zip(gains) {
                        *total += (part * gain).min(1.0);
                    }
                }
            }
            for (byte, total) in pixel.iter_mut().zip(sum) {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 to 255"
                )]
                let value = ((total * share).sqrt() * 255.0 + 0.5).clamp(0.0, 255.0) as u8;
                *byte = value;
            }
        }
    }
}

/// Every part with its number and pose.
fn parts(snapshot: &Snapshot) -> impl Iterator<Item = (u16, &Part, Pose)> {
    snapshot
        .model
        .parts
        .iter()
        .enumerate()
        .filter_map(|(index, part)| {
            let pose = match part.body {
                Some(body) => *snapshot.poses.get(body)? * part.in_body,
                None => part.in_body,
            };
            Some((u16::try_from(index).ok()?, part, pose))
        })
}

fn light_of(
    part: &Part,
    point: Vector,
    normal: Vector,
    ray: Vector,
    shadows: &ShadowMap,
) -> [f32; 3] {
    let (gloss, tone) = match part.surface {
        Surface::Table if normal.z > 0.7 => (0.0, table_tone(point.x, point.y)),
        Surface::Table => (0.0, 0.8),
        Surface::Matt => (0.03, 1.0),
        Surface::Shiny => (0.11, 1.0),
    };
    let shading = Shading {
        color: part.color.map(|value| value * tone),
        normal,
        toward_eye: if gloss > 0.0 { -ray.normalize() } else { -ray },
        toward_light: shadows.towards(),
        lit: shadows.lit(point, normal),
        gloss,
    };
    shading.light()
}

/// The room behind: soft, darker towards the floor.
fn background(ray: Vector) -> [f32; 3] {
    let level = (0.5 + 0.6 * ray.normalize().z).clamp(0.0, 1.0);
    let (low, high) = ([0.36_f32, 0.40, 0.45], [0.80_f32, 0.84, 0.88]);
    [0, 1, 2].map(|part| low[part] + (high[part] - low[part]) * level)
}
