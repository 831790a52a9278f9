//! The grammar: from words to clauses, by recursive descent.
//!
//! `sentence := clause (connector clause)*`. Prepositions after an object stay
//! a flat list: whether "in the bowl" says *which* block or *where to* is
//! decided later, against the scene. Order words ("before", "after") are
//! resolved here, so that the clauses come out in the order of execution.

mod clause;
mod noun;
mod place;
mod vocabulary;

use super::cursor::Cursor;
use super::lexicon;
use super::syntax::{Clause, Command, Head, NounGroup, PlaceRef};
use super::token::Token;

pub(super) use clause::{command, state};
pub(super) use noun::noun_phrase;
pub(super) use place::{prep, side_adjective as side_word};
pub(super) use vocabulary::Vocabulary;

/// Where the grammar gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotUnderstood {
    /// The word it could not place; empty when the sentence ended too early.
    pub(super) word: String,
}

/// Drops words that carry no command. `keep_openers` leaves "yes" and "no".
pub(super) fn without_fillers(tokens: &[Token]) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let phrase = lexicon::filler_phrases()
            .map(|phrase| phrase.split(' '))
            .find(|words| {
                let mut rest = tokens[at..].iter();
                words
                    .clone()
                    .all(|w| rest.next().is_some_and(|t| t.text == w))
            });
        if let Some(phrase) = phrase {
            at += phrase.count();
            continue;
        }
        let word = tokens[at].text.as_str();
        let opens = kept.is_empty() && (lexicon::is_opener(word) || tokens[at].is_punctuation());
        if !opens && !lexicon::is_filler(word) {
            let doubled =
                tokens[at].is_punctuation() && kept.last().is_none_or(Token::is_punctuation);
            if !doubled {
                kept.push(tokens[at].clone());
            }
        }
        at += 1;
    }
    while kept.last().is_some_and(Token::is_punctuation) {
        kept.pop();
    }
    kept
}

/// How a clause joins what was read before it.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// After everything before.
    Next,
    /// Ahead of the clause before ("… after you open the drawer").
    BeforeLast,
    /// Ahead of it as well, and what was denied is only put off ("don't close it
    /// until …").
    Until,
}

/// Reads all clauses of a sentence without fillers.
pub(super) fn sentence(
    tokens: &[Token],
    vocabulary: &Vocabulary,
) -> Result<Vec<Clause>, NotUnderstood> {
    let mut cursor = Cursor::new(tokens);
    let mut clauses: Vec<Clause> = Vec::new();
    // "before you …, do …": what comes first in the words comes last.
    let mut at_the_end: Option<Clause> = None;
    loop {
        let is_put_off = clauses.last().is_some_and(|clause| clause.negated);
        let mut order = connectors(&mut cursor, clauses.is_empty(), is_put_off);
        if cursor.at_end() {
            break;
        }
        let is_first = clauses.is_empty() && at_the_end.is_none();
        let leading = is_first && cursor.eat("before");
        let led_after = is_first && !leading && led_by_state(&mut cursor);
        if leading || led_after {
            subject(&mut cursor);
        }
        let tells_state = led_after || matches!(order, Order::BeforeLast | Order::Until);
        let told = tells_state
            .then(|| state(&mut cursor, vocabulary))
            .flatten();
        let clause = told
            .or_else(|| command(&mut cursor, vocabulary, clauses.last()))
            .ok_or_else(|| NotUnderstood {
                word: cursor.peek().to_owned(),
            })?;
        let clause = of_the_hand(clause, clauses.last());
        // "…, but open the drawer first"
        if cursor.eat("first") && order == Order::Next && !clauses.is_empty() {
            order = Order::BeforeLast;
        }
        match order {
            _ if leading => at_the_end = Some(clause),
            Order::Next => clauses.push(clause),
            Order::BeforeLast | Order::Until => {
                let clause = with_antecedent(clause, clauses.last());
                let before_last = clauses.len().saturating_sub(1);
                if let (Order::Until, Some(last)) = (order, clauses.last_mut()) {
                    last.negated = false;
                }
                clauses.insert(before_last, clause);
            }
        }
        if !cursor.at_end() && !at_connector(&cursor, vocabulary) {
            return Err(NotUnderstood {
                word: cursor.peek().to_owned(),
            });
        }
    }
    clauses.extend(at_the_end);
    if clauses.is_empty() {
        return Err(NotUnderstood {
            word: String::new(),
        });
    }
    Ok(clauses)
}

/// "once …, do …", "as soon as …, do …"
fn led_by_state(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_phrase(&[
        &["as", "soon", "as"],
        &["right", "after"],
        &["straight", "after"],
        &["after"],
        &["once"],
        &["when"],
    ])
}

/// "open your hand, then close it"
fn of_the_hand(mut clause: Clause, before: Option<&Clause>) -> Clause {
    let is_hand = |it: &Clause| matches!(it.command, Command::OpenHand | Command::CloseHand);
    let is_it = |group: &NounGroup| group.members.iter().all(|member| member.head == Head::It);
    if before.is_some_and(is_hand) {
        match &clause.command {
            Command::Open(group) if is_it(group) => clause.command = Command::OpenHand,
            Command::Close(group) if is_it(group) => clause.command = Command::CloseHand,
            _ => {}
        }
    }
    clause
}

