//! Which clause of the book some words are most like.
//!
//! Phrases that mean the same and name their slots in the same order are one
//! *unit*. Words, pairs of words, and words beside a slot are counted for each
//! unit; a segment of a sentence is scored by how much likelier a unit makes it
//! than the book as a whole does (a naive Bayes classifier, smoothed towards the
//! whole book). So a wording that is in no phrase is read by the words it shares
//! with phrases, and a word that nobody knows counts for nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Atom;
use super::frames::Shares;
use super::nouns::{NounPhrase, Sort, sort_of};
use super::opposites::{Sides, sides_of};
use super::words::WordId;

/// Weight of two words side by side; of one word it is 1.
const PAIR: f32 = 0.2;
/// Weight of the word before a slot.
const BEFORE: f32 = 0.6;
/// Weight of the word after a slot.
const AFTER: f32 = 0.4;
/// How much the share of a unit among the phrases counts.
const PRIOR: f32 = 1.4;
/// How far a unit is smoothed towards the whole book, in phrases.
const SMOOTHING: f32 = 4.0;
/// What asks for no motion is said less often than its phrases are.
const NO_COMMAND: f32 = 1.5;
/// What a word of a clause must add to what it is read as, at least, ...
const TELLING: f32 = 1.6;
/// ... and what it costs where none does.
const UNSAID: f32 = 2.0;
/// What a clause without any phrase costs where no word tells of it.
const NOTHING_SAID: f32 = 5.0;
/// How much oftener than elsewhere a unit has a word that tells of it.
const LIFT: f32 = 6.0;
/// Least share of the book's phrases that a feature is taken to have.
const LEAST_SHARE: f32 = 2e-4;

/// A part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Word(WordId),
    /// The letter of its sort: see [`slot_letter`].
    Slot(char),
}

/// Phrases of one meaning with their slots in one order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unit {
    /// With slots, without `do`.
    pub(super) meaning: String,
    /// Its slots in the order of naming.
    pub(super) slots: Vec<String>,
    /// Whether it can stand beside others.
    pub(super) is_clause: bool,
    /// Left or right and the like, where its meaning has one.
    pub(super) sides: Sides,
    words: BTreeSet<WordId>,
    pub(super) phrases: Vec<Vec<Item>>,
    missing: f32,
    prior: f32,
}

impl Unit {
    /// Whether one of its phrases has this word.
    pub(super) fn has(&self, word: WordId) -> bool {
        self.words.contains(&word)
    }
}

/// Sorts of slots: noun phrase, region, number, strange thing.
pub(super) fn slot_letter(name: &str) -> char {
    match name.as_bytes().first() {
        Some(b'r') => 'R',
        Some(b'n') => '#',
        Some(b'x') => 'X',
        _ => 'N',
    }
}

/// That a unit has a feature.
#[derive(Clone, Copy, Debug)]
struct Posting {
    /// The unit's place in its group.
    place: usize,
    gain: f32,
    /// Whether it is a word of this unit more than of others.
    is_telling: bool,
}

#[derive(Debug, Default)]
struct Group {
    units: Vec<usize>,
    /// The units that have a feature.
    postings: HashMap<u64, Vec<Posting>>,
}

/// All units of a language.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    pub(super) units: Vec<Unit>,
    groups: HashMap<String, Group>,
    /// How many phrases have a feature.
    background: HashMap<u64, u32>,
    phrases: u32,
}

/// The counts from which [`Clauses`] are made.
#[derive(Debug, Default)]
pub(super) struct Counts {
    units: BTreeMap<(String, Vec<String>), UnitCounts>,
    background: HashMap<u64, u32>,
    phrases: u32,
}

#[derive(Debug, Default)]
struct UnitCounts {
    phrases: Vec<Vec<Item>>,
    is_clause: bool,
    features: BTreeMap<u64, u32>,
    words: BTreeSet<WordId>,
}

impl Counts {
    /// Counts a phrase of a unit.
    pub(super) fn add(&mut self, meaning: &str, atoms: &[Atom], is_clause: bool) {
        let mut slots: Vec<String> = Vec::new();
        let mut items = Vec::new();
        for atom in atoms {
            match atom {
                Atom::Word(id) => items.push(Item::Word(*id)),
                Atom::Join => {}
                Atom::Slot(name) if slots.contains(name) => return,
                Atom::Slot(name) => {
                    items.push(Item::Slot(slot_letter(name)));
                    slots.push(name.clone());
                }
            }
        }
        self.background(&items);
        let unit = self.units.entry((meaning.to_owned(), slots)).or_default();
        unit.phrases.push(items.clone());
        unit.is_clause |= is_clause;
        for (feature, _) in features(&items) {
            *unit.features.entry(feature).or_default() += 1;
        }
        let words = items.iter().filter_map(|item| match item {
            Item::Word(id) => Some(*id),
            Item::Slot(_) => None,
        });
        unit.words.extend(words);
    }

