//! A quantile of the requests of several runs together, with its interval.
//!
//! The estimate is the quantile of all requests pooled, so a busy run weighs more than a quiet one. Its interval is found
//! by inverting a test (Woodruff, J. Am. Stat. Assoc. 47, 1952; Francisco and Fuller, Ann. Statist. 19, 1991, for
//! clusters, which the runs are here): it holds each time x for which the share of requests within x, estimated as a
//! ratio over the runs with the interval of every figure, may be the share asked for. So a promise "99 % within 2 s" and
//! the pooled p99 can never contradict each other: the interval of the share lies above 99 % exactly if that of the p99
//! lies within 2 s.

use super::hull::Moments;
use super::{Estimate, LEAST_REPLICATIONS, Linearised, Tally, student_t};

/// The requests of several runs: how long those answered took, and how many there are to be answered.
#[derive(Debug, Clone)]
pub struct Pool {
    runs: Vec<(Vec<(u64, u64)>, u64)>,
}

/// A quantile of a [`Pool`].
#[derive(Debug, Clone, PartialEq)]
pub struct Quantile {
    /// The quantile in seconds, with its interval. No mean if more requests are lost than the quantile allows; an infinite
    /// upper end if they may be.
    pub estimate: Estimate,
    /// The same to be subtracted and divided. Each run pulls by its share of slow requests, scaled so that the interval
    /// is as wide as the one of `estimate`.
    pub linearised: Linearised,
}

impl Pool {
    /// One entry a run: the times of the requests answered, and the number of all that count, those that are never
    /// answered included. Runs without any are left out.
    pub fn new<'a>(runs: impl Iterator<Item = (&'a Tally, u64)>) -> Pool {
        let runs = runs.filter(|(_, all)| *all > 0).map(|(tally, all)| (tally.cumulative(), all)).collect();
        Pool { runs }
    }

    /// The `q`-quantile (0 < `q` < 1): the least recorded time that at least a share `q` of all requests does not exceed,
    /// within 0.1 %; with its interval at this `confidence`, from three runs on.
    pub fn quantile(&self, q: f64, confidence: f64) -> Quantile {
        let runs = self.runs.len();
        let replications = u32::try_from(runs).unwrap_or(u32::MAX);
        let all: u64 = self.runs.iter().map(|run| run.1).sum();
        let most = self.runs.iter().filter_map(|run| run.0.last()).map(|step| step.0).max().unwrap_or(0);
        // As in `Digest::quantile`: rounding must not push a whole rank up by one.
        let rank = (q * all as f64 * (1.0 - 2.0 * f64::EPSILON)).ceil().max(1.0) as u64;
        let found = least(0, most, |nanos| self.within(nanos).sum::<u64>() >= rank);
        let Some(found) = found.filter(|_| runs > 0) else {
            let estimate = Estimate { replications, ..Estimate::default() };
            return Quantile { estimate, linearised: Linearised::default() };
        };
        let mean = found as f64 / 1e9;
        let t = student_t(confidence, replications - 1).filter(|_| replications >= LEAST_REPLICATIONS);
        let Some(t) = t else {
            let estimate = Estimate { mean: Some(mean), replications, ..Estimate::default() };
            return Quantile { estimate, linearised: Linearised::of_values(&vec![mean; runs]) };
        };
        let low = least(0, found, |nanos| self.share(nanos).ends(t).1 >= q).unwrap_or(found);
        let high = least(found, most, |nanos| self.share(nanos).ends(t).0 >= q);
        // An end that one run alone reaches tells nothing of how much further another would.
        let reach = |nanos: &u64| {
            let nanos = *nanos;
            self.runs.iter().filter(move |run| run.0.last().is_some_and(|last| last.0 >= nanos))
        };
        let high = high.filter(|nanos| reach(nanos).count() >= 2);
        let seconds = |nanos: Option<u64>| nanos.map_or(f64::INFINITY, |nanos| nanos as f64 / 1e9);
        let (low, high) = (seconds(Some(low)), seconds(high));
        let estimate = Estimate { mean: Some(mean), low: Some(low), high: Some(high), replications };
        let half = if high.is_finite() { (high - low) / 2.0 } else { mean - low };
        Quantile { estimate, linearised: self.linearised(found, half / t) }
    }

    /// The quantile `found` as figures of the runs, with this standard error.
    fn linearised(&self, found: u64, standard_error: f64) -> Linearised {
        let share = self.share(found);
        let scale = match (standard_error, share.moments.variance_of_mean().sqrt()) {
            (0.0, _) => 0.0,
            // How far each pulls is not known where they all agree here and not nearby.
            (_, 0.0) => f64::NAN,
            (seconds, share) => seconds / share,
        };
        // More within it than their share pull a run's quantile down.
        let pulls = self.pulls(found, share.ratio).map(|pull| -pull * scale).collect();
        Linearised::around(found as f64 / 1e9, pulls)
    }

    /// How many requests of each run are answered within `nanos`.
    fn within(&self, nanos: u64) -> impl Iterator<Item = u64> {
        self.runs.iter().map(move |(steps, _)| {
            let at_most = steps.partition_point(|step| step.0 <= nanos);
            at_most.checked_sub(1).map_or(0, |last| steps[last].1)
        })
    }

    /// The share of requests answered within `nanos`, by the ratio estimator.
    fn share(&self, nanos: u64) -> Share {
        let all: f64 = self.runs.iter().map(|run| run.1 as f64).sum();
        let ratio = self.within(nanos).sum::<u64>() as f64 / all;
        Share { ratio, moments: Moments::of(self.pulls(nanos, ratio)) }
    }

    /// How far each run pulls the share `ratio` of requests within `nanos`.
    fn pulls(&self, nanos: u64, ratio: f64) -> impl Iterator<Item = f64> {
        let mean_size = self.runs.iter().map(|run| run.1 as f64).sum::<f64>() / self.runs.len() as f64;
        let pull = move |(within, run): (u64, &(_, u64))| (within as f64 - ratio * run.1 as f64) / mean_size;
        self.within(nanos).zip(&self.runs).map(pull)
    }
}

