//! The distributions, behind one type.

use std::sync::Arc;

use rand::RngExt as _;
use rand_distr::{Distribution as _, Exp1};

use super::empirical::{Between, Empirical};
use super::gamma::Gamma;
use super::hyperexponential::Hyperexponential;
use super::lognormal::Lognormal;
use super::pareto::Pareto;
use super::percentiles::{Percentiles, ascending, positive};
use super::weibull::Weibull;
use crate::random::Rng;

/// A distribution on the non-negative numbers, with valid parameters.
///
/// Exponentials and normals come from the ziggurat method, which takes one random word in about 99 draws of
/// 100; gamma (and Erlang) from Marsaglia and Tsang's rejection method (ACM TOMS 26(3), 2000). The rest take a
/// fixed number of random words: none for a constant, one for uniform, Pareto and empirical; a
/// hyperexponential one for the branch, then an exponential.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution(Law);

#[derive(Debug, Clone, PartialEq)]
enum Law {
    Constant(f64),
    Exponential(f64),
    Uniform { min: f64, max: f64 },
    Lognormal(Lognormal),
    Gamma(Gamma),
    Weibull(Weibull),
    Pareto(Pareto),
    Hyperexponential(Hyperexponential),
    Empirical(Empirical),
}

impl Distribution {
    /// Always `value`; must be 0 or more.
    pub const fn constant(value: f64) -> Self {
        Distribution(Law::Constant(value))
    }

    /// Exponential with this mean; must be more than 0.
    pub const fn exponential(mean: f64) -> Self {
        Distribution(Law::Exponential(mean))
    }

    /// Lognormal with this mean and coefficient of variation.
    ///
    /// # Errors
    /// A phrase, when either is not a positive number.
    pub fn lognormal(mean: f64, cv: f64) -> Result<Self, String> {
        positive(&[("mean", mean), ("cv", cv)])?;
        Ok(Distribution(Law::Lognormal(Lognormal::from_mean_cv(mean, cv))))
    }

    /// Lognormal with these two percentiles.
    ///
    /// # Errors
    /// A phrase, when they do not ascend.
    pub fn lognormal_from_percentiles(percentiles: Percentiles) -> Result<Self, String> {
        ascending(&percentiles)?;
        Ok(Distribution(Law::Lognormal(Lognormal::from_percentiles(percentiles))))
    }

    /// Gamma with this mean and coefficient of variation.
    ///
    /// # Errors
    /// A phrase, when either is not a positive number.
    pub fn gamma(mean: f64, cv: f64) -> Result<Self, String> {
        positive(&[("mean", mean), ("cv", cv)])?;
        Gamma::from_mean_cv(mean, cv).map(|law| Distribution(Law::Gamma(law)))
    }

    /// Gamma with these two percentiles; the shape by root finding.
    ///
    /// # Errors
    /// A phrase, when they do not ascend, or no gamma with a coefficient of variation from 0.003 to 7 has them.
    pub fn gamma_from_percentiles(percentiles: Percentiles) -> Result<Self, String> {
        ascending(&percentiles)?;
        Gamma::from_percentiles(percentiles).map(|law| Distribution(Law::Gamma(law)))
    }

    /// Erlang: the sum of `stages` exponentials, with this mean of the sum; its coefficient of variation is 1/√stages.
    ///
    /// # Errors
    /// A phrase, when there is no stage or the mean is not a positive number.
    pub fn erlang(mean: f64, stages: u32) -> Result<Self, String> {
        positive(&[("mean", mean), ("k", f64::from(stages))])?;
        Gamma::new(f64::from(stages), mean / f64::from(stages)).map(|law| Distribution(Law::Gamma(law)))
    }

    /// Weibull with this mean and coefficient of variation; the shape by root finding.
    ///
    /// # Errors
    /// A phrase, when either is not a positive number, or the cv is below 0.0013 or above 16,000.
    pub fn weibull(mean: f64, cv: f64) -> Result<Self, String> {
        positive(&[("mean", mean), ("cv", cv)])?;
        Weibull::from_mean_cv(mean, cv).map(|law| Distribution(Law::Weibull(law)))
    }

    /// Weibull with these two percentiles.
    ///
    /// # Errors
    /// A phrase, when they do not ascend.
    pub fn weibull_from_percentiles(percentiles: Percentiles) -> Result<Self, String> {
        ascending(&percentiles)?;
        Ok(Distribution(Law::Weibull(Weibull::from_percentiles(percentiles))))
    }

