//! The grammar: from words to clauses, by recursive descent.
//!
//! `sentence := clause (connector clause)*`. Prepositions after an object stay
//! a flat list: whether "in the bowl" says *which* block or *where to* is
//! decided later, against the scene. Order words ("before", "after") are
//! resolved here, so that the clauses come out in the order of execution.

mod clause;
mod introduction;
mod joint;
mod noun;
mod order;
mod place;
mod vocabulary;

use super::cursor::Cursor;
use super::foreign::ForeignClauses;
use super::lexicon;
use super::syntax::{Clause, Command, Head, NounGroup};
use super::token::Token;
use order::{Order, Told};

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
        // "Do not just push it": it is pushed, and that is not all.
        if matches!(word, "just" | "simply" | "only" | "merely")
            && let [.., one, other] = kept.as_slice()
            && one.text == "do"
            && other.text == "not"
        {
            kept.truncate(kept.len() - 2);
            at += 1;
            continue;
        }
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

/// Reads all clauses of a sentence without fillers, in the order of doing.
pub(super) fn sentence(
    tokens: &[Token],
    vocabulary: &Vocabulary,
    foreign: &ForeignClauses<'_>,
) -> Result<Vec<Clause>, NotUnderstood> {
    let mut cursor = Cursor::new(tokens);
    let mut told = Told::default();
    introduction::introduction(&mut cursor);
    // "The red block in the bowl": a wish among others, alone perhaps a thing.
    let mut is_only_named = cursor.at == 0;
    loop {
        let mut joint = joint::joint(&mut cursor, told.is_empty(), told.is_put_off());
        let taken_back = (!told.is_empty() && joint::takes_back(&mut cursor))
            .then(|| told.take_back())
            .flatten();
        if cursor.at_end() {
            if let (true, Some(mut clause)) = (told.is_empty(), taken_back) {
                // "…, scratch that": nothing is left to do.
                clause.negated = true;
                return Ok(vec![clause]);
            }
            break;
        }
        let tells_state = led_by_state(&mut cursor, &told, joint.order);
        let is_gerund = joint::is_gerund(&cursor);
        let begun = cursor.at;
        let before = taken_back.as_ref().or_else(|| told.last());
        let own = clause(&mut cursor, vocabulary, before, tells_state);
        let order = own
            .as_ref()
            .and_then(|own| joint::trailing(&mut cursor, own.negated));
        let is_whole = cursor.at_end() || at_connector(&cursor, vocabulary);
        let (mut clause, order) = match own {
            Some(own) if is_whole => (own, order),
            _ => {
                let stop = not_understood(&cursor);
                let (clause, end) = foreign.at(tokens, begun).ok_or(stop)?;
                cursor.at = end;
                (clause, None)
            }
        };
        // "Don't close it yet": put off, if anything comes before it.
        let is_put_off = clause.negated && order == Some(Order::Late);
        if let (Some(order), Order::Next) = (order, joint.order) {
            let is_only_first = order == Order::First && told.is_empty();
            joint.order = if is_only_first { Order::Next } else { order };
        }
        is_only_named &= told.is_empty()
            && is_without_motion(&clause)
            && is_verbless(tokens.get(begun..cursor.at).unwrap_or_default());
        if is_close_to_denied(before, &joint)
            && (is_gerund || is_verbless(tokens.get(begun..cursor.at).unwrap_or_default()))
        {
            clause = denied_like(before, clause);
        }
        told.add(clause, joint, is_gerund);
        if is_put_off {
            told.put_off_last();
        }
    }
    if told.is_empty() || is_only_named {
        return Err(NotUnderstood {
            word: String::new(),
        });
    }
    Ok(told.in_order())
}

/// Whether what follows "and" may be denied with what was told before.
fn is_close_to_denied(before: Option<&Clause>, joint: &joint::Joint) -> bool {
    let is_denied = |it: &Clause| it.negated || matches!(it.command, Command::Denied(_));
    joint.is_close && !joint.has_then && joint.order == Order::Next && before.is_some_and(is_denied)
}

/// "don't put the red one in the bowl and the green one in the drawer", "instead of
/// opening … and pushing …": neither.
fn denied_like(before: Option<&Clause>, mut clause: Clause) -> Clause {
    let is_spoken_of = before.is_some_and(|it| matches!(it.command, Command::Denied(_)));
    if is_spoken_of {
        clause.command = Command::Denied(Box::new(clause.command));
    } else {
        clause.negated = true;
    }
    clause
}

/// Whether a clause says where a thing is or goes, and nothing moves.
fn is_without_motion(clause: &Clause) -> bool {
    match &clause.command {
        Command::Put { preps, .. } => preps.iter().all(|prep| !prep.motion),
        _ => false,
    }
}

fn is_verbless(words: &[Token]) -> bool {
    let is_verb = |word: &str| {
        lexicon::verb(word).is_some()
            || matches!(
                word,
                "goes"
                    | "belongs"
                    | "belong"
                    | "should"
                    | "must"
                    | "has"
                    | "have"
                    | "needs"
                    | "gets"
                    | "is"
                    | "are"
                    | "can"
                    | "could"
                    | "ought"
                    | "comes"
                    | "let"
                    | "see"
                    | "if"
            )
    };
    !words.iter().any(|token| is_verb(&token.text))
}

fn not_understood(cursor: &Cursor<'_>) -> NotUnderstood {
    NotUnderstood {
        word: cursor.peek().to_owned(),
    }
}

/// Whether what follows may be told as what is so when it is done: "once …, do …",
/// "… after the drawer is open".
fn led_by_state(cursor: &mut Cursor<'_>, told: &Told, order: Order) -> bool {
    let leads = told.is_empty()
        && order == Order::Next
        && cursor.eat_phrase(&[
            &["as", "soon", "as"],
            &["right", "after"],
            &["straight", "after"],
            &["after"],
            &["once"],
            &["when"],
        ]);
    if leads {
        subject(cursor);
        joint::finished(cursor);
    }
    leads || matches!(order, Order::BeforeLast | Order::Until | Order::Late)
}

/// One clause; `before` is the one told before it.
fn clause(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    before: Option<&Clause>,
    tells_state: bool,
) -> Option<Clause> {
    let told = tells_state
        .then(|| state(cursor, vocabulary))
        .flatten()
        .or_else(|| command(cursor, vocabulary, before))?;
    Some(of_the_hand(told, before))
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
            | "as"
            | "only"
            | "until"
            | "till"
            | "unless"
            | "likewise"
            | "when"
            | "first"
            | "last"
            | "lastly"
            | "later"
            | "start"
            | "begin"
            | "finish"
            | "end"
            | "plus"
            | "though"
            | "prior"
            | "followed"
            | "following"
            | "comes"
            | "beforehand"
            | "no"
            | "scratch"
            | "sorry"
    ) && !(word == "while" && cursor.peek_at(1) != "you")
        || vocabulary.starts_clause(cursor)
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
