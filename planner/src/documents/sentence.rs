//! Which parts of a sentence ask and which command, by their form alone.
//!
//! Only forms that hardly ever command are taken for questions. "Can you pick it
//! up?", "how about the red one?" and "don't push it" are none; what is doubtful
//! stays with the command, which is planned as it always was.

use crate::rules::is_command_verb;

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its words, without "and" and "tell me" before them.
    pub(super) text: String,
    /// How sure it asks; none: it does not.
    pub(super) form: Option<Form>,
}

/// How sure it is that something asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// It cannot be anything else.
    Plain,
    /// It may be a request in the form of a question.
    Likely,
}

/// Marks that end a sentence.
const ENDS: [char; 7] = ['.', '?', '!', ';', '\n', '؟', '۔'];
/// Words before a question that say nothing.
const SOFT: &[&str] = &[
    "please",
    "hey",
    "hi",
    "hello",
    "robot",
    "vola",
    "ok",
    "okay",
    "so",
    "and",
    "then",
    "also",
    "but",
    "now",
    "um",
    "uh",
    "well",
    "oh",
    "just",
    "first",
    "afterwards",
    "اور",
    "پھر",
    "aur",
    "phir",
];
/// Words that join a command and what follows it.
const CONNECTORS: &[&str] = &["and", "then", "but", "also", "اور", "پھر", "aur", "phir"];
const WH: &[&str] = &[
    "what", "whats", "what's", "how", "hows", "how's", "why", "who", "whos", "who's", "whose",
    "whom", "which",
];
const PLACES_AND_TIMES: &[&str] = &["where", "when", "wheres", "where's"];
const AUXILIARIES: &[&str] = &[
    "is", "are", "does", "did", "was", "were", "has", "may", "must", "should", "am", "can",
    "could", "will", "would", "do", "have", "isn't", "doesn't", "aren't",
];
/// What asks for words, and not for a deed.
const TELLING: &[&[&str]] = &[
    &["tell", "me"],
    &["tell", "us"],
    &["explain", "to", "me"],
    &["explain"],
    &["let", "me", "know"],
    &["remind", "me"],
    &["i", "want", "to", "know"],
    &["i", "would", "like", "to", "know"],
    &["i'd", "like", "to", "know"],
    &["i", "wonder"],
    &["do", "you", "know"],
    &["look", "up"],
    &["بتاؤ"],
    &["بتائیں"],
    &["مجھے", "بتاؤ"],
    &["مجھے", "بتائیں"],
    &["batao"],
    &["bataen"],
    &["mujhe", "batao"],
];
const URDU_ASKING: &[&str] = &[
    "کیا",
    "کیسے",
    "کیسا",
    "کیسی",
    "کتنا",
    "کتنی",
    "کتنے",
    "کون",
    "کونسا",
    "کونسی",
    "کہاں",
    "کیوں",
    "کب",
    "کس",
    "kya",
    "kaise",
    "kaisa",
    "kaisi",
    "kitna",
    "kitni",
    "kitne",
    "kaun",
    "konsa",
    "konsi",
    "kahan",
    "kyun",
    "kyon",
    "kab",
];

/// The parts of a sentence in order.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut all = Vec::new();
    for (sentence, is_marked) in sentences(text) {
        match split(sentence, is_marked) {
            Some((before, after)) => all.extend([before, after]),
            None => all.push(part(sentence, is_marked)),
        }
    }
    all.retain(|part| part.text.chars().any(char::is_alphanumeric));
    all
}

/// Sentences with their marks, and whether the mark asks.
fn sentences(text: &str) -> Vec<(&str, bool)> {
    let mut all = Vec::new();
    let mut start = 0;
    for (at, mark) in text.char_indices() {
        let after = at + mark.len_utf8();
        let next = text.get(after..).and_then(|rest| rest.chars().next());
        // "2.5" and "manual.md" go on.
        if ENDS.contains(&mark) && next.is_none_or(|next| !next.is_alphanumeric()) {
            all.push((&text[start..after], matches!(mark, '?' | '؟')));
            start = after;
        }
    }
    all.push((&text[start..], false));
    all.retain(|(text, _)| text.chars().any(char::is_alphanumeric));
    all
}

/// A whole part, whatever it is.
fn part(text: &str, is_marked: bool) -> Part {
    let words = words(text);
    match form(&words, is_marked) {
        Some((form, begins)) => Part {
            text: text.get(begins..).unwrap_or(text).trim().to_owned(),
            form: Some(form),
        },
        None => Part {
            text: text.trim().to_owned(),
            form: None,
        },
    }
}

