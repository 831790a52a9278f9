//! What stands between two clauses, before the first and behind the last: the words
//! that say in which order they are done.

use super::order::Order;
use super::subject;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;

/// What stands between two clauses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joint {
    pub(super) order: Order,
    /// "and" or "then" without a mark: what came before may go on.
    pub(super) is_close: bool,
    pub(super) has_then: bool,
    /// "hold off on …", "before …": alone it says only that it is to wait.
    pub(super) waits: bool,
}

/// Reads everything between two clauses, or before the first. `is_put_off`: the
/// clause before says what is not to be done.
pub(super) fn joint(cursor: &mut Cursor<'_>, at_start: bool, is_put_off: bool) -> Joint {
    let (mut has_and, mut has_mark, mut has_then) = (false, false, false);
    let (mut waits, mut is_after_stop) = (false, false);
    let mut order = Order::Next;
    loop {
        let begun = cursor.at;
        if let Some(led) = leading(cursor, (at_start, is_after_stop), is_put_off) {
            if order == Order::Next {
                order = led;
            }
            waits |= led == Order::Late && WAITING.iter().any(|it| cursor.has_read(begun, it));
            subject(cursor);
            finished(cursor);
            continue;
        }
        if goes_on(cursor) {
            has_mark = true;
            continue;
        }
        let begun = cursor.at;
        if cursor.eat_phrase(PASSED_OVER) || cursor.eat_any(SINGLE) {
            has_and |= cursor.has_read(begun, "and");
            has_then |= cursor.has_read(begun, "then");
            has_mark |= [",", ".", "?"].iter().any(|it| cursor.has_read(begun, it));
            is_after_stop |= [".", "?"].iter().any(|it| cursor.has_read(begun, it));
            continue;
        }
        if subject(cursor) || finished(cursor) {
            continue;
        }
        return Joint {
            order,
            is_close: (has_and || has_then) && !has_mark,
            has_then,
            waits,
        };
    }
}

/// Words that begin a clause that waits.
const WAITING: &[&str] = &[
    "before", "prior", "ahead", "so", "hold", "leave", "save", "keep", "wait",
];

/// Words between clauses that only go on.
const PASSED_OVER: &[&[&str]] = &[
    &["after", "which"],
    &["and", "then"],
    &["followed", "by"],
    &["but", "also"],
    &["move", "on", "to"],
    &["go", "on", "to"],
    &["go", "on", "and"],
    &["while", "you", "are", "at", "it"],
    &["start", "by"],
    &["start", "with"],
    &["begin", "by"],
    &["begin", "with"],
    &["continue", "by"],
    &["continue", "with"],
    &["oh", "and"],
    &["oh", "wait"],
    &["in", "addition"],
    &["to", "begin", "with"],
    &["to", "start", "with"],
    &["for", "starters"],
    &["to", "start"],
];

const SINGLE: &[&str] = &[
    ",",
    ".",
    "?",
    "and",
    "then",
    "so",
    "next",
    "but",
    "plus",
    "also",
    "firstly",
    "secondly",
    "thirdly",
    "initially",
    "subsequently",
    "oh",
];

/// Words before a clause that say when it is done.
fn leading(
    cursor: &mut Cursor<'_>,
    (at_start, is_after_stop): (bool, bool),
    is_put_off: bool,
) -> Option<Order> {
    if goes_on(&mut cursor.clone()) {
        return None;
    }
    if let Some(number) = numbered(cursor) {
        let is_first = number == Order::Nth(1) && !at_start;
        return Some(if is_first { Order::First } else { number });
    }
    if at_start {
        if cursor.eat_phrase(&[
            &["before"],
            &["prior", "to"],
            &["ahead", "of"],
            &["so", "that", "you", "can"],
            &["last", "of", "all"],
            &["hold", "off", "on"],
            &["hold", "off"],
            &["finally"],
            &["finish", "by"],
            &["end", "by"],
        ]) {
            return Some(Order::Late);
        }
        let waits = matches!(cursor.peek(), "leave" | "save" | "keep" | "wait");
        let mut ahead = cursor.clone();
        ahead.advance();
        ahead.eat("with");
        if waits && is_gerund(&ahead) {
            *cursor = ahead;
            return Some(Order::Late);
        }
        return None;
    }
    // A denial ends with its sentence.
    if is_put_off && !is_after_stop && cursor.eat_any(&["until", "till", "before", "without"]) {
        return Some(Order::Until);
    }
    if cursor.eat_phrase(FIRST) {
        return Some(Order::First);
    }
    if cursor.eat_phrase(BEFORE) {
        return Some(Order::BeforeLast);
    }
    if cursor.eat_phrase(FINAL) {
        return Some(Order::Final);
    }
    let order = if is_after_stop {
        Order::Late
    } else {
        Order::Next
    };
    cursor.eat_any(&["before"]).then_some(order)
}

