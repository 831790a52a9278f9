//! Letters as words are compared: small, without vowel signs, and one letter where
//! keyboards have several.

/// The text in the letters that word lists are written in. Allocates one copy.
pub(crate) fn usual(text: &str) -> String {
    let letters = text.chars().flat_map(char::to_lowercase);
    letters
        .filter(|letter| !is_mark(*letter))
        .map(usual_letter)
        .collect()
}

/// Vowel signs and marks that are written or not.
fn is_mark(letter: char) -> bool {
    matches!(
        letter,
        '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{200c}' | '\u{200d}'
    )
}

/// One letter where keyboards have several.
fn usual_letter(letter: char) -> char {
    match letter {
        'ي' | 'ى' => 'ی',
        'ك' => 'ک',
        'ه' => 'ہ',
        '’' | '‘' => '\'',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_the_same_is_the_same() {
        for (text, expected) in [
            ("Don’t STOP", "don't stop"),
            ("فوراً", "فورا"),
            ("ركو", "رکو"),
            ("رُک جاؤ", "رک جاؤ"),
            ("نهيں", "نہیں"),
        ] {
            assert_eq!(usual(text), expected);
        }
    }
}
