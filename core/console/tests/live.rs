//! The live connection: newest state and pictures, and what a slow page costs.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vola_console::{
    Attention, CameraCard, Capability, ChosenAnswer, Decision, Desk, Feed, Jog, JointCard,
    LiveState, Mode, Pictures, RawPicture, Refusal, RobotCard, Server, ServerSettings, StopKind,
    Views, live::WINDOW,
};

/// A desk whose state counts how often it was asked.
#[derive(Default)]
struct Counting {
    asked: AtomicU64,
    said: Mutex<Vec<String>>,
}

impl Desk for Counting {
    fn stop(&self, _: StopKind) {
        self.said.lock().unwrap().push("stop".to_owned());
    }

    fn beat(&self) {}

    fn say(&self, text: &str) -> Result<(), Refusal> {
        self.said.lock().unwrap().push(text.to_owned());
        Ok(())
    }

    fn answer(&self, chosen: &ChosenAnswer) -> Result<(), Refusal> {
        self.say(&chosen.typed)
    }

    fn decide(&self, decision: Decision) -> Result<(), Refusal> {
        self.say(decision.words())
    }

    fn jog(&self, _: Jog) -> Result<(), Refusal> {
        self.say("jog")
    }

    fn state(&self) -> Value {
        Value::Null
    }

    fn metrics(&self) -> String {
        String::new()
    }

    fn card(&self) -> RobotCard {
        let camera = |key: &str, is_shown| CameraCard {
            key: key.to_owned(),
            width: 16,
            height: 8,
            is_shown,
        };
        RobotCard {
            embodiment: "mock/arm".to_owned(),
            capabilities: vec![Capability::NewScene],
            joints: vec![JointCard {
                name: "one".to_owned(),
                unit: "rad",
                min: -1.0,
                max: 1.0,
            }],
            cameras: vec![camera("front", true), camera("overview", false)],
            ..RobotCard::default()
        }
    }

    fn live(&self) -> LiveState {
        let count = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        LiveState {
            t: count as f64,
            mode: Mode::Following,
            joints: vec![0.25],
            ..LiveState::default()
        }
    }

    fn attention(&self) -> Option<Attention> {
        Some(Attention {
            t: 1.0,
            camera: "front".to_owned(),
            columns: 2,
            rows: 1,
            weights: vec![0, 255],
        })
    }
}

struct Stand {
    desk: Arc<Counting>,
    views: Views,
    server: Server,
}

fn stand() -> Stand {
    let desk = Arc::new(Counting::default());
    let views = Views {
        pictures: Pictures::new(["front", "overview"]),
        ..Views::default()
    };
    let settings = ServerSettings {
        address: "127.0.0.1:0".parse().unwrap(),
        token: None,
    };
    let shared = Arc::clone(&desk) as Arc<dyn Desk>;
    let server = Server::start_with(settings, shared, Feed::default(), views.clone()).unwrap();
    Stand {
        desk,
        views,
        server,
    }
}

/// What came over the connection.
enum Came {
    Text(Value),
    Bytes(Value, Vec<u8>),
}

/// A page's connection.
struct Page(TcpStream);

impl Page {
    fn open(address: SocketAddr, path: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"));
        Self(stream)
    }

    fn say(&mut self, word: &Value) {
        let text = word.to_string();
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 126);
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).unwrap();
    }

    fn next(&mut self) -> Came {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let length = match head[1] {
            126 => {
                let mut long = [0; 2];
                self.0.read_exact(&mut long).unwrap();
                usize::from(u16::from_be_bytes(long))
            }
            127 => panic!("longer than anything here"),
            short => usize::from(short),
        };
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        match head[0] {
            0x81 => Came::Text(serde_json::from_slice(&body).unwrap()),
            0x82 => {
                let length = u32::from_le_bytes(body[..4].try_into().unwrap()) as usize;
                let header = serde_json::from_slice(&body[4..4 + length]).unwrap();
                Came::Bytes(header, body.split_off(4 + length))
            }
            other => panic!("frame {other:#x}"),
        }
    }

    /// The next text of this type.
    fn text(&mut self, kind: &str) -> Value {
        loop {
            if let Came::Text(text) = self.next() {
                assert_eq!(text["v"], 1, "{text}");
                if text["type"] == kind {
                    return text;
                }
            }
        }
    }

    /// The next bytes of this type.
    fn bytes(&mut self, kind: &str) -> (Value, Vec<u8>) {
        loop {
            match self.next() {
                Came::Bytes(header, bytes) if header["type"] == kind => return (header, bytes),
                Came::Text(text) if text["type"] == "state" => {
                    self.say(&json!({"seen": text["seq"]}));
                }
                _ => {}
            }
        }
    }
}

fn picture(level: &[u8]) -> RawPicture<'_> {
    RawPicture {
        t: 2.5,
        width: 16,
        height: 8,
        rgb: level,
    }
}

