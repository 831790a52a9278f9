//! The operator's page without a browser: its two WebSocket connections (RFC 6455),
//! as far as text messages of a server go.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Messages that may wait to be looked at.
const WAITING: usize = 4096;
/// Largest message of a server (bytes).
const LARGEST: u64 = 16 << 20;
/// Kinds of frames.
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A message with the time of its arrival.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) at: Instant,
    pub(super) message: Value,
    /// Of an answered ping: the time from the ping.
    pub(super) round_trip: Option<Duration>,
}

impl Heard {
    /// The question that the page shows by it.
    pub(super) fn question(&self) -> Option<u64> {
        let is_run = self.message["type"] == "run";
        self.message["question"]["id"].as_u64().filter(|_| is_run)
    }

    /// Whether it is a holding robot's question, which ends with a way out.
    pub(super) fn is_of_a_hold(&self) -> bool {
        let choices = self.message["question"]["choices"].as_array();
        choices.and_then(|choices| choices.last()) == Some(&json!("abort"))
    }

    /// Whether it is this event of a run.
    pub(super) fn is_event(&self, name: &str) -> bool {
        self.message["event"] == name
    }
}

/// Both connections.
pub(super) struct Page {
    events: TcpStream,
    live: TcpStream,
    heard: Receiver<Result<Heard, String>>,
    pings: Vec<Instant>,
}

impl Page {
    /// Opens both.
    pub(super) fn open(address: SocketAddr) -> Result<Self, String> {
        let (send, heard) = sync_channel(WAITING);
        let events = upgraded(address, "/api/events")?;
        let live = upgraded(address, "/api/live")?;
        for (name, socket) in [("events", &events), ("live", &live)] {
            let socket = socket.try_clone().map_err(broken)?;
            let send = send.clone();
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || listen(socket, &send))
                .map_err(broken)?;
        }
        Ok(Self {
            events,
            live,
            heard,
            pings: Vec::new(),
        })
    }

    /// The next message of either.
    pub(super) fn next(&mut self, patience: Duration) -> Result<Heard, String> {
        match self.heard.recv_timeout(patience) {
            Ok(heard) => self.taken(heard?),
            Err(RecvTimeoutError::Timeout) => Err("vola serve says nothing any more".to_owned()),
            Err(RecvTimeoutError::Disconnected) => Err("vola serve is gone".to_owned()),
        }
    }

    /// Every message of so long.
    pub(super) fn hear_for(
        &mut self,
        duration: Duration,
        mut take: impl FnMut(&Heard),
    ) -> Result<(), String> {
        let end = Instant::now() + duration;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(heard) => take(&self.taken(heard?)?),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("vola serve is gone".to_owned());
                }
            }
        }
    }

    /// Says that states were seen, as the page does, and finds the ping of a pong.
    fn taken(&mut self, mut heard: Heard) -> Result<Heard, String> {
        match heard.message["type"].as_str() {
            Some("state") => {
                let seen = json!({"seen": heard.message["seq"]});
                send(&mut self.live, TEXT, seen.to_string().as_bytes())?;
            }
            Some("pong") => {
                let number = heard.message["ping"].as_u64().unwrap_or(u64::MAX);
                let sent = usize::try_from(number)
                    .ok()
                    .and_then(|it| self.pings.get(it));
                heard.round_trip = sent.map(|sent| heard.at.saturating_duration_since(*sent));
            }
            _ => {}
        }
        Ok(heard)
    }

    /// Says a sentence.
    pub(super) fn say(&mut self, text: &str) -> Result<(), String> {
        self.order(&json!({"say": text}))
    }

    /// Gives an order.
    pub(super) fn order(&mut self, order: &Value) -> Result<(), String> {
        send(&mut self.events, TEXT, order.to_string().as_bytes())
    }

    /// Asks for an answer.
    pub(super) fn ping(&mut self) -> Result<(), String> {
        let ping = json!({"ping": self.pings.len()});
        self.pings.push(Instant::now());
        send(&mut self.live, TEXT, ping.to_string().as_bytes())
    }
}

fn broken(error: impl std::fmt::Display) -> String {
    format!("the connection to vola serve: {error}")
}

/// A connection that has become a WebSocket.
fn upgraded(address: SocketAddr, path: &str) -> Result<TcpStream, String> {
    let mut socket = TcpStream::connect(address).map_err(broken)?;
    socket.set_nodelay(true).map_err(broken)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dm9sYS1tZWFzdXJlcy1pdA==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).map_err(broken)?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).map_err(broken)?;
        head.extend(byte);
        if head.len() > 16 * 1024 {
            return Err(broken("its answer has no end"));
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    if head.split(' ').nth(1) != Some("101") {
        return Err(broken(head.lines().next().unwrap_or_default()));
    }
    Ok(socket)
}

/// Sends a frame, masked with zeros: that hides nothing, and nothing is secret here.
fn send(socket: &mut TcpStream, kind: u8, payload: &[u8]) -> Result<(), String> {
    let mut frame = vec![0x80 | kind];
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length as u8),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_too_long) => return Err(broken("a message of more than 64 KiB")),
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    socket.write_all(&frame).map_err(broken)
}

/// Reads frames until the connection ends; pictures are passed over.
fn listen(mut socket: TcpStream, heard: &SyncSender<Result<Heard, String>>) {
    loop {
        let told = match frame(&mut socket) {
            Ok((TEXT, payload)) => {
                let at = Instant::now();
                let message = serde_json::from_slice(&payload).map_err(broken);
                message.map(|message| Heard {
                    at,
                    message,
                    round_trip: None,
                })
            }
            Ok((PING, payload)) => match send(&mut socket, PONG, &payload) {
                Ok(()) => continue,
                Err(error) => Err(error),
            },
            Ok((CLOSE, _)) => return,
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        let is_over = told.is_err();
        if heard.send(told).is_err() || is_over {
            return;
        }
    }
}

/// Kind and content of the next frame. This server sends no message in parts.
fn frame(socket: &mut TcpStream) -> Result<(u8, Vec<u8>), String> {
    let mut head = [0; 2];
    socket.read_exact(&mut head).map_err(broken)?;
    let [first, second] = head;
    let length = match second & 0x7f {
        126 => {
            let mut length = [0; 2];
            socket.read_exact(&mut length).map_err(broken)?;
            u64::from(u16::from_be_bytes(length))
        }
        127 => {
            let mut length = [0; 8];
            socket.read_exact(&mut length).map_err(broken)?;
            u64::from_be_bytes(length)
        }
        short => u64::from(short),
    };
    if length > LARGEST {
        return Err(broken("a message that is too long"));
    }
    let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
    socket.read_exact(&mut payload).map_err(broken)?;
    Ok((first & 0x0f, payload))
}
