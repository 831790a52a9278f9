//! The matrix product under every layer: `gemm` behind checked slices.
//!
//! candle's own matmul would need a tensor for every operand; the convolution works on blocks of
//! a few hundred rows that stay in the second-level cache, so it calls the same library directly.

/// A borrowed matrix with strides, so that a transpose costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Mat<'a> {
    /// A dense row-major `[rows, cols]` matrix.
    ///
    /// # Panics
    /// When the slice has another length: an error of the kernel that calls, never of its input,
    /// because tensor shapes are checked before.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "matrix of {rows} x {cols}");
        Self {
            data,
            rows,
            cols,
            row_stride: cols,
            col_stride: 1,
        }
    }

    /// A row-major `[rows, cols]` part of a wider matrix, whose rows begin `stride` numbers apart.
    ///
    /// # Panics
    /// When the slice ends before the last row does, or rows overlap: an error of the caller.
    #[must_use]
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        let needed = rows.checked_sub(1).map_or(0, |last| last * stride + cols);
        assert!(
            data.len() >= needed && stride >= cols,
            "matrix of {rows} x {cols} with rows {stride} apart"
        );
        Self {
            data,
            rows,
            cols,
            row_stride: stride,
            col_stride: 1,
        }
    }

    /// The transpose, without moving a number.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }
}

/// Whether a product replaces what the target holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// `target = a · b`
    Replace,
    /// `target += a · b`
    Add,
}

/// Multiplies into a dense row-major target of `[a.rows, b.cols]`, on this thread.
///
/// # Panics
/// When the inner sizes or the target's length do not fit.
pub fn matmul(target: &mut [f32], into: Into, a: Mat<'_>, b: Mat<'_>) {
    assert_eq!(target.len(), a.rows * b.cols, "target of a product");
    if a.cols == 0 && into == Into::Replace {
        target.fill(0.0);
    }
    matmul_strided(target, b.cols, into, a, b);
}

/// Multiplies into `[a.rows, b.cols]` numbers of a wider target, whose rows begin `stride` numbers
/// apart, on this thread. What lies between them stays.
///
/// # Panics
/// When the inner sizes do not fit, the target ends before the last row does, or rows overlap.
pub fn matmul_strided(target: &mut [f32], stride: usize, into: Into, a: Mat<'_>, b: Mat<'_>) {
    assert_eq!(a.cols, b.rows, "inner sizes of a product");
    if a.rows == 0 || b.cols == 0 || a.cols == 0 {
        return;
    }
    assert!(
        stride >= b.cols && target.len() >= (a.rows - 1) * stride + b.cols,
        "target of a product"
    );
    run(target, stride, into == Into::Add, a, b);
}

#[allow(
    unsafe_code,
    reason = "gemm takes raw pointers; lengths and strides are checked by `Mat::new` and `matmul`"
)]
fn run(target: &mut [f32], stride: usize, read: bool, a: Mat<'_>, b: Mat<'_>) {
    // SAFETY: `Mat::new` and `Mat::strided` assert that the slice reaches as far as rows, columns
    // and strides do, and `t` only swaps the two strides, so every index row * row_stride + col *
    // col_stride lies inside; `matmul_strided` asserts the same of the target, and the inner sizes;
    // the target is borrowed mutably, so nothing aliases.
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            target.as_mut_ptr(),
            1,
            stride as isize,
            read,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0_f32,
            1.0_f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_transposes() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // [2, 3]
        let b = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]; // [3, 2]
        let mut out = [0.0; 4];
        matmul(
            &mut out,
            Into::Replace,
            Mat::new(&a, 2, 3),
            Mat::new(&b, 3, 2),
        );
        assert_eq!(
            out.map(f32::to_bits),
            [4.0, 5.0, 10.0, 11.0].map(f32::to_bits)
        );
        matmul(
            &mut out,
            Into::Add,
            Mat::new(&b, 3, 2).t(),
            Mat::new(&a, 2, 3).t(),
        );
        let sums = [4.0 + 4.0, 5.0 + 10.0, 10.0 + 5.0, 11.0 + 11.0];
        assert_eq!(out.map(f32::to_bits), sums.map(f32::to_bits));
    }

    #[test]
    fn parts_of_wider_matrices() {
        // The two middle columns of [2, 4], by the identity, into the first two of [2, 3].
        let wide = [9.0, 1.0, 2.0, 9.0, 9.0, 3.0, 4.0, 9.0];
        let identity = [1.0, 0.0, 0.0, 1.0];
        let mut out = [7.0; 6];
        matmul_strided(
            &mut out,
            3,
            Into::Replace,
            Mat::strided(&wide[1..], 2, 2, 4),
            Mat::new(&identity, 2, 2),
        );
        let expected = [1.0, 2.0, 7.0, 3.0, 4.0, 7.0];
        assert_eq!(out.map(f32::to_bits), expected.map(f32::to_bits));
    }
}
