//! The nine regions of the table: its equal thirds, seen from the robot.
//!
//! *Left* is +y and *top* (far from the robot) is +x, so "top left corner" is
//! the far third in x and the left third in y.

use super::Scene;

/// Usable table in x (forward), metres: near and far edge.
pub const TABLE_X: [f64; 2] = [0.30, 0.60];

/// Usable table in y (left), metres: right and left edge.
pub const TABLE_Y: [f64; 2] = [-0.30, 0.30];

/// One of the nine table regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// Far third, left third.
    TopLeft,
    /// Far third, middle third.
    Top,
    /// Far third, right third.
    TopRight,
    /// Middle third, left third.
    Left,
    /// Middle third, middle third.
    Middle,
    /// Middle third, right third.
    Right,
    /// Near third, left third.
    BottomLeft,
    /// Near third, middle third.
    Bottom,
    /// Near third, right third.
    BottomRight,
}

impl Region {
    /// All regions, in the contract's order.
    pub const ALL: [Self; 9] = [
        Self::TopLeft,
        Self::Top,
        Self::TopRight,
        Self::Left,
        Self::Middle,
        Self::Right,
        Self::BottomLeft,
        Self::Bottom,
        Self::BottomRight,
    ];

    /// The contract's word for the region.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TopLeft => "top left corner",
            Self::Top => "top side",
            Self::TopRight => "top right corner",
            Self::Left => "left side",
            Self::Middle => "middle",
            Self::Right => "right side",
            Self::BottomLeft => "bottom left corner",
            Self::Bottom => "bottom side",
            Self::BottomRight => "bottom right corner",
        }
    }

    /// The region with this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.name() == name)
    }

    /// The names of all regions, the default of [`Scene::regions`].
    #[must_use]
    pub fn all_names() -> Vec<String> {
        Self::ALL.map(|region| region.name().to_owned()).to_vec()
    }

    /// The region that holds a table point, or `None` off the table.
    ///
    /// # Units
    /// Metres, base frame.
    #[must_use]
    pub fn at(x: f64, y: f64) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.contains(x, y))
    }

    /// Whether the point lies in the region (edges belong to it).
    #[must_use]
    pub fn contains(self, x: f64, y: f64) -> bool {
        let ([near, far], [right, left]) = self.bounds();
        x >= near && x <= far && y >= right && y <= left
    }

    /// The extent: `([near x, far x], [right y, left y])` in metres.
    #[must_use]
    pub fn bounds(self) -> ([f64; 2], [f64; 2]) {
        let (row, column) = self.cell();
        (third(TABLE_X, row), third(TABLE_Y, column))
    }

    /// The centre on the table surface, `[x, y, 0]` in metres.
    #[must_use]
    pub fn center(self) -> [f64; 3] {
        let ([near, far], [right, left]) = self.bounds();
        [0.5 * (near + far), 0.5 * (right + left), 0.0]
    }

    /// Row from the robot (0 near … 2 far) and column from the right (0 … 2).
    #[must_use]
    pub fn cell(self) -> (u8, u8) {
        match self {
            Self::TopLeft => (2, 2),
            Self::Top => (2, 1),
            Self::TopRight => (2, 0),
            Self::Left => (1, 2),
            Self::Middle => (1, 1),
            Self::Right => (1, 0),
            Self::BottomLeft => (0, 2),
            Self::Bottom => (0, 1),
            Self::BottomRight => (0, 0),
        }
    }
}

impl Scene {
    /// Centre on the table of a region of this scene; `None` when the scene
    /// does not have it or it is not one of the nine.
    #[must_use]
    pub fn region_center(&self, name: &str) -> Option<[f64; 3]> {
        if !self.has_region(name) {
            return None;
        }
        Region::from_name(name).map(Region::center)
    }
}

fn third(span: [f64; 2], index: u8) -> [f64; 2] {
    let step = (span[1] - span[0]) / 3.0;
    let start = span[0] + step * f64::from(index);
    [start, start + step]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_centers_lie_inside() {
        for region in Region::ALL {
            assert_eq!(Region::from_name(region.name()), Some(region));
            let [x, y, z] = region.center();
            assert_eq!(Region::at(x, y), Some(region));
            assert!(z.abs() < 1e-12);
        }
        assert_eq!(Region::from_name("Middle"), None);
        assert_eq!(Region::at(0.7, 0.0), None);
        assert_eq!(Region::at(f64::NAN, 0.0), None);
    }

    #[test]
    fn left_is_plus_y_and_top_is_plus_x() {
        assert!(Region::Left.center()[1] > 0.15);
        assert!(Region::Top.center()[0] > 0.5);
    }
}
