//! Dividing a sentence into clauses and the words about them.

use super::Context;
use super::clauses::{Filler, Item};
use super::frames::ZoneWord;
use super::grammar::Grammar;
use super::islands::{Island, Named, REGIONS};
use super::nouns::{NounPhrase, Sort};
use super::words::{Division, Word, WordId};

/// Most clauses of one sentence.
const MOST_CLAUSES: usize = 6;
/// Longest clause, in words.
const LONGEST: usize = 24;
/// Readings kept of one segment, and of one beginning of a sentence.
const KEPT: usize = 3;
/// Ways kept to cover the same words of a segment.
const MOST_COVERS: usize = 8;
/// Most slots of one clause.
const MOST_SLOTS: usize = 5;

/// What a clause costs by itself, so that one is not read as two.
const CLAUSE: f32 = 4.5;
/// Two clauses with nothing between them.
const NOTHING_BETWEEN: f32 = 5.0;
/// Something dangerous beside a command.
const DANGER_BESIDE: f32 = 1.5;
/// A word that names a kind of thing and is in no phrase.
const LOST_KIND: f32 = 1.5;
/// A word that nobody knows.
const UNKNOWN: f32 = 1.2;
/// A noun phrase with another inside.
const PHRASE_INSIDE: f32 = 3.0;
/// How much the words passed over in a noun phrase count.
const PHRASE_COST: f32 = 4.0;
/// What each colour, kind and region in a noun phrase is worth.
const NAME: f32 = 2.0;
/// A noun phrase.
const PHRASE: f32 = 3.5;
/// A pronoun: most are words of other phrases.
const PRONOUN: f32 = 2.5;
/// A comma inside a clause.
const COMMA_INSIDE: f32 = 0.6;
/// A full stop inside a clause.
const STOP_INSIDE: f32 = 2.5;
/// A side that is in no clause.
const LOST_SIDE: f32 = 5.0;
/// A number that the clause has no place for.
const LOST_NUMBER: f32 = 8.0;
/// Two phrases with nothing between them, where verbs stand first.
const SIDE_BY_SIDE: f32 = 4.0;

/// A clause of a sentence.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub(super) end: usize,
    pub(super) score: f32,
    pub(super) meaning: String,
    pub(super) is_clause: bool,
    /// Words that its phrases do not have.
    pub(super) unread: usize,
    /// The unit that it is read as, and its words and slots.
    pub(super) unit: usize,
    pub(super) items: Vec<Item>,
}

impl Clause {
    /// Whether it asks for what must not be done.
    pub(super) fn is_danger(&self) -> bool {
        self.meaning.starts_with("unsafe ")
    }
}

/// A reading of a sentence, or of its beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub(super) score: f32,
    pub(super) clauses: Vec<Clause>,
    /// The words about them.
    pub(super) loose: Vec<ZoneWord>,
    pub(super) unread: usize,
    /// From known phrases.
    pub(super) distance: f32,
    is_closed: bool,
    ends_clause: bool,
}

/// A sentence with all that is found in it.
pub(super) struct Sentence<'a> {
    pub(super) grammar: &'a Grammar,
    pub(super) words: &'a [Word],
    pub(super) islands: &'a [Vec<Island>],
    pub(super) phrases: &'a [Vec<NounPhrase>],
    pub(super) context: Context,
}

impl Sentence<'_> {
    /// The likeliest divisions, best first.
    pub(super) fn divisions(&self) -> Vec<Reading> {
        let count = self.words.len();
        let clauses: Vec<Vec<Clause>> = (0..count).map(|start| self.clauses_from(start)).collect();
        let mut best: Vec<Vec<Reading>> = vec![Vec::new(); count + 1];
        best[0].push(Reading::default());
        for at in 0..count {
            let here = std::mem::take(&mut best[at]);
            for so_far in &here {
                if let Some(next) = self.with_loose_word(so_far, at) {
                    keep(&mut best[at + 1], next);
                }
                if so_far.is_closed || so_far.clauses.len() >= MOST_CLAUSES {
                    continue;
                }
                for clause in &clauses[at] {
                    if let Some(next) = self.with_clause(so_far, clause, at) {
                        keep(&mut best[clause.end], next);
                    }
                }
            }
        }
        let mut all = best.pop().unwrap_or_default();
        all.retain(|division| !division.clauses.is_empty());
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        all
    }

    fn with_loose_word(&self, so_far: &Reading, at: usize) -> Option<Reading> {
        let word = &self.words[at];
        // What names something is never passed over.
        let names = |island: &Island| matches!(island.named, Named::Color(_) | Named::Kind(..));
        if self.islands[at].iter().any(names) {
            return None;
        }
        if word.text.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let zone = so_far.clauses.len();
        let mut next = so_far.clone();
        next.ends_clause = false;
        match word.id {
            Some(id) => {
                next.score += self.grammar.looseness(zone, id);
                let before = at
                    .checked_sub(1)
                    .map_or("", |it| self.words[it].text.as_str());
                if self.grammar.opposites.is_side(id, before) {
                    next.score -= LOST_SIDE;
                }
                next.loose.push((zone, id));
            }
            None => {
                next.score -= UNKNOWN;
                next.unread += 1;
            }
        }
        Some(next)
    }

    fn with_clause(&self, so_far: &Reading, clause: &Clause, at: usize) -> Option<Reading> {
        // "…, and ignore the stop button": one such part is enough.
        let is_danger = clause.is_danger();
        if !clause.is_clause && !is_danger && !so_far.clauses.is_empty() {
            return None;
        }
        let mut next = so_far.clone();
        next.score += clause.score - CLAUSE;
        let is_beside = !so_far.clauses.is_empty();
        if is_beside && (is_danger || so_far.clauses.iter().any(Clause::is_danger)) {
            next.score -= DANGER_BESIDE;
        }
        if so_far.ends_clause && self.words[at].before == Division::None {
            next.score -= NOTHING_BETWEEN;
        }
        next.unread += clause.unread;
        next.is_closed = !clause.is_clause && !is_danger;
        next.ends_clause = true;
        next.clauses.push(clause.clone());
        Some(next)
    }

    /// The clauses that may begin at a word.
    fn clauses_from(&self, start: usize) -> Vec<Clause> {
        let mut covers = vec![Vec::new(); LONGEST + 1];
        covers[0].push(Cover::default());
        let search = Search {
            sentence: self,
            start,
            covers,
            found: Vec::new(),
        };
        search.run()
    }
}

