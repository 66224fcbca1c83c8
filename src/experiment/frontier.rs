//! The frontier: the points of which none is both cheaper and faster.

use crate::sorting::Sorting as _;
use crate::stats::{CONFIDENCE, LEAST_REPLICATIONS, Linearised, student_t};

/// Whether a point is on the frontier, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// No other point is at least as good in both figures and better in one. Points equal in both are on it together.
    pub on: bool,
    /// Whether noise may have decided it; `None` where there is no interval to tell.
    ///
    /// A point on the frontier is uncertain if some other point could beat it: the intervals of both differences leave
    /// room for the other to be no worse in either figure and better in one. One off it is uncertain unless some point
    /// of the frontier surely beats it: no worse in either figure and better in one, throughout both intervals.
    pub uncertain: Option<bool>,
}

/// Cost and latency of a point; less is better.
pub type CostAndLatency = (Linearised, Linearised);

/// The Pareto set of `points`. A point that lacks a figure is never on it.
///
/// Differences are `paired` replication by replication if all points ran on common random numbers; then noise that
/// they share leaves the frontier certain where intervals of the points themselves would overlap. Each interval is one
/// of [`CONFIDENCE`] alone, not corrected for their number.
pub fn frontier(points: &[CostAndLatency], paired: bool) -> Vec<Membership> {
    let means: Vec<Option<(f64, f64)>> =
        points.iter().map(|(cost, latency)| cost.mean().zip(latency.mean())).collect();
    let on = pareto(&means);
    let differences = Differences::between(points, paired);
    let frontier: Vec<usize> = (0..points.len()).filter(|index| on[*index]).collect();
    let uncertain = |index: usize| {
        means[index].filter(|_| points[index].0.replications() >= LEAST_REPLICATIONS as usize)?;
        // Equal in both is a tie, not noise: under common random numbers it means equal runs.
        let rival = |other: &usize| means[*other].is_some() && means[*other] != means[index];
        let this = &points[index];
        Some(if on[index] {
            (0..points.len()).filter(rival).any(|other| differences.could_beat(&points[other], this))
        } else {
            !frontier
                .iter()
                .filter(|other| rival(other))
                .any(|other| differences.surely_beats(&points[*other], this))
        })
    };
    (0..points.len()).map(|index| Membership { on: on[index], uncertain: uncertain(index) }).collect()
}

fn pareto(means: &[Option<(f64, f64)>]) -> Vec<bool> {
    let mut order: Vec<(f64, f64, usize)> = means
        .iter()
        .enumerate()
        .filter_map(|(i, mean)| mean.map(|(cost, latency)| (cost, latency, i)))
        .collect();
    order.sort_once_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut on = vec![false; means.len()];
    let mut best: Option<(f64, f64)> = None;
    for (cost, latency, index) in order {
        if best.is_none_or(|(_, fastest)| latency < fastest) {
            best = Some((cost, latency));
        }
        on[index] = best == Some((cost, latency));
    }
    on
}

/// How the differences of two points are told from noise.
enum Differences {
    /// Replication by replication, with the quantile of t for their number.
    Paired(f64),
    /// As of independent runs.
    Unpaired,
}

impl Differences {
    fn between(points: &[CostAndLatency], paired: bool) -> Differences {
        let first = points.first().map_or(0, |(cost, _)| cost.replications());
        // A figure that some replication lacks cannot be matched with those that have it.
        let alike = points
            .iter()
            .flat_map(|(cost, latency)| [cost, latency])
            .all(|figure| figure.replications() == first);
        match student_t(CONFIDENCE, first.saturating_sub(1) as u32) {
            Some(t) if paired && alike => Differences::Paired(t),
            _ => Differences::Unpaired,
        }
    }

    /// The interval of how much more `other` has than `this`; everything where there is none.
    fn interval(&self, other: &Linearised, this: &Linearised) -> (f64, f64) {
        let found = match self {
            Differences::Paired(t) => Some(other.interval_above(this, *t)),
            Differences::Unpaired => {
                let difference = other.minus_unpaired(this, CONFIDENCE);
                difference.low.zip(difference.high)
            }
        };
        found.unwrap_or((f64::NEG_INFINITY, f64::INFINITY))
    }

