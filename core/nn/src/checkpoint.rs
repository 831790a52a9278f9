//! Weight files: safetensors, f32, checked completely before a network sees them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use safetensors::{Dtype, tensor::TensorView};
use vola_bundle::read_safetensors;

use crate::error::CheckpointFault;
use crate::{NnError, Result};

const RETRAIN: &str =
    "the file does not belong to this bundle; copy the bundle again or train it anew";
const DAMAGED: &str = "the file is damaged or incomplete; copy it again";

/// The checked tensors of one weight file, in memory.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
}

impl Checkpoint {
    /// Reads a whole weight file.
    ///
    /// # Errors
    /// The file cannot be read, is truncated, holds another dtype than F32, or a number that is
    /// not finite.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_under(path, "")
    }

    /// Reads the tensors whose name starts with `prefix`; others are neither kept nor checked.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn open_under(path: &Path, prefix: &str) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| NnError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(path, &bytes, prefix)
    }

    /// Reads the tensors of a weight file's bytes whose name starts with `prefix`; `path` names
    /// the bytes in messages.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn parse(path: &Path, bytes: &[u8], prefix: &str) -> Result<Self> {
        let fail = |fault| NnError::Checkpoint {
            path: path.to_path_buf(),
            fault,
            help: DAMAGED,
        };
        let file = read_safetensors(bytes).map_err(|e| fail(CheckpointFault::Unreadable(e)))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter().filter(|(name, _)| name.starts_with(prefix)) {
            let values = floats(name, &view).map_err(fail)?;
            tensors.insert(
                name.to_string(),
                Tensor::from_vec(values, view.shape(), &Device::Cpu)?,
            );
        }
        Ok(Self {
            path: path.to_path_buf(),
            tensors,
        })
    }

    /// Tensors that are in memory already; `path` names them in messages.
    #[must_use]
    pub fn of(path: &Path, tensors: BTreeMap<String, Tensor>) -> Self {
        Self {
            path: path.to_path_buf(),
            tensors,
        }
    }

    /// All tensors as the bytes of a weight file.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serialised(&self.path, &self.tensors, BTreeMap::new())
    }

    /// The file the tensors came from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names and tensors, in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The tensor `name`, which must have shape `dims`.
    ///
    /// # Errors
    /// No such tensor, or another shape.
    pub fn tensor(&self, name: &str, dims: &[usize]) -> Result<Tensor> {
        let fault = match self.tensors.get(name) {
            Some(tensor) if tensor.dims() == dims => return Ok(tensor.clone()),
            Some(tensor) => CheckpointFault::Shape {
                name: name.to_string(),
                expected: dims.to_vec(),
                got: tensor.dims().to_vec(),
            },
            None => CheckpointFault::Missing(name.to_string()),
        };
        Err(NnError::Checkpoint {
            path: self.path.clone(),
            fault,
            help: RETRAIN,
        })
    }

    /// Checks that every tensor under `prefix` is among `taken`.
    ///
    /// # Errors
    /// The names that are not.
    pub fn check_all_read(&self, prefix: &str, taken: &[String]) -> Result<()> {
        let extra: Vec<String> = self
            .tensors
            .keys()
            .filter(|name| name.starts_with(prefix) && !taken.contains(name))
            .cloned()
            .collect();
        if extra.is_empty() {
            return Ok(());
        }
        Err(NnError::Checkpoint {
            path: self.path.clone(),
            fault: CheckpointFault::Extra(extra),
            help: RETRAIN,
        })
    }
}

/// The finite f32 numbers of a tensor.
fn floats(name: &str, view: &TensorView<'_>) -> std::result::Result<Vec<f32>, CheckpointFault> {
    if view.dtype() != Dtype::F32 {
        return Err(CheckpointFault::Dtype {
            name: name.to_string(),
            got: format!("{:?}", view.dtype()),
        });
    }
    let values: Vec<f32> = view
        .data()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(CheckpointFault::NotFinite {
            name: name.to_string(),
            index,
            value: values[index],
        }),
        None => Ok(values),
    }
}