    /// Counts a phrase that is of no unit.
    pub(super) fn background(&mut self, items: &[Item]) {
        self.phrases += 1;
        for (feature, _) in features(items) {
            *self.background.entry(feature).or_default() += 1;
        }
    }

    /// How often a word is met, of how many phrases.
    pub(super) fn share(&self, word: WordId) -> f32 {
        let count = self.background.get(&key(0, u64::from(word), 0));
        share(count.copied().unwrap_or(0), self.phrases)
    }

    /// The units with their weights.
    pub(super) fn finish(self) -> Clauses {
        let mut clauses = Clauses {
            background: self.background,
            phrases: self.phrases,
            ..Clauses::default()
        };
        for ((meaning, slots), counts) in self.units {
            let signature: String = slots.iter().map(|name| slot_letter(name)).collect();
            let group = clauses.groups.entry(signature).or_default();
            let place = group.units.len();
            let phrases = counts.phrases.len() as f32;
            for (feature, count) in counts.features {
                let known = clauses.background.get(&feature).copied().unwrap_or(0);
                let expected = SMOOTHING * share(known, clauses.phrases);
                let gain = (1.0 + count as f32 / expected).ln();
                let lift = count as f32 / phrases / share(known, clauses.phrases);
                group.postings.entry(feature).or_default().push(Posting {
                    place,
                    gain,
                    is_telling: is_of_word(feature) && lift >= LIFT,
                });
            }
            group.units.push(clauses.units.len());
            clauses.units.push(Unit {
                prior: PRIOR * (phrases / clauses.phrases as f32).ln()
                    - bareness(&meaning)
                    - if counts.is_clause { 0.0 } else { NO_COMMAND },
                sides: sides_of(&meaning),
                meaning,
                slots,
                phrases: counts.phrases,
                is_clause: counts.is_clause,
                words: counts.words,
                missing: (SMOOTHING / (phrases + SMOOTHING)).ln(),
            });
        }
        clauses
    }
}

fn share(count: u32, phrases: u32) -> f32 {
    (count as f32 / phrases.max(1) as f32).max(LEAST_SHARE)
}

/// What says too little to be done is meant less often than it is a part of what
/// is said.
fn bareness(meaning: &str) -> f32 {
    match meaning {
        "put {o}" | "put {g}" | "put it" | "push {o}" | "push {g}" | "push it" => 2.0,
        _ if meaning.starts_with("put held thing") => 1.0,
        _ => 0.0,
    }
}

fn key(kind: u64, one: u64, other: u64) -> u64 {
    kind << 60 | one << 30 | other
}

fn is_of_word(feature: u64) -> bool {
    feature >> 60 == 0
}

/// The features of a segment, each once, with their weights.
fn features(items: &[Item]) -> Vec<(u64, f32)> {
    let mut all: Vec<(u64, f32)> = Vec::with_capacity(items.len() * 3);
    let mut slot = 0;
    let mark = |item: Option<&Item>| match item {
        Some(Item::Word(id)) => u64::from(*id) + 2,
        Some(Item::Slot(_)) => 1,
        None => 0,
    };
    for (index, item) in items.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|i| items.get(i));
        match item {
            Item::Word(id) => {
                all.push((key(0, u64::from(*id), 0), 1.0));
                if let Some(Item::Word(last)) = before {
                    all.push((key(1, u64::from(*last), u64::from(*id)), PAIR));
                }
            }
            Item::Slot(_) => {
                all.push((key(2, mark(before), slot), BEFORE));
                all.push((key(3, mark(items.get(index + 1)), slot), AFTER));
                slot += 1;
            }
        }
    }
    all.sort_by_key(|(feature, _)| *feature);
    all.dedup_by_key(|(feature, _)| *feature);
    all
}

impl Clauses {
    /// The nearest phrase of a unit to a segment, and how far it is: words that one
    /// has and the other lacks, by how much they say.
    pub(super) fn nearest(&self, unit: usize, items: &[Item], shares: &Shares) -> (f32, &[Item]) {
        let weight = |item: &Item| match item {
            Item::Word(id) => (-shares.of(*id).ln() / 6.0).clamp(0.15, 1.0),
            Item::Slot(_) => 4.0,
        };
        let mut best: (f32, &[Item]) = (f32::MAX, &[]);
        let mut row: Vec<f32> = Vec::new();
        for phrase in &self.units[unit].phrases {
            row.clear();
            row.push(0.0);
            for item in items {
                row.push(row[row.len() - 1] + weight(item));
            }
            for own in phrase {
                let own_weight = weight(own);
                let mut diagonal = row[0];
                row[0] += own_weight;
                for (at, item) in items.iter().enumerate() {
                    let above = row[at + 1];
                    let change = if item == own {
                        diagonal
                    } else {
                        diagonal + 0.8 * (own_weight + weight(item))
                    };
                    row[at + 1] = change.min(above + own_weight).min(row[at] + weight(item));
                    diagonal = above;
                }
            }
            if row[items.len()] < best.0 {
                best = (row[items.len()], phrase);
            }
        }
        best
    }
}

