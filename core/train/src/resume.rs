//! The saved state of a training, from which it goes on as if it had not stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use vola_bundle::read_safetensors;

use crate::optimizer::Optimizer;
use crate::shard_writer::write_whole;
use crate::{Result, TrainError};

/// Where a training stands, besides its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ResumeState {
    /// Steps done.
    pub step: u64,
    /// Seconds trained.
    pub seconds: f64,
    /// Hash of the network's layout, the configuration and the data.
    pub fingerprint: String,
}

/// The file of the state in a work folder.
#[must_use]
pub fn state_path(work: &Path) -> PathBuf {
    work.join("resume.safetensors")
}

/// Saves state and optimiser.
///
/// # Errors
/// A failing write.
pub fn save(path: &Path, state: &ResumeState, optimizer: &Optimizer) -> Result<()> {
    let lists = lists(optimizer).map(|(name, values)| {
        (
            name,
            values
                .iter()
                .flat_map(|x| x.to_le_bytes())
                .collect::<Vec<u8>>(),
        )
    });
    let fail = |e: safetensors::SafeTensorError| TrainError::Resume {
        path: path.to_path_buf(),
        reason: e.to_string(),
    };
    let views = lists
        .iter()
        .map(|(name, bytes)| {
            Ok((
                *name,
                TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?,
            ))
        })
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(fail)?;
    let metadata = BTreeMap::from([
        ("step".to_string(), state.step.to_string()),
        ("seconds".to_string(), state.seconds.to_string()),
        ("fingerprint".to_string(), state.fingerprint.clone()),
    ]);
    let bytes =
        safetensors::serialize(views, Some(metadata.into_iter().collect())).map_err(fail)?;
    write_whole(path, &bytes)
}

/// Loads a state into the optimiser; none when there is no file.
///
/// # Errors
/// A damaged file, or one of another network, configuration or data set.
pub fn load(
    path: &Path,
    fingerprint: &str,
    optimizer: &mut Optimizer,
) -> Result<Option<ResumeState>> {
    if !path.exists() {
        return Ok(None);
    }
    let fail = |reason: String| TrainError::Resume {
        path: path.to_path_buf(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(TrainError::io(path))?;
    let file = read_safetensors(&bytes).map_err(|e| fail(e.to_string()))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| fail(e.to_string()))?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let entry = |key: &str| {
        metadata
            .get(key)
            .ok_or_else(|| fail(format!("metadata: `{key}` is missing")))
    };
    let state = ResumeState {
        step: entry("step")?
            .parse()
            .map_err(|e| fail(format!("metadata.step: {e}")))?,
        seconds: entry("seconds")?
            .parse()
            .map_err(|e| fail(format!("metadata.seconds: {e}")))?,
        fingerprint: entry("fingerprint")?.clone(),
    };
    if state.fingerprint != fingerprint {
        return Err(fail(
            "it belongs to another configuration, network or data set".to_string(),
        ));
    }
    let expected = lists(optimizer).map(|(name, values)| (name, values.len()));
    let mut loaded = Vec::new();
    for (name, len) in expected {
        let view = file
            .tensor(name)
            .map_err(|e| fail(format!("{name}: {e}")))?;
        let values: Vec<f32> = view
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        if values.len() != len || !values.iter().all(|x| x.is_finite()) {
            return Err(fail(format!(
                "{name}: expected {len} finite numbers, got {}",
                values.len()
            )));
        }
        loaded.push(values);
    }
    let places = [
        &mut optimizer.values,
        &mut optimizer.average,
        &mut optimizer.moment1,
        &mut optimizer.moment2,
        &mut optimizer.updates,
    ];
    for (place, values) in places.into_iter().zip(loaded) {
        *place = values;
    }
    Ok(Some(state))
}

fn lists(optimizer: &Optimizer) -> [(&'static str, &Vec<f32>); 5] {
    [
        ("values", &optimizer.values),
        ("average", &optimizer.average),
        ("moment1", &optimizer.moment1),
        ("moment2", &optimizer.moment2),
        ("updates", &optimizer.updates),
    ]
}
