//! The documents of a deployment, indexed in memory.

use std::collections::HashSet;
use std::path::PathBuf;

use tantivy::collector::TopDocs;
use tantivy::directory::RamDirectory;
use tantivy::query::{BooleanQuery, BoostQuery, DisjunctionMaxQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{Index, IndexReader, IndexSettings, ReloadPolicy, TantivyDocument, Term};

use crate::error::DocumentsError;
use crate::evidence::{Frequencies, PassageWords, Question};
use crate::reading::read_all;
use crate::sections::{Passage, passages};
use crate::sentences::{MAX_QUOTE_BYTES, sentences, shortened};
use crate::thesaurus::Thesaurus;
use crate::words::{Word, Words};

/// Name under which tantivy knows our words.
const ANALYZER: &str = "words";
/// Memory that tantivy may use while it indexes, in bytes.
const INDEXING_BYTES: usize = 32 << 20;
/// Candidates of the index that are weighed.
const CANDIDATES: usize = 16;
/// What a word in a heading counts against one in the text.
const HEADING_BOOST: f32 = 1.8;
/// What a related word counts.
const RELATED_BOOST: f32 = 0.6;
/// Documents that can be asked.
pub struct Library {
    documents: usize,
    passages: Vec<Indexed>,
    words: Words,
    thesaurus: Thesaurus,
    frequencies: Frequencies,
    reader: IndexReader,
    fields: Fields,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library")
            .field("documents", &self.documents)
            .field("passages", &self.passages.len())
            .finish_non_exhaustive()
    }
}

/// A passage with what was made of it.
#[derive(Debug)]
struct Indexed {
    passage: Passage,
    words: PassageWords,
}

#[derive(Debug, Clone, Copy)]
struct Fields {
    heading: Field,
    text: Field,
}

/// What was found for a question, the best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lookup {
    /// Passages that speak of a part of the question at least.
    pub found: Vec<Found>,
    /// Whether the first one answers it.
    pub is_answered: bool,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The passage.
    pub passage: Passage,
    /// The sentences of it that answer best, word by word; one piece of its text
    /// with line breaks as spaces.
    pub quote: String,
    /// Share of the question that it speaks of, 0 to 1.
    pub coverage: f64,
    /// BM25 of the index.
    pub score: f32,
}

impl Library {
    /// Reads and indexes files and folders.
    ///
    /// # Errors
    /// Every file that cannot be used.
    ///
    /// # Timing
    /// Milliseconds for a manual; blocks, on the calling thread alone.
    pub fn open(paths: &[PathBuf]) -> Result<Self, DocumentsError> {
        let documents = read_all(paths).map_err(DocumentsError::Unreadable)?;
        let words = Words::new();
        let mut frequencies = Frequencies::default();
        let all = documents.iter().flat_map(passages);
        let indexed: Vec<Indexed> = all
            .map(|passage| {
                let stems = |words: &[Word]| words.iter().map(|word| word.stem.clone()).collect();
                let heading: HashSet<String> = stems(&words.of(&passage.heading()));
                let text = words.of(&passage.text);
                let mut all: HashSet<String> = stems(&text);
                all.extend(heading.iter().cloned());
                frequencies.count(&all);
                Indexed {
                    passage,
                    words: PassageWords {
                        heading,
                        stems: all,
                        words: text,
                    },
                }
            })
            .collect();
        let (reader, fields) = index(&indexed, &words)?;
        Ok(Self {
            documents: documents.len(),
            passages: indexed,
            thesaurus: Thesaurus::new(&words),
            words,
            frequencies,
            reader,
            fields,
        })
    }

