//! The symbolic world: a scene that steps change.

use vola_types::{
    Direction, ON_GRIPPER, ON_TABLE, Op, PushTo, Relation, Scene, SceneObject, Step, TABLE_X,
    TABLE_Y,
};

use super::error::PlanError;
use crate::capabilities::Capabilities;
use crate::geometry::{self, ResolveError};

/// How far off the usable table a pushed centre may come to rest, in metres.
const PUSH_SLACK_M: f64 = 0.03;

/// A scene with the rules of what a step needs and does.
#[derive(Debug, Clone)]
pub struct SymbolicWorld<'a> {
    scene: Scene,
    capabilities: &'a Capabilities,
}

impl<'a> SymbolicWorld<'a> {
    /// A world that starts as `scene`.
    #[must_use]
    pub fn new(scene: Scene, capabilities: &'a Capabilities) -> Self {
        Self {
            scene,
            capabilities,
        }
    }

    /// The world now.
    #[must_use]
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The capabilities it was made with.
    #[must_use]
    pub fn capabilities(&self) -> &'a Capabilities {
        self.capabilities
    }

    /// The world now, by value.
    #[must_use]
    pub fn into_scene(self) -> Scene {
        self.scene
    }

    /// Tests the step's preconditions, then applies its effects. On an error
    /// the world is unchanged.
    ///
    /// # Errors
    /// The first precondition that does not hold.
    pub fn apply(&mut self, step: &Step) -> Result<(), PlanError> {
        let op = step.op();
        if !self.capabilities.can(op) {
            return Err(PlanError::NotDeclared { op });
        }
        match step {
            Step::MoveTo { target } => self.move_to(target),
            Step::Pick { object } => self.pick(object),
            Step::Place {
                object,
                target,
                relation,
            } => self.place(object, target, *relation, step),
            Step::Push { object, to } => self.push(object, to, step),
            Step::Open { object } => self.set_open(object, true),
            Step::Close { object } => self.set_open(object, false),
            Step::OpenGripper => {
                self.release_onto_table();
                self.scene.gripper.open = true;
                Ok(())
            }
            Step::CloseGripper => {
                self.scene.gripper.open = false;
                Ok(())
            }
            Step::Home | Step::Wait { .. } => Ok(()),
        }
    }

    fn find(&self, id: &str) -> Result<&SceneObject, PlanError> {
        self.scene
            .object(id)
            .ok_or_else(|| PlanError::UnknownObject { id: id.to_owned() })
    }

    /// The object, with a position inside the workspace.
    fn reachable(&self, id: &str) -> Result<&SceneObject, PlanError> {
        let object = self.find(id)?;
        let Some([x, y, _]) = object.position else {
            return Err(PlanError::UnknownPosition { id: id.to_owned() });
        };
        if !self.capabilities.workspace.contains(x, y) {
            return Err(PlanError::OutOfReach { id: id.to_owned() });
        }
        Ok(object)
    }

    fn needs_empty_gripper(&self, op: Op) -> Result<(), PlanError> {
        match &self.scene.gripper.holding {
            Some(holding) => Err(PlanError::HandsFull {
                holding: holding.clone(),
                op,
            }),
            None => Ok(()),
        }
    }

    /// Nothing lies on the object. What is *in* a container does not count.
    fn needs_clear_top(&self, id: &str) -> Result<(), PlanError> {
        let kind = &self.find(id)?.kind;
        if self.capabilities.is_container(kind) {
            return Ok(());
        }
        match self.scene.resting_on(id).next() {
            Some(by) => Err(PlanError::Blocked {
                object: id.to_owned(),
                by: by.id.clone(),
            }),
            None => Ok(()),
        }
    }

    /// The thing the object is in, if any, is not closed.
    fn needs_open_surroundings(&self, object: &SceneObject) -> Result<(), PlanError> {
        let inside = object.on.as_deref().and_then(|on| self.scene.object(on));
        match inside {
            Some(container) if container.open == Some(false) => Err(PlanError::Closed {
                container: container.id.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn move_to(&self, target: &str) -> Result<(), PlanError> {
        if self.scene.object(target).is_some() {
            return self.reachable(target).map(|_| ());
        }
        match self.scene.region_center(target) {
            Some(_) => Ok(()),
            None => Err(PlanError::UnknownTarget {
                name: target.to_owned(),
            }),
        }
    }

    fn pick(&mut self, id: &str) -> Result<(), PlanError> {
        self.find(id)?;
        self.needs_empty_gripper(Op::Pick)?;
        let object = self.reachable(id)?;
        if !self.capabilities.can_grasp(&object.kind) {
            return Err(PlanError::Ungraspable { id: id.to_owned() });
        }
        self.needs_open_surroundings(object)?;
        self.needs_clear_top(id)?;
        self.change(id, |object| object.on = Some(ON_GRIPPER.to_owned()));
        self.scene.gripper.holding = Some(id.to_owned());
        self.scene.gripper.open = false;
        Ok(())
    }

    fn place(
        &mut self,
        id: &str,
        target: &str,
        relation: Relation,
        step: &Step,
    ) -> Result<(), PlanError> {
        self.find(id)?;
        if id == target {
            return Err(PlanError::OntoItself { id: id.to_owned() });
        }
        self.target_fits(target, relation)?;
        if self.scene.gripper.holding.as_deref() != Some(id) {
            return Err(PlanError::NotHeld {
                object: id.to_owned(),
            });
        }
        let goal = geometry::resolve(step, &self.scene)
            .map_err(|error| as_plan_error(error, target, relation))?;
        let on = match relation {
            Relation::In | Relation::On => target,
            _ => ON_TABLE,
        };
        let on = if self.scene.has_region(on) {
            ON_TABLE
        } else {
            on
        }
        .to_owned();
        self.change(id, |object| {
            object.on = Some(on);
            object.position = goal.target;
        });
        self.scene.gripper.holding = None;
        self.scene.gripper.open = true;
        Ok(())
    }

    fn target_fits(&self, target: &str, relation: Relation) -> Result<(), PlanError> {
        let bad = || PlanError::BadRelation {
            relation,
            target: target.to_owned(),
        };
        if target == ON_TABLE || self.scene.region_center(target).is_some() {
            return if relation == Relation::On {
                Ok(())
            } else {
                Err(bad())
            };
        }
        let Some(object) = self.scene.object(target) else {
            return Err(PlanError::UnknownTarget {
                name: target.to_owned(),
            });
        };
        if object.is_held() {
            return Err(bad());
        }
        let container = self.capabilities.is_container(&object.kind);
        match relation {
            Relation::In if !container => Err(bad()),
            Relation::In if object.open == Some(false) => Err(PlanError::Closed {
                container: target.to_owned(),
            }),
            // A drawer's place may be known to the policy alone.
            Relation::In if self.capabilities.is_openable(&object.kind) => Ok(()),
            Relation::On if object.kind != "block" => Err(bad()),
            Relation::On => {
                self.reachable(target)?;
                self.needs_clear_top(target)?;
                self.tower_has_room(target)
            }
            _ => self.reachable(target).map(|_| ()),
        }
    }

    fn tower_has_room(&self, target: &str) -> Result<(), PlanError> {
        let mut levels = 1;
        let mut below = self.scene.object(target);
        while let Some(object) = below {
            levels += 1;
            if levels > self.capabilities.max_stack {
                return Err(PlanError::TooHigh {
                    target: target.to_owned(),
                    limit: self.capabilities.max_stack,
                });
            }
            below = object
                .on
                .as_deref()
                .and_then(|on| self.scene.object(on))
                .filter(|next| next.kind == "block");
        }
        Ok(())
    }

    fn push(&mut self, id: &str, to: &PushTo, step: &Step) -> Result<(), PlanError> {
        self.find(id)?;
        self.needs_empty_gripper(Op::Push)?;
        let object = self.reachable(id)?;
        if !self.capabilities.can_push(&object.kind) {
            return Err(PlanError::Unpushable { id: id.to_owned() });
        }
        let on = object.on.as_deref();
        if !on.is_none_or(|on| on == ON_TABLE || self.scene.has_region(on)) {
            return Err(PlanError::NotOnTable {
                object: id.to_owned(),
            });
        }
        self.needs_clear_top(id)?;
        let goal = geometry::resolve(step, &self.scene).map_err(|error| match error {
            ResolveError::UnknownTarget { name } => PlanError::UnknownTarget { name },
            _ => PlanError::UnknownPosition { id: id.to_owned() },
        })?;
        if let (PushTo::Direction(direction), Some(point)) = (to, goal.target)
            && leaves_table(point, *direction)
        {
            return Err(PlanError::OffTable {
                object: id.to_owned(),
            });
        }
        self.change(id, |object| {
            object.position = goal.target;
            object.on = Some(ON_TABLE.to_owned());
        });
        Ok(())
    }

    fn set_open(&mut self, id: &str, open: bool) -> Result<(), PlanError> {
        let op = if open { Op::Open } else { Op::Close };
        let object = self.find(id)?;
        if !self.capabilities.is_openable(&object.kind) {
            return Err(PlanError::NotOpenable { id: id.to_owned() });
        }
        if object.open == Some(open) {
            return Err(PlanError::AlreadySo {
                id: id.to_owned(),
                open,
            });
        }
        self.needs_empty_gripper(op)?;
        self.change(id, |object| object.open = Some(open));
        Ok(())
    }

    fn release_onto_table(&mut self) {
        if let Some(id) = self.scene.gripper.holding.take() {
            self.change(&id, |object| object.on = Some(ON_TABLE.to_owned()));
        }
    }

    fn change(&mut self, id: &str, edit: impl FnOnce(&mut SceneObject)) {
        if let Some(object) = self.scene.objects.iter_mut().find(|o| o.id == id) {
            edit(object);
        }
    }
}

/// Whether a push in this direction ends beyond the table's edge on that side.
fn leaves_table([x, y, _]: [f64; 3], direction: Direction) -> bool {
    match direction {
        Direction::Left => y > TABLE_Y[1] + PUSH_SLACK_M,
        Direction::Right => y < TABLE_Y[0] - PUSH_SLACK_M,
        Direction::Forward => x > TABLE_X[1] + PUSH_SLACK_M,
        Direction::Back => x < TABLE_X[0] - PUSH_SLACK_M,
    }
}

fn as_plan_error(error: ResolveError, target: &str, relation: Relation) -> PlanError {
    match error {
        ResolveError::UnknownObject { id } => PlanError::UnknownObject { id },
        ResolveError::UnknownTarget { name } => PlanError::UnknownTarget { name },
        ResolveError::NoPosition { id } => PlanError::UnknownPosition { id },
        ResolveError::NoRoom { .. } => PlanError::NoRoom {
            relation,
            target: target.to_owned(),
        },
    }
}
