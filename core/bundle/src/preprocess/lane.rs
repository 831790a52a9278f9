//! One feature's way from the observation to a stage input.

use std::collections::VecDeque;

use vola_types::{DType, names};

use crate::error::BundleError;
use crate::flat_tensor::FlatTensor;
use crate::manifest::{EmbodimentBinding, GOAL, PreStep};
use crate::normalise::Normaliser;
use crate::observation::{GoalPoints, Observation};
use crate::stats::Statistics;

use super::image::{ImageStep, Planes};
use super::image_name;

/// Where a feature comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    State,
    Camera(usize),
    Task,
    GoalObject,
    GoalObjectMask,
    GoalTarget,
    GoalTargetMask,
    Embodiment,
}

impl Source {
    fn find(name: &str, embodiment: &EmbodimentBinding) -> Option<Self> {
        match name {
            names::STATE => (!embodiment.state().names().is_empty()).then_some(Self::State),
            names::TASK => Some(Self::Task),
            names::GOAL_OBJECT => Some(Self::GoalObject),
            names::GOAL_OBJECT_MASK => Some(Self::GoalObjectMask),
            names::GOAL_TARGET => Some(Self::GoalTarget),
            names::GOAL_TARGET_MASK => Some(Self::GoalTargetMask),
            names::EMBODIMENT => Some(Self::Embodiment),
            other => {
                let mut cameras = embodiment.cameras().iter();
                cameras
                    .position(|camera| image_name(camera.key()) == other)
                    .map(Self::Camera)
            }
        }
    }
}

/// One step of a lane.
#[derive(Debug)]
enum LaneStep {
    Image(ImageStep),
    Normalise(Normaliser),
}

/// One feature: source, steps, buffers.
#[derive(Debug)]
pub(super) struct Lane {
    source: Source,
    steps: Vec<LaneStep>,
    planes: Planes,
    spare: Planes,
    vector: Vec<f32>,
    text: Vec<u8>,
    index: i64,
    history: usize,
    past: VecDeque<Vec<f32>>,
    feature: String,
}

impl Lane {
    /// Compiles the steps that lead to `feature`; none when this robot's
    /// observations do not hold it.
    pub(super) fn compile(
        feature: &str,
        all: &[PreStep],
        embodiment: &EmbodimentBinding,
        statistics: Option<&Statistics>,
    ) -> Result<Option<Self>, BundleError> {
        let Some(source) = Source::find(&source_name(feature, all), embodiment) else {
            return Ok(None);
        };
        let mut lane = Self {
            source,
            steps: Vec::new(),
            planes: Planes::default(),
            spare: Planes::default(),
            vector: Vec::new(),
            text: Vec::new(),
            index: embodiment.index(),
            history: 1,
            past: VecDeque::new(),
            feature: feature.to_owned(),
        };
        let is_goal = matches!(source, Source::GoalObject | Source::GoalTarget);
        let mut name = source_name(feature, all);
        for step in all {
            let is_here = step.feature() == name || (is_goal && step.feature() == GOAL);
            if !is_here {
                continue;
            }
            match step {
                PreStep::Rename { to, .. } => name.clone_from(to),
                PreStep::History { length, .. } => lane.history = *length as usize,
                PreStep::Resize {
                    size, method, fit, ..
                } => {
                    let step = ImageStep::Resize {
                        size: *size,
                        method: *method,
                        fit: *fit,
                    };
                    lane.steps.push(LaneStep::Image(step));
                }
                PreStep::Pad {
                    size,
                    value,
                    anchor,
                    ..
                } => {
                    #[allow(clippy::cast_possible_truncation, reason = "a border value in f32")]
                    let value = *value as f32;
                    let step = ImageStep::Pad {
                        size: *size,
                        value,
                        anchor: *anchor,
                    };
                    lane.steps.push(LaneStep::Image(step));
                }
                PreStep::Crop { size, anchor, .. } => {
                    let step = ImageStep::Crop {
                        size: *size,
                        anchor: *anchor,
                    };
                    lane.steps.push(LaneStep::Image(step));
                }
                PreStep::Normalise { mode, stats, .. } => {
                    let length = lane.elements(embodiment);
                    let normaliser = Normaliser::new(*mode, statistics, stats, length)?;
                    if source == Source::State
                        && let Some(statistics) = statistics
                    {
                        statistics.check_names(stats, embodiment.state().names())?;
                    }
                    lane.steps.push(LaneStep::Normalise(normaliser));
                }
            }
        }
        Ok(Some(lane))
    }