    fn could_beat(&self, other: &CostAndLatency, this: &CostAndLatency) -> bool {
        let cost = self.interval(&other.0, &this.0).0;
        cost <= 0.0 && {
            let latency = self.interval(&other.1, &this.1).0;
            latency <= 0.0 && (cost < 0.0 || latency < 0.0)
        }
    }

    fn surely_beats(&self, other: &CostAndLatency, this: &CostAndLatency) -> bool {
        let cost = self.interval(&other.0, &this.0).1;
        cost <= 0.0 && {
            let latency = self.interval(&other.1, &this.1).1;
            latency <= 0.0 && (cost < 0.0 || latency < 0.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point with one replication.
    fn once(cost: f64, latency: f64) -> CostAndLatency {
        (Linearised::of_values(&[cost]), Linearised::of_values(&[latency]))
    }

    /// A point with three replications: as given, and as much less and more.
    fn about((cost, cost_by): (f64, f64), (latency, latency_by): (f64, f64)) -> CostAndLatency {
        let three = |mean: f64, by: f64| Linearised::of_values(&[mean, mean - by, mean + by]);
        (three(cost, cost_by), three(latency, latency_by))
    }

    fn on(points: &[(f64, f64)]) -> Vec<bool> {
        let points: Vec<_> = points.iter().map(|(cost, latency)| once(*cost, *latency)).collect();
        frontier(&points, true).iter().map(|membership| membership.on).collect()
    }

    fn told(points: &[CostAndLatency], paired: bool) -> Vec<(bool, Option<bool>)> {
        frontier(points, paired).iter().map(|membership| (membership.on, membership.uncertain)).collect()
    }

    #[test]
    fn only_points_that_nothing_beats_are_on_it() {
        assert_eq!(on(&[(1.0, 9.0), (2.0, 4.0), (3.0, 5.0), (4.0, 1.0)]), [true, true, false, true]);
    }

    #[test]
    fn equal_points_are_on_it_together_and_half_ties_lose() {
        assert_eq!(on(&[(1.0, 2.0), (1.0, 2.0)]), [true, true]);
        assert_eq!(on(&[(1.0, 3.0), (1.0, 2.0)]), [false, true]);
        assert_eq!(on(&[(1.0, 2.0), (2.0, 2.0)]), [true, false]);
    }

    #[test]
    fn points_without_a_figure_are_never_on_it() {
        let lost = (Linearised::of_values(&[0.1]), Linearised::default());
        let found = frontier(&[lost, once(1.0, 1.0)], true);
        assert_eq!((found[0].on, found[1].on), (false, true));
        assert!(frontier(&[], true).is_empty());
    }

    #[test]
    fn noise_that_all_points_share_leaves_membership_certain() {
        // Wide intervals, but in every replication the second costs 1 more and is 1 slower than the first.
        let points = [about((10.0, 5.0), (10.0, 5.0)), about((11.0, 5.0), (11.0, 5.0))];
        assert_eq!(told(&points, true), [(true, Some(false)), (false, Some(false))]);
        assert_eq!(told(&points, false), [(true, Some(true)), (false, Some(true))]);
    }

    #[test]
    fn noise_of_their_own_leaves_it_open() {
        // The second costs surely more; its latency is less in the mean, by ±2.48 (t(2) × 1 / √3).
        let faster_by = |by: f64| [about((1.0, 0.0), (9.0, 1.0)), about((2.0, 0.0), (9.0 - by, 2.0))];
        assert_eq!(told(&faster_by(3.0), true), [(true, Some(false)), (true, Some(false))]);
        assert_eq!(told(&faster_by(2.0), true), [(true, Some(false)), (true, Some(true))]);
        assert_eq!(told(&faster_by(-2.0), true), [(true, Some(false)), (false, Some(true))]);
        assert_eq!(told(&faster_by(-3.0), true), [(true, Some(false)), (false, Some(false))]);
    }

    #[test]
    fn one_replication_cannot_tell() {
        assert_eq!(told(&[once(1.0, 1.0), once(2.0, 0.5)], true), [(true, None), (true, None)]);
    }
}
