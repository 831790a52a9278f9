//! Action chunks: what a head returned, and what may reach the robot.

use vola_types::{ActionSpace, DType};

use crate::error::BundleError;
use crate::rotation;

/// An action tensor as a stage returned it, unchecked.
#[derive(Clone, Copy, Debug)]
pub struct RawChunk<'a> {
    /// The stage, for messages.
    pub stage: &'a str,
    /// The tensor, for messages.
    pub tensor: &'a str,
    /// Element type; must be f32.
    pub dtype: DType,
    /// `[1, N, horizon, dim]`, or `[1, horizon, dim]` for one sample.
    pub shape: &'a [usize],
    /// Elements, row-major, little endian.
    pub bytes: &'a [u8],
}

/// Normalised samples of one observation: the right shape and finite.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalisedChunk {
    pub(crate) samples: usize,
    pub(crate) horizon: usize,
    pub(crate) dim: usize,
    pub(crate) values: Vec<f64>,
}

impl NormalisedChunk {
    /// Samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Rows in a sample.
    #[must_use]
    pub fn horizon(&self) -> usize {
        self.horizon
    }

    /// Columns in a row.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One sample, `[horizon, dim]` row-major; empty when it does not exist.
    #[must_use]
    pub fn sample(&self, index: usize) -> &[f64] {
        let length = self.horizon * self.dim;
        self.values
            .get(index * length..(index + 1) * length)
            .unwrap_or_default()
    }

    /// The mean of all samples, `[horizon, dim]` row-major.
    #[must_use]
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.horizon * self.dim];
        for index in 0..self.samples {
            for (sum, value) in mean.iter_mut().zip(self.sample(index)) {
                *sum += value;
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "a handful of samples")]
        let count = self.samples.max(1) as f64;
        mean.iter_mut().for_each(|value| *value /= count);
        mean
    }
}

/// What physical rows mean, for [`ActionChunk::from_physical`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhysicalRows {
    /// Meaning of a row.
    pub space: ActionSpace,
    /// Columns in a row.
    pub dim: usize,
    /// Whether the last column is the gripper.
    pub has_gripper: bool,
    /// Time between rows (ns).
    pub period_ns: u64,
}

/// A checked chunk in physical numbers: the only form that reaches the
/// executor.
///
/// # Units
/// As the action space says; f64. The gripper is in 0..1.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionChunk {
    pub(crate) space: ActionSpace,
    pub(crate) has_gripper: bool,
    pub(crate) dim: usize,
    pub(crate) period_ns: u64,
    pub(crate) observation_time_ns: u64,
    pub(crate) rows: Vec<f64>,
}

impl ActionChunk {
    /// A chunk of rows (`[n, dim]`, row-major) that are physical already, as an
    /// expert or a controller gives them. The gripper is clamped to 0..1,
    /// quaternions are made unit with w ≥ 0.
    ///
    /// # Errors
    /// When rows have another width, a value is not finite, or a quaternion is
    /// no rotation.
    pub fn from_physical(
        action: &PhysicalRows,
        observation_time_ns: u64,
        mut rows: Vec<f64>,
    ) -> Result<Self, BundleError> {
        let dim = action.dim;
        if rows.is_empty() || dim == 0 || !rows.len().is_multiple_of(dim) || action.period_ns == 0 {
            let what = format!(
                "physical rows of {dim} columns, {} ns apart",
                action.period_ns
            );
            return Err(BundleError::Length {
                what,
                expected: dim.max(1),
                got: rows.len(),
            });
        }
        for (index, row) in rows.chunks_exact_mut(dim).enumerate() {
            if let Some((column, &value)) =
                row.iter().enumerate().find(|(_, value)| !value.is_finite())
            {
                let what = format!("physical rows: row {index}, dim {column}");
                return Err(BundleError::InputNotFinite { what, value });
            }
            settle_row(row, action.space, action.has_gripper).map_err(|length| {
                BundleError::ChunkRotation {
                    stage: "(physical)".to_owned(),
                    row: index,
                    length,
                }
            })?;
        }
        Ok(Self {
            space: action.space,
            has_gripper: action.has_gripper,
            dim,
            period_ns: action.period_ns,
            observation_time_ns,
            rows,
        })
    }

    /// Meaning of a row.
    #[must_use]
    pub fn space(&self) -> ActionSpace {
        self.space
    }

    /// Whether the last column is the gripper.
    #[must_use]
    pub fn has_gripper(&self) -> bool {
        self.has_gripper
    }