/// "close the drawer after you put the block in it": the clause that comes
/// first in time takes its "it" from the words before.
fn with_antecedent(mut clause: Clause, spoken: Option<&Clause>) -> Clause {
    let group = match spoken.map(|s| &s.command) {
        Some(
            Command::Open(group) | Command::Close(group) | Command::Take { object: group, .. },
        ) => group,
        _ => return clause,
    };
    let Some(antecedent) = group.members.first() else {
        return clause;
    };
    if let Command::Put { preps, .. } = &mut clause.command {
        for prep in preps {
            if let PlaceRef::Object(phrase) = &mut prep.place
                && phrase.head == Head::It
            {
                phrase.clone_from(&Box::new(antecedent.clone()));
            }
        }
    }
    clause
}

/// Whether a new clause may begin here.
fn at_connector(cursor: &Cursor<'_>, vocabulary: &Vocabulary) -> bool {
    let word = cursor.peek();
    matches!(
        word,
        "," | "."
            | "?"
            | "and"
            | "then"
            | "after"
            | "before"
            | "afterwards"
            | "next"
            | "finally"
            | "but"
            | "once"
            | "without"
            | "while"
            | "so"
            | "lastly"
            | "as"
            | "only"
            | "until"
            | "till"
            | "unless"
            | "likewise"
    ) && !(word == "while" && cursor.peek_at(1) == "loop")
        || vocabulary.starts_clause(cursor)
}

/// Reads everything between two clauses.
fn connectors(cursor: &mut Cursor<'_>, at_start: bool, is_put_off: bool) -> Order {
    let mut order = Order::Next;
    loop {
        if !at_start && is_put_off && cursor.eat_any(&["until", "till", "unless", "before"]) {
            subject(cursor);
            order = Order::Until;
            continue;
        }
        if !at_start && comes_before(cursor) {
            subject(cursor);
            order = Order::BeforeLast;
            continue;
        }
        let eaten = cursor.eat_phrase(&[
            &["after", "that"],
            &["after", "this"],
            &["after", "it"],
            &["and", "then"],
            &["and", "finally"],
            &["at", "last"],
            &["in", "the", "end"],
            &["when", "you", "are", "done"],
            &["when", "done"],
            &["once", "done"],
            &["once", "that", "is", "done"],
            &["when", "that", "is", "done"],
            &["first", "of", "all"],
        ]) || cursor.eat_any(&[
            ",",
            ".",
            "?",
            "and",
            "then",
            "afterwards",
            "finally",
            "firstly",
            "secondly",
            "lastly",
            "thirdly",
            "afterward",
            "so",
            "next",
            "but",
            "later",
        ]) || marker(cursor);
        if eaten {
            continue;
        }
        if !at_start && cursor.eat_any(&["before"]) {
            subject(cursor);
            order = Order::Next;
            continue;
        }
        if subject(cursor) {
            continue;
        }
        return order;
    }
}

/// "…, but first …", "… after …": what is told next is done before.
fn comes_before(cursor: &mut Cursor<'_>) -> bool {
    // "After that" goes on.
    let goes_on = cursor.peek() == "after" && matches!(cursor.peek_at(1), "that" | "this" | "it")
        || cursor.peek() == "once" && matches!(cursor.peek_at(1), "done" | "that")
        || cursor.peek() == "when" && matches!(cursor.peek_at(2), "are" | "is")
        || cursor.peek() == "when" && cursor.peek_at(1) == "done";
    if goes_on {
        return false;
    }
    cursor.eat_phrase(&[
        &["but", "only", "after"],
        &["but", "only", "once"],
        &["but", "only", "when"],
        &["but", "not", "before"],
        &["but", "before", "that"],
        &["but", "beforehand"],
        &["but", "first"],
        &[",", "but", "only", "after"],
        &[",", "but", "not", "before"],
        &[",", "but", "before", "that"],
        &[",", "but", "beforehand"],
        &[",", "but", "first"],
        &["only", "after"],
        &["right", "after"],
        &["straight", "after"],
        &["as", "soon", "as"],
        &["after"],
        &["once"],
    ])
}

/// "first", "second" in front of a verb only mark the order.
fn marker(cursor: &mut Cursor<'_>) -> bool {
    let marks = matches!(cursor.peek(), "first" | "second" | "third" | "last");
    let follows = cursor.peek_at(1);
    let orders = follows == ","
        || lexicon::verb(follows).is_some()
        || matches!(
            follows,
            "you" | "do" | "go" | "the" | "a" | "that" | "this" | "all" | "every" | "both"
        );
    if marks && orders {
        cursor.advance();
        cursor.eat(",");
        return true;
    }
    false
}

/// "you", "you have", "i want you to": who acts.
fn subject(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_phrase(&[
        &["i", "would"],
        &["i"],
        &["you", "have"],
        &["you", "are"],
        &["you", "can"],
        &["that", "you"],
        &["having"],
        &["you"],
        &["to"],
    ])
}
