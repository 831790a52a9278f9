//! The policy of one bundle for one robot: observation in, decision out.

use std::time::Instant;

use vola_abi::{
    TensorAbi, TensorRefAbi,
    abi_stable::std_types::{ROption, RSlice, RStr},
};
use vola_bundle::{
    ActionChunk, Bundle, ChunkOrigin, EmbodimentBinding, Ensembler, ExecutionMode, FlatTensor,
    NormalisedChunk, Observation, Postprocessor, Preprocessor, RawChunk, Reference,
    ResolvedExecution, TensorRoom,
};
use vola_isolation::{PoolBuffer, SharedPool};
use vola_types::PluginId;

use crate::{
    AttentionMap, Detection, RuntimeError, attention_map::ATTENTION, pipeline::Pipeline,
    policy_versions::Versions, proprioception::Proprioception, report::little_endian_f32,
    stage_instance::PolicyHost,
};

/// Tensor that a bundle's stages may give for the confidence.
const TOKEN_ENTROPY: &str = "token_entropy";

/// What the policy decided from one observation.
pub(crate) struct PolicyDecision {
    /// Every sample, physical.
    pub(crate) samples: Vec<ActionChunk>,
    /// What is executed: the samples' mean, ensembled where asked for.
    pub(crate) executed: ActionChunk,
    /// Probabilities of (done, failing).
    pub(crate) progress: Option<(f64, f64)>,
    /// Duration of the whole decision, pictures to checked chunk (ms).
    pub(crate) millis: f64,
    /// Duration of each stage (ms).
    pub(crate) stage_millis: Vec<(String, f64)>,
    /// What the stages tell beside, for the confidence.
    pub(crate) inner: InnerEvidence,
}

/// An f32 tensor in memory: its name, its sizes, its values row-major.
pub type NamedValues = (String, Vec<usize>, Vec<f32>);

/// What stages tell of how they came to a decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct InnerEvidence {
    /// The action head's input.
    pub(crate) features: Option<Vec<f32>>,
    /// Number of maps and their weights.
    pub(crate) attention: Option<(usize, Vec<f32>)>,
    /// Entropies of the head's tokens (nat).
    pub(crate) token_entropy: Option<Vec<f32>>,
}

/// A bundle's chain, its processors and its contract with one robot. Owned by
/// the policy thread.
pub(crate) struct Policy {
    bundle: Bundle,
    binding: EmbodimentBinding,
    action_preprocessor: Preprocessor,
    scene_preprocessor: Option<Preprocessor>,
    postprocessor: Postprocessor,
    pipeline: Pipeline,
    ensembler: Option<Ensembler>,
    wanted: Vec<String>,
    /// Memory that isolated stages read in place.
    pool: Option<SharedPool>,
    pub(crate) versions: Versions,
}

impl Policy {
    /// Starts the bundle's stages for the robot `id`. Without `execution` no
    /// chunk is averaged with those before it.
    pub(crate) fn start(
        bundle: Bundle,
        id: &PluginId,
        execution: Option<&ResolvedExecution>,
        host: PolicyHost<'_>,
    ) -> Result<Self, RuntimeError> {
        let manifest = bundle.manifest();
        let binding = manifest.embodiment(&id.to_string())?.clone();
        let postprocessor = bundle.processors(&binding)?.postprocessor;
        let statistics = bundle.statistics(&binding)?;
        let graph = manifest.graph();
        let mut wanted = vec![binding.action_tensor().to_owned()];
        wanted.extend(manifest.progress().map(|rule| rule.tensor().to_owned()));
        let wanted_names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let action_preprocessor = Preprocessor::for_stages(
            manifest,
            &binding,
            statistics.as_ref(),
            &graph.needed_for(&wanted_names)?,
        )?;
        let scene_preprocessor = manifest
            .perception()
            .map(|perception| {
                let stages = graph.needed_for(&[perception.tensor()])?;
                Preprocessor::for_stages(manifest, &binding, statistics.as_ref(), &stages)
            })
            .transpose()?;
        let ensembler = execution
            .filter(|execution| execution.mode == ExecutionMode::Ensemble)
            .map(|execution| {
                Ensembler::new(
                    binding.action().clone(),
                    postprocessor.normaliser().clone(),
                    execution.ensemble_decay,
                )
            })
            .transpose()?;
        let pipeline = Pipeline::start(manifest, bundle.folder(), host)?;
        Ok(Self {
            binding,
            action_preprocessor,
            scene_preprocessor,
            postprocessor,
            pipeline,
            ensembler,
            wanted,
            pool: host.registry.rules().pool().cloned(),
            versions: Versions::default(),
            bundle,
        })
    }

    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Cameras that a decision reads.
    pub(crate) fn cameras(&self) -> Vec<String> {
        self.action_preprocessor
            .cameras()
            .into_iter()
            .map(ToOwned::to_owned)
            .collect()
    }

