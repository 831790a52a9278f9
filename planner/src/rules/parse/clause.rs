//! Clauses: a verb with its objects, particles and prepositions.

mod arrange;
mod deny;
mod handle;
mod sort;
mod statement;
mod verbless;
mod wish;

use vola_types::Direction;

use super::noun::noun_group;
use super::place::{bare_region, it_at, prep, way};
use super::vocabulary::Vocabulary;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon::{self, Verb};
use crate::rules::syntax::{Clause, Command, NounGroup, PlaceRef, Prep, PrepKind};
use arrange::{build, clear, fill, open_close, stack, wait};
use deny::{instead, keep};
use handle::{give, go, movement, push, release, returning, take, touch, transfer};
use sort::sort;
use statement::statement;
use verbless::{fragment, fronted, gets, respectively};
use wish::{a_push, topic, wish};

pub(in crate::rules) use statement::state;

/// A way to read a clause.
type Reading<'a> = &'a dyn Fn(&mut Cursor<'_>, &Vocabulary) -> Option<Command>;

/// Reads one clause. `before` is the clause it may be short for ("… and the
/// green one in the red bowl").
pub(in crate::rules) fn command(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    before: Option<&Clause>,
) -> Option<Clause> {
    if let Some(command) = instead(cursor, vocabulary) {
        let negated = false;
        return Some(Clause { command, negated });
    }
    let negated = negation(cursor);
    let start = cursor.at;
    if let Some(command) = respectively(cursor, vocabulary) {
        return Some(Clause { command, negated });
    }
    let ways: [Reading<'_>; 9] = [
        &a_push,
        &topic,
        &with_verb,
        &statement,
        &gets,
        &|cursor: &mut Cursor<'_>, vocabulary: &Vocabulary| {
            elliptical(cursor, vocabulary, &before?.command)
        },
        &wish,
        &fragment,
        &fronted,
    ];
    let command = ways.iter().find_map(|read| {
        cursor.at = start;
        read(cursor, vocabulary)
    })?;
    Some(Clause { command, negated })
}

fn negation(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_phrase(&[
        &["do", "not"],
        &["you", "must", "not"],
        &["make", "sure", "not", "to"],
        &["never"],
        &["not"],
        &["without"],
    ])
}

fn with_verb(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    if let Some(fixed) = fixed_phrase(cursor) {
        return Some(fixed);
    }
    if let Some(kept) = keep(cursor, vocabulary) {
        return Some(kept);
    }
    if still(cursor) {
        return wait(cursor, vocabulary);
    }
    cursor.eat_any(&["do"]);
    let word = cursor.peek().to_owned();
    // "The lower left corner" is a place.
    if word == "lower" && matches!(cursor.peek_at(1), "the" | "it" | "that" | "this") {
        cursor.advance();
        return transfer(cursor, vocabulary, Verb::Put);
    }
    let verb = lexicon::verb(&word)?;
    if verb == Verb::Go && word != "hover" && lexicon::verb(cursor.peek_at(1)).is_some() {
        // "go get the red block"
        cursor.advance();
        return with_verb(cursor, vocabulary);
    }
    // "I like the red block" is talk, "I would like it there" a wish.
    if word == "like" && !cursor.is_behind("would") {
        return None;
    }
    cursor.advance();
    match verb {
        Verb::Put if word == "add" => transfer(cursor, vocabulary, verb).map(in_the_same_place),
        Verb::Put | Verb::Drop | Verb::Want => transfer(cursor, vocabulary, verb),
        Verb::Move => movement(cursor, vocabulary),
        Verb::Take | Verb::Remove => take(cursor, vocabulary, verb),
        Verb::Push | Verb::Pull => push(cursor, vocabulary, verb),
        Verb::Open | Verb::Close => open_close(cursor, vocabulary, verb == Verb::Open),
        Verb::Go => go(cursor, vocabulary),
        Verb::Return => returning(cursor, vocabulary),
        Verb::Wait => wait(cursor, vocabulary),
        Verb::Stack => stack(cursor, vocabulary),
        Verb::Build => build(cursor, vocabulary),
        Verb::Sort => sort(cursor, vocabulary, &word),
        Verb::Clear => clear(cursor, vocabulary),
        Verb::Empty => {
            cursor.eat("out");
            noun_group(cursor, vocabulary).map(Command::Empty)
        }
        Verb::Fill => fill(cursor, vocabulary),
        Verb::Touch => touch(cursor, vocabulary),
        Verb::Release => release(cursor, vocabulary),
        Verb::Give => give(cursor, vocabulary),
        Verb::Unsupported => {
            skip_to_connector(cursor, vocabulary);
            Some(Command::Unsupported(word))
        }
    }
}

