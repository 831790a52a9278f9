//! The order of doing: "before you …", "…, but first …", "… last, … first".
//!
//! Clauses are told in one order and done in another. Each gets a place on a line
//! of numbers as it is told: what follows stands behind everything so far, what
//! comes before stands ahead of the clause that it was told to, and what is said
//! to come last waits at the far end.

use super::joint::Joint;
use crate::rules::syntax::{Clause, Command, Head, NounPhrase, PlaceRef, Prep};

/// Where the clauses begin that wait for the end.
const LATE: f32 = 1000.0;
/// Between those with a place and those that wait.
const BETWEEN: f32 = 500.0;
/// From one clause to another that continues it.
const STEP: f32 = 0.01;

/// How a clause joins what was told before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// After what was told.
    Next,
    /// After everything, also what waits for the end ("and finally …").
    Final,
    /// Ahead of the clause before ("… after you open the drawer").
    BeforeLast,
    /// Ahead of it as well, and what was denied is only put off ("don't close it
    /// until …").
    Until,
    /// Ahead of everything ("… but to begin with …").
    First,
    /// At the end, though it is told early ("before you …, do …").
    Late,
    /// Between what comes first and what comes last.
    Between,
    /// As the second, third, … thing.
    Nth(u8),
}

/// Which clauses go on with one that was told out of turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// "after opening … and putting …"
    Gerunds,
    /// "after you open … and put …"
    Joined,
    /// "but first open … and then put …"
    All,
}

/// The clauses of a sentence with their places.
#[derive(Debug, Default)]
pub(super) struct Told {
    clauses: Vec<(f32, Clause)>,
    open: Option<Open>,
    /// A clause that is denied only until another is done.
    put_off: Option<usize>,
    /// The same, once another was told.
    lifted: Option<usize>,
    /// Nothing was told but what is to wait.
    only_waits: bool,
}

impl Told {
    /// The clause told last.
    pub(super) fn last(&self) -> Option<&Clause> {
        self.clauses.last().map(|(_, clause)| clause)
    }

    /// Takes the last clause back: it was said wrongly.
    pub(super) fn take_back(&mut self) -> Option<Clause> {
        let taken = self.clauses.pop().map(|(_, clause)| clause);
        // What was to wait for it waits on.
        if let Some(index) = self.lifted.take()
            && let Some((_, clause)) = self.clauses.get_mut(index)
        {
            clause.negated = true;
            self.put_off = Some(index);
        }
        taken
    }

