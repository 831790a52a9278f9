//! Several sentences on one table: what the robot remembers between them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vola_tests::workspace;

use super::LIMIT;

/// Says these sentences to one robot; gives all events.
fn say(seed: u64, sentences: &[String]) -> Vec<Value> {
    let seed = seed.to_string();
    let input = sentences.join("\n") + "\n";
    let arguments = ["chat", "--json", "--fast", "--seed", &seed];
    let run = workspace().run_vola(&arguments, &input, LIMIT);
    assert!(!run.timed_out, "{}", run.stderr);
    run.json_lines()
}

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["event"] == name)
        .collect()
}

/// The objects of a scene event by id.
fn objects(scene: &Value) -> BTreeMap<String, Value> {
    scene["scene"]["objects"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|object| Some((object["id"].as_str()?.to_owned(), object.clone())))
        .collect()
}

/// "the red block" of objects whose colour and kind stand once on the table.
fn nouns(scene: &BTreeMap<String, Value>, kind: &str) -> Vec<(String, String)> {
    scene
        .iter()
        .filter(|(id, object)| {
            object["kind"] == kind && !id.ends_with(|last: char| last.is_ascii_digit())
        })
        .filter_map(|(id, object)| {
            Some((
                id.clone(),
                format!("the {} {kind}", object["color"].as_str()?),
            ))
        })
        .collect()
}

fn fresh(seed: u64) -> BTreeMap<String, Value> {
    let events = say(seed, &["/scene".to_owned()]);
    objects(named(&events, "scene")[0])
}

#[test]
fn ids_last_over_sentences_and_what_was_put_in_a_bowl_stays_there() {
    let (mut told, mut good) = (0, 0);
    for seed in 1_000_000..1_000_008 {
        let before = fresh(seed);
        let (blocks, bowls) = (nouns(&before, "block"), nouns(&before, "bowl"));
        // The rightmost is pushed to the left: it stays on the table.
        let across = |id: &str| before[id]["position"][1].as_f64().unwrap_or_default();
        let pushed = blocks
            .iter()
            .min_by(|a, b| across(&a.0).total_cmp(&across(&b.0)));
        let put = blocks.iter().find(|block| Some(*block) != pushed);
        let (Some((first, a)), Some((_, b)), Some((bowl, in_bowl))) = (put, pushed, bowls.first())
        else {
            continue;
        };
        let sentences = [
            format!("put {a} in {in_bowl}"),
            "go home".to_owned(),
            format!("push {b} to the left"),
            "go home".to_owned(),
            "/scene".to_owned(),
        ];
        let events = say(seed, &sentences);
        told += 1;
        let ends = named(&events, "finished");
        let ids: BTreeSet<&String> = before.keys().collect();
        let scenes = named(&events, "scene");
        let last = objects(scenes[scenes.len() - 1]);
        let lasting = scenes
            .iter()
            .all(|scene| objects(scene).keys().collect::<BTreeSet<_>>() == ids);
        let is_in = last.get(first).is_some_and(|it| it["on"] == bowl.as_str());
        good += usize::from(lasting && is_in && ends.iter().all(|end| end["success"] == true));
    }
    assert!(told >= 5, "only {told} scenes had what is needed");
    // One of them may go wrong: the policy is no machine tool.
    assert!(good + 1 >= told, "{good} of {told} dialogues went well");
}

#[test]
fn the_drawer_opens_takes_a_block_and_closes_as_one_drawer() {
    let (mut told, mut good) = (0, 0);
    for seed in 1_000_200..1_000_212 {
        let before = fresh(seed);
        let blocks = nouns(&before, "block");
        let (Some(drawer), [(_, block), ..]) = (before.get("drawer"), blocks.as_slice()) else {
            continue;
        };
        if told == 5 || drawer["open"] == true {
            continue;
        }
        let sentences = [
            "open the drawer".to_owned(),
            format!("put {block} in the drawer"),
            "close the drawer".to_owned(),
        ];
        let events = say(seed, &sentences);
        told += 1;
        let drawers: BTreeSet<String> = named(&events, "scene")
            .into_iter()
            .flat_map(|scene| objects(scene).into_keys())
            .filter(|id| id.starts_with("drawer"))
            .collect();
        assert_eq!(drawers.len(), 1, "one drawer stays one: {drawers:?}");
        let ends = named(&events, "finished");
        let all = ends.len() == 3 && ends.iter().all(|end| end["success"] == true);
        good += usize::from(all);
    }
    assert!(told >= 3, "only {told} scenes had a closed drawer");
    assert!(good + 1 >= told, "{good} of {told} dialogues went well");
}
