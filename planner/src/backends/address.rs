//! Where an interface lives.

use reqwest::Url;

use super::setup::SetupError;

/// Base address of an interface: scheme, host and a path in front of the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    base: Url,
}

impl Address {
    /// Reads a base address.
    ///
    /// # Errors
    /// When it is no `http` or `https` address, or holds a user, a query or a
    /// fragment. The message does not repeat such an address: it may hold a
    /// secret.
    pub fn parse(text: &str) -> Result<Self, SetupError> {
        let wrong = |reason: &str| SetupError::Address {
            reason: reason.to_owned(),
        };
        let base = Url::parse(text.trim())
            .map_err(|error| wrong(&format!("it is no address: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(wrong("expected http:// or https:// and a host"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("a user or password has no place in it"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("a query or fragment has no place in it"));
        }
        Ok(Self { base })
    }

    /// The address of a call below the version, as in `/messages`. A base that
    /// ends with `version` already is taken as it is.
    #[must_use]
    pub(crate) fn join(&self, version: &str, call: &str) -> Url {
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/');
        let base = base.strip_suffix(version).unwrap_or(base);
        let path = format!("{base}{version}{call}");
        url.set_path(&path);
        url
    }

    /// Whether it is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || bare
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Whether what is sent can be read on the way.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_joined_with_or_without_a_version() {
        for (base, expected) in [
            ("http://127.0.0.1:80", "http://127.0.0.1/v1/chat"),
            ("http://localhost:8080/v1/", "http://localhost:8080/v1/chat"),
            ("https://a.example/llm", "https://a.example/llm/v1/chat"),
            ("https://a.example/llm/v1", "https://a.example/llm/v1/chat"),
        ] {
            let address = Address::parse(base).unwrap();
            assert_eq!(address.join("/v1", "/chat").as_str(), expected);
        }
        for wrong in [
            "",
            "api.anthropic.com",
            "ftp://a.example",
            "https://me:secret@a.example",
            "https://a.example/?key=secret",
        ] {
            let error = Address::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn this_machine_is_known() {
        for (text, loopback) in [
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://localhost.example", false),
            ("http://192.168.0.2", false),
        ] {
            assert_eq!(
                Address::parse(text).unwrap().is_loopback(),
                loopback,
                "{text}"
            );
        }
    }
}
