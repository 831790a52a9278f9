//! Reading noun phrases and places of the compact language.

use vola_types::COLORS;

use super::meaning::ReadError;
use super::words::{
    CORNERS, COUNTED_FROM, EXTREMES, KINDS, MOST, ORDINALS, REGIONS, RELATIONS, SIDES, STATES, find,
};
use crate::rules::syntax::{
    Head, NounGroup, NounPhrase, PlaceRef, Prep, PrepKind, Quantity, Superlative,
};

/// Deepest nesting of phrases in phrases.
const DEEPEST: usize = 4;

/// A line, word by word.
pub(super) struct Line<'a> {
    words: Vec<&'a str>,
    at: usize,
    depth: usize,
    /// Kinds of the scene besides those of the language.
    kinds: &'a [String],
    /// Added to the places of words in the keys of choices.
    base: usize,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, kinds: &'a [String]) -> Self {
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            split_brackets(word, &mut words);
        }
        Self {
            words,
            at: 0,
            depth: 0,
            kinds,
            base: 0,
        }
    }

    /// The same line; its words are counted from here.
    pub(super) fn numbered_from(mut self, base: usize) -> Self {
        self.base = base;
        self
    }

    pub(super) fn peek(&self) -> &'a str {
        self.words.get(self.at).copied().unwrap_or_default()
    }

    pub(super) fn next(&mut self) -> &'a str {
        let word = self.peek();
        self.at += 1;
        word
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.peek() == word;
        if found {
            self.at += 1;
        }
        found
    }

    /// Whether only one word is left.
    pub(super) fn is_last(&self) -> bool {
        self.at + 1 == self.words.len()
    }

    pub(super) fn is_over(&self) -> bool {
        self.at >= self.words.len()
    }

    /// Whether a clause, a bracket or the line ends here.
    pub(super) fn at_break(&self) -> bool {
        matches!(self.peek(), "" | ";" | ")" | "]")
    }

    pub(super) fn expected(&self, what: &'static str) -> ReadError {
        ReadError {
            expected: what,
            got: self.words.get(self.at).unwrap_or(&"the end").to_string(),
            word: self.at,
        }
    }

    fn need(&mut self, word: &str, what: &'static str) -> Result<(), ReadError> {
        if self.eat(word) {
            Ok(())
        } else {
            Err(self.expected(what))
        }
    }

    /// `P`, `P + P`, `P | P`.
    pub(super) fn group(&mut self) -> Result<NounGroup, ReadError> {
        let mut members = vec![self.phrase()?];
        let either = self.peek() == "|";
        let joint = if either { "|" } else { "+" };
        while self.eat(joint) {
            members.push(self.phrase()?);
            if members.len() > MOST {
                return Err(self.expected("no more than nine phrases"));
            }
        }
        Ok(NounGroup { members, either })
    }

    /// One noun phrase.
    pub(super) fn phrase(&mut self) -> Result<NounPhrase, ReadError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.expected("a simpler phrase"));
        }
        let start = self.at;
        let mut phrase = NounPhrase::new(start, Head::One);
        self.quantity(&mut phrase);
        phrase.other = self.eat("other");
        self.extreme(&mut phrase)?;
        self.ordinal(&mut phrase)?;
        self.adjectives(&mut phrase);
        self.colors(&mut phrase)?;
        self.head(&mut phrase)?;
        if let Some(number) = self.peek().strip_prefix('#') {
            phrase.number = number.parse().ok();
            if phrase.number.is_none() {
                return Err(self.expected("`#` and a number"));
            }
            self.at += 1;
        }
        while self.eat("[") {
            let wanted = !self.eat("not");
            let place = self.place(false)?;
            self.need("]", "`]`")?;
            phrase.conditions.push((place, wanted));
        }
        if self.eat("except") {
            let members = vec![self.phrase()?];
            phrase.except = Some(Box::new(NounGroup {
                members,
                either: false,
            }));
        }
        phrase.span = (self.base + start, self.base + self.at);
        self.depth -= 1;
        Ok(phrase)
    }

    fn quantity(&mut self, phrase: &mut NounPhrase) {
        let word = self.peek();
        let count = |text: &str| text.parse().ok().filter(|n| (2..=MOST).contains(n));
        phrase.quantity = match word {
            "a" => Quantity::Any(1),
            "all" => Quantity::All,
            "both" => Quantity::Both,
            "some" => Quantity::Vague("some".to_owned()),
            _ => match (count(word), word.strip_prefix('=').and_then(count)) {
                (Some(n), _) => Quantity::Any(n),
                (_, Some(n)) => Quantity::Exactly(n),
                _ => return,
            },
        };
        phrase.plural = phrase.quantity != Quantity::Any(1);
        self.at += 1;
    }

    fn extreme(&mut self, phrase: &mut NounPhrase) -> Result<(), ReadError> {
        let word = self.peek();
        phrase.superlative = match word {
            "highest" => Some(Superlative::Highest),
            "nearest" => Some(Superlative::Nearest(None)),
            "farthest" => Some(Superlative::Farthest(None)),
            "nearest-to" | "farthest-from" => {
                self.at += 1;
                self.need("(", "`(`")?;
                let landmark = Some(Box::new(self.phrase()?));
                self.need(")", "`)`")?;
                phrase.superlative = Some(if word == "nearest-to" {
                    Superlative::Nearest(landmark)
                } else {
                    Superlative::Farthest(landmark)
                });
                return Ok(());
            }
            _ => find(&EXTREMES, word).map(Superlative::Most),
        };
        self.at += usize::from(phrase.superlative.is_some());
        Ok(())
    }

    fn ordinal(&mut self, phrase: &mut NounPhrase) -> Result<(), ReadError> {
        let Some(number) = find(&ORDINALS, self.peek()) else {
            return Ok(());
        };
        self.at += 1;
        let Some(side) = find(&COUNTED_FROM, self.peek()) else {
            return Err(self.expected("`from-left`, `from-right`, `from-near` or `from-far`"));
        };
        self.at += 1;
        phrase.ordinal = Some((number, side));
        Ok(())
    }

    fn adjectives(&mut self, phrase: &mut NounPhrase) {
        while let Some(side) = find(&SIDES, self.peek()) {
            phrase.sides.push(side);
            self.at += 1;
        }
        if let Some(state) = find(&STATES, self.peek()) {
            phrase.state = Some(state);
            self.at += 1;
        }
        if self.eat("matching") {
            phrase.same_color = true;
        }
    }

    fn colors(&mut self, phrase: &mut NounPhrase) -> Result<(), ReadError> {
        let word = self.peek();
        let known = |color: &&str| COLORS.contains(color);
        if let Some(color) = word.strip_prefix("not-").filter(known) {
            phrase.not_colors.push(color.to_owned());
            self.at += 1;
        } else if word.split('/').all(|color| known(&color)) {
            phrase.colors = word.split('/').map(str::to_owned).collect();
            self.at += 1;
        } else if word.contains('/') || word.starts_with("not-") {
            return Err(self.expected("colours"));
        }
        Ok(())
    }

    fn head(&mut self, phrase: &mut NounPhrase) -> Result<(), ReadError> {
        let word = self.peek();
        phrase.head = match word {
            "thing" => Head::Anything,
            "one" => Head::One,
            "it" => Head::It,
            "them" => Head::Them,
            _ if KINDS.contains(&word) || self.kinds.iter().any(|kind| kind == word) => {
                Head::Kind(word.to_owned())
            }
            _ => return Err(self.expected("a kind of object, `thing`, `one`, `it` or `them`")),
        };
        self.at += 1;
        Ok(())
    }

    /// Whether a place begins here.
    pub(super) fn at_place(&self) -> bool {
        matches!(self.peek(), "at" | "there" | "here") || find(&RELATIONS, self.peek()).is_some()
    }

    /// A place; `motion` when something is to go there.
    pub(super) fn place(&mut self, motion: bool) -> Result<Prep, ReadError> {
        let start = self.at;
        let word = self.next();
        let (kind, place) = match word {
            "there" => (PrepKind::To, PlaceRef::There),
            "here" => (PrepKind::To, PlaceRef::Me),
            "at" => {
                let name = self.next();
                let regions = if name == "corner" {
                    CORNERS.to_vec()
                } else if let Some(region) = find(&REGIONS, name) {
                    vec![region]
                } else {
                    self.at -= 1;
                    return Err(self.expected("a region"));
                };
                (PrepKind::To, PlaceRef::Regions(regions))
            }
            "on" if self.eat("table") => (PrepKind::On, PlaceRef::Table),
            _ => {
                let Some(kind) = find(&RELATIONS, word) else {
                    self.at -= 1;
                    return Err(self.expected("a place"));
                };
                (kind, PlaceRef::Object(Box::new(self.phrase()?)))
            }
        };
        Ok(Prep {
            // A key of its own: never that of the phrase inside.
            span: (self.base + start, usize::MAX - 2),
            kind,
            place,
            motion,
        })
    }
}

/// Brackets and joints are words of their own, however they are written.
fn split_brackets<'a>(word: &'a str, words: &mut Vec<&'a str>) {
    let mut rest = word;
    while let Some(at) = rest.find(['(', ')', '[', ']', ';', '+', '|']) {
        if at > 0 {
            words.push(&rest[..at]);
        }
        words.push(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() {
        words.push(rest);
    }
}
