//! Words that stand for one another, so that "how heavy" finds "payload".

use std::collections::HashMap;

use crate::words::Words;

/// Groups of related words; a word may be in several.
const GROUPS: &str = include_str!("thesaurus.txt");

/// Related words by stem.
#[derive(Debug, Default)]
pub(crate) struct Thesaurus {
    related: HashMap<String, Vec<String>>,
}

impl Thesaurus {
    pub(crate) fn new(words: &Words) -> Self {
        let mut related: HashMap<String, Vec<String>> = HashMap::new();
        for line in GROUPS.lines().filter(|line| !line.starts_with('#')) {
            let stems: Vec<String> = line
                .split_whitespace()
                .map(|word| words.stem(word))
                .collect();
            for stem in &stems {
                let known = related.entry(stem.clone()).or_default();
                for other in &stems {
                    if other != stem && !known.contains(other) {
                        known.push(other.clone());
                    }
                }
            }
        }
        Self { related }
    }

    /// Stems that are nearly as good as this one.
    pub(crate) fn related(&self, stem: &str) -> &[String] {
        self.related.get(stem).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_relate_stems_both_ways() {
        let words = Words::new();
        let thesaurus = Thesaurus::new(&words);
        let payload = words.stem("payload");
        assert!(thesaurus.related(&words.stem("heavy")).contains(&payload));
        assert!(thesaurus.related(&payload).contains(&words.stem("weight")));
        assert!(thesaurus.related("xyzzy").is_empty());
    }
}
