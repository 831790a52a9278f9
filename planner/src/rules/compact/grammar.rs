//! The compact language as a grammar for constrained decoding.

use std::fmt::Write as _;

use vola_types::{COLORS, Scene};

use super::meaning::{HARMS, TOPICS, WHYS};
use super::words::{
    COUNTED_FROM, EXTREMES, KINDS, MOST, ORDINALS, REGIONS, RELATIONS, SIDES, STATES, WAYS,
};
use crate::capabilities::Capabilities;

/// Most clauses that a model may write; every repeat of the grammar is bounded,
/// so that only the token limit can cut a line short.
const MOST_CLAUSES: usize = 8;

/// Deepest phrase inside a phrase.
const DEEPEST: usize = 2;

/// A noun phrase that may have phrases of less depth inside.
fn phrase_rules(depth: usize, rule: &mut dyn FnMut(&str, &str)) {
    let own = format!("phrase{depth}");
    let words = |extreme: &str| {
        format!(
            "(QUANTITY \" \")? (\"other \")? ({extreme} \" \")? (ORDINAL \" \" FROM \" \")? (SIDE \" \")? (STATE \" \")? (\"matching \")? (color \" \")? HEAD (\" #\" NUMBER)?"
        )
    };
    let Some(inner) = depth.checked_sub(1) else {
        return rule(&own, &words("EXTREME"));
    };
    let extreme =
        format!("(EXTREME | (\"nearest-to\" | \"farthest-from\") \" (\" phrase{inner} \")\")");
    rule(&format!("words{depth}"), &words(&extreme));
    rule(
        &format!("near{depth}"),
        &format!(
            "BESIDE \" \" phrase{inner} | \"on\" \" \" (phrase{inner} | \"table\") | \"at \" REGION"
        ),
    );
    rule(
        &own,
        &format!(
            "words{depth} (\" [\" (\"not \")? near{depth} \"]\"){{0,2}} (\" except \" phrase{inner})?"
        ),
    );
}

/// The grammar in the Lark dialect that constrained decoders read, for what
/// this robot can do with this scene. A model that decodes under it writes
/// lines of the compact language and nothing else.
#[must_use]
pub fn grammar(scene: &Scene, capabilities: &Capabilities) -> String {
    use vola_types::Op;
    let can = |op| capabilities.can(op);
    let mut commands = vec!["\"release\"", "\"keep \" group", "\"wait \" /[0-9]{1,3}/"];
    if can(Op::Pick) {
        commands.push("\"take \" group");
    }
    if can(Op::Place) {
        commands.extend([
            "\"put \" group (\" \" place | \" down\")?",
            "\"clear \" group",
            "\"tower\" (\" \" group)?",
            "\"sort\" (\" \" group)?",
            "\"tidy\" (\" \" group)?",
            "\"empty \" group",
        ]);
    }
    if can(Op::Push) {
        commands.push("\"push \" group (\" \" WAY | \" \" place)?");
    }
    if can(Op::Open) || can(Op::Close) {
        commands.push("(\"open \" | \"close \") group");
    }
    if can(Op::OpenGripper) || can(Op::CloseGripper) {
        commands.push("\"hand open\" | \"hand closed\"");
    }
    if can(Op::MoveTo) {
        commands.push("\"go \" place");
    }
    if can(Op::Home) {
        commands.push("\"home\"");
    }
    let mut kinds: Vec<&str> = KINDS.to_vec();
    for object in &scene.objects {
        let is_word = |kind: &str| kind.chars().all(|c| c.is_ascii_lowercase());
        if is_word(&object.kind) && !object.kind.is_empty() && !kinds.contains(&&*object.kind) {
            kinds.push(&object.kind);
        }
    }
    let mut text = String::new();
    let any = |words: &mut dyn Iterator<Item = &str>| {
        let quoted: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
        quoted.join(" | ")
    };
    // Writing into a string does not fail.
    let mut rule = |name: &str, body: &str| {
        let _ = writeln!(text, "{name}: {body}");
    };
    rule("start", "\" \"? line");
    rule(
        "line",
        "\"do \" clause (\"; \" clause){0,7} | \"ask\" (\" \" group)? | \"cannot \" WHY | \"unsafe \" HARM | \"chat \" TOPIC | \"fix \" (place | group | WAY | \"opposite\") | \"same \" group | \"again\" | \"answer \" (place | group | NUMBER | \"yes\" | \"no\")",
    );
    debug_assert_eq!(MOST_CLAUSES, 8, "the repeat above");
    rule("clause", &commands.join(" | "));
    rule(
        "group",
        "phrase ((\" + \" phrase){1,4} | (\" | \" phrase){1,3})?",
    );
    rule("phrase", &format!("phrase{DEEPEST}"));
    for depth in 0..=DEEPEST {
        phrase_rules(depth, &mut rule);
    }
    rule(
        "place",
        "BESIDE \" \" either | \"on\" \" \" (either | \"table\") | \"at \" REGION | \"there\" | \"here\"",
    );
    rule("either", "phrase (\" | \" phrase){0,2}");
    rule("color", "COLOR (\"/\" COLOR)? | \"not-\" COLOR");
    rule("WHY", &any(&mut WHYS.iter().map(|w| w.0)));
    rule("HARM", &any(&mut HARMS.iter().map(|w| w.0)));
    rule("TOPIC", &any(&mut TOPICS.iter().map(|w| w.0)));
    rule("NUMBER", &format!("/[1-{MOST}]/"));
    rule(
        "QUANTITY",
        &format!("\"a\" | \"all\" | \"both\" | \"some\" | /=?[2-{MOST}]/"),
    );
    let extremes = EXTREMES.iter().map(|w| w.0);
    rule(
        "EXTREME",
        &any(&mut extremes.chain(["highest", "nearest", "farthest"])),
    );
    rule("ORDINAL", &any(&mut ORDINALS.iter().map(|w| w.0)));
    rule("FROM", &any(&mut COUNTED_FROM.iter().map(|w| w.0)));
    rule("SIDE", &any(&mut SIDES.iter().map(|w| w.0)));
    rule("STATE", &any(&mut STATES.iter().map(|w| w.0)));
    rule("COLOR", &any(&mut COLORS.iter().copied()));
    let heads = kinds.into_iter().chain(["thing", "one", "it", "them"]);
    rule("HEAD", &any(&mut heads.collect::<Vec<_>>().into_iter()));
    // "on" is one word wherever it stands: a decoder that reads words greedily
    // would never leave "on table" for "on" and a phrase.
    let relations = RELATIONS.iter().map(|w| w.0);
    rule("BESIDE", &any(&mut relations.filter(|word| *word != "on")));
    let regions = REGIONS.iter().map(|w| w.0);
    rule("REGION", &any(&mut regions.chain(["corner"])));
    rule("WAY", &any(&mut WAYS.iter().map(|w| w.0)));
    text
}
