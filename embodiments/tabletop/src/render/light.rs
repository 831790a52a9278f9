//! Light: its direction, shadows as a depth map seen from it, and the table's
//! wood.

use std::sync::OnceLock;

use rapier3d::math::{Pose, Vector};

use super::{mesh::Mesh, raster::spans};
use vola_types::{TABLE_X, TABLE_Y};

/// Half the side of the square that the shadow map covers (m).
const REACH: f32 = 0.62;
/// Middle of what the map covers (m).
const MIDDLE: Vector = Vector::new(0.40, 0.0, 0.05);

/// Depth map seen from the light.
#[derive(Debug, Default)]
pub(crate) struct ShadowMap {
    size: usize,
    /// Height towards the light of the highest surface (m).
    height: Vec<f32>,
    corners: Vec<[f32; 3]>,
    axes: [Vector; 3],
}

/// Axes of the light: across, along, and towards it.
fn axes(to_light: Vector) -> [Vector; 3] {
    let towards = to_light.normalize();
    let across = Vector::Y.cross(towards).normalize();
    [across, towards.cross(across), towards]
}

impl ShadowMap {
    /// Empties the map and gives it this many cells a side; `to_light` points
    /// towards the light.
    pub(crate) fn clear(&mut self, size: usize, to_light: Vector) {
        self.size = size;
        self.axes = axes(to_light);
        self.height.clear();
        self.height.resize(size * size, -10.0);
    }

    /// Adds what casts a shadow.
    pub(crate) fn draw(&mut self, mesh: &Mesh, pose: &Pose) {
        let [across, along, towards] = self.axes;
        let scale = self.scale();
        let mut corners = std::mem::take(&mut self.corners);
        corners.clear();
        corners.extend(mesh.positions.iter().map(|corner| {
            let point = *pose * *corner - MIDDLE;
            [
                (point.dot(across) + REACH) * scale,
                (point.dot(along) + REACH) * scale,
                point.dot(towards),
            ]
        }));
        for triangle in &mesh.triangles {
            let [a, b, c] = triangle.map(|corner| corner as usize);
            let (Some(a), Some(b), Some(c)) = (corners.get(a), corners.get(b), corners.get(c))
            else {
                continue;
            };
            // Only faces that see the light: the others lie behind them.
            if (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) <= 0.0 {
                continue;
            }
            let height = &mut self.height;
            spans(
                [*a, *b, *c],
                self.size,
                self.size,
                |start, length, value, step, _, _| {
                    let mut value = value;
                    for old in height.iter_mut().skip(start).take(length) {
                        *old = old.max(value);
                        value += step;
                    }
                },
            );
        }
        self.corners = corners;
    }

    /// How much direct light reaches a point, 0..1, smoothed over four cells.
    pub(crate) fn lit(&self, point: Vector, normal: Vector) -> f32 {
        let [across, along, towards] = self.axes;
        let scale = self.scale();
        // Off the surface by about a cell, so that it does not shade itself.
        let offset = point + normal * (1.2 / scale) - MIDDLE;
        let height = offset.dot(towards) + 0.6 / scale;
        let (x, y) = (
            (offset.dot(across) + REACH) * scale - 0.5,
            (offset.dot(along) + REACH) * scale - 0.5,
        );
        #[allow(clippy::cast_precision_loss, reason = "maps are small")]
        let most = self.size as f32 - 2.0;
        if !(x >= 0.0 && y >= 0.0 && x < most && y < most) {
            return 1.0;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        let (column, row) = (x as usize, y as usize);
        let (share_x, share_y) = (x - x.floor(), y - y.floor());
        let cell = |column: usize, row: usize| match self.height.get(row * self.size + column) {
            Some(stored) if *stored > height => 0.0,
            _ => 1.0,
        };
        let low = cell(column, row) * (1.0 - share_x) + cell(column + 1, row) * share_x;
        let high = cell(column, row + 1) * (1.0 - share_x) + cell(column + 1, row + 1) * share_x;
        low * (1.0 - share_y) + high * share_y
    }

    /// Unit vector towards the light.
    pub(crate) fn towards(&self) -> Vector {
        self.axes[2]
    }

    fn scale(&self) -> f32 {
        #[allow(clippy::cast_precision_loss, reason = "maps are small")]
        let cells = self.size as f32;
        cells / (2.0 * REACH)
    }
}

/// A point of a surface as the eye sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shading {
    /// Linear RGB of the surface.
    pub(crate) color: [f32; 3],
    /// Unit normal.
    pub(crate) normal: Vector,
    /// Unit vector to the eye.
    pub(crate) toward_eye: Vector,
    /// Unit vector to the light.
    pub(crate) toward_light: Vector,
    /// Share of the direct light that arrives, 0..1.
    pub(crate) lit: f32,
    /// Strength of the highlight; 0 for none.
    pub(crate) gloss: f32,
}

