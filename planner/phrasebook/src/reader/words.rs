//! Words as they are compared: one spelling, one form, slips of the finger mended.

use std::collections::{HashMap, HashSet};

use super::word_lists::EMPTY_WORDS;

/// A word of the vocabulary, as one number for all its forms.
pub(super) type WordId = u32;

/// Longest word that is looked at, in letters.
const LONGEST: usize = 24;

/// How strongly a sentence is divided before a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Division {
    #[default]
    None,
    Comma,
    Stop,
}

/// A word as it stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawWord {
    pub(super) text: String,
    /// The mark before it.
    pub(super) before: Division,
}

/// A word of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// None: no phrase has such a word.
    pub(super) id: Option<WordId>,
    pub(super) is_mended: bool,
    pub(super) before: Division,
}

/// Splits a text into words, without marks and empty words.
pub(super) fn split(text: &str) -> Vec<RawWord> {
    let mut words: Vec<RawWord> = Vec::new();
    let mut before = Division::None;
    let mut word = String::new();
    let letters: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut finish = |word: &mut String, before: &mut Division| {
        if !word.is_empty() {
            let text = std::mem::take(word);
            if !EMPTY_WORDS.contains(&text.as_str()) {
                words.push(RawWord {
                    text,
                    before: std::mem::take(before),
                });
            }
        }
    };
    for (index, letter) in letters.iter().copied().enumerate() {
        let next = letters.get(index + 1).copied().unwrap_or(' ');
        match letter {
            // Apostrophes and vowel signs are left out as often as not.
            '\'' | '\u{2019}' | '\u{2018}' | '`' | '\u{640}' => {}
            '\u{64b}'..='\u{652}' | '\u{670}' => {}
            '>' | '→' => {
                finish(&mut word, &mut before);
                word.push('>');
                finish(&mut word, &mut before);
            }
            '-' | '–' | '—' | '=' if next != '>' => {
                finish(&mut word, &mut before);
                if next == ' ' {
                    before = before.max(Division::Comma);
                }
            }
            // "1. this 2) that": marks of a list.
            '.' | ')' if is_list_mark(&word) && next == ' ' && index + 2 < letters.len() => {
                word.clear();
                before = Division::Stop;
            }
            ',' | ':' | '،' | '(' | ')' | '/' => {
                finish(&mut word, &mut before);
                before = before.max(Division::Comma);
            }
            '.' | ';' | '!' | '?' | '۔' | '؟' | '؛' | '\n' => {
                finish(&mut word, &mut before);
                before = Division::Stop;
            }
            c if c.is_alphanumeric() => word.push(one_spelling(c)),
            _ => finish(&mut word, &mut before),
        }
    }
    finish(&mut word, &mut before);
    words
}

fn is_list_mark(word: &str) -> bool {
    matches!(word, "1" | "2" | "3" | "4" | "5")
}

/// Letters of the Urdu script that are written for one another, and digits.
pub(super) fn one_spelling(letter: char) -> char {
    match letter {
        'ي' | 'ے' | 'ئ' | 'ى' => 'ی',
        'ك' => 'ک',
        'ه' | 'ة' | 'ۂ' => 'ہ',
        'ں' => 'ن',
        'ؤ' => 'و',
        'أ' | 'آ' | 'إ' => 'ا',
        '\u{6f0}'..='\u{6f9}' => digit(letter, '\u{6f0}'),
        '\u{660}'..='\u{669}' => digit(letter, '\u{660}'),
        other => other,
    }
}

fn digit(letter: char, zero: char) -> char {
    char::from_digit(u32::from(letter) - u32::from(zero), 10).unwrap_or(letter)
}

/// All words of a language's phrases.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    ids: HashMap<String, WordId>,
    /// The word that a word is a form of; itself for most.
    stems: Vec<WordId>,
    texts: Vec<String>,
    counts: Vec<u32>,
    /// Words by what is left of them without one letter.
    shortened: HashMap<String, Vec<WordId>>,
}

impl Vocabulary {
    /// Learns a word, and how often it is met.
    pub(super) fn learn(&mut self, text: &str) -> WordId {
        if let Some(id) = self.ids.get(text) {
            self.counts[*id as usize] += 1;
            return self.stem(*id);
        }
        let id = self.texts.len() as WordId;
        self.ids.insert(text.to_owned(), id);
        self.stems.push(id);
        self.texts.push(text.to_owned());
        self.counts.push(1);
        id
    }

    /// Two words are forms of one.
    pub(super) fn join(&mut self, one: &str, other: &str) {
        let (one, other) = (self.learn(one), self.learn(other));
        if one != other {
            let (kept, gone) = (one.min(other), one.max(other));
            for stem in &mut self.stems {
                if *stem == gone {
                    *stem = kept;
                }
            }
        }
    }

    fn stem(&self, id: WordId) -> WordId {
        self.stems[id as usize]
    }

    /// Ends the learning: slips are looked up from now on.
    pub(super) fn finish(&mut self) {
        for (id, text) in self.texts.iter().enumerate() {
            for short in without_one(text) {
                let ids = self.shortened.entry(short).or_default();
                ids.push(id as WordId);
            }
        }
    }

