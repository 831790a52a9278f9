//! A sentence in a scene in which it makes sense, with the answer it should get.

use fastrand::Rng;
use vola_planner::{Dialogue, PlanDraft, PlanRequest, compact};
use vola_types::{COLORS, ON_TABLE, PlanOption, Scene, SceneObject, TABLE_X, TABLE_Y, Verdict};

use crate::sampler::{Before, Class, Sample, Sampler};

/// Scenes tried for one sentence.
const TRIES: usize = 60;
/// Of the commands, those that should be a question, and those that name what
/// is not there.
const AMBIGUOUS: f32 = 0.07;
const ABSENT: f32 = 0.05;
/// Least distance between two objects (m).
const APART_M: f64 = 0.085;

/// An exercise.
#[derive(Clone, Debug)]
pub struct Exercise {
    /// The sentence, and what it means.
    pub sample: Sample,
    /// The request with sentence, scene and what came before.
    pub request: PlanRequest,
    /// The answer of the meaning.
    pub expected: PlanDraft,
    /// The class, with `ambiguous` and `absent` for commands whose answer
    /// depends on the scene.
    pub class: &'static str,
    /// Other classes it is of: `superlative`, `counting`, `coreference`,
    /// `order`, `typo`, `casual`.
    pub also: Vec<&'static str>,
}

/// Draws an exercise.
pub fn exercise(sampler: &Sampler, rng: &mut Rng) -> Exercise {
    loop {
        let sample = sampler.draw(rng);
        let wanted = wanted(&sample, rng);
        for _ in 0..TRIES {
            let scene = scene(&sample.meaning, wanted == Verdict::Infeasible, rng);
            let mut request = PlanRequest::new(&sample.sentence, scene);
            if !add_past(&mut request, &sample, rng) {
                continue;
            }
            let Ok(expected) = compact::answer(&sample.meaning, &request) else {
                break;
            };
            if expected.verdict != wanted {
                continue;
            }
            let is_command = sample.meaning.starts_with("do ");
            let class = match wanted {
                Verdict::Ask if is_command => "ambiguous",
                Verdict::Infeasible if is_command => "absent",
                _ => sample.class.name(),
            };
            return Exercise {
                also: also(&sample),
                sample,
                request,
                expected,
                class,
            };
        }
    }
}

/// The classes that lie across the others.
fn also(sample: &Sample) -> Vec<&'static str> {
    const SUPERLATIVE: [&str; 10] = [
        "leftmost",
        "rightmost",
        "farmost",
        "nearmost",
        "midmost",
        "highest",
        "nearest",
        "farthest",
        "nearest-to",
        "farthest-from",
    ];
    const COREFERENCE: [&str; 7] = ["it", "them", "there", "other", "fix", "same", "again"];
    let mut words = sample
        .meaning
        .split(|c: char| c.is_whitespace() || "[]();".contains(c));
    let has = |list: &[&str]| words.clone().any(|word| list.contains(&word));
    let (superlative, coreference) = (has(&SUPERLATIVE), has(&COREFERENCE));
    let counting = words.any(|word| {
        let number = word.trim_start_matches('=');
        ["both", "some", "last"].contains(&word)
            || number.len() == 1 && number.parse::<u8>().is_ok()
            || ["1st", "2nd", "3rd", "4th", "5th"].contains(&word)
    });
    [
        (superlative, "superlative"),
        (counting, "counting"),
        (coreference, "coreference"),
        (sample.manner.is_reordered, "order"),
        (sample.manner.is_slipped, "typo"),
        (sample.manner.is_casual, "casual"),
    ]
    .into_iter()
    .filter_map(|(is_so, name)| is_so.then_some(name))
    .collect()
}

/// The verdict that a sentence is to have.
fn wanted(sample: &Sample, rng: &mut Rng) -> Verdict {
    let first = sample.meaning.split(' ').next().unwrap_or_default();
    match (first, sample.class) {
        ("cannot", _) => Verdict::Infeasible,
        ("unsafe", _) => Verdict::Unsafe,
        ("chat", _) => Verdict::Chat,
        ("ask", _) => Verdict::Ask,
        ("do", Class::Direct | Class::Paraphrase) => match rng.f32() {
            share if share < AMBIGUOUS => Verdict::Ask,
            share if share < AMBIGUOUS + ABSENT => Verdict::Infeasible,
            _ => Verdict::Execute,
        },
        _ => match sample.meaning.as_str() {
            "answer no" => Verdict::Chat,
            // Only to be left alone: nothing is done.
            meaning if meaning.starts_with("do keep") && !meaning.contains(';') => Verdict::Chat,
            _ => Verdict::Execute,
        },
    }
}

