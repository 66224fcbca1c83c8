//! Hyperexponential with two branches: one of two exponentials.

use rand::RngExt as _;
use rand_distr::{Distribution as _, Exp1};

use super::root;
use crate::random::Rng;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hyperexponential {
    p: f64,
    mean1: f64,
    mean2: f64,
}

impl Hyperexponential {
    pub(super) fn new(p: f64, mean1: f64, mean2: f64) -> Self {
        Hyperexponential { p, mean1, mean2 }
    }

    /// Both branches carry half of the mean ("balanced means"): p = (1 + √((cv² − 1)/(cv² + 1)))/2
    /// (Sauer and Chandy, *Approximate analysis of central server models*, IBM J. R&D 19, 1975).
    pub(super) fn from_mean_cv(mean: f64, cv: f64) -> Result<Self, String> {
        if cv < 1.0 {
            return Err(format!(
                "a hyperexponential varies at least as much as an exponential, and {cv} < 1"
            ));
        }
        let p = 0.5 * (1.0 + ((cv * cv - 1.0) / (cv * cv + 1.0)).sqrt());
        Ok(Hyperexponential { p, mean1: 0.5 * mean / p, mean2: 0.5 * mean / (1.0 - p) })
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        let mean = if rng.random::<f64>() < self.p { self.mean1 } else { self.mean2 };
        let e: f64 = Exp1.sample(rng);
        mean * e
    }

    pub(super) fn mean(&self) -> f64 {
        self.p * self.mean1 + (1.0 - self.p) * self.mean2
    }

    pub(super) fn variance(&self) -> f64 {
        let second = 2.0 * (self.p * self.mean1.powi(2) + (1.0 - self.p) * self.mean2.powi(2));
        second - self.mean().powi(2)
    }

    pub(super) fn quantile(&self, p: f64) -> f64 {
        let level = -(-p).ln_1p();
        let (low, high) = (self.mean1.min(self.mean2) * level, self.mean1.max(self.mean2) * level);
        if low == high || !high.is_finite() {
            return high;
        }
        let tail = |x: f64| self.p * (-x / self.mean1).exp() + (1.0 - self.p) * (-x / self.mean2).exp();
        root::between(|x| (1.0 - p) - tail(x), low, high)
    }
}