fn keep(list: &mut Vec<Reading>, next: Reading) {
    let same = |known: &Reading| {
        known.clauses.len() == next.clauses.len()
            && known
                .clauses
                .iter()
                .zip(&next.clauses)
                .all(|(a, b)| a.meaning == b.meaning)
    };
    if let Some(known) = list.iter_mut().find(|known| same(known)) {
        if known.score < next.score {
            *known = next;
        }
        return;
    }
    list.push(next);
    list.sort_by(|a, b| b.score.total_cmp(&a.score));
    list.truncate(2 * KEPT);
}

/// One way to take the words from the start of a segment as phrases and words.
#[derive(Clone, Default)]
struct Cover<'a> {
    items: Vec<Item>,
    fillers: Vec<Filler<'a>>,
    /// Words that name a kind and are in no phrase.
    kinds: Vec<WordId>,
    cost: f32,
    unread: usize,
    /// Where its last slot ends.
    ends_at: Option<usize>,
}

/// The ways to cover the words from one on, and the clauses they make.
struct Search<'a> {
    sentence: &'a Sentence<'a>,
    start: usize,
    /// By how many words they cover.
    covers: Vec<Vec<Cover<'a>>>,
    found: Vec<Clause>,
}

impl<'a> Search<'a> {
    fn run(mut self) -> Vec<Clause> {
        for length in 0..LONGEST {
            let at = self.start + length;
            let here = std::mem::take(&mut self.covers[length]);
            if length > 0 {
                self.look_at(at, &here);
            }
            if at >= self.sentence.words.len() {
                break;
            }
            for cover in &here {
                self.go_on(at, cover);
            }
        }
        self.found
    }

    /// Covers one phrase or word more.
    fn go_on(&mut self, at: usize, cover: &Cover<'a>) {
        let sentence = self.sentence;
        let word = &sentence.words[at];
        let crossing = match word.before {
            _ if at == self.start => 0.0,
            Division::None => 0.0,
            Division::Comma => COMMA_INSIDE,
            Division::Stop => STOP_INSIDE,
        };
        let mut cover = cover.clone();
        cover.cost += crossing;
        let islands = &sentence.islands[at];
        if cover.fillers.len() < MOST_SLOTS {
            let phrases: &'a [NounPhrase] = &sentence.phrases[at];
            for phrase in phrases.iter().take(5) {
                let pronoun = if phrase.sort == Sort::Pronoun {
                    PRONOUN
                } else {
                    0.0
                };
                let inside = if phrase.has_phrase_inside {
                    PHRASE_INSIDE
                } else {
                    0.0
                };
                let names = NAME * phrase.names as f32;
                let more = pronoun + PHRASE_COST * phrase.cost + inside + PHRASE - names;
                self.fill('N', Filler::Phrase(phrase), phrase.end, &cover, more);
            }
            for island in islands {
                match island.named {
                    Named::Region(region) => {
                        self.fill('R', Filler::Name(REGIONS[region]), island.end, &cover, 0.0);
                    }
                    Named::Foreign => self.fill('X', Filler::Name(""), island.end, &cover, 0.0),
                    _ => {}
                }
            }
            if let Some(number) = sentence.grammar.seconds(&word.text) {
                self.fill('#', Filler::Name(number), at + 1, &cover, 0.0);
            }
        }
        // A colour is never taken as a mere word.
        let is = |kind: fn(&Named) -> bool| islands.iter().any(|island| kind(&island.named));
        if is(|named| matches!(named, Named::Color(_))) {
            return;
        }
        match word.id {
            Some(id) => {
                cover.items.push(Item::Word(id));
                if is(|named| matches!(named, Named::Kind(..))) {
                    cover.kinds.push(id);
                }
            }
            None => {
                cover.cost += UNKNOWN;
                cover.unread += 1;
            }
        }
        self.keep(at + 1, cover);
    }