    /// Uniform from `min` to `max`.
    ///
    /// # Errors
    /// A phrase, when `min` is negative or not below `max`.
    pub fn uniform(min: f64, max: f64) -> Result<Self, String> {
        match () {
            () if !(min >= 0.0 && max.is_finite()) => Err("the minimum would be negative".into()),
            () if min >= max => Err("the minimum is not below the maximum".into()),
            () => Ok(Distribution(Law::Uniform { min, max })),
        }
    }

    /// Uniform with this mean and coefficient of variation: mean·(1 ± √3 cv).
    ///
    /// # Errors
    /// A phrase, when the minimum would be negative: the cv may be at most 1/√3 ≈ 0.577.
    pub fn uniform_from_mean_cv(mean: f64, cv: f64) -> Result<Self, String> {
        positive(&[("mean", mean), ("cv", cv)])?;
        let half = mean * cv * 3f64.sqrt();
        Self::uniform(mean - half, mean + half)
    }

    /// Uniform with these two percentiles.
    ///
    /// # Errors
    /// A phrase, when they do not ascend, or the minimum would be negative.
    pub fn uniform_from_percentiles(percentiles: Percentiles) -> Result<Self, String> {
        ascending(&percentiles)?;
        let [(p, x), (q, y)] = percentiles;
        let width = (y - x) / (q - p);
        Self::uniform(x - p * width, x + (1.0 - p) * width)
    }

    /// Pareto of exponent `alpha` between `min` and `max`.
    ///
    /// # Errors
    /// A phrase, when a parameter is not positive or `min` not below `max`.
    pub fn pareto(alpha: f64, min: f64, max: f64) -> Result<Self, String> {
        positive(&[("alpha", alpha), ("min", min), ("max", max)])?;
        Pareto::new(alpha, min, max).map(|law| Distribution(Law::Pareto(law)))
    }

    /// Pareto between `min` and `max` with this mean; the exponent by root finding.
    ///
    /// # Errors
    /// A phrase, when no positive exponent gives that mean.
    pub fn pareto_from_mean_and_range(mean: f64, min: f64, max: f64) -> Result<Self, String> {
        positive(&[("mean", mean), ("min", min), ("max", max)])?;
        Pareto::from_mean_and_range(mean, min, max).map(|law| Distribution(Law::Pareto(law)))
    }

    /// Pareto of exponent `alpha` below `max` with this mean; the minimum by root finding.
    ///
    /// # Errors
    /// A phrase, when no minimum gives that mean.
    pub fn pareto_from_mean_and_max(mean: f64, alpha: f64, max: f64) -> Result<Self, String> {
        positive(&[("mean", mean), ("alpha", alpha), ("max", max)])?;
        Pareto::from_mean_and_max(mean, alpha, max).map(|law| Distribution(Law::Pareto(law)))
    }

    /// Pareto of exponent `alpha` above `min` with this mean; the maximum by root finding.
    ///
    /// # Errors
    /// A phrase, when no maximum gives that mean.
    pub fn pareto_from_mean_and_min(mean: f64, alpha: f64, min: f64) -> Result<Self, String> {
        positive(&[("mean", mean), ("alpha", alpha), ("min", min)])?;
        Pareto::from_mean_and_min(mean, alpha, min).map(|law| Distribution(Law::Pareto(law)))
    }

    /// Hyperexponential with this mean and coefficient of variation, both branches carrying half of the mean.
    ///
    /// # Errors
    /// A phrase, when `cv` is below 1 or the mean not positive.
    pub fn hyperexponential(mean: f64, cv: f64) -> Result<Self, String> {
        positive(&[("mean", mean), ("cv", cv)])?;
        Hyperexponential::from_mean_cv(mean, cv).map(|law| Distribution(Law::Hyperexponential(law)))
    }

    /// Hyperexponential: with probability `p` an exponential of mean `mean1`, else one of mean `mean2`.
    ///
    /// # Errors
    /// A phrase, when `p` is not within 0 and 1 or a mean is not positive.
    pub fn hyperexponential_branches(p: f64, mean1: f64, mean2: f64) -> Result<Self, String> {
        positive(&[("mean1", mean1), ("mean2", mean2)])?;
        if !(0.0..=1.0).contains(&p) {
            return Err(format!("a probability of {p} is not within 0 and 1"));
        }
        Ok(Distribution(Law::Hyperexponential(Hyperexponential::new(p, mean1, mean2))))
    }