    pub(super) fn dtype(&self) -> DType {
        match self.source {
            Source::Task => DType::U8,
            Source::Embodiment => DType::I64,
            _ => DType::F32,
        }
    }

    pub(super) fn reads_state(&self) -> bool {
        self.source == Source::State
    }

    pub(super) fn history(&self) -> usize {
        self.history
    }

    pub(super) fn forget(&mut self) {
        self.past.clear();
    }

    pub(super) fn camera(&self) -> Option<usize> {
        match self.source {
            Source::Camera(index) => Some(index),
            _ => None,
        }
    }

    pub(super) fn source_name(&self, embodiment: &EmbodimentBinding) -> String {
        match self.source {
            Source::State => names::STATE.to_owned(),
            Source::Task => names::TASK.to_owned(),
            Source::GoalObject => names::GOAL_OBJECT.to_owned(),
            Source::GoalObjectMask => names::GOAL_OBJECT_MASK.to_owned(),
            Source::GoalTarget => names::GOAL_TARGET.to_owned(),
            Source::GoalTargetMask => names::GOAL_TARGET_MASK.to_owned(),
            Source::Embodiment => names::EMBODIMENT.to_owned(),
            Source::Camera(index) => embodiment
                .cameras()
                .get(index)
                .map(|c| image_name(c.key()))
                .unwrap_or_default(),
        }
    }

    /// Numbers that a `normalise` step needs statistics for.
    fn elements(&self, embodiment: &EmbodimentBinding) -> usize {
        match self.source {
            Source::State => embodiment.state().names().len(),
            _ => 3,
        }
    }

    /// Computes this feature of an observation; remembers nothing yet.
    pub(super) fn load(
        &mut self,
        observation: &Observation<'_>,
        state: &[f64],
        embodiment: &EmbodimentBinding,
    ) -> Result<(), BundleError> {
        match self.source {
            Source::Camera(index) => self.load_picture(observation, embodiment, index),
            Source::Task => self.load_task(observation.task),
            Source::State => {
                self.load_vector(Some(state));
                Ok(())
            }
            Source::GoalObject => self.load_point(observation.goal.object),
            Source::GoalTarget => self.load_point(observation.goal.target),
            Source::GoalObjectMask | Source::GoalTargetMask => {
                self.load_mask(observation.goal);
                Ok(())
            }
            Source::Embodiment => Ok(()),
        }
    }

    fn load_picture(
        &mut self,
        observation: &Observation<'_>,
        embodiment: &EmbodimentBinding,
        index: usize,
    ) -> Result<(), BundleError> {
        let Some(camera) = embodiment.cameras().get(index) else {
            return Ok(());
        };
        let found = observation
            .images
            .iter()
            .find(|image| image.key == camera.key());
        let image = found.ok_or_else(|| BundleError::MissingCamera {
            key: camera.key().to_owned(),
            got: crate::wording::quoted(observation.images.iter().map(|image| image.key)),
        })?;
        if !camera.accepts_any_size()
            && (image.width, image.height) != (camera.width(), camera.height())
        {
            return Err(BundleError::CameraSize {
                key: camera.key().to_owned(),
                expected: (camera.width(), camera.height()),
                got: (image.width, image.height),
            });
        }
        self.planes.read(image, camera.order())?;
        for step in &self.steps {
            match step {
                LaneStep::Image(step) => {
                    step.run(&self.planes, &mut self.spare, &self.feature)?;
                    std::mem::swap(&mut self.planes, &mut self.spare);
                }
                LaneStep::Normalise(normaliser) => self.planes.normalise(normaliser),
            }
        }
        Ok(())
    }

