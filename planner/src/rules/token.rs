//! Words of a sentence.
//!
//! Everything a keyboard can produce becomes a bounded list of lower-case
//! words, numbers and three kinds of punctuation; what is none of these is
//! dropped. Contractions are spelled out here, so that the grammar knows only
//! "do not" and "what is".

/// Most tokens that are kept of one sentence.
pub(super) const MAX_TOKENS: usize = 300;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// Lower-case text; `,` `.` or `?` for punctuation.
    pub(super) text: String,
    /// Value when the token is written in digits.
    pub(super) number: Option<f64>,
    /// The words of a whole phrase, as they were said.
    said: Option<String>,
}

impl Token {
    pub(super) fn word(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            number: None,
            said: None,
        }
    }

    pub(super) fn is_punctuation(&self) -> bool {
        matches!(self.text.as_str(), "," | "." | "?")
    }

    /// The word, or the words that a phrase stands for.
    pub(super) fn said(&self) -> &str {
        self.said.as_deref().unwrap_or(&self.text)
    }

    /// The noun phrase in the compact language that stands here in place of its
    /// words; only [`tokenize_plain`] makes such tokens.
    pub(super) fn phrase(&self) -> Option<&str> {
        phrase_in(&self.text)
    }
}

/// What a token's text says as a whole phrase; no word begins with a brace.
pub(super) fn phrase_in(text: &str) -> Option<&str> {
    text.strip_prefix('{')
}

/// Splits a sentence; never fails.
pub(super) fn tokenize(sentence: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    tokenize_into(&mut tokens, sentence);
    tokens
}

/// Splits what a reader made of a sentence, in which `{leftmost red block|the red
/// cube on the far left}` is one noun phrase in the compact language, with its words.
pub(super) fn tokenize_plain(sentence: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sentence;
    while let Some((before, from)) = rest.split_once('{') {
        tokenize_into(&mut tokens, before);
        let Some((phrase, after)) = from.split_once('}') else {
            rest = from;
            break;
        };
        if tokens.len() < MAX_TOKENS {
            let (meaning, said) = phrase.split_once('|').unwrap_or((phrase, phrase));
            tokens.push(Token {
                said: Some(said.to_owned()),
                ..Token::word(&format!("{{{meaning}"))
            });
        }
        rest = after;
    }
    tokenize_into(&mut tokens, rest);
    tokens
}

fn tokenize_into(tokens: &mut Vec<Token>, sentence: &str) {
    let mut word = String::new();
    let mut letters = sentence.chars().flat_map(char::to_lowercase).peekable();
    while let Some(letter) = letters.next() {
        let next_is_digit = letters.peek().is_some_and(char::is_ascii_digit);
        let in_number = is_number_start(&word);
        match letter {
            '.' if in_number && next_is_digit => word.push('.'),
            c if c.is_alphanumeric() || c == '_' => {
                let splits = in_number && c.is_alphabetic() && !is_ordinal_tail(c);
                if splits {
                    flush(&mut word, tokens);
                }
                word.push(c);
            }
            '\'' | '\u{2019}' | '\u{2018}' | '`' => word.push('\''),
            ',' | ':' | '،' => punctuate(",", &mut word, tokens),
            '.' | ';' | '!' | '\n' | '۔' => punctuate(".", &mut word, tokens),
            '?' | '؟' => punctuate("?", &mut word, tokens),
            _ => flush(&mut word, tokens),
        }
        if tokens.len() >= MAX_TOKENS {
            tokens.truncate(MAX_TOKENS);
            return;
        }
    }
    flush(&mut word, tokens);
    tokens.truncate(MAX_TOKENS);
}

