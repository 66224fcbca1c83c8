//! The share of requests that miss a promise, with limits for decisions.

use super::Linearised;
use super::hull::Moments;
use super::interval::one_sided_t;

/// The share of requests that miss a promise over the replications of one setting, by the ratio estimator.
///
/// Decisions are made on the share of misses and not on that of the requests in time: most replications miss little and a
/// few, with a burst, miss much.
#[derive(Debug, Clone)]
pub struct Misses {
    share: f64,
    replications: u32,
    moments: Moments,
}

impl Misses {
    /// From the requests missed and those that count, of each replication; `None` without a request.
    pub fn of(each: impl Iterator<Item = (f64, f64)>) -> Option<Misses> {
        let pairs: Vec<(f64, f64)> = each.collect();
        let share = Linearised::of_ratio(&pairs);
        Some(Misses {
            share: share.mean()?,
            replications: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
            moments: share.moments(),
        })
    }

    /// The share itself.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// Replications it rests on.
    pub fn replications(&self) -> u32 {
        self.replications
    }

    /// The standard error.
    pub(super) fn error(&self) -> f64 {
        self.moments.variance_of_mean().sqrt()
    }

    /// What the true share does not exceed, but for this probability of `error`: the safest of three limits, Student's, the
    /// skewness-adjusted and that of the logarithm of the share. Student's and the adjusted one are too low where misses
    /// come in bursts that few replications have, the logarithmic one where many have some. `None` below three
    /// replications.
    ///
    /// Where no replication misses anything there is no spread to compute a limit from, and how much one that does would
    /// miss is not in the sample. The limit then is the exact binomial one on the share of replications with a miss, each
    /// of which may miss everything: of `n` replications without one, 1 − error^(1/n).
    pub fn upper_limit(&self, error: f64) -> Option<f64> {
        let t = one_sided_t(error, self.replications.saturating_sub(1))?;
        let (_, above) = self.moments.widths(t)?;
        if self.none() {
            return Some(without_a_miss(self.replications, error));
        }
        Some((self.share + above).max(self.logarithmic(t, 1.0)))
    }

    /// Whether no replication misses anything.
    pub fn none(&self) -> bool {
        self.share <= 0.0
    }

    /// Replications without a miss that it takes until the [upper limit](Misses::upper_limit) is at most `allowed`.
    pub fn replications_without_a_miss(allowed: f64, error: f64) -> u32 {
        let needed = (error.ln() / (-allowed).ln_1p()).ceil();
        if needed.is_finite() { needed.clamp(1.0, f64::from(u32::MAX)) as u32 } else { u32::MAX }
    }

    /// What the true share is not below, but for this probability of `error`; `None` below three replications.
    pub fn lower_limit(&self, error: f64) -> Option<f64> {
        let t = one_sided_t(error, self.replications.saturating_sub(1))?;
        let (below, _) = self.moments.widths(t)?;
        Some((self.share - below).max(0.0))
    }

    /// Whether the true share is more than `allowed`, but for this probability of `error`.
    pub(super) fn surely_above(&self, allowed: f64, error: f64) -> bool {
        let t = one_sided_t(error, self.replications.saturating_sub(1));
        t.is_some_and(|t| self.logarithmic(-t, 1.0) > allowed)
    }

    /// The limit to be expected of `replications` fresh ones, if the share is what it is here.
    pub(super) fn expected_limit(&self, replications: u32, error: f64) -> f64 {
        self.expected_by(&Expected::new(replications, error))
    }

    /// The same, of what is computed once for many settings.
    pub(super) fn expected_by(&self, expected: &Expected) -> f64 {
        if self.none() {
            return expected.without_a_miss;
        }
        self.logarithmic(expected.t, (f64::from(self.replications) / expected.replications).sqrt())
    }

    /// The limit of the logarithm for the quantile `t`, with the standard error times `scale`.
    fn logarithmic(&self, t: f64, scale: f64) -> f64 {
        if self.share <= 0.0 { 0.0 } else { self.share * (t * scale * self.error() / self.share).exp() }
    }
}

