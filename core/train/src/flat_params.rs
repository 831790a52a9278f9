//! All parameters of a chain as one list of numbers.
//!
//! The optimiser, the averaged weights and the saved state are then plain loops over slices, and
//! gradients of two threads are added without a tensor operation.

use std::{collections::BTreeMap, path::Path};

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use vola_nn::Checkpoint;

use crate::Result;
use crate::vocabulary::WordRows;

/// Where each parameter lies in the flat list, in name order.
pub struct FlatParams {
    /// One a parameter, in name order.
    pub entries: Vec<Entry>,
    /// Numbers in all.
    pub len: usize,
}

/// One parameter.
pub struct Entry {
    /// Its name in the weight file.
    pub name: String,
    /// Its variable in the network.
    pub var: Var,
    /// Its first number in the list.
    pub start: usize,
    /// Its numbers.
    pub len: usize,
    /// Matrices decay, vectors do not.
    pub decays: bool,
}

/// Gradients in the flat order; parameters without one are zero and not touched.
pub struct FlatGrad {
    /// The gradient.
    pub values: Vec<f32>,
    /// Which parameters had one.
    pub touched: Vec<bool>,
}

impl FlatParams {
    /// A list of these parameters.
    #[must_use]
    pub fn new(vars: BTreeMap<String, Var>) -> Self {
        let mut start = 0;
        let entries = vars
            .into_iter()
            .map(|(name, var)| {
                let len = var.elem_count();
                let entry = Entry {
                    name,
                    start,
                    len,
                    decays: var.dims().len() > 1,
                    var,
                };
                start += len;
                entry
            })
            .collect();
        Self {
            entries,
            len: start,
        }
    }

    /// A hash of names and shapes: states of other networks do not fit.
    #[must_use]
    pub fn layout(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for entry in &self.entries {
            hasher.update(format!("{}{:?};", entry.name, entry.var.dims()).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Current values.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn values(&self) -> Result<Vec<f32>> {
        let mut all = Vec::with_capacity(self.len);
        for entry in &self.entries {
            all.extend(entry.var.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(all)
    }

    /// Writes one parameter.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn set_entry(entry: &Entry, all: &[f32]) -> Result<()> {
        let values = &all[entry.start..entry.start + entry.len];
        Ok(entry
            .var
            .set(&Tensor::from_slice(values, entry.var.dims(), &Device::Cpu)?)?)
    }

    /// Writes every parameter.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn set(&self, all: &[f32]) -> Result<()> {
        self.entries
            .iter()
            .try_for_each(|entry| Self::set_entry(entry, all))
    }

    /// Takes every parameter from a bundle's weights; word vectors by `words`, if there are any.
    ///
    /// # Errors
    /// A file that cannot be read, or that lacks a parameter or has it in another shape.
    pub(crate) fn load(&self, path: &Path, words: Option<&WordRows>) -> Result<()> {
        let file = Checkpoint::open(path)?;
        self.entries.iter().try_for_each(|entry| {
            let dims = entry.var.dims();
            let tensor = match words.filter(|words| words.parameter == entry.name) {
                Some(words) => {
                    let mut known = dims.to_vec();
                    known[0] = words.known;
                    let rows = Tensor::from_slice(&words.rows, words.rows.len(), &Device::Cpu)?;
                    file.tensor(&entry.name, &known)?.index_select(&rows, 0)?
                }
                None => file.tensor(&entry.name, dims)?,
            };
            Ok(entry.var.set(&tensor)?)
        })
    }

    /// Gradients of nothing: no parameter is touched.
    #[must_use]
    pub fn no_gradients(&self) -> FlatGrad {
        FlatGrad {
            values: vec![0.0; self.len],
            touched: vec![false; self.entries.len()],
        }
    }

    /// Gradients of a backward pass.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn gradients(&self, grads: &GradStore) -> Result<FlatGrad> {
        let mut flat = self.no_gradients();
        for (entry, touched) in self.entries.iter().zip(&mut flat.touched) {
            if let Some(grad) = grads.get(&entry.var) {
                let values = grad.flatten_all()?.to_vec1::<f32>()?;
                flat.values[entry.start..entry.start + entry.len].copy_from_slice(&values);
                *touched = true;
            }
        }
        Ok(flat)
    }
}

impl FlatGrad {
    /// Adds another list.
    pub fn add(&mut self, other: &Self) {
        for (a, b) in self.values.iter_mut().zip(&other.values) {
            *a += b;
        }
        for (a, b) in self.touched.iter_mut().zip(&other.touched) {
            *a |= b;
        }
    }

    /// Divides by `count`, then shortens to the norm `clip`; returns the norm before.
    pub fn average_and_clip(&mut self, count: usize, clip: f64) -> f64 {
        let norm = self
            .values
            .iter()
            .map(|g| f64::from(*g) * f64::from(*g))
            .sum::<f64>()
            .sqrt()
            / count as f64;
        let scale = (clip / norm.max(clip) / count as f64) as f32;
        for value in &mut self.values {
            *value *= scale;
        }
        norm
    }
}
