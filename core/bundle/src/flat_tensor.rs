//! A tensor as bytes: what crosses from preprocessing to the stages.

use vola_types::DType;

/// Memory of somebody else's that a tensor's elements are written to, for
/// example shared memory that another process reads in place.
pub trait TensorRoom: std::fmt::Debug + Send {
    /// All of it.
    fn bytes(&self) -> &[u8];
    /// All of it, to write to.
    fn bytes_mut(&mut self) -> &mut [u8];
}

/// Where elements lie.
#[derive(Debug)]
enum Elements {
    Own(Vec<u8>),
    Lent {
        room: Box<dyn TensorRoom>,
        length: usize,
    },
}

/// A named tensor in row-major order, little endian.
///
/// A copy of it has its elements in memory of its own.
#[derive(Debug)]
pub struct FlatTensor {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    elements: Elements,
}

impl Clone for FlatTensor {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            dtype: self.dtype,
            shape: self.shape.clone(),
            elements: Elements::Own(self.bytes().to_vec()),
        }
    }
}

impl PartialEq for FlatTensor {
    fn eq(&self, other: &Self) -> bool {
        let of = |tensor: &Self| (tensor.name.clone(), tensor.dtype, tensor.shape.clone());
        of(self) == of(other) && self.bytes() == other.bytes()
    }
}

impl Eq for FlatTensor {}

impl FlatTensor {
    /// An empty tensor with a name; its buffers grow at first use and are kept.
    #[must_use]
    pub fn new(name: impl Into<String>, dtype: DType) -> Self {
        Self {
            name: name.into(),
            dtype,
            shape: vec![0],
            elements: Elements::Own(Vec::new()),
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

    /// A tensor of bytes; the shape holds `bytes.len()` elements.
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, shape: &[usize], bytes: &[u8]) -> Self {
        let mut tensor = Self::new(name, DType::U8);
        tensor.set_bytes(shape, bytes);
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
        match &self.elements {
            Elements::Own(bytes) => bytes,
            Elements::Lent { room, length } => room.bytes().get(..*length).unwrap_or_default(),
        }
    }

    /// Whether the elements lie in memory of somebody else's.
    #[must_use]
    pub fn is_lent(&self) -> bool {
        matches!(self.elements, Elements::Lent { .. })
    }

    /// Keeps the elements in this memory from now on, as long as they fit; they
    /// are moved there. Memory that is too small is given back at once.
    pub fn keep_in(&mut self, mut room: Box<dyn TensorRoom>) {
        let bytes = self.bytes();
        let length = bytes.len();
        if let Some(place) = room.bytes_mut().get_mut(..length) {
            place.copy_from_slice(bytes);
            self.elements = Elements::Lent { room, length };
        }
    }

    /// Elements as 32-bit floats, for tests and reports; empty for other types.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        if self.dtype == DType::F32 {
            f32_values(self.bytes()).collect()
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
        if let Some(place) = self.lent_place(bytes.len()) {
            place.copy_from_slice(bytes);
        } else {
            self.own().extend_from_slice(bytes);
        }
    }

    /// Sets the shape and forgets the values, keeping the buffers.
    pub(crate) fn begin(&mut self, shape: &[usize]) {
        self.shape.clear();
        self.shape.extend_from_slice(shape);
        match &mut self.elements {
            Elements::Own(bytes) => bytes.clear(),
            Elements::Lent { length, .. } => *length = 0,
        }
    }

    /// Adds values after those already there.
    pub(crate) fn append_f32(&mut self, values: &[f32]) {
        let count = values.len() * 4;
        if let Some(place) = self.lent_place(count) {
            for (slot, value) in place.chunks_exact_mut(4).zip(values) {
                slot.copy_from_slice(&value.to_le_bytes());
            }
        } else {
            let own = self.own();
            own.reserve(count);
            own.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }

    /// Room for so many bytes more in lent memory; they count as written.
    fn lent_place(&mut self, count: usize) -> Option<&mut [u8]> {
        let Elements::Lent { room, length } = &mut self.elements else {
            return None;
        };
        let begin = *length;
        let end = begin.checked_add(count)?;
        let place = room.bytes_mut().get_mut(begin..end)?;
        *length = end;
        Some(place)
    }

    /// Memory of its own; what lay elsewhere is moved there.
    fn own(&mut self) -> &mut Vec<u8> {
        if self.is_lent() {
            self.elements = Elements::Own(self.bytes().to_vec());
        }
        match &mut self.elements {
            Elements::Own(own) => own,
            Elements::Lent { .. } => unreachable!("moved just before"),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Heap(Vec<u8>);

    impl TensorRoom for Heap {
        fn bytes(&self) -> &[u8] {
            &self.0
        }

        fn bytes_mut(&mut self) -> &mut [u8] {
            &mut self.0
        }
    }

    #[test]
    fn elements_stay_in_lent_memory_as_long_as_they_fit() {
        let mut tensor = FlatTensor::from_f32("x", &[1, 2], &[1.0, 2.0]);
        let own = tensor.clone();
        tensor.keep_in(Box::new(Heap(vec![0; 7])));
        assert!(!tensor.is_lent(), "7 bytes are too few for 8");
        tensor.keep_in(Box::new(Heap(vec![9; 8])));
        assert!(tensor.is_lent());
        assert_eq!(tensor, own);
        let place = tensor.bytes().as_ptr();
        tensor.set_f32(&[1, 2], &[3.0, 4.0]);
        assert_eq!(tensor.to_f32(), [3.0, 4.0]);
        assert_eq!(tensor.bytes().as_ptr(), place);
        tensor.set_f32(&[1, 1], &[5.0]);
        assert_eq!((tensor.to_f32(), tensor.is_lent()), (vec![5.0], true));
        // A copy is nobody's but its own.
        assert!(!tensor.clone().is_lent());
        tensor.append_f32(&[6.0, 7.0]);
        assert_eq!(
            (tensor.to_f32(), tensor.is_lent()),
            (vec![5.0, 6.0, 7.0], false)
        );
    }
}
