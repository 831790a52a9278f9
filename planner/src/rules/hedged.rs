//! Words that turn a sentence from a command into something else: a condition, somebody
//! else's deed, how things are. Neither grammar nor reader weighs them, so whoever
//! finds a plan in spite of them asks before it is done.

use super::lexicon;
use super::token::Token;

/// Whether the words say when, whose or whether, not only what. `kinds` are words for
/// what is in the scene.
pub(super) fn is_hedged(tokens: &[Token], kinds: &[String]) -> bool {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    is_conditional(&words)
        || waits_for_others(&words, kinds)
        || is_conditional_urdu(&words)
        || is_of_others(&words)
        || is_imagined(&words)
        || is_put_off(&words)
        || is_repeated(&words)
        || is_denied_elsewhere(&words)
        || tells(&words)
}

/// "I put it there myself a minute ago": nothing is to be done.
pub(super) fn only_tells_past(tokens: &[Token]) -> bool {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let [subject, deed, rest @ ..] = words.as_slice() else {
        return false;
    };
    let is_past = matches!(
        *deed,
        "put" | "placed" | "moved" | "pushed" | "took" | "left" | "opened" | "closed" | "already"
    );
    let goes_on = |word: &&str| {
        matches!(
            *word,
            "," | "and" | "but" | "so" | "now" | "please" | "then" | "if" | "can" | "could" | "you"
        )
    };
    let rest = match rest {
        [rest @ .., "." | "?"] => rest,
        rest => rest,
    };
    matches!(
        *subject,
        "i" | "we" | "he" | "she" | "they" | "someone" | "somebody"
    ) && is_past
        && rest
            .iter()
            .any(|word| matches!(*word, "ago" | "earlier" | "yesterday" | "myself"))
        && !rest
            .iter()
            .any(|word| goes_on(word) || *word == "." || *word == "?")
}

/// "if the drawer is open, …", "… unless …", "when i clap, …". "If you can" is polite.
fn is_conditional(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).copied().unwrap_or_default();
        match *word {
            "if" if is_wish_before(words, at) => false,
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

/// "it would be nice if", "i would like it if": what follows is wished for.
fn is_wish_before(words: &[&str], at: usize) -> bool {
    let before = words.get(..at).unwrap_or_default();
    let is_liked = matches!(
        before,
        [.., "like" | "love" | "prefer", "it"]
            | [.., "feel", "better"]
            | [
                ..,
                "be",
                "nice" | "nicer" | "great" | "better" | "good" | "lovely" | "happy" | "happier"
            ]
    );
    is_liked && before.len() <= 5 && before.contains(&"would")
}

/// "when the timer rings", "until I say so", "as soon as the light is green": what waits
/// for something that is neither in the scene nor done by the robot.
fn waits_for_others(words: &[&str], kinds: &[String]) -> bool {
    // What the robot's own work makes or ends.
    const OWN: [&str; 14] = [
        "tower", "pile", "stack", "row", "line", "job", "task", "rest", "work", "way", "space",
        "spot", "place", "area",
    ];
    words.iter().enumerate().any(|(at, word)| {
        let subject = match *word {
            "when" | "once" | "until" | "till" => at + 1,
            "soon" if words.get(at + 1) == Some(&"as") => at + 2,
            _ => return false,
        };
        let next = words.get(subject).copied().unwrap_or_default();
        let thing = words.get(subject + 1).copied().unwrap_or_default();
        match next {
            "i" | "he" | "she" | "we" | "someone" | "somebody" | "anyone" | "nobody" => true,
            "the" | "my" | "his" | "her" | "a" | "an" => {
                let is_known = lexicon::is_of_scene(thing)
                    || lexicon::verb(thing).is_some()
                    || lexicon::is_filler(thing)
                    || OWN.contains(&thing)
                    || thing.starts_with('{')
                    || kinds.iter().any(|kind| kind == thing);
                !thing.is_empty() && !is_known
            }
            _ => false,
        }
    })
}

/// "jab main kahun", "jab tak timer na baje", "kal", "us ne rakha tha".
fn is_conditional_urdu(words: &[&str]) -> bool {
    const OTHERS: [&str; 16] = [
        "main",
        "mai",
        "hum",
        "koi",
        "timer",
        "ghanti",
        "batti",
        "light",
        "bell",
        "میں",
        "ہم",
        "کوئی",
        "ٹائمر",
        "گھنٹی",
        "بتی",
        "لائٹ",
    ];
    words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).copied().unwrap_or_default();
        let is_longer = matches!(next, "tak" | "tk" | "bhi" | "تک" | "بھی" | "hi" | "ہی");
        let subject = at + 1 + usize::from(is_longer);
        match *word {
            "jab" | "jaise" | "jaisay" | "جب" | "جیسے" => {
                words.get(subject).is_some_and(|word| OTHERS.contains(word))
            }
            "us" | "اس" => matches!(next, "ne" | "نے"),
            "kal" | "usne" | "کل" => true,
            _ => false,
        }
    })
}

/// "he put …", "who put …", "the robot put …", "i have put …", "yesterday you put …".
fn is_of_others(words: &[&str]) -> bool {
    let acts = |at: usize| {
        words
            .get(at)
            .is_some_and(|word| lexicon::verb(word).is_some())
    };
    words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).copied().unwrap_or_default();
        match *word {
            "he" | "she" | "nobody" | "yesterday" => true,
            "who" => acts(at + 1) && at == 0,
            "robot" => at == 1 && words.first() == Some(&"the") && acts(at + 1),
            // "I have to put it there" is a task.
            "i" | "we" => {
                // "I have two bowls" is no deed.
                let has = matches!(next, "have" | "had") && acts(at + 2);
                let did = matches!(next, "put" | "placed" | "moved" | "pushed" | "took");
                let used = next == "used" && words.get(at + 2) == Some(&"to");
                at == 0 && (has || did || used || next == "already")
            }
            "could" | "should" | "would" | "might" | "must" => next == "have",
            _ => false,
        }
    })
}

