//! From what the expert handed over to a row of training data.

use vola_runtime::{DecisionReport, LabelTensor, Picture};
use vola_train::{FrameRecord, FrameShape, ObjectColumns, STATE_NAMES};
use vola_types::{COLORS, KINDS};

use crate::measure::EpisodeTarget;

/// Share of an object that must be seen for the policy to be taught to look at it.
const LEAST_VISIBLE: f32 = 0.2;
/// Points nearer than this are one point (m).
const SAME_POINT_M: f32 = 0.002;

/// What the first moment of a demonstration fixes for all of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked<'a> {
    /// The object or region that the goal names as its target.
    pub(super) target: Option<&'a EpisodeTarget>,
    /// The target's point and its mask, as read before the motion: at run time
    /// the goal is read once. Nothing in the first moment.
    pub(super) goal_target: Option<[f32; 4]>,
}

/// One moment of a demonstration.
///
/// # Errors
/// What is missing or of the wrong size, in words.
pub(super) fn frame_record(
    decision: &DecisionReport<'_>,
    picture: Option<&Picture>,
    asked: Asked<'_>,
    shape: FrameShape,
) -> Result<FrameRecord, String> {
    let picture = picture.ok_or("the observation has no `front` picture")?;
    let labels = Labels(decision.labels);
    let [done, failing] = labels.array("progress")?;
    let objects = labels.objects()?;
    let look = labels.look(asked.target, &objects)?;
    Ok(FrameRecord {
        image: picture.rgb.to_vec(),
        state: state(decision.state_names, decision.state)?,
        action: labels.list("action", shape.horizon * shape.action)?,
        done,
        failing,
        object_xyz: labels.array("object")?,
        goal_object: labels.masked_point("anchor")?,
        goal_target: match asked.goal_target {
            Some(target) => target,
            None => labels.masked_point("destination")?,
        },
        target_xyz: look.xyz,
        target_uv: look.uv,
        target_visible: if look.is_visible { 1.0 } else { 0.0 },
        objects,
    })
}

/// The point to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    xyz: [f32; 3],
    uv: [f32; 2],
    is_visible: bool,
}

/// The point of a row's object; visible when enough of it is.
fn at_object(row: &ObjectRow) -> Look {
    Look {
        xyz: [0, 1, 2].map(|axis| row[ObjectColumns::POSITION + axis]),
        uv: [row[ObjectColumns::U], row[ObjectColumns::V]],
        is_visible: row[ObjectColumns::VISIBLE] >= LEAST_VISIBLE,
    }
}

/// A row of the object list.
type ObjectRow = [f32; ObjectColumns::COUNT];

/// Of the objects of a target's kind and colour, the nearest to where the goal
/// saw it.
fn reference<'a>(target: &EpisodeTarget, objects: &'a [ObjectRow]) -> Option<&'a ObjectRow> {
    let index = |words: &[&str], word: &str| words.iter().position(|known| *known == word);
    let kind = index(&KINDS, target.kind.as_deref()?)?;
    let color = target
        .color
        .as_deref()
        .and_then(|color| index(&COLORS, color));
    #[expect(
        clippy::cast_precision_loss,
        reason = "small numbers of kinds and colours"
    )]
    let is = |value: f32, index: usize| (value - index as f32).abs() < 0.5;
    let seen = target.position.unwrap_or_default();
    let distance = |row: &ObjectRow| {
        let [dx, dy] =
            [0, 1].map(|axis| f64::from(row[ObjectColumns::POSITION + axis]) - seen[axis]);
        dx.hypot(dy)
    };
    objects
        .iter()
        .filter(|row| is(row[ObjectColumns::KIND], kind))
        .filter(|row| color.is_none_or(|color| is(row[ObjectColumns::COLOR], color)))
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// The state values that training reads, in its order.
fn state(names: &[String], values: &[f64]) -> Result<Vec<f32>, String> {
    STATE_NAMES
        .iter()
        .map(|wanted| {
            let value = names
                .iter()
                .zip(values)
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| *value);
            #[expect(clippy::cast_possible_truncation, reason = "training data is f32")]
            value
                .map(|value| value as f32)
                .ok_or_else(|| format!("the robot's state has no `{wanted}`"))
        })
        .collect()
}

