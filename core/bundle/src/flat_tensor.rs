//! A tensor as bytes: what crosses from preprocessing to the stages.

use vola_types::DType;

/// A named tensor in row-major order, little endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatTensor {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl FlatTensor {
    /// An empty tensor with a name; its buffers grow at first use and are kept.
    #[must_use]
    pub fn new(name: impl Into<String>, dtype: DType) -> Self {
        Self {
            name: name.into(),
            dtype,
            shape: vec![0],
            bytes: Vec::new(),
        }
    }

    /// A tensor of 32-bit floats.
    ///
    /// The caller sees to it that the shape holds `values.len()` elements;
    /// whoever reads the tensor checks it again.
    #[must_use]
    pub fn from_f32(name: impl Into<String>, shape: &[usize], values: &[f32]) -> Self {
        let mut tensor = Self::new(name, DType::F32);
        tensor.set_f32(shape, values);
        tensor
    }

    /// Name, as in `observation.state`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Shape with the leading batch dimension.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Elements, row-major, little endian.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Elements as 32-bit floats, for tests and reports; empty for other types.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        if self.dtype == DType::F32 {
            f32_values(&self.bytes).collect()
        } else {
            Vec::new()
        }
    }

    /// Replaces shape and values, keeping the buffers.
    pub(crate) fn set_f32(&mut self, shape: &[usize], values: &[f32]) {
        self.begin(shape);
        self.append_f32(values);
    }

    /// Replaces shape and values of a byte tensor, keeping the buffers.
    pub(crate) fn set_bytes(&mut self, shape: &[usize], bytes: &[u8]) {
        self.begin(shape);
        self.bytes.extend_from_slice(bytes);
    }

    /// Sets the shape and forgets the values, keeping the buffers.
    pub(crate) fn begin(&mut self, shape: &[usize]) {
        self.shape.clear();
        self.shape.extend_from_slice(shape);
        self.bytes.clear();
    }

    /// Adds values after those already there.
    pub(crate) fn append_f32(&mut self, values: &[f32]) {
        self.bytes.reserve(values.len() * 4);
        self.bytes
            .extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
}

/// The 32-bit floats in a little-endian buffer.
pub(crate) fn f32_values(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.chunks_exact(4).map(|chunk| {
        let mut word = [0; 4];
        word.copy_from_slice(chunk);
        f32::from_le_bytes(word)
    })
}
