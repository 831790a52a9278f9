//! Variation of a sentence that does not change its meaning.

use crate::Rng;

/// Words that carry no meaning in these sentences.
pub(crate) const FILLERS: [&str; 20] = [
    "please", "the", "up", "of", "table", "a", "bit", "area", "it", "held", "down", "to", "could",
    "you", "can", "and", "now", "just", "from", "take",
];
/// Words dropped at random; verbs and relations stay.
const DROPPED: [&str; 14] = [
    "please", "the", "up", "of", "a", "bit", "area", "it", "held", "down", "could", "you", "can",
    "and",
];
/// Stands for any word outside the vocabulary.
const UNKNOWN: &str = "xq";

/// How often words are dropped and put in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WordNoise {
    /// Probability that a filler is dropped.
    pub(crate) drop: f32,
    /// Probability of each further filler put in.
    pub(crate) insert: f32,
    /// Probability of one unknown word.
    pub(crate) unknown: f32,
}

/// A varied sentence.
pub(crate) fn vary(sentence: &str, noise: WordNoise, rng: &mut Rng) -> String {
    let mut words: Vec<&str> = sentence
        .split_whitespace()
        .filter(|word| !(DROPPED.contains(word) && rng.chance(noise.drop)))
        .collect();
    while rng.chance(noise.insert) && words.len() < 20 {
        if let Some(filler) = rng.pick(&FILLERS) {
            words.insert(rng.below(words.len() + 1), filler);
        }
    }
    if rng.chance(noise.unknown) {
        words.insert(rng.below(words.len() + 1), UNKNOWN);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meaning_words_stay_in_order() {
        let mut rng = Rng::new(3);
        let noise = WordNoise {
            drop: 0.3,
            insert: 0.35,
            unknown: 0.1,
        };
        let meaning = ["place", "red", "block", "left", "blue", "bowl"];
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let text = vary(
                "please place the red block to the left of the blue bowl",
                noise,
                &mut rng,
            );
            let kept: Vec<&str> = text.split(' ').filter(|w| meaning.contains(w)).collect();
            assert_eq!(kept, meaning);
            lengths.insert(text.split(' ').count());
        }
        assert!(lengths.len() > 5);
        assert_eq!(
            vary(
                "open the drawer",
                WordNoise {
                    drop: 0.0,
                    insert: 0.0,
                    unknown: 0.0
                },
                &mut rng
            ),
            "open the drawer"
        );
    }
}
