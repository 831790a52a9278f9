//! What a training decides before its first step: which frames, which tensors, which saved state.

use std::path::PathBuf;

use vola_nn::heads::{SceneGrid, SceneSettings};

use crate::flat_params::FlatParams;
use crate::worker::SceneNames;
use crate::{Budget, FrameSource, PolicyFile, Rng, TrainConfig};

/// One episode in this many is kept for validation.
const VALIDATION_SHARE: u64 = 20;
/// Most frames of a validation.
const VALIDATION_FRAMES: usize = 768;

/// Frames for training and (a sample) for validation; an episode is in one of them only.
pub(crate) fn split(source: &dyn FrameSource, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let (mut training, mut validation) = (Vec::new(), Vec::new());
    for episode in 0..source.episodes() {
        // The first two are told apart by hand, so that the smallest data set has both.
        let kept = match episode {
            0 => false,
            1 => true,
            _ => Rng::keyed(seed, &[3, episode as u64])
                .next_u64()
                .is_multiple_of(VALIDATION_SHARE),
        };
        if kept { &mut validation } else { &mut training }.extend(source.frames_of(episode));
    }
    let stride = validation.len().div_ceil(VALIDATION_FRAMES).max(1);
    (training, validation.into_iter().step_by(stride).collect())
}

/// What a saved state must agree with. The budget is left out: a longer one may go on.
pub(crate) fn fingerprint(
    config: &TrainConfig,
    policy: &PolicyFile,
    params: &FlatParams,
    source: &dyn FrameSource,
) -> String {
    let budgetless = TrainConfig {
        budget: Budget {
            minutes: None,
            steps: None,
            checkpoint_minutes: 0.0,
            validate_every: 0,
        },
        record: Vec::new(),
        work: PathBuf::new(),
        out: PathBuf::new(),
        ..config.clone()
    };
    let text = format!(
        "{budgetless:?};{};{};{:?};{};{}",
        policy.text,
        params.layout(),
        source.shape(),
        source.len(),
        source.episodes()
    );
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// The scene head's tensors, if the policy has one.
pub(crate) fn scene_names(policy: &PolicyFile) -> Option<SceneNames> {
    let stage = policy.stage("heads/scene")?;
    let settings: SceneSettings =
        serde_json::from_value(stage.settings.clone()).unwrap_or_default();
    Some(SceneNames {
        objects: stage.outputs.first()?.clone(),
        raw: format!("{}.raw", stage.name),
        grid: SceneGrid {
            rows: settings.grid[0],
            columns: settings.grid[1],
            sub: settings.sub,
        },
    })
}
