//! What may be asked of `reset`: the task's JSON.

use serde::{Deserialize, Serialize};

use super::Perturbations;
use crate::error::TabletopError;

/// The tasks of the evaluation and `free`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaskKind {
    /// Grasp a block and lift it.
    Pick,
    /// Put the held block in a bowl.
    PlaceIn,
    /// Put the held block on one of the nine regions.
    PlaceOnRegion,
    /// Put the held block on another block.
    Stack,
    /// Put the held block beside an object.
    Relation,
    /// Push a block.
    Push,
    /// Push a block into a region, the harder part of `push`.
    PushToRegion,
    /// Open or close the drawer.
    Drawer,
    /// Put the held block in the open drawer.
    PlaceInDrawer,
    /// Two or three steps, beginning with an empty gripper.
    Multi,
    /// A scene without a goal.
    #[default]
    Free,
}

impl TaskKind {
    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pick => "pick",
            Self::PlaceIn => "place_in",
            Self::PlaceOnRegion => "place_on_region",
            Self::Stack => "stack",
            Self::Relation => "relation",
            Self::Push => "push",
            Self::PushToRegion => "push_to_region",
            Self::Drawer => "drawer",
            Self::PlaceInDrawer => "place_in_drawer",
            Self::Multi => "multi",
            Self::Free => "free",
        }
    }

    /// Whether the episode begins with the object in the gripper.
    pub(crate) fn begins_holding(self) -> bool {
        matches!(
            self,
            Self::PlaceIn
                | Self::PlaceOnRegion
                | Self::Stack
                | Self::Relation
                | Self::PlaceInDrawer
        )
    }
}

/// Which colour and kind combinations the goal may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Combos {
    /// Any.
    #[default]
    All,
    /// Only those that training uses as action targets.
    Train,
    /// Only those that training never uses as action targets.
    HeldOut,
}

/// Where the arm begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    /// At its home pose (with a held block: above where the block stood).
    #[default]
    Home,
    /// Where any primitive may have left it.
    Varied,
}

/// Whether a second object of one colour and kind may appear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Duplicates {
    /// In a fifth of the scenes.
    #[default]
    Default,
    /// Never.
    Never,
}

/// Whether the drawer stands on the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DrawerChoice {
    /// Where the task needs it, in `free` scenes, and in a quarter of the others.
    #[default]
    Default,
    /// Only where the task needs it.
    Never,
    /// Always.
    Always,
}

/// Whether blocks already lie in bowls, on blocks or in the open drawer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contents {
    /// In half of the scenes where the arm begins anywhere, else never.
    #[default]
    Default,
    /// Never.
    Never,
    /// At least one, where there is room.
    Some,
}

/// What the gripper holds at the start of a task that puts something down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hand {
    /// The object to put down.
    #[default]
    Default,
    /// Nothing: it is to be picked first, and a drawer may have to be opened.
    Empty,
}

/// The JSON of a task. Unknown keys are refused; all keys may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TaskSpec {
    /// What is to be done.
    pub(crate) task: TaskKind,
    /// Which combinations the goal may name.
    pub(crate) combos: Combos,
    /// Where the arm begins.
    pub(crate) start: Start,
    /// Whether objects may look alike.
    pub(crate) duplicates: Duplicates,
    /// Whether there is a drawer.
    pub(crate) drawer: DrawerChoice,
    /// What is already put away.
    pub(crate) contents: Contents,
    /// What the gripper holds at the start.
    pub(crate) hand: Hand,
    /// What is wrong on purpose.
    pub(crate) perturb: Perturbations,
    /// Seed of how wrong it is, for a fault that is the same in every scene. Default: the scene's.
    pub(crate) perturb_seed: Option<u64>,
}

impl TaskSpec {
    /// Reads a task; `null` is the free scene.
    ///
    /// # Errors
    /// [`TabletopError::Task`] for unknown keys or words.
    pub(crate) fn from_json(value: &serde_json::Value) -> Result<Self, TabletopError> {
        if value.is_null() {
            return Ok(Self::default());
        }
        serde_json::from_value(value.clone()).map_err(TabletopError::Task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_parse_or_name_the_key() {
        let spec = TaskSpec::from_json(&serde_json::json!({"task":"push","combos":"held_out"}));
        let spec = spec.unwrap();
        assert_eq!(
            (spec.task, spec.combos, spec.start),
            (TaskKind::Push, Combos::HeldOut, Start::Home)
        );
        assert_eq!(
            TaskSpec::from_json(&serde_json::Value::Null).unwrap(),
            TaskSpec::default()
        );
        for (bad, word) in [
            (serde_json::json!({"tasks":"pick"}), "tasks"),
            (serde_json::json!({"task":"juggle"}), "juggle"),
            (serde_json::json!({"start":1}), "invalid type"),
            (serde_json::json!({"perturb":["quake"]}), "quake"),
        ] {
            let error = TaskSpec::from_json(&bad).unwrap_err();
            let text = format!(
                "{error} {:?}",
                std::error::Error::source(&error).map(ToString::to_string)
            );
            assert!(text.contains(word), "{text}");
        }
    }
}
