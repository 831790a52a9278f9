//! Custom tensor operations with gradients, built on one matrix product.
//!
//! All of them work on contiguous f32 tensors on the CPU, allocate their result, run on the
//! calling thread and are deterministic: sums always run in the same order.

mod affine;
mod causal_attention;
mod class_loss;
mod conv;
mod film;
mod floats;
mod focal;
mod gated;
mod im2col;
mod linear;
mod matmul;
mod norm;
mod rms_norm;
mod softmax;

pub use affine::affine;
pub use causal_attention::{CausalAttention, causal_attention};
pub use class_loss::class_cross_entropy;
pub use conv::{Conv2d, InputLayout, conv2d};
pub use film::film_relu;
pub use focal::centre_focal;
pub use gated::silu_gate;
pub use linear::linear;
pub use matmul::{Into, Mat, matmul, matmul_strided};
pub use norm::layer_norm;
pub use rms_norm::rms_norm;
pub use softmax::{soft_cross_entropy, softmax};

/// What happens to a layer's output before it is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The output as it is.
    Linear,
    /// `max(x, 0)`.
    Relu,
}
