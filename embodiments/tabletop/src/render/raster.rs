//! From triangles to samples: clipping at the near plane, spans, depth test.

use rapier3d::math::{Pose, Vector};

use super::{CameraView, mesh::Mesh};

/// Nearest visible depth (m).
const NEAR: f32 = 0.012;
/// Sample that no part covers.
pub(crate) const NOTHING: u16 = u16::MAX;

/// What one picture's samples show. Buffers are kept between pictures.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// Columns.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// 1 / depth (1/m); 0 where nothing is.
    pub(crate) inverse_depth: Vec<f32>,
    /// Index of the part seen, or [`NOTHING`].
    pub(crate) part: Vec<u16>,
    /// Normal of the surface seen (not of unit length).
    pub(crate) normal: Vec<Vector>,
    view: Vec<Vector>,
    turned: Vec<Vector>,
}

/// A corner after projection: column, row, 1 / depth; and its normal.
#[derive(Clone, Copy)]
struct Corner {
    at: [f32; 3],
    normal: Vector,
}

impl Samples {
    /// Empties the samples and gives them this size.
    pub(crate) fn clear(&mut self, width: usize, height: usize) {
        let count = width * height;
        self.width = width;
        self.height = height;
        self.inverse_depth.clear();
        self.inverse_depth.resize(count, 0.0);
        self.part.clear();
        self.part.resize(count, NOTHING);
        self.normal.resize(count, Vector::Z);
    }

    /// Draws one mesh at a pose.
    pub(crate) fn draw(&mut self, camera: &CameraView, mesh: &Mesh, pose: &Pose, part: u16) {
        let (mut view, mut turned) = (
            std::mem::take(&mut self.view),
            std::mem::take(&mut self.turned),
        );
        view.clear();
        view.extend(
            mesh.positions
                .iter()
                .map(|corner| camera.to_view(*pose * *corner)),
        );
        turned.clear();
        turned.extend(mesh.normals.iter().map(|normal| pose.rotation * *normal));
        for triangle in &mesh.triangles {
            let [a, b, c] = triangle.map(|corner| corner as usize);
            let (Some(pa), Some(pb), Some(pc)) = (view.get(a), view.get(b), view.get(c)) else {
                continue;
            };
            // The face points away from the eye, which is the view's origin.
            if (*pb - *pa).cross(*pc - *pa).dot(*pa) * HANDED >= 0.0 {
                continue;
            }
            let points = [*pa, *pb, *pc];
            let (Some(na), Some(nb), Some(nc)) = (turned.get(a), turned.get(b), turned.get(c))
            else {
                continue;
            };
            self.clip(camera.half_width, points, [*na, *nb, *nc], part);
        }
        self.view = view;
        self.turned = turned;
    }

    /// Cuts a triangle at the near plane and fills what is left.
    fn clip(&mut self, half_width: f32, points: [Vector; 3], normals: [Vector; 3], part: u16) {
        let mut kept: [(Vector, Vector); 4] = [(Vector::ZERO, Vector::Z); 4];
        let mut count = 0;
        let mut keep = |corner: (Vector, Vector)| {
            if let Some(slot) = kept.get_mut(count) {
                *slot = corner;
                count += 1;
            }
        };
        for index in 0..3 {
            let next = (index + 1) % 3;
            let (from, to) = (points[index], points[next]);
            if from.z >= NEAR {
                keep((from, normals[index]));
            }
            if (from.z >= NEAR) != (to.z >= NEAR) {
                let share = (NEAR - from.z) / (to.z - from.z);
                keep((
                    from.lerp(to, share),
                    normals[index].lerp(normals[next], share),
                ));
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "picture sizes are small")]
        let (width, height) = (self.width as f32, self.height as f32);
        let scale = 0.5 * width / half_width;
        let corner = |(point, normal): (Vector, Vector)| {
            let inverse = 1.0 / point.z;
            let at = [
                0.5 * width + point.x * inverse * scale,
                0.5 * height - point.y * inverse * scale,
                inverse,
            ];
            Corner { at, normal }
        };
        for last in 2..count {
            self.fill(
                [corner(kept[0]), corner(kept[last - 1]), corner(kept[last])],
                part,
            );
        }
    }

