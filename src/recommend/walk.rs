//! Which combinations of a space are tried, where it is too large for all of them: points that fill it evenly, then those
//! around the best so far, until that finds none better. How near the cheapest this comes is measured by
//! `tests/statistics/search.rs`.

use std::collections::BTreeSet;

/// Combinations up to which all of them are tried.
pub const EXHAUSTIVE: f64 = 200.0;

/// From this many on, no more are looked for.
pub const MOST: usize = 300;

/// Settings whose neighbours are tried.
const LEADERS: usize = 8;

/// The first of them, of which two values at once are moved, too.
const DIAGONAL: usize = 3;

/// The values that are tried of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// How many.
    pub count: usize,
    /// Whether they are in an order, as numbers are; of others all are neighbours.
    pub ordered: bool,
}

impl Levels {
    fn beside(self, level: usize) -> Vec<usize> {
        if !self.ordered {
            return self.others(level);
        }
        let next = Some(level + 1).filter(|next| *next < self.count);
        level.checked_sub(1).into_iter().chain(next).collect()
    }

    fn others(self, level: usize) -> Vec<usize> {
        (0..self.count).filter(|other| *other != level).collect()
    }
}

/// Replications with which each combination of a space of so many is tried. Where all are, the race has every one of them before
/// it, and a few are enough to begin with; a search goes where its first replications lead.
pub fn first_replications(combinations: f64) -> u32 {
    if combinations <= EXHAUSTIVE { 3 } else { 5 }
}

/// How many points fill a space of so many settings to begin with.
pub fn points(settings: usize) -> usize {
    (10 * settings).clamp(24, 80)
}

/// The places to try next, from those of the best so far in the order of their rank, and of the bargains just beyond the
/// promise: every other value of each setting of the first, the neighbours of the first eight of both, and the places that
/// differ from one of the first three in two settings.
pub fn around(space: &[Levels], ranked: &[Vec<usize>], bargains: &[Vec<usize>]) -> BTreeSet<Vec<usize>> {
    let mut places = BTreeSet::new();
    let with = |place: &[usize], axis: usize, level: usize| {
        let mut other = place.to_vec();
        other[axis] = level;
        other
    };
    let leaders = ranked.iter().take(LEADERS).enumerate();
    for (rank, place) in leaders.chain(bargains.iter().take(LEADERS).map(|place| (LEADERS, place))) {
        for (axis, levels) in space.iter().enumerate() {
            let moves = if rank == 0 { levels.others(place[axis]) } else { levels.beside(place[axis]) };
            places.extend(moves.into_iter().map(|level| with(place, axis, level)));
            if rank >= DIAGONAL {
                continue;
            }
            for level in levels.beside(place[axis]) {
                let moved = with(place, axis, level);
                for (second, others) in space.iter().enumerate().take(axis) {
                    let beside = others.beside(place[second]);
                    places.extend(beside.into_iter().map(|level| with(&moved, second, level)));
                }
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_searched_along_every_setting_and_the_next_around_them() {
        let space = [Levels { count: 5, ordered: true }, Levels { count: 3, ordered: false }];
        let of = |ranked: &[Vec<usize>]| around(&space, ranked, &[]);
        let best = of(&[vec![2, 0]]);
        // Four along the first, two along the second, and two by two across.
        assert_eq!(best.len(), 4 + 2 + 2 * 2, "{best:?}");
        assert!(best.contains(&vec![4, 0]) && best.contains(&vec![3, 2]) && !best.contains(&vec![4, 1]));
        let fourth = vec![vec![2, 0]; 3].into_iter().chain([vec![0, 1]]).collect::<Vec<_>>();
        let more: Vec<_> = of(&fourth).difference(&best).cloned().collect();
        // Those of the fourth that are not around the first already: one up, and the names beside it.
        assert_eq!(more, [vec![0, 2]]);
        assert!(of(&fourth).contains(&vec![1, 1]));
        let beside = around(&space, &[], &[vec![0, 1]]);
        assert_eq!(beside.into_iter().collect::<Vec<_>>(), [[0, 0], [0, 2], [1, 1]]);
    }
}
