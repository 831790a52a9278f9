//! The sentence that the policy is given for a step.

use vola_train::{Noun, Phrasing, Rng, StepWords, TargetWords, sentence};
use vola_types::{ON_TABLE, PushTo, Scene, Step, step_sentence};

use super::Phrases;

/// The words for a step, by the phrases asked for. Steps that training does not
/// know keep their usual words.
pub(super) fn task_words(step: &Step, scene: &Scene, phrases: Phrases, seed: u64) -> String {
    let phrasing = match phrases {
        Phrases::Canonical => None,
        Phrases::Training => Some(Phrasing::Training),
        Phrases::HeldOut => Some(Phrasing::HeldOut),
    };
    match (phrasing, step_words(step, scene)) {
        (Some(phrasing), Some(words)) => sentence(&words, phrasing, &mut Rng::new(seed)),
        _ => step_sentence(step, scene),
    }
}

/// A step in the words of training.
fn step_words(step: &Step, scene: &Scene) -> Option<StepWords> {
    let target = match step {
        Step::Place {
            target, relation, ..
        } => Some(TargetWords {
            relation: Some(*relation),
            ..place_words(target, scene)
        }),
        Step::Push {
            to: PushTo::Direction(direction),
            ..
        } => Some(TargetWords {
            direction: Some(*direction),
            ..TargetWords::default()
        }),
        Step::Push {
            to: PushTo::Region(region),
            ..
        } => Some(place_words(region, scene)),
        _ => None,
    };
    let words = StepWords {
        op: step.op(),
        object: noun(step.object()?, scene),
        target,
    };
    words.check().is_ok().then_some(words)
}

fn place_words(name: &str, scene: &Scene) -> TargetWords {
    if name == ON_TABLE || scene.has_region(name) {
        return TargetWords {
            region: Some(name.to_owned()),
            ..TargetWords::default()
        };
    }
    let noun = noun(name, scene);
    TargetWords {
        kind: Some(noun.kind),
        color: noun.color,
        ..TargetWords::default()
    }
}

/// Kind and colour of an object; of one that was not seen, from its id.
fn noun(id: &str, scene: &Scene) -> Noun {
    match (scene.object(id), id.split_once('_')) {
        (Some(object), _) => Noun {
            kind: object.kind.clone(),
            color: object.color.clone(),
        },
        (None, Some((color, kind))) => Noun {
            kind: kind.to_owned(),
            color: Some(color.to_owned()),
        },
        (None, None) => Noun {
            kind: id.to_owned(),
            color: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use vola_train::held_out_sentences;

    use super::*;

    #[test]
    fn words_follow_the_phrases() {
        let scene = Scene::from_json(
            r#"{"objects":[{"id":"red_block_1","kind":"block","color":"red"},{"id":"blue_bowl","kind":"bowl","color":"blue"}]}"#,
        )
        .unwrap();
        for json in [
            r#"{"op":"pick","object":"red_block_1"}"#,
            r#"{"op":"pick","object":"green_block"}"#,
            r#"{"op":"place","object":"red_block_1","target":"blue_bowl","relation":"in"}"#,
            r#"{"op":"place","object":"red_block_1","target":"middle","relation":"on"}"#,
            r#"{"op":"push","object":"red_block_1","direction":"left"}"#,
            r#"{"op":"open","object":"drawer"}"#,
        ] {
            let step: Step = serde_json::from_str(json).unwrap();
            assert_eq!(
                task_words(&step, &scene, Phrases::Canonical, 1),
                step_sentence(&step, &scene)
            );
            let words = step_words(&step, &scene).unwrap();
            assert!(!held_out_sentences(&words).is_empty());
            let said = task_words(&step, &scene, Phrases::HeldOut, 7);
            assert_eq!(said, task_words(&step, &scene, Phrases::HeldOut, 7));
            assert_ne!(said, step_sentence(&step, &scene));
        }
    }
}