/// A command before, or a question that is open.
fn add_past(request: &mut PlanRequest, sample: &Sample, rng: &mut Rng) -> bool {
    let (before, is_yes) = (sample.before, sample.meaning == "answer yes");
    let (sentence, meaning) = match before {
        Before::Nothing => return true,
        Before::Command => {
            let color = COLORS[rng.usize(..COLORS.len())];
            ("put it there", format!("do put a {color} block in a bowl"))
        }
        Before::Question => ("take the block", "do take block".to_owned()),
    };
    let mut past = PlanRequest::new(sentence, request.scene.clone());
    past.dialogue = Dialogue::default();
    let Ok(draft) = compact::answer(&meaning, &past) else {
        return false;
    };
    let fits = match before {
        Before::Question => draft.verdict == Verdict::Ask,
        _ => draft.verdict == Verdict::Execute,
    };
    request.dialogue.note(sentence, &draft.into_plan());
    // "Yes" answers whether, not which.
    if let (true, Some(open)) = (is_yes, &mut request.dialogue.question) {
        open.question = "Shall I do this?".to_owned();
        open.options.truncate(1);
        open.options.push(PlanOption {
            label: "leave everything as it is".to_owned(),
            steps: Vec::new(),
        });
    }
    fits
}

/// A scene that has most of what a meaning speaks of.
fn scene(meaning: &str, without: bool, rng: &mut Rng) -> Scene {
    let mut builder = Builder::default();
    let words: Vec<&str> = meaning
        .split([' ', '[', ']', '(', ')', ';'])
        .filter(|word| !word.is_empty())
        .collect();
    let many = [
        "all", "both", "some", "2", "3", "4", "=2", "=3", "=4", "other",
    ];
    let mut copies = 1;
    let mut color = None;
    for word in words {
        if many.contains(&word) {
            copies = word.trim_start_matches('=').parse().unwrap_or(2);
        } else if let Some(first) = word.split('/').find(|part| COLORS.contains(part)) {
            color = Some(first);
        } else if ["block", "bowl", "one", "thing"].contains(&word) {
            let kind = if word == "bowl" { "bowl" } else { "block" };
            for _ in 0..copies {
                let drawn = COLORS[rng.usize(..COLORS.len())];
                if !without || rng.f32() < 0.3 {
                    builder.add(kind, color.unwrap_or(drawn), rng);
                }
            }
            (color, copies) = (None, 1);
        }
    }
    for _ in 0..rng.usize(1..4) {
        builder.add("block", COLORS[rng.usize(..COLORS.len())], rng);
    }
    for _ in 0..rng.usize(0..3) {
        builder.add("bowl", COLORS[rng.usize(..COLORS.len())], rng);
    }
    builder.finish(rng)
}

#[derive(Default)]
struct Builder {
    objects: Vec<SceneObject>,
}

impl Builder {
    fn add(&mut self, kind: &str, color: &str, rng: &mut Rng) {
        let same = |o: &&SceneObject| o.kind == kind && o.color.as_deref() == Some(color);
        let twins = self.objects.iter().filter(same).count();
        // Twins are rare unless they are asked for.
        if self.objects.len() >= 9 || (twins > 0 && rng.f32() < 0.8) {
            return;
        }
        for _ in 0..50 {
            let [x, y] = [
                TABLE_X[0] + rng.f64() * (TABLE_X[1] - TABLE_X[0]),
                TABLE_Y[0] + rng.f64() * (TABLE_Y[1] - TABLE_Y[0]),
            ];
            let free = self.objects.iter().all(|o| {
                o.position
                    .is_none_or(|[ox, oy, _]| (x - ox).hypot(y - oy) > APART_M)
            });
            if free {
                let z = if kind == "bowl" { 0.03 } else { 0.02 };
                self.objects.push(SceneObject {
                    id: String::new(),
                    kind: kind.to_owned(),
                    color: Some(color.to_owned()),
                    position: Some([x, y, z]),
                    on: Some(ON_TABLE.to_owned()),
                    open: None,
                    confidence: 1.0,
                    label: None,
                });
                return;
            }
        }
    }

