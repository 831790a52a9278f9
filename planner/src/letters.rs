//! Letters as words are compared: small, without vowel signs, and one letter where
//! keyboards have several.

/// The text in the letters that word lists are written in. Allocates one copy.
pub(crate) fn usual(text: &str) -> String {
    let letters = text.chars().flat_map(char::to_lowercase);
    let mut usual = String::with_capacity(text.len());
    for letter in letters {
        if let Some(joined) = usual
            .chars()
            .next_back()
            .and_then(|last| joined(last, letter))
        {
            usual.pop();
            usual.push(joined);
        } else if !is_mark(letter) {
            usual.push(usual_letter(letter));
        }
    }
    usual
}

/// Vowel signs and marks that are written or not, and signs that are not seen.
fn is_mark(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{0640}' | '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// A letter and a mark after it that are one letter elsewhere.
fn joined(letter: char, mark: char) -> Option<char> {
    match (letter, mark) {
        ('ا', '\u{0653}') => Some('آ'),
        ('و', '\u{0654}') => Some('ؤ'),
        ('ی', '\u{0654}') => Some('ئ'),
        _ => None,
    }
}

/// One letter where keyboards have several.
fn usual_letter(letter: char) -> char {
    match letter {
        'ي' | 'ى' => 'ی',
        'ك' => 'ک',
        'ه' | 'ة' | 'ۂ' | 'ۀ' => 'ہ',
        'ۓ' => 'ے',
        '’' | '‘' | '`' | '´' | 'ʼ' | '′' => '\'',
        // Wide Latin letters.
        '\u{ff41}'..='\u{ff5a}' => {
            char::from_u32(u32::from(letter) - 0xff41 + u32::from('a')).unwrap_or(letter)
        }
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
            ("ا\u{653}دمی", "آدمی"),
            ("جاو\u{654}", "جاؤ"),
            ("توـڑ", "توڑ"),
            ("th\u{200b}row", "throw"),
            ("Ｔｈｒｏｗ don`t", "throw don't"),
        ] {
            assert_eq!(usual(text), expected);
        }
    }
}
