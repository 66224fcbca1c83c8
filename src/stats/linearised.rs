//! Figures of several replications in a form that can be subtracted and divided, replication by replication.
//!
//! A mean, and a ratio of means, moves with each replication by a known small amount: its influence. Differences and
//! quotients of two figures have the differences and quotients of their influences, so one rule gives the interval of
//! all of them, and what two settings have in common under common random numbers cancels by itself (the delta method:
//! Cochran, *Sampling Techniques*, 3rd ed., §6.3; paired differences: Law, *Simulation Modeling and Analysis*, 5th ed.,
//! §10.2.1).

use super::hull::{LEAST_REPLICATIONS, Moments};
use super::interval::{CONFIDENCE, Estimate, student_t, t_of};

/// A figure over replications, with how far each of them pulls it.
#[derive(Debug, Clone, PartialEq)]
pub struct Linearised {
    /// NaN or infinite where a replication is, or where there is none.
    mean: f64,
    /// Of each replication, in their order; they add up to nothing.
    influences: Vec<f64>,
}

impl Estimate {
    /// The mean of one value a replication, with its interval.
    pub fn of_values(values: &[f64]) -> Estimate {
        Linearised::of_values(values).estimate(CONFIDENCE)
    }

    /// The ratio of two means, from one pair `(numerator, denominator)` a replication, with its interval.
    ///
    /// The classical ratio estimator: total over total, so that long and busy replications weigh more, as they should
    /// for a share of all requests. Its variance is that of `numerator - ratio × denominator`, divided by the squared
    /// mean denominator (Cochran, *Sampling Techniques*, 3rd ed., §6.3; Law, §9.5.3, for the same estimator over
    /// regenerative cycles).
    pub fn of_ratio(pairs: &[(f64, f64)]) -> Estimate {
        Linearised::of_ratio(pairs).estimate(CONFIDENCE)
    }
}

/// A figure that no replication has.
impl Default for Linearised {
    fn default() -> Self {
        Linearised { mean: f64::NAN, influences: Vec::new() }
    }
}

impl Linearised {
    /// A figure with the influences given, which add up to nothing.
    pub(super) fn around(mean: f64, influences: Vec<f64>) -> Linearised {
        Linearised { mean, influences }
    }

    /// The mean of one value a replication.
    pub fn of_values(values: &[f64]) -> Linearised {
        let mean = mean(values);
        Linearised { mean, influences: values.iter().map(|value| value - mean).collect() }
    }

    /// Total over total of one pair `(numerator, denominator)` a replication, so that long and busy replications weigh
    /// more, as they should for a share of all requests.
    pub fn of_ratio(pairs: &[(f64, f64)]) -> Linearised {
        let (over, under): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let ratio = mean(&over) / mean(&under);
        let scale = mean(&under);
        Linearised {
            mean: ratio,
            influences: pairs.iter().map(|(over, under)| (over - ratio * under) / scale).collect(),
        }
    }

    /// Replications it rests on.
    pub fn replications(&self) -> usize {
        self.influences.len()
    }

    /// The mean; `None` if it is not finite.
    pub fn mean(&self) -> Option<f64> {
        Some(self.mean).filter(|mean| mean.is_finite())
    }

    /// How much more this is than `other`, paired replication by replication; both must have the same ones.
    #[must_use]
    pub fn minus(&self, other: &Linearised) -> Linearised {
        self.with(other, self.mean - other.mean, |this, other| this - other)
    }

