//! Gamma, and Erlang as the gamma of a whole shape.

use rand_distr::Distribution as _;
use statrs::function::gamma::{checked_gamma_lr, ln_gamma};

use super::percentiles::{Percentiles, spread};
use super::root;
use crate::random::Rng;

/// Range of shapes in which percentiles are fitted: coefficients of variation from about 7 down to 0.003.
const SHAPES: (f64, f64) = (0.02, 1e5);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gamma {
    shape: f64,
    scale: f64,
    sampler: rand_distr::Gamma<f64>,
}

/// P(X ≤ x) of the gamma of this shape and scale 1.
fn unit_cdf(shape: f64, x: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { checked_gamma_lr(shape, x).unwrap_or(1.0) }
}

/// Logarithm of the quantile of the gamma of this shape and scale 1.
fn ln_unit_quantile(shape: f64, p: f64) -> f64 {
    // P(shape, x) ≤ x^shape / Γ(shape + 1), so the root lies at or above this.
    let low = (p.ln() + ln_gamma(shape + 1.0)) / shape;
    let mut high = low.max(shape.ln()) + 1.0;
    while unit_cdf(shape, high.exp()) < p {
        high += 1.0;
    }
    root::between(|ln_x| unit_cdf(shape, ln_x.exp()) - p, low - 1e-9, high)
}

impl Gamma {
    pub(super) fn new(shape: f64, scale: f64) -> Result<Self, String> {
        let sampler = rand_distr::Gamma::new(shape, scale)
            .map_err(|_| format!("no gamma has shape {shape} and scale {scale}"))?;
        Ok(Gamma { shape, scale, sampler })
    }

    /// shape = 1/cv², scale = mean·cv².
    pub(super) fn from_mean_cv(mean: f64, cv: f64) -> Result<Self, String> {
        Gamma::new(1.0 / (cv * cv), mean * cv * cv)
    }

    /// The ratio of two quantiles falls strictly as the shape grows, so it determines the shape.
    pub(super) fn from_percentiles([(p, x), (q, y)]: Percentiles) -> Result<Self, String> {
        let wanted = spread(x, y);
        let excess = |ln_shape: f64| {
            let shape = ln_shape.exp();
            ln_unit_quantile(shape, q) - ln_unit_quantile(shape, p) - wanted
        };
        let (low, high) = (SHAPES.0.ln(), SHAPES.1.ln());
        if excess(low) < 0.0 || excess(high) > 0.0 {
            let how = if excess(low) < 0.0 { "far apart" } else { "close together" };
            return Err(format!("the two percentiles are too {how} for a gamma"));
        }
        let shape = root::between(excess, low, high).exp();
        Gamma::new(shape, x / ln_unit_quantile(shape, p).exp())
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        self.sampler.sample(rng)
    }

    pub(super) fn mean(&self) -> f64 {
        self.shape * self.scale
    }

    pub(super) fn variance(&self) -> f64 {
        self.shape * self.scale * self.scale
    }

    pub(super) fn quantile(&self, p: f64) -> f64 {
        match p {
            p if p <= 0.0 => 0.0,
            p if p >= 1.0 => f64::INFINITY,
            p => self.scale * ln_unit_quantile(self.shape, p).exp(),
        }
    }
}
