//! The head `scene`: which objects the camera sees, and where they are.
//!
//! Every fine cell (two pixels) says whether the centre of a block, bowl or drawer projects into
//! it, which colour it has and where it lies in the robot's base frame. The position is a cubic
//! polynomial of the image coordinates, which is nearly right for a fixed camera, plus what the
//! features say. A detector with boxes would find the same centres and know nothing of depth.

use candle_core::{D, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::scene_decode::{ROW, decode};
use super::scene_grid::{KINDS, SceneChannels, SceneGrid, TERMS};
use crate::kernels::Activation;
use crate::layers::{Linear, Mlp};
use crate::stage::{Mode, check_size, parse_settings};
use crate::{NamedTensors, NnError, Params, Result, Stage, StageContext, StageKind, require};

const ID: &str = "scene";
/// Heat logits start at one object in a hundred cells: from zero, the thousands of empty cells would
/// drown everything else for the first thousand steps.
///
/// # Source
/// Lin et al., "Focal Loss for Dense Object Detection", section 4.1.
const HEAT_PRIOR: f32 = -4.6;
/// Terms of the position polynomial are scaled up: an optimiser that moves each weight by at most
/// its learning rate would otherwise need thousands of steps to span the table.
const TERM_GAIN: f64 = 8.0;

/// Settings of [`SceneHead`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SceneSettings {
    /// Rows and columns of map cells.
    pub grid: [usize; 2],
    /// Divisions of a map cell in each direction.
    pub sub: usize,
    /// Features of a map cell.
    pub map_width: usize,
    /// Hidden features.
    pub hidden: usize,
    /// Rows of the output.
    pub max_objects: usize,
    /// Least confidence of an object, 0..1.
    pub threshold: f32,
    /// Least distance (m) of two blocks, two bowls, two drawers; nearer ones are one object.
    pub separation: [f32; 3],
}

impl Default for SceneSettings {
    fn default() -> Self {
        Self {
            grid: [24, 32],
            sub: 2,
            map_width: 64,
            hidden: 96,
            max_objects: 12,
            threshold: 0.3,
            separation: [0.02, 0.05, 0.3],
        }
    }
}

/// Scene map to objects.
///
/// # Shapes
/// `map` `[batch, rows * columns, map_width]` → `objects` `[batch, max_objects, 8]`: kind, colour,
/// x, y, z (m, base frame), confidence, extra (openness of a drawer, 0..1), 0; rows of confidence 0
/// are padding. In training the output is `raw` `[batch, cells, 33]` alone, by
/// [`SceneGrid`] and [`SceneChannels`].
pub struct SceneHead {
    settings: SceneSettings,
    grid: SceneGrid,
    token_terms: Tensor,
    fine_terms: Tensor,
    prior: Tensor,
    network: Mlp,
    plane: Linear,
}

