//! What a model accepts, as the interface describes it.

use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a guess holds after a question that got no answer.
const GUESS_HOLDS: Duration = Duration::from_mins(1);

/// What the request may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ModelAbilities {
    /// A schema for the answer.
    pub(super) schemas: bool,
    /// Pictures.
    pub(super) images: bool,
    /// A low effort.
    pub(super) effort: bool,
    max_tokens: Option<u32>,
}

/// What is known of a model's abilities; at first nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KnownAbilities {
    abilities: Option<ModelAbilities>,
    /// Until when; none: for good.
    until: Option<Instant>,
}

impl KnownAbilities {
    /// As the server says.
    pub(super) fn told(abilities: ModelAbilities) -> Self {
        Self {
            abilities: Some(abilities),
            until: None,
        }
    }

    /// The usual ones, since the server did not answer `now`: it is asked again
    /// later.
    pub(super) fn guessed(now: Instant) -> Self {
        Self {
            abilities: Some(ModelAbilities::default()),
            until: now.checked_add(GUESS_HOLDS),
        }
    }

    /// The abilities, unless they are to be asked for.
    pub(super) fn at(&self, now: Instant) -> Option<ModelAbilities> {
        self.abilities
            .filter(|_| self.until.is_none_or(|end| now < end))
    }

    /// The abilities, known or usual.
    pub(super) fn abilities(&self) -> ModelAbilities {
        self.abilities.unwrap_or_default()
    }
}

impl Default for ModelAbilities {
    /// Of a server that does not say: what all current models have in common.
    fn default() -> Self {
        Self {
            schemas: true,
            images: true,
            effort: false,
            max_tokens: None,
        }
    }
}

impl ModelAbilities {
    /// Reads the answer of `/v1/models/{id}`; what it leaves out keeps its
    /// default.
    pub(super) fn read(answer: &Value) -> Self {
        let usual = Self::default();
        let abilities = &answer["capabilities"];
        let supported = |value: &Value| value["supported"].as_bool();
        let effort = &abilities["effort"];
        Self {
            schemas: supported(&abilities["structured_outputs"]).unwrap_or(usual.schemas),
            images: supported(&abilities["image_input"]).unwrap_or(usual.images),
            effort: supported(effort) == Some(true) && supported(&effort["low"]) != Some(false),
            max_tokens: answer["max_tokens"]
                .as_u64()
                .filter(|most| *most > 0)
                .map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
        }
    }

    /// The wish, as far as the model goes.
    pub(super) fn most_tokens(self, wish: u32) -> u32 {
        self.max_tokens.map_or(wish, |most| wish.min(most))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_counts_and_the_rest_is_usual() {
        assert_eq!(
            ModelAbilities::read(&json!("what?")),
            ModelAbilities::default()
        );
        let said = ModelAbilities::read(&json!({
            "type": "model", "max_tokens": 1000,
            "capabilities": {
                "structured_outputs": {"supported": false},
                "image_input": {"supported": false},
                "effort": {"supported": true, "low": {"supported": true}}}}));
        assert!(!said.schemas && !said.images && said.effort);
        assert_eq!((said.most_tokens(4096), said.most_tokens(10)), (1000, 10));
    }

    #[test]
    fn a_guess_holds_for_a_minute_and_what_was_told_for_good() {
        let now = Instant::now();
        assert_eq!(KnownAbilities::default().at(now), None);
        let guess = KnownAbilities::guessed(now);
        let later = |secs| now + Duration::from_secs(secs);
        assert_eq!(guess.at(later(59)), Some(ModelAbilities::default()));
        assert_eq!(guess.at(later(61)), None);
        let told = KnownAbilities::told(ModelAbilities::default());
        assert!(told.at(later(86_400)).is_some());
    }
}
