//! Observations recorded in a safetensors file, for a policy without a robot.
//!
//! The keys are `input.<feature>`, or with a history `input_0.<feature>`
//! (oldest), `input_1.<feature>`, …; other keys are somebody else's.

use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use vola_bundle::{
    EmbodimentBinding, GoalPoints, ImageView, Observation, Pixels, StateVector, read_safetensors,
};
use vola_types::{ColorOrder, names};

use crate::failure::Failure;

const HELP: &str =
    "`vola policy show BUNDLE` lists the features that the policy reads, with their sizes";

/// One recorded moment, owned.
#[derive(Debug, Default)]
pub(crate) struct RecordedObservation {
    state_names: Vec<String>,
    state: Vec<f64>,
    images: Vec<RecordedImage>,
    task: String,
    goal: GoalPoints,
}

#[derive(Debug)]
struct RecordedImage {
    key: String,
    width: u32,
    height: u32,
    pixels: RecordedPixels,
}

#[derive(Debug)]
enum RecordedPixels {
    /// `[height, width, 3]`, 0..255, in the order of the policy.
    Bytes(Vec<u8>, ColorOrder),
    /// `[3, height, width]`, 0..1.
    Planes(Vec<f32>),
}

impl RecordedObservation {
    /// The moments of a file that a decision looks back on, oldest first; at
    /// most `history`.
    ///
    /// # Errors
    /// When the file cannot be read, holds no input, or one of another type or
    /// shape; the message names the key.
    pub(crate) fn read(
        path: &Path,
        binding: &EmbodimentBinding,
        history: usize,
    ) -> Result<Vec<Self>, Failure> {
        let bytes = std::fs::read(path).map_err(Failure::file(path, "read"))?;
        let fail = |reason: String| Failure::Content {
            path: path.to_owned(),
            reason,
            help: HELP,
        };
        let file = read_safetensors(&bytes)
            .map_err(|error| fail(format!("not a safetensors file: {error}")))?;
        let numbered: Vec<String> = (0..history)
            .map(|index| format!("input_{index}."))
            .collect();
        let has = |prefix: &String| file.names().iter().any(|name| name.starts_with(prefix));
        let prefixes = if history > 1 && numbered.iter().all(has) {
            numbered
        } else {
            vec!["input.".to_owned()]
        };
        if !prefixes.iter().all(has) {
            return Err(fail(format!(
                "expected keys that start with `{}`, got none",
                prefixes.concat()
            )));
        }
        prefixes
            .iter()
            .map(|prefix| Self::under(&file, prefix, binding).map_err(fail))
            .collect()
    }

    fn under(
        file: &SafeTensors<'_>,
        prefix: &str,
        binding: &EmbodimentBinding,
    ) -> Result<Self, String> {
        let mut seen = Self {
            state_names: binding.state().names().to_vec(),
            ..Self::default()
        };
        let mut masks = [1.0; 2];
        for (key, view) in file.iter() {
            let Some(feature) = key.strip_prefix(prefix) else {
                continue;
            };
            let put = || format!("`{key}`");
            match feature {
                names::STATE => {
                    seen.state = floats(&view, seen.state_names.len(), &put())?
                        .into_iter()
                        .map(f64::from)
                        .collect();
                }
                names::TASK => {
                    let bytes = typed(&view, Dtype::U8, &put())?;
                    seen.task = String::from_utf8(bytes.to_vec())
                        .map_err(|error| format!("{}: not UTF-8: {error}", put()))?;
                }
                names::GOAL_OBJECT => seen.goal.object = Some(point(&view, &put())?),
                names::GOAL_TARGET => seen.goal.target = Some(point(&view, &put())?),
                names::GOAL_OBJECT_MASK => masks[0] = number(&view, &put())?,
                names::GOAL_TARGET_MASK => masks[1] = number(&view, &put())?,
                _ => {
                    if let Some(camera) = feature.strip_prefix(names::IMAGES) {
                        let order = binding
                            .cameras()
                            .iter()
                            .find(|known| known.key() == camera)
                            .map_or(ColorOrder::Rgb, |known| known.order());
                        seen.images.push(image(&view, camera, order, &put())?);
                    }
                }
            }
        }
        // A mask of 0 takes a point back; anything that is no number, too.
        seen.goal.object = seen.goal.object.filter(|_| masks[0] > 0.5);
        seen.goal.target = seen.goal.target.filter(|_| masks[1] > 0.5);
        Ok(seen)
    }

