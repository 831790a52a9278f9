//! Words, the same for documents and questions.
//!
//! A word is a run of letters and digits of any script, in small letters; "dead-man"
//! is two words and also one. Arabic letters that are written in several ways
//! become one, and vowel signs are dropped. English words lose their endings
//! (Snowball, through tantivy); Urdu words stay as they are.

use tantivy::tokenizer::{Language, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer};

/// Most words of a question that are read.
const MAX_QUESTION_WORDS: usize = 120;
/// Longest word that is kept, in bytes.
const MAX_WORD_BYTES: usize = 60;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// In small letters, as it is written.
    pub(crate) written: String,
    /// Without its ending.
    pub(crate) stem: String,
    /// Whether it is one run of letters; not "deadman" for "dead-man".
    pub(crate) is_whole: bool,
}

/// Makes words of texts.
#[derive(Clone)]
pub(crate) struct Words(TextAnalyzer);

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words")
    }
}

impl Words {
    pub(crate) fn new() -> Self {
        let stemmer = Stemmer::new(Language::English);
        Self(TextAnalyzer::builder(Splitter).filter(stemmer).build())
    }

    /// What tantivy uses to index.
    pub(crate) fn analyzer(&self) -> TextAnalyzer {
        self.0.clone()
    }

    /// All words of a text.
    pub(crate) fn of(&self, text: &str) -> Vec<Word> {
        let written = split(text);
        let mut analyzer = self.0.clone();
        let mut stream = analyzer.token_stream(text);
        let mut words = Vec::with_capacity(written.len());
        let mut written = written.into_iter();
        while let (true, Some(token)) = (stream.advance(), written.next()) {
            words.push(Word {
                written: token.text,
                stem: stream.token().text.clone(),
                is_whole: token.position_length == 1,
            });
        }
        words
    }

    /// The stem of a single word.
    pub(crate) fn stem(&self, word: &str) -> String {
        let words = self.of(word);
        words
            .into_iter()
            .next()
            .map_or_else(String::new, |it| it.stem)
    }

    /// Words of a question that say what it is about.
    pub(crate) fn content(&self, question: &str) -> Vec<Word> {
        let mut kept: Vec<Word> = Vec::new();
        for word in self.of(question).into_iter().take(MAX_QUESTION_WORDS) {
            let is_new = kept.iter().all(|other| other.stem != word.stem);
            if is_new && word.is_whole && !is_stop_word(&word.written) {
                kept.push(word);
            }
        }
        kept
    }
}

/// Whether a word says nothing of what a question is about.
pub(crate) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS
        .iter()
        .any(|list| list.split_whitespace().any(|stop| stop == word))
}

/// English; then Urdu in its own letters, and in Latin ones.
const STOP_WORDS: [&str; 3] = [
    "a about actually after all also am an and any anything are as at be because been before being but by can could \
     currently did do does doing done each else even ever every exactly explain for from get gets give going got had \
     happen happened happening happens has have he her here hers him his how however i if in into is it its itself just \
     know let like likely many may me mean means might mine more most much must my myself need now of off ok okay on one \
     ones only onto or other our ours out over own please possible really shall she should show so some somebody someone \
     something still such tell than thanks that the their them then there these they thing things this those \
     through to too under until up upon us use used uses using very wanna want wants was way we well were what whats \
     when where which while who whom whose why will with within without2 would wonder yes you your yours yourself \
     s t d ll m re ve don doesn didn isn aren wasn won describe called call hey hi vola remind maybe exist \
     exists not object objects item items",
    "کیا کیسے کیسا کیسی کتنا کتنی کتنے کون کونسا کونسی سا سی کہاں کیوں کب کس کن ہے ہیں ہو ہوں تھا تھی تھے ہوتا ہوتی \
     ہوتے کا کی کے کو سے میں پر نے تک اور یا یہ وہ اس ان جو تو بھی ہی مجھے مجھ تم آپ ہم مجھکو بتاؤ بتائیں بتا دو کر کرتا \
     کرتی کرتے کرنا کریں سکتا سکتی سکتے گا گی گے ایک کوئی جب اگر لیے",
    "kya kaise kaisa kaisi kitna kitni kitne kon kaun konsa konsi sa si kahan kyun kyon kab kis kin hai hain ho hoon \
     tha thi the hota hoti hote ka ki ke ko se mein main par ne tak aur ya yeh ye woh wo us un jo bhi hi mujhe tum \
     aap hum batao batain bata do kar karta karti karte karna karein sakta sakti sakte ga gi ge ek koi jab agar liye",
];

