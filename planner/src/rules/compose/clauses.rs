//! What each kind of clause becomes.

use vola_types::{Direction, MAX_WAIT_SECONDS, Op, PushTo, Region, Relation, Step, object_phrase};

use super::Composer;
use super::motion::same_color;
use crate::describe;
use crate::rules::ground::{Role, side_region, where_choice};
use crate::rules::syntax::{Clause, Command, Head, NounGroup, PlaceRef, Prep, PrepKind};
use crate::rules::trouble::{Choice, Destination, Pick, Trouble, WHERE_TO};

impl Composer<'_> {
    pub(super) fn clause(
        &mut self,
        command: &Command,
        next: Option<&Clause>,
    ) -> Result<(), Trouble> {
        if !matches!(
            command,
            Command::Put { .. } | Command::Several(_) | Command::Wait(_)
        ) {
            self.landmark = None;
        }
        match command {
            Command::Put {
                object,
                preps,
                way,
                down,
                is_move,
            } => match way {
                Some(way) if *is_move && self.world.capabilities().can(Op::Push) => {
                    self.push(object, preps, Some(*way))
                }
                Some(way) => self.put(object, &with_side(preps, *way), *down),
                None => self.put(object, preps, *down),
            },
            Command::Take { object, preps, out } => self.take(object, preps, *out, next),
            Command::Push { object, preps, way } => self.push(object, preps, *way),
            Command::Open(group) => self.open_close(group, true),
            Command::Close(group) => self.open_close(group, false),
            Command::OpenHand => self.simple(Step::OpenGripper),
            Command::CloseHand => self.simple(Step::CloseGripper),
            Command::Release => self.release(),
            Command::MoveTo(prep) => self.move_to(prep),
            Command::Home => self.simple(Step::Home),
            Command::Wait(seconds) => self.wait(*seconds),
            Command::Tower(group) => self.tower(group.as_ref()),
            Command::Sort(group) => self.sort(group.as_ref()),
            Command::TidyUp(group) => self.tidy_up(group.as_ref()),
            Command::Empty(group) => self.empty(group),
            Command::Leave(_) => Ok(()),
            Command::Denied(command) => {
                self.mention_object_of(command);
                Ok(())
            }
            Command::Several(all) => all.iter().try_for_each(|one| self.clause(one, None)),
            Command::Give => Err(Trouble::Cannot(
                "I cannot hand things to a person. I can put it on the bottom side of the table, near to me.".to_owned(),
            )),
            Command::Unsupported(word) => Err(Trouble::Cannot(format!(
                "I cannot {word} things. I can pick, place, push, stack, open and close."
            ))),
        }
    }

    fn simple(&mut self, step: Step) -> Result<(), Trouble> {
        let words = vola_types::step_sentence(&step, self.scene());
        self.step(step)?;
        self.close_part(words);
        Ok(())
    }

    fn wait(&mut self, seconds: f64) -> Result<(), Trouble> {
        if !(0.0..=MAX_WAIT_SECONDS).contains(&seconds) {
            return Err(Trouble::Cannot(format!(
                "I can wait at most {MAX_WAIT_SECONDS} seconds."
            )));
        }
        self.simple(Step::Wait { seconds })
    }

    /// Notes what was spoken of; the last entry is what "it" means first.
    pub(super) fn mention(&mut self, target: Option<&Destination>, objects: Vec<String>) {
        if let Some(Destination::Object { id, .. }) = target {
            self.mentioned.push(vec![id.clone()]);
        }
        if !objects.is_empty() {
            self.mentioned.push(objects);
        }
    }

    /// What is not to be done is spoken of all the same.
    pub(super) fn mention_object_of(&mut self, command: &Command) {
        let found = match command {
            Command::Put { object, .. }
            | Command::Take { object, .. }
            | Command::Push { object, .. } => self.grounder().group(object, &[], Role::Movable),
            Command::Open(object) | Command::Close(object) => {
                self.grounder().group(object, &[], Role::Openable)
            }
            Command::MoveTo(Prep {
                place: PlaceRef::Object(phrase),
                ..
            }) => self.grounder().phrase(phrase, &[], Role::Landmark, &[]),
            _ => return,
        };
        if let Ok(ids) = found {
            self.mention(None, ids);
        }
    }

    fn put(&mut self, group: &NounGroup, preps: &[Prep], down: bool) -> Result<(), Trouble> {
        if let Some(form) = preps.iter().find_map(form_of) {
            return Err(Trouble::Refused(format!(
                "I cannot lay things out in a {form}. I can put them in or beside something, or stack them."
            )));
        }
        let (ids, place) = if preps.iter().all(|p| p.kind == PrepKind::From) {
            let ids = self.movable(group, preps)?;
            (ids, self.unsaid_place(down)?)
        } else {
            self.split(group, preps)?
        };
        let objects = self.top_first(ids.clone());
        self.landmark = match &place {
            Destination::Object { id, .. } => Some(id.clone()),
            _ => None,
        };
        self.mention(Some(&place), ids);
        self.put_all(objects, &place)
    }

    /// Where to, when the sentence does not say.
    fn unsaid_place(&self, down: bool) -> Result<Destination, Trouble> {
        if down {
            return Ok(Destination::Table);
        }
        if let Some(Pick::Place(place)) = self.choices.get(&WHERE_TO) {
            return Ok(place.clone());
        }
        Err(Trouble::Choose(where_choice(
            WHERE_TO,
            "Where shall I put it?".to_owned(),
            self.scene(),
        )))
    }

    /// Decides which preposition says where to: the first reading that can be
    /// grounded without a question, else the one with the least trouble.
    fn split(
        &self,
        group: &NounGroup,
        preps: &[Prep],
    ) -> Result<(Vec<String>, Destination), Trouble> {
        let mut worst: Option<Trouble> = None;
        for index in 0..preps.len() {
            let (before, after) = (&preps[..index], &preps[index + 1..]);
            let destination = &preps[index];
            let stray = before
                .iter()
                .chain(after)
                .any(|p| p.motion && p.kind != PrepKind::From);
            if destination.kind == PrepKind::From || stray {
                continue;
            }
            let (from, narrows): (Vec<Prep>, Vec<Prep>) = after
                .iter()
                .cloned()
                .partition(|p| p.kind == PrepKind::From);
            let modifiers: Vec<Prep> = before.iter().cloned().chain(from).collect();
            let reading = self.movable(group, &modifiers).and_then(|ids| {
                let mut avoid = ids.clone();
                if let PlaceRef::Object(phrase) = &destination.place
                    && phrase.other
                {
                    // "the other bowl" is not the one it lies in.
                    let under = ids
                        .iter()
                        .filter_map(|id| self.scene().object(id)?.on.clone());
                    avoid.extend(under);
                }
                let place = self.grounder().destination(destination, &narrows, &avoid)?;
                Ok((ids, place))
            });
            match reading {
                Ok(reading) => return Ok(reading),
                Err(trouble) => {
                    if worst
                        .as_ref()
                        .is_none_or(|known| trouble.rank() < known.rank())
                    {
                        worst = Some(trouble);
                    }
                }
            }
        }
        Err(worst.unwrap_or_else(|| Trouble::Puzzled("I did not understand where to.".to_owned())))
    }

    /// Objects that lie on others first, else in the order given.
    pub(super) fn top_first(&self, mut ids: Vec<String>) -> Vec<String> {
        ids.sort_by_key(|id| std::cmp::Reverse(self.level(id)));
        ids
    }

    /// How many blocks an object lies on, one on another.
    fn level(&self, id: &str) -> usize {
        let mut level = 0;
        let mut current = self.scene().object(id);
        while let Some(below) = current
            .and_then(|o| o.on.as_deref())
            .and_then(|on| self.scene().object(on))
            .filter(|below| below.kind == "block" && level < self.scene().objects.len())
        {
            level += 1;
            current = Some(below);
        }
        level
    }

    pub(super) fn put_all(&mut self, ids: Vec<String>, place: &Destination) -> Result<(), Trouble> {
        let several = ids.len() > 1;
        self.last_place = Some(place.clone());
        let mut place = place.clone();
        let mut skipped: Vec<String> = Vec::new();
        for id in ids {
            if let Destination::Object { id: target, .. } = &place
                && *target == id
                && several
            {
                continue;
            }
            if let Destination::SameColor { kind } = &place
                && several
                && same_color(&id, kind, self.scene()).is_none()
            {
                skipped.push(id);
                continue;
            }
            self.transfer(&id, &place)?;
            // Several things on one block become a tower.
            if let Destination::Object {
                id: target,
                relation: Relation::On,
            } = &mut place
            {
                target.clone_from(&id);
            }
        }
        if !skipped.is_empty() {
            let words = describe::phrases(&skipped, self.scene());
            self.already
                .push(format!("I see no bowl of the same colour for {words}."));
        }
        Ok(())
    }

    fn take(
        &mut self,
        group: &NounGroup,
        preps: &[Prep],
        out: bool,
        next: Option<&Clause>,
    ) -> Result<(), Trouble> {
        let ids = self.movable(group, preps)?;
        if let Some(under) = ids
            .first()
            .and_then(|id| self.scene().object(id)?.on.clone())
            && self.scene().object(&under).is_some()
        {
            // "… and put the other one in it".
            self.mentioned.push(vec![under]);
        }
        self.mention(None, ids.clone());
        if out && !next.is_some_and(moves_what_was_taken) {
            return self.put_all(self.top_first(ids), &Destination::Table);
        }
        if let [only] = ids.as_slice() {
            let id = only.clone();
            return self.take_one(&id);
        }
        // "pick up the blocks and put them …": the next clause moves them.
        if next.is_some_and(moves_what_was_taken) {
            return Ok(());
        }
        Err(Trouble::Cannot(
            "I can hold only one thing at a time. Tell me where to put them.".to_owned(),
        ))
    }

    fn push(
        &mut self,
        group: &NounGroup,
        preps: &[Prep],
        way: Option<Direction>,
    ) -> Result<(), Trouble> {
        let (modifiers, to) = match way {
            Some(_) => (preps, None),
            None => match preps.split_last() {
                Some((to, modifiers)) => (modifiers, Some(to)),
                None => (preps, None),
            },
        };
        // "Slide it into the bowl": no push lifts it over the rim.
        if to.is_some_and(|prep| self.goes_into(prep)) {
            return self.put(group, preps, false);
        }
        let mut ids = self.movable(group, modifiers)?;
        // "all the blocks" are here those that can be pushed.
        let flat = |id: &String| {
            let on = self.scene().object(id).and_then(|o| o.on.as_deref());
            on.is_none_or(|on| self.scene().object(on).is_none())
        };
        if ids.len() > 1 && ids.iter().any(flat) {
            ids = ids.iter().filter(|id| flat(id)).cloned().collect();
        }
        self.mention(None, ids.clone());
        for id in &ids {
            let goal = match (way, to) {
                (Some(way), _) => PushTo::Direction(way),
                (None, Some(prep)) => self.push_goal(id, prep)?,
                (None, None) => self.unsaid_direction(group)?,
            };
            self.push_one(id, goal)?;
        }
        Ok(())
    }

    /// Whether a place is inside of something: "in the bowl", not "to the bowl".
    fn goes_into(&self, prep: &Prep) -> bool {
        let PlaceRef::Object(phrase) = &prep.place else {
            return false;
        };
        let is_hollow = |id: &String| {
            let object = self.scene().object(id);
            object.is_some_and(|o| self.world.capabilities().is_container(&o.kind))
        };
        match prep.kind {
            PrepKind::In => true,
            PrepKind::On | PrepKind::Above => self
                .grounder()
                .phrase(phrase, &[], Role::Support, &[])
                .is_ok_and(|ids| ids.iter().all(is_hollow)),
            _ => false,
        }
    }

    fn push_goal(&self, id: &str, prep: &Prep) -> Result<PushTo, Trouble> {
        if let PlaceRef::Side(side) = prep.place {
            use crate::rules::syntax::Side;
            return Ok(match side {
                Side::Left => PushTo::Direction(Direction::Left),
                Side::Right => PushTo::Direction(Direction::Right),
                other => PushTo::Region(side_region(other).name().to_owned()),
            });
        }
        match self.grounder().destination(prep, &[], &[id.to_owned()])? {
            Destination::Region(name) => Ok(PushTo::Region(name)),
            Destination::Object {
                id: landmark,
                relation: Relation::NextTo | Relation::In,
            } => self
                .direction_towards(id, &landmark)
                .map(PushTo::Direction)
                .ok_or_else(|| {
                    Trouble::Cannot(
                        "I can push only left, right, forward, back or into a region.".to_owned(),
                    )
                }),
            _ => Err(Trouble::Cannot(
                "I can push only left, right, forward, back or into a region.".to_owned(),
            )),
        }
    }

    fn unsaid_direction(&self, group: &NounGroup) -> Result<PushTo, Trouble> {
        let span = (group.members[0].span.0, usize::MAX - 1);
        if let Some(Pick::Place(Destination::Region(word))) = self.choices.get(&span) {
            let way = Direction::ALL.into_iter().find(|d| d.as_str() == word);
            if let Some(way) = way {
                return Ok(PushTo::Direction(way));
            }
        }
        Err(Trouble::Choose(Choice {
            span,
            question: "Which way shall I push it?".to_owned(),
            picks: Direction::ALL
                .into_iter()
                .map(|d| {
                    let word = d.as_str().to_owned();
                    (
                        d.phrase().to_owned(),
                        Pick::Place(Destination::Region(word)),
                    )
                })
                .collect(),
            or_nothing: false,
            is_about_pronoun: false,
        }))
    }

    fn open_close(&mut self, group: &NounGroup, open: bool) -> Result<(), Trouble> {
        let ids = self.grounder().group(group, &[], Role::Openable)?;
        self.mention(None, ids.clone());
        ids.iter().try_for_each(|id| self.set_open(id, open))
    }

    fn release(&mut self) -> Result<(), Trouble> {
        if let Some(held) = self.scene().gripper.holding.clone() {
            return self.transfer(&held, &Destination::Table);
        }
        if self.scene().gripper.open {
            self.already.push("My hand is empty.".to_owned());
            return Ok(());
        }
        self.simple(Step::OpenGripper)
    }

    fn move_to(&mut self, prep: &Prep) -> Result<(), Trouble> {
        let target = match &prep.place {
            PlaceRef::Object(phrase) => {
                let ids = self.grounder().phrase(phrase, &[], Role::Landmark, &[])?;
                match ids.as_slice() {
                    [id] => id.clone(),
                    _ => return Err(Trouble::Cannot("I can only be in one place.".to_owned())),
                }
            }
            PlaceRef::Table => Region::Middle.name().to_owned(),
            _ => match self.grounder().destination(prep, &[], &[])? {
                Destination::Region(name) => name,
                _ => return Err(Trouble::Cannot("I do not know that place.".to_owned())),
            },
        };
        self.mention(None, vec![target.clone()]);
        let words = format!(
            "move my hand above {}",
            object_phrase(&target, self.scene())
        );
        self.step(Step::MoveTo { target })?;
        self.close_part(words);
        Ok(())
    }
}

