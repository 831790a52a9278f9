//! Stop words: recognised without a model and without the grammar.

/// Words that stop, alone or with soft words around them: English, Urdu in Latin
/// letters, Urdu.
const WORDS: &[&str] = &[
    "stop",
    "halt",
    "freeze",
    "abort",
    "quit",
    "whoa",
    "ruko",
    "rukko",
    "rukho",
    "ruk",
    "rukiye",
    "rukain",
    "roko",
    "rokiye",
    "bas",
    "رکو",
    "رک",
    "رکیے",
    "رکیں",
    "روکو",
    "روک",
    "روکیں",
    "بس",
];

/// Words beside them that change nothing.
const SOFT: &[&str] = &[
    "please",
    "now",
    "it",
    "that",
    "this",
    "right",
    "at",
    "once",
    "everything",
    "moving",
    "all",
    "emergency",
    "the",
    "robot",
    "arm",
    "immediately",
    "oh",
    "no",
    "hey",
    "vola",
    "jao",
    "ja",
    "jaen",
    "jaiye",
    "jaye",
    "karo",
    "kar",
    "do",
    "dein",
    "abhi",
    "foran",
    "fauran",
    "yahin",
    "جاؤ",
    "جا",
    "جائیں",
    "جائیے",
    "کرو",
    "کر",
    "دو",
    "دیں",
    "ابھی",
    "فورا",
    "یہیں",
];

/// Whole lines that stop although none of their words does.
const LINES: &[&str] = &["hold it", "hold it right there", "cut it out"];

/// Whether a line is nothing but an order to stop ("stop", "STOP!!", "halt",
/// "ruk jao"). Every place that must know asks here. The caller stops the robot
/// first and plans never. Costs a few string comparisons, no allocation beyond
/// the line's copy.
///
/// "Band karo" is not among them: after "open the drawer" it means to close it.
#[must_use]
pub fn is_stop_word(line: &str) -> bool {
    if line.len() > 80 {
        return false;
    }
    // Vowel signs are written or not.
    let lower: String = line
        .to_lowercase()
        .chars()
        .filter(|letter| !matches!(letter, '\u{064b}'..='\u{065f}'))
        .collect();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if LINES.contains(&words.join(" ").as_str()) {
        return true;
    }
    let stops = words.iter().any(|word| WORDS.contains(word));
    stops
        && words
            .iter()
            .all(|word| WORDS.contains(word) || SOFT.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_stop_and_nothing_else_does() {
        for line in [
            "stop",
            "Stop!",
            " STOP!!! ",
            "stop stop stop",
            "halt.",
            "freeze",
            "please stop now",
            "stop right now",
            "stop everything",
            "hold it!",
            "whoa",
            "emergency stop",
            "ruko",
            "Ruk jao!",
            "bas karo",
            "abhi ruko",
            "رکو",
            "رک جاؤ!",
            "رک جائیں",
            "فوراً رکو",
            "بس",
        ] {
            assert!(is_stop_word(line), "{line}");
        }
        for line in [
            "",
            "!!!",
            "do not stop",
            "put it by the stop sign",
            "stop at the bowl",
            "halt the block",
            "please",
            "now",
            "do it",
            "go",
            "drawer band karo",
            "karo",
        ] {
            assert!(!is_stop_word(line), "{line}");
        }
    }
}
