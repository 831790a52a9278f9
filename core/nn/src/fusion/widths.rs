//! Sizes that every fusion needs to know, and the coordinates of cells.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::stage::check_size;

/// Settings of the plain fusions [`ConcatFusion`](super::ConcatFusion) and [`FilmFusion`](super::FilmFusion).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FusionSettings {
    /// Rows and columns of vision cells.
    pub grid: [usize; 2],
    /// Features of the language encoder.
    pub language_width: usize,
    /// Features of a vision token.
    pub vision_width: usize,
    /// Features of the proprioception encoder.
    pub proprio_width: usize,
    /// Features of the context.
    pub context_width: usize,
}

impl Default for FusionSettings {
    fn default() -> Self {
        Self {
            grid: [24, 32],
            language_width: 192,
            vision_width: 48,
            proprio_width: 31,
            context_width: 256,
        }
    }
}

impl FusionSettings {
    /// JSON schema of the settings.
    pub const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"grid":{"type":"array","items":{"type":"integer","minimum":1,"maximum":1024},"minItems":2,"maxItems":2,"default":[24,32],"description":"rows and columns of vision cells"},
"language_width":{"type":"integer","minimum":1,"maximum":8192,"default":192,"description":"features of the language encoder"},
"vision_width":{"type":"integer","minimum":1,"maximum":8192,"default":48,"description":"features of a vision token"},
"proprio_width":{"type":"integer","minimum":23,"maximum":8192,"default":31,"description":"features of the proprioception encoder"},
"context_width":{"type":"integer","minimum":1,"maximum":8192,"default":256,"description":"features of the context"}}}"#;

    pub(super) fn check(&self, stage: &'static str) -> Result<()> {
        check_size(stage, "grid[0]", self.grid[0], (1, 1024))?;
        check_size(stage, "grid[1]", self.grid[1], (1, 1024))?;
        check_size(stage, "language_width", self.language_width, (1, 8192))?;
        check_size(stage, "vision_width", self.vision_width, (1, 8192))?;
        check_size(stage, "proprio_width", self.proprio_width, (23, 8192))?;
        check_size(stage, "context_width", self.context_width, (1, 8192))
    }

    pub(super) fn cells(&self) -> usize {
        self.grid[0] * self.grid[1]
    }
}

/// Image coordinates of the cell centres, `[cells, 2]`: x to the right and y down, both -2..2.
pub(super) fn cell_coordinates(grid: [usize; 2]) -> Result<Tensor> {
    let [rows, columns] = grid;
    let centre = |i: usize, n: usize| (i as f32 + 0.5) / n as f32 * 4.0 - 2.0;
    let flat: Vec<f32> = (0..rows * columns)
        .flat_map(|i| [centre(i % columns, columns), centre(i / columns, rows)])
        .collect();
    Ok(Tensor::from_vec(flat, (rows * columns, 2), &Device::Cpu)?)
}

/// Octaves of waves along each axis of the image.
const OCTAVES: usize = 5;
/// Numbers that [`cell_waves`] gives for a cell.
pub(super) const CELL_WAVES: usize = 4 * OCTAVES;

/// Where each cell lies, as sines and cosines of its image coordinates, `[cells, CELL_WAVES]`. The
/// shortest wave spans an eighth of the image, so that products of them have narrow peaks.
pub(super) fn cell_waves(grid: [usize; 2]) -> Result<Tensor> {
    let [rows, columns] = grid;
    let waves = |i: usize, n: usize| {
        let at = (i as f32 + 0.5) / n as f32 * 2.0 - 1.0;
        (0..OCTAVES).flat_map(move |octave| {
            let angle = at * std::f32::consts::PI * 0.5 * (1_u32 << octave) as f32;
            [angle.sin(), angle.cos()]
        })
    };
    let flat: Vec<f32> = (0..rows * columns)
        .flat_map(|i| waves(i % columns, columns).chain(waves(i / columns, rows)))
        .collect();
    Ok(Tensor::from_vec(
        flat,
        (rows * columns, CELL_WAVES),
        &Device::Cpu,
    )?)
}