/// Writes f32 tensors to a safetensors file, by way of a temporary file beside it, so that a
/// reader never sees half a file.
///
/// # Errors
/// A tensor of another dtype, or a failing write.
pub fn save_tensors(
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    metadata: BTreeMap<String, String>,
) -> Result<()> {
    let bytes = serialised(path, tensors, metadata)?;
    let io = |source| NnError::Io {
        path: path.to_path_buf(),
        source,
    };
    let temporary = path.with_extension("partial");
    std::fs::write(&temporary, bytes).map_err(io)?;
    std::fs::rename(&temporary, path).map_err(io)
}

/// f32 tensors as the bytes of a safetensors file; `path` names them in messages.
fn serialised(
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    metadata: BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    let mut flat = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let bytes: Vec<u8> = tensor
            .flatten_all()?
            .to_vec1::<f32>()?
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        flat.push((name, tensor.dims().to_vec(), bytes));
    }
    let fail = |e| NnError::Checkpoint {
        path: path.to_path_buf(),
        fault: CheckpointFault::Unreadable(e),
        help: DAMAGED,
    };
    let views = flat
        .iter()
        .map(|(name, dims, bytes)| Ok((*name, TensorView::new(Dtype::F32, dims.clone(), bytes)?)))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(fail)?;
    let metadata = (!metadata.is_empty()).then(|| metadata.into_iter().collect());
    safetensors::serialize(views, metadata).map_err(|error| fail(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, ParamStore};

    fn file(dir: &Path, tensors: &[(&str, Tensor)]) -> PathBuf {
        let path = dir.join("weights.safetensors");
        let map = tensors
            .iter()
            .map(|(n, t)| ((*n).to_string(), t.clone()))
            .collect();
        save_tensors(&path, &map, BTreeMap::new()).unwrap();
        path
    }

    fn ones(dims: &[usize]) -> Tensor {
        Tensor::ones(dims, candle_core::DType::F32, &Device::Cpu).unwrap()
    }

    /// Loads one `[2, 3]` parameter `a.w` and returns the error text.
    fn load(path: &Path) -> std::result::Result<(), String> {
        let run = || -> Result<()> {
            let store = ParamStore::frozen(Checkpoint::open(path)?);
            store.under("a.").get("w", &[2, 3], Init::Constant(0.0))?;
            store.finish("a.")
        };
        run().map_err(|e| e.to_string())
    }

    #[test]
    fn good_and_bad_files() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            load(&file(
                dir.path(),
                &[("a.w", ones(&[2, 3])), ("b.w", ones(&[1]))]
            )),
            Ok(())
        );
        let check = |tensors: &[(&str, Tensor)], word: &str| {
            let message = load(&file(dir.path(), tensors)).unwrap_err();
            assert!(
                message.contains(word) && message.contains("weights.safetensors"),
                "{message}"
            );
        };
        check(&[("a.v", ones(&[2, 3]))], "`a.w` is missing");
        check(
            &[("a.w", ones(&[3, 2]))],
            "expected shape [2, 3], got [3, 2]",
        );
        check(&[("a.w", ones(&[2, 3])), ("a.x", ones(&[1]))], "[\"a.x\"]");
        let nan = Tensor::from_vec(
            vec![0.0_f32, 1.0, 2.0, f32::NAN, 0.0, 0.0],
            (2, 3),
            &Device::Cpu,
        )
        .unwrap();
        check(&[("a.w", nan)], "element 3 is NaN");
        let path = file(dir.path(), &[("a.w", ones(&[2, 3]))]);
        let bytes = std::fs::read(&path).unwrap();
        for keep in [0, 5, 20, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..keep]).unwrap();
            assert!(
                load(&path)
                    .unwrap_err()
                    .contains("not a readable safetensors"),
                "{keep}"
            );
        }
        assert!(load(&dir.path().join("none")).unwrap_err().contains("none"));
    }
}