    /// How many documents were read.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.documents
    }

    /// How many passages they have.
    #[must_use]
    pub fn passages(&self) -> usize {
        self.passages.len()
    }

    /// The passages nearest to a question, at most `most`.
    ///
    /// # Errors
    /// When the index fails; it is in memory, so this is a fault of the program.
    pub fn look_up(&self, question: &str, most: usize) -> Result<Lookup, DocumentsError> {
        let weighed = Question::new(question, &self.words, &self.thesaurus, &self.frequencies);
        let Some(query) = self.query(&weighed) else {
            return Ok(Lookup::default());
        };
        let searcher = self.reader.searcher();
        let collector = TopDocs::with_limit(CANDIDATES).order_by_score();
        let mut ranked = Vec::new();
        for (score, address) in searcher.search(&query, &collector)? {
            // There is one segment, and its documents are numbered as they were added.
            let number = usize::try_from(address.doc_id).unwrap_or(usize::MAX);
            let Some(indexed) = self.passages.get(number) else {
                continue;
            };
            let fit = weighed.fit(&indexed.words);
            let rank = f64::from(score) * (0.3 + fit.coverage);
            ranked.push((fit, rank, score, indexed));
        }
        ranked.sort_by(|a, b| {
            (b.0.answers, b.1)
                .partial_cmp(&(a.0.answers, a.1))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let is_answered = ranked.first().is_some_and(|best| best.0.answers);
        let found = ranked
            .into_iter()
            .take(most)
            .map(|(fit, _, score, indexed)| Found {
                quote: self.quote(&weighed, &indexed.passage.text),
                passage: indexed.passage.clone(),
                coverage: fit.coverage,
                score,
            });
        Ok(Lookup {
            found: found.collect(),
            is_answered,
        })
    }

    /// Words of the question in headings and texts; none when it has none.
    fn query(&self, question: &Question) -> Option<BooleanQuery> {
        let terms = question.terms.iter().map(|term| {
            let own = [
                (self.fields.heading, HEADING_BOOST),
                (self.fields.text, 1.0),
            ];
            let mut ways: Vec<Box<dyn Query>> = own
                .into_iter()
                .map(|(field, boost)| word_query(field, &term.stem, boost))
                .collect();
            for stem in &term.related {
                ways.extend(
                    own.into_iter()
                        .map(|(field, boost)| word_query(field, stem, boost * RELATED_BOOST)),
                );
            }
            let best = DisjunctionMaxQuery::new(ways);
            (Occur::Should, Box::new(best) as Box<dyn Query>)
        });
        let terms: Vec<(Occur, Box<dyn Query>)> = terms.collect();
        (!terms.is_empty()).then(|| BooleanQuery::new(terms))
    }

    /// The sentence of a passage that answers best, with those after and before it
    /// that there is room for.
    fn quote(&self, question: &Question, text: &str) -> String {
        let sentences = sentences(text);
        let weight = |at: &usize| question.weight_in(&self.words.of(sentences[*at]));
        let heavier = |a: &usize, b: &usize| {
            // Of equals the first.
            weight(a).total_cmp(&weight(b)).then(b.cmp(a))
        };
        let best = (0..sentences.len()).max_by(heavier);
        let Some(best) = best.filter(|at| sentences[*at].len() <= MAX_QUOTE_BYTES) else {
            return shortened(text).replace('\n', " ");
        };
        let (mut from, mut to) = (best, best + 1);
        let mut room = MAX_QUOTE_BYTES - sentences[best].len();
        while let Some(next) = sentences.get(to).filter(|next| next.len() < room) {
            room -= next.len() + 1;
            to += 1;
        }
        while let Some(before) = from.checked_sub(1).filter(|at| sentences[*at].len() < room) {
            room -= sentences[before].len() + 1;
            from = before;
        }
        sentences[from..to].join(" ")
    }
}

fn word_query(field: Field, stem: &str, boost: f32) -> Box<dyn Query> {
    let term = Term::from_field_text(field, stem);
    let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
    Box::new(BoostQuery::new(Box::new(query), boost))
}

/// An index in memory, made on this thread.
fn index(passages: &[Indexed], words: &Words) -> Result<(IndexReader, Fields), DocumentsError> {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(ANALYZER)
        .set_index_option(IndexRecordOption::WithFreqs);
    let text = TextOptions::default().set_indexing_options(indexing);
    let fields = Fields {
        heading: schema.add_text_field("heading", text.clone()),
        text: schema.add_text_field("text", text),
    };
    let analyzers = TokenizerManager::new();
    analyzers.register(ANALYZER, words.analyzer());
    // Nothing is stored: the passages are kept beside the index.
    let settings = IndexSettings {
        docstore_compression: Compressor::None,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    };
    let builder = Index::builder()
        .schema(schema.build())
        .tokenizers(analyzers)
        .settings(settings);
    let mut writer = builder.single_segment_index_writer(RamDirectory::create(), INDEXING_BYTES)?;
    for indexed in passages {
        let mut document = TantivyDocument::new();
        document.add_text(fields.heading, indexed.passage.heading());
        document.add_text(fields.text, &indexed.passage.text);
        writer.add_document(document)?;
    }
    let index = writer.finalize()?;
    // Nothing is written any more, so no thread watches for changes.
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
    Ok((reader.try_into()?, fields))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn library(files: &[(&str, &str)]) -> Library {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Library::open(&[folder.path().to_owned()]).unwrap()
    }

    const MANUAL: &str = "# Manual\n## Gripper\n### Payload\nThe gripper lifts at most 3 kg.\n\n\
        ## Cameras\nThere are two cameras. Each takes 25 pictures a second.\n\n\
        ## Urdu\nرفتار ایک میٹر فی سیکنڈ ہے۔\n";

    #[test]
    fn the_passage_that_answers_is_cited_and_quoted() {
        let library = library(&[("manual.md", MANUAL), ("other.txt", "Nothing of interest.")]);
        assert_eq!((library.documents(), library.passages()), (2, 4));
        for (question, heading, quote) in [
            (
                "how heavy a thing may the gripper lift?",
                "Manual › Gripper › Payload",
                "The gripper lifts at most 3 kg.",
            ),
            (
                "How many cameras are there?",
                "Manual › Cameras",
                "There are two cameras. Each takes 25 pictures a second.",
            ),
            (
                "رفتار کیا ہے؟",
                "Manual › Urdu",
                "رفتار ایک میٹر فی سیکنڈ ہے۔",
            ),
        ] {
            let lookup = library.look_up(question, 3).unwrap();
            assert!(lookup.is_answered, "{question}: {lookup:?}");
            let best = &lookup.found[0];
            assert_eq!(best.passage.heading(), heading, "{question}");
            assert_eq!(best.quote, quote);
        }
    }

    #[test]
    fn what_is_not_there_is_not_answered() {
        let library = library(&[("manual.md", MANUAL)]);
        for question in [
            "what does the gripper cost?",
            "how heavy are the cameras?",
            "how wide is the gripper?",
            "who are you?",
            "what is it?",
            "",
            "قیمت کیا ہے؟",
            "\u{0}\u{1f916}",
        ] {
            let lookup = library.look_up(question, 3).unwrap();
            assert!(!lookup.is_answered, "{question}: {lookup:?}");
        }
        let endless = "gripper lift payload ".repeat(20_000);
        assert!(library.look_up(&endless, 3).is_ok());
    }

    #[test]
    fn a_library_may_be_empty() {
        let library = library(&[("empty.md", "")]);
        assert_eq!((library.documents(), library.passages()), (1, 0));
        assert_eq!(
            library.look_up("what is that?", 3).unwrap(),
            Lookup::default()
        );
        assert!(
            !library
                .look_up("what is a gripper?", 3)
                .unwrap()
                .is_answered
        );
        assert_eq!(Library::open(&[]).unwrap().documents(), 0);
    }

    #[test]
    fn a_quotation_is_a_piece_of_the_passage() {
        let long = format!(
            "# A\n{} The bolt is 5 mm wide. {}",
            "Word. ".repeat(80),
            "More. ".repeat(80)
        );
        let library = library(&[("a.md", &long)]);
        let lookup = library.look_up("how wide is the bolt?", 1).unwrap();
        let found = &lookup.found[0];
        assert!(
            found.quote.starts_with("The bolt is 5 mm wide."),
            "{}",
            found.quote
        );
        assert!(found.passage.text.contains(&found.quote));
    }
}
