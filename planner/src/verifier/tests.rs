use super::*;
use crate::draft::PlanDraft;
use vola_types::{Op, PlanOption};

const SCENE: &str = r#"{"objects":[
 {"id":"red_block","kind":"block","color":"red","position":[0.42,-0.10,0.02],"on":"table"},
 {"id":"green_block","kind":"block","color":"green","position":[0.42,-0.10,0.06],"on":"red_block"},
 {"id":"pink_block","kind":"block","color":"pink","position":[0.35,0.29,0.02],"on":"table"},
 {"id":"far_block","kind":"block","color":"gray","position":[0.95,0.0,0.02],"on":"table"},
 {"id":"ghost","kind":"block","color":"cyan"},
 {"id":"hidden","kind":"block","color":"brown","position":[0.45,0.2,0.02],"on":"drawer"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.50,0.15,0.03],"on":"table"},
 {"id":"drawer","kind":"drawer","open":false}]}"#;

/// The steps pass (`expected` empty) or are refused with a message that holds
/// `expected`.
fn check(steps: &str, expected: &str) {
    let scene = Scene::from_json(SCENE).unwrap();
    let steps: Vec<Step> = serde_json::from_str(steps).unwrap();
    match verify_steps(&steps, &scene, &Capabilities::default()) {
        Ok(_) => assert_eq!(expected, "", "{steps:?} should be refused"),
        Err(fault) => {
            let text = fault.to_string();
            assert!(!expected.is_empty(), "{steps:?}: {text}");
            assert!(text.contains(expected), "{text:?} lacks {expected:?}");
            assert!(fault.say(&scene).ends_with('.'));
        }
    }
}

#[test]
fn preconditions() {
    let pick = |id: &str| format!(r#"{{"op":"pick","object":"{id}"}}"#);
    let place = |id: &str, target: &str, relation: &str| {
        format!(r#"{{"op":"place","object":"{id}","target":"{target}","relation":"{relation}"}}"#)
    };
    let push =
        |id: &str, way: &str| format!(r#"{{"op":"push","object":"{id}","direction":"{way}"}}"#);
    let list = |steps: &[String]| format!("[{}]", steps.join(","));
    let (p, g) = ("pink_block", "green_block");
    check(
        &list(&[pick(g), place(g, "blue_bowl", "in"), pick("red_block")]),
        "",
    );
    check(&list(&[pick("red_block")]), "green_block");
    check(&list(&[pick(g), pick(p)]), "must be empty");
    check(&list(&[place(p, "blue_bowl", "in")]), "not held");
    check(&list(&[pick("blue_bowl")]), "does not fit");
    check(&list(&[pick("nothing")]), "no object");
    check(&list(&[pick("ghost")]), "not known");
    check(&list(&[pick("far_block")]), "out of reach");
    check(&list(&[pick("hidden")]), "closed");
    check(&list(&[pick(p), place(p, p, "on")]), "own target");
    check(
        &list(&[pick(p), place(p, "blue_bowl", "on")]),
        "does not fit",
    );
    check(&list(&[pick(p), place(p, "middle", "in")]), "does not fit");
    check(&list(&[pick(p), place(p, "middle", "on")]), "");
    check(&list(&[pick(p), place(p, "moon", "on")]), "moon");
    check(
        &list(&[pick(p), place(p, "red_block", "on")]),
        "green_block",
    );
    check(&list(&[pick(p), place(p, g, "on")]), "");
    check(&list(&[pick(p), place(p, "drawer", "in")]), "closed");
    check(
        &list(&[
            r#"{"op":"open","object":"drawer"}"#.to_owned(),
            pick(p),
            place(p, "drawer", "in"),
        ]),
        "",
    );
    check(r#"[{"op":"close","object":"drawer"}]"#, "already closed");
    check(r#"[{"op":"open","object":"blue_bowl"}]"#, "opens");
    check(&list(&[push(p, "left")]), "leave the table");
    check(&list(&[push(p, "right")]), "");
    check(&list(&[push(g, "left")]), "not lie on the table");
    check(&list(&[push("drawer", "left")]), "not known");
    check(&list(&vec![r#"{"op":"home"}"#.to_owned(); 65]), "limit");
}

#[test]
fn towers_end_at_the_limit() {
    let blocks: Vec<String> = (0..6)
        .map(|i| {
            format!(
                r#"{{"id":"b{i}","kind":"block","position":[0.45,{},0.02],"on":"table"}}"#,
                -0.25 + 0.1 * f64::from(i)
            )
        })
        .collect();
    let scene = Scene::from_json(&format!(r#"{{"objects":[{}]}}"#, blocks.join(","))).unwrap();
    let mut steps = Vec::new();
    for level in 1..5 {
        let object = format!("b{level}");
        steps.push(Step::Pick {
            object: object.clone(),
        });
        steps.push(Step::Place {
            object,
            target: format!("b{}", level - 1),
            relation: vola_types::Relation::On,
        });
    }
    let capabilities = Capabilities::default();
    assert!(verify_steps(&steps[..6], &scene, &capabilities).is_ok());
    let fault = verify_steps(&steps, &scene, &capabilities).unwrap_err();
    assert!(matches!(
        fault,
        PlanFault::Step {
            index: 7,
            error: PlanError::TooHigh { .. },
            ..
        }
    ));
}

#[test]
fn undeclared_ops_are_refused() {
    let scene = Scene::from_json(SCENE).unwrap();
    let capabilities = Capabilities::with_ops(&[Op::Pick]);
    let fault = verify_steps(&[Step::Home], &scene, &capabilities).unwrap_err();
    assert!(fault.to_string().contains("home"));
}

#[test]
fn the_form_of_an_answer_is_checked() {
    let scene = Scene::from_json(SCENE).unwrap();
    let capabilities = Capabilities::default();
    let bad = |draft: PlanDraft| verify_draft(&draft, &scene, &capabilities).is_err();
    let option = |label: &str| PlanOption {
        label: label.to_owned(),
        steps: vec![Step::Home],
    };
    assert!(!bad(PlanDraft::chat("hello")));
    assert!(bad(PlanDraft::chat("  ")));
    assert!(bad(PlanDraft::ask("which?", vec![option("a")])));
    assert!(!bad(PlanDraft::ask(
        "which?",
        vec![option("a"), option("b")]
    )));
    assert!(bad(PlanDraft::ask("which?", vec![option("a"), option("")])));
    assert!(bad(PlanDraft::execute("do nothing", Vec::new())));
    let mut tree = PlanDraft::execute("go home", vec![("go home".to_owned(), vec![Step::Home])]);
    assert!(!bad(tree.clone()));
    tree.tree.subtasks[0].steps.push(7);
    assert!(bad(tree));
    let mut confidence = PlanDraft::chat("hello");
    confidence.confidence = f64::NAN;
    assert!(bad(confidence));
}
