//! What a line means, before anyone looks at the scene.

use vola_types::{Direction, MAX_WAIT_SECONDS};

use super::phrase::Line;
use super::words::{WAYS, find};
use crate::rules::syntax::{Clause, Command, NounGroup, PlaceRef, Prep, PrepKind};

/// Most clauses of one line.
const MOST_CLAUSES: usize = 12;

/// A meaning.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::rules) enum Meaning {
    /// To be done.
    Do(Vec<Clause>),
    /// Too vague; perhaps about these objects.
    Ask(Option<NounGroup>),
    /// Cannot be done.
    Cannot(Why),
    /// Must not be done.
    Unsafe(Harm),
    /// Words only.
    Chat(Topic),
    /// The last command, with another object or another place.
    Fix(Other),
    /// The last command once more, with this object.
    Same(NounGroup),
    /// The last command once more.
    Again,
    /// An answer to the open question.
    Answer(Reply),
}

/// What is put in the place of what was said.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::rules) enum Other {
    Object(NounGroup),
    Place(Prep),
    /// Another way of a push, another side of a landmark.
    Way(Direction),
    /// The opposite way or side.
    Opposite,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::rules) enum Reply {
    /// Counted from 1.
    Number(usize),
    Object(NounGroup),
    Place(Prep),
    Yes,
    No,
}

/// Why something cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Why {
    Skill,
    Thing,
    Place,
    Measure,
}

/// Why something must not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Harm {
    Person,
    Throw,
    Damage,
    Limits,
    Safety,
}

/// What a conversation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Topic {
    Greet,
    Bye,
    Thanks,
    Praise,
    Who,
    Can,
    Scene,
    State,
    Smalltalk,
    Nothing,
}

pub(super) const WHYS: [(&str, Why); 4] = [
    ("skill", Why::Skill),
    ("thing", Why::Thing),
    ("place", Why::Place),
    ("measure", Why::Measure),
];

pub(super) const HARMS: [(&str, Harm); 5] = [
    ("person", Harm::Person),
    ("throw", Harm::Throw),
    ("damage", Harm::Damage),
    ("limits", Harm::Limits),
    ("safety", Harm::Safety),
];

pub(super) const TOPICS: [(&str, Topic); 10] = [
    ("greet", Topic::Greet),
    ("bye", Topic::Bye),
    ("thanks", Topic::Thanks),
    ("praise", Topic::Praise),
    ("who", Topic::Who),
    ("can", Topic::Can),
    ("scene", Topic::Scene),
    ("state", Topic::State),
    ("smalltalk", Topic::Smalltalk),
    ("nothing", Topic::Nothing),
];

/// A line that is not of the compact language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("word {}: expected {expected}, got `{got}`", word + 1)]
pub struct ReadError {
    /// What could have stood there.
    pub expected: &'static str,
    /// What stood there.
    pub got: String,
    /// The word's place in the line, from 0.
    pub word: usize,
}

/// Checks that a line is of the compact language; `kinds` are kinds of objects
/// besides block, bowl and drawer.
///
/// # Errors
/// The first word that does not fit.
pub fn check(line: &str, kinds: &[String]) -> Result<(), ReadError> {
    Meaning::read(line, kinds).map(drop)
}

impl Meaning {
    /// Reads a line.
    ///
    /// # Errors
    /// The first word that does not fit.
    pub(in crate::rules) fn read(line: &str, kinds: &[String]) -> Result<Self, ReadError> {
        Self::of(Line::new(line, kinds))
    }

    /// Reads a line whose words are counted.
    pub(super) fn of(mut line: Line<'_>) -> Result<Self, ReadError> {
        let meaning = Self::whole(&mut line)?;
        if line.is_over() {
            Ok(meaning)
        } else {
            Err(line.expected("the end of the line"))
        }
    }

    fn whole(line: &mut Line<'_>) -> Result<Self, ReadError> {
        let word = line.next();
        Ok(match word {
            "do" => Self::Do(clauses(line)?),
            "ask" if line.at_break() => Self::Ask(None),
            "ask" => Self::Ask(Some(line.group()?)),
            "cannot" => Self::Cannot(one_of(line, &WHYS, "a reason")?),
            "unsafe" => Self::Unsafe(one_of(line, &HARMS, "a danger")?),
            "chat" => Self::Chat(one_of(line, &TOPICS, "a topic")?),
            "fix" if line.eat("opposite") => Self::Fix(Other::Opposite),
            "fix" if line.is_last() && find(&WAYS, line.peek()).is_some() => {
                Self::Fix(Other::Way(one_of(line, &WAYS, "a way")?))
            }
            "fix" if line.at_place() => Self::Fix(Other::Place(line.place(true)?)),
            "fix" => Self::Fix(Other::Object(line.group()?)),
            "same" => Self::Same(line.group()?),
            "again" => Self::Again,
            "answer" => Self::Answer(reply(line)?),
            _ => {
                return Err(ReadError {
                    expected: "do, ask, cannot, unsafe, chat, fix, same, again or answer",
                    got: word.to_owned(),
                    word: 0,
                });
            }
        })
    }
}

