//! Numbers and lists in words.

/// "93.0 %"; "–" for what could not be measured.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.1} %", 100.0 * share)
    } else {
        "–".to_owned()
    }
}

/// "6.1 s"; "–" for what could not be measured.
pub(crate) fn seconds(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.1} s")
    } else {
        "–".to_owned()
    }
}

/// "a, b and c".
pub(crate) fn joined(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_numbers_read_naturally() {
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        for (list, expected) in [
            ("", ""),
            ("a", "a"),
            ("a b", "a and b"),
            ("a b c", "a, b and c"),
        ] {
            assert_eq!(joined(&words(list)), expected);
        }
        assert_eq!(percent(0.9304), "93.0 %");
        assert_eq!(percent(f64::NAN), "–");
        assert_eq!(seconds(6.08), "6.1 s");
    }
}
