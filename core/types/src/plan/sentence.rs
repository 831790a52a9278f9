//! The canonical sentence of a step.
//!
//! The policy reads a primitive as `task` text. Training data and run time
//! must use the very same words for the same step, therefore both call
//! [`step_sentence`]. The words carry colour and kind only; two objects that
//! share both are told apart by the goal points that travel beside the text.

use super::{PushTo, Step};
use crate::scene::{ON_TABLE, Scene};

/// The sentence for a step, lower case, without a full stop: "pick up the red
/// block", "place the red block in the blue bowl", "push the red block to the
/// left".
///
/// An id that is not in the scene is spelled with spaces for underscores, so
/// the function never fails.
#[must_use]
pub fn step_sentence(step: &Step, scene: &Scene) -> String {
    let the = |name: &str| object_phrase(name, scene);
    match step {
        Step::MoveTo { target } => format!("move to {}", the(target)),
        Step::Pick { object } => format!("pick up {}", the(object)),
        Step::Place {
            object,
            target,
            relation,
        } => format!(
            "place {} {} {}",
            the(object),
            relation.phrase(),
            the(target)
        ),
        Step::Push {
            object,
            to: PushTo::Region(region),
        } => format!("push {} to {}", the(object), the(region)),
        Step::Push {
            object,
            to: PushTo::Direction(direction),
        } => format!("push {} {}", the(object), direction.phrase()),
        Step::Open { object } => format!("open {}", the(object)),
        Step::Close { object } => format!("close {}", the(object)),
        Step::OpenGripper => "open the gripper".to_owned(),
        Step::CloseGripper => "close the gripper".to_owned(),
        Step::Home => "go home".to_owned(),
        Step::Wait { seconds } => format!("wait {seconds} seconds"),
    }
}

/// "the red block", "the top left corner", "the table": a name of the plan
/// language in words.
#[must_use]
pub fn object_phrase(name: &str, scene: &Scene) -> String {
    if name == ON_TABLE || scene.has_region(name) {
        return format!("the {name}");
    }
    match scene.object(name) {
        Some(object) => format!("the {}", object.noun()),
        None => format!("the {}", name.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_the_ones_the_policy_is_trained_on() {
        let scene = Scene::from_json(
            r#"{"objects":[{"id":"red_block_1","kind":"block","color":"red"},
                {"id":"blue_bowl","kind":"bowl","color":"blue"},{"id":"drawer","kind":"drawer"}]}"#,
        )
        .unwrap();
        for (step, expected) in [
            (
                r#"{"op":"pick","object":"red_block_1"}"#,
                "pick up the red block",
            ),
            (
                r#"{"op":"place","object":"red_block_1","target":"blue_bowl","relation":"in"}"#,
                "place the red block in the blue bowl",
            ),
            (
                r#"{"op":"place","object":"red_block_1","target":"top left corner","relation":"on"}"#,
                "place the red block on the top left corner",
            ),
            (
                r#"{"op":"place","object":"red_block_1","target":"blue_bowl","relation":"left_of"}"#,
                "place the red block left of the blue bowl",
            ),
            (
                r#"{"op":"push","object":"red_block_1","direction":"left"}"#,
                "push the red block to the left",
            ),
            (
                r#"{"op":"push","object":"red_block_1","target":"middle"}"#,
                "push the red block to the middle",
            ),
            (r#"{"op":"open","object":"drawer"}"#, "open the drawer"),
            (
                r#"{"op":"pick","object":"lost_cup"}"#,
                "pick up the lost cup",
            ),
        ] {
            let step: Step = serde_json::from_str(step).unwrap();
            assert_eq!(step_sentence(&step, &scene), expected);
        }
    }
}