    /// Columns in a row.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows a second.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a period below 10 s fits")]
        let period = self.period_ns as f64;
        1e9 / period
    }

    /// Time between rows (ns).
    #[must_use]
    pub fn period_ns(&self) -> u64 {
        self.period_ns
    }

    /// Capture time of the observation that made it (ns).
    #[must_use]
    pub fn observation_time_ns(&self) -> u64 {
        self.observation_time_ns
    }

    /// Row i; none past the end.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<&[f64]> {
        self.rows.chunks_exact(self.dim.max(1)).nth(index)
    }

    /// All rows, first to last.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.rows.chunks_exact(self.dim.max(1))
    }

    /// When row i is to be reached (ns): observation time + (i + 1) / rate.
    #[must_use]
    pub fn row_time_ns(&self, index: usize) -> u64 {
        row_time_ns(self.observation_time_ns, self.period_ns, index)
    }

    /// The first row that is not yet past at `now_ns`; its index may lie past
    /// the end. Rows before it are dropped, never replayed late.
    #[must_use]
    pub fn first_due(&self, now_ns: u64) -> usize {
        let elapsed = now_ns.saturating_sub(self.observation_time_ns);
        // Row i is past when its time (i + 1) · period lies before now.
        let past = elapsed.saturating_sub(1) / self.period_ns.max(1);
        usize::try_from(past).unwrap_or(usize::MAX)
    }
}

/// Clamps the gripper of a finite row and makes its quaternion unit with w ≥ 0;
/// the quaternion's length when it is no rotation.
pub(crate) fn settle_row(
    row: &mut [f64],
    space: ActionSpace,
    has_gripper: bool,
) -> Result<(), f64> {
    if has_gripper && let Some(gripper) = row.last_mut() {
        *gripper = gripper.clamp(0.0, 1.0);
    }
    if space == ActionSpace::ToolPose
        && let [_, _, _, x, y, z, w, ..] = row
    {
        [*x, *y, *z, *w] = rotation::unit([*x, *y, *z, *w])?;
    }
    Ok(())
}

pub(crate) fn row_time_ns(observation_ns: u64, period_ns: u64, index: usize) -> u64 {
    let rows = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
    observation_ns.saturating_add(rows.saturating_mul(period_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk() -> ActionChunk {
        ActionChunk {
            space: ActionSpace::BaseVelocity,
            has_gripper: false,
            dim: 3,
            period_ns: 100,
            observation_time_ns: 1000,
            rows: (0..12).map(f64::from).collect(),
        }
    }

    #[test]
    fn rows_have_their_times() {
        let chunk = chunk();
        assert_eq!(chunk.len(), 4);
        assert_eq!(chunk.row_time_ns(0), 1100);
        assert_eq!(chunk.row(3), Some(&[9.0, 10.0, 11.0][..]));
        assert_eq!(chunk.row(4), None);
        for (now, first) in [
            (0, 0),
            (1000, 0),
            (1100, 0),
            (1101, 1),
            (1200, 1),
            (1201, 2),
            (1400, 3),
            (1401, 4),
        ] {
            assert_eq!(chunk.first_due(now), first, "at {now}");
        }
    }

    #[test]
    fn physical_rows_are_checked_and_settled() {
        let pose = PhysicalRows {
            space: ActionSpace::ToolPose,
            dim: 8,
            has_gripper: true,
            period_ns: 100,
        };
        let good = [0.1, 0.2, 0.3, 0.0, 3.0, 0.0, -4.0, 1.5];
        let chunk = ActionChunk::from_physical(&pose, 0, good.to_vec()).unwrap();
        let expected = [0.1, 0.2, 0.3, 0.0, -0.6, 0.0, 0.8, 1.0];
        for (got, expected) in chunk.row(0).unwrap().iter().zip(expected) {
            assert!((got - expected).abs() < 1e-12);
        }
        let spoilt = |index: usize, value: f64| {
            let mut rows = good.to_vec();
            rows[index] = value;
            ActionChunk::from_physical(&pose, 0, rows)
                .unwrap_err()
                .to_string()
        };
        assert!(spoilt(2, f64::NAN).contains("row 0, dim 2: expected a finite number, got NaN"));
        assert!(ActionChunk::from_physical(&pose, 0, good[..7].to_vec()).is_err());
        let still = PhysicalRows {
            period_ns: 0,
            ..pose
        };
        assert!(ActionChunk::from_physical(&still, 0, good.to_vec()).is_err());
        let mut flat = good.to_vec();
        flat[3..7].fill(0.0);
        assert!(ActionChunk::from_physical(&pose, 0, flat).is_err());
    }
}
