//! Borrowing the numbers of a contiguous CPU tensor as a slice.

use candle_core::{CpuStorage, Error, Layout, Result, Storage};

/// The elements of a contiguous f32 tensor inside a custom operation's forward pass.
///
/// # Errors
/// Another dtype, or a layout that is not contiguous.
pub(crate) fn of_cpu<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => Err(Error::RequiresContiguous {
            op: "vola-nn kernel",
        }
        .bt()),
    }
}

/// The elements of a contiguous f32 tensor whose storage is locked for reading.
///
/// # Errors
/// As [`of_cpu`], or a tensor that does not live on the CPU.
pub(crate) fn of_storage<'a>(storage: &'a Storage, layout: &Layout) -> Result<&'a [f32]> {
    match storage {
        Storage::Cpu(cpu) => of_cpu(cpu, layout),
        Storage::Cuda(_) | Storage::Metal(_) => {
            Err(Error::Msg("vola-nn kernels run on the CPU only".to_string()).bt())
        }
    }
}

/// Binds the elements of a tensor to a slice: `floats!(slice = tensor);`.
macro_rules! floats {
    ($name:ident = $tensor:expr) => {
        let contiguous = $tensor.contiguous()?;
        let (storage, layout) = contiguous.storage_and_layout();
        let $name: &[f32] = $crate::kernels::floats::of_storage(&storage, layout)?;
    };
}
pub(crate) use floats;
