//! A short vector of joint values that never allocates.

use std::ops::{Deref, DerefMut};

use crate::MotionError;

/// Most joints (gripper included) of one arm that this crate handles.
///
/// The frames of the runtime may carry more; a serial arm never does.
pub const MAX_JOINTS: usize = 16;

/// Up to [`MAX_JOINTS`] numbers, one a joint, stored in place.
///
/// Dereferences to a slice of exactly the joints in use.
///
/// # Examples
/// ```
/// let q = vola_motion::JointVec::from_slice("q", &[0.0, 1.0])?;
/// assert_eq!(q.iter().sum::<f64>(), 1.0);
/// # Ok::<(), vola_motion::MotionError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct JointVec {
    values: [f64; MAX_JOINTS],
    len: usize,
}

impl JointVec {
    /// Zeros for this many joints; more than [`MAX_JOINTS`] are cut off.
    #[must_use]
    pub fn zeros(joints: usize) -> Self {
        Self {
            values: [0.0; MAX_JOINTS],
            len: joints.min(MAX_JOINTS),
        }
    }

    /// Copies a slice; `what` names it in the error.
    ///
    /// # Errors
    /// More than [`MAX_JOINTS`] values. NaN and infinities are kept: a raw
    /// command may hold them.
    pub fn from_slice(what: &'static str, values: &[f64]) -> Result<Self, MotionError> {
        if values.len() > MAX_JOINTS {
            return Err(MotionError::JointCount {
                what,
                max: MAX_JOINTS,
                got: values.len(),
            });
        }
        Ok(values.iter().copied().collect())
    }
}

/// Collects the first [`MAX_JOINTS`] values; the rest are dropped.
impl FromIterator<f64> for JointVec {
    fn from_iter<I: IntoIterator<Item = f64>>(iter: I) -> Self {
        let mut out = Self::default();
        for (slot, value) in out.values.iter_mut().zip(iter) {
            *slot = value;
            out.len += 1;
        }
        out
    }
}

impl Deref for JointVec {
    type Target = [f64];
    fn deref(&self) -> &[f64] {
        self.values.get(..self.len).unwrap_or_default()
    }
}

impl DerefMut for JointVec {
    fn deref_mut(&mut self) -> &mut [f64] {
        self.values.get_mut(..self.len).unwrap_or_default()
    }
}

impl PartialEq for JointVec {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// Checks length and finiteness of joint values; `what` names them.
pub(crate) fn check_finite(
    what: &'static str,
    values: &[f64],
    expected: usize,
) -> Result<(), MotionError> {
    if values.len() != expected {
        return Err(MotionError::Length {
            what,
            expected,
            got: values.len(),
        });
    }
    match values
        .iter()
        .enumerate()
        .find(|(_, value)| !value.is_finite())
    {
        Some((index, &value)) => Err(MotionError::NotFinite { what, index, value }),
        None => Ok(()),
    }
}
