//! Points that fill a space evenly.

use rand::seq::SliceRandom as _;

use crate::random::{Purpose, Streams};

/// Designs tried, at the most.
const MOST_TRIED: usize = 200;

/// Comparisons of two points that may be spent on the choice among designs.
const MOST_COMPARISONS: usize = 20_000_000;

/// A Latin hypercube of `points` points in `dimensions` dimensions: each of the ranks 0 to `points` − 1 once in every
/// dimension (McKay, Beckman and Conover, Technometrics 21(2), 1979). Of many drawn at random the one whose nearest two
/// points are furthest apart (maximin: Johnson, Moore and Ylvisaker, J. Stat. Plan. Inference 26, 1990).
///
/// The same for the same arguments, whatever the seed of the runs: which points are run is no matter of chance.
pub(super) fn latin_hypercube(points: usize, dimensions: usize) -> Vec<Vec<usize>> {
    let mut rng = Streams::new(0, 0).stream(Purpose::Design);
    let tries = (MOST_COMPARISONS / (points * points).max(1)).clamp(1, MOST_TRIED);
    let mut best = (0, Vec::new());
    for attempt in 0..tries {
        let columns: Vec<Vec<usize>> = (0..dimensions)
            .map(|_| {
                let mut ranks: Vec<usize> = (0..points).collect();
                ranks.shuffle(&mut rng);
                ranks
            })
            .collect();
        let design: Vec<Vec<usize>> =
            (0..points).map(|point| columns.iter().map(|ranks| ranks[point]).collect()).collect();
        let spread = if tries > 1 { least_distance(&design) } else { 0 };
        if attempt == 0 || spread > best.0 {
            best = (spread, design);
        }
    }
    best.1
}

/// Square of the distance of the two nearest points.
fn least_distance(design: &[Vec<usize>]) -> usize {
    let distance = |a: &[usize], b: &[usize]| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b).pow(2)).sum();
    let pairs = design.iter().enumerate().flat_map(|(index, a)| design[..index].iter().map(move |b| (a, b)));
    pairs.map(|(a, b)| distance(a, b)).min().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // A random Latin hypercube of 20 points in the plane has two diagonal neighbours (distance² 2) nearly always:
        // the expected number of such pairs is about 2.
        assert!(least_distance(&latin_hypercube(20, 2)) >= 8);
    }

    #[test]
    fn one_point_or_one_dimension_is_no_trouble() {
        assert_eq!(latin_hypercube(1, 2), [vec![0, 0]]);
        assert_eq!(latin_hypercube(5, 1).len(), 5);
    }
}
