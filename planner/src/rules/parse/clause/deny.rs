//! What is not to be done, and what is to be left as it is.

use super::super::noun::{noun_group, noun_phrase};
use super::super::place::prep;
use super::super::vocabulary::Vocabulary;
use super::with_verb;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::Command;

/// How a thing is left.
const AS_IT_IS: &[&[&str]] = &[
    &["exactly", "where", "it", "is"],
    &["exactly", "as", "it", "is"],
    &["where", "it", "is"],
    &["where", "they", "are"],
    &["as", "it", "is"],
    &["as", "they", "are"],
    &["stay", "where", "it", "is"],
    &["stay", "where", "they", "are"],
    &["remain", "where", "it", "is"],
    &["stay", "put"],
    &["stay"],
    &["in", "place"],
    &["in", "peace"],
    &["out", "of", "it"],
    &["out", "of", "this"],
    &["untouched"],
    &["alone"],
    &["still"],
    &["be"],
];

/// To go on holding what was taken: nothing more to do.
const HELD_ON: &[&[&str]] = &[
    &["keep", "hold", "of", "it"],
    &["keep", "holding", "it"],
    &["keep", "it", "in", "your", "hand"],
    &["keep", "it", "in", "your", "gripper"],
    &["keep", "it", "in", "the", "air"],
    &["keep", "it", "up"],
    &["hold", "on", "to", "it"],
    &["hang", "on", "to", "it"],
    &["hold", "it", "in", "the", "air"],
    &["hold", "it", "up"],
    &["hold", "it", "still"],
    &["hold", "it", "there"],
    &["hold", "tight"],
];

/// "leave the red block where it is", "keep your hands off the bowl", "ignore it"
pub(super) fn keep(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let start = cursor.at;
    if cursor.eat_phrase(HELD_ON) {
        return Some(Command::Several(Vec::new()));
    }
    let off = cursor.eat_phrase(&[
        &["keep", "your", "hands", "off"],
        &["keep", "your", "hand", "off"],
        &["keep", "your", "gripper", "off"],
        &["take", "your", "hands", "off"],
        &["keep", "away", "from"],
        &["keep", "clear", "of"],
        &["stay", "away", "from"],
        &["stay", "clear", "of"],
        &["stay", "off"],
        &["steer", "clear", "of"],
        &["hands", "off"],
        &["avoid", "touching"],
        &["avoid", "moving"],
        &["refrain", "from", "touching"],
        &["refrain", "from", "moving"],
        &["avoid"],
        &["ignore"],
        &["skip"],
        &["spare"],
    ]);
    if off {
        let object = noun_group(cursor, vocabulary).map(Command::Leave);
        if object.is_none() {
            cursor.at = start;
        }
        return object;
    }
    if cursor.eat_any(&["leave", "keep", "let", "leaving", "keeping", "letting"])
        && let Some(object) = noun_group(cursor, vocabulary)
        && cursor.eat_phrase(AS_IT_IS)
        && ends(cursor)
    {
        return Some(Command::Leave(object));
    }
    cursor.at = start;
    None
}

/// Whether nothing of the clause follows.
fn ends(cursor: &Cursor<'_>) -> bool {
    cursor.at_end()
        || matches!(
            cursor.peek(),
            "," | "." | "?" | "and" | "then" | "but" | "while" | "after" | "before"
        )
}

/// "instead of opening the drawer", "no need to push it": spoken of, not done.
pub(super) fn instead(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Option<Command> {
    let start = cursor.at;
    let denied = cursor.eat_phrase(&[
        &["instead", "of"],
        &["rather", "than"],
        &["there", "is", "no", "need", "to"],
        &["no", "need", "to"],
        &["you", "do", "not", "need", "to"],
        &["you", "do", "not", "have", "to"],
        &["you", "need", "not"],
        &["never", "mind"],
        &["forget", "about"],
        &["skip"],
    ]);
    let is_deed = denied && lexicon::verb(cursor.peek()).is_some();
    let command = is_deed.then(|| with_verb(cursor, vocabulary)).flatten();
    if command.is_none() {
        cursor.at = start;
    }
    command.map(|it| Command::Denied(Box::new(it)))
}

/// ", not in the red one": another thing or place that is not meant.
pub(super) fn alternative(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> bool {
    let mut ahead = cursor.clone();
    ahead.eat(",");
    let denied = ahead.eat_phrase(&[
        &["and", "not"],
        &["but", "not"],
        &["rather", "than"],
        &["instead", "of"],
        &["as", "opposed", "to"],
        &["not"],
    ]);
    if !denied || vocabulary.starts_clause(&ahead) {
        return false;
    }
    let is_read =
        prep(&mut ahead, vocabulary).is_some() || noun_phrase(&mut ahead, vocabulary).is_some();
    let ends = ahead.at_end()
        || matches!(
            ahead.peek(),
            "," | "." | "?" | "and" | "then" | "in" | "into" | "on" | "onto" | "to" | "at"
        );
    if is_read && ends {
        *cursor = ahead;
        return true;
    }
    false
}
