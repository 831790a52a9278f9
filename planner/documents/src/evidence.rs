//! Whether a passage answers a question: what part of the question it speaks of.
//!
//! Each content word of the question weighs as much as it tells (inverse document
//! frequency); a word that stands in no document weighs most. A passage that has
//! the word counts it whole, one with a related word counts most of it. A quantity
//! that is asked for weighs like a word.

use std::collections::{HashMap, HashSet};

use crate::quantity::{self, Named, Quantity};
use crate::thesaurus::Thesaurus;
use crate::words::{Word, Words};

/// Share of a question that a passage must speak of to be an answer; set on the
/// calibration questions of the tests.
pub(crate) const ANSWERS_FROM: f64 = 0.6;
/// What a related word counts.
const RELATED: f64 = 0.8;
/// What the kind of quantity weighs.
const QUANTITY_WEIGHT: f64 = 2.0;
/// What a number of another kind counts.
const OTHER_NUMBER: f64 = 0.3;
/// Share of the greatest weight that must be met where no rare word is: a common
/// word or two are no topic.
const LEAST_SHARE: f64 = 0.7;
/// Share of the passages from which on a word is too common to be a topic, even
/// in a heading.
const COMMON_SHARE: f64 = 0.3;

/// A question, weighed.
#[derive(Debug)]
pub(crate) struct Question {
    /// Content words with their weights and related stems.
    pub(crate) terms: Vec<Term>,
    quantity: Option<Quantity>,
    /// What a word weighs that stands in no document.
    greatest: f64,
}

/// A content word of a question.
#[derive(Debug)]
pub(crate) struct Term {
    pub(crate) stem: String,
    pub(crate) related: Vec<String>,
    weight: f64,
    rarity: Rarity,
}

/// How common a word is in the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rarity {
    /// In one passage at most.
    Rare,
    Usual,
    Common,
}

/// In how many passages words stand.
#[derive(Debug, Default)]
pub(crate) struct Frequencies {
    passages: usize,
    by_stem: HashMap<String, usize>,
}

/// A passage as its words.
#[derive(Debug)]
pub(crate) struct PassageWords {
    /// Stems of its headings.
    pub(crate) heading: HashSet<String>,
    /// Stems of headings and text.
    pub(crate) stems: HashSet<String>,
    /// Words of its text in order.
    pub(crate) words: Vec<Word>,
}

/// How well a passage fits a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    /// Share of the question, by weight, 0 to 1.
    pub(crate) coverage: f64,
    /// Whether it is an answer.
    pub(crate) answers: bool,
}

impl Frequencies {
    /// Counts a passage's stems.
    pub(crate) fn count(&mut self, stems: &HashSet<String>) {
        self.passages += 1;
        #[expect(
            clippy::iter_over_hash_type,
            reason = "sums do not depend on the order"
        )]
        for stem in stems {
            *self.by_stem.entry(stem.clone()).or_default() += 1;
        }
    }

    fn of(&self, stem: &str) -> usize {
        self.by_stem.get(stem).copied().unwrap_or(0)
    }

    /// In how many passages a stem stands, or, where it is in none, its related
    /// ones.
    fn found(&self, stem: &str, related: &[String]) -> usize {
        let own = self.of(stem);
        if own > 0 {
            return own;
        }
        let with = related.iter().map(|other| self.of(other)).sum::<usize>();
        with.min(self.passages)
    }

    /// Inverse document frequency of what stands in so many passages.
    #[expect(clippy::cast_precision_loss, reason = "counts of passages")]
    fn weight(&self, found: usize) -> f64 {
        let (found, all) = (found as f64, self.passages as f64);
        (1.0 + (all - found + 0.5) / (found + 0.5)).ln()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of passages")]
    fn rarity(&self, found: usize) -> Rarity {
        if found <= 1 {
            Rarity::Rare
        } else if found as f64 > COMMON_SHARE * self.passages as f64 {
            Rarity::Common
        } else {
            Rarity::Usual
        }
    }
}

impl Question {
    pub(crate) fn new(
        text: &str,
        words: &Words,
        thesaurus: &Thesaurus,
        frequencies: &Frequencies,
    ) -> Self {
        let all = words.of(text);
        let asked = quantity::asked(&all);
        let is_adjective = |word: &Word| asked.is_some_and(|(_, it)| it.stem == word.stem);
        let content = words.content(text);
        let terms = content.into_iter().filter(|word| !is_adjective(word));
        let terms = terms.map(|word| {
            let related = thesaurus.related(&word.stem).to_vec();
            let found = frequencies.found(&word.stem, &related);
            Term {
                stem: word.stem,
                related,
                weight: frequencies.weight(found),
                rarity: frequencies.rarity(found),
            }
        });
        Self {
            terms: terms.collect(),
            quantity: asked.map(|(quantity, _)| quantity),
            greatest: frequencies.weight(0),
        }
    }

    /// How well a passage fits.
    pub(crate) fn fit(&self, passage: &PassageWords) -> Fit {
        let (mut met, mut all) = (0.0, 0.0);
        let mut is_topic = false;
        for term in &self.terms {
            all += term.weight;
            let share = term.met(&passage.stems);
            met += term.weight * share;
            is_topic |= share > 0.0
                && match term.rarity {
                    Rarity::Rare => true,
                    Rarity::Usual => term.met(&passage.heading) > 0.0,
                    Rarity::Common => false,
                };
        }
        let is_topic = is_topic || met >= LEAST_SHARE * self.greatest;
        let mut is_of_kind = true;
        if let Some(quantity) = self.quantity {
            all += QUANTITY_WEIGHT;
            match quantity::named(quantity, &passage.words) {
                Named::Fitting => met += QUANTITY_WEIGHT,
                Named::Number => met += QUANTITY_WEIGHT * OTHER_NUMBER,
                Named::Nothing => is_of_kind = false,
            }
        }
        let coverage = if all > 0.0 { met / all } else { 0.0 };
        Fit {
            coverage,
            answers: is_of_kind && is_topic && coverage >= ANSWERS_FROM,
        }
    }

    /// What part of the question a sentence speaks of, by weight; for choosing.
    pub(crate) fn weight_in(&self, words: &[Word]) -> f64 {
        let stems: HashSet<String> = words.iter().map(|word| word.stem.clone()).collect();
        let met: f64 = self
            .terms
            .iter()
            .map(|term| term.weight * term.met(&stems))
            .sum();
        let quantity =
            self.quantity
                .map_or(0.0, |quantity| match quantity::named(quantity, words) {
                    Named::Fitting => QUANTITY_WEIGHT,
                    Named::Number => QUANTITY_WEIGHT * OTHER_NUMBER,
                    Named::Nothing => 0.0,
                });
        met + quantity
    }
}

impl Term {
    fn met(&self, stems: &HashSet<String>) -> f64 {
        if stems.contains(&self.stem) {
            1.0
        } else if self.related.iter().any(|stem| stems.contains(stem)) {
            RELATED
        } else {
            0.0
        }
    }
}
