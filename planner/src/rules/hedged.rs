//! Words that turn a sentence from a command into something else: a condition, somebody
//! else's deed, how things are. Neither grammar nor reader weighs them, so whoever
//! finds a plan in spite of them asks before it is done.

use super::lexicon;
use super::token::Token;

/// Whether the words say when, whose or whether, not only what.
pub(super) fn is_hedged(tokens: &[Token]) -> bool {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    is_conditional(&words) || is_of_others(&words) || is_denied_elsewhere(&words) || tells(&words)
}

/// "if the drawer is open, …", "… unless …", "when i clap, …". "If you can" is polite.
fn is_conditional(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).copied().unwrap_or_default();
        match *word {
            "if" | "agar" | "اگر" => {
                !matches!(next, "you" | "possible" | "not" | "so" | "aap" | "آپ" | "")
            }
            "unless" | "whenever" | "provided" | "assuming" => true,
            "when" | "once" => matches!(
                next,
                "i" | "he" | "she" | "we" | "someone" | "somebody" | "anyone" | "nobody"
            ),
            _ => false,
        }
    })
}

/// "he put …", "nobody put …", "yesterday you put …".
fn is_of_others(words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| matches!(*word, "he" | "she" | "nobody" | "yesterday"))
}

/// "the block should not go …", "i do not want you to …", "do not … or …".
fn is_denied_elsewhere(words: &[&str]) -> bool {
    let denied_at = |at: &usize| words.get(*at) == Some(&"not");
    (0..words.len()).filter(denied_at).any(|at| {
        let before = at.checked_sub(1).and_then(|at| words.get(at).copied());
        let subject = at.checked_sub(2).and_then(|at| words.get(at).copied());
        let is_ruled = matches!(
            before,
            Some("should" | "must" | "may" | "shall" | "can" | "will")
        );
        let is_wish = matches!(
            words.get(at + 1),
            Some(&("want" | "like" | "wish" | "need"))
        ) && subject == Some("i");
        // "It must not be moved": it is left.
        let is_left = words.get(at + 1) == Some(&"be")
            && words
                .get(at + 2)
                .is_some_and(|word| *word == "touched" || lexicon::verb(word).is_some());
        (is_ruled && !is_left && subject != Some("you"))
            || is_wish
            || words.get(at..).is_some_and(|rest| rest.contains(&"or"))
    })
}

/// "the red block is in the blue bowl", "the drawer is open": so it is.
fn tells(words: &[&str]) -> bool {
    const WISHED: [&str; 9] = [
        "should", "must", "needs", "need", "supposed", "meant", "want", "like", "wish",
    ];
    let is_at = words.iter().position(|word| matches!(*word, "is" | "are"));
    let says_where = |at: usize| {
        matches!(
            words.get(at + 1),
            Some(&("in" | "inside" | "on" | "under" | "open" | "closed" | "shut"))
        )
    };
    let is_deed = |(at, word): (usize, &&str)| {
        lexicon::verb(word).is_some() && is_at.is_none_or(|is_at| at != is_at + 1)
    };
    is_at.is_some_and(says_where)
        && !words.iter().enumerate().any(is_deed)
        && !words.iter().any(|word| WISHED.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::token::tokenize;

    #[test]
    fn what_is_no_plain_command_is_hedged() {
        for (sentence, expected) in [
            ("if the drawer is open, put the red block in it", true),
            ("put the red block in the bowl unless it is full", true),
            ("when I clap, open the drawer", true),
            ("he put the red block in the bowl", true),
            ("the red block should not go in the blue bowl", true),
            ("don't open the drawer or push the red block left", true),
            ("I don't want you to open the drawer", true),
            ("the red block is in the blue bowl", true),
            ("the drawer is open", true),
            ("put the red block in the bowl, if you can", false),
            ("would you mind if you put it there", false),
            ("once the drawer is open, put the red block in it", false),
            ("put the red block, not the green one, in the bowl", false),
            ("you should not touch the bowl, open the drawer", false),
            ("put the block that is in the bowl on the left side", false),
            ("open the drawer, it is closed", false),
            ("don't open it until the red block is in the bowl", false),
            ("the red block must not be moved, open the drawer", false),
        ] {
            assert_eq!(is_hedged(&tokenize(sentence)), expected, "{sentence}");
        }
    }
}
