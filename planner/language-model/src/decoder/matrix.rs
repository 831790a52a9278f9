//! A matrix of weights, dense or quantised.

use std::sync::Arc;

use candle_core::quantized::QTensor;
use candle_core::{CpuStorage, Device, Storage, Tensor};
use vola_nn::kernels::{Into, Mat, matmul};

use crate::Result;

/// Up to so many products of numbers a dense matrix is multiplied on this thread:
/// that takes less than a tenth of a millisecond, and waiting for another thread
/// costs many where other programs run as well.
const MOST_ALONE: usize = 1 << 22;

/// From so many rows on it is faster to unpack the weights once and multiply in
/// f32 than to round every row and multiply in small numbers (measured with
/// Q8_0 on x86-64 with AVX-512: twice as fast at 64 rows).
const ROWS_WORTH_UNPACKING: usize = 24;

/// Weights `[outputs, inputs]`.
pub(crate) enum Matrix {
    /// In f32.
    Dense(Tensor),
    /// In blocks of small numbers, as its file has it.
    Packed(Arc<QTensor>),
}

impl Matrix {
    fn inputs(&self) -> Result<usize> {
        Ok(match self {
            Self::Dense(weights) => weights.dim(1)?,
            Self::Packed(weights) => weights.shape().dims2()?.1,
        })
    }

    /// `[rows, inputs]` by the transpose: `[rows, outputs]`. Runs on as many
    /// threads as candle is allowed.
    pub(super) fn product(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let inputs = self.inputs()?.max(1);
        let count = rows.len() / inputs;
        if let Self::Dense(weights) = self
            && let Some(result) = product_alone(weights, rows, inputs)?
        {
            return Ok(result);
        }
        let rows = Tensor::from_slice(rows, (count, inputs), &Device::Cpu)?;
        let result = match self {
            Self::Dense(weights) => rows.matmul(&weights.t()?)?,
            Self::Packed(weights) if count >= ROWS_WORTH_UNPACKING => {
                rows.matmul(&weights.dequantize(&Device::Cpu)?.t()?)?
            }
            Self::Packed(weights) => rows.apply_op1_no_bwd(weights.as_ref())?,
        };
        Ok(result.flatten_all()?.to_vec1()?)
    }

    /// Rows by their numbers, which lie below the number of rows.
    pub(super) fn rows(&self, numbers: &[u32]) -> Result<Vec<f32>> {
        let numbers = Tensor::new(numbers, &Device::Cpu)?;
        let rows = match self {
            Self::Dense(weights) => weights.index_select(&numbers, 0)?,
            Self::Packed(weights) => weights.embedding(&numbers)?,
        };
        Ok(rows.flatten_all()?.to_vec1()?)
    }
}

/// The product on this thread; none where it is too large for one.
fn product_alone(weights: &Tensor, rows: &[f32], inputs: usize) -> Result<Option<Vec<f32>>> {
    let (outputs, count) = (weights.dim(0)?, rows.len() / inputs);
    if count * inputs * outputs > MOST_ALONE || !weights.is_contiguous() {
        return Ok(None);
    }
    let (storage, layout) = weights.storage_and_layout();
    let Storage::Cpu(CpuStorage::F32(numbers)) = &*storage else {
        return Ok(None);
    };
    let begin = layout.start_offset();
    let Some(numbers) = numbers.get(begin..begin + outputs * inputs) else {
        return Ok(None);
    };
    let mut result = vec![0.0; count * outputs];
    let rows = Mat::new(rows, count, inputs);
    let weights = Mat::new(numbers, outputs, inputs);
    matmul(&mut result, Into::Replace, rows, weights.t());
    Ok(Some(result))
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::GgmlDType;

    use super::*;

    /// Every kind of block that files may have, few rows and many, against the
    /// product with the unpacked weights.
    #[test]
    fn packed_weights_multiply_like_unpacked_ones() {
        const INPUTS: usize = 256;
        const OUTPUTS: usize = 35;
        let mut rng = fastrand::Rng::with_seed(3);
        let mut random =
            |count: usize| -> Vec<f32> { (0..count).map(|_| 2.0 * rng.f32() - 1.0).collect() };
        let weights = random(OUTPUTS * INPUTS);
        let weights = Tensor::from_vec(weights, (OUTPUTS, INPUTS), &Device::Cpu).unwrap();
        for kind in [
            GgmlDType::Q4_0,
            GgmlDType::Q4_1,
            GgmlDType::Q5_0,
            GgmlDType::Q5_1,
            GgmlDType::Q8_0,
            GgmlDType::Q2K,
            GgmlDType::Q3K,
            GgmlDType::Q4K,
            GgmlDType::Q5K,
            GgmlDType::Q6K,
        ] {
            let packed = QTensor::quantize(&weights, kind).unwrap();
            let dense = Matrix::Dense(packed.dequantize(&Device::Cpu).unwrap());
            let packed = Matrix::Packed(Arc::new(packed));
            for rows in [1, 3, ROWS_WORTH_UNPACKING] {
                let input = random(rows * INPUTS);
                let expected = dense.product(&input).unwrap();
                let got = packed.product(&input).unwrap();
                assert_eq!(got.len(), rows * OUTPUTS);
                let pairs = got.iter().zip(&expected);
                let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                // Sums of 256 products of ±1 spread over some ±6; inputs are
                // rounded to a part in 127.
                assert!(off < 0.2, "{kind:?}, {rows} rows: {off}");
            }
            assert_eq!(
                packed.rows(&[34, 0]).unwrap(),
                dense.rows(&[34, 0]).unwrap(),
                "{kind:?}"
            );
        }
    }
}
