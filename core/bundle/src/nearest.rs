//! The known word nearest to a mistyped one.

/// The candidate that a person most likely meant, if any is near enough: at
/// most two edits for short words, a third of the length for long ones.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| {
            // A forgotten ending, most often a unit, is the likeliest slip.
            let is_beginning = word.len() >= 3 && candidate.starts_with(word);
            let edits = distance(word, candidate);
            (if is_beginning { edits.min(1) } else { edits }, candidate)
        })
        .filter(|(edits, _)| *edits <= limit)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// A sentence that names the nearest known word and all known words.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    let all = known
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? known: {all}"),
        None => format!("known: {all}"),
    }
}

/// Edits (insert, delete, replace, swap of neighbours) between two words.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, &a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in right.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && a == right[j - 1] && left[i - 1] == b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_or_nothing_is() {
        let known = ["period_ms", "execute_rows", "mode"];
        for (word, expected) in [
            ("perod_ms", Some("period_ms")),
            ("exectue_rows", Some("execute_rows")),
            ("moed", Some("mode")),
            ("period", Some("period_ms")),
            ("workspace", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
