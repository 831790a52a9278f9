//! What a person can choose while the robot holds.
//!
//! A new way out is one more variant, its words, and its place in the lists; the
//! stepper decides in one `match` what it does.

/// A way out of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Go on as if sure.
    Continue,
    /// The step once more.
    Retry,
    /// Without this step.
    Skip,
    /// The person moves the arm.
    TakeOver,
    /// With the step that was to be left out.
    DoIt,
    /// Without what needs a step that was left out.
    LeaveOut,
    /// End the run.
    Abort,
}

/// Choices with their words, in the order they are shown; the last one ends
/// the run.
pub(super) type Choices = &'static [(Choice, &'static str)];

/// While the robot is unsure in the middle of a step.
pub(super) const ON_HOLD: Choices = &[
    (Choice::Continue, "continue"),
    (Choice::Retry, "retry"),
    (Choice::Skip, "skip"),
    (Choice::Abort, "abort"),
];

/// The same, where a person could move the arm.
pub(super) const ON_HOLD_BY_HAND: Choices = &[
    (Choice::Continue, "continue"),
    (Choice::Retry, "retry"),
    (Choice::Skip, "skip"),
    (Choice::TakeOver, "take over"),
    (Choice::Abort, "abort"),
];

/// When a step will not work.
pub(super) const WHEN_STUCK: Choices = &[
    (Choice::Retry, "try again"),
    (Choice::Skip, "skip this step"),
    (Choice::Abort, "abort"),
];

/// The same, where a person could move the arm.
pub(super) const WHEN_STUCK_BY_HAND: Choices = &[
    (Choice::Retry, "try again"),
    (Choice::Skip, "skip this step"),
    (Choice::TakeOver, "take over"),
    (Choice::Abort, "abort"),
];

/// When the rest needs a step that was left out.
pub(super) const WHEN_NEEDED: Choices = &[
    (Choice::DoIt, "do it after all"),
    (Choice::LeaveOut, "leave out what needs it"),
    (Choice::Abort, "abort"),
];

/// The words of choices.
pub(super) fn labels(choices: Choices) -> Vec<String> {
    choices
        .iter()
        .map(|(_, words)| (*words).to_owned())
        .collect()
}

/// The choice that a text begins to name.
pub(super) fn named(choices: Choices, text: &str) -> Option<Choice> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return None;
    }
    if crate::rules::is_stop_word(&text) {
        return Some(Choice::Abort);
    }
    let mut fitting = choices.iter().filter(|(_, words)| words.starts_with(&text));
    let (choice, _) = fitting.next()?;
    fitting.next().is_none().then_some(*choice)
}
