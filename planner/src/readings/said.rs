//! The colours that a sentence plainly says.
//!
//! A small model drops one of three colours, or takes one for another, more
//! often than a person names a colour in vain. Only whole, plain colour words
//! count; odd ones ("walnut") and typing slips say nothing either way.

use vola_types::COLORS;

/// Weight of a line for each colour that was said and that it leaves out;
/// "not the blue one" says a colour that a plan may leave out.
const LEFT_OUT: f64 = 0.35;
/// Weight of a line for each colour that it has in place of one that was said.
const EXCHANGED: f64 = 0.1;

/// Weight of a line about the bowl of the same colour where nobody spoke of
/// colours that match.
const UNSAID_MATCH: f64 = 0.15;

/// Beginnings of words that speak of colours that match.
const MATCHING: [&str; 16] = [
    "match",
    "same",
    "own",
    "colo",
    "its",
    "their",
    "respective",
    "correspond",
    "sort",
    "each",
    "رنگ",
    "اپن",
    "میچ",
    "rang",
    "apn",
    "ہم",
];

/// Plain words of the ten colours in Urdu, in its script and in Latin letters,
/// by their English names.
const URDU: [(&str, &[&str]); 10] = [
    (
        "blue",
        &["نیلا", "نیلے", "نیلی", "neela", "neele", "neelay", "neeli"],
    ),
    ("red", &["لال", "سرخ", "laal", "lal", "surkh"]),
    (
        "green",
        &[
            "ہرا", "ہرے", "ہری", "سبز", "hara", "hare", "haray", "hari", "sabz",
        ],
    ),
    ("orange", &["نارنجی", "narangi"]),
    (
        "yellow",
        &["پیلا", "پیلے", "پیلی", "peela", "peele", "peelay", "peeli"],
    ),
    ("purple", &["جامنی", "jamni", "jaamni"]),
    ("pink", &["گلابی", "gulabi"]),
    ("cyan", &["فیروزی", "firozi", "ferozi"]),
    (
        "brown",
        &[
            "بھورا",
            "بھورے",
            "بھوری",
            "bhoora",
            "bhooray",
            "bhoore",
            "bhoori",
        ],
    ),
    ("gray", &["سرمئی", "surmai", "surmayi", "grey"]),
];

/// Colours that were said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    colors: Vec<&'static str>,
    /// Whether the words could speak of colours that match.
    pub(super) speaks_of_matching: bool,
}

impl Said {
    /// The colours of a sentence.
    pub(super) fn in_sentence(sentence: &str) -> Self {
        let mut colors = Vec::new();
        let mut speaks_of_matching = false;
        for word in sentence.to_lowercase().split(|c: char| !c.is_alphabetic()) {
            speaks_of_matching |= MATCHING.iter().any(|start| word.starts_with(start));
            if let Some(color) = color_of(word)
                && !colors.contains(&color)
            {
                colors.push(color);
            }
        }
        Self {
            colors,
            speaks_of_matching,
        }
    }

    /// How well a line of the compact language agrees with them, 0..=1.
    pub(super) fn agreement(&self, line: &str) -> f64 {
        let is_about_things = ["do ", "fix ", "same ", "answer ", "ask "]
            .iter()
            .any(|start| line.starts_with(start));
        let unsaid = if line.contains("matching") && !self.speaks_of_matching {
            UNSAID_MATCH
        } else {
            1.0
        };
        if self.colors.is_empty() || !is_about_things {
            return unsaid;
        }
        // "sort" and "matching bowl" go by colour without naming one.
        let own = Self::in_sentence(line);
        let left_out = self.colors.iter().filter(|c| !own.colors.contains(c));
        let added = own.colors.iter().filter(|c| !self.colors.contains(c));
        let (left_out, added) = (left_out.count(), added.count());
        let exchanged = left_out.min(added);
        let power = |base: f64, count: usize| base.powi(i32::try_from(count).unwrap_or(i32::MAX));
        unsaid * power(EXCHANGED, exchanged) * power(LEFT_OUT, left_out - exchanged)
    }
}

fn color_of(word: &str) -> Option<&'static str> {
    let english = COLORS.iter().find(|color| **color == word).copied();
    english.or_else(|| {
        let urdu = URDU.iter().find(|(_, words)| words.contains(&word))?;
        Some(urdu.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_weighed_by_the_colours_that_were_said() {
        let three = Said::in_sentence("Red, green and سرمئی blocks in the bowl");
        let all = three.agreement("do put red block + green block + gray block in bowl");
        let dropped = three.agreement("do put red block + gray block in bowl");
        let exchanged = three.agreement("do put red block + green block + pink block in bowl");
        assert!(
            all > dropped && dropped > exchanged,
            "{dropped} {exchanged}"
        );
        assert!((all - 1.0).abs() < 1e-12);
        for silent in ["take the walnut one", "", "reddish"] {
            let said = Said::in_sentence(silent);
            assert!((said.agreement("do take brown block") - 1.0).abs() < 1e-12);
        }
        assert!((three.agreement("unsafe throw") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn every_colour_has_its_words() {
        for color in COLORS {
            assert!(URDU.iter().any(|(name, _)| *name == color), "{color}");
        }
    }
}
