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

/// All phrases of a language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Whole sentences.
    pub sentences: Vec<Section>,
    /// Clauses in the imperative.
    pub clauses: Vec<Section>,
    /// Clauses as gerunds, by meaning.
    pub(crate) gerunds: BTreeMap<String, Section>,
    /// Noun phrases.
    pub nouns: Vec<Section>,
    pub(crate) words: BTreeMap<String, Vec<String>>,
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
            let header = line
                .split_once(' ')
                .filter(|(sign, _)| ["=", "~", "^", "@", "%"].contains(sign));
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
        let meaning = match (sign, meaning.strip_prefix("do ")) {
            // Clauses are written with or without the word.
            ("~" | "^", Some(clauses)) => clauses.to_owned(),
            _ => meaning,
        };
        let section = Section {
            decoys: slots_of(decoys),
            phrases: Vec::new(),
            meaning: meaning.clone(),
        };
        let list = match sign {
            "=" => &mut self.sentences,
            "~" => &mut self.clauses,
            "@" => &mut self.nouns,
            _ => {
                self.gerunds.entry(meaning.clone()).or_insert(section);
                return Place::Gerund(meaning);
            }
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
            Place::Gerund(meaning) => self.gerunds.get_mut(meaning),
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
    Gerund(String),
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
