//! Geometry of the scene head: which number of its output belongs to which place in the image.

use candle_core::{Device, Tensor};

use crate::Result;

/// Kinds of objects, in the order of the heat channels: block, bowl, drawer.
pub const KINDS: usize = 3;
/// Colours, in the order of the colour channels.
pub const COLORS: usize = 10;

/// Columns of the scene head's raw output for one fine cell.
///
/// Each kind has its own position and colours: a block in a bowl has the same centre in the image
/// as the bowl.
pub struct SceneChannels;

impl SceneChannels {
    /// First heat logit; one a kind.
    pub const HEAT: usize = 0;
    /// Logit of the drawer's openness.
    pub const EXTRA: usize = KINDS;
    /// All columns.
    pub const COUNT: usize = KINDS + 1 + 3 * KINDS + 2 * COLORS;

    /// First normalised coordinate of a kind's centre; all kinds lie side by side.
    #[must_use]
    pub const fn position(kind: usize) -> usize {
        KINDS + 1 + 3 * kind
    }

    /// First colour logit of a kind; none for drawers.
    #[must_use]
    pub const fn color(kind: usize) -> Option<usize> {
        if kind < 2 {
            Some(KINDS + 1 + 3 * KINDS + COLORS * kind)
        } else {
            None
        }
    }
}

/// Fine cells of the scene head: each token cell is divided into `sub * sub`.
///
/// Numbers are kept in the order token row, token column, sub-row, sub-column, as the last layer
/// writes them; bringing them into image order would cost a copy of every number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SceneGrid {
    /// Token rows.
    pub rows: usize,
    /// Token columns.
    pub columns: usize,
    /// Divisions of a cell in each direction.
    pub sub: usize,
}

/// Terms of the cubic polynomial in image coordinates.
pub(super) const TERMS: usize = 9;

impl SceneGrid {
    /// Fine cells.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.rows * self.columns * self.sub * self.sub
    }

    /// Fine rows and columns.
    #[must_use]
    pub fn fine(&self) -> (usize, usize) {
        (self.rows * self.sub, self.columns * self.sub)
    }

    /// Index of a fine cell in the head's output.
    #[must_use]
    pub fn index(&self, row: usize, column: usize) -> usize {
        let token = (row / self.sub) * self.columns + column / self.sub;
        (token * self.sub + row % self.sub) * self.sub + column % self.sub
    }

    /// `x, y, x², xy, y², x³, x²y, xy², y³` of every fine cell centre (both -1..1), in output
    /// order, `[cells, 9]`.
    pub(super) fn polynomial(&self) -> Result<Tensor> {
        let (height, width) = self.fine();
        let mut flat = vec![0.0_f32; self.cells() * TERMS];
        for row in 0..height {
            for column in 0..width {
                let x = (column as f32 + 0.5) / width as f32 * 2.0 - 1.0;
                let y = (row as f32 + 0.5) / height as f32 * 2.0 - 1.0;
                let terms = [
                    x,
                    y,
                    x * x,
                    x * y,
                    y * y,
                    x * x * x,
                    x * x * y,
                    x * y * y,
                    y * y * y,
                ];
                let at = self.index(row, column) * TERMS;
                flat[at..at + TERMS].copy_from_slice(&terms);
            }
        }
        Ok(Tensor::from_vec(flat, (self.cells(), TERMS), &Device::Cpu)?)
    }

    /// As [`SceneGrid::polynomial`] for the token cells, `[rows * columns, 9]`.
    pub(super) fn token_polynomial(&self) -> Result<Tensor> {
        Self { sub: 1, ..*self }.polynomial()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fine_cell_has_its_own_index() {
        let grid = SceneGrid {
            rows: 3,
            columns: 4,
            sub: 2,
        };
        let mut seen = vec![false; grid.cells()];
        for row in 0..6 {
            for column in 0..8 {
                assert!(!std::mem::replace(&mut seen[grid.index(row, column)], true));
            }
        }
        assert_eq!(
            (
                grid.index(0, 0),
                grid.index(0, 1),
                grid.index(1, 0),
                grid.index(0, 2)
            ),
            (0, 1, 2, 4)
        );
    }
}
