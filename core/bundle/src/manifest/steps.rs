//! Steps between the robot's numbers and the policy's.

use serde::{Deserialize, Serialize};

/// A step from the observation to the stage inputs.
///
/// Before the first step every picture is f32 `[3, height, width]` in 0..1 in
/// the channel order of the contract; that conversion is not listed. In TOML
/// each step is a table `{ step = "…", … }` with the keys named here.
#[derive(Clone, Debug, PartialEq)]
pub enum PreStep {
    /// `rename` (`from`, `to`): gives a feature the name a checkpoint uses.
    /// Later steps and the stages see the new name.
    Rename {
        /// Old name.
        from: String,
        /// New name.
        to: String,
    },
    /// `history` (`feature`, `length`): stacks the last observations, oldest
    /// first, as `[1, length, …]`; the first observation fills the past. The
    /// last step of its feature.
    History {
        /// Feature.
        feature: String,
        /// Observations kept, 2 to 64.
        length: u32,
    },
    /// `resize` (`feature`, `width`, `height`, `method` = "bilinear", `fit` =
    /// "stretch"): makes pictures of any size fit.
    Resize {
        /// Feature.
        feature: String,
        /// Size afterwards; with `keep_ratio`, the box it must fit into.
        size: ImageSize,
        /// How pixels are mixed.
        method: ResizeMethod,
        /// What happens to the aspect ratio.
        fit: ResizeFit,
    },
    /// `pad` (`feature`, `width`, `height`, `value` = 0, `anchor` = "centre").
    Pad {
        /// Feature.
        feature: String,
        /// Size afterwards.
        size: ImageSize,
        /// Value of the border.
        value: f64,
        /// Where the picture stays.
        anchor: Anchor,
    },
    /// `crop` (`feature`, `width`, `height`, `anchor` = "centre").
    Crop {
        /// Feature.
        feature: String,
        /// Size afterwards.
        size: ImageSize,
        /// Which part stays.
        anchor: Anchor,
    },
    /// `normalise` (`feature`, `mode`, `stats` = the feature): subtracts and
    /// divides by the statistics. `feature = "goal"` means both goal points.
    Normalise {
        /// Feature.
        feature: String,
        /// Formula.
        mode: NormaliseMode,
        /// Entry of the statistics file.
        stats: String,
    },
}

impl PreStep {
    /// The feature the step works on, by its name before the step.
    #[must_use]
    pub fn feature(&self) -> &str {
        match self {
            Self::Rename { from, .. } => from,
            Self::History { feature, .. }
            | Self::Resize { feature, .. }
            | Self::Pad { feature, .. }
            | Self::Crop { feature, .. }
            | Self::Normalise { feature, .. } => feature,
        }
    }

    /// The word in TOML.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rename { .. } => "rename",
            Self::History { .. } => "history",
            Self::Resize { .. } => "resize",
            Self::Pad { .. } => "pad",
            Self::Crop { .. } => "crop",
            Self::Normalise { .. } => "normalise",
        }
    }

    /// Whether the step is for pictures only.
    #[must_use]
    pub fn is_for_pictures(&self) -> bool {
        matches!(
            self,
            Self::Resize { .. } | Self::Pad { .. } | Self::Crop { .. }
        )
    }
}

/// A step from the head's output to physical actions.
#[derive(Clone, Debug, PartialEq)]
pub enum PostStep {
    /// `denormalise` (`feature` = "action", `mode`, `stats` = the feature):
    /// the inverse of `normalise`.
    Denormalise {
        /// Formula.
        mode: NormaliseMode,
        /// Entry of the statistics file.
        stats: String,
    },
    /// `to_absolute` (`names`, `state` = the names): adds the measured state of
    /// the observation to these columns, for checkpoints trained on
    /// displacements that are executed as positions. Only for `joint_position`.
    ToAbsolute {
        /// Action columns.
        names: Vec<String>,
        /// State values added to them, in the same order.
        state: Vec<String>,
    },
    /// `decide_gripper` (`close_below` = 0.5, `open_above` = 1): closes the gripper
    /// fully below the one, opens it fully above the other, and leaves what is
    /// between. For policies that were taught by an open or a closed gripper alone:
    /// what they say between the two is doubt, not a width. After `denormalise`.
    DecideGripper {
        /// Physical values below close, 0 to 1.
        close_below: f64,
        /// Physical values above open, `close_below` to 1.
        open_above: f64,
    },
}

/// Size of a picture (px).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// How a feature's numbers are made small.
///
/// # Source
/// The formulas of LeRobot's normaliser, revision 0.4.4, whose checkpoints are
/// imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormaliseMode {
    /// (x − mean) / (std + 1e-8); back: y · std + mean.
    MeanStd,
    /// 2 (x − min) / (max − min) − 1; back: (y + 1) / 2 · (max − min) + min.
    MinMax,
    /// As `min_max` with the 1 % and 99 % quantiles.
    Quantile,
    /// Nothing; says that the numbers are meant as they are.
    Identity,
}

impl NormaliseMode {
    /// The word in TOML.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MeanStd => "mean_std",
            Self::MinMax => "min_max",
            Self::Quantile => "quantile",
            Self::Identity => "identity",
        }
    }

    /// The statistics it needs.
    #[must_use]
    pub fn needs(self) -> &'static [&'static str] {
        match self {
            Self::MeanStd => &["mean", "std"],
            Self::MinMax => &["min", "max"],
            Self::Quantile => &["q01", "q99"],
            Self::Identity => &[],
        }
    }
}

/// How pixels are mixed when a picture changes size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeMethod {
    /// Two neighbours a side, pixel centres at halves, no smoothing.
    #[default]
    Bilinear,
    /// A triangle filter as wide as the reduction, so that nothing aliases.
    BilinearAntialias,
    /// The nearest pixel.
    Nearest,
}

/// What happens to the aspect ratio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeFit {
    /// Exactly the size asked for.
    #[default]
    Stretch,
    /// The largest size inside the box with the old ratio.
    KeepRatio,
}

/// Where a picture stays when it is padded, or which part stays when cropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Upper left corner.
    TopLeft,
    /// The middle; an odd pixel goes to the right and below.
    #[default]
    Centre,
    /// Lower right corner: borders left and above.
    BottomRight,
}
