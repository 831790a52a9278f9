//! Which words of a sentence are denied.
//!
//! A negation reaches as far as its own clause and the verb after it: "disable the
//! limits and don't ask again" asks for the limits to be disabled, "I don't care smash
//! it" for smashing. So words between a negation and what it denies must be words that
//! carry a negation on; whatever else stands there ends its reach. What has only the
//! form of a negation denies nothing: "why don't you throw it", "no matter what".

use super::words::{CASUAL, DAMAGE, DISABLE, HARM, STANCE, STRIKE};

/// Most words that are looked at.
const MOST_WORDS: usize = 1000;
/// How many words before a word its negation stands at most.
const REACH: usize = 6;

/// Words that deny; `t` is what is left of "don't".
const NEGATIONS: &[&str] = &[
    "not", "never", "dont", "doesnt", "t", "without", "avoid", "cannot", "nobody", "no",
];

/// Words that carry a negation on to the verb after them.
const CARRYING: &[&str] = &[
    "you",
    "ever",
    "dare",
    "please",
    "just",
    "even",
    "vola",
    "robot",
    "under",
    "any",
    "circumstances",
    "again",
    "also",
    "either",
    "or",
    "nor",
    "to",
    "be",
    "being",
    "get",
    "by",
    "accident",
    "on",
    "purpose",
];

/// Verbs that carry it on to another where "to" stands before that one: "I don't want
/// the bowl to break". "Let" does without.
const WISHING: &[&str] = &[
    "want", "need", "like", "wish", "try", "ask", "tell", "allow", "mean", "start", "begin",
    "think", "plan", "go", "going", "have",
];

/// Words that begin a condition, and negations within say when, not what.
const CONDITIONS: &[&str] = &[
    "if", "when", "unless", "since", "as", "once", "whenever", "though", "although", "while",
];

/// Words that begin a clause of its own.
const JOINTS: &[&str] = &[
    "and", "but", "then", "instead", "just", "because", "until", "اور", "لیکن", "مگر", "پھر",
    "بلکہ", "aur", "lekin", "magar", "phir", "balkay", "balke",
];

/// The words of a sentence with their clauses.
pub(super) struct Said<'a> {
    pub(super) words: Vec<&'a str>,
    /// The clause that each word is of.
    clauses: Vec<usize>,
}

impl<'a> Said<'a> {
    /// Reads a sentence in small letters.
    pub(super) fn read(text: &'a str) -> Self {
        let (mut words, mut clauses) = (Vec::new(), Vec::new());
        let mut clause = 0;
        for part in text.split([',', '.', ';', ':', '!', '?', '،', '۔', '؟', '\n']) {
            clause += 1;
            let own = part.split(|c: char| !c.is_alphanumeric());
            for word in own.filter(|word| !word.is_empty()) {
                if words.len() >= MOST_WORDS {
                    break;
                }
                clause += usize::from(JOINTS.contains(&word));
                words.push(word);
                clauses.push(clause);
            }
        }
        Self { words, clauses }
    }

