//! Reading books of phrases.

use std::collections::BTreeMap;

use crate::template::{self, Piece};

/// A file that is no book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct BookError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what is expected.
    pub reason: String,
}

/// Phrases that mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The meaning, with slots.
    pub meaning: String,
    /// Slots that may be in the phrases and mean nothing.
    pub(crate) decoys: Vec<String>,
    pub(crate) phrases: Vec<Vec<Piece>>,
}

impl Section {
    /// How many phrases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.phrases.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// The slots of its meaning, in order.
    pub(crate) fn slots(&self) -> Vec<String> {
        slots_of(&self.meaning)
    }
}

/// A form of a clause besides the imperative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClauseForm {
    /// "putting it in the bowl"; in Urdu the infinitive before a postposition.
    Gerund,
    /// "it into the bowl": the verb was said before, or goes without saying.
    Fragment,
    /// "it goes in the bowl".
    Statement,
    /// "it is in the bowl": what is so when it is done.
    Result,
}

impl ClauseForm {
    /// Form, sign of its sections, letter of its slots.
    const ALL: [(Self, &str, char); 4] = [
        (Self::Gerund, "^", 'g'),
        (Self::Fragment, "^f", 'f'),
        (Self::Statement, "^s", 's'),
        (Self::Result, "^r", 'r'),
    ];

    fn of_sign(sign: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, own, _)| *own == sign)?;
        Some(found.0)
    }

    /// The form that a slot such as `1g` asks for.
    pub(crate) fn of_slot(name: &str) -> Option<Self> {
        let letter = name.strip_prefix(|c: char| c.is_ascii_digit())?;
        let found = Self::ALL
            .iter()
            .find(|(.., own)| letter.chars().eq([*own]))?;
        Some(found.0)
    }

    /// The letter of its slots.
    pub(crate) fn letter(self) -> char {
        let found = Self::ALL.iter().find(|(form, ..)| *form == self);
        found.map_or('g', |it| it.2)
    }
}

/// All phrases of a language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// Whole sentences.
    pub sentences: Vec<Section>,
    /// Clauses in the imperative.
    pub clauses: Vec<Section>,
    /// Clauses in other forms, by form and meaning.
    pub(crate) forms: BTreeMap<(ClauseForm, String), Section>,
    /// Noun phrases.
    pub nouns: Vec<Section>,
    pub(crate) words: BTreeMap<String, Vec<String>>,
    /// How sentences are worded.
    pub(crate) manner: Manner,
}

/// How sentences are worded.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) enum Manner {
    /// Any way, as in an examination.
    #[default]
    Varied,
    /// To learn from: more plain words, of which structure is learnt, and more
    /// slips and fillers.
    Practice,
}

impl Book {
    /// Adds a file's phrases. Headers that come again are joined.
    ///
    /// # Errors
    /// The first line that is not understood.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), BookError> {
        let mut place: Option<Place> = None;
        for (index, line) in text.lines().enumerate() {
            let fail = |reason: String| BookError {
                file: file.to_owned(),
                line: index + 1,
                reason,
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with("# ") || line == "#" {
                continue;
            }
            let header = line.split_once(' ').filter(|(sign, _)| {
                ["=", "~", "@", "%"].contains(sign) || ClauseForm::of_sign(sign).is_some()
            });
            if let Some((sign, header)) = header {
                place = Some(self.open(sign, header.trim()));
                continue;
            }
            match &place {
                None => return Err(fail("a phrase before the first header".to_owned())),
                Some(Place::Words(name)) => {
                    self.words
                        .entry(name.clone())
                        .or_default()
                        .push(line.to_owned());
                }
                Some(place) => {
                    let pieces = template::read(line).map_err(fail)?;
                    let Some(section) = self.section(place) else {
                        continue;
                    };
                    let mut wanted = section.slots();
                    wanted.sort();
                    let got = template::slots(&pieces);
                    let extra = |name: &String| section.decoys.contains(name);
                    let fits = wanted.iter().all(|name| got.contains(name))
                        && got.iter().all(|name| wanted.contains(name) || extra(name));
                    if !fits {
                        return Err(fail(format!(
                            "`{line}` has the slots {got:?}, its header {wanted:?}"
                        )));
                    }
                    section.phrases.push(pieces);
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, sign: &str, header: &str) -> Place {
        if sign == "%" {
            return Place::Words(header.to_owned());
        }
        let (meaning, decoys) = header.split_once('!').unwrap_or((header, ""));
        let meaning = meaning.trim().to_owned();
        let form = ClauseForm::of_sign(sign);
        let meaning = match meaning.strip_prefix("do ") {
            // Clauses are written with or without the word.
            Some(clauses) if sign == "~" || form.is_some() => clauses.to_owned(),
            _ => meaning,
        };
        let section = Section {
            decoys: slots_of(decoys),
            phrases: Vec::new(),
            meaning: meaning.clone(),
        };
        if let Some(form) = form {
            let key = (form, meaning);
            self.forms.entry(key.clone()).or_insert(section);
            return Place::Form(key);
        }
        let list = match sign {
            "=" => &mut self.sentences,
            "~" => &mut self.clauses,
            _ => &mut self.nouns,
        };
        let same = |known: &Section| known.meaning == meaning && known.decoys == section.decoys;
        let index = list.iter().position(same).unwrap_or_else(|| {
            list.push(section.clone());
            list.len() - 1
        });
        match sign {
            "=" => Place::Sentence(index),
            "~" => Place::Clause(index),
            _ => Place::Noun(index),
        }
    }

    fn section(&mut self, place: &Place) -> Option<&mut Section> {
        match place {
            Place::Sentence(index) => self.sentences.get_mut(*index),
            Place::Clause(index) => self.clauses.get_mut(*index),
            Place::Noun(index) => self.nouns.get_mut(*index),
            Place::Form(key) => self.forms.get_mut(key),
            Place::Words(_) => None,
        }
    }

    /// Words of a list; the name itself where there is no list.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.words
            .get(name)
            .cloned()
            .unwrap_or_else(|| vec![name.to_owned()])
    }
}

/// Where the phrases of the open section go.
enum Place {
    Sentence(usize),
    Clause(usize),
    Noun(usize),
    Form((ClauseForm, String)),
    Words(String),
}

/// The slots of a meaning, in order, each once.
pub(crate) fn slots_of(meaning: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in meaning.split('{').skip(1) {
        let name = part.split('}').next().unwrap_or_default();
        let name = template::base(name.trim_end_matches('\'')).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