impl SceneHead {
    /// JSON schema of the settings.
    pub const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"grid":{"type":"array","items":{"type":"integer","minimum":1,"maximum":1024},"minItems":2,"maxItems":2,"default":[24,32],"description":"rows and columns of map cells"},
"sub":{"type":"integer","minimum":1,"maximum":8,"default":2,"description":"divisions of a map cell in each direction"},
"map_width":{"type":"integer","minimum":1,"maximum":8192,"default":64,"description":"features of a map cell"},
"hidden":{"type":"integer","minimum":1,"maximum":4096,"default":96,"description":"hidden features"},
"max_objects":{"type":"integer","minimum":1,"maximum":256,"default":12,"description":"rows of the output"},
"threshold":{"type":"number","minimum":0,"maximum":1,"default":0.3,"description":"least confidence of an object"},
"separation":{"type":"array","items":{"type":"number","minimum":0},"minItems":3,"maxItems":3,"default":[0.02,0.05,0.3],"description":"least distance in m of two blocks, two bowls, two drawers"}}}"#;

    /// Builds the head from JSON settings.
    ///
    /// # Errors
    /// Bad settings, or parameters that do not fit.
    pub fn from_json(settings: &serde_json::Value, params: &Params<'_>) -> Result<Self> {
        Self::new(parse_settings(ID, settings)?, params)
    }

    /// Builds the head.
    ///
    /// # Errors
    /// As [`SceneHead::from_json`].
    pub fn new(settings: SceneSettings, params: &Params<'_>) -> Result<Self> {
        check_size(ID, "grid[0]", settings.grid[0], (1, 1024))?;
        check_size(ID, "grid[1]", settings.grid[1], (1, 1024))?;
        check_size(ID, "sub", settings.sub, (1, 8))?;
        check_size(ID, "map_width", settings.map_width, (1, 8192))?;
        check_size(ID, "hidden", settings.hidden, (1, 4096))?;
        check_size(ID, "max_objects", settings.max_objects, (1, 256))?;
        let unit = 0.0..=1.0;
        if !unit.contains(&settings.threshold) || !settings.separation.iter().all(|d| *d >= 0.0) {
            let reason = format!(
                "threshold {} must lie in 0..1 and separation {:?} must not be negative",
                settings.threshold, settings.separation
            );
            return Err(NnError::Settings { stage: ID, reason });
        }
        let grid = SceneGrid {
            rows: settings.grid[0],
            columns: settings.grid[1],
            sub: settings.sub,
        };
        let outer = settings.sub * settings.sub * SceneChannels::COUNT;
        let mut prior = vec![0.0; SceneChannels::COUNT];
        prior[SceneChannels::HEAT..SceneChannels::HEAT + KINDS].fill(HEAT_PRIOR);
        Ok(Self {
            grid,
            token_terms: grid.token_polynomial()?,
            fine_terms: (grid.polynomial()? * TERM_GAIN)?,
            prior: Tensor::from_vec(prior, SceneChannels::COUNT, &Device::Cpu)?,
            network: Mlp::new(
                &[settings.map_width + TERMS, settings.hidden, outer],
                params,
            )?,
            plane: Linear::new(TERMS, 3 * KINDS, Activation::Linear, &params.sub("plane"))?,
            settings,
        })
    }

    /// The geometry of the raw output.
    #[must_use]
    pub fn grid(&self) -> SceneGrid {
        self.grid
    }
}

impl Stage for SceneHead {
    fn kind(&self) -> StageKind {
        StageKind::Head
    }

    fn input_roles(&self) -> Vec<&'static str> {
        vec!["map"]
    }

    fn output_roles(&self) -> Vec<&'static str> {
        vec!["objects"]
    }

    fn forward(&self, ctx: &StageContext, inputs: &[(String, Tensor)]) -> Result<NamedTensors> {
        let s = &self.settings;
        let tokens = s.grid[0] * s.grid[1];
        let map = require(ID, inputs, "map", &[None, Some(tokens), Some(s.map_width)])?;
        let batch = map.dim(0)?;
        let terms = self
            .token_terms
            .unsqueeze(0)?
            .broadcast_as((batch, tokens, TERMS))?
            .contiguous()?;
        let raw = self.network.forward(&Tensor::cat(&[map, &terms], 2)?)?; // [batch, tokens, sub * sub * 33]
        let raw = raw.reshape((batch, self.grid.cells(), SceneChannels::COUNT))?;
        let plane = self.plane.forward(&self.fine_terms)?; // [cells, 3 * KINDS]
        let (before, width) = (SceneChannels::position(0), 3 * KINDS);
        let after = SceneChannels::COUNT - before - width;
        let plane = plane.pad_with_zeros(D::Minus1, before, after)?; // [cells, 33]
        let raw = raw.broadcast_add(&plane.broadcast_add(&self.prior)?)?;
        if ctx.mode == Mode::Train {
            return Ok(vec![("raw".into(), raw)]);
        }
        let numbers = raw.flatten_all()?.to_vec1::<f32>()?;
        let objects: Vec<f32> = numbers
            .chunks_exact(self.grid.cells() * SceneChannels::COUNT)
            .flat_map(|one| decode(one, self.grid, s))
            .collect();
        Ok(vec![(
            "objects".into(),
            Tensor::from_vec(objects, (batch, s.max_objects, ROW), map.device())?,
        )])
    }

    fn reset(&mut self, _seed: u64) {}
}