/// A command with a question after it, or a question with a command after it.
fn split(text: &str, is_marked: bool) -> Option<(Part, Part)> {
    let words = words(text);
    let asks_first = form(&words, is_marked).is_some();
    let joints = (1..words.len()).filter(|at| {
        let joined = CONNECTORS.contains(&words[*at].lower.as_str());
        joined || words[*at].follows_comma
    });
    for at in joints {
        let (left, right) = words.split_at(at);
        let before = text.get(..right.first()?.at)?.trim();
        let before = before.trim_end_matches([',', '،']).trim_end();
        // Where a question word may stand anywhere, as in Urdu, the whole seems to
        // ask; "and tell me" says where it begins to.
        let soft = |word: &&Word| SOFT.contains(&word.lower.as_str());
        let is_told = tells(right.get(right.iter().take_while(soft).count()..)?);
        if asks_first && !(is_told && form(left, false).is_none()) {
            if let Some(begins) = commands(left, right) {
                let command = Part {
                    text: text.get(begins..)?.trim().to_owned(),
                    form: None,
                };
                return Some((part(before, true), command));
            }
        } else if form(left, false).is_none()
            && let Some((form, begins)) = form(right, is_marked)
        {
            let command = Part {
                text: before.to_owned(),
                form: None,
            };
            let question = Part {
                text: text.get(begins..)?.trim().to_owned(),
                form: Some(form),
            };
            return Some((command, question));
        }
    }
    None
}

/// Where a command begins after a question. "Then" tells it apart, or after "tell
/// me …" a verb with what it is done to; any other question may list verbs, and
/// stays one question: nothing moves by it.
fn commands(question: &[Word], after: &[Word]) -> Option<usize> {
    const WHAT: &[&str] = &[
        "the",
        "a",
        "an",
        "it",
        "them",
        "that",
        "this",
        "all",
        "both",
        "every",
        "everything",
        "home",
        "up",
        "my",
    ];
    let is_then = after.iter().take(2).any(|word| word.lower == "then");
    let mut rest = after
        .iter()
        .skip_while(|word| SOFT.contains(&word.lower.as_str()));
    let verb = rest.next()?;
    let is_done_to_something = rest
        .next()
        .is_some_and(|next| WHAT.contains(&next.lower.as_str()));
    let is_command = is_then || (tells(question) && is_done_to_something);
    (is_command && is_command_verb(&verb.lower)).then_some(verb.at)
}

/// Whether words begin with "tell me".
fn tells(words: &[Word]) -> bool {
    let lower: Vec<&str> = words
        .iter()
        .map(|word| word.lower.as_str())
        .skip_while(|word| {
            SOFT.contains(word) || ["can", "could", "would", "will", "you"].contains(word)
        })
        .collect();
    TELLING.iter().any(|telling| lower.starts_with(telling))
}

/// A word in small letters, and where it begins.
#[derive(Debug)]
struct Word {
    lower: String,
    at: usize,
    follows_comma: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let mut start = None;
    let mut follows_comma = false;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        if letter.is_alphanumeric() || letter == '\'' || letter == '\u{2019}' {
            start.get_or_insert(at);
            continue;
        }
        if let Some(from) = start.take() {
            let lower = text[from..at].to_lowercase().replace('\u{2019}', "'");
            all.push(Word {
                lower,
                at: from,
                follows_comma: std::mem::take(&mut follows_comma),
            });
        }
        follows_comma |= matches!(letter, ',' | '،' | ':');
    }
    all
}

/// Whether words ask, and where in the text the question itself begins.
fn form(words: &[Word], is_marked: bool) -> Option<(Form, usize)> {
    let mut at = words
        .iter()
        .position(|word| !SOFT.contains(&word.lower.as_str()))?;
    let mut lower: Vec<&str> = words[at..].iter().map(|word| word.lower.as_str()).collect();
    // "can you please tell me", "could you explain"
    if let ["can" | "could" | "would" | "will", "you", rest @ ..] = lower.as_slice() {
        let skipped = 2 + usize::from(rest.first() == Some(&"please"));
        let rest = lower.split_off(skipped.min(lower.len()));
        if !TELLING.iter().any(|telling| rest.starts_with(telling)) {
            return None;
        }
        at += skipped;
        lower = rest;
    }
    if let Some(telling) = TELLING.iter().find(|telling| lower.starts_with(telling)) {
        let rest = &lower[telling.len()..];
        let begins = words.get(at + telling.len())?.at;
        return told(rest, is_marked).map(|form| (form, begins));
    }
    let begins = words.get(at)?.at;
    asked(&lower, is_marked).map(|form| (form, begins))
}

/// What follows "tell me".
fn told(rest: &[&str], is_marked: bool) -> Option<Form> {
    match rest {
        // A tale is no question.
        [] | ["a" | "an" | "that" | "when", ..] => None,
        ["if" | "whether" | "about" | "the" | "more", _, ..] => Some(Form::Plain),
        [first, ..] if WH.contains(first) || PLACES_AND_TIMES.contains(first) => Some(Form::Plain),
        _ => asked(rest, is_marked),
    }
}