fn wait_until(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < end, "not within 20 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_page_is_told_who_the_robot_is_then_what_is_so() {
    let Stand { views, server, .. } = stand();
    let mut page = Page::open(server.address(), "/api/live");
    let Came::Text(hello) = page.next() else {
        panic!("bytes before the greeting");
    };
    assert_eq!((&hello["v"], &hello["type"]), (&json!(1), &json!("hello")));
    let robot = &hello["robot"];
    assert_eq!(robot["capabilities"], json!(["new_scene"]));
    assert_eq!(robot["joints"][0]["max"], 1.0);
    let run = page.text("run");
    assert_eq!(run["steps"], json!([]));
    let state = page.text("state");
    assert_eq!(state["mode"], "following");
    assert_eq!(state["joints"], json!([0.25]));

    // Only what changed is told again.
    let event = json!({"t": 3.0, "event": "confidence", "score": 0.75, "threshold": 0.5});
    views.board.see(&serde_json::from_value(event).unwrap());
    page.say(&json!({"seen": state["seq"]}));
    assert_eq!(page.text("confidence")["points"], json!([[3.0, 0.75, 0.5]]));
    views.board.said("go home");
    assert_eq!(page.text("run")["sentence"], "go home");
    page.say(&json!({"ping": 7}));
    assert_eq!(page.text("pong")["ping"], 7);
}

#[test]
fn pictures_come_while_they_are_looked_at() {
    let Stand { views, server, .. } = stand();
    let pictures = &views.pictures;
    assert!(!pictures.is_wanted("front"));
    let mut page = Page::open(server.address(), "/api/live");
    wait_until(|| pictures.is_wanted("front"));
    assert!(!pictures.is_wanted("overview"), "shown to who asks only");
    let (header, weights) = page.bytes("attention");
    assert_eq!(
        (header["columns"].as_u64(), weights),
        (Some(2), vec![0, 255])
    );
    pictures.put("front", picture(&[200; 16 * 8 * 3]));
    let (header, bytes) = page.bytes("picture");
    assert_eq!(header["camera"], "front");
    assert_eq!((&header["width"], &header["t"]), (&json!(16), &json!(2.5)));
    assert_eq!(bytes[..3], [0xff, 0xd8, 0xff], "a JPEG");
    page.say(&json!({"show": ["overview"]}));
    wait_until(|| pictures.is_wanted("overview") && !pictures.is_wanted("front"));
    pictures.put("overview", picture(&[10; 16 * 8 * 3]));
    assert_eq!(page.bytes("picture").0["camera"], "overview");
    drop(page);
    wait_until(|| !pictures.is_wanted("overview"));
}

#[test]
fn a_slow_page_gets_a_few_and_then_the_newest() {
    let Stand {
        desk,
        views,
        server,
    } = stand();
    let mut slow = Page::open(server.address(), "/api/live");
    let mut quick = Page::open(server.address(), "/api/live");
    let first = slow.text("state");
    for _ in 1..WINDOW {
        slow.text("state");
    }
    // The others go on meanwhile, and so does the camera.
    let level = [90; 16 * 8 * 3];
    for _ in 0..12 {
        views.pictures.put("front", picture(&level));
        let state = quick.text("state");
        quick.say(&json!({"seen": state["seq"]}));
    }
    let asked = desk.asked.load(Ordering::Relaxed);
    slow.say(&json!({"seen": first["seq"]}));
    let mut pictures = 0;
    let next = loop {
        match slow.next() {
            Came::Text(text) if text["type"] == "state" => break text,
            Came::Text(_) => {}
            Came::Bytes(..) => pictures += 1,
        }
    };
    // What it missed was not kept for it.
    assert!(next["t"].as_f64().unwrap() >= asked as f64, "{next}");
    assert!(pictures <= 1, "{pictures} pictures waited");
}

#[test]
fn nobody_looking_costs_nothing() {
    let Stand { desk, server, .. } = stand();
    drop(Page::open(server.address(), "/api/live"));
    // A page that left is noticed; then nothing is read any more.
    let mut before = desk.asked.load(Ordering::Relaxed);
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        std::thread::sleep(Duration::from_millis(350));
        let now = desk.asked.load(Ordering::Relaxed);
        if now == before {
            break;
        }
        assert!(Instant::now() < end, "still asked");
        before = now;
    }
}

#[test]
fn an_answer_reaches_its_own_question_only() {
    let Stand {
        desk,
        views,
        server,
    } = stand();
    let hold =
        json!({"t": 1.0, "event": "handoff", "reason": "unsure", "choices": ["continue", "abort"]});
    views.board.see(&serde_json::from_value(hold).unwrap());
    let mut page = Page::open(server.address(), "/api/events");
    page.say(&json!({"answer": {"question": 1, "choice": 1}}));
    wait_until(|| *desk.said.lock().unwrap() == ["2"]);
    page.say(&json!({"answer": {"question": 2, "choice": 0}}));
    let Came::Text(refused) = page.next() else {
        panic!("bytes");
    };
    assert!(refused["error"]["message"].to_string().contains("not open"));
    assert_eq!(desk.said.lock().unwrap().len(), 1);
}
