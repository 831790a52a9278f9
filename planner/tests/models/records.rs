//! Decisions on file, and run again.

use vola_planner::{DecisionLog, DecisionRecord, Ladder, RulesBackend, read_record, replay};
use vola_types::{Plan, Verdict};

use crate::server::{Answer, Loopback, message_stream};
use crate::{KEY, claude, ghost, good, plan, run, with_rules};

const SENTENCE: &str = "pick up the red block";

fn recorded(ladder: Ladder, sentence: &str) -> (tempfile::TempDir, Plan, DecisionRecord) {
    let folder = tempfile::tempdir().unwrap();
    let log = DecisionLog::new(folder.path().join("decisions"));
    let plan = plan(&ladder.with_log(log.clone()), sentence);
    let record = log.read(&plan.id).unwrap();
    let text = std::fs::read_to_string(log.folder().join(format!("{}.json", plan.id))).unwrap();
    assert!(!text.contains(KEY) && !text.contains("x-api-key"), "{text}");
    assert_eq!(std::fs::read_dir(log.folder()).unwrap().count(), 1);
    (folder, plan, record)
}

fn server(replies: Vec<String>) -> Loopback {
    Loopback::start(move |request, number| {
        if request.method == "GET" {
            return Answer::json(200, "{}");
        }
        let reply = replies.get(number).or(replies.last()).unwrap();
        Answer::stream(message_stream(reply, "end_turn"))
    })
}

#[test]
fn a_decision_with_repairs_and_a_fall_replays_identically() {
    for replies in [
        vec![good()],
        vec![ghost(), "no JSON".to_owned(), good()],
        vec![ghost()],
        vec![format!("my key is {KEY}")],
    ] {
        let server = server(replies.clone());
        let (_folder, plan, record) = recorded(with_rules(claude(&server.url())), SENTENCE);
        drop(server);
        let again = run(replay(&record, &RulesBackend::new()));
        assert!(again.identical, "{replies:?}: {:?}", again.differences);
        assert_eq!((again.plan.backend, again.plan.id), (plan.backend, plan.id));
    }
}

#[test]
fn a_record_tells_what_was_sent_and_said() {
    let server = server(vec![ghost(), good()]);
    let (_folder, plan, record) = recorded(with_rules(claude(&server.url())), SENTENCE);
    let attempts = &record.rungs[0].attempts;
    assert_eq!((record.rungs.len(), attempts.len()), (1, 2));
    let (first, second) = (&attempts[0].exchanges[0], &attempts[1].exchanges[0]);
    assert_eq!(first.prompt, server.posts()[0].body, "byte by byte");
    assert_eq!(second.prompt, server.posts()[1].body);
    assert_eq!(
        (first.reply.clone(), second.reply.clone()),
        (ghost(), good())
    );
    assert_eq!(first.status, Some(200));
    assert_eq!(first.stop_reason.as_deref(), Some("end_turn"));
    assert_eq!(first.schema_hash.as_ref().map(String::len), Some(16));
    assert!(attempts[0].fault.as_ref().unwrap().contains("ghost"));
    assert!(attempts[1].fault.is_none() && record.plan == plan);
}

#[test]
fn a_changed_reply_or_scene_is_noticed() {
    let server = server(vec![good()]);
    let (_folder, _, record) = recorded(with_rules(claude(&server.url())), SENTENCE);
    let mut changed = record.clone();
    changed.rungs[0].attempts[0].exchanges[0].reply = ghost();
    let again = run(replay(&changed, &RulesBackend::new()));
    assert!(!again.identical && again.differences.contains(&"steps".to_owned()));
    assert_eq!(
        again.plan.verdict,
        Verdict::Ask,
        "nothing unverified comes out"
    );
    let mut moved = record;
    moved.asked.scene.objects.clear();
    assert!(!run(replay(&moved, &RulesBackend::new())).identical);
}

#[test]
fn decisions_without_a_model_replay_too() {
    for sentence in [SENTENCE, "hit my hand", "put it somewhere", ""] {
        let (_folder, plan, record) = recorded(Ladder::rules_only(), sentence);
        let again = run(replay(&record, &RulesBackend::new()));
        assert!(
            again.identical,
            "{sentence}: {:?} {plan:?}",
            again.differences
        );
    }
}

#[test]
fn foreign_files_and_ids_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = DecisionLog::new(folder.path());
    for id in [
        "",
        "../../etc/passwd",
        "0123456789abcde",
        "0123456789abcdeg",
    ] {
        assert!(
            log.read(id)
                .unwrap_err()
                .to_string()
                .contains("16 hexadecimal")
        );
    }
    assert!(log.read("0123456789abcdef").is_err());
    let file = folder.path().join("a.json");
    for text in ["", "{}", "[1]", "{\"format\":99}"] {
        std::fs::write(&file, text).unwrap();
        let error = read_record(&file).unwrap_err().to_string();
        assert!(
            error.contains("a.json") && error.contains("not a decision record"),
            "{error}"
        );
    }
}
