//! The documents of a deployment, as the planner asks them.

use std::sync::Arc;

use vola_bundle::PlannerSettings;
use vola_documents::Library;
use vola_planner::{DocumentSearch, Found, Ladder, Passage};

use crate::failure::Failure;

/// Passages that a model may be shown for one question.
const PASSAGES: usize = 5;

/// The documents that the settings name; none when they name none.
///
/// # Errors
/// When one of them cannot be used.
pub(crate) fn library(settings: &PlannerSettings) -> Result<Option<Library>, Failure> {
    if settings.documents().is_empty() {
        return Ok(None);
    }
    Ok(Some(Library::open(settings.documents())?))
}

/// The ladder with the documents that the settings name.
///
/// # Errors
/// As [`library`].
pub(crate) fn with_documents(
    ladder: Ladder,
    settings: Option<&PlannerSettings>,
) -> Result<Ladder, Failure> {
    let library = settings.map(library).transpose()?.flatten();
    Ok(match library {
        Some(library) => ladder.with_documents(Arc::new(Shelf(library))),
        None => ladder,
    })
}

/// What was read, in words: "4 documents, 47 passages".
pub(crate) fn words(library: &Library) -> String {
    let counted = |number: usize, noun: &str| {
        let end = if number == 1 { "" } else { "s" };
        format!("{number} {noun}{end}")
    };
    format!(
        "{}, {}",
        counted(library.documents(), "document"),
        counted(library.passages(), "passage")
    )
}

/// A library behind the planner's trait.
struct Shelf(Library);

impl DocumentSearch for Shelf {
    fn search(&self, question: &str) -> Found {
        let lookup = match self.0.look_up(question, PASSAGES) {
            Ok(lookup) => lookup,
            Err(error) => {
                tracing::warn!(%error, "the documents were not searched");
                return Found::default();
            }
        };
        let passages = lookup.found.into_iter().map(|found| Passage {
            heading: found.passage.heading(),
            file: found.passage.file,
            line: found.passage.line,
            text: found.passage.text,
            quote: found.quote,
        });
        Found {
            passages: passages.collect(),
            answers: lookup.is_answered,
        }
    }
}