/// Whether the clause puts "them" somewhere.
fn moves_what_was_taken(clause: &Clause) -> bool {
    match &clause.command {
        Command::Put { object, .. } => object
            .members
            .iter()
            .any(|m| matches!(m.head, Head::Them | Head::It)),
        Command::Tower(Some(group)) => group.members.iter().any(|m| m.head == Head::Them),
        Command::Sort(_) => true,
        _ => false,
    }
}

/// "in a row": how things lie together, which is no place.
fn form_of(prep: &Prep) -> Option<&str> {
    match &prep.place {
        PlaceRef::Object(phrase) if prep.kind == PrepKind::In => match &phrase.head {
            Head::Unknown(word) if FORMS.contains(&word.as_str()) => Some(word),
            _ => None,
        },
        _ => None,
    }
}

const FORMS: [&str; 10] = [
    "row", "line", "circle", "ring", "square", "triangle", "pattern", "grid", "pyramid", "cross",
];

/// "put it left": a direction said as a place.
fn with_side(preps: &[Prep], way: Direction) -> Vec<Prep> {
    use crate::rules::syntax::Side;
    let side = match way {
        Direction::Left => Side::Left,
        Direction::Right => Side::Right,
        Direction::Forward => Side::Far,
        Direction::Back => Side::Near,
    };
    let mut all = preps.to_vec();
    all.push(Prep {
        span: (usize::MAX, 2),
        kind: PrepKind::To,
        place: PlaceRef::Side(side),
        motion: true,
    });
    all
}