    fn fill(&mut self, corners: [Corner; 3], part: u16) {
        let [a, b, c] = corners;
        let (inverse_depth, parts, normals) =
            (&mut self.inverse_depth, &mut self.part, &mut self.normal);
        spans(
            [a.at, b.at, c.at],
            self.width,
            self.height,
            |start, length, depth, step, weights, change| {
                let mut inverse = depth;
                let mut weights = weights;
                let rows = inverse_depth
                    .iter_mut()
                    .zip(parts.iter_mut())
                    .zip(normals.iter_mut())
                    .skip(start)
                    .take(length);
                for ((old, owner), normal) in rows {
                    if inverse > *old {
                        *old = inverse;
                        *owner = part;
                        *normal = a.normal * (1.0 - weights[0] - weights[1])
                            + b.normal * weights[0]
                            + c.normal * weights[1];
                    }
                    inverse += step;
                    weights[0] += change[0];
                    weights[1] += change[1];
                }
            },
        );
    }
}

/// Camera axes (right, up, forward) are left-handed, which turns the sense of
/// every triangle.
const HANDED: f32 = -1.0;

/// Walks the rows of a triangle: for each, the first sample's index, the
/// number of samples, the third coordinate there and its step, the weights of
/// corners 1 and 2 there and their steps.
pub(crate) fn spans(
    corners: [[f32; 3]; 3],
    width: usize,
    height: usize,
    mut row: impl FnMut(usize, usize, f32, f32, [f32; 2], [f32; 2]),
) {
    let [a, b, c] = corners;
    let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    if !(area.abs() > 1e-9) {
        return;
    }
    let inverse_area = 1.0 / area;
    // Weights of b and c grow linearly with column and row.
    let across = [(c[1] - a[1]) * inverse_area, -(b[1] - a[1]) * inverse_area];
    let down = [-(c[0] - a[0]) * inverse_area, (b[0] - a[0]) * inverse_area];
    let step = (b[2] - a[2]) * across[0] + (c[2] - a[2]) * across[1];
    let low = a[1].min(b[1]).min(c[1]);
    let high = a[1].max(b[1]).max(c[1]);
    #[allow(clippy::cast_precision_loss, reason = "picture sizes are small")]
    let (columns, rows) = (width as f32, height as f32);
    let (first, last) = (
        (low - 0.5).ceil().max(0.0),
        (high - 0.5).floor().min(rows - 1.0),
    );
    let mut y = first;
    while y <= last {
        let py = y + 0.5 - a[1];
        // Each weight is `at_zero + across * (column + 0.5 - a.x)`; the three
        // are not negative inside.
        let at_zero = [down[0] * py, down[1] * py];
        let lines = [
            (at_zero[0], across[0]),
            (at_zero[1], across[1]),
            (1.0 - at_zero[0] - at_zero[1], -across[0] - across[1]),
        ];
        let (mut left, mut right) = (-a[0], columns - a[0]);
        let mut empty = false;
        for (value, slope) in lines {
            if slope > 1e-12 {
                left = left.max(-value / slope);
            } else if slope < -1e-12 {
                right = right.min(-value / slope);
            } else if value < 0.0 {
                empty = true;
            }
        }
        let start = (left + a[0] - 0.5).ceil().max(0.0);
        let end = (right + a[0] - 0.5).floor().min(columns - 1.0);
        if !empty && end >= start {
            let px = start + 0.5 - a[0];
            let weights = [at_zero[0] + across[0] * px, at_zero[1] + across[1] * px];
            let value = a[2] + (b[2] - a[2]) * weights[0] + (c[2] - a[2]) * weights[1];
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the picture above"
            )]
            let (index, length) = (
                y as usize * width + start as usize,
                (end - start) as usize + 1,
            );
            row(index, length, value, step, weights, across);
        }
        y += 1.0;
    }
}
