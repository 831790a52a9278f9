//! The beta distribution, and counts whose probability is drawn from one.

/// Steps of the bisection.
const HALVINGS: u32 = 60;
/// Terms of the continued fraction.
const TERMS: u32 = 300;

fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// The regularised incomplete beta function: the chance that Beta(a, b) is at
/// most `x`, for a, b > 0.
///
/// # Source
/// Continued fraction 8.17.22 of the NIST Digital Library of Mathematical
/// Functions, evaluated by Lentz's method.
#[must_use]
pub fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if !(x > 0.0) {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on this side of the mean.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_cdf(b, a, 1.0 - x);
    }
    let front = (a * x.ln() + b * (1.0 - x).ln() - ln_beta(a, b)).exp() / a;
    let tiny = 1e-300;
    let (mut c, mut d, mut value) = (1.0, 0.0, 1.0);
    for term in 0..TERMS {
        let m = f64::from(term / 2);
        let numerator = if term == 0 {
            1.0
        } else if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        let nonzero = |value: f64| if value.abs() < tiny { tiny } else { value };
        d = 1.0 / nonzero(1.0 + numerator * d);
        c = nonzero(1.0 + numerator / c);
        let step = c * d;
        value *= step;
        if (step - 1.0).abs() < 1e-14 && term > 0 {
            break;
        }
    }
    (front * (value - 1.0)).clamp(0.0, 1.0)
}

/// The value below which Beta(a, b) lies with this chance.
#[must_use]
pub fn beta_quantile(a: f64, b: f64, chance: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if beta_cdf(a, b, middle) < chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Chances of 0 to `tried` successes whose probability is Beta(a, b).
#[must_use]
pub fn beta_binomial(tried: usize, a: f64, b: f64) -> Vec<f64> {
    let m = tried as f64;
    (0..=tried)
        .map(|count| {
            let k = count as f64;
            let choose = libm::lgamma(m + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(m - k + 1.0);
            (choose + ln_beta(k + a, m - k + b) - ln_beta(a, b)).exp()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_closed_forms() {
        // Beta(1, b): 1 − (1 − x)^b. Beta(a, 1): x^a.
        assert!((beta_cdf(1.0, 3.0, 0.2) - (1.0 - 0.8_f64.powi(3))).abs() < 1e-12);
        assert!((beta_cdf(5.0, 1.0, 0.7) - 0.7_f64.powi(5)).abs() < 1e-12);
        assert!((beta_cdf(40.0, 40.0, 0.5) - 0.5).abs() < 1e-12);
        assert!((beta_cdf(2.0, 2.0, 0.3) - (3.0 * 0.09 - 2.0 * 0.027)).abs() < 1e-12);
        assert!((beta_quantile(5.0, 1.0, 0.7_f64.powi(5)) - 0.7).abs() < 1e-9);
        assert!(beta_cdf(2.0, 2.0, f64::NAN) < 1e-300);
    }

    #[test]
    fn counts_have_the_mean_they_must() {
        let chances = beta_binomial(50, 3.0, 57.0);
        let sum: f64 = chances.iter().sum();
        let mean: f64 = chances
            .iter()
            .enumerate()
            .map(|(count, chance)| count as f64 * chance)
            .sum();
        assert!((sum - 1.0).abs() < 1e-9 && (mean - 2.5).abs() < 1e-9);
    }
}
