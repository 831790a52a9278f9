//! The server over real connections, with a desk that writes down what it hears.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use vola_console::{
    ChosenAnswer, ConsoleError, Decision, Desk, Feed, Jog, Refusal, Server, ServerSettings,
    StopKind, Token,
};

#[derive(Default)]
struct Diary {
    heard: Mutex<Vec<String>>,
}

impl Diary {
    fn note(&self, what: String) {
        self.heard.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

impl Desk for Diary {
    fn stop(&self, kind: StopKind) {
        self.note(format!("stop {kind:?}"));
    }

    fn beat(&self) {
        self.note("beat".to_owned());
    }

    fn say(&self, text: &str) -> Result<(), Refusal> {
        if text == "/quit" {
            let reason = "not over the network".to_owned();
            return Err(Refusal { reason });
        }
        self.note(format!("say {text}"));
        Ok(())
    }

    fn answer(&self, chosen: &ChosenAnswer) -> Result<(), Refusal> {
        self.note(format!("answer {} ({})", chosen.typed, chosen.words));
        Ok(())
    }

    fn teach(&self, sentence: &str) -> Result<(), Refusal> {
        self.note(format!("teach {sentence}"));
        Ok(())
    }

    fn decide(&self, decision: Decision) -> Result<(), Refusal> {
        self.note(format!("decide {}", decision.words()));
        Ok(())
    }

    fn jog(&self, jog: Jog) -> Result<(), Refusal> {
        if jog == Jog::default() {
            let reason = "nobody has the arm".to_owned();
            return Err(Refusal { reason });
        }
        self.note(format!("jog {:?}", jog.linear_m_per_s));
        Ok(())
    }

    fn state(&self) -> Value {
        json!({"embodiment": "mock/arm"})
    }

    fn metrics(&self) -> String {
        "vola_info 1\n".to_owned()
    }
}

struct Stand {
    diary: Arc<Diary>,
    feed: Feed,
    server: Server,
}

fn stand(token: Option<Token>) -> Stand {
    let (diary, feed) = (Arc::new(Diary::default()), Feed::default());
    let settings = ServerSettings {
        address: "127.0.0.1:0".parse().unwrap(),
        token,
    };
    let server = Server::start(settings, Arc::clone(&diary) as Arc<dyn Desk>, feed.clone());
    Stand {
        diary,
        feed,
        server: server.unwrap(),
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// One request with these header lines; status code and everything that came.
fn ask(address: SocketAddr, first: &str, headers: &[&str], body: &str) -> (u16, String) {
    let mut stream = connect(address);
    let mut text = format!("{first} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|line| line.starts_with("host:")) {
        text.push_str(&format!("host: {address}\r\n"));
    }
    for line in headers {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (code, answer)
}

const JSON: &str = "content-type: application/json";

#[test]
fn orders_reach_the_desk_and_answers_come_back() {
    let Stand { diary, server, .. } = stand(None);
    let at = server.address();
    let (code, page) = ask(at, "GET /", &[], "");
    assert_eq!(code, 200);
    assert!(
        page.contains("STOP") && page.contains("content-security-policy"),
        "{page}"
    );
    assert!(!page.contains("unsafe-inline"), "{page}");
    for (file, kind) in [
        ("console.css", "text/css"),
        ("console.js", "text/javascript"),
    ] {
        let (code, text) = ask(at, &format!("GET /{file}"), &[], "");
        assert!(code == 200 && text.contains(kind), "{text}");
    }
    let (code, metrics) = ask(at, "GET /metrics", &[], "");
    assert!(
        code == 200 && metrics.ends_with("vola_info 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("text/plain; version=0.0.4"), "{metrics}");
    let (code, state) = ask(at, "GET /api/state", &[], "");
    assert!(code == 200 && state.contains("mock/arm"), "{state}");
    assert_eq!(diary.take(), [""; 0], "nothing changes by GET");

    for (path, body, code, heard) in [
        ("/api/stop", "", 204, "stop Hold"),
        (
            "/api/stop",
            r#"{"kind":"controlled"}"#,
            204,
            "stop Controlled",
        ),
        ("/api/stop", r#"{"kind":"power"}"#, 204, "stop Power"),
        // Nonsense is an error, and a stop all the same.
        ("/api/stop", r#"{"kind":"gently"}"#, 400, "stop Hold"),
        ("/api/beat", "", 204, "beat"),
        (
            "/api/teach",
            r#"{"sentence":"pick up the red block"}"#,
            202,
            "teach pick up the red block",
        ),
        ("/api/handoff", r#"{"choice":"keep"}"#, 202, "decide keep"),
        (
            "/api/say",
            r#"{"text":"open the drawer"}"#,
            202,
            "say open the drawer",
        ),
    ] {
        let (got, answer) = ask(at, &format!("POST {path}"), &[JSON], body);
        assert_eq!(got, code, "{path} {body}: {answer}");
        assert_eq!(diary.take(), [heard], "{path} {body}");
    }
    let (code, answer) = ask(at, "POST /api/say", &[JSON], r#"{"text":"/quit"}"#);
    assert!(
        code == 409 && answer.contains("not over the network"),
        "{answer}"
    );
    let (code, _) = ask(at, "POST /api/say", &[JSON], r#"{"words":"x"}"#);
    assert_eq!(code, 400);
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    assert_eq!(ask(at, "POST /api/say", &[JSON], &long).0, 413);
    assert_eq!(diary.take(), [""; 0]);
}

#[test]
fn nothing_changes_by_get_nor_from_another_page_or_name() {
    let Stand { diary, server, .. } = stand(None);
    let at = server.address();
    let ours = format!("origin: http://{at}");
    for (first, headers, code) in [
        ("GET /api/stop", vec![], 405),
        ("GET /api/say", vec![], 405),
        // A form can send this type without asking first.
        ("POST /api/beat", vec!["content-type: text/plain"], 415),
        ("POST /api/beat", vec![], 415),
        (
            "POST /api/beat",
            vec![JSON, "origin: http://evil.example"],
            403,
        ),
        ("POST /api/beat", vec![JSON, "origin: null"], 403),
        ("GET /metrics", vec!["host: evil.example"], 403),
        ("GET /api/events", vec!["origin: http://evil.example"], 403),
        ("GET /api/live", vec!["origin: http://evil.example"], 403),
        ("GET /console.js", vec!["host: evil.example"], 403),
        ("GET /api/answer", vec![], 405),
        ("GET /api/teach", vec![], 405),
        ("POST /api/episodes", vec![JSON], 405),
        ("GET /api/episodes", vec!["host: evil.example"], 403),
        (
            "GET /api/episodes",
            vec!["origin: http://evil.example"],
            403,
        ),
        // Nothing is recorded here.
        ("GET /api/episodes", vec![], 404),
    ] {
        let (got, answer) = ask(at, first, &headers, "");
        assert_eq!(got, code, "{first} {headers:?}: {answer}");
    }
    assert_eq!(diary.take(), [""; 0]);
    assert_eq!(ask(at, "POST /api/beat", &[JSON, &ours], "").0, 204);
}

#[test]
fn a_stop_is_taken_in_any_form_but_not_from_another_page() {
    let Stand { diary, server, .. } = stand(None);
    let at = server.address();
    for headers in [vec![], vec!["content-type: text/plain"], vec![JSON]] {
        assert_eq!(
            ask(at, "POST /api/stop", &headers, "").0,
            204,
            "{headers:?}"
        );
        assert_eq!(diary.take().len(), 1, "{headers:?}");
    }
    // A body that is no JSON stops as well, and is told to be wrong.
    let form = ["content-type: application/x-www-form-urlencoded"];
    assert_eq!(ask(at, "POST /api/stop", &form, "kind=controlled").0, 400);
    assert_eq!(diary.take().len(), 1);
    let foreign = ["origin: http://evil.example"];
    assert_eq!(ask(at, "POST /api/stop", &foreign, "").0, 403);
    assert_eq!(diary.take(), [""; 0]);
}

#[test]
fn beyond_this_machine_a_token_is_needed() {
    let open = ServerSettings {
        address: "0.0.0.0:0".parse().unwrap(),
        token: None,
    };
    let refused = Server::start(open, Arc::new(Diary::default()), Feed::default());
    assert!(matches!(refused, Err(ConsoleError::Unprotected { .. })));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "sesame-sesame-sesame\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let Stand { diary, server, .. } = stand(Some(Token::read(&file).unwrap()));
    let at = server.address();
    let right = "authorization: Bearer sesame-sesame-sesame";
    for (first, headers, code) in [
        ("GET /metrics", vec![], 401),
        ("GET /metrics", vec!["authorization: Bearer sesame"], 401),
        ("GET /metrics?token=wrong", vec![], 401),
        ("GET /metrics", vec![right], 200),
        (
            "GET /?token=sesame-sesame-sesame",
            vec!["host: robot.lab"],
            200,
        ),
        ("POST /api/stop", vec![JSON], 401),
        ("GET /api/live", vec![], 401),
        ("GET /", vec![], 401),
        // The same for everybody, and a browser asks for it without the token.
        ("GET /console.js", vec![], 200),
    ] {
        let (got, answer) = ask(at, first, &headers, "");
        assert_eq!(got, code, "{first} {headers:?}: {answer}");
        assert!(!answer.contains("sesame-"), "{answer}");
    }
    assert_eq!(diary.take(), [""; 0]);
}

/// A text frame of a client: masked, as the standard demands.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    let mask = [1, 2, 3, 4];
    let masked = text.bytes().zip(mask.iter().cycle()).map(|(a, b)| a ^ b);
    [0x81, 0x80 | length]
        .into_iter()
        .chain(mask)
        .chain(masked)
        .collect()
}

/// The next text frame of the server.
fn next_text(stream: &mut TcpStream) -> String {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 0x81, "a whole text");
    let mut length = usize::from(head[1]);
    if length == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long).unwrap();
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn a_page_hears_events_and_sends_orders_over_one_connection() {
    let Stand {
        diary,
        feed,
        server,
    } = stand(None);
    feed.tell(&json!({"event": "earlier"}));
    let mut stream = connect(server.address());
    let request = format!(
        "GET /api/events HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let answer = String::from_utf8(answer).unwrap();
    // The key's answer is the standard's own example.
    assert!(
        answer.contains("101") && answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{answer}"
    );
    assert_eq!(next_text(&mut stream), r#"{"event":"earlier"}"#);
    feed.tell(&json!({"event": "now"}));
    assert_eq!(next_text(&mut stream), r#"{"event":"now"}"#);

    stream.write_all(&frame(r#"{"say":"/quit"}"#)).unwrap();
    assert!(next_text(&mut stream).contains("not over the network"));
    stream.write_all(&frame(r#"{"jump":1}"#)).unwrap();
    assert!(next_text(&mut stream).contains("error"));
    for order in [
        r#"{"stop":"hold"}"#,
        r#"{"beat":true}"#,
        r#"{"say":"hello"}"#,
    ] {
        stream.write_all(&frame(order)).unwrap();
    }
    // The last is answered after the others were obeyed.
    stream.write_all(&frame(r#"{"say":"/quit"}"#)).unwrap();
    next_text(&mut stream);
    assert_eq!(diary.take(), ["stop Hold", "beat", "say hello"]);
    // The server ends although the connection is open.
    drop(server);
}
