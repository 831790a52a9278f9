//! From recorded frames to examples for heads.

use vola_bundle::{GoalPoints, ImageView, Observation, Pixels, StateVector};
use vola_recorder::EpisodeFacts;
use vola_runtime::{NamedValues, OfflinePolicy};
use vola_train::{ExampleKind, ExampleSet, FrameSource, LerobotReader};
use vola_types::ColorOrder;

use super::{misfit, recorded_goal::goal_points};
use crate::failure::Failure;

/// Seed of what stages draw at random.
const SEED: u64 = 0;
/// Of the policy's own frames every second is kept: it decides no oftener, and neighbours are alike.
const EVERY: usize = 2;

/// In whose hands the arm was in the frames that are learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hands {
    /// A person's: the heads are to do what the person did.
    Person,
    /// The policy's: the heads are to go on saying what they say.
    Policy,
}

impl Hands {
    pub(super) fn kind(self) -> ExampleKind {
        match self {
            Self::Person => ExampleKind::Correction,
            Self::Policy => ExampleKind::Old,
        }
    }

    /// Whether an own recording's episode has examples of this kind. An episode that a
    /// person put right is no example of what the policy does well.
    pub(super) fn can_learn_from(self, facts: &EpisodeFacts) -> bool {
        let moved = |who: &str| facts.who.get(who).is_some_and(|frames| *frames > 0);
        facts.success
            && match self {
                Self::Person => moved("human"),
                Self::Policy => moved("policy") && !moved("human"),
            }
    }

    pub(super) fn who(self) -> &'static str {
        match self {
            Self::Person => "a person",
            Self::Policy => "the policy",
        }
    }
}

/// The examples of a recording: what every head that can be fine-tuned reads and should say. The
/// chain runs over whole episodes, as it did on the robot, since stages remember their first look.
/// Corrections are run with goal points and by words alone, since both will come.
///
/// # Errors
/// When a stage fails, or gives what cannot be learned from.
pub(super) fn examples_of(
    policy: &mut OfflinePolicy,
    reader: &LerobotReader,
    hands: Hands,
) -> Result<ExampleSet, Failure> {
    let heads = policy.adaptable();
    let tensors = heads.iter().flat_map(|h| h.inputs.iter().chain(&h.outputs));
    let mut names: Vec<String> = tensors.cloned().collect();
    names.sort();
    names.dedup();
    let mut set = ExampleSet::default();
    let mut points = GoalPoints::default();
    let mut last = None;
    for index in 0..reader.episodes() {
        let (meta, span) = (reader.episode(index), reader.frames_of(index));
        let is_new = last != Some((meta.seed, &meta.task));
        last = Some((meta.seed, &meta.task));
        if is_new {
            points = GoalPoints::default();
            if let Some(words) = &meta.step {
                let first = reader.frame(span.start);
                policy.reset(SEED)?;
                let objects = seen(
                    policy,
                    reader,
                    span.start,
                    "",
                    GoalPoints::default(),
                    |p, o| p.read_scene(o),
                )?;
                points = goal_points(words, &first, objects);
            }
        }
        let is_taught = reader.is_by_person(span.start) == (hands == Hands::Person);
        let passes: &[GoalPoints] = match hands {
            Hands::Person => &[points, GoalPoints::default()],
            Hands::Policy => &[points],
        };
        if is_new && !is_taught {
            // The anchor is the first look of the episode, whoever moved the arm then.
            policy.reset(SEED)?;
            seen(policy, reader, span.start, &meta.task, points, |p, o| {
                p.examine(o, &names)
            })?;
            continue;
        }
        if !is_taught || !reader.has_reached(index) {
            continue;
        }
        for goal in passes {
            if is_new {
                policy.reset(SEED)?;
            }
            for frame in span.clone() {
                let is_kept = hands == Hands::Person || (frame - span.start) % EVERY == 0;
                if !is_kept {
                    continue;
                }
                let mut row = seen(policy, reader, frame, &meta.task, *goal, |p, o| {
                    p.examine(o, &names)
                })?;
                for (name, sizes, _) in &mut row {
                    // One observation was shown.
                    let [1, of_one @ ..] = sizes.as_slice() else {
                        let reason =
                            format!("`{name}`: expected a batch of 1 first, got {sizes:?}");
                        return Err(misfit(policy, reason));
                    };
                    *sizes = of_one.to_vec();
                }
                if hands == Hands::Person {
                    wanted(policy, reader, frame, &mut row);
                }
                let episode = meta.seed;
                set.push(episode, &row)
                    .map_err(|reason| misfit(policy, reason))?;
            }
        }
    }
    Ok(set)
}

/// Shows the policy a frame.
fn seen<R>(
    policy: &mut OfflinePolicy,
    reader: &LerobotReader,
    index: usize,
    task: &str,
    goal: GoalPoints,
    body: impl FnOnce(&mut OfflinePolicy, &Observation<'_>) -> Result<R, vola_runtime::RuntimeError>,
) -> Result<R, Failure> {
    let frame = reader.frame(index);
    let shape = reader.shape();
    let values: Vec<f64> = frame.state.iter().map(|value| f64::from(*value)).collect();
    let names = policy.binding().state().names().to_vec();
    let key = policy
        .binding()
        .cameras()
        .first()
        .map(|c| c.key().to_owned());
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let images = [ImageView {
        key: key.as_deref().unwrap_or_default(),
        width: side(shape.width),
        height: side(shape.height),
        pixels: Pixels::Bytes {
            order: ColorOrder::Rgb,
            values: frame.image,
        },
    }];
    let observation = Observation {
        time_ns: 0,
        state: StateVector {
            names: &names,
            values: &values,
        },
        images: &images,
        task,
        goal,
    };
    Ok(body(policy, &observation)?)
}

/// Puts what the person did in the place of what the heads said.
fn wanted(policy: &OfflinePolicy, reader: &LerobotReader, index: usize, row: &mut [NamedValues]) {
    let frame = reader.frame(index);
    let action = policy.binding().action_tensor();
    let width = reader.shape().action;
    let progress = policy
        .bundle()
        .manifest()
        .progress()
        .map(|rule| rule.tensor());
    for (name, _, values) in row {
        if name == action {
            // The same for each sample.
            for sample in values.chunks_mut(frame.action.len()) {
                for (place, (value, did)) in sample.iter_mut().zip(frame.action).enumerate() {
                    *value = policy.normalised_action(place % width, f64::from(*did)) as f32;
                }
            }
        } else if Some(name.as_str()) == progress
            && let [done, failing] = values.as_mut_slice()
        {
            *done = frame.done;
            *failing = 0.0;
        }
    }
}
