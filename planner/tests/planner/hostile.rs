//! Input that nobody should type: never a panic, never a motion, never slow.

use std::time::Instant;

use vola_planner::{
    Ladder, MAX_SENTENCE_BYTES, PlanRequest, RulesBackend, SceneMemory, verify_draft,
};
use vola_types::{Scene, Verdict};

use crate::plan_with;

const SCENE: &str = r#"{"objects":[
 {"id":"red_block_1","kind":"block","color":"red","position":[0.40,0.20,0.02],"on":"table"},
 {"id":"red_block_2","kind":"block","color":"red","position":[0.42,-0.20,0.02],"on":"table"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.54,0.10,0.03],"on":"table"},
 {"id":"drawer","kind":"drawer","open":false,"position":[0.5,-0.1,0.03]}]}"#;

/// Repeatable numbers (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 33) % (n as u64)).unwrap()
    }
}

const WORDS: &[&str] = &[
    "put",
    "the",
    "red",
    "block",
    "in",
    "on",
    "bowl",
    "and",
    "then",
    "all",
    "two",
    "it",
    "them",
    "left",
    "of",
    "to",
    "not",
    "except",
    "that",
    "is",
    "pick",
    "up",
    "stack",
    "other",
    "nearest",
    "before",
    "after",
    ",",
    ".",
    "?",
    "first",
    "one",
    "no",
    "drawer",
    "open",
    "every",
    "corner",
    "top",
    "between",
    "from",
    "3",
    "99999999999999999999",
    "a",
    "few",
    "both",
    "push",
    "middle",
    "\u{1f916}",
    "\u{0}",
    "'",
    "don't",
    "blok",
    "\u{202e}",
    "سرخ",
    "wait",
    "seconds",
    "which",
    "what",
    "where",
    "or",
    "either",
    "sort",
    "swap",
    "empty",
    "same",
    "colour",
    "\"",
    "{}",
    "red_block_1",
    "home",
    "number",
    "last",
    "-",
    "'s",
    "rest",
    "half",
];

const LETTERS: &str =
    "abcdefghij klmnop qrstuv wxyz,.?!'\"\\{}[]<>0123456789_-é中🙂\u{7}\u{200b}\t\n";

#[test]
fn ten_thousand_random_sentences_are_answered() {
    let scene = Scene::from_json(SCENE).unwrap();
    let rules = RulesBackend::new();
    let letters: Vec<char> = LETTERS.chars().collect();
    let mut numbers = Numbers(42);
    let started = Instant::now();
    for round in 0..10_000 {
        let mut sentence = String::new();
        for _ in 0..numbers.below(25) {
            if round % 2 == 0 {
                sentence.push_str(WORDS[numbers.below(WORDS.len())]);
                sentence.push(' ');
            } else {
                sentence.push(letters[numbers.below(letters.len())]);
            }
        }
        let request = PlanRequest::new(sentence.clone(), scene.clone());
        let draft = rules.answer(&request);
        verify_draft(&draft, &scene, &request.capabilities)
            .unwrap_or_else(|fault| panic!("{sentence:?}: {fault}"));
        assert!(!draft.say.is_empty());
    }
    let each = started.elapsed().as_secs_f64() / 10_000.0;
    assert!(each < 0.005, "{each} s a sentence");
}

#[test]
fn long_sentences_are_answered_quickly() {
    let scene = Scene::from_json(SCENE).unwrap();
    let ladder = Ladder::rules_only();
    for text in [
        "put the red block in the bowl and ".repeat(59),
        "the ".repeat(400),
        "all of the other red blocks that are not in the bowl except ".repeat(30),
        "put the red block ".to_owned() + &"in the bowl ".repeat(150),
        "a".repeat(1999),
        "🤖".repeat(400),
        "put the red block in the blue bowl ".repeat(40_000),
    ] {
        let started = Instant::now();
        let plan = plan_with(&ladder, &PlanRequest::new(text.clone(), scene.clone()));
        let seconds = started.elapsed().as_secs_f64();
        assert!(seconds < 1.0, "{seconds} s for {} bytes", text.len());
        assert!(!plan.say.is_empty());
        if text.len() > MAX_SENTENCE_BYTES {
            assert_eq!(plan.verdict, Verdict::Chat);
        }
    }
}

#[test]
fn other_scripts_are_answered_politely() {
    let scene = Scene::from_json(SCENE).unwrap();
    for text in [
        "سرخ بلاک کو نیلے پیالے میں رکھو",
        "请把红色积木放到蓝色的碗里",
        "положи красный кубик в синюю миску",
        "🤖🤖🤖",
        "\u{0}\u{1}\u{2}",
        "   \t\n  ",
    ] {
        let draft = RulesBackend::new().answer(&PlanRequest::new(text, scene.clone()));
        assert_eq!(draft.verdict, Verdict::Chat, "{text:?}");
        // An example in a language that is understood where a reader is there.
        let helps = draft.say.contains("red block") || draft.say.contains("لال بلاک");
        assert!(draft.steps.is_empty() && helps, "{text:?} {}", draft.say);
    }
}

#[test]
fn a_crowded_scene_stays_fast() {
    let objects: Vec<String> = (0..256)
        .map(|i| {
            let (x, y) = (0.30 + 0.018 * f64::from(i / 16), -0.3 + 0.04 * f64::from(i % 16));
            format!(r#"{{"id":"b{i}","kind":"block","color":"red","position":[{x},{y},0.02],"on":"table"}}"#)
        })
        .collect();
    let scene = Scene::from_json(&format!(r#"{{"objects":[{}]}}"#, objects.join(","))).unwrap();
    let started = Instant::now();
    for sentence in [
        "pick up the red block",
        "put all the blocks in the middle",
        "put two blocks on the left side",
        "put the block left of the block",
    ] {
        let plan = plan_with(
            &Ladder::rules_only(),
            &PlanRequest::new(sentence, scene.clone()),
        );
        assert!(plan.steps.len() <= 64);
    }
    assert!(started.elapsed().as_secs_f64() < 5.0);
    assert!(SceneMemory::default().scene().objects.is_empty());
}