    /// Names the objects, adds a drawer, puts a few blocks into or onto others.
    fn finish(mut self, rng: &mut Rng) -> Scene {
        let looks: Vec<(String, Option<String>)> = self
            .objects
            .iter()
            .map(|o| (o.kind.clone(), o.color.clone()))
            .collect();
        for (index, object) in self.objects.iter_mut().enumerate() {
            let same =
                |look: &&(String, Option<String>)| look.0 == object.kind && look.1 == object.color;
            let before = looks[..index].iter().filter(same).count();
            let noun = object.noun().replace(' ', "_");
            object.id = if looks.iter().filter(same).count() > 1 {
                format!("{noun}_{}", before + 1)
            } else {
                noun
            };
        }
        for index in 0..self.objects.len() {
            if self.objects[index].kind != "block" || rng.f32() > 0.15 {
                continue;
            }
            let on = rng.usize(..self.objects.len());
            let under = self.objects[on].clone();
            let is_taken = self
                .objects
                .iter()
                .any(|o| o.on.as_deref() == Some(&under.id));
            if on == index || is_taken || under.on.as_deref() != Some(ON_TABLE) {
                continue;
            }
            let own = self.objects[index].id.clone();
            if self.objects.iter().any(|o| o.on.as_deref() == Some(&own)) {
                continue;
            }
            let lift = if under.kind == "block" { 0.04 } else { 0.01 };
            let object = &mut self.objects[index];
            object.on = Some(under.id.clone());
            object.position = under.position.map(|[x, y, z]| [x, y, z + lift]);
        }
        self.objects.push(SceneObject {
            id: "drawer".to_owned(),
            kind: "drawer".to_owned(),
            color: None,
            position: None,
            on: None,
            open: Some(rng.f32() < 0.3),
            confidence: 1.0,
            label: None,
        });
        Scene {
            objects: self.objects,
            ..Scene::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use vola_types::{Relation, Step};

    use super::*;
    use crate::language::Split;

    /// The one object of this look, found without the planner.
    fn only<'a>(scene: &'a Scene, kind: &str, color: &str) -> Option<&'a str> {
        let looks = |o: &&SceneObject| o.kind == kind && o.color.as_deref() == Some(color);
        let mut found = scene.objects.iter().filter(looks);
        let first = found.next()?;
        found.next().is_none().then_some(first.id.as_str())
    }

    #[test]
    fn expected_plans_agree_with_a_reading_of_their_own() {
        let sampler = Sampler::new(Split::HeldOut).unwrap();
        let mut rng = Rng::with_seed(11);
        let mut checked = 0;
        for _ in 0..1500 {
            let one = exercise(&sampler, &mut rng);
            let words: Vec<&str> = one.sample.meaning.split(' ').collect();
            let scene = &one.request.scene;
            let (object, target) = match words.as_slice() {
                ["do", "put", c, "block", "in", t, "bowl"] => {
                    (only(scene, "block", c), only(scene, "bowl", t))
                }
                ["do", "put", c, "block", "in", "drawer"] => {
                    (only(scene, "block", c), Some("drawer"))
                }
                _ => continue,
            };
            let (Some(object), Some(target), Verdict::Execute) =
                (object, target, one.expected.verdict)
            else {
                continue;
            };
            checked += 1;
            let last = one.expected.steps.iter().rev().find_map(|step| match step {
                Step::Place {
                    object,
                    target,
                    relation,
                } => Some((object.as_str(), target.as_str(), *relation)),
                _ => None,
            });
            let wanted = Some((object, target, Relation::In));
            assert_eq!(last, wanted, "{}", one.sample.sentence);
        }
        assert!(checked > 20, "{checked}");
    }

    #[test]
    fn classes_across_the_others_are_found() {
        let sampler = Sampler::new(Split::HeldOut).unwrap();
        let mut rng = Rng::with_seed(12);
        let mut all: Vec<&str> = Vec::new();
        for _ in 0..400 {
            all.extend(exercise(&sampler, &mut rng).also);
        }
        for class in [
            "superlative",
            "counting",
            "coreference",
            "order",
            "typo",
            "casual",
        ] {
            assert!(all.contains(&class), "{class}");
        }
    }
}
