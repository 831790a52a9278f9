//! Words that stop the arm.

/// Whole lines that mean stop, without signs, in small letters. The last ones
/// are Urdu.
const STOP_LINES: [&str; 16] = [
    "stop",
    "stop it",
    "stop now",
    "please stop",
    "stop please",
    "halt",
    "freeze",
    "abort",
    "hold it",
    "emergency stop",
    "whoa",
    "رکو",
    "رک",
    "رک جاؤ",
    "رک جائیں",
    "روکو",
];

/// Whether a line is a call to stop, however loudly: "stop", "STOP!!", "stop
/// stop stop". "Stop at the bowl" is a sentence, not a call.
pub(crate) fn is_stop_word(line: &str) -> bool {
    let words: Vec<String> = line
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let (Some(first), line) = (words.first(), words.join(" ")) else {
        return false;
    };
    if vola_planner::is_stop_word(&line) {
        return true;
    }
    let repeated = words.iter().all(|word| word == first) && STOP_LINES.contains(&first.as_str());
    repeated || STOP_LINES.contains(&line.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_to_stop_are_told_from_sentences() {
        for call in [
            "stop",
            "Stop!",
            " STOP!!! ",
            "stop stop stop",
            "halt.",
            "freeze",
            "please stop",
            "رکو",
            "رک جاؤ!",
            "رک جائیں",
            "ruko",
            "stop right now",
        ] {
            assert!(is_stop_word(call), "{call}");
        }
        for sentence in [
            "",
            "!",
            "stop at the bowl",
            "pick up the stop sign",
            "do not stop",
            "go",
            "halt the block",
        ] {
            assert!(!is_stop_word(sentence), "{sentence}");
        }
    }
}