    fn fill(&mut self, letter: char, filler: Filler<'a>, end: usize, cover: &Cover<'a>, more: f32) {
        let is_joined = cover.ends_at.is_none_or(|at| {
            let next = self.sentence.words.get(at);
            next.is_none_or(|word| word.before == Division::None)
        });
        let mut cover = cover.clone();
        let is_beside = matches!(cover.items.last(), Some(Item::Slot(_)));
        if is_beside && is_joined && letter == 'N' && !self.sentence.grammar.is_verb_last {
            cover.cost += SIDE_BY_SIDE;
        }
        cover.items.push(Item::Slot(letter));
        cover.fillers.push(filler);
        cover.cost += more;
        cover.ends_at = Some(end);
        self.keep(end, cover);
    }

    /// Keeps the cheapest covers of so many words.
    fn keep(&mut self, end: usize, cover: Cover<'a>) {
        let Some(list) = self.covers.get_mut(end - self.start) else {
            return;
        };
        let price = |cover: &Cover<'_>| cover.cost + 2.0 * cover.kinds.len() as f32;
        let same = |known: &Cover<'_>| {
            known.items == cover.items
                && known
                    .fillers
                    .iter()
                    .zip(&cover.fillers)
                    .all(|(a, b)| a.sort() == b.sort())
        };
        if let Some(known) = list.iter().position(same) {
            if price(&list[known]) <= price(&cover) {
                return;
            }
            list.remove(known);
        }
        let at = list.partition_point(|known| price(known) <= price(&cover));
        if at < MOST_COVERS {
            list.insert(at, cover);
            list.truncate(MOST_COVERS);
        }
    }

    fn look_at(&mut self, end: usize, covers: &[Cover<'a>]) {
        let grammar = self.sentence.grammar;
        let mut best: Vec<Clause> = Vec::new();
        for cover in covers {
            let says_something =
                cover.items.len() > 1 || matches!(cover.items.first(), Some(Item::Word(_)));
            if !says_something {
                continue;
            }
            for (score, index) in grammar
                .clauses
                .likeliest(&cover.items, &cover.fillers, KEPT)
            {
                let unit = &grammar.clauses.units[index];
                if self.sentence.context.allows(&unit.meaning)
                    && let Some(clause) = self.clause(end, cover, score, index)
                {
                    add(&mut best, clause);
                }
            }
        }
        self.found.append(&mut best);
    }

    fn clause(&self, end: usize, cover: &Cover<'a>, score: f32, index: usize) -> Option<Clause> {
        let grammar = self.sentence.grammar;
        let unit = &grammar.clauses.units[index];
        let lost: Vec<WordId> = cover
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Word(id) if !unit.has(*id) => Some(*id),
                _ => None,
            })
            .collect();
        let numbers = lost.iter().filter(|id| grammar.is_number(**id)).count();
        let kinds = cover.kinds.iter().filter(|id| !unit.has(**id)).count();
        let words: Vec<WordId> = cover
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Word(id) => Some(*id),
                Item::Slot(_) => None,
            })
            .collect();
        let unsaid = grammar.opposites.cost(&words, &unit.sides)?;
        if !grammar
            .opposites
            .is_in_order(&words, &unit.sides, &unit.phrases)
        {
            return None;
        }
        let mut meaning = unit.meaning.clone();
        for (slot, filler) in unit.slots.iter().zip(&cover.fillers) {
            let value = match filler {
                Filler::Phrase(phrase) => phrase.meaning.as_str(),
                Filler::Name(name) => name,
            };
            meaning = meaning.replace(&format!("{{{slot}}}"), value);
        }
        Some(Clause {
            end,
            score: score
                - cover.cost
                - unsaid
                - LOST_NUMBER * numbers as f32
                - LOST_KIND * kinds as f32,
            meaning,
            is_clause: unit.is_clause,
            unread: cover.unread + lost.len(),
            unit: index,
            items: cover.items.clone(),
        })
    }
}

/// Adds a clause to the best of a segment.
fn add(best: &mut Vec<Clause>, clause: Clause) {
    if let Some(known) = best
        .iter_mut()
        .find(|known| known.meaning == clause.meaning)
    {
        if known.score < clause.score {
            *known = clause;
        }
        return;
    }
    let at = best.partition_point(|known| known.score >= clause.score);
    if at < KEPT {
        best.insert(at, clause);
        best.truncate(KEPT);
    }
}
