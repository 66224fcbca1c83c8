//! Weibull: a power of an exponential.

use rand_distr::{Distribution as _, Exp1};
use statrs::function::gamma::ln_gamma;

use super::percentiles::{Percentiles, spread};
use super::root;
use crate::random::Rng;

/// Range of shapes in which a CV is fitted: coefficients of variation from about 16,000 down to 0.0013.
const SHAPES: (f64, f64) = (0.08, 1e3);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weibull {
    shape: f64,
    scale: f64,
}

/// ln(1 + cv²) of the Weibull of this shape: ln Γ(1 + 2/k) − 2 ln Γ(1 + 1/k).
fn ln_one_plus_cv2(shape: f64) -> f64 {
    ln_gamma(1.0 + 2.0 / shape) - 2.0 * ln_gamma(1.0 + 1.0 / shape)
}

impl Weibull {
    /// cv falls strictly as the shape grows, so it determines the shape.
    pub(super) fn from_mean_cv(mean: f64, cv: f64) -> Result<Self, String> {
        let wanted = (cv * cv).ln_1p();
        let excess = |ln_shape: f64| ln_one_plus_cv2(ln_shape.exp()) - wanted;
        let (low, high) = (SHAPES.0.ln(), SHAPES.1.ln());
        if excess(low) < 0.0 || excess(high) > 0.0 {
            return Err(format!("no usable weibull has a cv of {cv}"));
        }
        let shape = root::between(excess, low, high).exp();
        Ok(Weibull { shape, scale: mean / ln_gamma(1.0 + 1.0 / shape).exp() })
    }

    /// ln x_p = ln scale + ln(−ln(1 − p))/shape.
    pub(super) fn from_percentiles([(p, x), (q, y)]: Percentiles) -> Self {
        let (low, high) = ((-(-p).ln_1p()).ln(), (-(-q).ln_1p()).ln());
        let shape = (high - low) / spread(x, y);
        Weibull { shape, scale: (x.ln() - low / shape).exp() }
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        let e: f64 = Exp1.sample(rng);
        self.scale * e.powf(1.0 / self.shape)
    }

    pub(super) fn mean(&self) -> f64 {
        self.scale * ln_gamma(1.0 + 1.0 / self.shape).exp()
    }

    pub(super) fn variance(&self) -> f64 {
        ln_one_plus_cv2(self.shape).exp_m1() * self.mean().powi(2)
    }

    pub(super) fn quantile(&self, p: f64) -> f64 {
        self.scale * (-(-p).ln_1p()).powf(1.0 / self.shape)
    }
}
