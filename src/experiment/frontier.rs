//! The frontier: the points of which none is both cheaper and faster.

use crate::stats::Estimate;

/// Whether a point is on the frontier, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// No other point is at least as good in both figures and better in one. Points equal in both are on it together.
    pub on: bool,
    /// Whether noise may have decided it; `None` where there is no interval to tell.
    ///
    /// A point on the frontier is uncertain if some other point could be better in both with every figure somewhere
    /// within its interval; one off it, unless some other point is better in both wherever the figures lie.
    pub uncertain: Option<bool>,
}

/// The Pareto set of `points`, `(cost, latency)` each, less being better. A point that lacks a figure is never on it.
pub fn frontier(points: &[(Estimate, Estimate)]) -> Vec<Membership> {
    let means: Vec<Option<(f64, f64)>> =
        points.iter().map(|(cost, latency)| cost.mean.zip(latency.mean)).collect();
    let on = pareto(&means);
    let uncertain = |index: usize| {
        let this = Box2::of(&points[index])?;
        // Equal in both is a tie, not noise: under common random numbers it means equal runs.
        let mut others = (0..points.len())
            .filter(|other| means[*other] != means[index])
            .filter_map(|other| Box2::of(&points[other]));
        Some(if on[index] {
            others.any(|other| other.could_beat(&this))
        } else {
            !others.any(|other| other.surely_beats(&this))
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
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
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

/// Where the two figures of a point lie.
struct Box2 {
    cost: (f64, f64),
    latency: (f64, f64),
}

impl Box2 {
    fn of((cost, latency): &(Estimate, Estimate)) -> Option<Box2> {
        Some(Box2 { cost: cost.low.zip(cost.high)?, latency: latency.low.zip(latency.high)? })
    }

    fn could_beat(&self, other: &Box2) -> bool {
        self.cost.0 < other.cost.1 && self.latency.0 < other.latency.1
    }

    fn surely_beats(&self, other: &Box2) -> bool {
        self.cost.1 < other.cost.0 && self.latency.1 < other.latency.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exactly(value: f64) -> Estimate {
        Estimate { mean: Some(value), low: None, high: None, replications: 1 }
    }

    fn about(value: f64, half: f64) -> Estimate {
        Estimate { mean: Some(value), low: Some(value - half), high: Some(value + half), replications: 5 }
    }

    fn on(points: &[(f64, f64)]) -> Vec<bool> {
        let points: Vec<_> =
            points.iter().map(|(cost, latency)| (exactly(*cost), exactly(*latency))).collect();
        frontier(&points).iter().map(|membership| membership.on).collect()
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
        let lost = (exactly(0.1), Estimate::default());
        let found = frontier(&[lost, (exactly(1.0), exactly(1.0))]);
        assert_eq!((found[0].on, found[1].on), (false, true));
        assert!(frontier(&[]).is_empty());
    }

    #[test]
    fn membership_is_uncertain_where_intervals_leave_it_open() {
        let found = frontier(&[
            (about(1.0, 0.1), about(9.0, 1.0)),
            (about(2.0, 0.1), about(4.0, 0.5)),
            // Dearer and slower than the one before, but within the noise of it.
            (about(2.1, 0.1), about(4.2, 0.5)),
            // Dearer and slower beyond any noise.
            (about(5.0, 0.1), about(8.0, 0.1)),
        ]);
        let told: Vec<_> = found.iter().map(|membership| (membership.on, membership.uncertain)).collect();
        assert_eq!(
            told,
            [(true, Some(false)), (true, Some(true)), (false, Some(true)), (false, Some(false))]
        );
    }

    #[test]
    fn one_replication_cannot_tell() {
        assert_eq!(frontier(&[(exactly(1.0), exactly(1.0))])[0].uncertain, None);
    }
}
