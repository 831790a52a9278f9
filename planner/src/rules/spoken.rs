//! What a sentence spoke of that words were the whole answer to: "where is the red
//! block?", and then "push it left".

use super::cursor::Cursor;
use super::ground::{Grounder, Role};
use super::parse::{self, Vocabulary};
use super::syntax::Head;
use super::token::{Token, tokenize};
use super::trouble::Choices;
use super::{lexicon, typo};
use crate::request::{Dialogue, PlanRequest};

/// The objects that a sentence names one by one, in its order. Of a denial nothing is
/// to be moved next.
pub(super) fn named(sentence: &str, request: &PlanRequest) -> Vec<String> {
    let vocabulary = Vocabulary::of(&request.scene);
    let mut tokens = tokenize(sentence);
    typo::repair(&mut tokens, &vocabulary.words());
    let is_denial = |token: &Token| {
        matches!(
            token.text.as_str(),
            "not" | "never" | "no" | "leave" | "without" | "except" | "keep" | "nothing"
        )
    };
    if tokens.iter().any(is_denial) {
        return Vec::new();
    }
    let (choices, dialogue) = (Choices::new(), Dialogue::default());
    let grounder = Grounder::over(request, &choices, &dialogue);
    let mut found: Vec<String> = Vec::new();
    let mut cursor = Cursor::new(&tokens);
    while !cursor.at_end() {
        let word = cursor.peek();
        let may_begin = matches!(word, "the" | "that" | "this") || lexicon::color(word).is_some();
        let begun = cursor.at;
        let phrase = may_begin
            .then(|| parse::noun_phrase(&mut cursor, &vocabulary))
            .flatten()
            .filter(|phrase| matches!(phrase.head, Head::Kind(_) | Head::Id(_)));
        let Some(phrase) = phrase else {
            cursor.at = begun + 1;
            continue;
        };
        if let Ok([only]) = grounder
            .phrase(&phrase, &[], Role::Landmark, &[])
            .as_deref()
            && !found.contains(only)
        {
            found.push(only.clone());
        }
    }
    // Of a question about several things none is the one that is spoken of.
    let is_command = tokens
        .iter()
        .find(|token| !lexicon::is_opener(&token.text) && !lexicon::is_filler(&token.text))
        .is_some_and(|token| lexicon::is_imperative(&token.text));
    if found.len() > 1 && !is_command {
        found.clear();
    }
    found
}

/// Both sentences as one, where the second goes on with the first: "and the green one
/// too".
pub(super) fn gone_on(before: &str, sentence: &str) -> Option<String> {
    let tokens = tokenize(sentence);
    let is_more = tokens.windows(2).any(|pair| {
        (pair[0].text == "as" && pair[1].text == "well")
            || matches!(pair[1].text.as_str(), "too" | "also")
    });
    let begins = lexicon::verb(&tokens.first()?.text).is_some();
    let words: Vec<&str> = tokens
        .iter()
        .map(|token| token.text.as_str())
        .skip_while(|word| matches!(*word, "and" | "now" | "then" | "," | "ok" | "also"))
        .collect();
    let before = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    (is_more && !begins && words.len() <= 8).then(|| format!("{before}, and {}", words.join(" ")))
}
