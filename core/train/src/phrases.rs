//! Sentences for a step: many ways to say the same, some of them kept out of training.

use vola_types::{Direction, Op, Relation};

use crate::phrase_templates::{
    CLOSE, OPEN, PICK, PLACE_BESIDE, PLACE_IN, PLACE_ON, PLACE_REGION, PUSH, PUSH_REGION,
    Templates, direction_words, kind_words, relation_words,
};

use crate::{Rng, StepWords, TargetWords};

/// Which templates a sentence may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phrasing {
    /// Templates seen in training, the canonical one included.
    Training,
    /// Templates never seen in training; their words are.
    HeldOut,
}

fn templates(step: &StepWords) -> &'static Templates {
    let target = step.target.as_ref();
    let relation = target.and_then(|t| t.relation);
    let is_region = target.is_some_and(|t| t.region.is_some());
    match (step.op, relation) {
        (Op::Place, _) if is_region => &PLACE_REGION,
        (Op::Place, Some(Relation::In)) => &PLACE_IN,
        (Op::Place, Some(Relation::On) | None) => &PLACE_ON,
        (Op::Place, Some(_)) => &PLACE_BESIDE,
        (Op::Push, _) if is_region => &PUSH_REGION,
        (Op::Push, _) => &PUSH,
        (Op::Open, _) => &OPEN,
        (Op::Close, _) => &CLOSE,
        _ => &PICK,
    }
}

