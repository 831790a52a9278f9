//! Where in its picture a policy looked, for people.

/// The tensor in which a stage tells where it looked.
pub(crate) const ATTENTION: &str = "attention";

/// How much each cell of a camera's picture counted in a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionMap {
    /// Key of the camera.
    pub camera: String,
    /// Cells beside each other.
    pub columns: usize,
    /// Cells below each other.
    pub rows: usize,
    /// `[rows, columns]`, row-major, 0 … 1; the cell that counted most is 1.
    pub weights: Vec<f32>,
}

impl AttentionMap {
    /// The first of the maps in a tensor of shape `[1, maps, cells]` or
    /// `[maps, cells]`: it is the one that is taught to look at the target. None
    /// when its cells do not cover a picture of this size (px) in squares, or a
    /// weight is no number.
    pub(crate) fn of(
        camera: &str,
        (width, height): (usize, usize),
        shape: &[usize],
        weights: &[f32],
    ) -> Option<Self> {
        let cells = *shape.last()?;
        let rows = (1..=cells).find(|rows| rows * rows * width == cells * height)?;
        let columns = cells / rows;
        let first = weights.get(..cells)?;
        let most = first.iter().copied().fold(0.0, f32::max);
        let is_sound = first.iter().all(|weight| weight.is_finite()) && most > 0.0;
        (is_sound && rows * columns == cells).then(|| Self {
            camera: camera.to_owned(),
            columns,
            rows,
            weights: first
                .iter()
                .map(|weight| (weight / most).max(0.0))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_that_covers_the_picture_in_squares_is_read() {
        let mut weights = vec![0.0; 2 * 12];
        weights[5] = 0.25;
        weights[6] = 0.5;
        let map = AttentionMap::of("front", (128, 96), &[1, 2, 12], &weights).unwrap();
        assert_eq!((map.columns, map.rows), (4, 3));
        assert_eq!(map.weights.len(), 12);
        assert_eq!(map.weights[5..7], [0.5, 1.0]);
        for (size, shape, weights) in [
            ((128, 96), vec![1, 1, 13], vec![1.0; 13]),
            ((100, 96), vec![1, 1, 12], vec![1.0; 12]),
            ((128, 96), vec![1, 1, 12], vec![1.0; 11]),
            ((128, 96), vec![1, 1, 12], vec![0.0; 12]),
            ((128, 96), vec![1, 1, 12], vec![f32::NAN; 12]),
            ((128, 96), vec![], vec![]),
        ] {
            assert_eq!(AttentionMap::of("front", size, &shape, &weights), None);
        }
    }
}
