//! How lists are written in messages.

use std::fmt::Display;

/// `` `a`, `b` ``, or `none`.
pub(crate) fn quoted<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}
