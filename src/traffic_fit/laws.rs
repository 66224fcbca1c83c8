//! Laws of what requests ask for: durations and tokens.

use std::f64::consts::TAU;

use serde::Serialize;
use statrs::function::erf::erf;
use statrs::function::gamma::{gamma_lr, ln_gamma};

use super::renewal::{self, Sums};

/// A law by its mean and coefficient of variation, as a scenario writes it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RequestLaw {
    /// Its name: "lognormal", "gamma", "weibull", "exponential" or "constant".
    pub dist: &'static str,
    /// Its mean.
    pub mean: f64,
    /// Its coefficient of variation.
    pub cv: f64,
    /// Values that it was fitted to.
    pub values: usize,
    /// Largest distance between the shares of values up to any size, of the law and of the file (Kolmogorov's distance).
    pub distance: f64,
}

/// The law of the lowest Bayesian information criterion whose mean is at most a fifth off that of the values, of values above 0;
/// `None` if there are fewer than 20.
pub(super) fn fit(values: impl Iterator<Item = f64>) -> Option<RequestLaw> {
    const LEAST: usize = 20;
    let mut values: Vec<f64> = values.filter(|value| *value > 0.0).collect();
    values.sort_by(f64::total_cmp);
    if values.len() < LEAST {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    if values.first() == values.last() {
        return Some(RequestLaw { dist: "constant", mean, cv: 0.0, values: values.len(), distance: 0.0 });
    }
    let sums = Sums::of(&values);
    let (mu, lns) = (sums.ln_sum / count, |value: &f64| value.ln());
    let variance = values.iter().map(|value| (lns(value) - mu).powi(2)).sum::<f64>() / count;
    let (shape, gamma) = renewal::gamma(sums);
    let (power, scale, weibull) = renewal::weibull(&values, sums);
    let lognormal = -sums.ln_sum - count / 2.0 * ((TAU * variance).ln() + 1.0);
    let exponential = -count * (mean.ln() + 1.0);
    type Share = Box<dyn Fn(f64) -> f64>;
    let laws: [(&str, f64, f64, f64, f64, Share); 4] = [
        (
            "lognormal",
            2.0,
            lognormal,
            (mu + variance / 2.0).exp(),
            variance.exp_m1().sqrt(),
            Box::new(move |value: f64| 0.5 * (1.0 + erf((value.ln() - mu) / (2.0 * variance).sqrt()))),
        ),
        (
            "gamma",
            2.0,
            gamma,
            mean,
            shape.powf(-0.5),
            Box::new(move |value: f64| gamma_lr(shape, shape * value / mean)),
        ),
        (
            "weibull",
            2.0,
            weibull,
            scale * ln_gamma(1.0 + 1.0 / power).exp(),
            renewal::weibull_cv(power),
            Box::new(move |value: f64| -(-(value / scale).powf(power)).exp_m1()),
        ),
        ("exponential", 1.0, exponential, mean, 1.0, Box::new(move |value: f64| -(-value / mean).exp_m1())),
    ];
    let bic = |parameters: f64, likelihood: f64| parameters * count.ln() - 2.0 * likelihood;
    // What requests ask for on average decides how many instances they need: a law of another mean is none, however likely.
    const OFF: f64 = 0.2;
    let best = laws
        .into_iter()
        .filter(|law| law.2.is_finite() && law.4.is_finite() && (law.3 / mean - 1.0).abs() <= OFF)
        .min_by(|one, other| bic(one.1, one.2).total_cmp(&bic(other.1, other.2)))?;
    let (dist, _, _, mean, cv, share) = best;
    Some(RequestLaw { dist, mean, cv, values: values.len(), distance: distance(&values, share) })
}

/// Kolmogorov's distance; values in ascending order.
fn distance(values: &[f64], share: impl Fn(f64) -> f64) -> f64 {
    let count = values.len() as f64;
    let mut largest = 0.0_f64;
    let mut below = 0;
    for run in values.chunk_by(|one, other| one == other) {
        let law = share(run[0]);
        let after = below + run.len();
        // Of values that are rounded, the law is met in the middle of the step.
        largest = largest.max(
            ((below as f64 + run.len() as f64 / 2.0) / count - law).abs() - run.len() as f64 / 2.0 / count,
        );
        below = after;
    }
    largest.max(0.0)
}
