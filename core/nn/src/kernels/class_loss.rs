//! Cross-entropy against one class a row.

use candle_core::{CpuStorage, CustomOp1, Error, Layout, Result, Shape, Tensor};

use super::floats::{floats, of_cpu};
use super::softmax::softmax_row;

struct ClassLoss {
    classes: Vec<u32>,
}

/// `-log softmax(logits)[class]` of every row.
///
/// # Shapes
/// `logits` `[rows, classes]`, one class a row; result `[rows]`.
///
/// # Errors
/// Another number of rows, a class that is not there, or a dtype other than f32.
pub fn class_cross_entropy(logits: &Tensor, classes: &[u32]) -> Result<Tensor> {
    logits.contiguous()?.apply_op1(ClassLoss {
        classes: classes.to_vec(),
    })
}

impl ClassLoss {
    fn width(&self, dims: &[usize]) -> Result<usize> {
        match dims {
            &[rows, n]
                if rows == self.classes.len() && self.classes.iter().all(|c| (*c as usize) < n) =>
            {
                Ok(n)
            }
            _ => Err(Error::Msg(format!(
                "class loss: {} classes do not fit logits {dims:?}",
                self.classes.len()
            ))
            .bt()),
        }
    }
}

impl CustomOp1 for ClassLoss {
    fn name(&self) -> &'static str {
        "class-cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let n = self.width(layout.dims())?;
        let x = of_cpu(storage, layout)?;
        let mut scratch = vec![0.0; n];
        let rows = x.chunks_exact(n).zip(&self.classes);
        let losses: Vec<f32> = rows
            .map(|(row, class)| softmax_row(row, &mut scratch) - row[*class as usize])
            .collect();
        let count = losses.len();
        Ok((CpuStorage::F32(losses), Shape::from(count)))
    }

    fn bwd(&self, input: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let n = self.width(input.dims())?;
        floats!(x = input);
        floats!(g = grad);
        let mut out = vec![0.0; x.len()];
        let rows = x.chunks_exact(n).zip(out.chunks_exact_mut(n));
        for (((row, to), class), g) in rows.zip(&self.classes).zip(g) {
            softmax_row(row, to);
            to[*class as usize] -= 1.0;
            for value in to.iter_mut() {
                *value *= g;
            }
        }
        Ok(Some(Tensor::from_vec(out, input.dims(), input.device())?))
    }
}
