//! How clauses are joined: which are told first, and which are not to be done.
//!
//! A frame of the book, such as "before you {2}, {1}", is seen as its words in the
//! zones before, between and after its clauses. Frames that put their clauses in
//! the same order of doing are one unit, scored as in `clauses`.

use std::collections::{BTreeMap, HashMap};

use super::clauses::Counts;
use super::words::WordId;

const SMOOTHING: f32 = 2.0;

/// Least a word that joins nothing is worth between clauses.
const WORST: f32 = -3.5;

/// How much oftener than elsewhere what a frame adds has a word that tells of it.
const TELLING: f32 = 4.0;

/// A word in a zone: 0 before the first clause, 1 after it, and so on.
pub(super) type ZoneWord = (usize, WordId);

#[derive(Debug, Default)]
struct Unit {
    /// What it means: `{0}` is the clause that is told first.
    output: String,
    frames: f32,
    /// Whether there is more in it than the clauses that are told.
    adds: bool,
    /// The words of each.
    phrases: Vec<Vec<ZoneWord>>,
    counts: HashMap<ZoneWord, f32>,
}

/// All frames of a language.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// By their number of clauses.
    units: BTreeMap<usize, Vec<Unit>>,
    /// Of all frames: words before the first clause, and elsewhere.
    zones: [HashMap<WordId, f32>; 2],
    totals: [f32; 2],
}

impl Frames {
    /// Adds a frame of so many clauses.
    pub(super) fn add(&mut self, count: usize, output: &str, words: &[ZoneWord]) {
        let units = self.units.entry(count).or_default();
        let place = units.iter().position(|unit| unit.output == output);
        let place = place.unwrap_or_else(|| {
            let own = output.trim_start_matches("do ").split("; ");
            units.push(Unit {
                adds: own.clone().any(|part| !part.starts_with('{')),
                output: output.to_owned(),
                ..Unit::default()
            });
            units.len() - 1
        });
        let unit = &mut units[place];
        unit.frames += 1.0;
        let mut own = words.to_vec();
        own.sort_unstable();
        own.dedup();
        for word in &own {
            *unit.counts.entry(*word).or_default() += 1.0;
        }
        unit.phrases.push(own);
        self.add_loose(words);
    }

    /// Counts words that stand about clauses.
    pub(super) fn add_loose(&mut self, words: &[ZoneWord]) {
        for total in &mut self.totals {
            *total += 1.0;
        }
        for (zone, word) in words {
            *self.zones[(*zone).min(1)].entry(*word).or_default() += 1.0;
        }
    }

    /// How much likelier a word is about clauses than in the book as a whole.
    pub(super) fn looseness(&self, zone: usize, word: WordId, counts: &Shares) -> f32 {
        let zone = zone.min(1);
        let known = self.zones[zone].get(&word).copied().unwrap_or(0.0);
        let share = counts.of(word);
        let ratio = (known + SMOOTHING * share) / ((self.totals[zone] + SMOOTHING) * share);
        ratio.ln().max(WORST)
    }

    /// What a sentence of so many clauses means by the words about them, with how
    /// much likelier it is than the next.
    pub(super) fn output(&self, count: usize, words: &[ZoneWord]) -> Option<(&str, f32)> {
        let units = self.units.get(&count)?;
        let total: f32 = units.iter().map(|unit| unit.frames).sum();
        let of_all = |word: &ZoneWord| -> f32 {
            let known = units.iter().filter_map(|unit| unit.counts.get(word));
            known.sum::<f32>() / total
        };
        let score = |unit: &Unit| {
            let mut score = (unit.frames / total).ln();
            for word in words {
                let share = of_all(word);
                if share > 0.0 {
                    let own = unit.counts.get(word).copied().unwrap_or(0.0);
                    let ratio = (own + SMOOTHING * share) / ((unit.frames + SMOOTHING) * share);
                    score += ratio.ln();
                }
            }
            score
        };
        // What a frame adds of its own, such as to go home, must be said.
        let is_said = |unit: &&Unit| {
            let tells = |word: &ZoneWord| {
                let own = unit.counts.get(word).copied().unwrap_or(0.0) / unit.frames;
                own >= TELLING * of_all(word).max(1.0 / total)
            };
            !unit.adds || words.iter().any(tells)
        };
        let mut scored: Vec<(f32, &str)> = units
            .iter()
            .filter(is_said)
            .map(|unit| (score(unit), unit.output.as_str()))
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (best, output) = scored.first().copied()?;
        let margin = scored.get(1).map_or(9.0, |(next, _)| best - next);
        Some((output, margin))
    }
}

impl Frames {
    /// Whether a frame of this meaning has a word, and all its other words are
    /// there as well: "why not" needs the "why".
    pub(super) fn knows(
        &self,
        count: usize,
        output: &str,
        word: ZoneWord,
        loose: &[ZoneWord],
    ) -> bool {
        let units = self.units.get(&count).into_iter().flatten();
        let own = units.filter(|unit| unit.output == output);
        let mut phrases = own.flat_map(|unit| &unit.phrases);
        phrases.any(|phrase| phrase.contains(&word) && phrase.iter().all(|it| loose.contains(it)))
    }
}

/// The share of phrases that have a word.
#[derive(Debug, Default)]
pub(super) struct Shares(Vec<f32>);

impl Shares {
    /// Of so many words.
    pub(super) fn of_counts(counts: &Counts, words: usize) -> Self {
        Self((0..words).map(|id| counts.share(id as WordId)).collect())
    }

    pub(super) fn of(&self, word: WordId) -> f32 {
        self.0.get(word as usize).copied().unwrap_or(2e-4)
    }
}
