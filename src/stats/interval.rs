//! What several replications say together: a mean with its confidence interval.
//!
//! Replications are independent, so their figures are too, whatever the requests of one replication have to do with one
//! another (replication/deletion: Law, *Simulation Modeling and Analysis*, 5th ed., §9.5.2).

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Confidence level of every interval that is reported.
pub const CONFIDENCE: f64 = 0.95;

/// A figure over all replications with its 95 % confidence interval.
///
/// ```
/// use kneepoint::Estimate;
///
/// let three = Estimate::of_values(&[1.0, 2.0, 3.0]);
/// assert_eq!((three.mean, three.replications), (Some(2.0), 3));
/// assert!(three.low < three.mean && three.mean < three.high);
/// // One value says nothing about spread.
/// assert_eq!(Estimate::of_values(&[1.0]).low, None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Estimate {
    /// The figure itself, for most a mean over replications; `None` if no replication has it or it is infinite.
    pub mean: Option<f64>,
    /// Lower end of the interval; `None` with too few replications to tell the spread.
    pub low: Option<f64>,
    /// Upper end of the interval; `None` when `low` is, infinite if there may be none.
    pub high: Option<f64>,
    /// Replications the figure rests on.
    pub replications: u32,
}

impl Estimate {
    /// The same estimate with its interval cut to the values the figure can have; that never costs coverage.
    #[must_use]
    pub fn within(self, least: f64, most: f64) -> Estimate {
        let cut = |end: Option<f64>| end.map(|end| end.clamp(least, most));
        Estimate { low: cut(self.low), high: cut(self.high), ..self }
    }

    /// The same estimate without its interval if it rests on fewer than `least` replications.
    #[must_use]
    pub fn from_replications(self, least: u32) -> Estimate {
        if self.replications >= least { self } else { Estimate { low: None, high: None, ..self } }
    }

    /// How far the interval reaches below the mean and above it; `None` without an interval.
    pub fn widths(&self) -> Option<(f64, f64)> {
        let mean = self.mean?;
        self.low.zip(self.high).map(|(low, high)| (mean - low, high - mean))
    }
}

/// The two-sided quantile of Student's t: a share `confidence` of the distribution lies within ± this. `None` without a
/// degree of freedom.
pub fn student_t(confidence: f64, degrees_of_freedom: u32) -> Option<f64> {
    t_of(confidence, f64::from(degrees_of_freedom))
}

/// The one-sided quantile of Student's t: a share `error` of the distribution lies above it. `None` without a degree of
/// freedom.
pub(super) fn one_sided_t(error: f64, degrees_of_freedom: u32) -> Option<f64> {
    t_of(1.0 - 2.0 * error, f64::from(degrees_of_freedom))
}

/// [`student_t`] for degrees of freedom that need not be whole.
pub(super) fn t_of(confidence: f64, degrees_of_freedom: f64) -> Option<f64> {
    let t = StudentsT::new(0.0, 1.0, degrees_of_freedom).ok()?;
    Some(t.inverse_cdf(0.5 + confidence / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_t_agrees_with_published_quantiles() {
        for (degrees, published) in [
            (1, 12.706204736174694),
            (2, 4.302652729749462),
            (4, 2.7764451051977934),
            (9, 2.262157162798205),
            (19, 2.0930240544083087),
            (29, 2.045229642132703),
            (49, 2.0095752371292392),
            (99, 1.9842169515864174),
        ] {
            let t = student_t(0.95, degrees).unwrap();
            assert!((t / published - 1.0).abs() < 1e-9, "{degrees}: {t} for {published}");
        }
        assert_eq!(student_t(0.95, 0), None);
    }

    #[test]
    fn one_replication_gets_no_interval_and_two_neither() {
        assert_eq!(Estimate::of_values(&[3.0, 4.0]).low, None);
        let one = Estimate::of_values(&[3.0]);
        assert_eq!(one, Estimate { mean: Some(3.0), low: None, high: None, replications: 1 });
        assert_eq!(Estimate::of_ratio(&[(3.0, 2.0)]).mean, Some(1.5));
        assert_eq!(Estimate::of_ratio(&[(3.0, 2.0)]).low, None);
    }

    #[test]
    fn the_interval_of_a_mean_is_the_textbook_one() {
        // 1, 2, 3: mean 2, standard deviation 1, half-width t(2) / √3.
        let estimate = Estimate::of_values(&[1.0, 2.0, 3.0]);
        assert_eq!((estimate.mean, estimate.replications), (Some(2.0), 3));
        let half = 4.302652729749462 / 3.0_f64.sqrt();
        assert!((estimate.widths().unwrap().1 - half).abs() < 1e-9);
        assert!((estimate.low.unwrap() - (2.0 - half)).abs() < 1e-9);
    }

    #[test]
    fn the_ratio_weighs_replications_by_their_denominator() {
        // 1 of 10 and 9 of 30: 10 of 40 in all, not the mean of 0.1 and 0.3.
        let estimate = Estimate::of_ratio(&[(1.0, 10.0), (9.0, 30.0)]);
        assert_eq!(estimate.mean, Some(0.25));
        // And 5 of 20: residuals ∓1.5 and 0, variance 2.25, of the mean 0.75, over a mean of 20, times t(2).
        let three = Estimate::of_ratio(&[(1.0, 10.0), (9.0, 30.0), (5.0, 20.0)]);
        let half = 4.302652729749462 * 0.75_f64.sqrt() / 20.0;
        assert!((three.widths().unwrap().1 - half).abs() < 1e-9);
        // A ratio that is the same in every replication is known exactly.
        assert_eq!(Estimate::of_ratio(&[(1.0, 4.0), (3.0, 12.0), (2.0, 8.0)]).widths(), Some((0.0, 0.0)));
    }

    #[test]
    fn what_is_infinite_or_missing_has_no_mean() {
        assert_eq!(Estimate::of_values(&[]).mean, None);
        assert_eq!(Estimate::of_values(&[1.0, f64::INFINITY]).mean, None);
        assert_eq!(Estimate::of_ratio(&[(0.0, 0.0)]).mean, None);
        assert_eq!(Estimate::of_values(&[1.0, f64::INFINITY]).replications, 2);
    }

    #[test]
    fn an_interval_is_cut_to_possible_values() {
        let estimate = Estimate::of_values(&[0.9, 0.95, 1.0]).within(0.0, 1.0);
        // 0.95 ± 4.303 × 0.05 / √3, and no share is above 1.
        assert_eq!(estimate.high, Some(1.0));
        assert!((estimate.low.unwrap() - (0.95 - 4.302652729749462 * 0.05 / 3.0_f64.sqrt())).abs() < 1e-9);
        assert_eq!(estimate.from_replications(4).low, None);
        assert_eq!(estimate.from_replications(3), estimate);
    }
}