/// The tensors of one demonstration step.
struct Labels<'a>(&'a [LabelTensor]);

impl Labels<'_> {
    fn floats(&self, name: &str) -> Result<Vec<f32>, String> {
        let label = self.0.iter().find(|label| label.name == name);
        label
            .map(LabelTensor::f32s)
            .ok_or_else(|| format!("the expert gave no `{name}`"))
    }

    fn list(&self, name: &str, length: usize) -> Result<Vec<f32>, String> {
        let values = self.floats(name)?;
        if values.len() == length {
            return Ok(values);
        }
        Err(format!(
            "the expert's `{name}`: expected {length} numbers, got {}",
            values.len()
        ))
    }

    fn array<const N: usize>(&self, name: &str) -> Result<[f32; N], String> {
        let values = self.floats(name)?;
        // The size in the message says more than the conversion's own error.
        <[f32; N]>::try_from(values.as_slice()).ok().ok_or_else(|| {
            format!(
                "the expert's `{name}`: expected {N} numbers, got {}",
                values.len()
            )
        })
    }

    fn number(&self, name: &str) -> Result<f32, String> {
        self.array::<1>(name).map(|[value]| value)
    }

    /// The point to look at: for a target object that object, else the point
    /// that the expert acts on, where it lies in the picture.
    fn look(&self, target: Option<&EpisodeTarget>, objects: &[ObjectRow]) -> Result<Look, String> {
        if let Some(row) = target.and_then(|target| reference(target, objects)) {
            return Ok(at_object(row));
        }
        let (xyz, uv) = (self.array::<3>("target")?, self.array::<2>("target.uv")?);
        let on_object = objects.iter().map(at_object).find(|look| {
            let [x, y, z] = [0, 1, 2].map(|axis| look.xyz[axis] - xyz[axis]);
            x.hypot(y).hypot(z) < SAME_POINT_M
        });
        let is_known = self.number("target.mask")? > 0.5;
        // A bare region is an empty spot: there is nothing to look at.
        let is_visible = is_known && on_object.is_some_and(|look| look.is_visible);
        Ok(Look {
            xyz,
            uv,
            is_visible,
        })
    }

    /// A point and whether it is known.
    fn masked_point(&self, name: &str) -> Result<[f32; 4], String> {
        let [x, y, z] = self.array(name)?;
        Ok([x, y, z, self.number(&format!("{name}.mask"))?])
    }

    /// The rows that hold an object; a drawer has no colour.
    fn objects(&self) -> Result<Vec<ObjectRow>, String> {
        let values = self.floats("scene.objects")?;
        let (rows, rest) = values.as_chunks::<{ ObjectColumns::COUNT }>();
        if !rest.is_empty() {
            return Err(format!(
                "the expert's `scene.objects`: expected rows of {}, got {} numbers",
                ObjectColumns::COUNT,
                values.len()
            ));
        }
        let drawer = KINDS
            .iter()
            .position(|kind| *kind == "drawer")
            .unwrap_or(KINDS.len());
        let objects = rows
            .iter()
            .filter(|row| row[ObjectColumns::KIND] >= 0.0)
            .map(|row| {
                let mut row = *row;
                #[expect(clippy::cast_precision_loss, reason = "one of three kinds")]
                if (row[ObjectColumns::KIND] - drawer as f32).abs() < 0.5 {
                    row[ObjectColumns::COLOR] = -1.0;
                }
                row
            });
        Ok(objects.collect())
    }
}

#[cfg(test)]
mod tests {
    use vola_types::DType;

    use super::*;

