//! Stable sorting, compiled once; and where an instant stands among sorted ones.
//!
//! `slice::sort_by` is compiled anew for each type and each order, some 3,000 lines of intermediate code at a time: a twentieth of
//! the whole program. This sorts places instead, which are all of one type, and then moves each item once. It is for lists that are
//! sorted once or twice; what sorts again and again, or very much, calls that of the standard library.

use std::cmp::Ordering;

/// What slices sort with.
pub trait Sorting<T> {
    /// As `slice::sort_by`: equal ones keep their order.
    fn sort_once_by(&mut self, order: impl FnMut(&T, &T) -> Ordering);

    /// As `slice::sort_by_key`.
    fn sort_once_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K);
}

impl<T> Sorting<T> for [T] {
    fn sort_once_by(&mut self, mut order: impl FnMut(&T, &T) -> Ordering) {
        let mut places = places(self.len(), &mut |a, b| order(&self[a], &self[b]));
        // Each item moves to its place along the cycles of the permutation.
        for start in 0..places.len() {
            let mut at = start;
            while places[at] != start {
                let from = std::mem::replace(&mut places[at], at);
                self.swap(at, from);
                at = from;
            }
            places[at] = at;
        }
    }

    fn sort_once_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.sort_once_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// The places below `count` in `order`.
fn places(count: usize, order: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| order(*a, *b));
    places
}

/// How many of `sorted` are less than `limit`. A plain loop: what the standard library has for it takes a closure, which not every
/// build makes part of the loop.
#[inline]
pub fn count_below(sorted: &[u64], limit: u64) -> usize {
    let (mut from, mut length) = (0, sorted.len());
    while length > 0 {
        let half = length / 2;
        if sorted[from + half] < limit {
            from += half + 1;
            length -= half + 1;
        } else {
            length = half;
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_below_a_limit_are_counted() {
        let sorted = [2, 3, 3, 7];
        for length in 0..=sorted.len() {
            for limit in 0..9 {
                let below = sorted[..length].iter().filter(|value| **value < limit).count();
                assert_eq!(count_below(&sorted[..length], limit), below);
            }
        }
    }

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        let mut state = 7_u64;
        for count in (0..40).chain([1000]) {
            let mut items: Vec<(u64, usize)> = Vec::new();
            for place in 0..count {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                items.push(((state >> 33) % (1 + count as u64 / 2), place));
            }
            let (mut expected, mut by_key) = (items.clone(), items.clone());
            expected.sort_by_key(|item| std::cmp::Reverse(item.0));
            items.sort_once_by(|a, b| b.0.cmp(&a.0));
            assert_eq!(items, expected, "{count}");
            expected.sort_by_key(|item| item.0);
            by_key.sort_once_by_key(|item| item.0);
            assert_eq!(
                by_key.iter().map(|item| item.0).collect::<Vec<_>>(),
                expected.iter().map(|item| item.0).collect::<Vec<_>>()
            );
            assert!(by_key.windows(2).all(|two| two[0] < two[1]), "equal ones keep their order");
        }
    }
}
