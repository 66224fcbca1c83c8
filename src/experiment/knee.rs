//! The knee: where paying more stops buying much speed.

/// Shortest latency the logarithm is taken of: the resolution of simulated time.
const SHORTEST_S: f64 = 1e-9;

/// The knee of a frontier, as an index into `points`, `(cost, latency)` each.
///
/// The Kneedle rule (Satopaa, Albrecht, Irwin and Raghavan, "Finding a 'Kneedle' in a Haystack", ICDCS Workshops 2011,
/// §III) for a decreasing convex curve: both axes are scaled to 0..1 over the frontier, and the knee is the point
/// furthest below the straight line between its ends. Latency is taken as its logarithm, since it is ratios that users
/// feel, and since one collapsed point would else flatten the rest of the curve. The frontier is a set of points and
/// not a noisy signal, so Kneedle's smoothing and sensitivity do not apply: the greatest of the maxima is taken, the
/// cheapest of equals.
///
/// A frontier of one point is its own knee. One of two, or one that nowhere bends below the line, has none.
pub fn knee(points: &[(f64, f64)]) -> Option<usize> {
    if points.len() == 1 {
        return Some(0);
    }
    let costs = scaled(points.iter().map(|(cost, _)| *cost))?;
    let latencies = scaled(points.iter().map(|(_, latency)| latency.max(SHORTEST_S).ln()))?;
    let depth = |index: usize| 1.0 - costs[index] - latencies[index];
    let deepest = (0..points.len()).max_by(|a, b| {
        depth(*a).total_cmp(&depth(*b)).then_with(|| costs[*b].total_cmp(&costs[*a])).then(b.cmp(a))
    })?;
    // The ends lie on the line itself, up to rounding.
    (depth(deepest) > 1e-9).then_some(deepest)
}

/// The values scaled to 0..1; `None` if they do not differ.
fn scaled(values: impl Iterator<Item = f64> + Clone) -> Option<Vec<f64>> {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    (most > least).then(|| values.map(|value| (value - least) / (most - least)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_is_the_point_furthest_below_the_line_between_the_ends() {
        // In the logarithm of latency: (0, 1), (0.2, 0.25), (0.6, 0.2), (1, 0) of the scaled axes.
        let latency = |share: f64| 10_f64.powf(4.0 * share);
        let points = [(0.0, latency(1.0)), (2.0, latency(0.25)), (6.0, latency(0.2)), (10.0, latency(0.0))];
        assert_eq!(knee(&points), Some(1));
    }

    #[test]
    fn one_collapsed_point_does_not_decide_the_knee() {
        // On a linear axis the second point would be the knee, whatever comes after it.
        let points = [(1.0, 10_000.0), (2.0, 100.0), (3.0, 1.0), (9.0, 0.5)];
        assert_eq!(knee(&points), Some(2));
    }

    #[test]
    fn a_curve_without_a_bend_has_no_knee() {
        assert_eq!(knee(&[]), None);
        assert_eq!(knee(&[(1.0, 4.0), (2.0, 1.0)]), None);
        // Straight in the logarithm, and bent the other way.
        assert_eq!(knee(&[(1.0, 100.0), (2.0, 10.0), (3.0, 1.0)]), None);
        assert_eq!(knee(&[(1.0, 100.0), (2.0, 90.0), (3.0, 1.0)]), None);
    }

    #[test]
    fn a_single_point_is_its_own_knee() {
        assert_eq!(knee(&[(1.0, 4.0)]), Some(0));
    }

    #[test]
    fn ties_and_zero_latencies_are_no_trouble() {
        assert_eq!(knee(&[(1.0, 4.0), (1.0, 4.0)]), None);
        assert_eq!(knee(&[(1.0, 4.0), (2.0, 0.0), (3.0, 0.0)]), Some(1));
    }
}
