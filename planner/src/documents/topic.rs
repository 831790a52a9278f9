//! Questions about the scene or about what the robot does: never the documents'.

use crate::request::PlanRequest;
use crate::rules::asks_about_scene;

/// Words beside "you" by which a question is about what was done or is being done.
const DOING: &[&str] = &[
    "doing", "did", "done", "stuck", "waiting", "moving", "finished", "holding", "planning",
    "ready", "sure", "see", "seeing", "stopped", "failed", "going", "hold", "moved", "picked",
    "put", "thinking", "feeling", "saw",
];
/// Beginnings of questions about what just was.
const BEGINNINGS: &[&str] = &[
    "what happened",
    "what went wrong",
    "why did",
    "why has",
    "why is it",
    "are you",
    "were you",
    "have you",
    "did you",
    "did it",
    "how are you",
    "who are you",
    "what are you",
    "what were you",
    "is it done",
    "are we",
    "what next",
    "what is next",
    "what now",
    "what is the plan",
    "what was the plan",
    "what do you see",
    "where are you",
    "how do you feel",
    "what is your name",
    "what else can",
];
/// Urdu in both scripts: the robot as one who is spoken to.
const YOU_URDU: &[&str] = &[
    "تم",
    "آپ",
    "تو",
    "تمہارا",
    "تمہارے",
    "تمہاری",
    "tum",
    "aap",
    "tumhara",
    "tumhare",
];
/// Urdu in both scripts: things of the scene, as beginnings of words.
const SCENE_URDU: &[&str] = &[
    "لال",
    "سرخ",
    "نیل",
    "سبز",
    "ہرا",
    "ہرے",
    "ہری",
    "پیل",
    "زرد",
    "نارنجی",
    "گلابی",
    "جامنی",
    "بھور",
    "بلاک",
    "ڈب",
    "پیال",
    "دراز",
    "کٹور",
    "laal",
    "lal",
    "surkh",
    "neel",
    "hara",
    "hare",
    "hari",
    "peel",
    "pyal",
    "piyal",
    "block",
    "dabb",
    "daraz",
    "drawer",
    "katora",
];

/// Whether a question is about the scene or the robot's state.
pub(super) fn is_of_the_moment(question: &str, request: &PlanRequest) -> bool {
    let lower = question.to_lowercase();
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let spoken = words.join(" ");
    let begins = BEGINNINGS.iter().any(|beginning| {
        let rest = spoken.strip_prefix(beginning);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    let is_doing = words.iter().any(|word| ["you", "u"].contains(word))
        && words.iter().any(|word| DOING.contains(word));
    begins || is_doing || is_urdu_of_the_moment(&words) || asks_about_scene(question, request)
}

fn is_urdu_of_the_moment(words: &[&str]) -> bool {
    let asks = [
        "kya", "kitna", "kitni", "kitne", "kahan", "kaun", "kaise", "konsa", "konsi", "hai", "hain",
    ];
    let is_urdu = words.iter().any(|word| {
        asks.contains(word)
            || word
                .chars()
                .any(|letter| ('\u{600}'..='\u{6ff}').contains(&letter))
    });
    let is_seen = |word: &&str| {
        SCENE_URDU
            .iter()
            .any(|beginning| word.starts_with(beginning))
    };
    is_urdu
        && words
            .iter()
            .any(|word| YOU_URDU.contains(word) || is_seen(word))
}
