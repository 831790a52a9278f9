//! Wishes and questions that ask for a deed: "could the red block go in the bowl?",
//! "let me see it on the left", "give it a push to the right"; and what is only
//! pointed at before: "see the red block? put it in the drawer".

use super::super::noun::{noun_group, noun_phrase};
use super::super::place::way;
use super::super::vocabulary::Vocabulary;
use super::tails;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::{Command, NounGroup, PlaceRef, Prep, PrepKind};

/// Words that point at a thing.
const POINTING: &[&[&str]] = &[
    &["do", "you", "see"],
    &["can", "you", "see"],
    &["you", "can", "see"],
    &["you", "see"],
    &["see"],
    &["do", "you", "know"],
    &["you", "know"],
    &["remember"],
    &["look", "at"],
    &["as", "for"],
    &["regarding"],
    &["about"],
    &["there", "is"],
    &["here", "is"],
    &["now", "for"],
];

/// What is said of a thing that was pointed at, and asks for nothing.
const REMARKS: &[&[&str]] = &[
    &["is", "in", "my", "way"],
    &["is", "in", "the", "way"],
    &["is", "in", "the", "wrong", "place"],
    &["is", "in", "the", "wrong", "spot"],
    &["over", "there"],
    &["there"],
];

/// "see the red block?", "as for the bowl,", "the red block, put it …"
pub(super) fn topic(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let start = cursor.at;
    let is_pointed = cursor.eat_phrase(POINTING);
    let is_needed = !is_pointed && cursor.eat_any(&["need", "want"]);
    let phrase = noun_phrase(cursor, vocabulary)?;
    // "I need the bowl empty, so …": how it becomes so follows.
    let is_needed_so = is_needed
        && cursor.eat_any(&["empty", "emptied", "cleared"])
        && cursor.peek() == ","
        && cursor.peek_at(1) == "so";
    if is_needed && !is_needed_so {
        return None;
    }
    let is_remarked = is_needed_so || cursor.eat_phrase(REMARKS);
    let end = cursor.at;
    let is_asked = cursor.eat("?") || cursor.eat(".");
    let is_marked = is_asked || cursor.eat(",");
    cursor.eat("and");
    if is_needed_so {
        cursor.eat("so");
    }
    cursor.eat_any(&["now", "then", "please"]);
    let is_told = matches!(cursor.peek(), "it" | "that" | "this")
        && matches!(
            cursor.peek_at(1),
            "goes" | "belongs" | "should" | "must" | "needs"
        );
    let goes_on = vocabulary.starts_clause(cursor) || is_told || (is_pointed && !cursor.at_end());
    let is_topic =
        is_marked && goes_on && (is_pointed || is_remarked || is_told || follows_pronoun(cursor));
    if !is_topic {
        return None;
    }
    // The mark joins it to what follows.
    cursor.at = end;
    let span = (start, end);
    Some(Command::Denied(Box::new(Command::MoveTo(Prep {
        span,
        kind: PrepKind::Above,
        place: PlaceRef::Object(Box::new(phrase)),
        motion: false,
    }))))
}

/// "…, put it in the bowl": the command is about what was named.
fn follows_pronoun(cursor: &Cursor<'_>) -> bool {
    (1..4).any(|ahead| matches!(cursor.peek_at(ahead), "it" | "that" | "them" | "those"))
}

