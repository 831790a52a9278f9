//! Tensors as authors see them: lent views in, owned tensors out.

use std::borrow::Cow;

use vola_abi::{
    ResidentAbi, TensorAbi, TensorRefAbi,
    abi_stable::std_types::{RArc, ROption, RSlice, RString, RVec},
};
use vola_types::DType;

use crate::{Fault, guard::Guarded};

/// Most rows of a tensor of empty texts; a shape alone must not cost memory.
const MAX_EMPTY_TEXTS: u64 = 4096;

/// The tensors of one call, by their graph names.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    tensors: RSlice<'a, TensorRefAbi<'a>>,
}

impl<'a> Inputs<'a> {
    /// Lends tensors as the inputs of a call: for tests of a plugin type.
    pub fn lend<R>(tensors: &[Tensor], body: impl FnOnce(&Inputs<'_>) -> R) -> R {
        let lent: Vec<TensorRefAbi<'_>> =
            tensors.iter().map(|tensor| tensor.tensor.lend()).collect();
        body(&Inputs {
            tensors: RSlice::from_slice(&lent),
        })
    }

    /// Checks every tensor's type and length.
    pub(crate) fn receive(tensors: RSlice<'a, TensorRefAbi<'a>>) -> Result<Self, Fault> {
        for tensor in tensors.iter() {
            tensor.check().map_err(Fault::input)?;
        }
        Ok(Self { tensors })
    }

    /// The tensor with this graph name.
    ///
    /// # Errors
    /// When it is not among the inputs; the message lists those that are.
    pub fn get(&self, name: &str) -> Result<TensorView<'a>, Fault> {
        self.find(name).ok_or_else(|| {
            let names: Vec<&str> = self
                .tensors
                .iter()
                .map(|tensor| tensor.name.as_str())
                .collect();
            Fault::input(format!(
                "no input `{name}`; the call has {}",
                names.join(", ")
            ))
        })
    }

    /// The tensor with this graph name, where there is one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<TensorView<'a>> {
        self.iter().find(|tensor| tensor.name() == name)
    }

    /// All tensors, in the bundle's order.
    pub fn iter(&self) -> impl Iterator<Item = TensorView<'a>> + use<'a> {
        let tensors: &'a [TensorRefAbi<'a>] = self.tensors.as_slice();
        tensors.iter().map(|tensor| TensorView { tensor })
    }
}

/// One tensor lent for a call. Nothing is copied to make it.
#[derive(Clone, Copy)]
pub struct TensorView<'a> {
    tensor: &'a TensorRefAbi<'a>,
}

impl<'a> TensorView<'a> {
    /// Its name in the stage graph.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.tensor.name.as_str()
    }

    /// Size of each dimension; the batch comes first.
    #[must_use]
    pub fn shape(&self) -> &'a [u64] {
        self.tensor.shape.as_slice()
    }

    /// Element type.
    ///
    /// # Errors
    /// Never after the check at the call's start; kept so that no code panics.
    pub fn dtype(&self) -> Result<DType, Fault> {
        TensorAbi::dtype_from_code(self.tensor.dtype)
            .ok_or_else(|| Fault::input(format!("tensor `{}`: unknown type", self.name())))
    }

    /// The bytes, little endian, row-major.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.tensor.bytes.as_slice()
    }

    /// The elements as f32; borrowed where the memory is aligned.
    ///
    /// # Errors
    /// When the element type is another.
    pub fn f32s(&self) -> Result<Cow<'a, [f32]>, Fault> {
        self.elements(DType::F32)
    }

    /// The elements as u32; borrowed where the memory is aligned.
    ///
    /// # Errors
    /// When the element type is another.
    pub fn u32s(&self) -> Result<Cow<'a, [u32]>, Fault> {
        self.elements(DType::U32)
    }

    /// The elements as f64; borrowed where the memory is aligned.
    ///
    /// # Errors
    /// When the element type is another.
    pub fn f64s(&self) -> Result<Cow<'a, [f64]>, Fault> {
        self.elements(DType::F64)
    }

    /// The elements as i64; borrowed where the memory is aligned.
    ///
    /// # Errors
    /// When the element type is another.
    pub fn i64s(&self) -> Result<Cow<'a, [i64]>, Fault> {
        self.elements(DType::I64)
    }

    /// One UTF-8 text a batch row, without the zero padding.
    ///
    /// # Errors
    /// When the tensor is not u8 `[batch, length]` or a row is no UTF-8.
    pub fn texts(&self) -> Result<Vec<&'a str>, Fault> {
        let length = match (self.dtype()?, self.shape()) {
            (DType::U8, [_, length]) => usize::try_from(*length).unwrap_or(0),
            (dtype, shape) => {
                return Err(Fault::input(format!(
                    "tensor `{}`: expected u8 [batch, length], got {dtype} {shape:?}",
                    self.name()
                )));
            }
        };
        if length == 0 {
            let rows = self.shape().first().copied().unwrap_or(0);
            return match usize::try_from(rows) {
                Ok(count) if rows <= MAX_EMPTY_TEXTS => Ok(vec![""; count]),
                _ => Err(Fault::input(format!(
                    "tensor `{}`: expected at most {MAX_EMPTY_TEXTS} empty texts, got {rows}",
                    self.name()
                ))),
            };
        }
        self.bytes()
            .chunks(length)
            .map(|row| {
                let end = row.iter().position(|byte| *byte == 0).unwrap_or(row.len());
                std::str::from_utf8(row.get(..end).unwrap_or(row)).map_err(|error| {
                    Fault::input(format!("tensor `{}`: not UTF-8: {error}", self.name()))
                })
            })
            .collect()
    }

    /// What this library put behind a resident tensor.
    ///
    /// # Errors
    /// When the tensor is not resident or another library made it.
    pub fn resident<T: 'static>(&self) -> Result<&'a T, Fault> {
        let wrong = || {
            Fault::input(format!(
                "tensor `{}`: expected a resident tensor of this library",
                self.name()
            ))
        };
        match &self.tensor.resident {
            ROption::RSome(handle) => {
                let handle: &'a ResidentAbi = handle;
                let held = handle
                    .downcast_as::<Guarded<T>>()
                    .map_err(|_foreign| wrong())?;
                held.get().ok_or_else(wrong)
            }
            ROption::RNone => Err(wrong()),
        }
    }

    fn elements<T: bytemuck::Pod>(&self, wanted: DType) -> Result<Cow<'a, [T]>, Fault> {
        let dtype = self.dtype()?;
        if dtype != wanted {
            return Err(Fault::input(format!(
                "tensor `{}`: expected {wanted}, got {dtype}",
                self.name()
            )));
        }
        match bytemuck::try_cast_slice(self.bytes()) {
            Ok(elements) => Ok(Cow::Borrowed(elements)),
            Err(_unaligned) => Ok(Cow::Owned(bytemuck::pod_collect_to_vec(self.bytes()))),
        }
    }
}

