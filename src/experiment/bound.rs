//! The bound of a comparison: what the SLO attainment of each contender would cost a pool that knows the future.

use serde::Serialize;

use super::{COST, Case, Contender, Evaluator, Figures, Replications, RunError, SLO_ATTAINMENT};
use crate::scenario::Scenario;
use crate::sorting::Sorting as _;
use crate::stats::{CONFIDENCE, Estimate, Linearised};

/// The least cost at which the SLO is kept more or less often, and how far each contender is from it.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The contender that knows the future.
    pub of: usize,
    /// That pool, sized for more and more than it meets; by rising cost, each better than the one before.
    pub points: Vec<Figures>,
    /// How far each contender is from the bound, in their order.
    pub standings: Vec<Standing>,
}

/// Where a contender stands against the bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// It keeps the SLO as often as some pool between two of the bound.
    Judged {
        /// What it costs more than that pool, with its interval at [`CONFIDENCE`].
        extra_cost: Estimate,
        /// The same as a share of what that pool costs.
        relative: Estimate,
    },
    /// It keeps the SLO more often than every pool of the bound.
    BetterThanBound,
    /// It keeps the SLO less often than every pool of the bound.
    WorseThanBound,
    /// It differs from the bound by more than its autoscaler, or did not finish the same replications.
    #[serde(rename = "apart")]
    NotComparable,
}

/// A pool of the bound, in what is interpolated.
#[derive(Debug, Clone)]
struct Corner {
    cost: Linearised,
    attainment: Linearised,
}

impl Bound {
    /// The contender that knows the future, if one does and something is promised.
    pub(super) fn base(contenders: &[Contender]) -> Option<usize> {
        contenders.iter().position(|each| {
            let model = &each.scenario.model;
            // It knows what comes to one pool, and not when the other is done with it.
            model.slo.is_some() && model.decode.is_none() && !model.autoscaler.bound().is_empty()
        })
    }

    /// Runs the bound of the first contender that has one; `None` if none has, nothing is promised, or it was stopped.
    pub(super) fn of(contenders: &[Contender], evaluator: &Evaluator<'_>) -> Result<Option<Bound>, RunError> {
        let Some(of) = Bound::base(contenders) else { return Ok(None) };
        let base = &contenders[of];
        let with = |(number, autoscaler)| {
            let mut scenario = base.scenario.clone();
            scenario.model.autoscaler = autoscaler;
            scenario.identity = scenario.identity.changed(&format!("bound {number}"));
            scenario
        };
        let autoscalers = base.scenario.model.autoscaler.bound();
        let scenarios: Vec<Scenario> = autoscalers.into_iter().enumerate().map(with).collect();
        let batch: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
        let found = evaluator.replications(&batch, &())?;
        let whole = |replications: &Replications| replications.len() == base.replications.len();
        if !found.iter().all(whole) {
            return Ok(None);
        }
        let better = best(found);
        let corners: Vec<Corner> = better.iter().map(Corner::of).collect();
        let standing = |each: &Contender| {
            let alike = whole(&each.replications) && alike(&each.scenario, &base.scenario);
            if alike { Corner::of(&each.replications).against(&corners) } else { Standing::NotComparable }
        };
        let standings = contenders.iter().map(standing).collect();
        Ok(Some(Bound { of, points: better.iter().map(Replications::figures).collect(), standings }))
    }
}

/// Whether two scenarios differ in nothing but the autoscaler and what it sees.
fn alike(a: &Scenario, b: &Scenario) -> bool {
    let mut model = a.model.clone();
    model.autoscaler = b.model.autoscaler.clone();
    model.metrics = b.model.metrics;
    model == b.model
}

/// Those that no other beats in both, by rising cost and attainment.
fn best(mut all: Vec<Replications>) -> Vec<Replications> {
    let mean = |replications: &Replications, name: &str| replications.figure(name).mean().unwrap_or(0.0);
    all.sort_once_by(|a, b| {
        let by_cost = mean(a, COST).total_cmp(&mean(b, COST));
        by_cost.then(mean(b, SLO_ATTAINMENT).total_cmp(&mean(a, SLO_ATTAINMENT)))
    });
    let mut most = f64::NEG_INFINITY;
    all.retain(|replications| {
        let attainment = mean(replications, SLO_ATTAINMENT);
        let better = attainment > most;
        most = most.max(attainment);
        better
    });
    all
}

impl Corner {
    fn of(replications: &Replications) -> Corner {
        Corner { cost: replications.figure(COST), attainment: replications.figure(SLO_ATTAINMENT) }
    }

    fn missed(&self) -> f64 {
        1.0 - self.attainment.mean().unwrap_or(0.0)
    }