/// "hold on for", "do nothing for": nothing is done for a time, which follows.
fn still(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    let led = ahead.eat_phrase(&[
        &["hold", "on"],
        &["hang", "on"],
        &["hold", "still"],
        &["stay", "still"],
        &["stay", "there"],
        &["stay"],
        &["do", "nothing"],
        &["stop"],
    ]);
    ahead.eat("for");
    let is_time = ahead.peek_number().is_some()
        || lexicon::count(ahead.peek()).is_some()
        || ahead.peek() == "half";
    if led && is_time {
        *cursor = ahead;
    }
    led && is_time
}

/// "…, add the green one": where the thing before went.
fn in_the_same_place(mut command: Command) -> Command {
    if let Command::Put {
        preps, way: None, ..
    } = &mut command
        && preps.is_empty()
    {
        preps.push(Prep {
            span: (usize::MAX, 2),
            kind: PrepKind::In,
            place: PlaceRef::There,
            motion: true,
        });
    }
    command
}

/// Whole commands in set words.
fn fixed_phrase(cursor: &mut Cursor<'_>) -> Option<Command> {
    let home: &[&[&str]] = &[
        &["go", "back", "to", "your", "home", "position"],
        &["go", "back", "to", "the", "home", "position"],
        &["go", "to", "your", "home", "position"],
        &["go", "to", "the", "home", "position"],
        &["go", "to", "home", "position"],
        &["go", "back", "home"],
        &["come", "back", "home"],
        &["move", "back", "home"],
        &["return", "home"],
        &["return", "to", "home"],
        &["go", "to", "home"],
        &["go", "home"],
        &["move", "home"],
        &["move", "to", "home"],
        &["home", "position"],
        &["go", "to", "sleep"],
        &["go", "back", "to", "start"],
        &["go", "back", "to", "the", "start"],
        &["reset", "the", "arm"],
        &["reset", "your", "arm"],
        &["home"],
        &["reset"],
        &["take", "a", "rest"],
        &["have", "a", "rest"],
        &["rest"],
    ];
    let release: &[&[&str]] = &[
        &["let", "go", "of", "what", "you", "are", "holding"],
        &["let", "go", "of", "what", "you", "hold"],
        &["drop", "what", "you", "are", "holding"],
        &["let", "it", "go"],
        &["let", "go", "of", "it"],
        &["let", "go", "of", "that"],
        &["let", "them", "go"],
        &["let", "go"],
    ];
    let fist: &[&[&str]] = &[&["make", "a", "fist"]];
    if cursor.eat_phrase(home) {
        return Some(Command::Home);
    }
    if cursor.eat_phrase(release) {
        return Some(Command::Release);
    }
    if cursor.eat_phrase(fist) {
        return Some(Command::CloseHand);
    }
    None
}

