//! Gathering the patches of a convolution into rows of a matrix, and its transpose.

/// How the input image of a convolution lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputLayout {
    /// `[batch, height, width, channels]`: the layout between layers.
    Nhwc,
    /// `[batch, channels, height, width]`: the layout of observations.
    Nchw,
}

/// Sizes of one convolution, for one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) layout: InputLayout,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) out_height: usize,
    pub(crate) out_width: usize,
}

impl Geometry {
    /// Numbers in one patch: `kernel * kernel * channels`.
    pub(crate) fn patch(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// Numbers in one input image.
    pub(crate) fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Input row read by kernel row `ky` of output row `oy`, or none in the padding.
    fn input_row(&self, oy: usize, ky: usize) -> Option<usize> {
        (oy * self.stride + ky)
            .checked_sub(self.padding)
            .filter(|y| *y < self.height)
    }

    /// Kernel columns `[first, last)` of output column `ox` that fall inside the image, and the
    /// input column under `first`.
    fn input_columns(&self, ox: usize) -> (usize, usize, usize) {
        let left = ox * self.stride;
        let first = self.padding.saturating_sub(left).min(self.kernel);
        let last = (self.width + self.padding)
            .saturating_sub(left)
            .min(self.kernel)
            .max(first);
        (first, last, (left + first).saturating_sub(self.padding))
    }
}

/// Writes the patches of output rows `[from, to)` as rows `[(to - from) * out_width, patch]`, in
/// the order kernel row, kernel column, channel. Padding reads as zero.
pub(crate) fn im2col(
    geometry: &Geometry,
    image: &[f32],
    rows: (usize, usize),
    patches: &mut [f32],
) {
    let (kernel, channels) = (geometry.kernel, geometry.channels);
    let mut targets = patches.chunks_exact_mut(geometry.patch());
    for oy in rows.0..rows.1 {
        for (ox, target) in (0..geometry.out_width).zip(&mut targets) {
            let (first, last, x0) = geometry.input_columns(ox);
            for (ky, line) in target.chunks_exact_mut(kernel * channels).enumerate() {
                let Some(y) = geometry.input_row(oy, ky) else {
                    line.fill(0.0);
                    continue;
                };
                line[..first * channels].fill(0.0);
                line[last * channels..].fill(0.0);
                let inside = &mut line[first * channels..last * channels];
                match geometry.layout {
                    InputLayout::Nhwc => {
                        let start = (y * geometry.width + x0) * channels;
                        inside.copy_from_slice(&image[start..start + inside.len()]);
                    }
                    InputLayout::Nchw => {
                        for channel in 0..channels {
                            let start = (channel * geometry.height + y) * geometry.width + x0;
                            let source = &image[start..start + last - first];
                            for (to, from) in
                                inside[channel..].iter_mut().step_by(channels).zip(source)
                            {
                                *to = *from;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds patches of output rows `[from, to)` back onto the image: the transpose of [`im2col`].
pub(crate) fn col2im(
    geometry: &Geometry,
    patches: &[f32],
    rows: (usize, usize),
    image: &mut [f32],
) {
    let (kernel, channels) = (geometry.kernel, geometry.channels);
    let mut sources = patches.chunks_exact(geometry.patch());
    for oy in rows.0..rows.1 {
        for (ox, source) in (0..geometry.out_width).zip(&mut sources) {
            let (first, last, x0) = geometry.input_columns(ox);
            for (ky, line) in source.chunks_exact(kernel * channels).enumerate() {
                let Some(y) = geometry.input_row(oy, ky) else {
                    continue;
                };
                let inside = &line[first * channels..last * channels];
                match geometry.layout {
                    InputLayout::Nhwc => {
                        let start = (y * geometry.width + x0) * channels;
                        for (to, from) in image[start..start + inside.len()].iter_mut().zip(inside)
                        {
                            *to += from;
                        }
                    }
                    InputLayout::Nchw => {
                        for channel in 0..channels {
                            let start = (channel * geometry.height + y) * geometry.width + x0;
                            let target = &mut image[start..start + last - first];
                            for (to, from) in target
                                .iter_mut()
                                .zip(inside[channel..].iter().step_by(channels))
                            {
                                *to += from;
                            }
                        }
                    }
                }
            }
        }
    }
}
