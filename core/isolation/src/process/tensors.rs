//! Tensors between this process and a child: where inputs lie, what comes back.

use std::sync::Arc;

use vola_abi::{
    TensorAbi,
    abi_stable::std_types::{ROption, RString, RVec},
};

use crate::{pool::Area, sys::Mapping, wire::Reader};

/// The tensors that a payload tells of, copied out of the child's memory; none
/// when it tells nonsense.
pub(super) fn read_tensors(payload: &[u8], output: &Mapping) -> Option<RVec<TensorAbi>> {
    let heads = Reader::new(payload).tensors().ok()?;
    heads
        .into_iter()
        .map(|head| {
            Some(TensorAbi {
                name: RString::from(head.name),
                dtype: head.dtype,
                shape: RVec::from(head.shape),
                bytes: RVec::from(output.read(head.offset, head.length)?),
                resident: ROption::RNone,
            })
        })
        .collect()
}

/// Where bytes lie in the numbering of these areas, when they do.
pub(super) fn number_of(areas: &[Arc<Area>], bytes: &[u8]) -> Option<usize> {
    areas
        .iter()
        .find_map(|area| Some(area.base() + area.offset_of(bytes)?))
}
