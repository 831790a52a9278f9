//! Run events as lines of a log for people.

use vola_types::{Outcome, RunEvent, RunEventKind};

use crate::foxglove::Level;

/// The words of an event and how much they matter; none for what other channels
/// show better.
pub(crate) fn event_words(event: &RunEvent) -> Option<(Level, String)> {
    let info = |text: String| Some((Level::Info, text));
    match &event.kind {
        RunEventKind::Plan { plan } => info(format!("plan: {}", plan.say)),
        RunEventKind::StepStarted {
            index,
            task,
            attempt,
            ..
        } => info(format!("step {}, try {attempt}: {task}", index + 1)),
        RunEventKind::StepFinished {
            index,
            outcome,
            reason,
            ..
        } => {
            let level = match outcome {
                Outcome::Done => Level::Info,
                _ => Level::Warning,
            };
            let reason = reason.as_deref().map(|reason| format!(": {reason}"));
            let reason = reason.unwrap_or_default();
            let outcome = outcome.as_str();
            Some((level, format!("step {} {outcome}{reason}", index + 1)))
        }
        RunEventKind::Handoff {
            reason, choices, ..
        } => {
            let text = format!("handed off: {reason} ({})", choices.join(", "));
            Some((Level::Warning, text))
        }
        RunEventKind::Safety { limit, action } => {
            Some((Level::Warning, format!("safety, {limit}: {action}")))
        }
        RunEventKind::Replanned { reason, .. } => info(format!("planned anew: {reason}")),
        RunEventKind::Finished {
            success, outcome, ..
        } => {
            let (level, reached) = if *success {
                (Level::Info, "goal reached")
            } else {
                (Level::Error, "goal not reached")
            };
            Some((level, format!("finished, {}: {reached}", outcome.as_str())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handoff_is_told_with_its_choices() {
        let event = RunEvent {
            t: 1.0,
            kind: RunEventKind::Handoff {
                reason: "unsure".to_owned(),
                score: None,
                threshold: None,
                choices: vec!["retry".to_owned(), "skip".to_owned()],
            },
        };
        let (level, words) = event_words(&event).unwrap();
        assert_eq!(level, Level::Warning);
        assert_eq!(words, "handed off: unsure (retry, skip)");
        let quiet = RunEvent {
            t: 1.0,
            kind: RunEventKind::Confidence {
                score: 0.5,
                threshold: 0.1,
                signal: None,
                signals: Vec::new(),
                failure_probability: None,
            },
        };
        assert!(event_words(&quiet).is_none());
    }
}
