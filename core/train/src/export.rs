//! Writing a bundle: weights, vocabulary, statistics and the list of stages.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::{Dtype, tensor::TensorView};
use vola_nn::{WordTokenizer, save_tensors};

use crate::flat_params::FlatParams;
use crate::shard_writer::write_whole;
use crate::units::{
    ACTION_NAMES, POSITION_CENTRE_M, POSITION_SCALE_M, STATE_NAMES, action_statistics,
    state_statistics,
};
use crate::{PolicyFile, Result, TrainError};

/// Statistics file of every robot that shares the tabletop's units.
const STATISTICS: &str = "stats/tabletop.safetensors";

/// Writes what stages need when they are built: the vocabulary.
pub(crate) fn write_tokenizer(folder: &Path, words: &WordTokenizer) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
    write_whole(&folder.join("tokenizer.json"), words.to_json().as_bytes())
}

/// Writes the whole bundle: `policy.toml`, `model.safetensors`, `tokenizer.json`, statistics.
pub(crate) fn write_bundle(
    folder: &Path,
    policy: &PolicyFile,
    words: &WordTokenizer,
    params: &FlatParams,
    values: &[f32],
    metadata: BTreeMap<String, String>,
) -> Result<()> {
    write_tokenizer(folder, words)?;
    let mut tensors = BTreeMap::new();
    for entry in &params.entries {
        let slice = &values[entry.start..entry.start + entry.len];
        tensors.insert(
            entry.name.clone(),
            Tensor::from_slice(slice, entry.var.dims(), &Device::Cpu)?,
        );
    }
    save_tensors(&folder.join("model.safetensors"), &tensors, metadata)?;
    write_statistics(&folder.join(STATISTICS))?;
    write_whole(&folder.join("policy.toml"), policy.text.as_bytes())
}

/// `<feature>.mean` and `<feature>.std`, with the names of the elements as metadata.
fn write_statistics(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
    }
    let (state_mean, state_std) = state_statistics();
    let (action_mean, action_std) = action_statistics();
    let lists: [(&str, &[f32]); 6] = [
        ("observation.state.mean", &state_mean),
        ("observation.state.std", &state_std),
        ("action.mean", &action_mean),
        ("action.std", &action_std),
        ("goal.mean", &POSITION_CENTRE_M),
        ("goal.std", &[POSITION_SCALE_M; 3]),
    ];
    let bytes = lists.map(|(name, values)| {
        (
            name,
            values
                .iter()
                .flat_map(|x| x.to_le_bytes())
                .collect::<Vec<u8>>(),
        )
    });
    let fail = |reason: String| TrainError::Shard {
        path: path.to_path_buf(),
        reason,
    };
    let views = bytes
        .iter()
        .map(|(name, bytes)| {
            Ok((
                *name,
                TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?,
            ))
        })
        .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|e| fail(e.to_string()))?;
    let names = |list: &[&str]| serde_json::json!(list).to_string();
    let metadata = [
        ("observation.state.names".to_string(), names(&STATE_NAMES)),
        ("action.names".to_string(), names(&ACTION_NAMES)),
        ("goal.names".to_string(), names(&["x", "y", "z"])),
    ];
    let file = safetensors::serialize(views, Some(metadata.into_iter().collect()))
        .map_err(|e| fail(e.to_string()))?;
    write_whole(path, &file)
}
