//! Where weights come from: safetensors files, or one GGUF file.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{DType, Device, Tensor};

use super::matrix::Matrix;
use super::names::Name;
use crate::{LanguageModelError, Result};

/// Numbers of a tensor at most.
const LARGEST: usize = 1 << 36;

/// The weights of one model, each checked against the shape it must have.
pub(crate) trait Weights {
    /// Whether there is such a part.
    fn has(&self, name: &Name) -> bool;

    /// Rows of a part that is a matrix.
    fn height(&self, name: &Name) -> Option<usize>;

    /// A part `[len]` in f32.
    ///
    /// # Errors
    /// A part that is missing, damaged, or of another shape.
    fn vector(&mut self, name: &Name, len: usize) -> Result<Vec<f32>>;

    /// A part `[rows, cols]`.
    ///
    /// # Errors
    /// As for [`vector`](Self::vector).
    fn matrix(&mut self, name: &Name, rows: usize, cols: usize) -> Result<Matrix>;
}

/// An error about one part of a file.
fn wrong(file: &Path, name: &str, expected: &str, got: &str) -> LanguageModelError {
    LanguageModelError::Weights {
        path: file.to_path_buf(),
        reason: format!("{name}: expected {expected}, got {got}"),
    }
}

fn check_shape(file: &Path, name: &str, expected: &[usize], got: &[usize]) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    Err(wrong(
        file,
        name,
        &format!("shape {expected:?}"),
        &format!("{got:?}"),
    ))
}

/// All tensors of a folder's safetensors files.
pub(crate) struct SafetensorsWeights {
    folder: PathBuf,
    /// In front of the names, where a model that also sees has its language
    /// part.
    before: &'static str,
    tensors: BTreeMap<String, (PathBuf, Tensor)>,
}

impl SafetensorsWeights {
    /// A folder's files of weights, in the order of their names.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .map_err(LanguageModelError::file(folder))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|it| it == "safetensors"))
            .collect();
        files.sort();
        Ok(files)
    }

    /// Reads the files.
    ///
    /// # Errors
    /// A folder without such files, or a file that is damaged.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut tensors = BTreeMap::new();
        for path in Self::files(folder)? {
            let bytes = std::fs::read(&path).map_err(LanguageModelError::file(&path))?;
            let read = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu);
            let own = read.map_err(|error| LanguageModelError::Weights {
                path: path.clone(),
                reason: error.to_string(),
            })?;
            let own: BTreeMap<String, Tensor> = own.into_iter().collect();
            tensors.extend(own.into_iter().map(|(name, it)| (name, (path.clone(), it))));
        }
        if tensors.is_empty() {
            return Err(LanguageModelError::Model {
                path: folder.to_path_buf(),
                reason: "expected weights in `.safetensors` files, found none".to_owned(),
            });
        }
        let befores = ["", "language_model.", "model.language_model."];
        let is_used = |before: &&&str| {
            tensors
                .keys()
                .any(|it| it.starts_with(&own_name(before, "model.embed_tokens.")))
        };
        let before = befores.iter().find(is_used).copied().unwrap_or_default();
        Ok(Self {
            folder: folder.to_path_buf(),
            before,
            tensors,
        })
    }

    /// Takes a part: nobody needs it twice.
    fn take(&mut self, name: &Name, shape: &[usize]) -> Result<Tensor> {
        let name = own_name(self.before, &name.folder);
        let Some((file, tensor)) = self.tensors.remove(&name) else {
            return Err(wrong(
                &self.folder,
                &name,
                "a tensor in one of the files",
                "none",
            ));
        };
        check_shape(&file, &name, shape, tensor.dims())?;
        if !tensor.dtype().is_float() {
            let got = format!("{:?}", tensor.dtype());
            return Err(wrong(&file, &name, "floating-point numbers", &got));
        }
        Ok(tensor.to_dtype(DType::F32)?)
    }
}

