//! `vola policy infer`: a bundle on recorded observations, without a robot.

use std::path::PathBuf;

use clap::Args;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;
use vola_runtime::{OfflineChunk, OfflinePolicy};
use vola_types::PluginId;

use crate::{
    arguments::SharedArguments,
    failure::{Failure, exit},
    output::Console,
    recorded_observation::RecordedObservation,
    workplace::{plugin_options, program_folders},
};

/// Seed of what stages draw at random.
const SEED: u64 = 0;

/// `vola policy infer`.
#[derive(Debug, Args)]
pub(crate) struct InferArguments {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Raw observations, under `input.<feature>`
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// Where `chunk_norm` and `chunk` are written
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Robot of the bundle [default: the first]
    #[arg(long, value_name = "ID")]
    embodiment: Option<String>,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &InferArguments,
    console: Console,
) -> Result<u8, Failure> {
    let id = own.embodiment.as_deref().map(PluginId::parse).transpose()?;
    let mut folders = shared.plugin_folders.clone();
    folders.extend(program_folders());
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(2));
    let mut policy = OfflinePolicy::open(
        &own.bundle,
        id.as_ref(),
        &folders,
        &plugin_options(shared),
        u32::try_from(threads).unwrap_or(1),
    )?;
    let moments = RecordedObservation::read(&own.inputs, policy.binding(), policy.history())?;
    policy.reset(SEED)?;
    let Some((last, before)) = moments.split_last() else {
        return Err(Failure::Content {
            path: own.inputs.clone(),
            reason: "it holds no observation".to_owned(),
            help: "give the features under `input.<feature>`",
        });
    };
    for moment in before {
        moment.with(|seen| policy.remember(seen))?;
    }
    let made = last.with(|seen| policy.infer(seen))?;
    let action = policy.binding().action();
    let shape = [1, made.normalised.len() / action.dim().max(1), action.dim()];
    write(own, &made, shape)?;
    if console.is_json() {
        console.object(&json!({
            "embodiment": policy.binding().id().to_string(),
            "names": action.names(),
            "shape": shape,
            "out": own.out,
        }))?;
    } else {
        console.line(&format!(
            "{} rows of {} ({}) written to {}",
            shape[1],
            shape[2],
            action.names().join(" "),
            own.out.display()
        ))?;
    }
    Ok(exit::DONE)
}

/// Writes both forms of the chunk, F32.
fn write(own: &InferArguments, made: &OfflineChunk, shape: [usize; 3]) -> Result<(), Failure> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the file holds single precision, as checkpoints do"
    )]
    let bytes = |values: &mut dyn Iterator<Item = f64>| -> Vec<u8> {
        values
            .flat_map(|value| (value as f32).to_le_bytes())
            .collect()
    };
    let normalised = bytes(&mut made.normalised.iter().copied());
    let physical = bytes(&mut made.chunk.rows().flat_map(|row| row.iter().copied()));
    let fail = |error: safetensors::SafeTensorError| Failure::Content {
        path: own.out.clone(),
        reason: format!("the chunk cannot be written: {error}"),
        help: "report this with the bundle and the inputs",
    };
    let view = |data| TensorView::new(Dtype::F32, shape.to_vec(), data).map_err(fail);
    let tensors = [
        ("chunk_norm", view(&normalised)?),
        ("chunk", view(&physical)?),
    ];
    let file = safetensors::serialize(tensors, None).map_err(fail)?;
    std::fs::write(&own.out, file).map_err(Failure::file(&own.out, "write"))
}
