//! Who is let in: host, origin, token.

use std::{net::IpAddr, path::Path};

use axum::http::{HeaderMap, header};

use crate::ConsoleError;

/// Shortest token (characters).
const SHORTEST: usize = 16;

/// A word that lets its bearer in. Never printed.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl Token {
    /// Reads the first line of a file that nobody else may read.
    ///
    /// # Errors
    /// When it cannot be read, is open to others, or the word is too short.
    pub fn read(path: &Path) -> Result<Self, ConsoleError> {
        let fault = |reason: String| ConsoleError::Token {
            path: path.to_owned(),
            reason,
        };
        let about = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = about.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(fault(format!("expected mode 0600, got {mode:04o}")));
            }
        }
        if about.len() > 4096 {
            return Err(fault(format!(
                "expected one line, got {} bytes",
                about.len()
            )));
        }
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let word = text.lines().next().unwrap_or_default().trim();
        let is_plain = word.chars().all(|c| c.is_ascii_graphic());
        if word.len() < SHORTEST || !is_plain {
            return Err(fault(format!(
                "expected at least {SHORTEST} visible ASCII characters, got {}",
                word.chars().count()
            )));
        }
        Ok(Self(word.to_owned()))
    }

    /// Whether this is the word; takes as long for every word of a length.
    fn is(&self, word: &str) -> bool {
        let (own, word) = (self.0.as_bytes(), word.as_bytes());
        let differs = own.iter().zip(word).fold(0, |sum, (a, b)| sum | (a ^ b));
        own.len() == word.len() && differs == 0
    }
}

/// The rules of one server.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// None: only this machine can reach the server.
    pub(crate) token: Option<Token>,
    /// Port of the server.
    pub(crate) port: u16,
}

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It was addressed to another host.
    Host,
    /// It comes from another page.
    Origin,
    /// It has no token, or another.
    Token,
}

impl Denied {
    /// What is wrong and what to do.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Host => {
                "this address is not the console's own; open it by the address that `vola serve` prints"
            }
            Self::Origin => "another page of the browser asked; only the console's own page may",
            Self::Token => {
                "expected the token of `--token-file`: `Authorization: Bearer …`, or `?token=…` when the page is opened"
            }
        }
    }
}

impl Access {
    /// Whether a request comes from the console's own page and to its own address,
    /// whoever sent it.
    pub(crate) fn check_address(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .ok_or(Denied::Host)?;
        if self.token.is_none() && !self.is_local(host) {
            return Err(Denied::Host);
        }
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().map_err(|_not_text| Denied::Origin)?;
            let from = origin.split_once("://").map_or("", |(_, from)| from);
            if !from.eq_ignore_ascii_case(host) {
                return Err(Denied::Origin);
            }
        }
        Ok(())
    }

    /// Whether a request may pass; `query` is its query string.
    pub(crate) fn check(&self, headers: &HeaderMap, query: &str) -> Result<(), Denied> {
        self.check_address(headers)?;
        let Some(token) = &self.token else {
            return Ok(());
        };
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let asked = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("token="));
        let is_known = [bearer, asked]
            .into_iter()
            .flatten()
            .any(|word| token.is(word));
        is_known.then_some(()).ok_or(Denied::Token)
    }

    /// Whether a `Host` names this machine itself, by number or as `localhost`:
    /// a name that somebody else's name server leads here is not among them.
    fn is_local(&self, host: &str) -> bool {
        let port = format!(":{}", self.port);
        let name = host.strip_suffix(&port).unwrap_or(host);
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(name);
        name.eq_ignore_ascii_case("localhost")
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = name.parse::<axum::http::HeaderName>().unwrap();
                (name, value.parse().unwrap())
            })
            .collect()
    }

    #[test]
    fn without_a_token_only_this_machine_s_own_names_pass() {
        let access = Access {
            token: None,
            port: 8088,
        };
        for (host, passes) in [
            ("127.0.0.1:8088", true),
            ("localhost:8088", true),
            ("LOCALHOST", true),
            ("[::1]:8088", true),
            ("127.9.9.9", true),
            ("localhost.attacker.example:8088", false),
            ("attacker.example:8088", false),
            ("192.168.1.7:8088", false),
            ("127.0.0.1:8088:8088", false),
            ("", false),
        ] {
            let checked = access.check(&headers(&[("host", host)]), "");
            assert_eq!(checked.is_ok(), passes, "{host}");
        }
        assert_eq!(access.check(&HeaderMap::new(), ""), Err(Denied::Host));
    }

    #[test]
    fn another_page_s_requests_are_refused() {
        let access = Access {
            token: None,
            port: 80,
        };
        let from =
            |origin: &str| access.check(&headers(&[("host", "127.0.0.1"), ("origin", origin)]), "");
        assert_eq!(from("http://127.0.0.1"), Ok(()));
        for wrong in [
            "http://evil.example",
            "null",
            "",
            "http://127.0.0.1.evil.example",
        ] {
            assert_eq!(from(wrong), Err(Denied::Origin), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_asked_for_in_header_or_query() {
        let access = Access {
            token: Some(Token("a-long-enough-word".to_owned())),
            port: 8088,
        };
        let with = |value: Option<&str>, query: &str| {
            let mut all = headers(&[("host", "robot.lab:8088")]);
            if let Some(value) = value {
                all.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            access.check(&all, query)
        };
        assert_eq!(with(Some("Bearer a-long-enough-word"), ""), Ok(()));
        assert_eq!(with(None, "a=b&token=a-long-enough-word"), Ok(()));
        for (value, query) in [
            (None, ""),
            (Some("Bearer a-long-enough-worm"), ""),
            (Some("Bearer a-long-enough-wor"), ""),
            (Some("a-long-enough-word"), ""),
            (None, "token="),
            (None, "nottoken=a-long-enough-word"),
        ] {
            assert_eq!(with(value, query), Err(Denied::Token), "{value:?} {query}");
        }
        assert_eq!(format!("{:?}", access.token), "Some(Token(…))");
    }

    #[cfg(unix)]
    #[test]
    fn a_token_s_file_is_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("vola-token-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("token");
        let read = |text: &str, mode: u32| {
            std::fs::write(&file, text).unwrap();
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&file, mode).unwrap();
            Token::read(&file)
        };
        assert!(read("0123456789abcdef\n", 0o600).is_ok());
        for (text, mode, expected) in [
            ("0123456789abcdef\n", 0o644, "expected mode 0600, got 0644"),
            ("short\n", 0o600, "at least 16"),
            ("0123456789 abcdef\n", 0o600, "at least 16 visible"),
        ] {
            let error = read(text, mode).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("abcdef"), "{error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(Token::read(&file).is_err());
    }
}
