//! Named tensors as they cross the boundary: borrowed in, owned out.

use abi_stable::{
    StableAbi,
    std_types::{ROption, RSlice, RStr, RString, RVec},
};

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
    /// Element type: 0 u8, 1 u32, 2 i64, 3 f32, 4 f64, 5 resident.
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
    /// Element type: as in `TensorRefAbi`.
    pub dtype: u8,
    /// Size of each dimension.
    pub shape: RVec<u64>,
    /// The elements.
    pub bytes: RVec<u8>,
    /// The handle of a resident tensor.
    pub resident: ROption<ResidentAbi>,
    /// Where the bytes lie: a field that the first interface did not have.
    #[cfg(feature = "changed_layout")]
    pub device: u32,
}
