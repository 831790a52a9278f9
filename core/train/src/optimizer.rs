//! AdamW with a warm-up, a cosine and an average of the weights, on flat lists.

use crate::flat_params::{FlatGrad, FlatParams};
use crate::{OptimizerConfig, Result};

/// Keeps the division finite.
const EPSILON: f64 = 1e-8;

/// Moments and averages of all parameters.
pub struct Optimizer {
    config: OptimizerConfig,
    /// Current values.
    pub values: Vec<f32>,
    /// Averaged values, which are what is exported.
    pub average: Vec<f32>,
    pub(crate) moment1: Vec<f32>,
    pub(crate) moment2: Vec<f32>,
    /// Updates of each parameter: those of the scene get fewer.
    pub(crate) updates: Vec<f32>,
}

impl Optimizer {
    /// Begins with the network's values.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn new(config: OptimizerConfig, params: &FlatParams) -> Result<Self> {
        let values = params.values()?;
        Ok(Self {
            config,
            average: values.clone(),
            moment1: vec![0.0; values.len()],
            moment2: vec![0.0; values.len()],
            updates: vec![0.0; params.entries.len()],
            values,
        })
    }

    /// The learning rate at `step`, with `progress` 0..1 of the budget used.
    #[must_use]
    pub fn rate(&self, step: u64, progress: f64) -> f64 {
        let c = &self.config;
        let rise = ((step + 1) as f64 / c.warmup_steps.max(1) as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        c.learning_rate * rise * (cosine * (1.0 - c.final_fraction) + c.final_fraction)
    }

    /// Moves every touched parameter and writes it to its variable.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn update(&mut self, params: &FlatParams, grad: &FlatGrad, rate: f64) -> Result<()> {
        let c = self.config;
        for ((entry, touched), updates) in params
            .entries
            .iter()
            .zip(&grad.touched)
            .zip(&mut self.updates)
        {
            if !touched {
                continue;
            }
            *updates += 1.0;
            let t = f64::from(*updates);
            let correct1 = 1.0 - c.beta1.powf(t);
            let correct2 = 1.0 - c.beta2.powf(t);
            let decay = (1.0
                - if entry.decays {
                    rate * c.weight_decay
                } else {
                    0.0
                }) as f32;
            let size = (rate / correct1) as f32;
            let root = (1.0 / correct2.sqrt()) as f32;
            // Early averages follow closely, else the random start would stay in them.
            let keep = c.ema.min(t / (t + 19.0)) as f32;
            let (b1, b2, epsilon) = (c.beta1 as f32, c.beta2 as f32, EPSILON as f32);
            let span = entry.start..entry.start + entry.len;
            let moments = self.moment1[span.clone()]
                .iter_mut()
                .zip(&mut self.moment2[span.clone()]);
            let weights = self.values[span.clone()]
                .iter_mut()
                .zip(&mut self.average[span.clone()]);
            for ((g, (m, v)), (w, a)) in grad.values[span].iter().zip(moments).zip(weights) {
                *m = b1 * *m + (1.0 - b1) * g;
                *v = b2 * *v + (1.0 - b2) * g * g;
                *w = *w * decay - size * *m / (v.sqrt() * root + epsilon);
                *a = keep * *a + (1.0 - keep) * *w;
            }
            FlatParams::set_entry(entry, &self.values)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor, Var};

    #[test]
    fn a_parabola_is_descended_and_untouched_parameters_stay() {
        let var = |x: &[f32]| Var::from_tensor(&Tensor::new(x, &Device::Cpu).unwrap()).unwrap();
        let (a, b) = (var(&[3.0, -2.0]), var(&[1.0]));
        let params =
            FlatParams::new([("a".to_string(), a.clone()), ("b".to_string(), b.clone())].into());
        let config = OptimizerConfig {
            learning_rate: 0.05,
            warmup_steps: 1,
            ema: 0.9,
            ..OptimizerConfig::default()
        };
        let mut optimizer = Optimizer::new(config, &params).unwrap();
        for _ in 0..300 {
            let grads = a.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            let mut flat = params.gradients(&grads).unwrap();
            let norm = flat.average_and_clip(1, 1.0);
            assert!(
                norm.is_finite() && flat.values.iter().map(|g| g * g).sum::<f32>() <= 1.0 + 1e-5
            );
            optimizer.update(&params, &flat, 0.05).unwrap();
        }
        assert!(a.to_vec1::<f32>().unwrap().iter().all(|x| x.abs() < 0.05));
        assert_eq!(b.to_vec1::<f32>().unwrap(), [1.0]);
        assert!(optimizer.average[..2].iter().all(|x| x.abs() < 0.1));
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let params = FlatParams::new(Default::default());
        let config = OptimizerConfig {
            learning_rate: 1.0,
            warmup_steps: 10,
            final_fraction: 0.1,
            ..OptimizerConfig::default()
        };
        let optimizer = Optimizer::new(config, &params).unwrap();
        for (step, progress, rate) in [
            (0, 0.0, 0.1),
            (9, 0.0, 1.0),
            (100, 0.5, 0.55),
            (200, 1.0, 0.1),
        ] {
            assert!((optimizer.rate(step, progress) - rate).abs() < 1e-9);
        }
    }
}