fn one_of<T: Copy>(
    line: &mut Line<'_>,
    table: &[(&str, T)],
    what: &'static str,
) -> Result<T, ReadError> {
    let found = find(table, line.peek()).ok_or_else(|| line.expected(what))?;
    line.next();
    Ok(found)
}

fn reply(line: &mut Line<'_>) -> Result<Reply, ReadError> {
    if line.eat("yes") {
        return Ok(Reply::Yes);
    }
    if line.eat("no") {
        return Ok(Reply::No);
    }
    let number = line.peek().parse().ok().filter(|n| (1..=9).contains(n));
    if let Some(number) = number {
        line.next();
        if line.at_break() {
            return Ok(Reply::Number(number));
        }
        return Err(line.expected("the end of the line"));
    }
    if line.at_place() {
        return Ok(Reply::Place(line.place(true)?));
    }
    Ok(Reply::Object(line.group()?))
}

fn clauses(line: &mut Line<'_>) -> Result<Vec<Clause>, ReadError> {
    let mut all = Vec::new();
    loop {
        all.push(Clause {
            command: command(line)?,
            negated: false,
        });
        if !line.eat(";") {
            return Ok(all);
        }
        if all.len() >= MOST_CLAUSES {
            return Err(line.expected("no more than twelve clauses"));
        }
    }
}

fn command(line: &mut Line<'_>) -> Result<Command, ReadError> {
    let group = |line: &mut Line<'_>| {
        if line.at_break() {
            Ok(None)
        } else {
            line.group().map(Some)
        }
    };
    Ok(match line.peek() {
        "take" | "clear" => {
            let out = line.next() == "clear";
            let object = line.group()?;
            Command::Take {
                object,
                preps: Vec::new(),
                out,
            }
        }
        "put" => {
            line.next();
            put(line)?
        }
        "push" => {
            line.next();
            push(line)?
        }
        "open" | "close" => {
            if line.next() == "open" {
                Command::Open(line.group()?)
            } else {
                Command::Close(line.group()?)
            }
        }
        "hand" => {
            line.next();
            match line.next() {
                "open" => Command::OpenHand,
                "closed" => Command::CloseHand,
                _ => return Err(line.expected("`hand open` or `hand closed`")),
            }
        }
        "go" => {
            line.next();
            let mut place = line.place(true)?;
            if matches!(place.place, PlaceRef::Object(_)) {
                place.kind = PrepKind::Above;
            }
            Command::MoveTo(place)
        }
        "wait" => {
            line.next();
            let seconds = line.peek().parse().ok();
            let seconds = seconds.filter(|s| (0.0..=10.0 * MAX_WAIT_SECONDS).contains(s));
            let Some(seconds) = seconds else {
                return Err(line.expected("a number of seconds"));
            };
            line.next();
            Command::Wait(seconds)
        }
        "home" | "release" => {
            if line.next() == "home" {
                Command::Home
            } else {
                Command::Release
            }
        }
        "tower" => {
            line.next();
            Command::Tower(group(line)?)
        }
        "sort" => {
            line.next();
            Command::Sort(group(line)?)
        }
        "tidy" => {
            line.next();
            Command::TidyUp(group(line)?)
        }
        "empty" => {
            line.next();
            Command::Empty(line.group()?)
        }
        "keep" => {
            line.next();
            Command::Leave(line.group()?)
        }
        _ => return Err(line.expected("a command")),
    })
}

fn put(line: &mut Line<'_>) -> Result<Command, ReadError> {
    let object = line.group()?;
    let down = line.eat("down");
    let preps = if down || line.at_break() {
        Vec::new()
    } else {
        places(line)?
    };
    Ok(Command::Put {
        object,
        preps,
        way: None,
        down,
        is_move: false,
    })
}

/// One place; of two, none: then the person is asked where to.
fn places(line: &mut Line<'_>) -> Result<Vec<Prep>, ReadError> {
    let place = line.place(true)?;
    if line.peek() != "|" {
        return Ok(vec![place]);
    }
    while line.eat("|") {
        line.phrase()?;
    }
    Ok(Vec::new())
}

fn push(line: &mut Line<'_>) -> Result<Command, ReadError> {
    let object = line.group()?;
    let way = find(&WAYS, line.peek());
    if way.is_some() {
        line.next();
    }
    let preps = if way.is_some() || line.at_break() {
        Vec::new()
    } else {
        vec![line.place(true)?]
    };
    Ok(Command::Push { object, preps, way })
}