struct Share {
    ratio: f64,
    moments: Moments,
}

impl Share {
    /// The interval for the quantile `t`.
    fn ends(&self, t: f64) -> (f64, f64) {
        let (below, above) = self.moments.widths(t).unwrap_or((f64::INFINITY, f64::INFINITY));
        (self.ratio - below, self.ratio + above)
    }
}

/// The least of `from..=to` that `holds`, by bisection; `None` if `to` does not.
fn least(from: u64, to: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut from, mut to) = (from, holds(to).then_some(to)?);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) { to = middle } else { from = middle + 1 }
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Digest;
    use crate::time::Span;

    const T5: f64 = 2.570581835636314;

    /// Values of 1, 2, … up to `count` milliseconds.
    fn run(count: u64) -> Digest {
        of((1..=count).map(|millis| millis * 1_000_000))
    }

    fn of(nanos: impl Iterator<Item = u64>) -> Digest {
        let mut digest = Digest::new(Span::from_secs(3600));
        nanos.for_each(|nanos| digest.record(nanos));
        digest
    }

    fn pool_of(runs: &[(Digest, u64)]) -> Pool {
        let tallies: Vec<(Tally, u64)> =
            runs.iter().map(|(digest, lost)| (Tally::of(digest), digest.count() + lost)).collect();
        Pool::new(tallies.iter().map(|(tally, all)| (tally, *all)))
    }

    fn near(found: Option<f64>, exact: f64) {
        assert!(found.is_some_and(|found| (found - exact).abs() <= exact * 1e-3), "{found:?} for {exact}");
    }

    #[test]
    fn the_pooled_quantile_is_that_of_the_merged_digest() {
        let (small, large) = (run(100), of((1..=9000).map(|k| k * k * 1000)));
        let mut merged = small.clone();
        merged.merge(&large);
        let pool = pool_of(&[(small, 0), (large, 0)]);
        for q in [0.001, 0.01, 0.3, 0.5, 0.9, 0.99, 0.999] {
            assert_eq!(pool.quantile(q, 0.95).estimate.mean, merged.quantile(q), "{q}");
        }
    }

    #[test]
    fn the_interval_is_where_the_interval_of_the_share_holds_the_level() {
        // 90, 60 and 30 in 100 within 1 s, the rest within 2 s: the share within 1 s is 0.6 ± 0.745, which holds 0.9.
        let runs = [90, 60, 30]
            .map(|fast| (of((0..100).map(|k| if k < fast { 1_000_000_000 } else { 2_000_000_000 })), 0));
        let pool = pool_of(&runs);
        let share = pool.share(1_000_500_000);
        let error = share.moments.variance_of_mean().sqrt();
        assert!((share.ratio - 0.6).abs() < 1e-12 && (error - 0.3 / 3_f64.sqrt()).abs() < 1e-12);
        let found = pool.quantile(0.9, 0.95).estimate;
        near(found.mean, 2.0);
        near(found.low, 1.0);
        near(found.high, 2.0);
        // Nine in ten are surely within 1 s if 99, 98 and 97 of a hundred are.
        let runs = [99, 98, 97]
            .map(|fast| (of((0..100).map(|k| if k < fast { 1_000_000_000 } else { 2_000_000_000 })), 0));
        let found = pool_of(&runs).quantile(0.9, 0.95).estimate;
        near(found.mean, 1.0);
        near(found.high, 1.0);
    }

    #[test]
    fn what_pulls_a_run_is_as_wide_as_the_interval() {
        let pool = pool_of(&[1000, 1010, 990, 1000, 1005, 995].map(|count| (run(count), 0)));
        let found = pool.quantile(0.9, 0.95);
        let (low, high) = found.estimate.low.zip(found.estimate.high).unwrap();
        let half = found.linearised.variance_of_mean().sqrt() * T5;
        assert!((half - (high - low) / 2.0).abs() < 1e-9, "{half} for {low} to {high}");
        assert!(low < found.estimate.mean.unwrap() && found.estimate.mean.unwrap() < high);
    }

    #[test]
    fn requests_never_answered_count_and_may_leave_no_quantile() {
        let some_lost = pool_of(&[(run(1000), 0), (run(1000), 15), (run(1000), 0)]);
        near(some_lost.quantile(0.9, 0.95).estimate.mean, 0.905);
        // 99.5 % are answered on the whole, but one run alone lost more than that.
        let may_be = some_lost.quantile(0.995, 0.95).estimate;
        near(may_be.mean, 1.0);
        assert_eq!(may_be.high, Some(f64::INFINITY));
        assert_eq!(some_lost.quantile(0.999, 0.95).estimate.mean, None);
    }

    #[test]
    fn an_end_that_one_run_alone_reaches_is_open() {
        // The longest second of one run owns the tail: how long it might be in another is not in the sample.
        let long = || of((1..=1000).map(|millis| millis * if millis > 980 { 9_000_000 } else { 1_000_000 }));
        let one = pool_of(&[(run(1000), 0), (run(1000), 0), (long(), 0)]).quantile(0.99, 0.95).estimate;
        assert_eq!(one.high, Some(f64::INFINITY), "{one:?}");
        let two = pool_of(&[(run(1000), 0), (long(), 0), (long(), 0)]).quantile(0.99, 0.95).estimate;
        assert!(two.high.is_some_and(f64::is_finite), "{two:?}");
    }

    #[test]
    fn one_run_has_no_interval_and_none_no_quantile() {
        let one = pool_of(&[(run(100), 0)]).quantile(0.5, 0.95).estimate;
        assert_eq!((one.mean.is_some(), one.low, one.replications), (true, None, 1));
        assert_eq!(pool_of(&[]).quantile(0.5, 0.95).estimate, Estimate::default());
        assert_eq!(pool_of(&[(run(100), 0), (run(90), 0)]).quantile(0.5, 0.95).estimate.low, None);
        let equal = pool_of(&[(run(100), 0), (run(100), 0), (run(100), 0)]).quantile(0.5, 0.95);
        assert_eq!((equal.estimate.low, equal.estimate.high), (equal.estimate.mean, equal.estimate.mean));
        assert_eq!(equal.linearised.variance_of_mean(), 0.0);
    }

    #[test]
    fn zeros_and_long_times_survive_the_tally() {
        let digest = of([0, 0, 5, 1_000_000_000, 3_599_000_000_000].into_iter());
        let steps = Tally::of(&digest).cumulative();
        assert_eq!(steps[0], (0, 2));
        assert_eq!(steps.last().unwrap(), &(3_599_000_000_000, 5));
    }
}
