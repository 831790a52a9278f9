//! Numbers of episodes as people type them.

use crate::failure::Failure;

/// Most numbers of one list.
const MOST: usize = 1_000_000;

/// Reads `1,3-5` as 1, 3, 4, 5.
///
/// # Errors
/// When it is no such list.
pub(super) fn episode_numbers(text: &str) -> Result<Vec<usize>, Failure> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let range = match part.split_once('-') {
            Some((first, last)) => first.trim().parse().ok().zip(last.trim().parse().ok()),
            None => part.trim().parse().ok().map(|one: usize| (one, one)),
        };
        match range {
            Some((first, last)) if first <= last && last - first < MOST - numbers.len() => {
                numbers.extend(first..=last);
            }
            _ => {
                return Err(Failure::Argument {
                    argument: "--episodes".to_owned(),
                    expected: "numbers and ranges, as in 1,3-5".to_owned(),
                    got: text.to_owned(),
                    help: "`vola dataset show` lists the episodes".to_owned(),
                });
            }
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read_and_nonsense_is_not() {
        assert_eq!(episode_numbers("1,3-5, 0").unwrap(), [1, 3, 4, 5, 0]);
        for wrong in ["", "a", "5-3", "1,,2", "-", "0-99999999999"] {
            assert_eq!(
                episode_numbers(wrong).unwrap_err().exit_code(),
                2,
                "{wrong}"
            );
        }
    }
}
