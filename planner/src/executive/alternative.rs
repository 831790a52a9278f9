//! What is done otherwise when a step is tried again.
//!
//! The same try once more fails for the same reason more often than not: the
//! arm stands oddly, something hides the object, the spot is bad. The scene is
//! read anew in every case.

use vola_types::{Op, Relation, Scene, Step};

use crate::capabilities::Capabilities;

/// Another way to try a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alternative {
    /// From the home pose, after a look from there.
    FromHome,
    /// From right above it.
    FromAbove,
    /// To another spot that fits as well.
    OtherSpot,
}

impl Alternative {
    /// The way of this try, counted from 1; `None` for the usual one.
    pub(super) fn of_try(
        step: &Step,
        attempt: u32,
        scene: &Scene,
        capabilities: &Capabilities,
    ) -> Option<Self> {
        let ways: &[Self] = match step {
            Step::Place {
                relation: Relation::In,
                ..
            } => &[Self::FromHome, Self::FromAbove],
            Step::Place { target, .. } if scene.object(target).is_none() => {
                &[Self::OtherSpot, Self::FromHome, Self::FromAbove]
            }
            Step::Place {
                relation: Relation::On,
                ..
            }
            | Step::Pick { .. }
            | Step::Push { .. }
            | Step::Open { .. }
            | Step::Close { .. } => &[Self::FromHome, Self::FromAbove],
            Step::Place { .. } => &[Self::OtherSpot, Self::FromHome],
            Step::MoveTo { .. } => &[Self::FromHome],
            Step::Home | Step::Wait { .. } | Step::OpenGripper | Step::CloseGripper => &[],
        };
        let possible: Vec<Self> = ways
            .iter()
            .copied()
            .filter(|way| match way.before(step) {
                Some(before) => {
                    capabilities.can(before.op()) && crate::resolve(&before, scene).is_ok()
                }
                None => *way == Self::OtherSpot,
            })
            .collect();
        let tries_before = usize::try_from(attempt.checked_sub(2)?).ok()?;
        possible.get(tries_before % possible.len().max(1)).copied()
    }

    /// The motion before the step.
    pub(super) fn before(self, step: &Step) -> Option<Step> {
        match self {
            Self::FromHome => Some(Step::Home),
            Self::FromAbove => {
                let target = step.target().filter(|_| step.op() == Op::Place);
                let target = target.or_else(|| step.object())?.to_owned();
                Some(Step::MoveTo { target })
            }
            Self::OtherSpot => None,
        }
    }

    /// In words, after "this time".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::FromHome => "from the home pose",
            Self::FromAbove => "from above it",
            Self::OtherSpot => "to another spot",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_try_is_like_the_one_before() {
        let scene = Scene::from_json(
            r#"{"objects":[{"id":"a","kind":"block","position":[0.4,0.0,0.02]},
                {"id":"b","kind":"bowl","position":[0.5,0.1,0.03]},{"id":"d","kind":"drawer"}]}"#,
        )
        .unwrap();
        let all = Capabilities::default();
        let step = |text: &str| serde_json::from_str::<Step>(text).unwrap();
        for text in [
            r#"{"op":"pick","object":"a"}"#,
            r#"{"op":"place","object":"a","target":"b","relation":"in"}"#,
            r#"{"op":"place","object":"a","target":"b","relation":"left_of"}"#,
            r#"{"op":"place","object":"a","target":"left side","relation":"on"}"#,
            r#"{"op":"push","object":"a","direction":"left"}"#,
        ] {
            let step = step(text);
            let way = |attempt| Alternative::of_try(&step, attempt, &scene, &all);
            assert_eq!(way(1), None);
            assert!(way(2).is_some() && way(2) != way(3), "{text}");
        }
        // Where nothing else can be done, it is tried from home alone.
        let open = step(r#"{"op":"open","object":"d"}"#);
        assert_eq!(
            Alternative::of_try(&open, 3, &scene, &all),
            Some(Alternative::FromHome)
        );
        let still = Capabilities::with_ops(&[Op::Open]);
        assert_eq!(Alternative::of_try(&open, 2, &scene, &still), None);
    }
}
