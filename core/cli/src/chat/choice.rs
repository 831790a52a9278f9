//! Which of the numbered answers a person means.

/// Index of the answer that a line names: by its number, its words, the
/// beginning of its words, or everyday words for it. Nothing when it names none
/// or several.
pub(crate) fn parse_choice(line: &str, choices: &[&str]) -> Option<usize> {
    let said = line.trim().trim_end_matches(['.', '!', ')']).to_lowercase();
    if said.is_empty() {
        return None;
    }
    if let Ok(number) = said.parse::<usize>() {
        return number.checked_sub(1).filter(|index| *index < choices.len());
    }
    let lower: Vec<String> = choices.iter().map(|choice| choice.to_lowercase()).collect();
    if let Some(index) = lower.iter().position(|choice| *choice == said) {
        return Some(index);
    }
    let meant = everyday(&said);
    let mut fitting = lower.iter().enumerate().filter(|(_, choice)| {
        choice.starts_with(&said) || meant.is_some_and(|meant| choice.starts_with(meant))
    });
    match (fitting.next(), fitting.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

/// What people say for the four answers to a handoff.
fn everyday(said: &str) -> Option<&'static str> {
    Some(match said {
        "go on" | "go" | "yes" | "ok" | "okay" | "carry on" | "proceed" | "keep going" | "sure" => {
            "continue"
        }
        "again" | "try again" | "once more" | "one more time" | "redo" => "retry",
        "next" | "leave it" | "forget it" | "skip it" => "skip",
        "no" | "stop" | "cancel" | "quit" | "give up" | "never mind" | "nevermind" => "abort",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_choose() {
        let choices = ["continue", "retry", "skip", "abort"];
        for (line, expected) in [
            ("1", Some(0)),
            (" 4. ", Some(3)),
            ("Retry", Some(1)),
            ("s", Some(2)),
            ("try again", Some(1)),
            ("yes", Some(0)),
            ("cancel", Some(3)),
            ("0", None),
            ("5", None),
            ("", None),
            ("what?", None),
        ] {
            assert_eq!(parse_choice(line, &choices), expected, "{line}");
        }
        assert_eq!(
            parse_choice("the", &["the left one", "the right one"]),
            None
        );
        assert_eq!(
            parse_choice("the left", &["the left one", "the right one"]),
            Some(0)
        );
    }
}
