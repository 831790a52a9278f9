//! Stop words: recognised without a model and without the grammar.

/// Whether a line is nothing but an order to stop ("stop", "STOP!!", "halt",
/// "ruko"). The caller stops the robot first and plans never. Costs a few
/// string comparisons, no allocation beyond the line's copy.
#[must_use]
pub fn is_stop_word(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "stop", "halt", "freeze", "abort", "quit", "whoa", "ruko", "ruk", "rukiye", "roko", "bas", "رکو",
        "رک", "روکو", "روکیں", "بس",
    ];
    const SOFT: &[&str] = &[
        "please",
        "now",
        "it",
        "that",
        "right",
        "at",
        "once",
        "everything",
        "moving",
        "all",
        "jao",
        "jaen",
        "جاؤ",
        "جائیں",
        "emergency",
        "the",
        "robot",
        "arm",
        "immediately",
        "oh",
        "no",
        "hey",
    ];
    if line.len() > 80 {
        return false;
    }
    let lower = line.to_lowercase();
    let mut words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .peekable();
    if words.peek().is_none() {
        return false;
    }
    let mut stops = false;
    for word in words {
        if WORDS.contains(&word) {
            stops = true;
        } else if !SOFT.contains(&word) {
            return false;
        }
    }
    stops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_stop_and_nothing_else_does() {
        for line in [
            "stop",
            "STOP!!",
            "please stop now",
            "Halt.",
            "رکو",
            "emergency stop",
            "ruko!",
            "رک جائیں",
        ] {
            assert!(is_stop_word(line), "{line}");
        }
        for line in [
            "",
            "!!!",
            "do not stop",
            "put it by the stop sign",
            "please",
            "now",
        ] {
            assert!(!is_stop_word(line), "{line}");
        }
    }
}
