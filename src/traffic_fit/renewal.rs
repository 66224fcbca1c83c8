//! Laws of times between requests with a mean of 1, by maximum likelihood.

use statrs::function::gamma::{digamma, ln_gamma};

/// Sums that the likelihoods of the laws need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    pub count: f64,
    pub sum: f64,
    pub ln_sum: f64,
}

impl Sums {
    pub(super) fn of(values: &[f64]) -> Sums {
        let (sum, ln_sum) = values.iter().fold((0.0, 0.0), |(sum, ln), value| (sum + value, ln + value.ln()));
        Sums { count: values.len() as f64, sum, ln_sum }
    }
}

/// The gamma law of mean 1: its shape, and the log-likelihood. The shape solves ln a − ψ(a) = ln x̄ − mean ln x, by Newton from
/// the start of Minka (*Estimating a gamma distribution*, 2002).
pub(super) fn gamma(sums: Sums) -> (f64, f64) {
    let mean = sums.sum / sums.count;
    let spread = (mean.ln() - sums.ln_sum / sums.count).max(1e-9);
    let mut shape = (3.0 - spread + ((spread - 3.0).powi(2) + 24.0 * spread).sqrt()) / (12.0 * spread);
    for _ in 0..50 {
        let step = 1e-5 * shape;
        let of = |shape: f64| shape.ln() - digamma(shape) - spread;
        let slope = (of(shape + step) - of(shape - step)) / (2.0 * step);
        let next = shape - of(shape) / slope;
        let next = if next > 0.0 { next } else { shape / 2.0 };
        let done = (next - shape).abs() < 1e-10 * shape;
        shape = next;
        if done {
            break;
        }
    }
    let shape = shape.clamp(1e-3, 1e6);
    let rate = shape / mean;
    let likelihood =
        sums.count * (shape * rate.ln() - ln_gamma(shape)) + (shape - 1.0) * sums.ln_sum - rate * sums.sum;
    (shape, likelihood)
}

/// The Weibull law: its shape, its scale and the log-likelihood. The shape solves Σ xᵏ ln x / Σ xᵏ − 1/k = mean ln x, whose left
/// side rises with k, by bisection.
pub(super) fn weibull(values: &[f64], sums: Sums) -> (f64, f64, f64) {
    let mean_ln = sums.ln_sum / sums.count;
    let largest = values.iter().copied().fold(0.0, f64::max).ln();
    // Powers relative to the largest value do not overflow.
    let powers = |shape: f64| {
        values.iter().fold((0.0, 0.0), |(sum, weighted), value| {
            let power = (shape * (value.ln() - largest)).exp();
            (sum + power, weighted + power * value.ln())
        })
    };
    let (mut low, mut high) = (0.05_f64, 50.0_f64);
    for _ in 0..60 {
        let shape = (low * high).sqrt();
        let (sum, weighted) = powers(shape);
        if weighted / sum - 1.0 / shape < mean_ln { low = shape } else { high = shape }
    }
    let shape = (low * high).sqrt();
    let (sum, _) = powers(shape);
    let ln_scale = largest + (sum / sums.count).ln() / shape;
    let likelihood = sums.count * (shape.ln() - shape * ln_scale - 1.0) + (shape - 1.0) * sums.ln_sum;
    (shape, ln_scale.exp(), likelihood)
}

/// Coefficient of variation of a Weibull law.
pub(super) fn weibull_cv(shape: f64) -> f64 {
    (ln_gamma(1.0 + 2.0 / shape) - 2.0 * ln_gamma(1.0 + 1.0 / shape)).exp_m1().max(0.0).sqrt()
}
