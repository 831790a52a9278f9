//! Sentences that only thank.
//!
//! Words of thanks are passed over wherever they stand, since they come with
//! commands; a sentence of nothing else has nothing left to be read by.

use super::words::{one_spelling, split};

const THANKS: &[&str] = &[
    "thanks",
    "thank",
    "thx",
    "cheers",
    "شکریہ",
    "مہربانی",
    "نوازش",
    "shukriya",
    "shukria",
    "meherbani",
    "mehrbani",
    "nawazish",
];

/// Words that come with them.
const BESIDE: &[&str] = &[
    "a",
    "lot",
    "so",
    "very",
    "much",
    "many",
    "you",
    "for",
    "that",
    "this",
    "your",
    "help",
    "then",
    "again",
    "ok",
    "okay",
    "great",
    "well",
    "oh",
    "بہت",
    "بڑی",
    "اپ",
    "اپکا",
    "تمہارا",
    "تمہاری",
    "کا",
    "کی",
    "کی",
    "لیی",
    "ہی",
    "اچہا",
    "ٹہیک",
    "جی",
    "چلو",
    "واہ",
    "اس",
    "مدد",
    "دوست",
    "bohat",
    "bahut",
    "bohot",
    "aap",
    "ap",
    "apka",
    "aapka",
    "tumhara",
    "tumhari",
    "ka",
    "ki",
    "ke",
    "liye",
    "ji",
    "acha",
    "chalo",
    "wah",
    "madad",
    "dost",
];

/// Whether a sentence thanks and says nothing else.
pub(super) fn only_thanks(sentence: &str) -> bool {
    let spelled: String = sentence.to_lowercase().chars().map(one_spelling).collect();
    let mut words = spelled.split(|c: char| !c.is_alphanumeric());
    let thanks = words.any(|word| THANKS.iter().any(|own| is_same(own, word)));
    thanks
        && split(sentence).iter().all(|word| {
            let all = THANKS.iter().chain(BESIDE);
            all.into_iter().any(|own| is_same(own, &word.text))
        })
}

/// Whether a word of a list is spelled so.
fn is_same(own: &str, word: &str) -> bool {
    own.chars().map(one_spelling).eq(word.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thanks_alone_are_told_from_thanks_with_a_wish() {
        for sentence in [
            "Thanks a lot!",
            "thank you very much",
            "بہت شکریہ",
            "شکریہ۔",
            "آپ کا بہت شکریہ",
            "bohat shukriya bhai",
        ] {
            assert!(only_thanks(sentence), "{sentence}");
        }
        for sentence in [
            "open the drawer, thanks",
            "دراز کھولو، شکریہ",
            "very much",
            "",
            "drawer kholo meherbani",
        ] {
            assert!(!only_thanks(sentence), "{sentence}");
        }
    }
}