impl Shading {
    /// Light that leaves the surface towards the eye, linear RGB.
    pub(crate) fn light(&self) -> [f32; 3] {
        let direct = self.normal.dot(self.toward_light).max(0.0);
        let sky = 0.5 + 0.5 * self.normal.z;
        // A part of the direct light remains in shadow, as from a bright room.
        let level = 0.22 + 0.22 * sky + 0.62 * direct * (0.30 + 0.70 * self.lit);
        let highlight = if self.gloss > 0.0 {
            let halfway = (self.toward_light + self.toward_eye).normalize();
            let facing = self.normal.dot(halfway).max(0.0);
            let power = facing * facing;
            let power = power * power;
            let power = power * power;
            power * power * power * self.gloss * self.lit
        } else {
            0.0
        };
        self.color.map(|part| part * level + highlight)
    }
}

/// Side of a cell of the table's picture (m).
const GRAIN_CELL: f32 = 0.002;
/// Cells of the table's picture, along x and y.
const GRAIN: [usize; 2] = [560, 600];
/// First cell's place (m).
const GRAIN_ORIGIN: [f32; 2] = [-0.26, -0.60];

/// Brightness of the table top at a point, about 1: boards with a fine grain,
/// and thin lines between the nine regions.
pub(crate) fn table_tone(x: f32, y: f32) -> f32 {
    static TONES: OnceLock<Vec<f32>> = OnceLock::new();
    let tones = TONES.get_or_init(paint_table);
    let column = ((x - GRAIN_ORIGIN[0]) / GRAIN_CELL).max(0.0);
    let row = ((y - GRAIN_ORIGIN[1]) / GRAIN_CELL).max(0.0);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; out of range reads 1"
    )]
    let (column, row) = ((column as usize).min(GRAIN[0] - 1), row as usize);
    tones.get(row * GRAIN[0] + column).copied().unwrap_or(1.0)
}

fn paint_table() -> Vec<f32> {
    let mut tones = Vec::with_capacity(GRAIN[0] * GRAIN[1]);
    for row in 0..GRAIN[1] {
        for column in 0..GRAIN[0] {
            #[allow(clippy::cast_precision_loss, reason = "small counts")]
            let (x, y) = (
                GRAIN_ORIGIN[0] + GRAIN_CELL * (column as f32 + 0.5),
                GRAIN_ORIGIN[1] + GRAIN_CELL * (row as f32 + 0.5),
            );
            tones.push(wood(x, y) * region_lines(x, y));
        }
    }
    tones
}

/// Boards 14 cm wide along y, each of its own tone, with wavy grain.
fn wood(x: f32, y: f32) -> f32 {
    const BOARD: f32 = 0.14;
    let board = (x / BOARD).floor();
    let seam = (x / BOARD - board - 0.5).abs();
    let tone = 0.020 * libm::sinf(board * 12.9898 + 1.7);
    let wave = 0.006 * libm::sinf(y * 9.0 + board * 4.0) + 0.003 * libm::sinf(y * 31.0 + board);
    let grain = libm::sinf((x + wave) * 410.0 + board * 7.0) * 0.014
        + libm::sinf((x + 1.6 * wave) * 1130.0 + y * 14.0) * 0.010;
    let gap = if seam > 0.493 { -0.07 } else { 0.0 };
    1.0 + tone + grain + gap
}

/// Thin, faint lines round the usable table and between its thirds.
fn region_lines(x: f32, y: f32) -> f32 {
    const HALF_LINE: f32 = 0.0016;
    let third =
        |range: [f64; 2], share: f64| crate::arm::narrow(range[0] + share * (range[1] - range[0]));
    let near = |value: f32, range: [f64; 2]| {
        [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]
            .iter()
            .any(|share| (value - third(range, *share)).abs() < HALF_LINE)
    };
    let inside = |value: f32, range: [f64; 2]| {
        value > third(range, 0.0) - HALF_LINE && value < third(range, 1.0) + HALF_LINE
    };
    let on_line =
        (near(x, TABLE_X) && inside(y, TABLE_Y)) || (near(y, TABLE_Y) && inside(x, TABLE_X));
    if on_line { 0.90 } else { 1.0 }
}
