//! The things on the table: kinds, colours and sizes.
//!
//! Index order of kinds and colours is [`vola_types::KINDS`] and
//! [`vola_types::COLORS`]; the scene head and the training data rely on it.

use serde::{Deserialize, Serialize};
use vola_types::{BLOCK_SIZE_M, BOWL_RIM_RADIUS_M, COLORS};

/// Half the edge of a block (m).
pub(crate) const BLOCK_HALF: f64 = BLOCK_SIZE_M / 2.0;
/// Radius of a bowl's rim (m).
pub(crate) const BOWL_RIM: f64 = BOWL_RIM_RADIUS_M;
/// Radius of a bowl's foot (m).
pub(crate) const BOWL_FOOT: f64 = 0.044;
/// Height of a bowl (m).
pub(crate) const BOWL_HEIGHT: f64 = 0.040;
/// Reported centre of a bowl above its foot (m).
pub(crate) const BOWL_CENTER: f64 = BOWL_HEIGHT / 2.0;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A cube of 4 cm.
    Block,
    /// An open bowl.
    Bowl,
    /// A cabinet with one sliding tray.
    Drawer,
}

impl Kind {
    /// Index in [`vola_types::KINDS`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Block => 0,
            Self::Bowl => 1,
            Self::Drawer => 2,
        }
    }

    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        vola_types::KINDS[self.index()]
    }

    /// Radius of the circle round the object on the table (m).
    pub(crate) fn footprint_radius(self) -> f64 {
        match self {
            Self::Block => BLOCK_HALF * std::f64::consts::SQRT_2,
            Self::Bowl => BOWL_RIM,
            Self::Drawer => 0.12,
        }
    }
}

/// A colour, as its index in [`vola_types::COLORS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Color(u8);

/// Linear RGB of each colour, bright and far apart.
const LINEAR_RGB: [[f32; 3]; 10] = [
    [0.04, 0.12, 0.75],
    [0.75, 0.03, 0.03],
    [0.03, 0.42, 0.06],
    [0.95, 0.30, 0.01],
    [0.90, 0.78, 0.03],
    [0.25, 0.04, 0.50],
    [0.95, 0.35, 0.60],
    [0.05, 0.75, 0.85],
    [0.22, 0.09, 0.03],
    [0.20, 0.21, 0.23],
];

impl Color {
    /// All ten colours in index order.
    pub(crate) fn all() -> [Self; 10] {
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(Self)
    }

    /// Index in [`vola_types::COLORS`].
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        COLORS[self.index()]
    }

    /// Linear RGB, 0..1.
    pub(crate) fn linear_rgb(self) -> [f32; 3] {
        LINEAR_RGB[self.index()]
    }

    /// The colour with this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::all().into_iter().find(|color| color.word() == word)
    }
}

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Self::from_word(&word)
            .ok_or_else(|| format!("expected a colour of {}, got `{word}`", COLORS.join(", ")))
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.word().to_owned()
    }
}

/// Whether this colour and kind is kept out of training as an action's target.
///
/// Such objects appear as distractors, so that their pixels are seen; the
/// evaluation then asks for them.
pub(crate) fn is_held_out(kind: Kind, color: Color) -> bool {
    match kind {
        Kind::Block => matches!(color.word(), "cyan" | "brown"),
        Kind::Bowl => matches!(color.word(), "green" | "purple"),
        Kind::Drawer => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_round_trip_and_unknown_words_are_named() {
        for color in Color::all() {
            let json = serde_json::to_string(&color).unwrap();
            assert_eq!(serde_json::from_str::<Color>(&json).unwrap(), color);
        }
        let error = serde_json::from_str::<Color>("\"mauve\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("mauve") && error.contains("cyan"), "{error}");
    }

    #[test]
    fn four_combinations_are_held_out() {
        let count = [Kind::Block, Kind::Bowl]
            .into_iter()
            .flat_map(|kind| Color::all().map(|color| (kind, color)))
            .filter(|(kind, color)| is_held_out(*kind, *color))
            .count();
        assert_eq!(count, 4);
    }
}
