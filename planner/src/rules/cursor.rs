//! A reading position in the token list, with cheap backtracking.

use super::token::Token;

/// Reads tokens from left to right; `at` is saved and restored to backtrack.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    tokens: &'a [Token],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(tokens: &'a [Token]) -> Self {
        Self { tokens, at: 0 }
    }

    /// The next token's text; empty at the end.
    pub(super) fn peek(&self) -> &'a str {
        self.peek_at(0)
    }

    /// The text `ahead` tokens further; empty past the end.
    pub(super) fn peek_at(&self, ahead: usize) -> &'a str {
        self.tokens
            .get(self.at + ahead)
            .map_or("", |token| token.text.as_str())
    }

    /// Whether the token before the next is this word.
    pub(super) fn is_behind(&self, word: &str) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| token.text == word)
    }

    /// The next token when a reader put a whole noun phrase in its place.
    pub(super) fn peek_phrase(&self) -> Option<&'a str> {
        super::token::phrase_in(self.peek())
    }

    /// The value of the next token when it is in digits.
    pub(super) fn peek_number(&self) -> Option<f64> {
        self.tokens.get(self.at).and_then(|token| token.number)
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// How many tokens are left.
    pub(super) fn left(&self) -> usize {
        self.tokens.len().saturating_sub(self.at)
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    /// Reads the word if it is next.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = !self.at_end() && self.peek() == word;
        if found {
            self.advance();
        }
        found
    }

    /// Reads any one of the words.
    pub(super) fn eat_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.eat(word))
    }

    /// Reads the whole sequence or nothing.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = words
            .iter()
            .enumerate()
            .all(|(ahead, word)| self.peek_at(ahead) == *word);
        if found {
            self.at += words.len();
        }
        found
    }

    /// Reads the first of the sequences that fits.
    pub(super) fn eat_phrase(&mut self, phrases: &[&[&str]]) -> bool {
        phrases.iter().any(|phrase| self.eat_all(phrase))
    }

    /// Whether the word was read since `start`.
    pub(super) fn has_read(&self, start: usize, word: &str) -> bool {
        let read = self.tokens.get(start..self.at).unwrap_or_default();
        read.iter().any(|token| token.text == word)
    }

    /// Words from `start` to here, joined by spaces.
    pub(super) fn text_from(&self, start: usize) -> String {
        let end = self.at.min(self.tokens.len());
        let words: Vec<&str> = self.tokens[start.min(end)..end]
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        words.join(" ")
    }
}