/// An owned tensor to return.
pub struct Tensor {
    tensor: TensorAbi,
}

impl Tensor {
    /// A tensor of f32.
    ///
    /// # Errors
    /// When the shape does not hold as many elements.
    pub fn f32(name: impl Into<String>, shape: &[usize], elements: &[f32]) -> Result<Self, Fault> {
        Self::plain(
            name.into(),
            DType::F32,
            shape,
            bytemuck::cast_slice(elements),
        )
    }

    /// A tensor of i64.
    ///
    /// # Errors
    /// When the shape does not hold as many elements.
    pub fn i64(name: impl Into<String>, shape: &[usize], elements: &[i64]) -> Result<Self, Fault> {
        Self::plain(
            name.into(),
            DType::I64,
            shape,
            bytemuck::cast_slice(elements),
        )
    }

    /// A tensor of bytes.
    ///
    /// # Errors
    /// When the shape does not hold as many elements.
    pub fn u8(name: impl Into<String>, shape: &[usize], elements: &[u8]) -> Result<Self, Fault> {
        Self::plain(name.into(), DType::U8, shape, elements)
    }

    /// A tensor of u32.
    ///
    /// # Errors
    /// When the shape does not hold as many elements.
    pub fn u32(name: impl Into<String>, shape: &[usize], elements: &[u32]) -> Result<Self, Fault> {
        Self::plain(
            name.into(),
            DType::U32,
            shape,
            bytemuck::cast_slice(elements),
        )
    }

    /// A tensor of f64.
    ///
    /// # Errors
    /// When the shape does not hold as many elements.
    pub fn f64(name: impl Into<String>, shape: &[usize], elements: &[f64]) -> Result<Self, Fault> {
        Self::plain(
            name.into(),
            DType::F64,
            shape,
            bytemuck::cast_slice(elements),
        )
    }

    /// Its name in the stage graph.
    #[must_use]
    pub fn name(&self) -> &str {
        self.tensor.name.as_str()
    }

    /// Reads it as a stage would: for tests of a plugin type.
    ///
    /// ```
    /// use vola_plugin::Tensor;
    /// let tensor = Tensor::f32("x", &[1, 2], &[1.0, 2.0])?;
    /// let sum = tensor.view(|view| view.f32s().map(|values| values.iter().sum::<f32>()))?;
    /// assert_eq!(sum, 3.0);
    /// # Ok::<(), vola_plugin::Fault>(())
    /// ```
    pub fn view<R>(&self, read: impl FnOnce(TensorView<'_>) -> R) -> R {
        read(TensorView {
            tensor: &self.tensor.lend(),
        })
    }

    /// A tensor that stays in this library: only this library can read `value`.
    pub fn resident<T: Send + Sync + 'static>(
        name: impl Into<String>,
        shape: &[usize],
        value: T,
    ) -> Self {
        Self {
            tensor: TensorAbi {
                name: RString::from(name.into()),
                dtype: TensorAbi::dtype_code(DType::Resident),
                shape: shape.iter().map(|size| *size as u64).collect(),
                bytes: RVec::new(),
                // The last owner may be the host: a panicking `Drop` of the
                // author's type must not reach it.
                resident: ROption::RSome(ResidentAbi::from_ptr(RArc::new(Guarded::new(value)))),
            },
        }
    }

    pub(crate) fn into_abi(self) -> TensorAbi {
        self.tensor
    }

    fn plain(name: String, dtype: DType, shape: &[usize], bytes: &[u8]) -> Result<Self, Fault> {
        let shape: RVec<u64> = shape.iter().map(|size| *size as u64).collect();
        let tensor = TensorAbi {
            name: RString::from(name),
            dtype: TensorAbi::dtype_code(dtype),
            shape,
            bytes: RVec::from(bytes),
            resident: ROption::RNone,
        };
        tensor.lend().check().map_err(Fault::failed)?;
        Ok(Self { tensor })
    }
}
