//! Names of what may be wrong with an episode on purpose.

use serde::{Deserialize, Serialize};

/// One thing that is not as training knew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Perturbation {
    /// The front camera stands elsewhere and is turned.
    CameraMoved,
    /// The lamp stands elsewhere and is brighter or dimmer.
    Light,
    /// The cameras' white balance is off.
    ColorShift,
    /// Something stands between the front camera and the table.
    Occluder,
    /// The front camera shows one picture from some moment on.
    FrozenCamera,
    /// The object that matters has a shape that training never saw.
    UnseenObject,
    /// Strange things lie among the objects.
    Clutter,
    /// Blocks and fingers are oily.
    SlipperyBlock,
    /// Somebody moves the object that matters while the arm moves.
    BlockMoved,
    /// The gripper hardly presses.
    WeakGripper,
    /// Two joint sensors are off.
    ProprioceptionBias,
    /// Commands reach the drives late.
    CommandDelay,
}

impl Perturbation {
    /// All of them, in the order of [`Perturbations`]' bits.
    pub(crate) const ALL: [Self; 12] = [
        Self::CameraMoved,
        Self::Light,
        Self::ColorShift,
        Self::Occluder,
        Self::FrozenCamera,
        Self::UnseenObject,
        Self::Clutter,
        Self::SlipperyBlock,
        Self::BlockMoved,
        Self::WeakGripper,
        Self::ProprioceptionBias,
        Self::CommandDelay,
    ];

    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::CameraMoved => "camera_moved",
            Self::Light => "light",
            Self::ColorShift => "color_shift",
            Self::Occluder => "occluder",
            Self::FrozenCamera => "frozen_camera",
            Self::UnseenObject => "unseen_object",
            Self::Clutter => "clutter",
            Self::SlipperyBlock => "slippery_block",
            Self::BlockMoved => "block_moved",
            Self::WeakGripper => "weak_gripper",
            Self::ProprioceptionBias => "proprioception_bias",
            Self::CommandDelay => "command_delay",
        }
    }
}

/// A set of perturbations; in JSON a list of words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Perturbation>", into = "Vec<Perturbation>")]
pub(crate) struct Perturbations(u16);

impl Perturbations {
    /// Whether one is among them.
    pub(crate) fn contains(self, one: Perturbation) -> bool {
        self.0 & Self::bit(one) != 0
    }

    fn bit(one: Perturbation) -> u16 {
        1 << one as u16
    }
}

impl From<Vec<Perturbation>> for Perturbations {
    fn from(list: Vec<Perturbation>) -> Self {
        Self(list.into_iter().fold(0, |set, one| set | Self::bit(one)))
    }
}

impl From<Perturbations> for Vec<Perturbation> {
    fn from(set: Perturbations) -> Self {
        Perturbation::ALL
            .into_iter()
            .filter(|one| set.contains(*one))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_round_trip_and_words_are_those_of_json() {
        let set: Perturbations = serde_json::from_str(r#"["light","command_delay"]"#).unwrap();
        assert!(set.contains(Perturbation::Light) && !set.contains(Perturbation::Occluder));
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["light","command_delay"]"#);
        for one in Perturbation::ALL {
            assert_eq!(serde_json::to_value(one).unwrap(), one.word());
        }
        assert!(serde_json::from_str::<Perturbations>(r#"["earthquake"]"#).is_err());
    }
}
