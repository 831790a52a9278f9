//! Small typing errors: one letter wrong, missing, doubled or swapped.
//!
//! Only words that nobody knows are repaired, only to content words of at
//! least four letters, and only when exactly one candidate is one edit away.

use super::lexicon;
use super::token::Token;

/// Repairs unknown words in place; `extra` are the words of the scene.
pub(super) fn repair(tokens: &mut [Token], extra: &[String]) {
    for token in tokens {
        let word = token.text.as_str();
        let skip = token.number.is_some()
            || token.is_punctuation()
            || token.phrase().is_some()
            || word.chars().count() < 3
            || word.len() > 24
            || word.contains('_')
            || lexicon::is_known(word)
            || extra.iter().any(|known| known == word);
        if !skip && let Some(better) = unambiguous(word, extra) {
            token.text = better;
        }
    }
}

fn unambiguous<'a>(word: &str, extra: &'a [String]) -> Option<String> {
    let known = lexicon::repairable().map(|word| -> &'a str { word });
    let candidates = known.chain(extra.iter().map(String::as_str));
    let near: Vec<(Slip, &str)> = candidates
        .filter(|candidate| candidate.len() >= 4)
        .filter_map(|candidate| Some((slip(word, candidate)?, candidate)))
        .collect();
    // A missing or swapped letter is likelier than a wrong one.
    for kind in [Slip::Light, Slip::Heavy] {
        let mut alike = near.iter().filter(|(k, _)| *k == kind).map(|(_, c)| *c);
        if let Some(first) = alike.next() {
            return alike
                .all(|other| same_meaning(first, other))
                .then(|| first.to_owned());
        }
    }
    None
}

fn same_meaning(a: &str, b: &str) -> bool {
    let singular = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    a == b
        || singular(a) == singular(b) && !a.is_empty()
        || lexicon::color(a).is_some_and(|color| lexicon::color(b) == Some(color))
}

/// How a word differs from the one that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slip {
    /// A letter is missing, or two neighbours are swapped.
    Light,
    /// A letter is wrong, or one too many.
    Heavy,
}

/// The single slip that turns `meant` into `typed`, if one does.
fn slip(typed: &str, meant: &str) -> Option<Slip> {
    let (a, b): (Vec<char>, Vec<char>) = (typed.chars().collect(), meant.chars().collect());
    if a == b || a.len().abs_diff(b.len()) > 1 {
        return None;
    }
    let same_start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    match (&a[same_start..], &b[same_start..]) {
        ([x, y, tail_a @ ..], [u, v, tail_b @ ..]) if x == v && y == u && tail_a == tail_b => {
            Some(Slip::Light)
        }
        (rest, [_, tail @ ..]) if tail == rest => Some(Slip::Light),
        ([_, tail_a @ ..], [_, tail_b @ ..]) if tail_a == tail_b => Some(Slip::Heavy),
        ([_, tail @ ..], rest) if tail == rest => Some(Slip::Heavy),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::token::tokenize;

    #[test]
    fn typos_become_the_word_that_was_meant() {
        for (typed, expected) in [
            ("blok", "block"),
            ("blcok", "block"),
            ("blockk", "block"),
            ("bule", "blue"),
            ("gren", "green"),
            ("yelow", "yellow"),
            ("drawr", "drawer"),
            ("stak", "stack"),
            ("plate", "plate"),
            ("lock", "lock"),
            ("red", "red"),
            ("xylophone", "xylophone"),
            ("wombat", "wombat"),
        ] {
            let mut tokens = tokenize(typed);
            repair(&mut tokens, &["wombat".to_owned()]);
            assert_eq!(tokens[0].text, expected, "{typed}");
        }
    }
}