/// "… and the green one in the red bowl": the verb of the clause before.
fn elliptical(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    before: &Command,
) -> Option<Command> {
    cursor.eat_phrase(&[
        &["do", "the", "same", "with"],
        &["do", "the", "same", "for"],
        &["do", "the", "same", "to"],
        &["do", "likewise", "with"],
        &["the", "same", "with"],
        &["the", "same", "for"],
        &["same", "with"],
        &["same", "for"],
        &["likewise"],
    ]);
    let pushes = matches!(
        before,
        Command::Push { .. } | Command::Put { way: Some(_), .. }
    );
    let start = cursor.at;
    if pushes {
        // "… forward and then back to the right"
        let is_back =
            cursor.peek() == "back" && matches!(cursor.peek_at(1), "to" | "left" | "right");
        cursor.at += usize::from(is_back);
        if let Some(way) = way(cursor, vocabulary) {
            return Some(Command::Push {
                object: implied(cursor),
                preps: Vec::new(),
                way: Some(way),
            });
        }
        cursor.at = start;
    }
    let object = noun_group(cursor, vocabulary)?;
    // "… and the green one with it": to the same place.
    if matches!(before, Command::Put { .. }) {
        with_the_last(cursor);
    }
    let (preps, way) = tails(cursor, vocabulary);
    Some(match before {
        Command::Put {
            preps: old,
            way: old_way,
            is_move,
            ..
        } => Command::Put {
            object,
            way: if preps.is_empty() {
                way.or(*old_way)
            } else {
                way
            },
            preps: if preps.is_empty() && way.is_none() {
                old.clone()
            } else {
                preps
            },
            down: false,
            is_move: *is_move,
        },
        // "push the red block left and the green one into the bowl"
        Command::Push { .. } if preps.iter().any(is_in_or_on) => return None,
        Command::Push {
            preps: old,
            way: old_way,
            ..
        } => Command::Push {
            object,
            way: if preps.is_empty() {
                way.or(*old_way)
            } else {
                way
            },
            preps: if preps.is_empty() && way.is_none() {
                old.clone()
            } else {
                preps
            },
        },
        // "take the red block, then the green one into the bowl"
        Command::Take { .. } if preps.iter().any(|prep| prep.motion) => return None,
        Command::Take { out, .. } => Command::Take {
            object,
            preps,
            out: *out,
        },
        Command::Open(_) | Command::Close(_) if !preps.is_empty() => return None,
        Command::Open(_) => Command::Open(object),
        Command::Close(_) => Command::Close(object),
        Command::Leave(_) if preps.is_empty() => Command::Leave(object),
        _ => return None,
    })
}

/// "with it", where nothing else follows.
fn with_the_last(cursor: &mut Cursor<'_>) {
    let mut ahead = cursor.clone();
    ahead.eat_any(&["along", "together"]);
    if ahead.eat("with") && ahead.eat_any(&["it", "that", "them"]) && bare(&ahead) {
        *cursor = ahead;
    }
}

fn is_in_or_on(prep: &Prep) -> bool {
    matches!(prep.kind, PrepKind::In | PrepKind::On) && matches!(prep.place, PlaceRef::Object(_))
}

/// All prepositions and at most one direction, in any order.
fn tails(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> (Vec<Prep>, Option<Direction>) {
    let mut preps = Vec::new();
    let mut direction = None;
    loop {
        particles(cursor);
        if direction.is_none()
            && let Some(found) = way(cursor, vocabulary)
        {
            direction = Some(found);
            continue;
        }
        // "to the left 5 cm" and the like: distances are not ours to choose.
        match prep(cursor, vocabulary).or_else(|| bare_region(cursor, vocabulary)) {
            Some(found) => preps.push(found),
            None => return (preps, direction),
        }
    }
}

/// Words between object and place that say nothing.
fn particles(cursor: &mut Cursor<'_>) {
    while cursor.eat_any(&["up", "together", "instead", "over", "all"])
        && !matches!(cursor.peek(), "the")
    {}
}

/// "it" when the object is left out ("drop in the bowl").
fn implied(cursor: &Cursor<'_>) -> NounGroup {
    NounGroup {
        members: vec![it_at(cursor.at)],
        either: false,
    }
}

fn bare(cursor: &Cursor<'_>) -> bool {
    cursor.at_end() || matches!(cursor.peek(), "and" | "," | "." | "then")
}

fn skip_to_connector(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) {
    while !cursor.at_end() && !matches!(cursor.peek(), "." | "then") {
        if matches!(cursor.peek(), "," | "and") {
            let mut ahead = cursor.clone();
            while ahead.eat_any(&[",", "and", "then"]) {}
            if vocabulary.starts_clause(&ahead) {
                return;
            }
        }
        cursor.advance();
    }
}
