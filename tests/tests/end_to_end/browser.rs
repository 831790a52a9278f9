//! A headless Chromium, driven over its DevTools protocol: a WebSocket with JSON.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Longest wait for anything that a page shall show.
const PATIENCE: Duration = Duration::from_secs(60);
/// Largest message that a browser may send.
const MAX_MESSAGE: usize = 64 << 20;

/// A browser with one page; it ends with the test.
pub(super) struct Browser {
    child: Child,
    line: Line,
    calls: u64,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program: `$CHROMIUM`, else what is found.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let folders = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

impl Browser {
    /// A browser that shows nothing yet; none where there is no browser, which is
    /// said loudly.
    pub(super) fn start() -> Option<Self> {
        let Some(program) = program() else {
            eprintln!(
                "SKIPPED: no chromium, chromium-browser or google-chrome in PATH, and CHROMIUM is not set; the operator's page is not tested in a browser"
            );
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-extensions",
                "--disable-background-networking",
                "--disable-component-update",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some(address) = line.strip_prefix("DevTools listening on ws://") {
                break address.split('/').next().unwrap().to_owned();
            }
        };
        // What it says later is nobody's matter, but it must be able to say it.
        std::thread::Builder::new()
            .name("browser-log".to_owned())
            .spawn(move || lines.for_each(drop))
            .unwrap();
        let page = page_of(&address);
        let mut browser = Self {
            child,
            line: Line::open(&address, &page),
            calls: 0,
            _profile: profile,
        };
        browser.call("Page.enable", json!({}));
        browser.call("Runtime.enable", json!({}));
        Some(browser)
    }

    /// One call of the protocol; its result.
    pub(super) fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let call = json!({"id": self.calls, "method": method, "params": params});
        self.line.send(&call.to_string());
        loop {
            let message: Value = serde_json::from_str(&self.line.next()).unwrap();
            if message["id"] == self.calls {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            // What a page throws, and what its policy refused, fails the test.
            assert_ne!(message["method"], "Runtime.exceptionThrown", "{message}");
            let is_error = message["params"]["type"] == "error";
            assert!(
                message["method"] != "Runtime.consoleAPICalled" || !is_error,
                "{message}"
            );
        }
    }

    /// Opens an address.
    pub(super) fn open(&mut self, address: &str) {
        self.call("Page.navigate", json!({"url": address}));
        self.wait("document.readyState === 'complete'");
    }

    /// The value of an expression in the page.
    pub(super) fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true});
        let result = self.call("Runtime.evaluate", params);
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub(super) fn wait(&mut self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        while self.value(&format!("Boolean({expression})")) != true {
            if Instant::now() > end {
                let shown = self.value("document.body.innerText");
                panic!("not within {PATIENCE:?}: {expression}\n{shown}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types into what has the focus.
    pub(super) fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Presses and lets go of a key.
    pub(super) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "Tab" => (9, ""),
            "End" => (35, ""),
            other => panic!("no key {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let params = json!({"type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// The size of the page's window (px) and whether it is dark.
    pub(super) fn look(&mut self, (width, height): (u32, u32), is_dark: bool) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let value = if is_dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.call("Emulation.setEmulatedMedia", media);
    }

    /// A picture of the window: a PNG file in base64, written to the folder that
    /// `VOLA_SCREENSHOTS` names, if it does. Waits for what moves to be drawn.
    pub(super) fn picture(&mut self, name: &str) -> String {
        std::thread::sleep(Duration::from_millis(300));
        let result = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let text = result["data"].as_str().unwrap().to_owned();
        if let Some(folder) = std::env::var_os("VOLA_SCREENSHOTS") {
            let file = PathBuf::from(folder).join(format!("{name}.png"));
            std::fs::write(file, from_base64(&text)).unwrap();
        }
        text
    }
}

/// The path of the browser's first page.
fn page_of(address: &str) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let mut stream = TcpStream::connect(address).unwrap();
        let request =
            format!("GET /json/list HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        // It may keep the connection open: what is needed came by then.
        stream
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        let _ = stream.read_to_string(&mut answer);
        let key = "\"webSocketDebuggerUrl\": \"ws://";
        if let Some((_, rest)) = answer.split_once(key) {
            let address = rest.split('"').next().unwrap();
            return format!("/{}", address.split_once('/').unwrap().1);
        }
        assert!(Instant::now() < end, "the browser has no page: {answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A WebSocket of a client, whole texts only.
struct Line(TcpStream);

impl Line {
    fn open(address: &str, path: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
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

    fn send(&mut self, text: &str) {
        let mut frame = vec![0x81];
        match u16::try_from(text.len()) {
            Ok(short) if short < 126 => frame.push(0x80 | short as u8),
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend((text.len() as u64).to_be_bytes());
            }
        }
        // A mask of zeros is a mask.
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).unwrap();
    }

    /// The next text, put together from its frames.
    fn next(&mut self) -> String {
        let mut message = Vec::new();
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).unwrap();
            let length = match head[1] & 0x7f {
                126 => {
                    let mut long = [0; 2];
                    self.0.read_exact(&mut long).unwrap();
                    usize::from(u16::from_be_bytes(long))
                }
                127 => {
                    let mut long = [0; 8];
                    self.0.read_exact(&mut long).unwrap();
                    usize::try_from(u64::from_be_bytes(long)).unwrap()
                }
                short => usize::from(short),
            };
            assert!(length < MAX_MESSAGE);
            let mut part = vec![0; length];
            self.0.read_exact(&mut part).unwrap();
            // Control frames are not ours.
            if head[0] & 0x08 != 0 {
                continue;
            }
            message.extend(part);
            if head[0] & 0x80 != 0 {
                return String::from_utf8(message).unwrap();
            }
        }
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = LETTERS.iter().position(|one| *one == letter).unwrap();
        bits = (bits << 6) | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[test]
fn base64_is_read() {
    assert_eq!(from_base64("dm9sYQ=="), b"vola");
    assert_eq!(from_base64("AP8Q"), [0, 255, 16]);
}
