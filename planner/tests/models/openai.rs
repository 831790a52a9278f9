//! The chat-completions interface, well and badly behaved.

use std::time::Duration;

use serde_json::{Value, json};
use vola_planner::EncodedImage;
use vola_types::Verdict;

use crate::server::{Answer, Loopback, Part, Request};
use crate::{KEY, ghost, good, openai, plan, reply, request, run, with_rules};

const SENTENCE: &str = "pick up the red block";

fn chat_stream(text: &str, finish: &str) -> String {
    let mut stream = String::new();
    let letters: Vec<char> = text.chars().collect();
    for piece in letters.chunks(12) {
        let piece: String = piece.iter().collect();
        let data = json!({"choices":[{"index":0,"delta":{"content":piece},"finish_reason":null}]});
        stream += &format!("data: {data}\n\n");
    }
    let end = json!({"choices":[{"index":0,"delta":{},"finish_reason":finish}],
        "usage":{"prompt_tokens":700,"completion_tokens":60}});
    format!("{stream}data: {end}\n\ndata: [DONE]\n\n")
}

fn streamed(text: &str) -> Answer {
    Answer::stream(chat_stream(text, "stop"))
}

/// A server with one model that answers posts by the script.
fn server(script: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Loopback {
    Loopback::start(move |request, number| {
        if request.method == "GET" {
            Answer::json(200, r#"{"object":"list","data":[{"id":"tiny-model"}]}"#)
        } else {
            script(request, number)
        }
    })
}

fn formats(server: &Loopback) -> Vec<String> {
    let kind = |post: &Request| {
        let body: Value = serde_json::from_str(&post.body).unwrap();
        let kind = body["response_format"]["type"].as_str();
        kind.unwrap_or("text").to_owned()
    };
    server.posts().iter().map(kind).collect()
}

#[test]
fn the_server_s_own_model_plans() {
    let server = server(|_, _| streamed(&good()));
    let ladder = with_rules(openai(&format!("{}/v1", server.url())));
    let answer = plan(&ladder, SENTENCE);
    assert_eq!(
        (answer.backend.as_str(), answer.verdict),
        ("openai", Verdict::Execute)
    );
    assert_eq!(answer.model.as_deref(), Some("tiny-model"));
    assert_eq!((answer.tokens.input, answer.tokens.output), (700, 60));
    let post = &server.posts()[0];
    assert_eq!(post.path, "/v1/chat/completions");
    let bearer = format!("Bearer {KEY}");
    assert_eq!(post.header("authorization"), Some(bearer.as_str()));
    let body: Value = serde_json::from_str(&post.body).unwrap();
    assert_eq!(
        (&body["seed"], &body["model"]),
        (&json!(7), &json!("tiny-model"))
    );
    // The list of models is read once, and a stream may come in one piece.
    plan(&ladder, SENTENCE);
    assert_eq!(
        server.seen().iter().filter(|it| it.method == "GET").count(),
        1
    );
    let whole = json!({"choices":[{"message":{"content":good()},"finish_reason":"stop"}]});
    let server = self::server(move |_, _| Answer::json(200, whole.to_string()));
    assert_eq!(
        plan(&with_rules(openai(&server.url())), SENTENCE).backend,
        "openai"
    );
}

#[test]
fn samples_differ_even_of_a_server_that_always_answers_the_same_alike() {
    // As sure as can be without a seed or at no temperature: the same again.
    let server = server(|request, _| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let is_odd = body["seed"].as_u64().unwrap() % 2 == 1;
        let is_warm = body["temperature"].as_f64().unwrap() > 0.0;
        let other = reply("I will.", r#"[{"op":"home"}]"#);
        streamed(&if is_warm && is_odd { other } else { good() })
    });
    let seeds = |posts: &[Request]| -> Vec<u64> {
        let seed = |post: &Request| {
            let body: Value = serde_json::from_str(&post.body).unwrap();
            body["seed"].as_u64().unwrap()
        };
        posts.iter().map(seed).collect()
    };
    let inner = openai(&server.url());
    let once = plan(&with_rules(inner.clone()), SENTENCE);
    assert_eq!(once.verdict, Verdict::Execute);
    let thrice = std::sync::Arc::new(vola_planner::Agreement::new(inner, 3));
    let answer = plan(&with_rules(thrice), SENTENCE);
    assert_eq!(seeds(&server.posts()), [7, 7, 8, 9]);
    assert_eq!(answer.verdict, Verdict::Ask, "{answer:?}");
    assert!(answer.confidence < 1.0);
}

#[test]
fn less_is_asked_of_a_server_that_knows_less() {
    let refuse = || {
        Answer::json(
            400,
            r#"{"error":{"code":400,"message":"unknown response_format","type":"invalid_request_error"}}"#,
        )
    };
    let plain = server(move |request, _| {
        if request.body.contains("response_format") {
            refuse()
        } else {
            streamed(&format!("Sure! ```json\n{}\n```", good()))
        }
    });
    let ladder = with_rules(openai(&plain.url()));
    assert_eq!(plan(&ladder, SENTENCE).backend, "openai");
    assert_eq!(plan(&ladder, SENTENCE).backend, "openai");
    assert_eq!(
        formats(&plain),
        ["json_schema", "json_object", "text", "text"]
    );
    let blind = server(move |request, _| {
        if request.body.contains("image_url") {
            refuse()
        } else {
            streamed(&good())
        }
    });
    let mut asked = request(SENTENCE);
    asked.image = Some(EncodedImage {
        media_type: "image/png",
        bytes: vec![0; 30],
    });
    let answer = run(with_rules(openai(&blind.url())).plan(&asked));
    assert_eq!(answer.backend, "openai", "{:?}", answer.fallbacks);
    assert_eq!(
        formats(&blind),
        ["json_schema", "json_object", "text", "json_schema"]
    );
}

#[test]
fn failures_are_told_and_handed_over() {
    type Script = fn() -> Answer;
    let cases: [(Script, usize, &str); 8] = [
        (
            || Answer::json(500, r#"{"error":{"message":"boom"}}"#),
            3,
            "HTTP 500: boom",
        ),
        (|| Answer::new(413, "text/html", "<html>big"), 1, "HTTP 413"),
        (
            || {
                Answer::json(
                    401,
                    r#"{"error":{"message":"bad key sk-test-5ecre7-5ecre7-5ecre7"}}"#,
                )
            },
            1,
            "[key]",
        ),
        (
            || Answer::stream(chat_stream(&ghost()[..50], "length")),
            1,
            "cut off",
        ),
        (
            || Answer::stream("data: {\"choices\":[{\"delta\":{\"content\":\"{\"}}]}\n\n"),
            3,
            "broke off",
        ),
        (
            || Answer::stream("data: {\"error\":{\"message\":\"slot\",\"code\":400}}\n\n"),
            1,
            "slot",
        ),
        (|| streamed(&ghost()), 3, "no object \"ghost\""),
        (
            || Answer::stream(format!("data: {}\n\n", "x".repeat(2 << 20))),
            1,
            "an event of more",
        ),
    ];
    for (script, posts, words) in cases {
        let server = server(move |_, _| script());
        let answer = plan(&with_rules(openai(&server.url())), SENTENCE);
        let reason = &answer.fallbacks[0].reason;
        assert_eq!(answer.backend, "rules", "{words}");
        assert!(reason.contains(words), "{words}: {reason}");
        assert_eq!(server.posts().len(), posts, "{reason}");
    }
}

#[test]
fn two_models_share_the_time_and_both_are_named() {
    let asleep =
        || server(|_, _| Answer::stream("").parts(vec![Part::Pause(Duration::from_secs(60))]));
    let (first, second) = (asleep(), asleep());
    let rungs = vec![
        crate::claude(&first.url()),
        openai(&second.url()),
        std::sync::Arc::new(vola_planner::RulesBackend::new()) as _,
    ];
    let ladder = vola_planner::Ladder::new(rungs).with_deadline(Duration::from_millis(600));
    let answer = plan(&ladder, SENTENCE);
    assert_eq!(answer.backend, "rules");
    let names: Vec<&str> = answer
        .fallbacks
        .iter()
        .map(|it| it.backend.as_str())
        .collect();
    assert_eq!(names, ["claude", "openai"]);
    assert_eq!(second.posts().len(), 1, "the second had time left");
    assert!(
        answer
            .fallbacks
            .iter()
            .all(|it| it.reason.starts_with("no answer within"))
    );
}
