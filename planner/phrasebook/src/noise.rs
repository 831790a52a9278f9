//! How people type: fillers, case, punctuation, slips of the finger.

use fastrand::Rng;

use crate::book::Book;
use crate::language::Language;
use crate::realise::pick;

const KEYBOARD: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Letters of the Urdu script that are often typed for one another.
const ALIKE: [(char, char); 6] = [
    ('ی', 'ي'),
    ('ک', 'ك'),
    ('ہ', 'ه'),
    ('ئ', 'ی'),
    ('ے', 'ی'),
    ('ں', 'ن'),
];

/// The sentence as somebody typed it.
pub(crate) fn typed(sentence: String, language: Language, book: &Book, rng: &mut Rng) -> String {
    let mut text = sentence;
    if language == Language::English {
        text = with_articles(&text);
    }
    if rng.f32() < 0.12 {
        let opener = pick(&book.list("opener"), rng).cloned().unwrap_or_default();
        if opener != "opener" {
            let comma = if rng.bool() { "," } else { "" };
            text = format!("{opener}{comma} {text}");
        }
    }
    if rng.f32() < 0.1 {
        let closer = pick(&book.list("closer"), rng).cloned().unwrap_or_default();
        if closer != "closer" {
            text = format!("{} {closer}", text.trim_end_matches('?'));
        }
    }
    if rng.f32() < 0.04 {
        text = with_filler(&text, book, rng);
    }
    if rng.f32() < 0.22 {
        for _ in 0..=rng.usize(..2) {
            text = with_slip(&text, language, rng);
        }
    }
    if language != Language::Urdu {
        text = match rng.f32() {
            share if share < 0.35 => capital(&text),
            share if share < 0.37 => text.to_uppercase(),
            _ => text,
        };
    }
    finished(text, language, rng)
}

/// "a orange block" is "an orange block".
fn with_articles(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let vowel = |word: &&str| word.starts_with(['a', 'e', 'i', 'o', 'u']);
    let article = |(index, word): (usize, &&str)| {
        if *word == "a" && words.get(index + 1).is_some_and(vowel) {
            "an".to_owned()
        } else {
            (*word).to_owned()
        }
    };
    let all: Vec<String> = words.iter().enumerate().map(article).collect();
    all.join(" ")
}

fn finished(mut text: String, language: Language, rng: &mut Rng) -> String {
    let is_open = !text.ends_with(['?', '!', '.', '؟', '۔']);
    if is_open && rng.f32() < 0.35 {
        let full_stop = if language == Language::Urdu {
            '۔'
        } else {
            '.'
        };
        text.push(if rng.f32() < 0.8 { full_stop } else { '!' });
    }
    if rng.f32() < 0.1 {
        text = text.replace(',', "");
    }
    text
}

fn with_filler(text: &str, book: &Book, rng: &mut Rng) -> String {
    let filler = pick(&book.list("filler"), rng).cloned().unwrap_or_default();
    let words: Vec<&str> = text.split(' ').collect();
    if filler == "filler" || words.len() < 3 {
        return text.to_owned();
    }
    let at = 1 + rng.usize(..words.len() - 1);
    [&words[..at], &[filler.as_str()], &words[at..]]
        .concat()
        .join(" ")
}

/// One slip in one word of four letters or more.
fn with_slip(text: &str, language: Language, rng: &mut Rng) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let long: Vec<usize> = (0..words.len())
        .filter(|index| words[*index].chars().count() > 3)
        .collect();
    let Some(index) = pick(&long, rng).copied() else {
        return text.to_owned();
    };
    let mut letters: Vec<char> = words[index].chars().collect();
    let at = rng.usize(1..letters.len() - 1);
    match rng.u8(..5) {
        0 => letters.swap(at, at + 1),
        1 => {
            letters.remove(at);
        }
        2 => letters.insert(at, letters[at]),
        3 if language == Language::Urdu => {
            for letter in &mut letters {
                if let Some((_, other)) = ALIKE.iter().find(|(own, _)| own == letter) {
                    *letter = *other;
                }
            }
        }
        3 => letters[at] = beside(letters[at], rng),
        _ => letters.insert(at, beside(letters[at], rng)),
    }
    let slipped: String = letters.into_iter().collect();
    let mut words = words;
    words[index] = &slipped;
    words.join(" ")
}

/// A key beside this one.
fn beside(letter: char, rng: &mut Rng) -> char {
    for row in KEYBOARD {
        if let Some(at) = row.find(letter) {
            let row = row.as_bytes();
            let other = if rng.bool() {
                at + 1
            } else {
                at.wrapping_sub(1)
            };
            return row.get(other).map_or(letter, |key| char::from(*key));
        }
    }
    letter
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
