//! Pareto between two bounds.

use rand::RngExt as _;

use super::root;
use crate::random::Rng;

/// Range of exponents in which a missing one is sought; below zero the density would rise.
const ALPHAS: (f64, f64) = (1e-6, 1e3);

/// Density α L^α x^(−α−1) / (1 − (L/H)^α) on [L, H]
/// (Harchol-Balter, *Performance Modeling and Design of Computer Systems*, 2013, §20.6).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pareto {
    alpha: f64,
    min: f64,
    max: f64,
    /// 1 − (L/H)^α: how much of the unbounded law lies below H.
    mass: f64,
}

impl Pareto {
    pub(super) fn new(alpha: f64, min: f64, max: f64) -> Result<Self, String> {
        if min >= max {
            return Err("the minimum is not below the maximum".into());
        }
        let mass = -(alpha * (min / max).ln()).exp_m1();
        Ok(Pareto { alpha, min, max, mass })
    }

    /// The law on [min, max] with this mean.
    pub(super) fn from_mean_and_range(mean: f64, min: f64, max: f64) -> Result<Self, String> {
        let excess = |ln_alpha: f64| Self::mean_of(ln_alpha.exp(), min, max) - mean;
        solve(excess, ALPHAS.0.ln(), ALPHAS.1.ln(), "alpha").and_then(|a| Pareto::new(a.exp(), min, max))
    }

    /// The law of this exponent below `max` with this mean.
    pub(super) fn from_mean_and_max(mean: f64, alpha: f64, max: f64) -> Result<Self, String> {
        let excess = |ln_min: f64| Self::mean_of(alpha, ln_min.exp(), max) - mean;
        let highest = (max * (1.0 - 1e-9)).ln();
        solve(excess, max.ln() - 200.0, highest, "min").and_then(|min| Pareto::new(alpha, min.exp(), max))
    }

    /// The law of this exponent above `min` with this mean.
    pub(super) fn from_mean_and_min(mean: f64, alpha: f64, min: f64) -> Result<Self, String> {
        let excess = |ln_max: f64| Self::mean_of(alpha, min, ln_max.exp()) - mean;
        let lowest = (min * (1.0 + 1e-9)).ln();
        solve(excess, lowest, min.ln() + 200.0, "max").and_then(|max| Pareto::new(alpha, min, max.exp()))
    }

    fn mean_of(alpha: f64, min: f64, max: f64) -> f64 {
        Pareto::new(alpha, min, max).map_or(min, |law| law.moment(1.0))
    }

    /// E[Xⁿ] = α L^α/(1 − (L/H)^α) · (H^(n−α) − L^(n−α))/(n − α), the last factor ln(H/L) where n = α.
    fn moment(&self, n: f64) -> f64 {
        let (d, range) = (n - self.alpha, (self.max / self.min).ln());
        let integral = if d == 0.0 { range } else { (d * range).exp_m1() / d };
        self.alpha / self.mass * self.min.powf(n) * integral
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        self.quantile(rng.random())
    }

    pub(super) fn mean(&self) -> f64 {
        self.moment(1.0)
    }

    pub(super) fn variance(&self) -> f64 {
        (self.moment(2.0) - self.mean().powi(2)).max(0.0)
    }

    #[inline]
    pub(super) fn quantile(&self, p: f64) -> f64 {
        self.min * (1.0 - p * self.mass).powf(-1.0 / self.alpha)
    }
}

fn solve(excess: impl Fn(f64) -> f64, low: f64, high: f64, name: &str) -> Result<f64, String> {
    if (excess(low) > 0.0) == (excess(high) > 0.0) {
        return Err(format!("no `{name}` gives that mean"));
    }
    Ok(root::between(excess, low, high))
}
