//! Whether a model fits into this machine's memory, asked before it is read.
//!
//! A system that runs out of memory ends processes, the robot's among them; a
//! model that is too large is a wrong setting and is told as one.

use std::path::Path;

use crate::{LanguageModelError, Result};

/// Where the system tells what is free.
const SOURCE: &str = "/proc/meminfo";
/// The line's beginning.
const AVAILABLE: &str = "MemAvailable:";

/// Whether so many bytes of weights can be held; where the system does not tell,
/// they can.
///
/// # Errors
/// More than is free, with both numbers.
pub(crate) fn check(path: &Path, needed: u64) -> Result<()> {
    let told = std::fs::read_to_string(SOURCE).unwrap_or_default();
    check_against(path, needed, available(&told))
}

fn check_against(path: &Path, needed: u64, available: Option<u64>) -> Result<()> {
    match available {
        Some(available) if needed > available => Err(LanguageModelError::Model {
            path: path.to_path_buf(),
            reason: format!(
                "expected a model that fits into the {} MB of memory that are free, got one of {} MB\n  help: take a smaller model, or one with fewer bits a weight",
                available >> 20,
                needed >> 20
            ),
        }),
        _ => Ok(()),
    }
}

/// Bytes that processes can still have.
fn available(told: &str) -> Option<u64> {
    let line = told.lines().find_map(|it| it.strip_prefix(AVAILABLE))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers() {
        let told = "MemTotal:  16000 kB\nMemAvailable:    2048 kB\nBuffers: 1 kB\n";
        assert_eq!(available(told), Some(2 << 20));
        for none in [
            "",
            "MemAvailable: many kB",
            "MemAvailable: 99999999999999999999 kB",
        ] {
            assert_eq!(available(none), None);
        }
        let check = |needed| check_against(Path::new("m.gguf"), needed, available(told));
        assert!(check(2 << 20).is_ok());
        let error = check(5 << 20).unwrap_err().to_string();
        assert!(error.starts_with("m.gguf: expected") && error.contains("help:"));
        assert!(
            error.contains("the 2 MB") && error.contains("one of 5 MB"),
            "{error}"
        );
        assert!(check_against(Path::new("m"), u64::MAX, None).is_ok());
    }
}