/// What is told next is done ahead of everything.
const FIRST: &[&[&str]] = &[
    &["but", "to", "begin", "with"],
    &["but", "to", "start", "with"],
    &["to", "begin", "with"],
    &["to", "start", "with"],
    &["start", "by"],
    &["begin", "by"],
    &["but", "start", "by"],
    &["but", "begin", "by"],
    &["but", "first", "of", "all"],
    &["but", "first"],
    &["but", "beforehand"],
    &["but", "before", "that"],
    &["but", "before", "you", "do", "that"],
    &["but", "before", "you", "do"],
    &["oh", "wait", "first"],
    &["and", "before", "you", "do", "that"],
    &["and", "before", "you", "do"],
    &["and", "before", "that"],
    &["before", "you", "do", "that"],
    &["before", "you", "do"],
    &["before", "that"],
    &["before", "this"],
    &["beforehand"],
    &["which", "means", "you", "should", "first"],
];

/// What is told next is done ahead of what was told.
const BEFORE: &[&[&str]] = &[
    &["but", "only", "after"],
    &["but", "only", "once"],
    &["but", "only", "when"],
    &["but", "not", "before"],
    &["but", "not", "until"],
    &["but", "that", "comes", "after"],
    &["though", "only", "after"],
    &["though", "not", "before"],
    &["though", "not", "until"],
    &["not", "before"],
    &["not", "until"],
    &["do", "that", "after"],
    &["do", "this", "after"],
    &["comes", "after"],
    &["can", "wait", "until"],
    &["only", "after"],
    &["only", "once"],
    &["only", "when"],
    &["right", "after"],
    &["straight", "after"],
    &["as", "soon", "as"],
    &["following"],
    &["after"],
    &["once"],
    &["when"],
];

/// What is told next is done after everything.
const FINAL: &[&[&str]] = &[
    &["and", "finally"],
    &["finally"],
    &["lastly"],
    &["last", "of", "all"],
    &["and", "last"],
    &["at", "the", "very", "end"],
    &["at", "the", "end"],
    &["in", "the", "end"],
    &["at", "last"],
    &["afterwards"],
    &["afterward"],
    &["thereafter"],
    &["later"],
    &["to", "finish", "up"],
    &["to", "finish"],
    &["to", "round", "things", "off"],
    &["to", "round", "off"],
    &["to", "wrap", "up"],
    &["to", "end", "with"],
    &["finish", "up", "by"],
    &["finish", "by"],
    &["finish", "with"],
    &["end", "by"],
    &["end", "with"],
];

/// "first", "the second step is to", "step two", "your last job is to".
fn numbered(cursor: &mut Cursor<'_>) -> Option<Order> {
    let mut ahead = cursor.clone();
    if ahead.eat_any(&["step", "number", "part"]) {
        let number = lexicon::count(ahead.peek()).or_else(|| ahead.peek().parse().ok())?;
        ahead.advance();
        ahead.eat("is");
        ahead.eat(",");
        *cursor = ahead;
        return nth(number);
    }
    let has_article = ahead.eat_any(&["the", "your", "my"]);
    let word = ahead.peek();
    let order = match word {
        "last" | "final" => Order::Late,
        "next" if has_article => Order::Next,
        _ => nth(lexicon::ordinal(word)?)?,
    };
    ahead.advance();
    let named = ahead.eat_any(&["step", "thing", "job", "task", "move", "one"]);
    ahead.eat_phrase(&[&["to", "do"], &["you", "do"], &["you", "should", "do"]]);
    let is_told = (ahead.eat_phrase(&[&["is", "for", "you", "to"], &["is", "to"]])
        && lexicon::verb(ahead.peek()).is_some())
        || (ahead.eat("is") && lexicon::verb(ahead.peek()).is_some())
        || (!has_article && named && ahead.eat(","));
    let is_bare = !has_article && !named && {
        ahead.eat(",");
        let next = ahead.peek();
        lexicon::verb(next).is_some()
            || ahead.peek_phrase().is_some()
            || matches!(
                next,
                "you"
                    | "do"
                    | "go"
                    | "the"
                    | "a"
                    | "that"
                    | "this"
                    | "all"
                    | "every"
                    | "both"
                    | "it"
                    | "i"
            )
    };
    let is_marked = (is_told && (has_article || named)) || is_bare;
    if !is_marked {
        return None;
    }
    *cursor = ahead;
    Some(order)
}

fn nth(number: usize) -> Option<Order> {
    let number = u8::try_from(number).ok()?;
    (1..=9).contains(&number).then_some(Order::Nth(number))
}

