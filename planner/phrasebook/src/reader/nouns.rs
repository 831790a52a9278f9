//! Noun phrases in a sentence: which words they take, and what they mean.
//!
//! The noun phrases of the book are a tree of words and slots. It is walked from
//! every word of the sentence; a word of the phrase may be missing and a word of
//! the sentence be passed over, at a cost, but never one that names something,
//! counts or denies. Phrases inside phrases are one level deep, as the book's
//! sentences have them.

use std::collections::HashMap;

use vola_types::COLORS;

use super::grammar::Weights;
use super::islands::{Island, KINDS, Named, REGIONS};
use super::words::{Division, Vocabulary, Word, WordId};
use super::{Atom, is_color_slot};

/// Most phrases kept that begin at one word.
pub(super) const MOST_PHRASES: usize = 8;
/// Most cost of words passed over or missing in one phrase.
const MOST_COST: f32 = 1.3;

/// What a comma inside a phrase costs.
const COMMA: f32 = 0.3;

/// What a slot of a noun phrase takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Edge {
    Word(WordId),
    /// A comma, which takes no word.
    Join,
    /// Its number: `{c}` is 0, `{c2}` is 2.
    Color(u8),
    /// Whether it is several.
    Kind(bool),
    Region,
    /// The slot's letter and number.
    Phrase(u8, u8),
}

/// What kind of thing a phrase names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Block,
    Bowl,
    Drawer,
    /// Any thing, or "the red one".
    Thing,
    Pronoun,
}

/// A noun phrase of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NounPhrase {
    pub(super) end: usize,
    pub(super) meaning: String,
    pub(super) sort: Sort,
    pub(super) is_plural: bool,
    /// Of words passed over and missing.
    pub(super) cost: f32,
    pub(super) has_phrase_inside: bool,
    /// How many colours, kinds and regions its words name.
    pub(super) names: usize,
}

#[derive(Debug, Default)]
struct Node {
    words: Vec<(WordId, usize)>,
    /// Sections that end here.
    ends: Vec<usize>,
    /// Edges that are no words.
    slots: Vec<(Edge, usize)>,
}

/// The noun phrases of a language.
#[derive(Debug, Default)]
pub(super) struct NounPhrases {
    nodes: Vec<Node>,
    edges: HashMap<(usize, Edge), usize>,
    meanings: Vec<String>,
    /// Words that say little: they may be missing.
    light: Vec<bool>,
}

/// What a slot was filled with.
#[derive(Clone, Copy)]
enum Filled {
    Color(u8, usize),
    Kind(usize),
    Region(usize),
    Phrase(u8, u8, (usize, usize)),
}

impl NounPhrases {
    /// An empty tree.
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            ..Self::default()
        }
    }

    /// Adds a phrase with its meaning.
    pub(super) fn add(&mut self, meaning: &str, atoms: &[Atom]) {
        let section = self.meanings.iter().position(|known| known == meaning);
        let section = section.unwrap_or_else(|| {
            self.meanings.push(meaning.to_owned());
            self.meanings.len() - 1
        });
        let mut node = 0;
        for atom in atoms {
            let edge = match atom {
                Atom::Word(id) => Edge::Word(*id),
                Atom::Join => Edge::Join,
                Atom::Slot(name) => slot_edge(name),
            };
            node = self.child(node, edge);
        }
        if node > 0 && !self.nodes[node].ends.contains(&section) {
            self.nodes[node].ends.push(section);
        }
    }

    fn child(&mut self, node: usize, edge: Edge) -> usize {
        if let Some(child) = self.edges.get(&(node, edge)) {
            return *child;
        }
        let child = self.nodes.len();
        self.nodes.push(Node::default());
        self.edges.insert((node, edge), child);
        match edge {
            Edge::Word(word) => self.nodes[node].words.push((word, child)),
            other => self.nodes[node].slots.push((other, child)),
        }
        child
    }

    /// Ends the building; `light` words may be missing.
    pub(super) fn finish(&mut self, light: &[&str], vocabulary: &Vocabulary) {
        for word in light {
            if let Some(id) = vocabulary.exact(word) {
                let index = id as usize;
                if self.light.len() <= index {
                    self.light.resize(index + 1, false);
                }
                self.light[index] = true;
            }
        }
    }

    fn is_light(&self, word: WordId) -> bool {
        self.light.get(word as usize).copied().unwrap_or(false)
    }

    /// The noun phrases of a sentence by their first word, so many of each.
    pub(super) fn find(
        &self,
        words: &[Word],
        islands: &[Vec<Island>],
        weights: &Weights,
        most: usize,
    ) -> Vec<Vec<NounPhrase>> {
        let mut walk = Walk {
            tree: self,
            words,
            islands,
            weights,
            inner: vec![Vec::new(); words.len()],
            found: Vec::new(),
            filled: Vec::new(),
            steps: 0,
        };
        for is_last in [false, true] {
            let mut level = Vec::with_capacity(words.len());
            for start in 0..words.len() {
                walk.found.clear();
                walk.steps = 0;
                walk.from(0, start, 0.0);
                let mut found = std::mem::take(&mut walk.found);
                keep_best(&mut found, if is_last { most } else { 4 });
                level.push(found);
            }
            walk.inner = level;
        }
        walk.inner
    }
}

