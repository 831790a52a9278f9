//! Clauses that say what shall be, or what is so when it is done: "the red block
//! goes in the bowl", "once the drawer is open", "the green one stays put".

use super::super::noun::noun_group;
use super::super::vocabulary::Vocabulary;
use super::arrange::elapsed;
use super::tails;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon::{self, Verb};
use crate::rules::syntax::{Clause, Command, NounGroup};

/// What shall stay as it is.
const STAYS: &[&[&str]] = &[
    &["stays"],
    &["stay"],
    &["remains"],
    &["remain"],
    &["is", "to", "stay"],
    &["are", "to", "stay"],
    &["should", "stay"],
    &["must", "stay"],
    &["has", "to", "stay"],
    &["have", "to", "stay"],
    &["should", "remain"],
    &["must", "remain"],
];

/// Where it stays.
const AS_IT_IS: &[&[&str]] = &[
    &["exactly", "where", "it", "is"],
    &["where", "it", "is"],
    &["where", "they", "are"],
    &["as", "it", "is"],
    &["as", "they", "are"],
    &["in", "place"],
    &["on", "the", "table"],
    &["put"],
    &["there"],
    &["alone"],
    &["behind"],
];

/// What shall not be done to it.
const SPARED: &[&[&str]] = &[
    &["must", "not", "be"],
    &["should", "not", "be"],
    &["may", "not", "be"],
    &["is", "not", "to", "be"],
    &["are", "not", "to", "be"],
];

/// That something goes somewhere.
const GOES: &[&[&str]] = &[
    &["goes"],
    &["go"],
    &["belongs"],
    &["belong"],
    &["moves"],
    &["comes"],
    &["should", "go"],
    &["should", "be"],
    &["should", "end", "up"],
    &["should", "move"],
    &["should", "sit"],
    &["should", "lie"],
    &["should", "rest"],
    &["should", "stand"],
    &["should", "all", "go"],
    &["should", "all", "be"],
    &["can", "go"],
    &["could", "go"],
    &["may", "go"],
    &["all", "go"],
    &["all", "belong"],
    &["both", "go"],
    &["both", "belong"],
    &["ought", "to", "sit"],
    &["must", "sit"],
    &["has", "to", "stand"],
    &["has", "to", "sit"],
    &["needs", "to", "move"],
    &["wants", "to", "be"],
    &["would", "look", "better"],
    &["would", "look", "nice"],
    &["would", "look", "good"],
    &["will", "be"],
    &["lives"],
    &["has", "its", "place"],
    &["must", "go"],
    &["must", "be"],
    &["has", "to", "go"],
    &["has", "to", "be"],
    &["have", "to", "go"],
    &["have", "to", "be"],
    &["needs", "to", "go"],
    &["needs", "to", "be"],
    &["need", "to", "go"],
    &["need", "to", "be"],
    &["ought", "to", "go"],
    &["ought", "to", "be"],
    &["is", "to", "go"],
    &["is", "to", "be"],
    &["are", "to", "go"],
    &["are", "to", "be"],
    &["is", "supposed", "to", "go"],
    &["is", "supposed", "to", "be"],
    &["is", "meant", "to", "go"],
    &["is", "meant", "to", "be"],
    &["gets"],
    &["get"],
    &["ends", "up"],
    &["end", "up"],
];

/// That something has come to be so.
const IS: &[&[&str]] = &[
    &["has", "been"],
    &["have", "been"],
    &["is", "safely"],
    &["is"],
    &["are"],
    &["has", "gone"],
    &["has", "reached"],
    &["have", "gone"],
    &["lies"],
    &["stands"],
    &["rests"],
    &["sits"],
];

/// A wish that is told as a fact.
pub(in crate::rules) fn statement(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
) -> Option<Command> {
    let start = cursor.at;
    let command = told(cursor, vocabulary, GOES);
    if command.is_none() {
        cursor.at = start;
    }
    command
}

/// What is so when a clause is done, after "once", "after" or "until".
pub(in crate::rules) fn state(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Clause> {
    let start = cursor.at;
    let command = elapsed(cursor).or_else(|| told(cursor, vocabulary, IS));
    if command.is_none() {
        cursor.at = start;
    }
    Some(Clause {
        command: command?,
        negated: false,
    })
}

fn told(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary, verbs: &[&[&str]]) -> Option<Command> {
    let object = noun_group(cursor, vocabulary)?;
    if cursor.eat_phrase(STAYS) {
        cursor.eat_phrase(AS_IT_IS);
        return Some(Command::Leave(object));
    }
    if cursor.eat_phrase(SPARED) {
        let handled = matches!(cursor.peek(), "moved" | "touched" | "disturbed" | "used");
        cursor.advance();
        return handled.then_some(Command::Leave(object));
    }
    cursor.eat_phrase(verbs).then_some(())?;
    happens(cursor, vocabulary, object)
}

/// What comes of a thing: the rest of "… should be put in the bowl".
fn happens(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary, object: NounGroup) -> Option<Command> {
    if cursor.eat_any(&["open", "opened"]) {
        return Some(Command::Open(object));
    }
    if cursor.eat_any(&["closed", "shut"]) {
        return Some(Command::Close(object));
    }
    let verb = lexicon::verb(cursor.peek());
    if verb.is_some() {
        cursor.advance();
    }
    cursor.eat_any(&["down", "away"]);
    match verb {
        Some(Verb::Take) => return Some(take(object)),
        None | Some(Verb::Put | Verb::Drop | Verb::Move | Verb::Stack | Verb::Push) => {}
        _ => return None,
    }
    let (preps, way) = tails(cursor, vocabulary);
    if preps.is_empty() && way.is_none() {
        return None;
    }
    Some(match verb {
        Some(Verb::Push) => Command::Push { object, preps, way },
        _ => Command::Put {
            object,
            preps,
            way,
            down: false,
            is_move: true,
        },
    })
}

fn take(object: NounGroup) -> Command {
    Command::Take {
        object,
        preps: Vec::new(),
        out: false,
    }
}