/// What stands in a slot.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filler<'a> {
    Phrase(&'a NounPhrase),
    /// A region, a number, a strange thing: what it means.
    Name(&'a str),
}

impl Filler<'_> {
    /// The kind of thing, of a noun phrase.
    pub(super) fn sort(&self) -> Option<(Sort, bool)> {
        match self {
            Self::Phrase(phrase) => Some((phrase.sort, phrase.is_plural)),
            Self::Name(_) => None,
        }
    }
}

impl Clauses {
    /// The likeliest units for a segment, best first.
    pub(super) fn likeliest(
        &self,
        items: &[Item],
        fillers: &[Filler<'_>],
        most: usize,
    ) -> Vec<(f32, usize)> {
        let signature: String = items
            .iter()
            .filter_map(|item| match item {
                Item::Slot(letter) => Some(*letter),
                Item::Word(_) => None,
            })
            .collect();
        let Some(group) = self.groups.get(&signature) else {
            return Vec::new();
        };
        let mut gains = vec![0.0_f32; group.units.len()];
        // What its likeliest single word adds to each, and whether one tells.
        let mut words = vec![0.0_f32; group.units.len()];
        let mut tells = vec![false; group.units.len()];
        let has_words = items.iter().any(|item| matches!(item, Item::Word(_)));
        let mut weight_sum = 0.0;
        for (feature, weight) in features(items) {
            if !self.background.contains_key(&feature) {
                continue;
            }
            weight_sum += weight;
            for posting in group.postings.get(&feature).into_iter().flatten() {
                let Posting { place, gain, .. } = *posting;
                gains[place] += weight * gain;
                tells[place] |= posting.is_telling;
                if is_of_word(feature) {
                    words[place] = words[place].max(gain);
                }
            }
        }
        let mut best: Vec<(f32, usize)> = Vec::with_capacity(most + 1);
        for (place, gain) in gains.into_iter().enumerate() {
            if gain <= 0.0 {
                continue;
            }
            let index = group.units[place];
            let unit = &self.units[index];
            // "First" is said of many things; it alone does not send the arm home.
            let unsaid = match unit.slots.is_empty() {
                true if !tells[place] => NOTHING_SAID,
                false if has_words && words[place] < TELLING => UNSAID,
                _ => 0.0,
            };
            let score = gain + weight_sum * unit.missing + unit.prior - unsaid;
            if best.len() == most && best.last().is_some_and(|(least, _)| score < *least) {
                continue;
            }
            let fit: f32 = unit
                .slots
                .iter()
                .zip(fillers)
                .map(|(slot, filler)| misfit(slot, *filler))
                .sum();
            let score = score - fit;
            let at = best.partition_point(|(known, _)| *known > score);
            best.insert(at, (score, index));
            best.truncate(most);
        }
        best
    }
}

/// How odd it is that a slot is filled with this.
fn misfit(slot: &str, filler: Filler<'_>) -> f32 {
    let Filler::Phrase(phrase) = filler else {
        return 0.0;
    };
    let role = slot.as_bytes().first().copied().unwrap_or(b'o');
    let sort = match (role, phrase.sort) {
        (b'o' | b'g', Sort::Drawer) => 4.0,
        (b'o' | b'g', Sort::Bowl) if slot.len() > 1 => 3.0,
        (b'o' | b'g', Sort::Bowl) => 0.8,
        (b't' | b'w', Sort::Block) => 5.0,
        (b't' | b'w', Sort::Thing | Sort::Pronoun) => 0.5,
        (b'w', Sort::Drawer) => 2.0,
        (b's', Sort::Bowl | Sort::Drawer) => 5.0,
        (b's', Sort::Thing | Sort::Pronoun) => 0.5,
        (b'd', Sort::Drawer) => 0.0,
        (b'd', _) => 6.0,
        _ => 0.0,
    };
    // "In the bowl, the cube" are no two places.
    let is_list = phrase.meaning.contains(" + ");
    // Nor is a bowl moved along with a cube.
    let is_mixed = is_list && {
        let sorts: Vec<Sort> = phrase.meaning.split(" + ").map(sort_of).collect();
        sorts.contains(&Sort::Block)
            && sorts
                .iter()
                .any(|it| matches!(it, Sort::Bowl | Sort::Drawer))
    };
    let number = match (role, phrase.is_plural) {
        (b'o' | b'g', _) if is_mixed => 6.0,
        (b't' | b's' | b'p' | b'w' | b'd', true) if is_list => 6.0,
        (b'g', false) => 3.0,
        (b'o', true) => 0.5,
        (b't' | b's' | b'p' | b'w' | b'd', true) => 2.5,
        _ => 0.0,
    };
    sort + number
}