/// "could the red block go in the bowl?", "can i have it on the left?"
pub(super) fn wish(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let is_having = cursor.eat_phrase(&[
        &["feel", "better", "if"],
        &["be", "happy", "if"],
        &["be", "happier", "if"],
        &["be", "nice", "if"],
        &["be", "nicer", "if"],
        &["be", "great", "if"],
        &["be", "better", "if"],
        &["be", "lovely", "if"],
        &["love", "it", "if"],
        &["like", "it", "if"],
        &["prefer", "it", "if"],
        &["it", "would", "be", "nice", "if"],
        &["it", "would", "be", "nicer", "if"],
        &["it", "would", "be", "great", "if"],
        &["it", "would", "be", "better", "if"],
        &["it", "would", "be", "good", "if"],
        &["it", "would", "be", "lovely", "if"],
        &["can", "i", "have"],
        &["could", "i", "have"],
        &["may", "i", "have"],
        &["can", "we", "have"],
        &["can", "we", "get"],
        &["could", "we", "have"],
        &["could", "we", "get"],
        &["i", "would", "love", "to", "see"],
        &["would", "love", "to", "see"],
        &["love", "to", "see"],
        &["wish"],
        &["prefer"],
        &["require"],
        &["let", "me", "see"],
        &["let", "me", "have"],
        &["to", "have"],
        &["let"],
    ]);
    // "I have …" tells.
    let is_having = is_having || (!cursor.is_behind("i") && cursor.eat("have"));
    let is_modal = !is_having && cursor.eat_any(&["could", "can", "should", "shall"]);
    if !is_having && !is_modal {
        return None;
    }
    let object = noun_group(cursor, vocabulary)?;
    let led = cursor.eat_phrase(&[
        &["to", "be"],
        &["to", "go"],
        &["find", "its", "way"],
        &["make", "its", "way"],
        &["end", "up"],
        &["go"],
        &["be"],
        &["come"],
        &["sit"],
        &["stand"],
        &["sitting"],
        &["standing"],
        &["lying"],
        &["were", "sitting"],
        &["was", "sitting"],
        &["were", "lying"],
        &["was", "lying"],
        &["were", "standing"],
        &["was", "standing"],
        &["were"],
        &["was"],
        &["went"],
        &["drop"],
        &["move"],
    ]);
    if is_modal && !led {
        return None;
    }
    // "Could the drawer be open?" asks how it is, "could it be opened?" for a deed.
    let is_asked_about = is_modal
        && cursor.is_behind("be")
        && !matches!(cursor.peek(), "opened" | "closed" | "shut")
        && (lexicon::verb(cursor.peek()).is_none() || cursor.peek() == "open");
    if is_asked_about {
        return None;
    }
    done_with(cursor, vocabulary, object)
}

/// What is wished of a thing: "in the bowl", "pushed to the left", "open".
pub(super) fn done_with(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    object: NounGroup,
) -> Option<Command> {
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
    let pushes = match verb {
        None | Some(lexicon::Verb::Put | lexicon::Verb::Drop | lexicon::Verb::Stack) => false,
        Some(lexicon::Verb::Push | lexicon::Verb::Pull | lexicon::Verb::Move) => true,
        _ => return None,
    };
    let (preps, way) = tails(cursor, vocabulary);
    match (way, preps.is_empty()) {
        (None, true) => None,
        (Some(way), _) => Some(Command::Push {
            object,
            preps,
            way: Some(way),
        }),
        (None, false) if pushes && verb != Some(lexicon::Verb::Move) => Some(Command::Push {
            object,
            preps,
            way: None,
        }),
        (None, false) => Some(Command::Put {
            object,
            preps,
            way: None,
            down: false,
            is_move: false,
        }),
    }
}

/// "give it a push to the left", "the red block needs a nudge to the right"
pub(super) fn a_push(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let gives = cursor.eat_any(&["give", "giving"]);
    let object = noun_group(cursor, vocabulary)?;
    let led = gives
        || cursor.eat_phrase(&[
            &["needs"],
            &["gets"],
            &["could", "do", "with"],
            &["should", "get"],
        ]);
    if !led || !cursor.eat_any(&["a", "another", "one"]) {
        return None;
    }
    cursor.eat_any(&["little", "small", "gentle", "good"]);
    let before = way(cursor, vocabulary);
    if !cursor.eat_any(&["push", "nudge", "shove", "prod", "poke", "bump"]) {
        return None;
    }
    let way = before.or_else(|| way(cursor, vocabulary))?;
    Some(Command::Push {
        object,
        preps: Vec::new(),
        way: Some(way),
    })
}
