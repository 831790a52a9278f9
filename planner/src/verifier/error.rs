//! Why a plan was refused.

use vola_types::{Op, Relation, Scene, Step, object_phrase};

use crate::describe::capital;

/// Why a whole answer was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanFault {
    /// A step cannot be run.
    #[error("steps[{index}]: {error}")]
    Step {
        /// Position in the steps.
        index: usize,
        /// The step.
        step: Step,
        /// Why.
        #[source]
        error: PlanError,
    },
    /// An option's steps cannot be run.
    #[error("options[{option}]: {fault}")]
    Option {
        /// Position in the options.
        option: usize,
        /// Why.
        #[source]
        fault: Box<PlanFault>,
    },
    /// The answer is no plan at all.
    #[error("the answer is not a plan: {detail}")]
    Unreadable {
        /// Why.
        detail: String,
    },
    /// The parts of the answer do not fit together.
    #[error("expected {expected}")]
    Form {
        /// What was expected.
        expected: &'static str,
    },
    /// Something is too long.
    #[error("{part}: {found} is more than the limit of {limit}")]
    TooLong {
        /// Which part.
        part: &'static str,
        /// Size found.
        found: usize,
        /// Size allowed.
        limit: usize,
    },
    /// A quotation is none.
    #[error("{detail}")]
    Citation {
        /// Which, expected versus got.
        detail: String,
    },
}

impl PlanFault {
    /// The fault in a person's words.
    #[must_use]
    pub fn say(&self, scene: &Scene) -> String {
        match self {
            Self::Step { error, .. } => error.say(scene),
            Self::Option { fault, .. } => fault.say(scene),
            Self::Form { .. } | Self::Unreadable { .. } | Self::Citation { .. } => {
                "I could not make a proper plan of that.".to_owned()
            }
            Self::TooLong { .. } => {
                "That is too much at once; please give it to me in parts.".to_owned()
            }
        }
    }
}

/// Why one step cannot be run in the world as it would then be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The embodiment did not declare the operation.
    #[error("the robot did not declare the op {:?}", op.as_str())]
    NotDeclared {
        /// The operation.
        op: Op,
    },
    /// The object is not in the scene.
    #[error("no object {id:?} in the scene")]
    UnknownObject {
        /// The id.
        id: String,
    },
    /// The target is neither an object, a region nor the table.
    #[error("no object or region {name:?} in the scene")]
    UnknownTarget {
        /// The name.
        name: String,
    },
    /// The object's position is not known.
    #[error("the position of {id:?} is not known")]
    UnknownPosition {
        /// The id.
        id: String,
    },
    /// The object is outside the workspace.
    #[error("{id:?} is out of reach")]
    OutOfReach {
        /// The id.
        id: String,
    },
    /// The gripper already holds something.
    #[error("the gripper holds {holding:?}; it must be empty for {:?}", op.as_str())]
    HandsFull {
        /// What is held.
        holding: String,
        /// The operation that needs an empty gripper.
        op: Op,
    },
    /// `place` of an object that is not held.
    #[error("{object:?} is not held; pick it first")]
    NotHeld {
        /// The object.
        object: String,
    },
    /// Something lies on the object.
    #[error("{by:?} lies on {object:?}; move it first")]
    Blocked {
        /// The object.
        object: String,
        /// What lies on it.
        by: String,
    },
    /// The object is inside something closed.
    #[error("{container:?} is closed; open it first")]
    Closed {
        /// The closed thing.
        container: String,
    },
    /// The kind cannot be grasped.
    #[error("{id:?} does not fit the gripper")]
    Ungraspable {
        /// The object.
        id: String,
    },
    /// The kind must not be pushed.
    #[error("{id:?} cannot be pushed")]
    Unpushable {
        /// The object.
        id: String,
    },
    /// The kind has no open and closed state.
    #[error("{id:?} is nothing that opens")]
    NotOpenable {
        /// The object.
        id: String,
    },
    /// It is already as asked.
    #[error("{id:?} is already {}", if *open { "open" } else { "closed" })]
    AlreadySo {
        /// The object.
        id: String,
        /// The state it has.
        open: bool,
    },
    /// The relation does not fit the target.
    #[error("{:?} does not fit the target {target:?}", relation.as_str())]
    BadRelation {
        /// The relation.
        relation: Relation,
        /// The target.
        target: String,
    },
    /// An object that is its own target, directly or through what it carries.
    #[error("{id:?} cannot be its own target")]
    OntoItself {
        /// The object.
        id: String,
    },
    /// A tower would become too high.
    #[error("a tower on {target:?} would be higher than {limit} blocks")]
    TooHigh {
        /// The block on top now.
        target: String,
        /// Most levels.
        limit: usize,
    },
    /// There is no free spot.
    #[error("no free spot {} {target:?}", relation.phrase())]
    NoRoom {
        /// The relation.
        relation: Relation,
        /// The target.
        target: String,
    },
    /// A push would leave the usable table.
    #[error("pushing {object:?} that way would leave the table")]
    OffTable {
        /// The object.
        object: String,
    },
    /// A push of something that does not lie on the table.
    #[error("{object:?} does not lie on the table")]
    NotOnTable {
        /// The object.
        object: String,
    },
}