    /// How far from the line through `corners`, which are by rising attainment, at the same attainment.
    fn against(&self, corners: &[Corner]) -> Standing {
        let missed = self.missed();
        let (Some(first), Some(last)) = (corners.first(), corners.last()) else {
            return Standing::NotComparable;
        };
        if missed > first.missed() {
            return Standing::WorseThanBound;
        }
        if missed < last.missed() {
            return Standing::BetterThanBound;
        }
        let beyond = corners.iter().position(|corner| corner.missed() <= missed).unwrap_or(0);
        let corner = &corners[beyond];
        let bound = match beyond.checked_sub(1) {
            Some(before) if corner.missed() < missed => self.between(&corners[before], corner),
            _ => corner.cost.clone(),
        };
        let relative = self.cost.over(&bound).estimate(CONFIDENCE);
        let less_one = |end: Option<f64>| end.map(|end| end - 1.0);
        Standing::Judged {
            extra_cost: self.cost.minus(&bound).estimate(CONFIDENCE),
            relative: Estimate {
                mean: less_one(relative.mean),
                low: less_one(relative.low),
                high: less_one(relative.high),
                ..relative
            },
        }
    }

    /// The cost of the bound at this attainment: on the straight line from `a` to `b` over the logarithm of the share of
    /// requests that miss the SLO, or over the share itself if `b` misses none.
    fn between(&self, a: &Corner, b: &Corner) -> Linearised {
        let logarithm = b.missed() > 0.0;
        let scaled = |corner: &Corner| match logarithm {
            true => corner.attainment.mapped(|kept| (1.0 - kept).ln(), |kept| -1.0 / (1.0 - kept)),
            false => corner.attainment.mapped(|kept| 1.0 - kept, |_| -1.0),
        };
        let (from, to) = (scaled(a), scaled(b));
        let along = scaled(self).minus(&from).over(&to.minus(&from));
        a.cost.plus(&along.times(&b.cost.minus(&a.cost)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Costs and shares missed in three replications of 1000 requests.
    fn corner(costs: [f64; 3], missed: [f64; 3]) -> Corner {
        let pairs: Vec<(f64, f64)> = missed.iter().map(|missed| (1000.0 - missed, 1000.0)).collect();
        Corner { cost: Linearised::of_values(&costs), attainment: Linearised::of_ratio(&pairs) }
    }

    fn bound() -> Vec<Corner> {
        vec![corner([10.0; 3], [100.0; 3]), corner([20.0; 3], [10.0; 3]), corner([40.0; 3], [1.0; 3])]
    }

    fn judged(standing: Standing) -> (Estimate, Estimate) {
        let Standing::Judged { extra_cost, relative } = standing else { panic!("{standing:?}") };
        (extra_cost, relative)
    }

    #[test]
    fn the_bound_is_a_straight_line_over_the_logarithm_of_what_is_missed() {
        // Half way from 10 to 1 of 1000 in logarithms is the square root of 10; the bound costs 30 there.
        let found = corner([33.0; 3], [10.0_f64.sqrt(); 3]).against(&bound());
        let (extra, relative) = judged(found);
        assert!((extra.mean.unwrap() - 3.0).abs() < 1e-9 && (relative.mean.unwrap() - 0.1).abs() < 1e-9);
        assert!((extra.high.unwrap() - 3.0).abs() < 1e-9, "nothing varies");
    }

    #[test]
    fn a_pool_of_the_bound_costs_nothing_extra() {
        for (at, corner) in bound().iter().enumerate() {
            let (extra, _) = judged(corner.against(&bound()));
            assert!(extra.mean.unwrap().abs() < 1e-9, "{at}");
        }
    }

    #[test]
    fn beyond_its_ends_the_bound_says_nothing() {
        assert_eq!(corner([50.0; 3], [0.5; 3]).against(&bound()), Standing::BetterThanBound);
        assert_eq!(corner([5.0; 3], [200.0; 3]).against(&bound()), Standing::WorseThanBound);
    }

    #[test]
    fn a_pool_that_misses_none_ends_the_bound_by_a_line_over_the_share() {
        let ends = vec![corner([10.0; 3], [10.0; 3]), corner([30.0; 3], [0.0; 3])];
        let (extra, _) = judged(corner([25.0; 3], [5.0; 3]).against(&ends));
        assert!((extra.mean.unwrap() - 5.0).abs() < 1e-9);
        let (extra, _) = judged(corner([31.0; 3], [0.0; 3]).against(&ends));
        assert!((extra.mean.unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_a_contender_and_the_bound_share_does_not_widen_the_interval() {
        let level = [10.0, 12.0, 14.0];
        let ends = vec![corner(level, [10.0; 3]), corner(level.map(|cost| 2.0 * cost), [1.0; 3])];
        let dearer = corner(level.map(|cost| 3.0 + cost), [10.0; 3]);
        let (extra, _) = judged(dearer.against(&ends));
        assert!((extra.mean.unwrap() - 3.0).abs() < 1e-9 && extra.high.unwrap() - extra.low.unwrap() < 1e-9);
        // An attainment that varies moves along the bound, so that it widens the interval.
        let unsure = corner(level.map(|cost| 3.0 + cost), [4.0, 5.0, 6.0]);
        let (extra, _) = judged(unsure.against(&ends));
        assert!(extra.high.unwrap() - extra.low.unwrap() > 0.5);
    }
}
