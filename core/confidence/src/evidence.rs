//! What one decision offers to judge it by.

/// Tool translations (m) that one decision plans, at equal row times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlannedPath {
    /// Time of the first row (ns).
    pub first_ns: u64,
    /// Time between rows (ns).
    pub period_ns: u64,
    /// Positions in the base frame, one a row; for joint spaces the first three
    /// joints stand in.
    pub rows: Vec<[f64; 3]>,
}

impl PlannedPath {
    /// The way from row to row, summed (m).
    #[must_use]
    pub fn length_m(&self) -> f64 {
        self.rows
            .windows(2)
            .map(|pair| distance(pair[0], pair[1]))
            .sum()
    }
}

/// Where the arm's end is, as measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ToolPose {
    /// Position (m, base frame).
    pub position: [f64; 3],
    /// Orientation x y z w, base frame.
    pub orientation: [f64; 4],
    /// Gripper value, 0 closed to 1 open; none without a gripper.
    pub gripper: Option<f64>,
    /// Gripper value last commanded.
    pub gripper_command: f64,
}

/// Attention of a fusion: `maps` rows of weights over the cells of a picture,
/// each summing to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionMaps<'a> {
    /// Rows.
    pub maps: usize,
    /// `[maps, cells]`, row-major.
    pub weights: &'a [f32],
}

/// One decision. Lent for the time of a call.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Time of the observation (ns, on the runtime's clock).
    pub time_ns: u64,
    /// Time since the primitive began (ns).
    pub since_start_ns: u64,
    /// The arm's end.
    pub tool: ToolPose,
    /// The sampled paths; one for heads that do not sample.
    pub samples: &'a [PlannedPath],
    /// The path that is executed.
    pub executed: &'a PlannedPath,
    /// Probabilities of (done, failing), where there is a progress head.
    pub progress: Option<(f64, f64)>,
    /// The head's input, where it can be read.
    pub features: Option<&'a [f32]>,
    /// Where the fusion looks, where it tells.
    pub attention: Option<AttentionMaps<'a>>,
    /// Entropies (nat) of the tokens that the head drew, where it tells.
    pub token_entropy: Option<&'a [f32]>,
}

pub(crate) fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f64>()
        .sqrt()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn path(first_ns: u64, x: &[f64]) -> PlannedPath {
        PlannedPath {
            first_ns,
            period_ns: 100_000_000,
            rows: x.iter().map(|x| [*x, 0.0, 0.0]).collect(),
        }
    }

    /// A decision at `seconds` with the tool at `x`, which plans `executed`.
    pub(crate) fn evidence(seconds: f64, x: f64, executed: &PlannedPath) -> Evidence<'_> {
        let time_ns = (seconds * 1e9) as u64;
        Evidence {
            time_ns,
            since_start_ns: time_ns,
            tool: ToolPose {
                position: [x, 0.0, 0.2],
                orientation: [0.0, 0.0, 0.0, 1.0],
                gripper: Some(1.0),
                gripper_command: 1.0,
            },
            samples: std::slice::from_ref(executed),
            executed,
            progress: None,
            features: None,
            attention: None,
            token_entropy: None,
        }
    }
}
