//! Lognormal: the logarithm is normal.

use rand_distr::{Distribution as _, StandardNormal};
use statrs::function::erf::erfc_inv;

use super::percentiles::{Percentiles, spread};
use crate::random::Rng;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lognormal {
    mu: f64,
    sigma: f64,
}

/// Quantile of the standard normal.
fn normal_quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

impl Lognormal {
    /// σ² = ln(1 + cv²), μ = ln(mean) − σ²/2.
    pub(super) fn from_mean_cv(mean: f64, cv: f64) -> Self {
        let variance = (cv * cv).ln_1p();
        Lognormal { mu: mean.ln() - 0.5 * variance, sigma: variance.sqrt() }
    }

    /// The logarithms of quantiles are linear in the quantiles of the standard normal.
    pub(super) fn from_percentiles([(p, x), (q, y)]: Percentiles) -> Self {
        let (low, high) = (normal_quantile(p), normal_quantile(q));
        let sigma = spread(x, y) / (high - low);
        Lognormal { mu: x.ln() - low * sigma, sigma }
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        let z: f64 = StandardNormal.sample(rng);
        (self.mu + self.sigma * z).exp()
    }

    pub(super) fn mean(&self) -> f64 {
        (self.mu + 0.5 * self.sigma * self.sigma).exp()
    }

    pub(super) fn variance(&self) -> f64 {
        (self.sigma * self.sigma).exp_m1() * self.mean().powi(2)
    }

    pub(super) fn quantile(&self, p: f64) -> f64 {
        (self.mu + self.sigma * normal_quantile(p)).exp()
    }
}
