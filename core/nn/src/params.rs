//! Named parameters: created with a seed, or taken from a checked weight file.
//!
//! candle's own initialisers draw from a process-wide generator that cannot be seeded on the CPU,
//! so two trainings could never be compared. Here every parameter draws from a generator seeded
//! with the training seed and its own name: adding a layer does not change the others.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use candle_core::{Device, Tensor, Var};

use crate::checkpoint::Checkpoint;
use crate::{NnError, Result};

/// How a new parameter is filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform in ±1/√fan_in, the default of linear layers and convolutions.
    FanIn(usize),
    /// Uniform in ±√(6/fan_in): keeps the size of signals through layers followed by ReLU.
    ///
    /// # Source
    /// He et al., "Delving Deep into Rectifiers", equation 10.
    He(usize),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
    /// Every element the same.
    Constant(f32),
}

/// The parameters of one chain or stage, by name.
///
/// One store either trains (every parameter is a candle variable that receives gradients) or only
/// runs (plain tensors from a file; no graph is recorded).
pub struct ParamStore {
    source: Source,
    vars: Mutex<BTreeMap<String, Var>>,
    taken: Mutex<Vec<String>>,
}

enum Source {
    Seed(u64),
    File(Checkpoint),
}

impl ParamStore {
    /// A store whose parameters are new variables, drawn with `seed`.
    #[must_use]
    pub fn trainable(seed: u64) -> Self {
        Self {
            source: Source::Seed(seed),
            vars: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    /// A store that hands out the tensors of a weight file.
    #[must_use]
    pub fn frozen(checkpoint: Checkpoint) -> Self {
        Self {
            source: Source::File(checkpoint),
            vars: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    /// The parameters under `prefix`, for example `vision.`; an empty prefix is the whole store.
    pub fn under(&self, prefix: &str) -> Params<'_> {
        Params {
            store: self,
            prefix: prefix.to_string(),
        }
    }

    /// All variables by name, in name order. Empty for a frozen store.
    pub fn vars(&self) -> BTreeMap<String, Var> {
        locked(&self.vars).clone()
    }

    /// Checks that every tensor of the file under `prefix` was read by the network.
    ///
    /// # Errors
    /// The names nobody read.
    pub fn finish(&self, prefix: &str) -> Result<()> {
        match &self.source {
            Source::Seed(_) => Ok(()),
            Source::File(checkpoint) => checkpoint.check_all_read(prefix, &locked(&self.taken)),
        }
    }

    /// Overwrites every variable with the tensor of the same name of a weight file.
    ///
    /// # Errors
    /// A missing or surplus tensor, or another shape; then some variables may be changed already.
    pub fn assign(&self, checkpoint: &Checkpoint) -> Result<()> {
        let vars = locked(&self.vars);
        for (name, var) in vars.iter() {
            var.set(&checkpoint.tensor(name, var.dims())?)?;
        }
        let names: Vec<String> = vars.keys().cloned().collect();
        checkpoint.check_all_read("", &names)
    }

    fn get(&self, name: String, dims: &[usize], init: Init) -> Result<Tensor> {
        match &self.source {
            Source::File(checkpoint) => {
                let tensor = checkpoint.tensor(&name, dims)?;
                locked(&self.taken).push(name);
                Ok(tensor)
            }
            Source::Seed(seed) => {
                if let Some(var) = locked(&self.vars).get(&name) {
                    return Err(NnError::Graph {
                        stage: name.clone(),
                        reason: format!(
                            "two parameters have this name (shape {:?}); stages need different prefixes",
                            var.dims()
                        ),
                    });
                }
                let values = draw(*seed, &name, dims.iter().product(), init);
                let var = Var::from_tensor(&Tensor::from_vec(values, dims, &Device::Cpu)?)?;
                let tensor = var.as_tensor().clone();
                locked(&self.vars).insert(name, var);
                Ok(tensor)
            }
        }
    }
}

/// Locks a table; a panic elsewhere leaves it whole, because every change is one insertion.
fn locked<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place in a [`ParamStore`], named like the tensors in the weight file: `<stage>.<layer>.<param>`.
#[derive(Clone)]
pub struct Params<'a> {
    store: &'a ParamStore,
    prefix: String,
}

impl Params<'_> {
    /// The place one level deeper.
    #[must_use]
    pub fn sub(&self, name: &str) -> Self {
        Self {
            store: self.store,
            prefix: format!("{}{name}.", self.prefix),
        }
    }

    /// The parameter `name` of shape `dims`: created with `init`, or read from the file.
    ///
    /// # Errors
    /// A tensor that is missing, of another shape, or not finite.
    pub fn get(&self, name: &str, dims: &[usize], init: Init) -> Result<Tensor> {
        self.store.get(format!("{}{name}", self.prefix), dims, init)
    }
}

/// `count` numbers of a distribution, the same for the same seed and name on every machine.
fn draw(seed: u64, name: &str, count: usize, init: Init) -> Vec<f32> {
    // FNV-1a of the name keeps parameters independent of the order in which they are made.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut state = seed ^ hash;
    let mut unit = || {
        // SplitMix64 (Steele, Lea, Flood, 2014), top 24 bits.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / 16_777_216.0
    };
    match init {
        Init::Constant(value) => vec![value; count],
        Init::FanIn(fan_in) => {
            let bound = 1.0 / (fan_in.max(1) as f32).sqrt();
            (0..count).map(|_| (unit() * 2.0 - 1.0) * bound).collect()
        }
        Init::He(fan_in) => {
            let bound = (6.0 / fan_in.max(1) as f32).sqrt();
            (0..count).map(|_| (unit() * 2.0 - 1.0) * bound).collect()
        }
        Init::Normal(deviation) => (0..count)
            .map(|_| {
                // Box-Muller; the shift keeps the logarithm finite.
                let radius = (-2.0 * (unit() + 1.0 / 33_554_432.0).ln()).sqrt();
                radius * (unit() * std::f32::consts::TAU).cos() * deviation
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_names_decide_the_numbers() {
        let a = draw(1, "vision.weight", 1000, Init::FanIn(4));
        assert_eq!(a, draw(1, "vision.weight", 1000, Init::FanIn(4)));
        assert_ne!(a, draw(2, "vision.weight", 1000, Init::FanIn(4)));
        assert_ne!(a, draw(1, "vision.bias", 1000, Init::FanIn(4)));
        assert!(a.iter().all(|x| x.abs() <= 0.5));
        let n = draw(1, "n", 20_000, Init::Normal(2.0));
        let mean = n.iter().sum::<f32>() / 2e4;
        let variance = n.iter().map(|x| x * x).sum::<f32>() / 2e4;
        assert!(
            mean.abs() < 0.06 && (variance - 4.0).abs() < 0.2,
            "{mean} {variance}"
        );
    }

    #[test]
    fn a_name_twice_is_an_error() {
        let store = ParamStore::trainable(0);
        let params = store.under("a.").sub("b");
        assert!(params.get("w", &[2, 3], Init::Constant(0.0)).is_ok());
        assert!(params.get("w", &[2, 3], Init::Constant(0.0)).is_err());
        assert_eq!(store.vars().keys().collect::<Vec<_>>(), ["a.b.w"]);
    }
}
