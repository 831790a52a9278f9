//! What a model accepts, as the interface describes it.

use serde_json::Value;

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
}
