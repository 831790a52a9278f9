//! The words a policy is trained to know.

use std::path::Path;

use vola_nn::WordTokenizer;

use crate::{FrameSource, PolicyFile, Result, all_words};

/// Words of every sentence that steps are said with, and of the data's free sentences.
pub(crate) fn vocabulary(source: &dyn FrameSource) -> WordTokenizer {
    let words = all_words();
    let free = (0..source.episodes())
        .map(|index| source.episode(index))
        .filter(|meta| meta.step.is_none())
        .map(|meta| meta.task.as_str());
    WordTokenizer::from_words(words.iter().map(String::as_str).chain(free))
}

/// How the word vectors of one vocabulary come from those of another.
pub(crate) struct WordRows {
    /// The parameter that holds them, `[words, width]`.
    pub(crate) parameter: String,
    /// Words of the other vocabulary.
    pub(crate) known: usize,
    /// For each word its row there; a word that is not there takes the row of the unknown word.
    pub(crate) rows: Vec<u32>,
}

/// The rows of the bundle `start` for the vocabulary `words`; none for a policy that reads no words.
///
/// # Errors
/// The bundle's vocabulary cannot be read.
pub(crate) fn word_rows(
    policy: &PolicyFile,
    start: &Path,
    words: &WordTokenizer,
) -> Result<Option<WordRows>> {
    let Some(stage) = policy.stage("encoders/words") else {
        return Ok(None);
    };
    let file = stage
        .settings
        .get("tokenizer")
        .and_then(|name| name.as_str());
    let known = WordTokenizer::open(&start.join(file.unwrap_or("tokenizer.json")))?;
    let mut rows = vec![0; words.len()];
    for (word, id) in words.words() {
        if let Some(row) = rows.get_mut(id as usize) {
            *row = known.id(word);
        }
    }
    Ok(Some(WordRows {
        parameter: format!("{}embedding", stage.prefix),
        known: known.len(),
        rows,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_word_begins_as_the_unknown_one() {
        let folder = tempfile::tempdir().unwrap();
        let old = WordTokenizer::from_words(["pick", "red", "block"]);
        std::fs::write(folder.path().join("tokenizer.json"), old.to_json()).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/train");
        let policy = PolicyFile::open(&root.join("tabletop.policy.toml")).unwrap();
        let new = WordTokenizer::from_words(["pick", "red", "apple", "block"]);
        let rows = word_rows(&policy, folder.path(), &new).unwrap().unwrap();
        assert_eq!(
            (rows.parameter.as_str(), rows.known),
            ("language.embedding", 5)
        );
        // [PAD], [UNK], apple, block, pick, red
        assert_eq!(rows.rows, [0, 1, 1, 2, 3, 4]);
    }
}