/// A choice among `list`, the canonical first one half of the time.
fn choose(list: &[&'static str], rng: &mut Option<&mut Rng>) -> &'static str {
    let first = list.first().copied().unwrap_or_default();
    let Some(rng) = rng else { return first };
    if rng.chance(0.5) {
        rng.pick(list).copied().unwrap_or(first)
    } else {
        first
    }
}

/// Fills one template; without a generator with the canonical words.
fn fill(template: &str, step: &StepWords, mut rng: Option<&mut Rng>) -> String {
    let mut noun = |kind: &str, color: Option<&str>| {
        let word = choose(kind_words(kind), &mut rng);
        color.map_or(word.to_string(), |color| format!("{color} {word}"))
    };
    let object = noun(&step.object.kind, step.object.color.as_deref());
    let none = TargetWords::default();
    let target = step.target.as_ref().unwrap_or(&none);
    let place = match (&target.region, &target.kind) {
        (Some(region), _) => region.clone(),
        (None, Some(kind)) => noun(kind, target.color.as_deref()),
        (None, None) => String::new(),
    };
    let relation = target
        .relation
        .map_or("", |r| choose(relation_words(r), &mut rng));
    let direction = target
        .direction
        .map_or("", |d| choose(direction_words(d), &mut rng));
    template
        .replace("{o}", &object)
        .replace("{t}", &place)
        .replace("{r}", relation)
        .replace("{d}", direction)
}

/// The sentence the runtime says for a step.
#[must_use]
pub fn canonical(step: &StepWords) -> String {
    templates(step)
        .training
        .first()
        .map_or_else(String::new, |template| fill(template, step, None))
}

/// A random sentence for a step. Training sentences are canonical in a third of the cases.
pub fn sentence(step: &StepWords, phrasing: Phrasing, rng: &mut Rng) -> String {
    let templates = templates(step);
    if phrasing == Phrasing::Training && rng.chance(1.0 / 3.0) {
        return canonical(step);
    }
    let list = match phrasing {
        Phrasing::Training => templates.training,
        Phrasing::HeldOut => templates.held_out,
    };
    let template = rng.pick(list).copied().unwrap_or_default();
    fill(template, step, Some(rng))
}

/// All held-out sentences for a step, in canonical nouns.
#[must_use]
pub fn held_out_sentences(step: &StepWords) -> Vec<String> {
    templates(step)
        .held_out
        .iter()
        .map(|template| fill(template, step, None))
        .collect()
}

/// Every word of the training sentences: the vocabulary.
#[must_use]
pub fn all_words() -> Vec<String> {
    let templates = [
        PICK,
        PLACE_IN,
        PLACE_ON,
        PLACE_REGION,
        PLACE_BESIDE,
        PUSH,
        PUSH_REGION,
        OPEN,
        CLOSE,
    ];
    let mut texts: Vec<String> = templates
        .iter()
        .flat_map(|t| t.training)
        .map(|t| (*t).to_string())
        .collect();
    texts.extend(
        Relation::ALL
            .iter()
            .flat_map(|r| relation_words(*r))
            .map(|w| (*w).to_string()),
    );
    texts.extend(
        Direction::ALL
            .iter()
            .flat_map(|d| direction_words(*d))
            .map(|w| (*w).to_string()),
    );
    texts.extend(
        vola_types::KINDS
            .iter()
            .flat_map(|k| kind_words(k))
            .map(|w| (*w).to_string()),
    );
    texts.extend(vola_types::COLORS.iter().map(|c| (*c).to_string()));
    texts.extend(vola_types::Region::all_names());
    texts.extend(crate::word_noise::FILLERS.iter().map(|w| (*w).to_string()));
    let words = texts
        .iter()
        .flat_map(|t| t.split_whitespace())
        .filter(|w| !w.starts_with('{'));
    words
        .map(str::to_string)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Noun;

    fn step(op: Op, target: Option<TargetWords>) -> StepWords {
        let object = match op {
            Op::Open | Op::Close => Noun {
                kind: "drawer".into(),
                color: None,
            },
            _ => Noun {
                kind: "block".into(),
                color: Some("red".into()),
            },
        };
        let step = StepWords { op, object, target };
        assert_eq!(step.check(), Ok(()));
        step
    }

    fn to(kind: &str, relation: Relation) -> Option<TargetWords> {
        Some(TargetWords {
            kind: Some(kind.into()),
            color: Some("blue".into()),
            relation: Some(relation),
            ..TargetWords::default()
        })
    }

    fn region(name: &str) -> Option<TargetWords> {
        Some(TargetWords {
            region: Some(name.into()),
            ..TargetWords::default()
        })
    }

    fn steps() -> Vec<(StepWords, &'static str)> {
        let direction = Some(TargetWords {
            direction: Some(Direction::Left),
            ..TargetWords::default()
        });
        vec![
            (step(Op::Pick, None), "pick up the red block"),
            (
                step(Op::Place, to("bowl", Relation::In)),
                "place the red block in the blue bowl",
            ),
            (
                step(Op::Place, region("top left corner")),
                "place the red block on the top left corner",
            ),
            (
                step(Op::Place, to("block", Relation::On)),
                "place the red block on the blue block",
            ),
            (
                step(Op::Place, to("bowl", Relation::LeftOf)),
                "place the red block left of the blue bowl",
            ),
            (step(Op::Push, direction), "push the red block to the left"),
            (
                step(Op::Push, region("middle")),
                "push the red block to the middle",
            ),
            (step(Op::Open, None), "open the drawer"),
            (step(Op::Close, None), "close the drawer"),
        ]
    }

    #[test]
    fn canonical_sentences_are_those_of_the_runtime() {
        for (step, text) in steps() {
            assert_eq!(canonical(&step), text);
        }
    }

    #[test]
    fn held_out_templates_are_new_but_their_words_are_not() {
        let words = all_words();
        let mut rng = Rng::new(1);
        for (step, _) in steps() {
            let templates = templates(&step);
            assert!(
                templates.training.len() >= 8 && templates.held_out.len() >= 3,
                "{step:?}"
            );
            assert!(
                templates
                    .held_out
                    .iter()
                    .all(|t| !templates.training.contains(t))
            );
            for phrasing in [Phrasing::Training, Phrasing::HeldOut] {
                for _ in 0..50 {
                    let text = sentence(&step, phrasing, &mut rng);
                    assert!(!text.contains('{'), "{text}");
                    let unknown: Vec<&str> = text
                        .split_whitespace()
                        .filter(|w| !words.iter().any(|k| k == w))
                        .collect();
                    assert!(
                        unknown.is_empty() || unknown == [","],
                        "{text}: {unknown:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn arguments_must_fit_the_op() {
        let noun = Noun {
            kind: "block".into(),
            color: Some("red".into()),
        };
        for (op, target) in [
            (Op::Pick, region("middle")),
            (Op::Place, None),
            (Op::Push, to("bowl", Relation::In)),
            (Op::Place, region("roof")),
            (Op::Home, None),
        ] {
            assert!(
                StepWords {
                    op,
                    object: noun.clone(),
                    target
                }
                .check()
                .is_err()
            );
        }
        let colourless = Noun {
            kind: "block".into(),
            color: None,
        };
        assert!(
            StepWords {
                op: Op::Pick,
                object: colourless,
                target: None
            }
            .check()
            .is_err()
        );
    }
}
