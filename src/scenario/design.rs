//! Points that fill a space evenly.

use rand::RngExt as _;
use rand::seq::SliceRandom as _;

use crate::random::{Purpose, Streams};

/// Maximum number of exchanges tried.
const MOST_EXCHANGES: usize = 20_000;

/// Comparisons of two points that may be spent on exchanges.
const MOST_COMPARISONS: usize = 20_000_000;

/// A Latin hypercube of `points` points in `dimensions` dimensions: each of the ranks 0 to `points` − 1 once in every
/// dimension (McKay, Beckman and Conover, Technometrics 21(2), 1979). A random one is improved by exchanging two ranks of
/// one dimension wherever that moves points apart, judged by the sum of d⁻¹⁰ over all pairs (criterion φ₁₀ of Morris and
/// Mitchell, J. Stat. Plan. Inference 43, 1995), which the nearest pairs rule.
///
/// The same for the same arguments, whatever the seed of the runs: which points are run is no matter of chance.
pub(super) fn latin_hypercube(points: usize, dimensions: usize) -> Vec<Vec<usize>> {
    let mut rng = Streams::new(0, 0).stream(Purpose::Design);
    let mut design = vec![vec![0; dimensions]; points];
    for dimension in 0..dimensions {
        let mut ranks: Vec<usize> = (0..points).collect();
        ranks.shuffle(&mut rng);
        design.iter_mut().zip(ranks).for_each(|(point, rank)| point[dimension] = rank);
    }
    if points < 2 || dimensions < 2 {
        return design;
    }
    for _ in 0..MOST_EXCHANGES.min(MOST_COMPARISONS / (4 * points)) {
        let (a, b) = (rng.random_range(0..points), rng.random_range(0..points));
        let dimension = rng.random_range(0..dimensions);
        let before = crowding(&design, a) + crowding(&design, b);
        exchange(&mut design, a, b, dimension);
        if crowding(&design, a) + crowding(&design, b) > before {
            exchange(&mut design, a, b, dimension);
        }
    }
    design
}

fn exchange(design: &mut [Vec<usize>], a: usize, b: usize, dimension: usize) {
    let rank = design[a][dimension];
    design[a][dimension] = std::mem::replace(&mut design[b][dimension], rank);
}

/// Sum of d⁻¹⁰ over the distances of one point from the others.
fn crowding(design: &[Vec<usize>], point: usize) -> f64 {
    let others = design.iter().enumerate().filter(|(index, _)| *index != point);
    others.map(|(_, other)| (square_distance(&design[point], other) as f64).powi(-5)).sum()
}

fn square_distance(a: &[usize], b: &[usize]) -> usize {
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Square of the distance of the two nearest points.
    fn least_distance(design: &[Vec<usize>]) -> usize {
        let pairs = (0..design.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        pairs.map(|(a, b)| square_distance(&design[a], &design[b])).min().unwrap_or(usize::MAX)
    }

    #[test]
    fn every_rank_comes_once_in_every_dimension() {
        let design = latin_hypercube(17, 3);
        for dimension in 0..3 {
            let mut ranks: Vec<usize> = design.iter().map(|point| point[dimension]).collect();
            ranks.sort_unstable();
            assert_eq!(ranks, (0..17).collect::<Vec<_>>());
        }
    }

    #[test]
    fn points_keep_further_apart_than_those_of_a_random_hypercube() {
        // A random Latin hypercube of 20 points in the plane has about two pairs of diagonal neighbours (distance² 2).
        assert!(least_distance(&latin_hypercube(20, 2)) >= 8);
    }

    #[test]
    fn one_point_or_one_dimension_is_no_trouble() {
        assert_eq!(latin_hypercube(1, 2), [vec![0, 0]]);
        assert_eq!(latin_hypercube(5, 1).len(), 5);
    }
}