/// Keeps the longest and cheapest.
pub(super) fn keep_best(found: &mut Vec<NounPhrase>, most: usize) {
    let worth = |phrase: &NounPhrase| phrase.end as f32 * 0.3 - phrase.cost;
    found.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
    found.truncate(most);
}

/// Most nodes looked at from one word of a sentence.
const MOST_STEPS: usize = 6000;

struct Walk<'a> {
    tree: &'a NounPhrases,
    words: &'a [Word],
    islands: &'a [Vec<Island>],
    weights: &'a Weights,
    /// Phrases that may stand inside others.
    inner: Vec<Vec<NounPhrase>>,
    found: Vec<NounPhrase>,
    filled: Vec<Filled>,
    steps: usize,
}

impl Walk<'_> {
    fn from(&mut self, node: usize, at: usize, cost: f32) {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return;
        }
        let tree = self.tree;
        let here = &tree.nodes[node];
        for section in &here.ends {
            self.finish(*section, at, cost);
        }
        let Some(word) = self.words.get(at) else {
            return;
        };
        let crossing = match word.before {
            _ if node == 0 => 0.0,
            Division::None => 0.0,
            Division::Comma => COMMA,
            Division::Stop => 2.0,
        };
        let cost = cost + crossing;
        if cost > MOST_COST {
            return;
        }
        if let Some(id) = word.id
            && let Some(child) = tree.edges.get(&(node, Edge::Word(id)))
        {
            let slip = if word.is_mended { 0.1 } else { 0.0 };
            self.from(*child, at + 1, cost + slip);
        }
        for (edge, child) in &here.slots {
            self.through(*edge, *child, at, cost);
        }
        if node == 0 {
            return;
        }
        // A word that the phrase lacks.
        let skipped = self.weights.skip(word);
        if self.islands[at].is_empty() && cost + skipped <= MOST_COST {
            self.from(node, at + 1, cost + skipped);
        }
        // A word that the sentence lacks.
        if cost + 0.7 <= MOST_COST {
            for (word, child) in &here.words {
                if tree.is_light(*word) {
                    self.from(*child, at, cost + 0.7 - crossing);
                }
            }
        }
    }

    fn through(&mut self, edge: Edge, child: usize, at: usize, cost: f32) {
        let islands = self.islands;
        match edge {
            Edge::Word(_) => {}
            Edge::Join => {
                if self.words[at].before == Division::Comma {
                    self.from(child, at, cost - COMMA);
                }
            }
            Edge::Phrase(role, number) => {
                for index in 0..self.inner[at].len() {
                    let phrase = &self.inner[at][index];
                    if !fits(role, phrase) {
                        continue;
                    }
                    let (end, inner) = (phrase.end, phrase.cost);
                    self.filled.push(Filled::Phrase(role, number, (at, index)));
                    self.from(child, end, cost + inner);
                    self.filled.pop();
                }
            }
            _ => {
                for island in &islands[at] {
                    let filled = match (edge, island.named) {
                        (Edge::Color(number), Named::Color(color)) => Filled::Color(number, color),
                        (Edge::Kind(is_plural), Named::Kind(kind, numbers))
                            if numbers[usize::from(is_plural)] =>
                        {
                            Filled::Kind(kind)
                        }
                        (Edge::Region, Named::Region(region)) => Filled::Region(region),
                        _ => continue,
                    };
                    self.filled.push(filled);
                    self.from(child, island.end, cost);
                    self.filled.pop();
                }
            }
        }
    }

    fn finish(&mut self, section: usize, end: usize, cost: f32) {
        let mut meaning = self.tree.meanings[section].clone();
        let mut has_phrase_inside = false;
        let mut names = 0;
        for filled in &self.filled {
            names += usize::from(!matches!(filled, Filled::Phrase(..)));
            let (slot, value) = match filled {
                Filled::Color(0, color) => ("{c}".to_owned(), COLORS[*color]),
                Filled::Color(number, color) => (format!("{{c{number}}}"), COLORS[*color]),
                Filled::Kind(kind) => ("{k}".to_owned(), KINDS[*kind]),
                Filled::Region(region) => ("{r}".to_owned(), REGIONS[*region]),
                Filled::Phrase(role, number, (at, index)) => {
                    has_phrase_inside = true;
                    names += self.inner[*at][*index].names;
                    let role = char::from(*role);
                    let name = match number {
                        0 => format!("{{{role}}}"),
                        number => format!("{{{role}{number}}}"),
                    };
                    (name, self.inner[*at][*index].meaning.as_str())
                }
            };
            // A slot that was filled twice means the same twice.
            if !meaning.contains(&slot) {
                let is_same = meaning.split(' ').any(|word| word == value);
                if !is_same && !matches!(filled, Filled::Kind(_)) {
                    return;
                }
            }
            meaning = meaning.replace(&slot, value);
        }
        if meaning.contains('{') || divides_a_name(&meaning) {
            return;
        }
        let known = self.found.iter_mut();
        for other in known {
            if other.end == end && other.meaning == meaning {
                other.cost = other.cost.min(cost);
                return;
            }
        }
        self.found.push(NounPhrase {
            end,
            sort: sort_of(&meaning),
            is_plural: is_plural(&meaning),
            meaning,
            cost,
            has_phrase_inside,
            names,
        });
    }
}