    /// The paired interval of how much more this is than `other`, for the quantile `t`: [`Linearised::minus`] and its
    /// estimate without the memory they take, for the many pairs of a sweep.
    pub fn interval_above(&self, other: &Linearised, t: f64) -> (f64, f64) {
        let pairs = self.influences.iter().zip(&other.influences);
        let mean = self.mean - other.mean;
        match Moments::of(pairs.map(|(this, other)| this - other)).widths(t) {
            Some((below, above)) => (mean - below, mean + above),
            // An influence that is not known leaves everything possible.
            None => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// This as a multiple of `other`, paired replication by replication; both must have the same ones.
    #[must_use]
    pub fn over(&self, other: &Linearised) -> Linearised {
        let (ratio, scale) = (self.mean / other.mean, other.mean);
        self.with(other, ratio, |this, other| (this - ratio * other) / scale)
    }

    /// This and `other`, paired replication by replication; both must have the same ones.
    #[must_use]
    pub fn plus(&self, other: &Linearised) -> Linearised {
        self.with(other, self.mean + other.mean, |this, other| this + other)
    }

    /// This times `other`, paired replication by replication; both must have the same ones.
    #[must_use]
    pub fn times(&self, other: &Linearised) -> Linearised {
        let (a, b) = (self.mean, other.mean);
        self.with(other, a * b, |this, other| this * b + a * other)
    }

    /// A smooth function of this, by its `value` and its `slope` at the mean.
    #[must_use]
    pub fn mapped(&self, value: impl Fn(f64) -> f64, slope: impl Fn(f64) -> f64) -> Linearised {
        let slope = slope(self.mean);
        let influences = self.influences.iter().map(|influence| slope * influence).collect();
        Linearised { mean: value(self.mean), influences }
    }

    fn with(&self, other: &Linearised, mean: f64, influence: impl Fn(f64, f64) -> f64) -> Linearised {
        let pairs = self.influences.iter().zip(&other.influences);
        Linearised { mean, influences: pairs.map(|(this, other)| influence(*this, *other)).collect() }
    }

    /// The estimate with its interval at this `confidence`; without one below [`LEAST_REPLICATIONS`].
    pub fn estimate(&self, confidence: f64) -> Estimate {
        let t = student_t(confidence, self.replications().saturating_sub(1) as u32);
        self.with_widths(t.and_then(|t| self.moments().widths(t)))
    }

    /// How much more this is than `other` if nothing is known of what their replications share: the interval of
    /// independent samples (Welch, Biometrika 34, 1947), to tell what pairing gains.
    pub fn minus_unpaired(&self, other: &Linearised, confidence: f64) -> Estimate {
        let (a, b) = (self.variance_of_mean(), other.variance_of_mean());
        let freedom = |linearised: &Linearised| linearised.replications() as f64 - 1.0;
        let degrees = (a + b).powi(2) / (a * a / freedom(self) + b * b / freedom(other));
        // Two figures that do not vary have no degrees of freedom to speak of, and no width.
        let degrees = if a + b == 0.0 { 1.0 } else { degrees };
        let told = self.replications().min(other.replications()) >= LEAST_REPLICATIONS as usize;
        let half =
            t_of(confidence, degrees).map(|t| t * (a + b).sqrt()).filter(|half| told && half.is_finite());
        let difference = Linearised { mean: self.mean - other.mean, influences: self.influences.clone() };
        difference.with_widths(half.map(|half| (half, half)))
    }

    /// Square of the standard error; NaN below two replications.
    pub fn variance_of_mean(&self) -> f64 {
        self.moments().variance_of_mean()
    }

    pub(super) fn moments(&self) -> Moments {
        Moments::of(self.influences.iter().copied())
    }

    fn with_widths(&self, widths: Option<(f64, f64)>) -> Estimate {
        let replications = u32::try_from(self.replications()).unwrap_or(u32::MAX);
        let Some(mean) = self.mean() else { return Estimate { replications, ..Estimate::default() } };
        Estimate {
            mean: Some(mean),
            low: widths.map(|(below, _)| mean - below),
            high: widths.map(|(_, above)| mean + above),
            replications,
        }
    }
}

/// Mean of `values`; NaN if there are none.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const T2: f64 = 4.302652729749462;

    fn near(found: Option<f64>, exact: f64) {
        assert!(found.is_some_and(|found| (found - exact).abs() < 1e-9), "{found:?} for {exact}");
    }

    #[test]
    fn what_two_settings_share_cancels_in_their_difference() {
        // 10, 20, 30 against the same and 1, 2, 3 more: by 2, standard deviation 1.
        let (a, b) = ([10.0, 20.0, 30.0], [11.0, 22.0, 33.0]);
        let difference = Linearised::of_values(&b).minus(&Linearised::of_values(&a)).estimate(0.95);
        near(difference.mean, 2.0);
        near(difference.widths().map(|widths| widths.1), T2 / 3.0_f64.sqrt());
        let (low, high) = Linearised::of_values(&b).interval_above(&Linearised::of_values(&a), T2);
        near(difference.low, low);
        near(difference.high, high);
    }

    #[test]
    fn unpaired_values_keep_the_spread_of_both() {
        // The same three values in another order: variance 100 twice, four degrees of freedom, nothing shared.
        let (a, b) = ([10.0, 20.0, 30.0], [31.0, 11.0, 21.0]);
        let unpaired = Linearised::of_values(&b).minus_unpaired(&Linearised::of_values(&a), 0.95);
        near(unpaired.mean, 1.0);
        near(unpaired.widths().map(|widths| widths.1), 2.7764451051977934 * (200.0_f64 / 3.0).sqrt());
    }

    #[test]
    fn a_quotient_that_never_changes_is_known_exactly() {
        let (a, b) = ([10.0, 20.0, 40.0], [5.0, 10.0, 20.0]);
        let quotient = Linearised::of_values(&b).over(&Linearised::of_values(&a)).estimate(0.95);
        near(quotient.mean, 0.5);
        near(quotient.widths().map(|widths| widths.1), 0.0);
    }

    #[test]
    fn the_difference_of_two_shares_is_that_of_their_totals() {
        // 15 of 60 against 21 of 60: 0.25 and 0.35; influences ∓1.5/20 and 0 of both.
        let a = Linearised::of_ratio(&[(1.0, 10.0), (9.0, 30.0), (5.0, 20.0)]);
        let b = Linearised::of_ratio(&[(2.0, 10.0), (12.0, 30.0), (7.0, 20.0)]);
        let difference = b.minus(&a).estimate(0.95);
        near(difference.mean, 0.1);
        near(difference.widths().map(|widths| widths.1), 0.0);
    }

    #[test]
    fn sums_products_and_functions_follow_the_delta_method() {
        let (a, b) = (Linearised::of_values(&[1.0, 2.0, 3.0]), Linearised::of_values(&[6.0, 4.0, 2.0]));
        near(a.plus(&b).estimate(0.95).mean, 6.0);
        // The influences −1, 0, 1 and 2, 0, −2 weighed by 4 and 2 cancel.
        let product = a.times(&b).estimate(0.95);
        near(product.mean, 8.0);
        near(product.widths().map(|(_, high)| high), 0.0);
        // The logarithm at 2 has slope 1/2: half the standard deviation of 1.
        let logarithm = a.mapped(f64::ln, |mean| 1.0 / mean).estimate(0.95);
        near(logarithm.mean, 2.0_f64.ln());
        near(logarithm.widths().map(|(_, high)| high), 0.5 * T2 / 3.0_f64.sqrt());
    }

    #[test]
    fn one_replication_or_an_infinite_one_leaves_no_interval() {
        let one = Linearised::of_values(&[1.0]).minus(&Linearised::of_values(&[3.0]));
        assert_eq!((one.estimate(0.95).mean, one.estimate(0.95).low), (Some(-2.0), None));
        let unpaired = Linearised::of_values(&[1.0]).minus_unpaired(&Linearised::of_values(&[3.0]), 0.95);
        assert_eq!((unpaired.mean, unpaired.low), (Some(-2.0), None));
        let infinite = Linearised::of_values(&[1.0, f64::INFINITY]);
        assert_eq!(infinite.minus(&Linearised::of_values(&[1.0, 2.0])).estimate(0.95).mean, None);
    }
}