    /// Drawn from these values, in any order.
    ///
    /// # Errors
    /// A phrase, when there are none, or one is negative or no number.
    pub fn empirical(mut values: Vec<f64>, between: Between) -> Result<Self, String> {
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(format!("the value {value} is not a finite number"));
        }
        values.sort_unstable_by(f64::total_cmp);
        Self::empirical_sorted(Arc::new(values), between)
    }

    pub(super) fn empirical_sorted(sorted: Arc<Vec<f64>>, between: Between) -> Result<Self, String> {
        Empirical::new(sorted, between).map(|law| Distribution(Law::Empirical(law)))
    }

    /// One value.
    pub fn sample(&self, rng: &mut Rng) -> f64 {
        let mut value = [0.0];
        self.fill(rng, &mut value);
        value[0]
    }

    /// Fills `out` with values: those that repeated calls of [`sample`](Self::sample) would give.
    pub fn fill(&self, rng: &mut Rng, out: &mut [f64]) {
        match &self.0 {
            Law::Constant(value) => out.fill(*value),
            Law::Exponential(mean) => {
                // A generator of its own can stay in registers.
                let mut local = rng.clone();
                fill_with(out, || {
                    let e: f64 = Exp1.sample(&mut local);
                    mean * e
                });
                *rng = local;
            }
            Law::Uniform { min, max } => fill_with(out, || min + (max - min) * rng.random::<f64>()),
            Law::Lognormal(law) => fill_with(out, || law.draw(rng)),
            Law::Gamma(law) => fill_with(out, || law.draw(rng)),
            Law::Weibull(law) => fill_with(out, || law.draw(rng)),
            Law::Pareto(law) => fill_with(out, || law.draw(rng)),
            Law::Hyperexponential(law) => fill_with(out, || law.draw(rng)),
            Law::Empirical(law) => fill_with(out, || law.draw(rng)),
        }
    }

    /// Mean, exactly.
    pub fn mean(&self) -> f64 {
        match &self.0 {
            Law::Constant(value) => *value,
            Law::Exponential(mean) => *mean,
            Law::Uniform { min, max } => 0.5 * (min + max),
            Law::Lognormal(law) => law.mean(),
            Law::Gamma(law) => law.mean(),
            Law::Weibull(law) => law.mean(),
            Law::Pareto(law) => law.mean(),
            Law::Hyperexponential(law) => law.mean(),
            Law::Empirical(law) => law.mean(),
        }
    }

    /// Variance, exactly.
    pub fn variance(&self) -> f64 {
        match &self.0 {
            Law::Constant(_) => 0.0,
            Law::Exponential(mean) => mean * mean,
            Law::Uniform { min, max } => (max - min).powi(2) / 12.0,
            Law::Lognormal(law) => law.variance(),
            Law::Gamma(law) => law.variance(),
            Law::Weibull(law) => law.variance(),
            Law::Pareto(law) => law.variance(),
            Law::Hyperexponential(law) => law.variance(),
            Law::Empirical(law) => law.variance(),
        }
    }

    /// Coefficient of variation: standard deviation over mean; 0 where the mean is 0.
    pub fn cv(&self) -> f64 {
        let mean = self.mean();
        if mean > 0.0 { self.variance().sqrt() / mean } else { 0.0 }
    }

    /// The quantile: the value below which a share `p` (0 to 1) lies.
    pub fn quantile(&self, p: f64) -> f64 {
        match &self.0 {
            Law::Constant(value) => *value,
            Law::Exponential(mean) => -(-p).ln_1p() * mean,
            Law::Uniform { min, max } => min + p * (max - min),
            Law::Lognormal(law) => law.quantile(p),
            Law::Gamma(law) => law.quantile(p),
            Law::Weibull(law) => law.quantile(p),
            Law::Pareto(law) => law.quantile(p),
            Law::Hyperexponential(law) => law.quantile(p),
            Law::Empirical(law) => law.quantile(p),
        }
    }

    /// The value of a constant distribution.
    pub fn as_constant(&self) -> Option<f64> {
        match self.0 {
            Law::Constant(value) => Some(value),
            _ => None,
        }
    }
}

#[inline]
fn fill_with(out: &mut [f64], mut draw: impl FnMut() -> f64) {
    for value in out {
        *value = draw();
    }
}
