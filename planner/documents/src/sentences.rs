//! Sentences of a passage, so that an answer quotes what answers and no more.

/// Longest quotation, in bytes.
pub(crate) const MAX_QUOTE_BYTES: usize = 420;

/// The sentences of a text as pieces of it, in order; nothing between them is
/// lost but white space.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    for line in text.lines() {
        let mut start = 0;
        for (at, mark) in line.char_indices() {
            let after = at + mark.len_utf8();
            let rest = line.get(after..).unwrap_or_default();
            if matches!(mark, '.' | '!' | '?' | '۔' | '؟') && begins_sentence(rest) {
                all.push(line.get(start..after).unwrap_or_default().trim());
                start = after;
            }
        }
        all.push(line.get(start..).unwrap_or_default().trim());
    }
    all.retain(|sentence| !sentence.is_empty());
    all
}

/// Whether what follows a full stop is the beginning of another sentence.
fn begins_sentence(rest: &str) -> bool {
    let mut letters = rest.chars();
    letters.next().is_none_or(char::is_whitespace)
        && letters
            .find(|letter| !letter.is_whitespace())
            .is_some_and(|first| !first.is_lowercase())
}

/// A text cut to the longest quotation, at a space.
pub(crate) fn shortened(text: &str) -> &str {
    if text.len() <= MAX_QUOTE_BYTES {
        return text;
    }
    let end = text.floor_char_boundary(MAX_QUOTE_BYTES);
    let end = text[..end]
        .rfind(' ')
        .filter(|at| *at > MAX_QUOTE_BYTES / 2)
        .unwrap_or(end);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_another_begins() {
        assert_eq!(
            sentences("It is 2.5 cm. Type `stop`. See e.g. this!\nرکو۔ اور"),
            [
                "It is 2.5 cm.",
                "Type `stop`.",
                "See e.g. this!",
                "رکو۔",
                "اور"
            ]
        );
        assert!(sentences(" \n").is_empty());
        assert!(shortened(&"wort ".repeat(200)).len() <= MAX_QUOTE_BYTES);
        assert!(shortened(&"ü".repeat(400)).len() <= MAX_QUOTE_BYTES);
    }
}
