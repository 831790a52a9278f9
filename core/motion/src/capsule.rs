//! A capsule fixed to a link: the collision shape of an arm.

use nalgebra::Point3;

use crate::MotionError;

/// All points within `radius_m` of a segment that is fixed to a link.
#[derive(Clone, Debug, PartialEq)]
pub struct Capsule {
    /// Link of the URDF, on the chain or fixed to it.
    pub link: String,
    /// One end of the axis, in the link frame (m).
    pub start: Point3<f64>,
    /// Other end of the axis, in the link frame (m); may equal `start`.
    pub end: Point3<f64>,
    /// Radius (m).
    pub radius_m: f64,
}

impl Capsule {
    /// The capsule of an embodiment's description.
    #[must_use]
    pub fn from_description(description: &vola_types::CapsuleDescription) -> Self {
        Self {
            link: description.link.clone(),
            start: Point3::from(description.start),
            end: Point3::from(description.end),
            radius_m: description.radius_m,
        }
    }

    pub(crate) fn check(&self, index: usize) -> Result<(), MotionError> {
        let bad = |field, expected, got| MotionError::BadShape {
            index,
            field,
            expected,
            got,
        };
        for (field, point) in [("start", &self.start), ("end", &self.end)] {
            if let Some(got) = point.iter().find(|value| !value.is_finite()) {
                return Err(bad(field, "finite coordinates", *got));
            }
        }
        if !(self.radius_m.is_finite() && self.radius_m > 0.0) {
            return Err(bad("radius_m", "a finite number > 0", self.radius_m));
        }
        Ok(())
    }
}

/// Something in the scene that does not move with the arm, in the base frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Obstacle {
    /// Everything below a height, such as the table: `z <= height_m`.
    Below {
        /// Height of the surface (m).
        height_m: f64,
    },
    /// An axis-aligned box.
    Box {
        /// Middle (m).
        center: Point3<f64>,
        /// Half of each edge (m).
        half_extents: [f64; 3],
    },
}

impl Obstacle {
    pub(crate) fn check(&self, index: usize) -> Result<(), MotionError> {
        let bad = |field, expected, got| MotionError::BadShape {
            index,
            field,
            expected,
            got,
        };
        match self {
            Self::Below { height_m } if !height_m.is_finite() => {
                Err(bad("height_m", "a finite number", *height_m))
            }
            Self::Below { .. } => Ok(()),
            Self::Box {
                center,
                half_extents,
            } => {
                if let Some(got) = center.iter().find(|value| !value.is_finite()) {
                    return Err(bad("center", "finite coordinates", *got));
                }
                match half_extents
                    .iter()
                    .find(|half| !(half.is_finite() && **half > 0.0))
                {
                    Some(got) => Err(bad("half_extents", "finite numbers > 0", *got)),
                    None => Ok(()),
                }
            }
        }
    }
}
