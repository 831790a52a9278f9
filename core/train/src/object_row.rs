//! One row of a frame's object list, with names for its numbers.

use crate::ObjectColumns;

/// Number of the kind `block`.
pub(crate) const BLOCK: usize = 0;
/// Number of the kind `drawer`.
const DRAWER: usize = 2;

/// An object that the recorder knew of; meanings by [`ObjectColumns`].
#[derive(Clone, Copy, Debug)]
pub struct ObjectRow<'a> {
    values: &'a [f32],
}

impl<'a> ObjectRow<'a> {
    /// The used rows of an object list.
    pub fn all(list: &'a [f32]) -> impl Iterator<Item = Self> {
        list.chunks_exact(ObjectColumns::COUNT)
            .map(|values| Self { values })
            .filter(|row| row.values[ObjectColumns::KIND] >= 0.0)
    }

    /// Number of the kind.
    #[must_use]
    pub fn kind(&self) -> usize {
        self.values[ObjectColumns::KIND].round() as usize
    }

    /// Number of the colour; none for an object without, and for every drawer.
    #[must_use]
    pub fn color(&self) -> Option<usize> {
        let color = self.values[ObjectColumns::COLOR];
        (color >= 0.0 && !self.is_drawer()).then_some(color.round() as usize)
    }

    /// Whether it is a drawer.
    #[must_use]
    pub fn is_drawer(&self) -> bool {
        self.kind() == DRAWER
    }

    /// The projected centre (column, row; 0..1), if it lies in the image.
    #[must_use]
    pub fn place(&self) -> Option<[f32; 2]> {
        let place = [self.values[ObjectColumns::U], self.values[ObjectColumns::V]];
        place
            .iter()
            .all(|x| (0.0..1.0).contains(x))
            .then_some(place)
    }

    /// The centre (m, base frame).
    #[must_use]
    pub fn position(&self) -> [f32; 3] {
        [0, 1, 2].map(|axis| self.values[ObjectColumns::POSITION + axis])
    }

    /// Part of it that the camera sees, 0..1.
    #[must_use]
    pub fn visible(&self) -> f32 {
        self.values[ObjectColumns::VISIBLE]
    }

    /// How a block is turned: cosine and sine of four times its angle; none for other kinds, whose
    /// turn does not matter or cannot be seen.
    #[must_use]
    pub fn turn(&self) -> Option<[f32; 2]> {
        let angle = 4.0 * self.values[ObjectColumns::YAW];
        (self.kind() == BLOCK).then(|| [angle.cos(), angle.sin()])
    }

    /// Openness of a drawer, 0..1.
    #[must_use]
    pub fn openness(&self) -> f32 {
        self.values[ObjectColumns::EXTRA].clamp(0.0, 1.0)
    }
}