    /// Cameras that the scene head reads; none without one.
    pub(crate) fn scene_cameras(&self) -> Option<Vec<String>> {
        let cameras = self.scene_preprocessor.as_ref()?.cameras();
        Some(cameras.into_iter().map(ToOwned::to_owned).collect())
    }

    /// A primitive begins.
    pub(crate) fn reset(&mut self, seed: u64) -> Result<(), RuntimeError> {
        self.action_preprocessor.reset();
        if let Some(ensembler) = &mut self.ensembler {
            ensembler.reset();
        }
        self.pipeline.reset(seed)
    }

    pub(crate) fn binding(&self) -> &EmbodimentBinding {
        &self.binding
    }

    /// Observations that a decision looks back on.
    pub(crate) fn history(&self) -> usize {
        self.action_preprocessor.history()
    }

    /// Takes an observation into the history, without a decision.
    pub(crate) fn remember(&mut self, observation: &Observation<'_>) -> Result<(), RuntimeError> {
        self.action_preprocessor.run(observation)?;
        Ok(())
    }

    /// The samples that the chain makes of an observation, as its head gave them.
    fn sample(&mut self, observation: &Observation<'_>) -> Result<NormalisedChunk, RuntimeError> {
        self.action_preprocessor.run(observation)?;
        let features = in_pool(&mut self.action_preprocessor, self.pool.as_ref());
        let wanted: Vec<&str> = self.wanted.iter().map(String::as_str).collect();
        run(&mut self.pipeline, features, &wanted)?;
        let tensor = self.binding.action_tensor();
        let output = self
            .pipeline
            .output(tensor)
            .ok_or_else(|| self.lost(tensor))?;
        let shape = shape_of(&output);
        let raw = RawChunk {
            stage: self.binding.head(),
            tensor,
            dtype: TensorAbi::dtype_from_code(output.dtype).unwrap_or(vola_types::DType::Resident),
            shape: &shape,
            bytes: output.bytes.as_slice(),
        };
        Ok(self.postprocessor.check(&raw)?)
    }

    /// Runs the chain on an observation and gives the named tensors of its stages, as far as they
    /// are f32 and readable: sizes and values.
    pub(crate) fn examine(
        &mut self,
        observation: &Observation<'_>,
        names: &[String],
    ) -> Result<Vec<NamedValues>, RuntimeError> {
        self.sample(observation)?;
        let read = |name: &String| {
            let (shape, values) = self.read_f32(name)?;
            Some((name.clone(), shape, values))
        };
        let made: Vec<_> = names.iter().filter_map(read).collect();
        match names
            .iter()
            .find(|name| !made.iter().any(|(made, ..)| made == *name))
        {
            Some(lost) => Err(self.lost(lost)),
            None => Ok(made),
        }
    }