/// What the limit of fresh replications depends on beside the setting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    replications: f64,
    t: f64,
    without_a_miss: f64,
}

impl Expected {
    /// Of so many replications, but for this probability of `error`.
    pub fn new(replications: u32, error: f64) -> Expected {
        Expected {
            replications: f64::from(replications),
            t: one_sided_t(error, replications.saturating_sub(1)).unwrap_or(f64::INFINITY),
            without_a_miss: without_a_miss(replications, error),
        }
    }
}

/// The share of replications with a miss that is not exceeded, but for this probability of `error`, if none of so many has
/// one (Clopper and Pearson, Biometrika 26, 1934).
fn without_a_miss(replications: u32, error: f64) -> f64 {
    1.0 - error.powf(1.0 / f64::from(replications.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(missed: &[f64]) -> Misses {
        Misses::of(missed.iter().map(|missed| (*missed, 100.0))).unwrap()
    }

    #[test]
    fn the_upper_limit_is_the_safest_of_three() {
        // 2 % ± 1: no skewness, so Student's and the adjusted limit agree, and the logarithm's is above: t(4) is 2.1318.
        let even = of(&[1.0, 1.0, 2.0, 3.0, 3.0]);
        let error = (0.01_f64.powi(2) * 4.0 / 4.0 / 5.0).sqrt();
        let logarithmic = 0.02 * (2.1318467863266495 * error / 0.02).exp();
        assert!((even.upper_limit(0.05).unwrap() - logarithmic).abs() < 1e-9);
        assert!(logarithmic > 0.02 + 2.1318467863266495 * error);
        // All of it in one replication of five: the logarithm's is far above the others.
        let burst = of(&[0.0, 0.0, 0.0, 0.0, 10.0]);
        assert!(burst.upper_limit(0.05).is_some_and(|limit| limit > 0.1), "{:?}", burst.upper_limit(0.05));
    }

    #[test]
    fn what_is_surely_above_is_above_by_more_than_the_noise() {
        let misses = of(&[1.0, 1.0, 2.0, 3.0, 3.0]);
        let above = [0.005, 0.02, 0.06].map(|allowed| misses.surely_above(allowed, 0.05));
        assert_eq!(above, [true, false, false]);
    }

    #[test]
    fn more_replications_are_expected_to_bring_the_limit_down() {
        let misses = of(&[1.0, 1.0, 2.0, 3.0, 3.0]);
        let limits = [5, 40, 640].map(|replications| misses.expected_limit(replications, 0.01));
        assert!(limits[0] > limits[1] && limits[1] > limits[2] && limits[2] > 0.02, "{limits:?}");
        // 0.01 is 0.8913 to the power of 40.
        assert!((of(&[0.0; 5]).expected_limit(40, 0.01) - 0.1087).abs() < 1e-4);
    }

    #[test]
    fn no_miss_at_all_has_the_binomial_limit_of_replications_and_two_replications_none_at_all() {
        // 0.025 is 0.4782 to the power of 5, and 0.8316 to that of 20.
        for (replications, limit) in [(5, 0.5218), (10, 0.3085), (20, 0.1684), (72, 0.0499)] {
            let found = of(&vec![0.0; replications]).upper_limit(0.025);
            assert!(found.is_some_and(|found| (found - limit).abs() < 1e-4), "{replications}: {found:?}");
        }
        for allowed in [0.05, 0.01, 0.001] {
            let needed = Misses::replications_without_a_miss(allowed, 0.025);
            let limit = |replications: u32| of(&vec![0.0; replications as usize]).upper_limit(0.025).unwrap();
            assert!(limit(needed) <= allowed && limit(needed - 1) > allowed, "{needed}");
        }
        assert_eq!(Misses::replications_without_a_miss(0.0, 0.025), u32::MAX);
        assert_eq!(of(&[1.0, 2.0]).upper_limit(0.025), None);
        assert!(Misses::of(std::iter::empty()).is_none());
    }
}
