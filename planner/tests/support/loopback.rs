//! A server on this machine that answers as it is told, badly if wanted.
//!
//! Plain threads over `TcpListener`; every connection serves one request and
//! is closed. Dropping the server ends it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A request as it came in.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A piece of an answer's body.
#[derive(Clone, Debug)]
pub enum Part {
    /// Sent in one packet.
    Bytes(Vec<u8>),
    /// Sent byte by byte, with this pause after each.
    Drip(Vec<u8>, Duration),
    /// Nothing happens for this time.
    Pause(Duration),
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub parts: Vec<Part>,
}

impl Answer {
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            parts: vec![Part::Bytes(body.into())],
        }
    }

    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "application/json", body)
    }

    pub fn stream(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "text/event-stream; charset=utf-8", body)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn parts(mut self, parts: Vec<Part>) -> Self {
        self.parts = parts;
        self
    }
}

/// Decides on an answer; the number counts the requests with a body from 0.
pub type Script = Box<dyn Fn(&Request, usize) -> Answer + Send + Sync>;

struct Shared {
    script: Script,
    seen: Mutex<Vec<Request>>,
    is_over: AtomicBool,
}

/// The server.
pub struct Loopback {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    pub fn start(script: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            seen: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        let thread = thread("loopback", move || {
            let mut connections = Vec::new();
            for stream in listener.incoming() {
                if serving.is_over.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&serving);
                // A client that leaves early is no fault of the server.
                connections.push(thread("loopback connection", move || {
                    let _ = serve(&shared, stream);
                }));
            }
            for connection in connections {
                let _ = connection.join();
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// Base address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Request> {
        let seen = self
            .shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    /// Requests with a body so far.
    pub fn posts(&self) -> Vec<Request> {
        let mut seen = self.seen();
        seen.retain(|request| request.method == "POST");
        seen
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .expect("a thread starts")
}

fn serve(shared: &Shared, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            let pair = (name.to_lowercase(), value.trim().to_owned());
            request.headers.push(pair);
        }
    }
    let length = request
        .header("content-length")
        .and_then(|it| it.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    let number = {
        let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let posts = seen.iter().filter(|it| it.method == "POST").count();
        seen.push(request.clone());
        posts
    };
    let answer = (shared.script)(&request, number);
    let mut head = format!("HTTP/1.1 {} Status\r\nconnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    for part in answer.parts {
        match part {
            Part::Bytes(bytes) => stream.write_all(&bytes)?,
            Part::Drip(bytes, pause) => {
                for byte in bytes {
                    stream.write_all(&[byte])?;
                    rest(shared, pause);
                }
            }
            Part::Pause(pause) => rest(shared, pause),
        }
        if shared.is_over.load(Ordering::SeqCst) {
            break;
        }
    }
    stream.flush()
}

/// Waits, but not beyond the server's end.
fn rest(shared: &Shared, pause: Duration) {
    let end = Instant::now() + pause;
    while Instant::now() < end && !shared.is_over.load(Ordering::SeqCst) {
        std::thread::sleep(pause.min(Duration::from_millis(5)));
    }
}

/// An answer of the Messages interface as a stream, in the form that the
/// interface documents: a thinking block without text, pings, small deltas.
pub fn message_stream(text: &str, stop_reason: &str) -> String {
    let event = |name: &str, data: serde_json::Value| format!("event: {name}\ndata: {data}\n\n");
    let json = |text: &str| serde_json::from_str(text).expect("valid JSON");
    let mut stream = event(
        "message_start",
        json(
            r#"{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-haiku-5-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":900,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}}}"#,
        ),
    );
    stream += &event(
        "content_block_start",
        json(
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        ),
    );
    stream += &event("ping", json(r#"{"type":"ping"}"#));
    stream += &event(
        "content_block_delta",
        json(
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCg=="}}"#,
        ),
    );
    stream += &event(
        "content_block_stop",
        json(r#"{"type":"content_block_stop","index":0}"#),
    );
    stream += &event(
        "content_block_start",
        json(
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
        ),
    );
    let letters: Vec<char> = text.chars().collect();
    for piece in letters.chunks(1000.max(letters.len() / 200)) {
        let mut data: serde_json::Value = json(
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":""}}"#,
        );
        data["delta"]["text"] = piece.iter().collect::<String>().into();
        stream += &event("content_block_delta", data);
    }
    stream += &event(
        "content_block_stop",
        json(r#"{"type":"content_block_stop","index":1}"#),
    );
    let mut ending: serde_json::Value = json(
        r#"{"type":"message_delta","delta":{"stop_reason":"","stop_sequence":null},"usage":{"output_tokens":100}}"#,
    );
    ending["delta"]["stop_reason"] = stop_reason.into();
    stream += &event("message_delta", ending);
    stream + &event("message_stop", json(r#"{"type":"message_stop"}"#))
}
