//! The scene generator: from a seed and a task to objects, goals and a start.

use super::{
    Contents, Disturbance, DrawerChoice, DrawerSpec, Duplicates, Goal, Hand, ObjectSpec, Random,
    Start, StartPose, TaskKind, TaskSpec,
    contents::put_away,
    drawer::TRAVEL,
    goal_draw::Context,
    layout::{Counts, draw},
    start,
};
use crate::error::TabletopError;

/// Layouts drawn before the generator gives up.
const TRIES: usize = 3000;
/// Share of training scenes in which something was already done.
const FURNISHED: f64 = 0.45;
/// Nearest that both arms reach round their base with the gripper down, at
/// every height (m).
pub(crate) const LEAST_REACH: f64 = 0.30;

/// A scene and what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScenePlan {
    /// Blocks and bowls.
    pub(crate) objects: Vec<ObjectSpec>,
    /// The drawer; its index is `objects.len()`.
    pub(crate) drawer: Option<DrawerSpec>,
    /// The steps in order; none in free scenes.
    pub(crate) goals: Vec<Goal>,
    /// The object in the gripper at the start.
    pub(crate) holding: Option<usize>,
    /// Where the arm begins.
    pub(crate) start: StartPose,
    /// What is wrong on purpose.
    pub(crate) disturbance: Disturbance,
}

/// Draws the scene of a seed.
///
/// # Errors
/// [`TabletopError::NoScene`] when no layout has what the task needs.
pub(crate) fn plan(
    seed: u64,
    spec: &TaskSpec,
    drawer_built: DrawerChoice,
) -> Result<ScenePlan, TabletopError> {
    let mut random = Random::new(seed, 1);
    for _ in 0..TRIES {
        let drawer = draw_drawer(&mut random, spec, drawer_built);
        if let Some(mut plan) = attempt(&mut random, spec, drawer) {
            plan.disturbance =
                Disturbance::draw(spec.perturb_seed.unwrap_or(seed), spec.perturb, &plan);
            return Ok(plan);
        }
    }
    Err(TabletopError::NoScene {
        task: spec.task.word(),
        seed,
        tries: TRIES,
    })
}

fn draw_drawer(
    random: &mut Random,
    spec: &TaskSpec,
    drawer_built: DrawerChoice,
) -> Option<DrawerSpec> {
    let needed = matches!(spec.task, TaskKind::Drawer | TaskKind::PlaceInDrawer);
    let (draw, y) = (random.unit(), random.range(-0.12, 0.12));
    let choice = if drawer_built == DrawerChoice::Default {
        spec.drawer
    } else {
        drawer_built
    };
    let present = needed
        || match choice {
            DrawerChoice::Default => spec.task == TaskKind::Free || draw < 0.25,
            DrawerChoice::Never => false,
            DrawerChoice::Always => true,
        };
    let open = match spec.task {
        TaskKind::Drawer => random.chance(0.5),
        TaskKind::PlaceInDrawer if spec.hand == Hand::Empty => random.chance(0.5),
        TaskKind::PlaceInDrawer => true,
        _ => spec.start == Start::Varied && random.chance(0.3),
    };
    let opening = if open {
        TRAVEL * random.range(0.85, 1.0)
    } else {
        0.0
    };
    present.then_some(DrawerSpec { y, opening })
}

/// One layout with goals, or nothing when it lacks what the task needs.
fn attempt(random: &mut Random, spec: &TaskSpec, drawer: Option<DrawerSpec>) -> Option<ScenePlan> {
    let most_bowls = if drawer.is_some() { 2 } else { 3 };
    let least_bowls = if spec.task == TaskKind::PlaceIn { 2 } else { 1 };
    let counts = Counts {
        blocks: 3 + random.below(if drawer.is_some() { 3 } else { 4 }),
        bowls: least_bowls + random.below(most_bowls - least_bowls + 1),
    };
    let mut objects = draw(random, counts, drawer)?;
    if spec.duplicates == Duplicates::Default && random.chance(0.2) {
        duplicate(random, &mut objects);
    }
    let context = Context {
        objects: &objects,
        drawer,
        combos: spec.combos,
    };
    let goals = context.goals(random, spec.task)?;
    let is_furnished = match spec.contents {
        Contents::Default => spec.start == Start::Varied && random.chance(FURNISHED),
        Contents::Never => false,
        Contents::Some => true,
    };
    if is_furnished {
        put_away(random, &mut objects, drawer, &goals);
    }
    let holding = (spec.task.begins_holding() && spec.hand == Hand::Default)
        .then(|| goals.first().map(|goal| goal.object))
        .flatten();
    let start = match (
        holding.and_then(|held| objects.get(held).map(|block| (held, block))),
        spec.start,
    ) {
        (Some((_, block)), Start::Home) => start::lifted(block),
        (Some((held, block)), Start::Varied) => {
            start::holding(random, block, &objects, held, drawer)
        }
        (None, Start::Home) => StartPose::Home,
        (None, Start::Varied) => start::empty(random, &objects, drawer),
    };
    Some(ScenePlan {
        objects,
        drawer,
        goals,
        holding,
        start,
        disturbance: Disturbance::default(),
    })
}

