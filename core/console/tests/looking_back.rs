//! Recorded episodes over real connections, from a shelf that is asked for more than
//! it has.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use vola_console::{
    ChosenAnswer, Decision, Desk, EpisodePage, EpisodeRow, EpisodeShelf, EpisodeView, Feed, Jog,
    Refusal, Server, ServerSettings, ShelfFault, StillPicture, StopKind, Views,
};
use vola_types::EpisodeCourse;

/// A desk at which nothing happens.
struct Idle;

impl Desk for Idle {
    fn stop(&self, _: StopKind) {}

    fn beat(&self) {}

    fn say(&self, _: &str) -> Result<(), Refusal> {
        Ok(())
    }

    fn answer(&self, _: &ChosenAnswer) -> Result<(), Refusal> {
        Ok(())
    }

    fn decide(&self, _: Decision) -> Result<(), Refusal> {
        Ok(())
    }

    fn jog(&self, _: Jog) -> Result<(), Refusal> {
        Ok(())
    }

    fn state(&self) -> Value {
        Value::Null
    }

    fn metrics(&self) -> String {
        String::new()
    }
}

/// Two episodes; the second is damaged, the third makes the reader panic.
#[derive(Debug, Default)]
struct Shelf {
    asked: Mutex<Vec<String>>,
}

impl EpisodeShelf for Shelf {
    fn page(&self, before: Option<usize>, count: usize) -> Result<EpisodePage, ShelfFault> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{before:?} {count}"));
        let row = EpisodeRow {
            sentence: "pick up the red block".to_owned(),
            ..EpisodeRow::default()
        };
        Ok(EpisodePage {
            total: 3,
            episodes: vec![row],
        })
    }

    fn course(&self, episode: usize) -> Result<EpisodeView, ShelfFault> {
        match episode {
            0 => Ok(EpisodeView {
                course: EpisodeCourse {
                    frames: 2,
                    scores: vec![0.5, f32::NAN],
                    ..EpisodeCourse::default()
                },
                ..EpisodeView::default()
            }),
            1 => Err(ShelfFault::Damaged("file-001.parquet: (footer)".to_owned())),
            2 => panic!("a reader must not, and this one does"),
            _ => Err(ShelfFault::Missing(
                "expected an episode below 3".to_owned(),
            )),
        }
    }

    fn picture(&self, _: usize, camera: &str, frame: usize) -> Result<StillPicture, ShelfFault> {
        self.asked.lock().unwrap().push(format!("{camera} {frame}"));
        Ok(StillPicture {
            media_type: "image/png",
            bytes: b"\x89PNG".to_vec(),
        })
    }
}

fn ask(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[test]
fn episodes_are_listed_and_shown_and_faults_are_told() {
    let shelf = Arc::new(Shelf::default());
    let views = Views {
        episodes: Some(Arc::clone(&shelf) as Arc<dyn EpisodeShelf>),
        ..Views::default()
    };
    let settings = ServerSettings {
        address: "127.0.0.1:0".parse().unwrap(),
        token: None,
    };
    let server = Server::start_with(settings, Arc::new(Idle), Feed::default(), views).unwrap();
    let at = server.address();
    let (code, page) = ask(at, "/api/episodes?before=7");
    assert!(
        code == 200 && page.contains("pick up the red block"),
        "{page}"
    );
    assert_eq!(shelf.asked.lock().unwrap().pop().unwrap(), "Some(7) 30");
    let (code, course) = ask(at, "/api/episodes/0");
    assert!(code == 200 && course.contains(r#""frames":2"#), "{course}");
    let (code, picture) = ask(at, "/api/episodes/0/pictures/front/12");
    assert!(code == 200 && picture.contains("image/png"), "{picture}");
    for header in [
        "nosniff",
        "cross-origin-resource-policy: same-origin",
        "no-store",
    ] {
        assert!(picture.contains(header), "{header}: {picture}");
    }
    // Whatever a path says, a camera is a word and the rest are numbers.
    ask(at, "/api/episodes/0/pictures/..%2f..%2fetc/0");
    let asked = shelf.asked.lock().unwrap().pop().unwrap();
    assert_eq!(
        asked, "../../etc 0",
        "one word, which no camera has as its name"
    );
    for (path, code, word) in [
        ("/api/episodes/1", 422, "file-001.parquet"),
        ("/api/episodes/2", 422, "could not be read"),
        ("/api/episodes/9", 404, "below 3"),
        ("/api/episodes/-1", 400, ""),
        ("/api/episodes/../secret", 404, ""),
        ("/api/episodes/0/pictures/front/x", 400, ""),
        ("/api/episodes?before=x", 400, ""),
    ] {
        let (got, answer) = ask(at, path);
        assert_eq!(got, code, "{path}: {answer}");
        assert!(answer.contains(word), "{path}: {answer}");
    }
    assert_eq!(ask(at, "/api/episodes").0, 200, "it goes on after all that");
}
