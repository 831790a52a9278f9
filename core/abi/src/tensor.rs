//! Named tensors as they cross the boundary: borrowed in, owned out.

use abi_stable::{
    StableAbi,
    std_types::{ROption, RSlice, RStr, RString, RVec},
};
use vola_types::DType;

use crate::resident::ResidentAbi;

/// A tensor lent to a plugin for one call.
///
/// # Shapes
/// Row-major with a leading batch dimension; `bytes` is little endian and
/// holds `product(shape) × element size`; empty when resident.
#[repr(C)]
#[derive(StableAbi, Clone)]
pub struct TensorRefAbi<'a> {
    /// Name in the stage graph.
    pub name: RStr<'a>,
    /// Element type, as [`dtype_code`](TensorAbi::dtype_code).
    pub dtype: u8,
    /// Size of each dimension.
    pub shape: RSlice<'a, u64>,
    /// The elements.
    pub bytes: RSlice<'a, u8>,
    /// The handle of a resident tensor.
    pub resident: ROption<&'a ResidentAbi>,
}

/// A tensor given by a plugin; the receiver frees it.
#[repr(C)]
#[derive(StableAbi)]
pub struct TensorAbi {
    /// Name in the stage graph.
    pub name: RString,
    /// Element type, as [`dtype_code`](Self::dtype_code).
    pub dtype: u8,
    /// Size of each dimension.
    pub shape: RVec<u64>,
    /// The elements.
    pub bytes: RVec<u8>,
    /// The handle of a resident tensor.
    pub resident: ROption<ResidentAbi>,
}

const CODES: [(u8, DType); 6] = [
    (0, DType::U8),
    (1, DType::U32),
    (2, DType::I64),
    (3, DType::F32),
    (4, DType::F64),
    (5, DType::Resident),
];

impl TensorAbi {
    /// The byte that stands for an element type.
    #[must_use]
    pub fn dtype_code(dtype: DType) -> u8 {
        CODES
            .iter()
            .find(|(_, known)| *known == dtype)
            .map_or(u8::MAX, |(code, _)| *code)
    }

    /// The element type a byte stands for; none for an unknown byte.
    #[must_use]
    pub fn dtype_from_code(code: u8) -> Option<DType> {
        CODES
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, dtype)| *dtype)
    }

    /// Lends this tensor.
    #[must_use]
    pub fn lend(&self) -> TensorRefAbi<'_> {
        TensorRefAbi {
            name: self.name.as_rstr(),
            dtype: self.dtype,
            shape: self.shape.as_rslice(),
            bytes: self.bytes.as_rslice(),
            resident: self.resident.as_ref(),
        }
    }
}

/// Name, type, shape and byte count; never the elements.
impl std::fmt::Debug for TensorAbi {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TensorAbi")
            .field("name", &self.name)
            .field("dtype", &Self::dtype_from_code(self.dtype))
            .field("shape", &self.shape)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Bytes that a tensor of this shape and type must have; none on overflow.
#[must_use]
pub fn byte_length(shape: &[u64], dtype: DType) -> Option<usize> {
    let count = shape
        .iter()
        .try_fold(1_u64, |product, size| product.checked_mul(*size))?;
    usize::try_from(count).ok()?.checked_mul(dtype.size())
}

impl<'a> TensorRefAbi<'a> {
    /// Checks element type and length of the bytes against the shape.
    ///
    /// # Errors
    /// With what was expected and what came, naming the tensor.
    pub fn check(&self) -> Result<DType, String> {
        let name = self.name.as_str();
        let Some(dtype) = TensorAbi::dtype_from_code(self.dtype) else {
            return Err(format!(
                "tensor `{name}`: unknown element type code {}",
                self.dtype
            ));
        };
        if dtype == DType::Resident {
            return if self.resident.is_some() {
                Ok(dtype)
            } else {
                Err(format!(
                    "tensor `{name}`: expected a resident handle, got none"
                ))
            };
        }
        match byte_length(self.shape.as_slice(), dtype) {
            Some(length) if length == self.bytes.len() => Ok(dtype),
            Some(length) => Err(format!(
                "tensor `{name}`: shape {:?} of {dtype} needs {length} bytes, got {}",
                self.shape.as_slice(),
                self.bytes.len()
            )),
            None => Err(format!(
                "tensor `{name}`: shape {:?} is too large",
                self.shape.as_slice()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dtype: u8, shape: &[u64], bytes: usize) -> TensorAbi {
        TensorAbi {
            name: RString::from("x"),
            dtype,
            shape: shape.to_vec().into(),
            bytes: vec![0; bytes].into(),
            resident: ROption::RNone,
        }
    }

    #[test]
    fn codes_and_types_are_one_to_one() {
        for dtype in [
            DType::U8,
            DType::U32,
            DType::I64,
            DType::F32,
            DType::F64,
            DType::Resident,
        ] {
            assert_eq!(
                TensorAbi::dtype_from_code(TensorAbi::dtype_code(dtype)),
                Some(dtype)
            );
        }
        assert_eq!(TensorAbi::dtype_from_code(6), None);
    }

    #[test]
    fn a_tensor_fits_its_shape_or_is_named() {
        const F32: u8 = 3;
        let check = |dtype, shape: &[u64], bytes, expected: Result<DType, &str>| {
            let got = tensor(dtype, shape, bytes).lend().check();
            match (&got, expected) {
                (Ok(dtype), Ok(wanted)) => assert_eq!(*dtype, wanted),
                (Err(text), Err(wanted)) => assert!(text.contains(wanted), "{text}"),
                _ => panic!("{shape:?}, {bytes} bytes: {got:?}"),
            }
        };
        check(F32, &[2, 3], 24, Ok(DType::F32));
        check(F32, &[], 4, Ok(DType::F32));
        check(F32, &[0, 3], 0, Ok(DType::F32));
        check(
            F32,
            &[2, 3],
            23,
            Err("tensor `x`: shape [2, 3] of f32 needs 24 bytes, got 23"),
        );
        check(F32, &[u64::MAX, 2], 0, Err("is too large"));
        check(F32, &[1 << 62], 0, Err("is too large"));
        check(F32, &[1 << 32, 1 << 32, 0], 0, Err("is too large"));
        check(5, &[1], 0, Err("expected a resident handle, got none"));
        check(9, &[1], 4, Err("unknown element type code 9"));
    }
}