/// "imagine …", "say put …", "almost put …", "stop putting …", "i like …": nothing that
/// is to be done now.
fn is_imagined(words: &[&str]) -> bool {
    let acts = |at: usize| {
        words
            .get(at)
            .is_some_and(|word| lexicon::verb(word).is_some())
    };
    let first = words.first().copied().unwrap_or_default();
    let says = matches!(first, "say" | "stop" | "quit" | "almost" | "nearly") && acts(1);
    let dreams = matches!(first, "imagine" | "suppose" | "pretend");
    // "I would like it there" is a wish.
    let likes = first == "i"
        && words
            .iter()
            .skip(1)
            .find(|word| !matches!(**word, "really" | "do" | "so" | "also" | "always"))
            .is_some_and(|word| matches!(*word, "like" | "love" | "hate" | "prefer"));
    // "Would it fit?" asks.
    let asks = matches!(
        first,
        "would" | "will" | "does" | "do" | "could" | "can" | "is" | "are"
    ) && words.iter().any(|word| matches!(*word, "fit" | "fits"));
    says || dreams || likes || asks
}

/// "in five minutes", "tomorrow", "later": not now.
fn is_put_off(words: &[&str]) -> bool {
    // "In a second bowl" is a place.
    let is_time = |word: &&str| {
        *word == "seconds"
            || ["minute", "hour", "day", "week"].contains(&word.strip_suffix('s').unwrap_or(word))
    };
    words.iter().enumerate().any(|(at, word)| match *word {
        "in" => words.iter().skip(at + 2).take(2).any(is_time),
        "tomorrow" | "tonight" | "later" => true,
        _ => false,
    })
}

/// "push it left twice": one deed of this robot is not two.
fn is_repeated(words: &[&str]) -> bool {
    words.windows(2).any(|pair| pair[1] == "times")
        || words
            .iter()
            .any(|word| matches!(*word, "twice" | "thrice" | "repeatedly"))
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
    fn what_was_done_before_is_only_told() {
        for (sentence, expected) in [
            ("I put the blue block there myself a minute ago.", true),
            ("we moved the bowl earlier", true),
            ("I put it there a minute ago, take it away", false),
            ("I moved it yesterday. Put it back.", false),
            ("put it there myself", false),
            ("I want it there", false),
        ] {
            assert_eq!(only_tells_past(&tokenize(sentence)), expected, "{sentence}");
        }
    }

    #[test]
    fn what_is_no_plain_command_is_hedged() {
        for (sentence, expected) in [
            ("if the drawer is open, put the red block in it", true),
            ("when the timer rings, open the drawer", true),
            ("don't open the drawer until I say so", true),
            ("push it as soon as the light is green", true),
            ("as soon as the mug is in the bowl, open the drawer", false),
            ("once the tower stands, open the drawer", false),
            ("when you are done, open the drawer", false),
            ("when that's done, open the drawer", false),
            ("jab main kahun daraaz kholo", true),
            ("jab tak timer na baje daraaz mat kholo", true),
            ("jab daraaz khul jaye to block us mein rakho", false),
            ("kal daraaz kholna", true),
            ("us ne block bowl mein rakha", true),
            ("جب میں کہوں دراز کھولو", true),
            ("جب تک ٹائمر نہ بجے رکو", true),
            ("کل دراز کھولنا", true),
            ("اس نے بلاک پیالے میں رکھا", true),
            ("لال بلاک کو اس میں رکھو", false),
            ("put the red block in the bowl unless it is full", true),
            ("when I clap, open the drawer", true),
            ("would the red block fit in the bowl, do you think", true),
            ("does the red block fit into the drawer", true),
            ("will you put the red block in the drawer", false),
            ("it would be nice if the red block were in the bowl", false),
            ("I would like it if the red block went in the bowl", false),
            ("I would open it if the drawer were empty", true),
            ("he put the red block in the bowl", true),
            ("who put the red block in the bowl?", true),
            ("the robot put the red block in the bowl", true),
            ("robot, put the red block in the bowl", false),
            ("I have put the red block in the bowl", true),
            ("I have to put the red block in the bowl", false),
            ("I have two bowls, put the red block in the left one", false),
            ("I used to put the red block in the bowl", true),
            ("you could have put the red block in the bowl", true),
            ("could you put the red block in the bowl", false),
            ("imagine the red block in the bowl", true),
            ("say \"put the red block in the bowl\"", true),
            ("almost put the red block in the bowl", true),
            ("stop putting the red block in the bowl", true),
            ("I really like the red block in the bowl", true),
            ("I would like the red block in the bowl", false),
            ("I'd like the red block in the bowl", false),
            ("put the red block in the bowl in five minutes", true),
            ("put the red block in the bowl tomorrow", true),
            ("put the red block in the second bowl", false),
            ("put the red block in a second bowl", false),
            ("wait five seconds, then open the drawer", false),
            ("push the red block left twice", true),
            ("push the red block left three times", true),
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
            assert_eq!(
                is_hedged(&tokenize(sentence), &["mug".to_owned()]),
                expected,
                "{sentence}"
            );
        }
    }
}
