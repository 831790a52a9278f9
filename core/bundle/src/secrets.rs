//! Keeps secrets out of files that are committed and shared.

/// What to do with a secret instead.
pub(crate) const HELP: &str = "secrets never stand in TOML: put the key into the environment \
(for example ANTHROPIC_API_KEY), or into a file of its own that only you can read (mode 0600) \
and name that file in the environment";

/// Whether a key's name says that its value is a secret.
pub(crate) fn looks_like_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    let parts = [
        "api_key",
        "apikey",
        "password",
        "passwd",
        "secret",
        "private_key",
        "bearer",
    ];
    parts.iter().any(|part| key.contains(part)) || key == "token" || key.ends_with("_token")
}

/// The key paths below `table` that look like secrets.
pub(crate) fn secret_keys(table: &toml::Table, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(table, path, &mut found);
    found
}

fn collect(table: &toml::Table, path: &str, found: &mut Vec<String>) {
    for (key, value) in table {
        let below = format!("{path}.{key}");
        match value {
            toml::Value::Table(inner) => collect(inner, &below, found),
            _ if looks_like_secret(key) => found.push(below),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_ordinary_keys() {
        for key in [
            "api_key",
            "anthropic_api_key",
            "API-KEY",
            "token",
            "auth_token",
            "password",
        ] {
            assert!(looks_like_secret(key), "{key}");
        }
        for key in ["tokenizer", "max_tokens", "key", "tokens", "camera_key"] {
            assert!(!looks_like_secret(key), "{key}");
        }
    }
}