    fn load_task(&mut self, task: &str) -> Result<(), BundleError> {
        let limit = Observation::MAX_TASK_BYTES;
        if task.len() > limit {
            return Err(BundleError::TaskTooLong {
                limit,
                got: task.len(),
            });
        }
        self.text.clear();
        self.text.extend_from_slice(task.as_bytes());
        if self.text.is_empty() {
            // One byte of padding: a tensor without elements is no input.
            self.text.push(0);
        }
        Ok(())
    }

    fn load_point(&mut self, point: Option<[f64; 3]>) -> Result<(), BundleError> {
        if let Some(value) = point.iter().flatten().find(|value| !value.is_finite()) {
            return Err(BundleError::InputNotFinite {
                what: self.feature.clone(),
                value: *value,
            });
        }
        self.load_vector(point.as_ref().map(<[f64; 3]>::as_slice));
        Ok(())
    }

    fn load_mask(&mut self, goal: GoalPoints) {
        let point = if self.source == Source::GoalObjectMask {
            goal.object
        } else {
            goal.target
        };
        self.vector.clear();
        self.vector.push(if point.is_some() { 1.0 } else { 0.0 });
    }

    /// Normalises a vector; an absent one stays at zeros.
    fn load_vector(&mut self, values: Option<&[f64]>) {
        self.vector.clear();
        let Some(values) = values else {
            self.vector.resize(3, 0.0);
            return;
        };
        for (element, &value) in values.iter().enumerate() {
            let mut value = value;
            for step in &self.steps {
                if let LaneStep::Normalise(normaliser) = step {
                    value = normaliser.forward(element, value);
                }
            }
            #[allow(clippy::cast_possible_truncation, reason = "stages take f32")]
            self.vector.push(value as f32);
        }
    }

    /// Writes the stage input and remembers it for `history`.
    pub(super) fn write(&mut self, output: &mut FlatTensor) {
        match self.source {
            Source::Task => output.set_bytes(&[1, self.text.len()], &self.text),
            Source::Embodiment => output.set_bytes(&[1], &self.index.to_le_bytes()),
            Source::Camera(_) => {
                let (height, width) = (self.planes.height(), self.planes.width());
                if self.history == 1 {
                    output.set_f32(&[1, 3, height, width], self.planes.values());
                } else {
                    remember(&mut self.past, self.history, self.planes.values());
                    output.begin(&[1, self.history, 3, height, width]);
                }
            }
            _ => {
                let length = self.vector.len();
                if self.history == 1 {
                    output.set_f32(&[1, length], &self.vector);
                } else {
                    remember(&mut self.past, self.history, &self.vector);
                    output.begin(&[1, self.history, length]);
                }
            }
        }
        for values in &self.past {
            output.append_f32(values);
        }
    }
}

/// Adds the newest values; the first of an episode, or one of another size,
/// fills the whole past.
fn remember(past: &mut VecDeque<Vec<f32>>, length: usize, values: &[f32]) {
    if past.back().is_some_and(|last| last.len() != values.len()) {
        past.clear();
    }
    if past.len() < length {
        past.resize(length, values.to_vec());
        return;
    }
    if let Some(mut oldest) = past.pop_front() {
        oldest.clear();
        oldest.extend_from_slice(values);
        past.push_back(oldest);
    }
}

/// A stage input's name before any `rename` step.
fn source_name(feature: &str, steps: &[PreStep]) -> String {
    let mut name = feature;
    for step in steps.iter().rev() {
        if let PreStep::Rename { from, to } = step
            && to == name
        {
            name = from;
        }
    }
    name.to_owned()
}
