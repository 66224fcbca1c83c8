//! A set that only the least is taken from.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter;

/// Items in their order. The few least stand sorted and the others in a heap, so that as long as there are few, which on
/// one instance is the rule, adding one moves a few and taking one moves none.
#[derive(Debug, Clone)]
pub(super) struct Soonest<T> {
    /// The least, in descending order; empty only if there is none at all.
    near: Vec<T>,
    /// The others, of which none is less than one of those.
    far: BinaryHeap<Reverse<T>>,
}

/// More than so many do not stand sorted.
const MOST_NEAR: usize = 32;

impl<T: Ord + Copy> Soonest<T> {
    /// Without an item.
    pub fn new() -> Self {
        Soonest { near: Vec::new(), far: BinaryHeap::new() }
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.near.len() + self.far.len()
    }

    /// The least.
    #[inline]
    pub fn least(&self) -> Option<&T> {
        self.near.last()
    }

    /// Adds one.
    #[inline(always)]
    pub fn add(&mut self, item: T) {
        if self.near.len() == MOST_NEAR {
            self.part();
        }
        if !self.far.is_empty() && self.near.first().is_none_or(|greatest| item > *greatest) {
            return self.add_far(item);
        }
        let mut at = self.near.len();
        self.near.push(item);
        while at > 0 && self.near[at - 1] < item {
            self.near[at] = self.near[at - 1];
            at -= 1;
        }
        self.near[at] = item;
    }

    #[cold]
    fn add_far(&mut self, item: T) {
        self.far.push(Reverse(item));
    }

    /// Moves half of those that stand sorted to the others.
    #[cold]
    fn part(&mut self) {
        self.far.extend(self.near.drain(..MOST_NEAR / 2).map(Reverse));
    }

    /// Moves as many back.
    #[cold]
    fn sort_more(&mut self) {
        self.near.extend(iter::from_fn(|| self.far.pop()).take(MOST_NEAR / 2).map(|Reverse(item)| item));
        self.near.reverse();
    }

    /// Takes the least out.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        let least = self.near.pop();
        if self.near.is_empty() && !self.far.is_empty() {
            self.sort_more();
        }
        least
    }

    /// Takes those out of which `goes` says so.
    pub fn remove(&mut self, mut goes: impl FnMut(&T) -> bool) {
        self.near.retain(|item| !goes(item));
        self.far.retain(|Reverse(item)| !goes(item));
        if self.near.is_empty() {
            self.sort_more();
        }
    }

    /// All, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.near.iter().chain(self.far.iter().map(|Reverse(item)| item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_come_out_in_order() {
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for most in [1, 5, MOST_NEAR as u64, 200] {
            let (mut soonest, mut sorted) = (Soonest::new(), Vec::new());
            for _ in 0..5_000 {
                if next(20) == 0 {
                    let goes = next(1000);
                    soonest.remove(|item| *item == goes);
                    sorted.retain(|item| *item != goes);
                } else if (soonest.len() as u64) < next(most + 1) {
                    let item = next(1000);
                    soonest.add(item);
                    sorted.push(item);
                    sorted.sort_unstable();
                } else {
                    let least = (!sorted.is_empty()).then(|| sorted.remove(0));
                    assert_eq!(soonest.least(), least.as_ref());
                    assert_eq!(soonest.take(), least);
                }
                assert_eq!(soonest.len(), sorted.len());
                let mut all: Vec<u64> = soonest.iter().copied().collect();
                all.sort_unstable();
                assert_eq!(all, sorted);
            }
        }
    }
}