/// Gives one object the colour of another of its kind.
fn duplicate(random: &mut Random, objects: &mut [ObjectSpec]) {
    let source = random.below(objects.len());
    let Some(model) = objects.get(source).copied() else {
        return;
    };
    let twins: Vec<usize> = objects
        .iter()
        .enumerate()
        .filter(|(index, object)| *index != source && object.kind == model.kind)
        .map(|(index, _)| index)
        .collect();
    if let Some(twin) = random
        .choose(&twins)
        .and_then(|index| objects.get_mut(*index))
    {
        twin.color = model.color;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Kind, is_held_out},
        scene::{Combos, Target},
    };

    fn spec(task: TaskKind, combos: Combos) -> TaskSpec {
        TaskSpec {
            task,
            combos,
            start: Start::Varied,
            ..TaskSpec::default()
        }
    }

    const TASKS: [TaskKind; 11] = [
        TaskKind::Pick,
        TaskKind::PlaceIn,
        TaskKind::PlaceOnRegion,
        TaskKind::Stack,
        TaskKind::Relation,
        TaskKind::Push,
        TaskKind::PushToRegion,
        TaskKind::Drawer,
        TaskKind::PlaceInDrawer,
        TaskKind::Multi,
        TaskKind::Free,
    ];

    #[test]
    fn every_task_and_seed_gives_the_same_scene_twice() {
        for task in TASKS {
            for seed in 0..40 {
                let once = plan(seed, &spec(task, Combos::All), DrawerChoice::Default).unwrap();
                let twice = plan(seed, &spec(task, Combos::All), DrawerChoice::Default).unwrap();
                assert_eq!(once, twice);
                let blocks = once
                    .objects
                    .iter()
                    .filter(|object| object.kind == Kind::Block)
                    .count();
                assert!(
                    (3..=6).contains(&blocks) && (1..=3).contains(&(once.objects.len() - blocks))
                );
                assert_eq!(once.holding.is_some(), task.begins_holding());
            }
        }
    }

    #[test]
    fn combos_decide_what_is_acted_on() {
        for (combos, wanted) in [(Combos::Train, false), (Combos::HeldOut, true)] {
            for seed in 0..60 {
                for task in [TaskKind::Pick, TaskKind::Push, TaskKind::PlaceIn] {
                    let scene = plan(seed, &spec(task, combos), DrawerChoice::Never).unwrap();
                    let goal = scene.goals[0];
                    let index = match goal.target {
                        Target::Object(bowl) => bowl,
                        _ => goal.object,
                    };
                    let object = scene.objects[index];
                    assert_eq!(
                        is_held_out(object.kind, object.color),
                        wanted,
                        "{task:?} {seed}"
                    );
                }
            }
        }
    }

    #[test]
    fn look_alikes_come_in_a_fifth_of_the_scenes() {
        let twins = |duplicates| {
            (0..500)
                .filter(|seed| {
                    let spec = TaskSpec {
                        duplicates,
                        ..spec(TaskKind::Free, Combos::All)
                    };
                    let scene = plan(*seed, &spec, DrawerChoice::Never).unwrap();
                    scene.objects.iter().enumerate().any(|(index, a)| {
                        scene.objects[..index]
                            .iter()
                            .any(|b| a.kind == b.kind && a.color == b.color)
                    })
                })
                .count()
        };
        assert_eq!(twins(Duplicates::Never), 0);
        assert!(
            (65..=130).contains(&twins(Duplicates::Default)),
            "{}",
            twins(Duplicates::Default)
        );
    }
}