/// "red one + block": the red block, read as two.
pub(super) fn divides_a_name(meaning: &str) -> bool {
    let padded = format!("{meaning} ");
    ["block", "bowl", "thing"]
        .iter()
        .any(|kind| padded.contains(&format!(" one + {kind} ")))
}

fn slot_edge(name: &str) -> Edge {
    let number = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let number = number.parse().unwrap_or(0);
    match name.as_bytes().first().copied().unwrap_or(b'o') {
        _ if name == "k" || name == "ks" => Edge::Kind(name == "ks"),
        b'r' => Edge::Region,
        _ if is_color_slot(name) => Edge::Color(number),
        role => Edge::Phrase(role, number),
    }
}

/// Whether a phrase may stand in a slot of this letter.
fn fits(role: u8, phrase: &NounPhrase) -> bool {
    !phrase.has_phrase_inside
        && match role {
            b't' | b'w' => !matches!(phrase.sort, Sort::Block),
            b's' => matches!(phrase.sort, Sort::Block | Sort::Thing | Sort::Pronoun),
            b'd' => phrase.sort == Sort::Drawer,
            b'o' => phrase.sort != Sort::Drawer,
            _ => true,
        }
}

/// What kind of thing a meaning is of.
pub(super) fn sort_of(meaning: &str) -> Sort {
    let outer = meaning.split(['[', '(']).next().unwrap_or_default();
    let inner = meaning.rsplit(')').next().unwrap_or_default();
    let words = outer
        .split(' ')
        .chain(inner.split(['[']).next().unwrap_or_default().split(' '));
    for word in words {
        match word {
            "block" => return Sort::Block,
            "bowl" => return Sort::Bowl,
            "drawer" => return Sort::Drawer,
            "it" | "them" => return Sort::Pronoun,
            "except" => break,
            _ => {}
        }
    }
    Sort::Thing
}

fn is_plural(meaning: &str) -> bool {
    let first = meaning.split(' ').next().unwrap_or_default();
    meaning.contains(" + ")
        || ["all", "both", "some", "them"].contains(&first)
        || first
            .trim_start_matches('=')
            .parse::<u8>()
            .is_ok_and(|count| count > 1)
}
