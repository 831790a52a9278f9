//! Decisions of a simulation's scripted expert, to record demonstrations.
//!
//! The expert never drives when the policy runs. What it executes may be
//! disturbed; the labels it hands over stay clean.

use vola_abi::TensorAbi;
use vola_bundle::{ActionChunk, PhysicalRows};
use vola_types::ActionSpace;

use crate::{ExpertNoise, LabelTensor, RuntimeError, body::World, seeded_noise::SeededNoise};

/// Columns of a `tool_delta` row with gripper.
const DIM: usize = 7;
/// Rows a second of an expert's chunk.
const PERIOD_NS: u64 = 100_000_000;
/// Standard deviation of vertical noise, as a part of the horizontal one.
const VERTICAL_PART: f64 = 2.0 / 3.0;

/// One decision of the expert.
pub(crate) struct ExpertDecision {
    /// What is executed, disturbed.
    pub(crate) executed: ActionChunk,
    /// Whether the expert sees the primitive done, or failing.
    pub(crate) progress: (f64, f64),
    /// Everything the expert returned.
    pub(crate) labels: Vec<LabelTensor>,
}

/// What the expert would do now.
pub(crate) fn labels(world: &mut dyn World) -> Result<Vec<LabelTensor>, RuntimeError> {
    world.demonstrate()?.iter().map(label).collect()
}

/// Asks the expert and disturbs its chunk.
pub(crate) fn decide(
    world: &mut dyn World,
    now_ns: u64,
    noise: &ExpertNoise,
    random: &mut SeededNoise,
) -> Result<ExpertDecision, RuntimeError> {
    let labels = labels(world)?;
    let floats = |name: &str| {
        labels
            .iter()
            .find(|label| label.name == name)
            .map(LabelTensor::f32s)
            .unwrap_or_default()
    };
    let progress = match floats("progress").as_slice() {
        [done, failing] => (f64::from(*done), f64::from(*failing)),
        other => {
            return Err(bad(format!(
                "`progress`: expected two numbers, got {}",
                other.len()
            )));
        }
    };
    let mut rows: Vec<f64> = floats("action").into_iter().map(f64::from).collect();
    disturb(&mut rows, noise, random);
    let meaning = PhysicalRows {
        space: ActionSpace::ToolDelta,
        dim: DIM,
        has_gripper: true,
        period_ns: PERIOD_NS,
    };
    let executed = ActionChunk::from_physical(&meaning, now_ns, rows)
        .map_err(|reason| bad(format!("`action`: {reason}")))?;
    Ok(ExpertDecision {
        executed,
        progress,
        labels,
    })
}

/// Adds a random walk along the rows, now and then a kick or a wrong gripper.
fn disturb(rows: &mut [f64], noise: &ExpertNoise, random: &mut SeededNoise) {
    let mut offset = [0.0; 3];
    let mut turn = 0.0;
    if random.happens(noise.kick_probability) {
        for (axis, value) in offset.iter_mut().enumerate() {
            *value += random.normal(noise.kick_m) * if axis == 2 { 0.5 } else { 1.0 };
        }
        turn += random.normal(noise.kick_rad);
    }
    let flip = random.happens(noise.gripper_flip_probability);
    for row in rows.chunks_exact_mut(DIM) {
        for (axis, value) in offset.iter_mut().enumerate() {
            let part = if axis == 2 { VERTICAL_PART } else { 1.0 };
            *value += random.normal(noise.translation_m * part);
        }
        turn += random.normal(noise.rotation_rad);
        if let [x, y, z, _, _, rz, gripper] = row {
            *x += offset[0];
            *y += offset[1];
            *z += offset[2];
            *rz += turn;
            if flip {
                *gripper = 1.0 - *gripper;
            }
        }
    }
}

fn label(tensor: &TensorAbi) -> Result<LabelTensor, RuntimeError> {
    let dtype = tensor.lend().check().map_err(bad)?;
    Ok(LabelTensor {
        name: tensor.name.to_string(),
        dtype,
        shape: tensor
            .shape
            .iter()
            .filter_map(|size| usize::try_from(*size).ok())
            .collect(),
        bytes: tensor.bytes.to_vec(),
    })
}

fn bad(message: String) -> RuntimeError {
    RuntimeError::Plugin {
        who: "simulation".to_owned(),
        entry: "demonstrate",
        kind: vola_abi::FaultKind::Failed,
        message,
    }
}
