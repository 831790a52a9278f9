//! How people type: fillers, case, punctuation, slips of the finger.

use fastrand::Rng;

use crate::book::{Book, Manner};
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

/// A sentence as somebody typed it.
pub(crate) struct Typed {
    pub(crate) text: String,
    /// There are slips of the finger.
    pub(crate) is_slipped: bool,
    /// There are words that mean nothing.
    pub(crate) is_casual: bool,
}

/// Types a sentence.
pub(crate) fn typed(sentence: String, language: Language, book: &Book, rng: &mut Rng) -> Typed {
    let mut text = sentence;
    let plain = text.clone();
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
    let practice = book.manner == Manner::Practice;
    if rng.f32() < if practice { 0.1 } else { 0.04 } {
        for _ in 0..=rng.usize(..2) {
            text = with_filler(&text, book, rng);
        }
    }
    let is_casual = text.split(' ').count() > plain.split(' ').count();
    if practice && language == Language::English && rng.f32() < 0.1 {
        text = without_articles(&text);
    }
    let before = text.clone();
    if rng.f32() < 0.22 {
        for _ in 0..=rng.usize(..if practice { 3 } else { 2 }) {
            text = with_slip(&text, language, rng);
        }
    }
    if practice && rng.f32() < 0.03 {
        text = with_slipped_space(&text, rng);
    }
    let is_slipped = text != before;
    if language != Language::Urdu {
        text = match rng.f32() {
            share if share < 0.35 => capital(&text),
            share if share < 0.37 => text.to_uppercase(),
            _ => text,
        };
    }
    Typed {
        text: finished(text, language, rng),
        is_slipped,
        is_casual,
    }
}

/// As people write who save words. "a block" says that any will do, and stays.
fn without_articles(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| *word != "the").collect();
    words.join(" ")
}

/// Two words run together, or a word torn apart.
fn with_slipped_space(text: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let spaces: Vec<usize> = (0..letters.len()).filter(|i| letters[*i] == ' ').collect();
    match pick(&spaces, rng) {
        Some(at) if rng.f32() < 0.7 => drop(letters.remove(*at)),
        Some(at) if *at > 2 => letters.swap(*at, *at - 1),
        _ => {}
    }
    letters.into_iter().collect()
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

/// One slip in one word of four letters or more; sometimes of three.
fn with_slip(text: &str, language: Language, rng: &mut Rng) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let least = if rng.f32() < 0.2 { 3 } else { 4 };
    let long: Vec<usize> = (0..words.len())
        .filter(|index| words[*index].chars().count() >= least)
        .collect();
    let Some(index) = pick(&long, rng).copied() else {
        return text.to_owned();
    };
    let mut letters: Vec<char> = words[index].chars().collect();
    let at = rng.usize(1..letters.len() - 1);
    match rng.u8(..6) {
        5 => slur(&mut letters, rng),
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

/// Vowels and twins as they sound, or as they are left out in haste.
fn slur(letters: &mut Vec<char>, rng: &mut Rng) {
    let vowels: Vec<usize> = (1..letters.len())
        .filter(|index| "aeiou".contains(letters[*index]))
        .collect();
    let Some(at) = pick(&vowels, rng).copied() else {
        return;
    };
    if rng.bool() {
        letters.remove(at);
    } else if let Some(other) = pick(&['a', 'e', 'i', 'o', 'u'], rng) {
        letters[at] = *other;
    }
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