/// A part's name below the language part of a model; `model.` stands once.
fn own_name(before: &str, name: &str) -> String {
    match before.strip_prefix("model.") {
        Some(_) => format!("{before}{}", name.strip_prefix("model.").unwrap_or(name)),
        None => format!("{before}{name}"),
    }
}

impl Weights for SafetensorsWeights {
    fn has(&self, name: &Name) -> bool {
        self.tensors
            .contains_key(&own_name(self.before, &name.folder))
    }

    fn height(&self, name: &Name) -> Option<usize> {
        let (_, tensor) = self.tensors.get(&own_name(self.before, &name.folder))?;
        tensor.dims().first().copied()
    }

    fn vector(&mut self, name: &Name, len: usize) -> Result<Vec<f32>> {
        Ok(self.take(name, &[len])?.to_vec1()?)
    }

    fn matrix(&mut self, name: &Name, rows: usize, cols: usize) -> Result<Matrix> {
        Ok(Matrix::Dense(self.take(name, &[rows, cols])?))
    }
}

/// The tensors of a GGUF file, read when they are asked for.
pub(crate) struct GgufWeights<'a, R> {
    file: PathBuf,
    content: &'a gguf_file::Content,
    reader: R,
}

impl<'a, R: Read + Seek> GgufWeights<'a, R> {
    pub(crate) fn new(file: &Path, content: &'a gguf_file::Content, reader: R) -> Self {
        Self {
            file: file.to_path_buf(),
            content,
            reader,
        }
    }

    /// Nothing is read, and no memory asked for, before the shape is right:
    /// a file can declare any size.
    fn tensor(&mut self, name: &Name, shape: &[usize]) -> Result<QTensor> {
        let name = &name.gguf;
        let Some(info) = self.content.tensor_infos.get(name) else {
            return Err(wrong(&self.file, name, "a tensor", "none"));
        };
        check_shape(&self.file, name, shape, info.shape.dims())?;
        let block = info.ggml_dtype.block_size();
        if shape.last().is_some_and(|row| !row.is_multiple_of(block)) {
            let expected = format!(
                "rows of a multiple of {block} numbers for {:?}",
                info.ggml_dtype
            );
            return Err(wrong(&self.file, name, &expected, &format!("{shape:?}")));
        }
        let count = shape
            .iter()
            .try_fold(1_usize, |all, it| all.checked_mul(*it));
        if count.is_none_or(|count| count > LARGEST) {
            let expected = format!("at most {LARGEST} numbers");
            return Err(wrong(&self.file, name, &expected, &format!("{shape:?}")));
        }
        let offset = self.content.tensor_data_offset;
        let read = info.read(&mut self.reader, offset, &Device::Cpu);
        read.map_err(|error| LanguageModelError::Weights {
            path: self.file.clone(),
            reason: format!("{name}: {error}"),
        })
    }
}

impl<R: Read + Seek> Weights for GgufWeights<'_, R> {
    fn has(&self, name: &Name) -> bool {
        self.content.tensor_infos.contains_key(&name.gguf)
    }

    fn height(&self, name: &Name) -> Option<usize> {
        let info = self.content.tensor_infos.get(&name.gguf)?;
        info.shape.dims().first().copied()
    }

    fn vector(&mut self, name: &Name, len: usize) -> Result<Vec<f32>> {
        let tensor = self.tensor(name, &[len])?.dequantize(&Device::Cpu)?;
        Ok(tensor.to_dtype(DType::F32)?.to_vec1()?)
    }

    fn matrix(&mut self, name: &Name, rows: usize, cols: usize) -> Result<Matrix> {
        let tensor = self.tensor(name, &[rows, cols])?;
        let is_dense = matches!(
            tensor.dtype(),
            GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16
        );
        if is_dense {
            let dense = tensor.dequantize(&Device::Cpu)?.to_dtype(DType::F32)?;
            return Ok(Matrix::Dense(dense));
        }
        Ok(Matrix::Packed(Arc::new(tensor)))
    }
}