fn asked(lower: &[&str], is_marked: bool) -> Option<Form> {
    let is_urdu = lower.iter().any(|word| URDU_ASKING.contains(word));
    match lower {
        ["how" | "what", "about", ..]
        | ["what", "if", "you" | "we", ..]
        | ["why", "not" | "don't", ..] => None,
        ["how" | "why", "do" | "don't", "you" | "we", "not", ..] => None,
        ["what", "a" | "an", ..] if !is_marked => None,
        [first, _, ..] if WH.contains(first) && (is_marked || lower.len() > 2) => {
            // "which one" may be an answer.
            let is_plain = is_marked || *first != "which";
            Some(if is_plain { Form::Plain } else { Form::Likely })
        }
        [first, second, _, ..] if PLACES_AND_TIMES.contains(first) => {
            let is_asked = is_marked || AUXILIARIES.contains(second);
            is_asked.then_some(Form::Plain)
        }
        ["can" | "could" | "would" | "will", "you", ..] | ["do" | "have", "not", ..] => None,
        ["do" | "have" | "must" | "should", second, ..]
            if !is_marked && !["you", "i", "we", "they"].contains(second) =>
        {
            None
        }
        [first, _, _, ..] if AUXILIARIES.contains(first) => {
            let is_plain = is_marked && only_asks(lower);
            Some(if is_plain { Form::Plain } else { Form::Likely })
        }
        _ if is_urdu && lower.len() > 2 => Some(Form::Likely),
        _ => None,
    }
}

/// Whether what begins with an auxiliary cannot be a wish: "does it …?", "can the
/// arm …?", as opposed to "can the block go there?".
fn only_asks(lower: &[&str]) -> bool {
    const STATING: &[&str] = &[
        "is", "are", "does", "did", "was", "were", "has", "isn't", "doesn't", "aren't",
    ];
    const ABLE: &[&str] = &["it", "i", "one", "people", "anybody", "everybody", "vola"];
    const ITSELF: &[&str] = &[
        "robot", "arm", "gripper", "camera", "tool", "program", "policy",
    ];
    match lower {
        [first, ..] if STATING.contains(first) => true,
        [
            "can" | "could" | "will" | "would" | "may" | "must" | "should",
            who,
            ..,
        ] if ABLE.contains(who) => true,
        [
            "can" | "could" | "will" | "would" | "may" | "must" | "should",
            "the",
            who,
            ..,
        ] => ITSELF.contains(who),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let parts = parts(text);
        let parts: Vec<String> = parts
            .iter()
            .map(|part| match part.form {
                None => format!("do: {}", part.text),
                Some(Form::Plain) => format!("ask: {}", part.text),
                Some(Form::Likely) => format!("maybe: {}", part.text),
            })
            .collect();
        parts.join(" | ")
    }

    #[test]
    fn commands_and_questions_are_told_apart() {
        for (text, expected) in [
            (
                "put the red block in the bowl",
                "do: put the red block in the bowl",
            ),
            (
                "put the red block in the bowl and tell me how heavy a thing the gripper may lift",
                "do: put the red block in the bowl | ask: how heavy a thing the gripper may lift",
            ),
            (
                "Push it left. What does the dead-man do?",
                "do: Push it left. | ask: What does the dead-man do?",
            ),
            (
                "how wide does it open? and pick up the red block",
                "ask: how wide does it open? | do: and pick up the red block",
            ),
            (
                "what is the top speed, then push the red block to the left",
                "ask: what is the top speed | do: push the red block to the left",
            ),
            (
                "tell me the speed and push the green block to the left",
                "ask: the speed | do: push the green block to the left",
            ),
            (
                "what happens when I pick and place the block?",
                "ask: what happens when I pick and place the block?",
            ),
            (
                "open the drawer, and how long does a stop take?",
                "do: open the drawer | ask: how long does a stop take?",
            ),
            ("please explain the safety filter", "ask: the safety filter"),
            (
                "can you tell me what the filter does",
                "ask: what the filter does",
            ),
            (
                "does it understand German?",
                "ask: does it understand German?",
            ),
            ("can the arm swim?", "ask: can the arm swim?"),
            (
                "can the red block go in the bowl?",
                "maybe: can the red block go in the bowl?",
            ),
            (
                "what is the difference between open and close?",
                "ask: what is the difference between open and close?",
            ),
            (
                "لال بلاک اٹھاؤ اور بتاؤ گرپر کتنا کھلتا ہے؟",
                "do: لال بلاک اٹھاؤ | maybe: گرپر کتنا کھلتا ہے؟",
            ),
            ("", ""),
            ("???", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn requests_in_the_form_of_questions_stay_commands() {
        for text in [
            "can you pick up the red block?",
            "could you please open the drawer?",
            "would you push it to the left and then go home?",
            "how about the red one?",
            "what about the other bowl?",
            "why don't you not move",
            "do not push the block",
            "do it again",
            "put the red block where the blue one is",
            "pick up the red block and tell me when you are done",
            "tell me a story",
            "wait 2.5 seconds",
            "red one",
            "what a mess",
            "when the drawer is open put the block into it",
            "no, the one which is left",
        ] {
            assert!(!shown(text).contains("ask"), "{}", shown(text));
            assert!(!shown(text).contains("maybe"), "{}", shown(text));
        }
    }
}