/// What is said behind a clause about when it is done.
pub(super) fn trailing(cursor: &mut Cursor<'_>, is_negated: bool) -> Option<Order> {
    let start = cursor.at;
    if is_negated {
        return cursor.eat("yet").then_some(Order::Late);
    }
    let order = if cursor.eat_phrase(&[
        &["first", "of", "all"],
        &["to", "begin", "with"],
        &["to", "start", "with"],
        &["before", "you", "do", "that"],
        &["before", "doing", "that"],
        &["before", "you", "do"],
        &["before", "that"],
        &["beforehand"],
        &["first"],
    ]) {
        Some(Order::First)
    } else if cursor.eat_phrase(&[
        &["last", "of", "all"],
        &["at", "the", "very", "end"],
        &["at", "the", "end"],
        &["for", "the", "end"],
        &["for", "last"],
        &["till", "last"],
        &["last"],
    ]) {
        Some(Order::Late)
    } else if cursor.eat_any(&["afterwards", "afterward", "after"]) {
        Some(Order::Final)
    } else if cursor.eat_phrase(&[&["in", "between"]]) {
        Some(Order::Between)
    } else if cursor.eat("second") {
        Some(Order::Nth(2))
    } else if cursor.eat("third") {
        Some(Order::Nth(3))
    } else {
        cursor.eat_any(&["later"]);
        None
    };
    // "… first the red one": that begins something else.
    let ends = cursor.at_end()
        || matches!(
            cursor.peek(),
            "," | "." | "?" | "and" | "then" | "but" | "though"
        );
    if order.is_some() && !ends {
        cursor.at = start;
        return None;
    }
    order
}

/// "once that is done", "when you are done with it", "after that": nothing new.
fn goes_on(cursor: &mut Cursor<'_>) -> bool {
    const DONE: &[&str] = &[
        "done",
        "finished",
        "over",
        "ready",
        "sorted",
        "complete",
        "completed",
        "through",
    ];
    let start = cursor.at;
    cursor.eat("and");
    let waits = cursor.eat_phrase(&[&["wait", "until"], &["wait", "till"]]);
    let is_after = cursor.peek() == "after";
    let led = waits
        || cursor.eat_phrase(&[
            &["as", "soon", "as"],
            &["right", "after"],
            &["straight", "after"],
            &["only", "after"],
            &["once"],
            &["when"],
            &["after"],
            &["following"],
        ]);
    let goes_on = led && {
        if cursor.eat_any(&["that", "this", "it"]) {
            let is = cursor.eat_any(&["is", "has"]);
            cursor.eat_any(&["been", "all"]);
            // "After that block": a thing, no time.
            let is_name = lexicon::kind(cursor.peek()).is_some()
                || lexicon::color(cursor.peek()).is_some()
                || cursor.peek() == "one";
            if is {
                cursor.eat_any(DONE)
            } else {
                (is_after || cursor.peek() == ",") && !is_name
            }
        } else {
            cursor.eat_phrase(&[
                &["you", "are"],
                &["you", "have"],
                &["they", "are"],
                &["both", "are"],
                &["both"],
            ]);
            let done = cursor.eat_any(DONE) && !is_gerund(cursor);
            let is_over = !cursor.eat("with")
                || cursor.eat_any(&["that", "this", "it", "these", "those", "them", "both"]);
            done && is_over
        }
    };
    if !goes_on {
        cursor.at = start;
    }
    goes_on
}

/// "(you have) finished", "(you are) done with" before what is going on.
pub(super) fn finished(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    let eaten = ahead.eat_any(&["finished", "done", "through", "ready"]);
    ahead.eat("with");
    let is_so = eaten && is_gerund(&ahead);
    if is_so {
        *cursor = ahead;
    }
    is_so
}

/// "no wait", "scratch that": what was said last was said wrongly.
pub(super) fn takes_back(cursor: &mut Cursor<'_>) -> bool {
    let start = cursor.at;
    let objects = cursor.eat("no") && matches!(cursor.peek(), "," | "wait" | "scratch" | "sorry");
    cursor.eat(",");
    let taken = cursor.eat_phrase(&[&["wait", "no"], &["scratch", "that"], &["sorry"]]);
    if objects && !taken {
        cursor.eat("wait");
    }
    let takes_back = objects || taken;
    // "…, sorry": said of nothing that follows.
    let is_meant = takes_back && !(cursor.at_end() && cursor.has_read(start, "sorry"));
    if is_meant {
        cursor.eat(",");
    } else if !takes_back {
        cursor.at = start;
    }
    is_meant
}

/// Whether a clause that is told as something going on begins here ("putting …").
pub(super) fn is_gerund(cursor: &Cursor<'_>) -> bool {
    let word = cursor.peek();
    word.ends_with("ing") && lexicon::verb(word).is_some()
}