    /// Lends the observation, captured at time 0.
    pub(crate) fn with<R>(&self, body: impl FnOnce(&Observation<'_>) -> R) -> R {
        let images: Vec<ImageView<'_>> = self
            .images
            .iter()
            .map(|image| ImageView {
                key: &image.key,
                width: image.width,
                height: image.height,
                pixels: match &image.pixels {
                    RecordedPixels::Bytes(values, order) => Pixels::Bytes {
                        order: *order,
                        values,
                    },
                    RecordedPixels::Planes(values) => Pixels::Planes(values),
                },
            })
            .collect();
        body(&Observation {
            time_ns: 0,
            state: StateVector {
                names: if self.state.is_empty() {
                    &[]
                } else {
                    &self.state_names
                },
                values: &self.state,
            },
            images: &images,
            task: &self.task,
            goal: self.goal,
        })
    }
}

/// Sizes without a leading batch of 1.
fn sizes<'a>(view: &'a TensorView<'_>, rank: usize) -> &'a [usize] {
    match view.shape() {
        [1, rest @ ..] if rest.len() == rank => rest,
        shape => shape,
    }
}

fn typed<'a>(view: &'a TensorView<'_>, dtype: Dtype, key: &str) -> Result<&'a [u8], String> {
    if view.dtype() == dtype {
        return Ok(view.data());
    }
    Err(format!("{key}: expected {dtype:?}, got {:?}", view.dtype()))
}

fn floats(view: &TensorView<'_>, length: usize, key: &str) -> Result<Vec<f32>, String> {
    let bytes = typed(view, Dtype::F32, key)?;
    if sizes(view, 1) != [length] {
        return Err(format!(
            "{key}: expected [1, {length}], got {:?}",
            view.shape()
        ));
    }
    Ok(f32s(bytes))
}

fn f32s(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

fn point(view: &TensorView<'_>, key: &str) -> Result<[f64; 3], String> {
    match floats(view, 3, key)?.as_slice() {
        [x, y, z] => Ok([*x, *y, *z].map(f64::from)),
        _ => Err(format!("{key}: expected three numbers")),
    }
}

fn number(view: &TensorView<'_>, key: &str) -> Result<f32, String> {
    floats(view, 1, key)?
        .first()
        .copied()
        .ok_or_else(|| format!("{key}: expected a number"))
}

fn image(
    view: &TensorView<'_>,
    camera: &str,
    order: ColorOrder,
    key: &str,
) -> Result<RecordedImage, String> {
    let (height, width, pixels) = match (view.dtype(), sizes(view, 3)) {
        (Dtype::F32, [3, height, width]) => {
            (*height, *width, RecordedPixels::Planes(f32s(view.data())))
        }
        (Dtype::U8, [height, width, 3]) => (
            *height,
            *width,
            RecordedPixels::Bytes(view.data().to_vec(), order),
        ),
        (dtype, shape) => {
            return Err(format!(
                "{key}: expected F32 [1, 3, height, width] in 0..1 or U8 [1, height, width, 3], got {dtype:?} {shape:?}"
            ));
        }
    };
    let side = |side: usize| {
        u32::try_from(side)
            .map_err(|error| format!("{key}: expected a picture, got a side of {side}: {error}"))
    };
    Ok(RecordedImage {
        key: camera.to_owned(),
        width: side(width)?,
        height: side(height)?,
        pixels,
    })
}