    /// The last clause was denied "yet": it comes after what is told next, if
    /// anything is.
    pub(super) fn put_off_last(&mut self) {
        self.put_off = self.clauses.len().checked_sub(1);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether the last clause waits for another.
    pub(super) fn is_put_off(&self) -> bool {
        let last = self.clauses.last();
        last.is_some_and(|(key, clause)| clause.negated || *key >= LATE)
    }

    /// Adds a clause; `is_gerund` says that it is told as something going on.
    pub(super) fn add(&mut self, clause: Clause, joint: Joint, is_gerund: bool) {
        let last = self.clauses.last().map_or(0.0, |(key, _)| *key);
        let keys = || self.clauses.iter().map(|(key, _)| *key);
        let lowest = keys().fold(1.0, f32::min);
        let highest = keys().fold(0.0, f32::max);
        let in_turn = keys().filter(|key| *key < BETWEEN).fold(0.0, f32::max);
        let goes_on = joint.is_close
            && match self.open {
                None => false,
                Some(Open::Gerunds) => is_gerund,
                Some(Open::Joined) => !joint.has_then,
                Some(Open::All) => true,
            };
        let form = if is_gerund {
            Open::Gerunds
        } else {
            Open::Joined
        };
        let (key, open) = match joint.order {
            Order::Next if goes_on => (last + STEP, self.open),
            Order::Next => (in_turn.floor() + 1.0, None),
            Order::Final => (highest.floor() + 1.0, None),
            Order::First => (lowest - 1.0, Some(Open::All)),
            Order::BeforeLast => (last - 0.5, Some(form)),
            Order::Until => (last - 0.5, Some(Open::All)),
            Order::Late => (highest.max(LATE).floor() + 1.0, Some(form)),
            Order::Between => (BETWEEN, None),
            Order::Nth(number) => (f32::from(number), None),
        };
        if joint.order == Order::Until {
            self.put_off_last();
        }
        let is_deed = !clause.negated && !matches!(clause.command, Command::Denied(_));
        if is_deed
            && let Some(index) = self.put_off.take()
            && let Some((_, put_off)) = self.clauses.get_mut(index)
        {
            put_off.negated = false;
            self.lifted = Some(index);
        }
        self.only_waits = joint.waits && (self.clauses.is_empty() || self.only_waits)
            || self.only_waits && goes_on;
        let is_ahead = matches!(joint.order, Order::BeforeLast | Order::Until | Order::First);
        let clause = if is_ahead {
            with_antecedent(clause, self.last())
        } else {
            clause
        };
        self.open = open;
        self.clauses.push((key, clause));
    }

    /// The clauses in the order of doing.
    pub(super) fn in_order(mut self) -> Vec<Clause> {
        if self.only_waits {
            for (_, clause) in &mut self.clauses {
                clause.negated = true;
            }
        }
        self.clauses.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.clauses.into_iter().map(|(_, clause)| clause).collect()
    }
}

/// "close the drawer after you put the block in it": the clause that comes
/// first in time takes its "it" from the words before.
fn with_antecedent(mut clause: Clause, spoken: Option<&Clause>) -> Clause {
    let (object, place) = match spoken.map(|it| &it.command) {
        Some(Command::Open(group) | Command::Close(group)) => {
            (group.members.first(), group.members.first())
        }
        Some(Command::Take { object: group, .. }) => (group.members.first(), None),
        Some(Command::Put { object, preps, .. } | Command::Push { object, preps, .. }) => {
            let place = preps.iter().rev().find_map(|prep| match &prep.place {
                PlaceRef::Object(phrase) => Some(phrase.as_ref()),
                _ => None,
            });
            (object.members.first(), place)
        }
        _ => return clause,
    };
    let known = |phrase: Option<&NounPhrase>| phrase.filter(|it| it.head != Head::It).cloned();
    match &mut clause.command {
        Command::Put {
            object: own, preps, ..
        } => {
            let own_is_it = own.members.iter().any(|member| member.head == Head::It);
            let landmark = if own_is_it {
                known(place)
            } else {
                known(place).or_else(|| known(object))
            };
            if let Some(landmark) = landmark {
                for prep in preps {
                    at_landmark(prep, &landmark);
                }
            }
            own_object(&mut own.members, object);
        }
        Command::Take { object: own, .. } | Command::Push { object: own, .. } => {
            own_object(&mut own.members, object);
        }
        Command::Open(own) | Command::Close(own) => {
            own_object(&mut own.members, place.or(object));
        }
        _ => {}
    }
    clause
}

/// "in it", "in there": in what was spoken of.
fn at_landmark(prep: &mut Prep, landmark: &NounPhrase) {
    let is_it = matches!(&prep.place, PlaceRef::Object(phrase) if phrase.head == Head::It);
    if is_it || prep.place == PlaceRef::There {
        prep.place = PlaceRef::Object(Box::new(landmark.clone()));
    }
}

/// "it" as the thing that is done something to.
fn own_object(members: &mut [NounPhrase], antecedent: Option<&NounPhrase>) {
    for member in members {
        if member.head == Head::It
            && let Some(antecedent) = antecedent
        {
            member.clone_from(antecedent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the clauses in the order of doing; each is a number of seconds.
    fn order(told: &[(f64, Order)]) -> Vec<f64> {
        let mut all = Told::default();
        for (seconds, order) in told {
            let clause = Clause {
                command: Command::Wait(*seconds),
                negated: false,
            };
            let joint = Joint {
                order: *order,
                is_close: false,
                has_then: false,
                waits: false,
            };
            all.add(clause, joint, false);
        }
        let seconds = |clause: Clause| match clause.command {
            Command::Wait(seconds) => seconds,
            _ => 0.0,
        };
        all.in_order().into_iter().map(seconds).collect()
    }

    #[test]
    fn clauses_are_done_in_the_order_that_is_said() {
        use Order::{BeforeLast, Between, Final, First, Late, Next, Nth};
        for (told, expected) in [
            (
                vec![(1.0, Next), (2.0, Next), (3.0, Final)],
                vec![1.0, 2.0, 3.0],
            ),
            (
                vec![(2.0, Next), (1.0, BeforeLast), (3.0, Next)],
                vec![1.0, 2.0, 3.0],
            ),
            (
                vec![(2.0, Late), (1.0, Next), (3.0, Final)],
                vec![1.0, 2.0, 3.0],
            ),
            (
                vec![(3.0, Late), (1.0, Next), (2.0, Next)],
                vec![1.0, 2.0, 3.0],
            ),
            (
                vec![(3.0, Late), (1.0, First), (2.0, Between)],
                vec![1.0, 2.0, 3.0],
            ),
            (vec![(2.0, Nth(2)), (1.0, First)], vec![1.0, 2.0]),
            (
                vec![(1.0, Nth(1)), (2.0, Next), (3.0, Nth(2))],
                vec![1.0, 2.0, 3.0],
            ),
            (
                vec![(2.0, Next), (3.0, Next), (1.0, First)],
                vec![1.0, 2.0, 3.0],
            ),
        ] {
            assert_eq!(order(&told), expected, "{told:?}");
        }
    }
}
