//! Logistic regression by iterated weighted least squares.
//!
//! # Source
//! Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning" (2009), 4.4.1.

use nalgebra::{DMatrix, DVector};

use super::RiskCurve;

/// Weights are drawn to zero as by so many episodes (of standardised columns).
const SHRINKAGE: f64 = 1.0;
/// Steps of the fit; it has settled long before.
const STEPS: usize = 25;

/// One decision of a known episode.
struct Row {
    x: DVector<f64>,
    weight: f64,
    failed: bool,
}

/// Logistic regression with shrunk weights, of columns that are first made alike. None
/// without rows, or where it does not settle on numbers.
pub(super) fn fitted(rows: &[(Vec<f64>, f64, bool)]) -> Option<RiskCurve> {
    let width = rows.first()?.0.len();
    let total: f64 = rows.iter().map(|(_, weight, _)| weight).sum();
    let mean_of = |value: &dyn Fn(&[f64]) -> f64| {
        let weighed = rows.iter().map(|(x, weight, _)| weight * value(x));
        weighed.sum::<f64>() / total
    };
    let columns: Vec<(f64, f64)> = (0..width)
        .map(|column| {
            let mean = mean_of(&|x| x[column]);
            let spread = mean_of(&|x| (x[column] - mean).powi(2)).sqrt();
            // A column that never changes says nothing.
            (mean, if spread > 1e-9 { 1.0 / spread } else { 0.0 })
        })
        .collect();
    let alike: Vec<Row> = rows
        .iter()
        .map(|(x, weight, failed)| {
            let columns = x.iter().zip(&columns);
            let scaled = columns.map(|(x, (mean, scale))| (x - mean) * scale);
            Row {
                x: DVector::from_iterator(width + 1, scaled.chain([1.0])),
                weight: *weight,
                failed: *failed,
            }
        })
        .collect();
    let mut beta = DVector::zeros(width + 1);
    for _ in 0..STEPS {
        let step = newton(&alike, &beta)?;
        beta += &step;
        if step.amax() < 1e-8 {
            break;
        }
    }
    let mut offset = beta[width];
    let weights = beta.iter().zip(&columns).map(|(beta, (mean, scale))| {
        offset -= beta * scale * mean;
        beta * scale
    });
    let weights = weights.collect();
    Some(RiskCurve { offset, weights })
}

/// The step to the minimum of the parabola that fits the loss here.
fn newton(rows: &[Row], beta: &DVector<f64>) -> Option<DVector<f64>> {
    let width = beta.len();
    let mut gradient = -SHRINKAGE * beta;
    let mut hessian = DMatrix::from_diagonal_element(width, width, SHRINKAGE);
    // The offset is free.
    gradient[width - 1] = 0.0;
    hessian[(width - 1, width - 1)] = 1e-9;
    for row in rows {
        let odds = row.x.dot(beta);
        let chance = 1.0 / (1.0 + (-odds).exp());
        let off = row.weight * (f64::from(u8::from(row.failed)) - chance);
        let curvature = row.weight * (chance * (1.0 - chance)).max(1e-6);
        gradient.axpy(off, &row.x, 1.0);
        hessian.syger(curvature, &row.x, &row.x, 1.0);
    }
    // Only the lower triangle is filled, and read.
    let step = hessian.cholesky()?.solve(&gradient);
    step.iter().all(|number| number.is_finite()).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fit_finds_the_odds_that_made_the_data() {
        // Of a hundred rows at x = 0 ten failed, at x = 1 sixty.
        let row = |x: f64, failed| (vec![x, 7.0], 100.0, failed);
        let of = |x: f64, failed: usize| (0..100).map(move |index| row(x, index < failed));
        let curve = fitted(&of(0.0, 10).chain(of(1.0, 60)).collect::<Vec<_>>()).unwrap();
        let odds = |share: f64| (share / (1.0 - share)).ln();
        let at = |x: f64| curve.offset + curve.weights[0] * x + curve.weights[1] * 7.0;
        assert!((at(0.0) - odds(0.1)).abs() < 0.01, "{curve:?}");
        assert!((at(1.0) - odds(0.6)).abs() < 0.01, "{curve:?}");
        assert!(curve.weights[1].abs() < 1e-12, "it never changes");
    }
}
