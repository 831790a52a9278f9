//! How well questions over the shipped manual are answered, and that the bar
//! stays where it was set. The questions of the planner's examination are others.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::path::{Path, PathBuf};

use vola_documents::Library;

/// A question with the headings that answer it; none: it is not in the manual.
struct Question {
    sentence: String,
    headings: Vec<String>,
}

fn manual() -> Library {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/manual");
    Library::open(&[root]).unwrap()
}

fn questions() -> Vec<Question> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/calibration.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    let all = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    // Mixed sentences and questions about the scene are the planner's to tell apart.
    all.filter(|one| !["mixed", "scene"].contains(&one["class"].as_str().unwrap()))
        .map(|one| Question {
            sentence: one["sentence"].as_str().unwrap().to_owned(),
            headings: one["headings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|heading| heading.as_str().unwrap().to_owned())
                .collect(),
        })
        .collect()
}

#[test]
fn the_bar_tells_answers_from_what_is_not_there() {
    let library = manual();
    let (mut right, mut all) = (0, 0);
    let mut invented = Vec::new();
    for question in questions() {
        let lookup = library.look_up(&question.sentence, 3).unwrap();
        let best = lookup.found.first().filter(|_| lookup.is_answered);
        let heading = best.and_then(|found| found.passage.headings.last());
        let is_right = match heading {
            Some(heading) => question.headings.contains(heading),
            None => question.headings.is_empty(),
        };
        if heading.is_some() && question.headings.is_empty() {
            invented.push(question.sentence.clone());
        }
        if !is_right {
            let found = lookup.found.first();
            println!(
                "{:?}: expected {:?}, got {heading:?}; best {:?} covers {:.2}, score {:.1}",
                question.sentence,
                question.headings,
                found.map(|it| it.passage.heading()),
                found.map_or(0.0, |it| it.coverage),
                found.map_or(0.0, |it| it.score),
            );
        }
        right += usize::from(is_right);
        all += 1;
    }
    println!(
        "{right} of {all} right, {} answered that are not there",
        invented.len()
    );
    assert!(right * 100 >= all * 85, "{right} of {all}");
    assert!(invented.len() <= 2, "{invented:?}");
}

#[test]
fn every_passage_of_the_manual_is_found_by_its_own_heading() {
    let library = manual();
    assert!(library.documents() >= 4 && library.passages() >= 40);
    for heading in [
        "Payload",
        "Dead-man",
        "Emergency stop",
        "Privacy",
        "Grip force",
    ] {
        let lookup = library.look_up(heading, 1).unwrap();
        assert_eq!(lookup.found[0].passage.headings.last().unwrap(), heading);
    }
}