    /// Whatever turns rows of the action head into physical ones and back.
    pub(crate) fn postprocessor(&self) -> &Postprocessor {
        &self.postprocessor
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    pub(crate) fn pipeline_mut(&mut self) -> &mut Pipeline {
        &mut self.pipeline
    }

    /// An output of the last run that is f32.
    fn read_f32(&self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let output = self.pipeline.output(name)?;
        let is_f32 = TensorAbi::dtype_from_code(output.dtype) == Some(vola_types::DType::F32);
        let words = output.bytes.as_slice().as_chunks::<4>().0;
        let values: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
        (is_f32 && !values.is_empty()).then(|| (shape_of(&output), values))
    }

    /// The mean of the samples, as the head gave it and in physical units.
    pub(crate) fn infer(
        &mut self,
        observation: &Observation<'_>,
    ) -> Result<(Vec<f64>, ActionChunk), RuntimeError> {
        let rows = self.sample(observation)?.mean();
        let origin = origin_of(observation);
        let chunk = self
            .postprocessor
            .finish(&rows, &origin, self.binding.head())?;
        Ok((rows, chunk))
    }

    /// One decision.
    pub(crate) fn decide(
        &mut self,
        observation: &Observation<'_>,
        measured: &Proprioception,
    ) -> Result<PolicyDecision, RuntimeError> {
        self.check_version()?;
        let started = Instant::now();
        let normalised = self.sample(observation)?;
        let origin = origin_of(observation);
        let stage = self.binding.head();
        let samples = (0..normalised.samples())
            .map(|index| {
                self.postprocessor
                    .finish(normalised.sample(index), &origin, stage)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut rows = normalised.mean();
        if let Some(ensembler) = &mut self.ensembler {
            let reference = reference(self.binding.action().space(), measured);
            rows = ensembler.push(&rows, observation.time_ns, reference)?.rows;
        }
        let executed = self.postprocessor.finish(&rows, &origin, stage)?;
        let stage_millis = self
            .pipeline
            .timings()
            .map(|(name, time)| (name.to_owned(), time.as_secs_f64() * 1e3))
            .collect();
        let progress = self.progress()?;
        Ok(PolicyDecision {
            samples,
            executed,
            progress,
            millis: started.elapsed().as_secs_f64() * 1e3,
            stage_millis,
            inner: self.inner_evidence(),
        })
    }

    /// Where the last decision looked; none when no stage tells it, or when
    /// several cameras leave open in which picture.
    pub(crate) fn attention(&self) -> Option<AttentionMap> {
        let output = self.pipeline.output(ATTENTION)?;
        let cameras = self.action_preprocessor.cameras();
        let [key] = *cameras.as_slice() else {
            return None;
        };
        let mut known = self.binding.cameras().iter();
        let camera = known.find(|camera| camera.key() == key)?;
        let size = (camera.width() as usize, camera.height() as usize);
        if TensorAbi::dtype_from_code(output.dtype) != Some(vola_types::DType::F32) {
            return None;
        }
        let weights: Vec<f32> = little_endian_f32(output.bytes.as_slice()).collect();
        AttentionMap::of(key, size, &shape_of(&output), &weights)
    }

    /// The first of the action head's inputs.
    pub(crate) fn features_tensor(&self) -> Option<&str> {
        let head = self.binding.head();
        let stages = self.bundle.manifest().stages();
        let stage = stages.iter().find(|stage| stage.name() == head)?;
        stage.inputs().first().map(String::as_str)
    }

    /// What can be read of it; a tensor that another library keeps, or of another
    /// type, is left out.
    fn inner_evidence(&self) -> InnerEvidence {
        let read = |name: &str| self.read_f32(name);
        InnerEvidence {
            features: self
                .features_tensor()
                .and_then(read)
                .map(|(_, values)| values),
            attention: read(ATTENTION).map(|(shape, values)| {
                // [1, maps, cells], or [maps, cells].
                let maps = shape.iter().rev().nth(1).copied().unwrap_or(1);
                (maps, values)
            }),
            token_entropy: read(TOKEN_ENTROPY).map(|(_, values)| values),
        }
    }

    /// Objects that the scene head finds; none without a scene head.
    pub(crate) fn read_scene(
        &mut self,
        observation: &Observation<'_>,
    ) -> Result<Option<Vec<Detection>>, RuntimeError> {
        let (Some(preprocessor), Some(perception)) = (
            &mut self.scene_preprocessor,
            self.bundle.manifest().perception(),
        ) else {
            return Ok(None);
        };
        preprocessor.reset();
        preprocessor.run(observation)?;
        let features = in_pool(preprocessor, self.pool.as_ref());
        run(&mut self.pipeline, features, &[perception.tensor()])?;
        let values = self.floats(perception.tensor(), perception.stage())?;
        let mut found: Vec<Detection> = values
            .chunks_exact(8)
            .filter(|row| row.iter().all(|value| value.is_finite()))
            .filter_map(|row| {
                let &[kind, color, x, y, z, confidence, openness, _] = row else {
                    return None;
                };
                let kind = perception.kinds().get(kind.round() as usize)?.clone();
                let has_color = kind != "drawer";
                let color = perception.colors().get(color.round() as usize);
                (confidence >= perception.threshold()).then(|| Detection {
                    openness: (kind == "drawer").then_some(openness),
                    kind,
                    color: color.filter(|_| has_color).cloned(),
                    position: [x, y, z],
                    confidence,
                })
            })
            .collect();
        found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        Ok(Some(found))
    }

    fn progress(&self) -> Result<Option<(f64, f64)>, RuntimeError> {
        let Some(rule) = self.bundle.manifest().progress() else {
            return Ok(None);
        };
        match self.floats(rule.tensor(), rule.stage())?.as_slice() {
            [done, failing] if done.is_finite() && failing.is_finite() => {
                Ok(Some((*done, *failing)))
            }
            other => Err(RuntimeError::StageOutput {
                stage: rule.stage().to_owned(),
                id: self.binding.id().clone(),
                reason: format!(
                    "`{}`: expected two probabilities, got {other:?}",
                    rule.tensor()
                ),
            }),
        }
    }

    fn floats(&self, tensor: &str, stage: &str) -> Result<Vec<f64>, RuntimeError> {
        let output = self
            .pipeline
            .output(tensor)
            .ok_or_else(|| self.lost(tensor))?;
        if TensorAbi::dtype_from_code(output.dtype) != Some(vola_types::DType::F32) {
            return Err(RuntimeError::StageOutput {
                stage: stage.to_owned(),
                id: self.binding.id().clone(),
                reason: format!("`{tensor}`: expected f32"),
            });
        }
        Ok(little_endian_f32(output.bytes.as_slice())
            .map(f64::from)
            .collect())
    }

    fn lost(&self, tensor: &str) -> RuntimeError {
        RuntimeError::StageOutput {
            stage: self.binding.head().to_owned(),
            id: self.binding.id().clone(),
            reason: format!("no stage returned `{tensor}`"),
        }
    }
}

/// The prepared tensors, written where isolated stages read them. The first of
/// a size is moved there; the next ones are prepared there.
fn in_pool<'a>(preprocessor: &'a mut Preprocessor, pool: Option<&SharedPool>) -> &'a [FlatTensor] {
    if let Some(pool) = pool {
        preprocessor.keep_outputs_in(|length| {
            // A full pool costs a copy, no more.
            let buffer = pool.buffer(length).ok()?;
            Some(Box::new(Pooled(buffer)))
        });
    }
    preprocessor.outputs()
}

/// A buffer of the pool, as memory for a tensor.
#[derive(Debug)]
struct Pooled(PoolBuffer);

impl TensorRoom for Pooled {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

fn origin_of<'a>(observation: &Observation<'a>) -> ChunkOrigin<'a> {
    ChunkOrigin {
        observation_time_ns: observation.time_ns,
        state: observation.state,
    }
}