    pub(super) fn has(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| list.contains(word))
    }

    /// The word so many places before another; empty before the first.
    pub(super) fn before(&self, at: usize, back: usize) -> &'a str {
        at.checked_sub(back).map_or("", |at| self.words[at])
    }

    /// The word so many places after another; empty after the last.
    pub(super) fn after(&self, at: usize, ahead: usize) -> &'a str {
        self.words.get(at + ahead).copied().unwrap_or_default()
    }

    /// The places before a word in its clause, nearest first.
    pub(super) fn places_before(&self, at: usize) -> impl Iterator<Item = usize> {
        (0..at).rev().take_while(move |i| self.is_with(*i, at))
    }

    /// The places after a word in its clause.
    pub(super) fn places_after(&self, at: usize) -> impl Iterator<Item = usize> {
        (at + 1..self.words.len()).take_while(move |i| self.is_with(*i, at))
    }

    /// Where a phrase stands.
    pub(super) fn places(&self, phrase: &[&str]) -> Vec<usize> {
        let windows = self.words.windows(phrase.len()).enumerate();
        let found = windows.filter(|(_, window)| *window == phrase);
        found.map(|(at, _)| at).collect()
    }

    /// Whether one of these words is there and not denied.
    pub(super) fn any_meant(&self, list: &[&str]) -> bool {
        let mut words = self.words.iter().enumerate();
        words.any(|(at, word)| list.contains(word) && !self.is_denied(at))
    }

    /// Whether a verb is denied before it.
    pub(super) fn is_denied(&self, at: usize) -> bool {
        // Something stands between that only "let" or "want … to" explains.
        let mut is_strange = false;
        for i in self.places_before(at).take(REACH) {
            let word = self.words[i];
            if NEGATIONS.contains(&word) {
                return !is_strange && self.denies(i, at) && !self.is_undone(i);
            }
            // "Don't throw or smash it".
            if self.passes_on(i, at) {
                is_strange = false;
            } else if !(carries(word) || self.is_listed(i, at)) {
                is_strange = true;
            }
        }
        false
    }

    /// "Don't not smash it", "I never said you can't".
    fn is_undone(&self, negation: usize) -> bool {
        let before = || self.places_before(negation).map(|i| self.words[i]);
        let is_outer = |word: &str| matches!(word, "t" | "dont" | "not" | "never");
        let is_inner = matches!(self.words[negation], "not" | "never" | "avoid");
        let is_doubled = is_inner && before().take(2).any(is_outer);
        let mut told = before().skip_while(|word| !matches!(*word, "said" | "says" | "say"));
        let is_unsaid =
            |word: &str| matches!(word, "never" | "nothing" | "nobody" | "who" | "no" | "t");
        is_doubled || told.any(is_unsaid)
    }

    /// Whether what the phrase at a place is said of is denied: the nearest verb
    /// before it, or the phrase itself where there is none.
    pub(super) fn is_denied_before(&self, at: usize) -> bool {
        let verb = self.places_before(at).find(|i| self.is_verb(*i));
        if let Some(verb) = verb {
            return !STANCE.contains(&self.words[verb]) && self.is_denied(verb);
        }
        let negation = self
            .places_before(at)
            .find(|i| NEGATIONS.contains(&self.words[*i]));
        negation.is_some_and(|negation| self.denies(negation, at))
    }

    pub(super) fn is_with(&self, one: usize, other: usize) -> bool {
        self.clauses[one] == self.clauses[other]
    }

    /// Whether a word is a danger named beside another, joined by "or".
    fn is_listed(&self, at: usize, other: usize) -> bool {
        let is_danger = |i: usize| {
            let lists = [HARM, DAMAGE, DISABLE, CASUAL];
            lists.iter().any(|list| list.contains(&self.words[i]))
        };
        let between = &self.words[at + 1..other];
        (is_danger(at) && between.contains(&"or"))
            // "Don't throw it or smash it".
            || (["it", "them", "this", "that"].contains(&self.words[at])
                && self.after(at, 1) == "or"
                && at > 0
                && is_danger(at - 1))
    }

    /// Whether a verb carries a negation before it on to another verb.
    fn passes_on(&self, at: usize, other: usize) -> bool {
        let next = self.after(at, 1);
        match self.words[at] {
            // "Don't let me down" lets nothing happen.
            "let" => !matches!(next, "me" | "us" | "that" | "this"),
            "make" => matches!(next, "it" | "them" | "him" | "her") && at + 2 == other,
            word if WISHING.contains(&word) => {
                let just_before = (at + 1..other).rev().map(|i| self.words[i]);
                let has_to = just_before
                    .take_while(|word| carries(word))
                    .any(|it| it == "to");
                has_to || self.words[other].ends_with("ing")
            }
            _ => false,
        }
    }

    pub(super) fn is_verb(&self, at: usize) -> bool {
        const ARTICLES: [&str; 8] = ["the", "a", "an", "my", "your", "his", "her", "its"];
        let word = self.words[at];
        let is_named = ARTICLES.contains(&self.before(at, 1));
        let lists = [HARM, DAMAGE, DISABLE, CASUAL, STRIKE, STANCE];
        let is_listed = lists.iter().any(|list| list.contains(&word));
        let is_other = matches!(word, "fall" | "falls" | "come" | "end" | "rolls" | "slides");
        !is_named && (is_listed || is_other || crate::rules::is_command_verb(word))
    }

    /// Whether a negation is meant as one.
    fn denies(&self, at: usize, other: usize) -> bool {
        let (word, next) = (self.words[at], self.after(at, 1));
        // The whole of "don't": its first half.
        let begun = if word == "t" {
            at.saturating_sub(1)
        } else {
            at
        };
        let half = self.words[begun];
        let asks = matches!(half, "can" | "couldn" | "won" | "wouldn" | "cannot") && next == "you";
        let suggests = matches!(half, "don" | "dont")
            && next == "you"
            && matches!(
                self.after(at, 2),
                "want" | "think" | "wish" | "like" | "feel"
            );
        let is_open = match word {
            // "No matter", "no problem"; "no throwing" denies.
            "no" => at + 1 != other || !is_deed_as_thing(self.words[other]),
            "not" => matches!(next, "only") || (next == "just" && self.before(at, 1) != "do"),
            _ => false,
        };
        let now_or = self.before(begun, 1) == "or" && matches!(word, "not" | "never");
        // "As long as it doesn't fall": nobody does that.
        let is_fall = matches!(self.words[other], "fall" | "falls" | "roll" | "rolls");
        let is_said = !(asks || suggests || is_open || now_or);
        is_said && !self.asks_why(begun) && !self.is_if(begun, half, is_fall)
    }

    /// "Why don't you", "how come you do not"; "that is why you must not" tells.
    fn asks_why(&self, at: usize) -> bool {
        self.places_before(at).take(4).any(|i| {
            let is_why = self.words[i] == "why" && !matches!(self.before(i, 1), "is" | "s");
            is_why || (self.words[i] == "come" && self.before(i, 1) == "how")
        })
    }

    /// "If it doesn't fit": a condition. "If possible, do not" is an order.
    fn is_if(&self, at: usize, half: &str, is_fall: bool) -> bool {
        let is_order = {
            let at = if self.before(at, 1) == "do" {
                at - 1
            } else {
                at
            };
            let is_do = self.words[at] == "do" || matches!(half, "don" | "dont" | "never");
            let before = self.before(at, 1);
            let is_subject = matches!(before, "i" | "you" | "we" | "they" | "it" | "he" | "she")
                || (before.ends_with('s') && before.len() > 2);
            is_do && !is_subject
        };
        // "As gently as you can" compares; "as long as it does not fit" does not.
        let is_compared = |i: usize| {
            let is_when = |word: &str| matches!(word, "long" | "soon" | "far");
            self.words[i] == "as"
                && ((self.after(i, 2) == "as" && !is_when(self.after(i, 1)))
                    || (self.before(i, 2) == "as" && !is_when(self.before(i, 1))))
        };
        let is_condition = |i: usize| CONDITIONS.contains(&self.words[i]) && !is_compared(i);
        // "Without breaking it" says how, wherever it stands.
        let is_manner = self.words[at] == "without" && self.after(at, 1).ends_with("ing");
        let mut before = self.places_before(at);
        !is_order && !is_fall && !is_manner && before.any(is_condition)
    }
}

fn carries(word: &str) -> bool {
    CARRYING.contains(&word) || word.ends_with("ly")
}

/// "No throwing", "no harm": a deed by its name.
fn is_deed_as_thing(word: &str) -> bool {
    word.ends_with("ing") || matches!(word, "harm" | "damage")
}