/// Cuts a text into words; offsets are bytes of the text.
fn split(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut position = 0;
    let mut start: Option<usize> = None;
    let end_of_text = std::iter::once((text.len(), ' '));
    // Where the word before this one ended, when only a hyphen lies between.
    let mut joined_from: Option<usize> = None;
    for (at, letter) in text.char_indices().chain(end_of_text) {
        if letter.is_alphanumeric() || is_sign(letter) {
            start.get_or_insert(at);
            continue;
        }
        if let Some(from) = start.take() {
            let word = folded(&text[from..at]);
            if !word.is_empty() && word.len() <= MAX_WORD_BYTES {
                if let Some(first) = joined_from.take() {
                    let whole = folded(&text[first..at]);
                    if whole.len() <= MAX_WORD_BYTES {
                        let whole = token(whole, position, (first, at));
                        tokens.push(Token {
                            position_length: 2,
                            ..whole
                        });
                    }
                }
                tokens.push(token(word, position, (from, at)));
                position += 1;
            }
            joined_from = (letter == '-').then_some(from);
        } else {
            joined_from = None;
        }
    }
    tokens
}

fn token(text: String, position: usize, (from, to): (usize, usize)) -> Token {
    Token {
        offset_from: from,
        offset_to: to,
        position,
        text,
        position_length: 1,
    }
}

/// Signs inside of Arabic words that are not written by everybody.
fn is_sign(letter: char) -> bool {
    matches!(
        letter,
        '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '\u{200c}' | '\u{200d}'
    )
}

fn folded(word: &str) -> String {
    word.chars()
        .filter(|letter| letter.is_alphanumeric() && !is_sign(*letter))
        .flat_map(char::to_lowercase)
        .map(|letter| match letter {
            'ي' | 'ى' => 'ی',
            'ك' => 'ک',
            'أ' | 'إ' => 'ا',
            'ة' | 'ۃ' | 'ه' => 'ہ',
            other => other,
        })
        .collect()
}

/// [`split`] as tantivy calls it.
#[derive(Clone)]
struct Splitter;

struct Stream {
    tokens: std::vec::IntoIter<Token>,
    current: Token,
}

impl Tokenizer for Splitter {
    type TokenStream<'a> = Stream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream {
        Stream {
            tokens: split(text).into_iter(),
            current: Token::default(),
        }
    }
}

impl TokenStream for Stream {
    fn advance(&mut self) -> bool {
        match self.tokens.next() {
            Some(token) => {
                self.current = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.current
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(text: &str) -> String {
        let words = Words::new().of(text);
        let stems: Vec<String> = words.into_iter().map(|it| it.stem).collect();
        stems.join(" ")
    }

    #[test]
    fn words_of_any_script() {
        assert_eq!(stems("The ARMS moved, 2.5 cm!"), "the arm move 2 5 cm");
        assert_eq!(stems("a dead-man"), "a dead deadman man");
        assert_eq!(stems("رَفتار كيا"), "رفتار کیا");
        assert_eq!(stems("\u{0} … ''' --"), "");
        assert!(split(&"a".repeat(500)).is_empty());
    }

    #[test]
    fn a_question_is_about_its_content_words() {
        let words = Words::new();
        let content = |question: &str| -> Vec<String> {
            let all = words.content(question);
            all.into_iter().map(|it| it.written).collect()
        };
        assert_eq!(content("What does the dead-man do?"), ["dead", "man"]);
        assert_eq!(
            content("how wide does the gripper open?"),
            ["wide", "gripper", "open"]
        );
        assert_eq!(content("آج موسم کیسا ہے؟"), ["آج", "موسم"]);
        assert!(content("what is it?").is_empty());
        assert!(content(&"word ".repeat(9000)).len() == 1);
    }
}
