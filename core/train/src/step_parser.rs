//! A sentence back to the step it is said for.
//!
//! The sentences that training makes are read backwards: a sentence is a step when it fits exactly
//! one template with words of the vocabulary. Everything else stays a sentence; guessing would teach a
//! policy that two different wishes are one.

use vola_types::{COLORS, Direction, KINDS, Op, Region, Relation};

use crate::phrase_templates::{
    CLOSE, OPEN, PICK, PLACE_BESIDE, PLACE_IN, PLACE_ON, PLACE_REGION, PUSH, PUSH_REGION,
    Templates, direction_words, kind_words, relation_words,
};
use crate::{Noun, StepWords, TargetWords};

/// What a template's gaps were filled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filled {
    object: Option<Noun>,
    target: Option<Noun>,
    region: Option<&'static str>,
    relation: Option<Relation>,
    direction: Option<Direction>,
}

/// Most words of a sentence that is compared with templates.
const MAX_WORDS: usize = 40;

/// The step that a sentence says, if it says exactly one.
///
/// Upper case, a full stop and an exclamation or question mark at the end make no difference.
#[must_use]
pub fn parse_step(sentence: &str) -> Option<StepWords> {
    let text = sentence.to_lowercase().replace(',', " , ");
    let words: Vec<&str> = text
        .trim()
        .trim_end_matches(['.', '!', '?'])
        .split_whitespace()
        .collect();
    if words.len() > MAX_WORDS {
        return None;
    }
    let mut steps: Vec<StepWords> = Vec::new();
    let kinds: [(&Templates, Op, Option<Relation>); 9] = [
        (&PICK, Op::Pick, None),
        (&PLACE_IN, Op::Place, Some(Relation::In)),
        (&PLACE_ON, Op::Place, Some(Relation::On)),
        (&PLACE_REGION, Op::Place, None),
        (&PLACE_BESIDE, Op::Place, None),
        (&PUSH, Op::Push, None),
        (&PUSH_REGION, Op::Push, None),
        (&OPEN, Op::Open, None),
        (&CLOSE, Op::Close, None),
    ];
    for (templates, op, relation) in kinds {
        for template in templates.training.iter().chain(templates.held_out) {
            let pattern: Vec<&str> = template.split_whitespace().collect();
            let mut found = Vec::new();
            fill(&pattern, &words, &Filled::default(), &mut found);
            for filled in found {
                match step(op, relation, filled) {
                    Some(step) if !steps.contains(&step) => steps.push(step),
                    _ => {}
                }
            }
        }
    }
    match steps.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// All ways to fill the gaps of a pattern so that it says the words.
fn fill(pattern: &[&str], words: &[&str], so_far: &Filled, found: &mut Vec<Filled>) {
    let Some((first, pattern)) = pattern.split_first() else {
        if words.is_empty() {
            found.push(so_far.clone());
        }
        return;
    };
    let mut go_on = |used: usize, filled: Filled| fill(pattern, &words[used..], &filled, found);
    match *first {
        "{o}" => {
            if let Some((noun, used)) = noun(words) {
                let object = Some(noun);
                go_on(
                    used,
                    Filled {
                        object,
                        ..so_far.clone()
                    },
                );
            }
        }
        "{t}" => {
            if let Some((noun, used)) = noun(words) {
                let target = Some(noun);
                go_on(
                    used,
                    Filled {
                        target,
                        ..so_far.clone()
                    },
                );
            }
            for region in Region::ALL.map(Region::name) {
                if let Some(used) = begins(words, region) {
                    let region = Some(region);
                    go_on(
                        used,
                        Filled {
                            region,
                            ..so_far.clone()
                        },
                    );
                }
            }
        }
        "{r}" => {
            // In and on have templates of their own.
            let beside = |r: &&Relation| !matches!(r, Relation::In | Relation::On);
            for relation in Relation::ALL.iter().filter(beside) {
                for used in relation_words(*relation)
                    .iter()
                    .filter_map(|w| begins(words, w))
                {
                    let relation = Some(*relation);
                    go_on(
                        used,
                        Filled {
                            relation,
                            ..so_far.clone()
                        },
                    );
                }
            }
        }
        "{d}" => {
            for direction in Direction::ALL {
                for used in direction_words(direction)
                    .iter()
                    .filter_map(|w| begins(words, w))
                {
                    let direction = Some(direction);
                    go_on(
                        used,
                        Filled {
                            direction,
                            ..so_far.clone()
                        },
                    );
                }
            }
        }
        word if words.first() == Some(&word) => go_on(1, so_far.clone()),
        _ => {}
    }
}

/// How many words a phrase has, if the words begin with it.
fn begins(words: &[&str], phrase: &str) -> Option<usize> {
    let count = phrase.split_whitespace().count();
    let is_said =
        words.len() >= count && phrase.split_whitespace().eq(words[..count].iter().copied());
    is_said.then_some(count)
}

/// A colour and a kind, or a kind alone, at the beginning of the words.
fn noun(words: &[&str]) -> Option<(Noun, usize)> {
    let color = COLORS.iter().find(|color| words.first() == Some(*color));
    let used = usize::from(color.is_some());
    let word = words.get(used)?;
    let kind = KINDS.iter().find(|kind| kind_words(kind).contains(word))?;
    let noun = Noun {
        kind: (*kind).to_string(),
        color: color.map(|color| (*color).to_string()),
    };
    Some((noun, used + 1))
}

/// The step of a filled template, if it is a sound one.
fn step(op: Op, relation: Option<Relation>, filled: Filled) -> Option<StepWords> {
    // A template that says "it" names no object.
    let object = filled.object?;
    let moves_drawer = matches!(op, Op::Open | Op::Close);
    if moves_drawer != (object.kind == "drawer") {
        return None;
    }
    let target = match op {
        Op::Place | Op::Push => {
            let (kind, color) = filled
                .target
                .map_or((None, None), |t| (Some(t.kind), t.color));
            Some(TargetWords {
                relation: relation.filter(|_| kind.is_some()).or(filled.relation),
                kind,
                color,
                region: filled.region.map(str::to_string),
                direction: filled.direction,
            })
        }
        _ => None,
    };
    let step = StepWords { op, object, target };
    step.check().is_ok().then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Phrasing, Rng, canonical, sentence};

    fn noun(kind: &str, color: Option<&str>) -> Noun {
        Noun {
            kind: kind.into(),
            color: color.map(str::to_string),
        }
    }

    fn steps() -> Vec<StepWords> {
        let mut all = Vec::new();
        let block = || noun("block", Some("red"));
        for op in [Op::Open, Op::Close] {
            all.push((op, noun("drawer", None), None));
        }
        all.push((Op::Pick, block(), None));
        for op in [Op::Place, Op::Push] {
            for region in Region::all_names() {
                let region = Some(region);
                all.push((
                    op,
                    block(),
                    Some(TargetWords {
                        region,
                        ..TargetWords::default()
                    }),
                ));
            }
        }
        for direction in Direction::ALL.map(Some) {
            all.push((
                Op::Push,
                block(),
                Some(TargetWords {
                    direction,
                    ..TargetWords::default()
                }),
            ));
        }
        for relation in Relation::ALL {
            let target = TargetWords {
                kind: Some("bowl".into()),
                color: Some("blue".into()),
                relation: Some(relation),
                ..TargetWords::default()
            };
            all.push((Op::Place, block(), Some(target)));
        }
        let step = |(op, object, target)| StepWords { op, object, target };
        all.into_iter().map(step).collect()
    }

    #[test]
    fn what_training_says_is_read_back_or_left_alone() {
        let mut rng = Rng::new(4);
        for step in steps() {
            let read = parse_step(&canonical(&step));
            assert_eq!(read.as_ref(), Some(&step), "{}", canonical(&step));
            for phrasing in [Phrasing::Training, Phrasing::HeldOut] {
                for _ in 0..40 {
                    let text = sentence(&step, phrasing, &mut rng);
                    // "put it there" names no object; a sentence may also have two meanings.
                    if let Some(read) = parse_step(&text) {
                        assert_eq!(read, step, "{text}");
                    }
                }
            }
        }
        let said = parse_step("Move the RED cube to the left.").map(|step| canonical(&step));
        assert_eq!(said.as_deref(), Some("push the red block to the left"));
    }

    #[test]
    fn other_sentences_are_not_guessed() {
        for text in [
            "",
            "pick up the apple",
            "pick up the block",
            "pick up the red block and shake it",
            "put it in the blue bowl",
            "open the red block",
            "fold the towel",
        ] {
            assert_eq!(parse_step(text), None, "{text}");
        }
    }
}
