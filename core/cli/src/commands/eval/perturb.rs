//! What may be wrong with an episode on purpose.

use vola_planner::{resolve, with_side};
use vola_types::{COLORS, PrimitiveGoal, Scene, Step};

use super::{Phrases, primitive_episode::other_target, task_words::task_words};
use crate::failure::Failure;

/// A perturbation, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Perturb(&'static str);

/// The instruction names another object than the one that is meant.
const WRONG_OBJECT: &str = "wrong_object";
/// The episode as it is.
const NONE: &str = "none";
/// All perturbations in turn.
const ALL: &str = "all";

impl Perturb {
    /// Those that the world makes, then the one that the evaluator makes.
    pub(crate) const ALL: [Self; 13] = [
        Self("camera_moved"),
        Self("light"),
        Self("color_shift"),
        Self("occluder"),
        Self("frozen_camera"),
        Self("unseen_object"),
        Self("clutter"),
        Self("slippery_block"),
        Self("block_moved"),
        Self("weak_gripper"),
        Self("proprioception_bias"),
        Self("command_delay"),
        Self(WRONG_OBJECT),
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.0
    }

    /// Its word in the world's task; none for what the world does not make.
    pub(crate) fn of_world(self) -> Option<&'static str> {
        (self.0 != WRONG_OBJECT).then_some(self.0)
    }

    /// Whether the instruction is wrong.
    pub(crate) fn is_misnaming(self) -> bool {
        self.0 == WRONG_OBJECT
    }
}

/// The name of a perturbation, or `none`.
pub(crate) fn name_of(perturb: Option<Perturb>) -> &'static str {
    perturb.map_or(NONE, Perturb::name)
}

/// The conditions that `NAME[,NAME…]`, `all` or `none` ask for, each in turn.
///
/// # Errors
/// When a name is unknown; says which is nearest.
pub(crate) fn conditions_of(words: &str) -> Result<Vec<Option<Perturb>>, Failure> {
    let mut conditions = Vec::new();
    for word in words.split(',').map(str::trim) {
        match word {
            NONE => conditions.push(None),
            ALL => conditions.extend(Perturb::ALL.map(Some)),
            _ => conditions.push(Some(find(word)?)),
        }
    }
    Ok(conditions)
}

/// Conditions of a measurement of what goes wrong: all and the clean one, where none is named.
///
/// # Errors
/// As [`conditions_of`].
pub(crate) fn conditions_or_all(words: &str) -> Result<Vec<Option<Perturb>>, Failure> {
    match words {
        NONE => conditions_of("none,all"),
        words => conditions_of(words),
    }
}

/// The one condition that is named.
///
/// # Errors
/// A word that is none, or several.
pub(crate) fn condition_of(words: &str) -> Result<Option<Perturb>, Failure> {
    match conditions_of(words)?.as_slice() {
        [one] => Ok(*one),
        _ => Err(Failure::Argument {
            argument: "--perturb".to_owned(),
            expected: "one perturbation, or `none`".to_owned(),
            got: words.to_owned(),
            help: "here it is the same for all scenes".to_owned(),
        }),
    }
}

fn find(word: &str) -> Result<Perturb, Failure> {
    let found = Perturb::ALL.into_iter().find(|one| one.0 == word);
    found.ok_or_else(|| {
        let names = Perturb::ALL.map(Perturb::name);
        let nearest = vola_bundle::nearest_word(word, names);
        Failure::Argument {
            argument: "--perturb".to_owned(),
            expected: format!("`none`, `all`, or some of {}", names.join(", ")),
            got: word.to_owned(),
            help: nearest.map_or_else(
                || "separate several names by commas".to_owned(),
                |name| format!("did you mean `{name}`?"),
            ),
        }
    })
}

/// A goal whose words name another object than its points show: every other
/// time one that is there, else one that is not on the table, without points.
pub(super) fn misnamed(step: &Step, scene: &Scene, seed: u64) -> Option<PrimitiveGoal> {
    let goal = resolve(step, scene).ok()?;
    let words = |step: &Step| task_words(&with_side(step, scene), scene, Phrases::Canonical, seed);
    let other = other_target(step, scene);
    let contradicts = seed.is_multiple_of(2) && other != *step;
    if contradicts {
        return Some(PrimitiveGoal {
            task: words(&other),
            ..goal
        });
    }
    let own = words(step);
    let absent = COLORS
        .iter()
        .cycle()
        .skip(seed as usize % COLORS.len())
        .take(COLORS.len())
        .find(|color| {
            let is_there =
                |object: &vola_types::SceneObject| object.color.as_deref() == Some(**color);
            !scene.objects.iter().any(is_there)
        })?;
    // The first colour is that of what is acted on, the last that of the target.
    let task = match step {
        Step::Place { .. } => replace_last_color(&own, absent),
        _ => replace_first_color(&own, absent),
    };
    let is_changed = task != own;
    Some(PrimitiveGoal {
        task: if is_changed { task } else { words(&other) },
        object: goal.object.filter(|_| !is_changed),
        target: goal.target.filter(|_| !is_changed),
        ..goal
    })
}

fn replace_first_color(text: &str, by: &str) -> String {
    replace_color(text, by, |places| places.into_iter().min())
}

fn replace_last_color(text: &str, by: &str) -> String {
    replace_color(text, by, |places| places.into_iter().max())
}

fn replace_color(
    text: &str,
    by: &str,
    choose: impl Fn(Vec<(usize, &str)>) -> Option<(usize, &str)>,
) -> String {
    let places = COLORS
        .iter()
        .flat_map(|color| text.match_indices(color))
        .collect();
    match choose(places) {
        Some((at, color)) => {
            let mut changed = text.to_owned();
            changed.replace_range(at..at + color.len(), by);
            changed
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_or_the_nearest_is_told() {
        assert_eq!(conditions_of("all").unwrap().len(), 13);
        assert_eq!(conditions_of("none").unwrap(), [None]);
        let two = conditions_of("light, none").unwrap();
        assert_eq!(
            two.iter().map(|one| name_of(*one)).collect::<Vec<_>>(),
            ["light", "none"]
        );
        let error = conditions_of("ligth").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("`light`"), "{error}");
    }

    #[test]
    fn words_and_points_disagree() {
        let scene = Scene::from_json(
            r#"{"objects":[
            {"id":"red_block","kind":"block","color":"red","position":[0.42,0.10,0.02]},
            {"id":"green_block","kind":"block","color":"green","position":[0.35,-0.2,0.02]},
            {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.5,0.15,0.03]}]}"#,
        )
        .unwrap();
        let pick = Step::Pick {
            object: "red_block".to_owned(),
        };
        let there = misnamed(&pick, &scene, 2).unwrap();
        assert_eq!(there.task, "pick up the green block");
        assert_eq!(there.object, Some([0.42, 0.10, 0.02]));
        let absent = misnamed(&pick, &scene, 3).unwrap();
        assert_eq!(absent.object, None);
        let named = COLORS
            .iter()
            .find(|color| absent.task.contains(**color))
            .unwrap();
        assert!(!["red", "green", "blue"].contains(named), "{}", absent.task);
    }
}