fn run(
    pipeline: &mut Pipeline,
    features: &[FlatTensor],
    wanted: &[&str],
) -> Result<(), RuntimeError> {
    lending(features, |lent| pipeline.run(lent, wanted))
}

/// Lends tensors for one call.
pub(crate) fn lending<R>(
    features: &[FlatTensor],
    body: impl FnOnce(&[TensorRefAbi<'_>]) -> R,
) -> R {
    let shapes: Vec<Vec<u64>> = features
        .iter()
        .map(|feature| feature.shape().iter().map(|size| *size as u64).collect())
        .collect();
    let lent: Vec<TensorRefAbi<'_>> = features
        .iter()
        .zip(&shapes)
        .map(|(feature, shape)| TensorRefAbi {
            name: RStr::from(feature.name()),
            dtype: TensorAbi::dtype_code(feature.dtype()),
            shape: RSlice::from_slice(shape),
            bytes: RSlice::from_slice(feature.bytes()),
            resident: ROption::RNone,
        })
        .collect();
    body(&lent)
}

fn shape_of(tensor: &TensorRefAbi<'_>) -> Vec<usize> {
    tensor
        .shape
        .iter()
        .map(|size| usize::try_from(*size).unwrap_or(usize::MAX))
        .collect()
}

fn reference(space: vola_types::ActionSpace, measured: &Proprioception) -> Reference {
    match space {
        vola_types::ActionSpace::ToolDelta => Reference::Tool {
            position: measured.tool_position(),
            orientation: measured.tool_orientation(),
        },
        vola_types::ActionSpace::JointDelta => {
            let joints = measured.position.len() - usize::from(measured.gripper.is_some());
            Reference::Joints(measured.position.get(..joints).unwrap_or_default().to_vec())
        }
        _ => Reference::Absolute,
    }
}