    /// A word as it is written.
    pub(super) fn text(&self, id: WordId) -> &str {
        self.texts.get(id as usize).map_or("", String::as_str)
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The words that are written in digits.
    pub(super) fn numbers(&self) -> Vec<WordId> {
        let is_number = |text: &String| text.chars().all(|c| c.is_ascii_digit());
        let own = self.texts.iter().enumerate();
        own.filter_map(|(id, text)| is_number(text).then_some(id as WordId))
            .collect()
    }

    /// The word as it is known.
    pub(super) fn exact(&self, text: &str) -> Option<WordId> {
        self.ids.get(text).map(|id| self.stem(*id))
    }

    /// Reads the words of a sentence.
    pub(super) fn read(&self, sentence: &str) -> Vec<Word> {
        let read = |raw: RawWord| {
            let exact = self.exact(&raw.text).or_else(|| self.inflected(&raw.text));
            let id = exact.or_else(|| self.mended(&raw.text));
            Word {
                is_mended: exact.is_none() && id.is_some(),
                text: raw.text,
                id,
                before: raw.before,
            }
        };
        split(sentence).into_iter().map(read).collect()
    }

    /// Joins the English forms of verbs, "pushed" and "pushing" with "push", but
    /// for the words that are `kept` as they are.
    pub(super) fn join_english_forms(&mut self, kept: &HashSet<String>) {
        let forms: Vec<(String, String)> = self
            .texts
            .iter()
            .filter(|text| !kept.contains(*text))
            .filter_map(|text| {
                let mut bases = english_bases(text).into_iter();
                let base = bases.find(|base| self.ids.contains_key(base))?;
                Some((base, text.clone()))
            })
            .collect();
        for (base, form) in forms {
            self.join(&base, &form);
        }
    }

    /// The known word of which this is another English form.
    fn inflected(&self, text: &str) -> Option<WordId> {
        english_bases(text).iter().find_map(|base| self.exact(base))
    }

    /// The commonest known word that is one slip away.
    fn mended(&self, text: &str) -> Option<WordId> {
        let length = text.chars().count();
        if !(3..=LONGEST).contains(&length) || text.chars().any(|c| c.is_ascii_digit()) {
            return None;
        }
        let mut best: Option<(u32, WordId)> = None;
        let mut consider = |id: WordId, bonus: u32| {
            let other = &self.texts[id as usize];
            let is_long = other.chars().count() >= 4 || length >= 5;
            if is_long && is_one_slip(text, other) {
                let weight = (self.counts[id as usize] + 1) * bonus;
                if best.is_none_or(|(known, _)| weight > known) {
                    best = Some((weight, id));
                }
            }
        };
        // A letter too few.
        for id in self.shortened.get(text).into_iter().flatten() {
            consider(*id, 4);
        }
        for short in without_one(text) {
            // A letter too many.
            if let Some(id) = self.ids.get(&short) {
                consider(*id, 4);
            }
            // A letter wrong, or two swapped.
            for id in self.shortened.get(&short).into_iter().flatten() {
                consider(*id, 1);
            }
        }
        best.map(|(_, id)| self.stem(id))
    }
}

/// What a word may be a form of: "nudging" of "nudge" or "nudg".
fn english_bases(word: &str) -> Vec<String> {
    let ending = ["ing", "ed"]
        .into_iter()
        .find_map(|it| word.strip_suffix(it));
    let Some(stem) = ending.filter(|stem| stem.len() >= 3 && stem.is_ascii()) else {
        return Vec::new();
    };
    let mut bases = vec![stem.to_owned(), format!("{stem}e")];
    let (short, last) = stem.split_at(stem.len() - 1);
    if short.ends_with(last) {
        bases.push(short.to_owned());
    }
    bases
}

/// The text without each of its letters.
fn without_one(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() > LONGEST {
        return Vec::new();
    }
    let without = |at: usize| {
        let kept = letters.iter().enumerate().filter(|(i, _)| *i != at);
        kept.map(|(_, letter)| *letter).collect::<String>()
    };
    let mut all: Vec<String> = (0..letters.len()).map(without).collect();
    all.dedup();
    all
}

/// Whether one letter is wrong, missing, too many, or swapped with the next.
fn is_one_slip(one: &str, other: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    match (&a[start..], &b[start..]) {
        ([x, y, rest_a @ ..], [u, v, rest_b @ ..]) if x == v && y == u && rest_a == rest_b => true,
        ([_, rest_a @ ..], [_, rest_b @ ..]) if rest_a == rest_b => true,
        ([_, rest_a @ ..], rest_b) if rest_a == rest_b => true,
        (rest_a, [_, rest_b @ ..]) => rest_a == rest_b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_and_spelled_in_one_way() {
        let texts = |text: &str| {
            let words = split(text);
            words
                .into_iter()
                .map(|w| w.text)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            texts("Please, don't put the red-ish cube -> A."),
            "dont put red ish cube > a"
        );
        assert_eq!(texts("نیلے كو ۲"), "نیلی کو 2");
        let marks = split("one, two. three");
        assert_eq!(marks[1].before, Division::Comma);
        assert_eq!(marks[2].before, Division::Stop);
    }

    #[test]
    fn slips_are_mended_to_the_commonest_word() {
        let mut vocabulary = Vocabulary::default();
        for word in ["block", "black", "bowl", "bowl", "yellow"] {
            vocabulary.learn(word);
        }
        vocabulary.finish();
        let mended = |text: &str| {
            let id = vocabulary.read(text)[0].id;
            id.map(|id| vocabulary.texts[id as usize].as_str())
        };
        for (slip, meant) in [("blcok", "block"), ("boowl", "bowl"), ("yelow", "yellow")] {
            assert_eq!(mended(slip), Some(meant), "{slip}");
        }
        assert_eq!(mended("zebra"), None);
    }
}