impl PlanError {
    /// Whether the step fails because of what the hand can do with a thing of
    /// that kind, wherever it is.
    #[must_use]
    pub fn is_about_the_body(&self) -> bool {
        matches!(
            self,
            Self::Ungraspable { .. }
                | Self::Unpushable { .. }
                | Self::NotOpenable { .. }
                | Self::OntoItself { .. }
        )
    }

    /// The error in a person's words, one sentence.
    #[must_use]
    pub fn say(&self, scene: &Scene) -> String {
        let the = |name: &str| object_phrase(name, scene);
        match self {
            Self::NotDeclared { op } => format!("This robot cannot {}.", ability(*op)),
            Self::UnknownObject { id } => format!("I do not see {}.", the(id)),
            Self::UnknownTarget { name } => format!("I do not know the place \"{name}\"."),
            Self::UnknownPosition { id } => format!("I do not know where {} is.", the(id)),
            Self::OutOfReach { id } => format!("{} is out of my reach.", capital(&the(id))),
            Self::HandsFull { holding, .. } => format!("I am already holding {}.", the(holding)),
            Self::NotHeld { object } => format!("I am not holding {}.", the(object)),
            Self::Blocked { object, by } => {
                format!("{} lies on {}.", capital(&the(by)), the(object))
            }
            Self::Closed { container } => format!("{} is closed.", capital(&the(container))),
            Self::Ungraspable { id } => {
                format!("I cannot pick up {}: it does not fit my gripper.", the(id))
            }
            Self::Unpushable { id } => format!("I cannot push {}.", the(id)),
            Self::NotOpenable { id } => {
                format!("{} cannot be opened or closed.", capital(&the(id)))
            }
            Self::AlreadySo { id, open } => format!(
                "{} is already {}.",
                capital(&the(id)),
                if *open { "open" } else { "closed" }
            ),
            Self::BadRelation { relation, target } => format!(
                "I cannot put anything {} {}.",
                relation.phrase(),
                the(target)
            ),
            Self::OntoItself { id } => {
                format!("I cannot put {} onto or beside itself.", the(id))
            }
            Self::TooHigh { limit, .. } => {
                format!("I can stack at most {limit} blocks.")
            }
            Self::NoRoom { relation, target } => {
                format!("There is no room {} {}.", relation.phrase(), the(target))
            }
            Self::OffTable { object } => {
                format!("{} would leave the table.", capital(&the(object)))
            }
            Self::NotOnTable { object } => format!(
                "I can only push things that lie on the table, and {} does not.",
                the(object)
            ),
        }
    }
}

/// What an operation does, after "cannot".
fn ability(op: Op) -> &'static str {
    match op {
        Op::MoveTo => "move its hand to a place",
        Op::Pick => "pick things up",
        Op::Place => "put things down",
        Op::Push => "push things",
        Op::Open => "open drawers",
        Op::Close => "close drawers",
        Op::OpenGripper => "open its gripper",
        Op::CloseGripper => "close its gripper",
        Op::Home => "go home",
        Op::Wait => "wait",
    }
}
