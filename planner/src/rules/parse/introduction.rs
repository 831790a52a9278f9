//! Words that lead in: "two things for you:", "here is the plan:", "by the end".

use crate::rules::cursor::Cursor;
use crate::rules::lexicon;

/// Words that lead in, before anything is told to do.
pub(super) fn introduction(cursor: &mut Cursor<'_>) {
    let start = cursor.at;
    cursor.eat_phrase(&[
        &["i", "have", "got"],
        &["i", "have"],
        &["i", "need"],
        &["there", "are"],
        &["here", "are"],
        &["do", "these"],
        &["do"],
        &["a"],
        &["these"],
        &["the"],
        &["your"],
        &["my"],
    ]);
    if lexicon::count(cursor.peek()).is_some() || cursor.peek_number().is_some() {
        cursor.advance();
    } else {
        cursor.eat_phrase(&[&["couple", "of"], &["few"]]);
    }
    let counted = cursor.eat_any(&[
        "things", "jobs", "tasks", "steps", "moves", "orders", "errands", "commands", "chores",
    ]);
    if counted {
        while cursor.eat_phrase(&[
            &["for", "you"],
            &["to", "do"],
            &["in", "this", "order"],
            &["in", "order"],
            &["done"],
            &["now"],
            &["today"],
        ]) {}
        if cursor.eat_any(&[",", "."]) {
            return;
        }
    }
    cursor.at = start;
    if cursor.eat_phrase(HEADINGS) && cursor.eat_any(&[",", "."]) {
        return;
    }
    cursor.at = start;
    if cursor.eat_phrase(INTRODUCTIONS) {
        cursor.eat_any(&[",", "."]);
    }
}

/// What is a heading only with a mark behind it.
const HEADINGS: &[&[&str]] = &[
    &["the", "plan"],
    &["my", "plan"],
    &["plan"],
    &["the", "goal"],
    &["goal"],
    &["the", "list"],
    &["todo", "list"],
    &["todo"],
    &["to", "do", "list"],
    &["to", "do"],
    &["final", "state"],
    &["final", "result"],
    &["end", "result"],
    &["end", "state"],
    &["the", "end", "result"],
    &["in", "this", "order"],
    &["do", "this", "in", "order"],
    &["do", "these", "in", "order"],
    &["do", "the", "following"],
    &["sort", "this", "out"],
    &["move", "these"],
    &["put", "these", "away"],
    &["same", "thing", "twice"],
];

/// What is said before the deeds are told, or before a state that is wanted.
const INTRODUCTIONS: &[&[&str]] = &[
    &["here", "is", "what", "i", "want", "you", "to", "do"],
    &["here", "is", "what", "i", "want", "done"],
    &["here", "is", "what", "i", "want"],
    &["here", "is", "what", "i", "need"],
    &["here", "is", "what", "to", "do"],
    &["here", "is", "the", "plan"],
    &["here", "is", "the", "list"],
    &["here", "is", "the", "order"],
    &["here", "is", "my", "plan"],
    &["here", "is", "my", "list"],
    &["here", "is", "your", "task"],
    &["this", "is", "the", "plan"],
    &["the", "plan", "is"],
    &["the", "goal", "is", "to", "have"],
    &["the", "goal", "is"],
    &["the", "idea", "is", "to", "have"],
    &["the", "idea", "is", "that"],
    &["my", "list", "says"],
    &["the", "list", "says"],
    &["by", "the", "end", "i", "want"],
    &["by", "the", "end", "i", "would", "like"],
    &["by", "the", "end"],
    &["in", "the", "end", "i", "want"],
    &["in", "the", "end", "i", "would", "like"],
    &["in", "the", "end"],
    &["when", "you", "are", "finished"],
    &["when", "you", "are", "done"],
    &["what", "i", "would", "like", "is"],
    &["what", "i", "want", "is"],
    &["not", "only"],
];