    fn label(name: &str, values: &[f32]) -> LabelTensor {
        LabelTensor {
            name: name.to_owned(),
            dtype: DType::F32,
            shape: vec![values.len()],
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }

    #[test]
    fn labels_are_taken_by_name_and_size() {
        let rows: Vec<f32> = [
            [0.0, 1.0, 0.5, 0.5, 0.4, 0.0, 0.02, 1.0, 0.0, 0.1],
            [2.0, 0.0, 0.5, 0.5, 0.6, 0.0, 0.05, 0.8, 0.4, 0.0],
            [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        ]
        .concat();
        let labels = [
            label("progress", &[1.0, 0.0]),
            label("anchor", &[0.1, 0.2, 0.3]),
            label("anchor.mask", &[1.0]),
            label("scene.objects", &rows),
        ];
        let labels = Labels(&labels);
        assert_eq!(
            labels.masked_point("anchor").unwrap().map(f32::to_bits),
            [0.1_f32, 0.2, 0.3, 1.0].map(f32::to_bits)
        );
        let objects = labels.objects().unwrap();
        assert_eq!(objects.len(), 2);
        assert!(objects[0][ObjectColumns::COLOR] > 0.0 && objects[1][ObjectColumns::COLOR] < 0.0);
        assert!(
            labels
                .array::<4>("anchor")
                .unwrap_err()
                .contains("expected 4")
        );
        assert!(labels.number("failing").unwrap_err().contains("failing"));
    }

    #[test]
    fn the_policy_is_taught_to_look_at_the_target_where_it_is_seen() {
        let row =
            |kind: f32, x: f32, seen: f32| [kind, 1.0, 0.3, 0.4, x, 0.0, 0.02, seen, 0.0, 0.0];
        let look = |objects: &[ObjectRow], uv: [f32; 2], target: Option<&str>| {
            let labels = [
                label("target", &[0.40, 0.0, 0.02]),
                label("target.uv", &uv),
                label("target.mask", &[1.0]),
            ];
            let target: Option<EpisodeTarget> =
                target.map(|json| serde_json::from_str(json).unwrap());
            let look = Labels(&labels).look(target.as_ref(), objects).unwrap();
            (look.is_visible, look.uv[0] < 0.35)
        };
        let inside = [0.5, 0.5];
        // The object itself, seen and hidden; a bare spot on the table; outside the picture.
        assert_eq!(look(&[row(0.0, 0.40, 0.9)], inside, None), (true, false));
        assert_eq!(look(&[row(0.0, 0.40, 0.1)], inside, None), (false, false));
        assert_eq!(
            look(
                &[row(0.0, 0.50, 0.1)],
                inside,
                Some(r#"{"region":"middle"}"#)
            ),
            (false, false)
        );
        assert_eq!(look(&[], [-1.0, -1.0], None), (false, true));
        // A reference object, the nearer of two.
        let bowls = [row(1.0, 0.55, 0.1), row(1.0, 0.35, 0.9)];
        let red_bowl = r#"{"kind":"bowl","color":"red","position":[0.36,0.0,0.02]}"#;
        assert_eq!(look(&bowls, inside, Some(red_bowl)), (true, true));
        let far = r#"{"kind":"bowl","color":"red","position":[0.6,0.0,0.02]}"#;
        assert_eq!(look(&bowls, inside, Some(far)), (false, true));
    }

    #[test]
    fn the_state_is_picked_by_name() {
        let names: Vec<String> = std::iter::once("joint1".to_owned())
            .chain(STATE_NAMES.iter().map(|name| (*name).to_owned()))
            .collect();
        let values: Vec<f64> = (0_u8..).take(names.len()).map(f64::from).collect();
        let picked = state(&names, &values).unwrap();
        assert_eq!(picked.len(), STATE_NAMES.len());
        assert!((picked[0] - 1.0).abs() < 1e-6);
        assert!(
            state(&names[..3], &values)
                .unwrap_err()
                .contains("state has no")
        );
    }
}
