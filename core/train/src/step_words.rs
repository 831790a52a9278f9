//! What an episode was about, in the words from which sentences are made.

use serde::{Deserialize, Serialize};
use vola_types::{Direction, Op, Region, Relation};

/// A kind and a colour, for example a red block; a drawer has no colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noun {
    /// `block`, `bowl` or `drawer`.
    pub kind: String,
    /// One of the ten colours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// Where an object goes: an object with a relation, a region, or a direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetWords {
    /// Kind of the object the relation refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Name of a region of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How the object lies to the target object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// Direction of a push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
}

/// One policy primitive in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepWords {
    /// `pick`, `place`, `push`, `open` or `close`.
    pub op: Op,
    /// What is acted on.
    pub object: Noun,
    /// Where it goes; none for `pick`, `open` and `close`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetWords>,
}

impl StepWords {
    /// Checks that op and arguments belong together.
    ///
    /// # Errors
    /// What is missing, surplus or unknown, in words.
    pub fn check(&self) -> Result<(), String> {
        check_noun(&self.object.kind, self.object.color.as_deref())?;
        let target = self.target.as_ref();
        match (self.op, target) {
            (Op::Pick | Op::Open | Op::Close, None) => Ok(()),
            (
                Op::Place,
                Some(TargetWords {
                    region: Some(region),
                    kind: None,
                    direction: None,
                    ..
                }),
            ) => check_region(region),
            (
                Op::Place,
                Some(TargetWords {
                    kind: Some(kind),
                    color,
                    relation: Some(_),
                    region: None,
                    direction: None,
                }),
            ) => check_noun(kind, color.as_deref()),
            (
                Op::Push,
                Some(TargetWords {
                    region: Some(region),
                    kind: None,
                    direction: None,
                    ..
                }),
            ) => check_region(region),
            (
                Op::Push,
                Some(TargetWords {
                    direction: Some(_),
                    kind: None,
                    region: None,
                    relation: None,
                    ..
                }),
            ) => Ok(()),
            _ => Err(format!(
                "op `{}` with target {target:?}: expected none for pick, open and close; a region or an object with a relation for place; a region or a direction for push",
                self.op.as_str()
            )),
        }
    }

    /// Number of the op in data sets: pick 0, place 1, push 2, open 3, close 4.
    #[must_use]
    pub fn op_index(&self) -> Option<i64> {
        [Op::Pick, Op::Place, Op::Push, Op::Open, Op::Close]
            .iter()
            .position(|op| *op == self.op)
            .map(|i| i as i64)
    }

    /// Kind and colour numbers of every object the sentence names.
    pub(crate) fn named_objects(&self) -> Vec<(usize, Option<usize>)> {
        let number = |kind: &str, color: Option<&str>| {
            let color = color.and_then(|c| vola_types::COLORS.iter().position(|known| *known == c));
            vola_types::KINDS
                .iter()
                .position(|known| *known == kind)
                .map(|kind| (kind, color))
        };
        let target = self
            .target
            .as_ref()
            .and_then(|t| number(t.kind.as_deref()?, t.color.as_deref()));
        // What is placed is in the gripper: a second one like it makes no sentence ambiguous.
        let object = if self.op == Op::Place {
            None
        } else {
            number(&self.object.kind, self.object.color.as_deref())
        };
        object.into_iter().chain(target).collect()
    }
}

fn check_noun(kind: &str, color: Option<&str>) -> Result<(), String> {
    if !vola_types::KINDS.contains(&kind) {
        return Err(format!(
            "kind: expected one of {:?}, got `{kind}`",
            vola_types::KINDS
        ));
    }
    match color {
        Some(color) if !vola_types::COLORS.contains(&color) => Err(format!(
            "color: expected one of {:?}, got `{color}`",
            vola_types::COLORS
        )),
        None if kind != "drawer" => Err(format!("color: a {kind} needs one")),
        _ => Ok(()),
    }
}

fn check_region(region: &str) -> Result<(), String> {
    match Region::from_name(region) {
        Some(_) => Ok(()),
        None => Err(format!(
            "region: expected one of {:?}, got `{region}`",
            Region::all_names()
        )),
    }
}
