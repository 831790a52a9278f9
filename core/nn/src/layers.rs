//! Layers that own parameters: linear, convolution, multi-layer perceptron, normalisation.

use candle_core::Tensor;

use crate::kernels::{self, Activation, Conv2d};
use crate::{Init, Params, Result};

/// `x · weight + bias` over the last dimension, then an activation.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
    activation: Activation,
}

impl Linear {
    /// A layer from `inner` to `outer` features, parameters `weight` `[inner, outer]` and `bias`.
    ///
    /// # Errors
    /// A parameter that cannot be had.
    pub fn new(
        inner: usize,
        outer: usize,
        activation: Activation,
        params: &Params<'_>,
    ) -> Result<Self> {
        Ok(Self {
            weight: params.get("weight", &[inner, outer], Init::FanIn(inner))?,
            bias: params.get("bias", &[outer], Init::FanIn(inner))?,
            activation,
        })
    }

    /// `[…, inner]` → `[…, outer]`.
    ///
    /// # Errors
    /// A last dimension other than `inner`.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        Ok(kernels::affine(
            input,
            &self.weight,
            &self.bias,
            self.activation,
        )?)
    }
}

/// A convolution with its parameters.
#[derive(Clone, Debug)]
pub struct ConvLayer {
    weight: Tensor,
    bias: Tensor,
    conv: Conv2d,
}

impl ConvLayer {
    /// A convolution from `inner` to `outer` channels.
    ///
    /// # Errors
    /// A parameter that cannot be had.
    pub fn new(inner: usize, outer: usize, conv: Conv2d, params: &Params<'_>) -> Result<Self> {
        let fan_in = conv.kernel * conv.kernel * inner;
        Ok(Self {
            weight: params.get("weight", &[fan_in, outer], Init::He(fan_in))?,
            bias: params.get("bias", &[outer], Init::FanIn(fan_in))?,
            conv,
        })
    }

    /// Image in the layout of the convolution → `[batch, height, width, outer]`.
    ///
    /// # Errors
    /// An image that does not fit.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        Ok(kernels::conv2d(input, &self.weight, &self.bias, self.conv)?)
    }
}

/// Linear layers with ReLU between them and nothing after the last.
#[derive(Clone, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// Layers through the sizes `widths`, for example `[in, hidden, out]`; parameters `0.weight` …
    ///
    /// # Errors
    /// A parameter that cannot be had.
    pub fn new(widths: &[usize], params: &Params<'_>) -> Result<Self> {
        let last = widths.len().saturating_sub(2);
        let layers = widths
            .windows(2)
            .enumerate()
            .map(|(i, pair)| {
                let activation = if i == last {
                    Activation::Linear
                } else {
                    Activation::Relu
                };
                Linear::new(pair[0], pair[1], activation, &params.sub(&i.to_string()))
            })
            .collect::<Result<_>>()?;
        Ok(Self { layers })
    }

    /// `[…, first]` → `[…, last]`.
    ///
    /// # Errors
    /// A last dimension other than the first width.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.layers
            .iter()
            .try_fold(input.clone(), |x, layer| layer.forward(&x))
    }
}

/// Layer normalisation with gain and offset.
#[derive(Clone, Debug)]
pub struct Norm {
    gain: Tensor,
    offset: Tensor,
}

impl Norm {
    /// A normalisation of `channels` features, parameters `gain` and `offset`.
    ///
    /// # Errors
    /// A parameter that cannot be had.
    pub fn new(channels: usize, params: &Params<'_>) -> Result<Self> {
        Ok(Self {
            gain: params.get("gain", &[channels], Init::Constant(1.0))?,
            offset: params.get("offset", &[channels], Init::Constant(0.0))?,
        })
    }

    /// Normalises the last dimension.
    ///
    /// # Errors
    /// Another last dimension.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        Ok(kernels::layer_norm(input, &self.gain, &self.offset)?)
    }
}