/// Digits so far: "3", "2.5".
fn is_number_start(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Letters that continue "1st", "2nd", "3rd", "4th".
fn is_ordinal_tail(c: char) -> bool {
    matches!(c, 's' | 'n' | 'r' | 't')
}

fn punctuate(mark: &str, word: &mut String, tokens: &mut Vec<Token>) {
    flush(word, tokens);
    // A leading mark or a second one in a row says nothing.
    if tokens.last().is_some_and(|last| !last.is_punctuation()) {
        tokens.push(Token::word(mark));
    } else if mark == "?"
        && let Some(last) = tokens.last_mut()
    {
        "?".clone_into(&mut last.text);
    }
}

fn flush(word: &mut String, tokens: &mut Vec<Token>) {
    let text = word.trim_matches('\'');
    if text.is_empty() {
        word.clear();
        return;
    }
    if let Some(number) = number_of(text) {
        tokens.push(Token {
            text: text.to_owned(),
            number: Some(number),
            said: None,
        });
    } else if let Some(digits) = text.strip_suffix('s').filter(|d| number_of(d).is_some()) {
        // "3s" is three seconds.
        tokens.push(Token {
            text: digits.to_owned(),
            number: number_of(digits),
            said: None,
        });
        tokens.push(Token::word("seconds"));
    } else {
        tokens.extend(expand(text).iter().map(|part| Token::word(part)));
    }
    word.clear();
}

fn number_of(text: &str) -> Option<f64> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Contractions and spoken short forms, spelled out.
fn expand(word: &str) -> Vec<&str> {
    match word {
        "don't" | "dont" => return vec!["do", "not"],
        "doesn't" => return vec!["does", "not"],
        "isn't" | "isnt" => return vec!["is", "not"],
        "aren't" => return vec!["are", "not"],
        "can't" | "cannot" | "cant" => return vec!["can", "not"],
        "won't" => return vec!["will", "not"],
        "let's" | "lets" => return vec!["let", "us"],
        "whats" => return vec!["what", "is"],
        "wheres" => return vec!["where", "is"],
        "thats" => return vec!["that", "is"],
        "im" => return vec!["i", "am"],
        "id" => return vec!["i", "would"],
        "wanna" => return vec!["want", "to"],
        "gonna" => return vec!["going", "to"],
        "gimme" => return vec!["give", "me"],
        "lemme" => return vec!["let", "me"],
        "'em" | "em" => return vec!["them"],
        "pls" | "plz" | "pleas" => return vec!["please"],
        "u" => return vec!["you"],
        "n" | "adn" | "nad" => return vec!["and"],
        "teh" | "hte" => return vec!["the"],
        "fo" => return vec!["of"],
        "wiht" | "wth" => return vec!["with"],
        _ => {}
    }
    let Some((stem, tail)) = word.split_once('\'') else {
        return vec![word];
    };
    match tail {
        "s" if is_asking(stem) => vec![stem, "is"],
        // The possessive of a thing ("the block's colour") is dropped.
        "s" | "" => vec![stem],
        "re" => vec![stem, "are"],
        "ll" => vec![stem, "will"],
        "d" => vec![stem, "would"],
        "ve" => vec![stem, "have"],
        "m" => vec![stem, "am"],
        _ => vec![stem, tail],
    }
}

fn is_asking(stem: &str) -> bool {
    matches!(
        stem,
        "what" | "where" | "who" | "how" | "that" | "it" | "there" | "which" | "here" | "whatever"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sentence: &str, expected: &str) {
        let words: Vec<String> = tokenize(sentence).into_iter().map(|t| t.text).collect();
        assert_eq!(words.join(" "), expected, "{sentence:?}");
    }

    #[test]
    fn sentences_become_words() {
        check("Put the RED block, please!", "put the red block , please .");
        check("don't -- what's up?", "do not what is up ?");
        check("wait 2.5s. Then go", "wait 2.5 seconds . then go");
        check("top-right corner...", "top right corner .");
        check("the 2nd block’s side", "the 2nd block side");
        check("red_block_1", "red_block_1");
        check("\u{0}\u{1f916} ''' ", "");
        check("?!", "");
    }

    #[test]
    fn phrases_of_a_reader_are_one_word() {
        let tokens = tokenize_plain("Put {red block [on it]|that}, then {a bowl} up. {");
        let texts: Vec<&str> = tokens.iter().map(|t| t.text.as_str()).collect();
        let expected = [
            "put",
            "{red block [on it]",
            ",",
            "then",
            "{a bowl",
            "up",
            ".",
        ];
        assert_eq!(texts, expected);
        assert_eq!(tokens[1].phrase(), Some("red block [on it]"));
        assert_eq!((tokens[1].said(), tokens[5].said()), ("that", "up"));
        // Nobody can type such a phrase.
        assert!(
            tokenize("put {red block}")
                .iter()
                .all(|t| t.phrase().is_none())
        );
    }

    #[test]
    fn numbers_keep_their_value() {
        assert_eq!(tokenize("wait 2.5").pop().and_then(|t| t.number), Some(2.5));
        assert_eq!(tokenize(&"9".repeat(400)).len(), 1);
        assert_eq!(tokenize(&"a ".repeat(5000)).len(), MAX_TOKENS);
    }
}
