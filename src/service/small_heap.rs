//! A priority queue for the few items that one instance has.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter;

/// Maximum length of the sorted part.
const MAX_SORTED: usize = 32;

/// A priority queue, the smallest item first. The smallest items stand in a sorted array and the others in a binary heap:
/// with few items, which is the rule on one instance, pushing one shifts a few neighbours in one cache line or two, and
/// popping one shifts none, where a heap would compare its way down.
#[derive(Debug, Clone)]
pub(super) struct SmallHeap<T> {
    /// The smallest items, in descending order; empty only if there are no items at all.
    sorted: Vec<T>,
    /// The other items, none of which is smaller than any in `sorted`.
    rest: BinaryHeap<Reverse<T>>,
}

impl<T: Ord + Copy> SmallHeap<T> {
    /// Without items.
    pub fn new() -> Self {
        SmallHeap { sorted: Vec::new(), rest: BinaryHeap::new() }
    }

    /// Number of items.
    #[inline]
    pub fn len(&self) -> usize {
        self.sorted.len() + self.rest.len()
    }

    /// The smallest item.
    #[inline]
    pub fn peek(&self) -> Option<&T> {
        self.sorted.last()
    }

    /// Adds an item.
    #[inline(always)]
    pub fn push(&mut self, item: T) {
        if self.sorted.len() == MAX_SORTED {
            self.move_half_to_rest();
        }
        if !self.rest.is_empty() && self.sorted.first().is_none_or(|greatest| item > *greatest) {
            return self.push_to_rest(item);
        }
        let mut at = self.sorted.len();
        self.sorted.push(item);
        while at > 0 && self.sorted[at - 1] < item {
            self.sorted[at] = self.sorted[at - 1];
            at -= 1;
        }
        self.sorted[at] = item;
    }

    #[cold]
    fn push_to_rest(&mut self, item: T) {
        self.rest.push(Reverse(item));
    }

    #[cold]
    fn move_half_to_rest(&mut self) {
        self.rest.extend(self.sorted.drain(..MAX_SORTED / 2).map(Reverse));
    }

    #[cold]
    fn move_half_to_sorted(&mut self) {
        self.sorted.extend(iter::from_fn(|| self.rest.pop()).take(MAX_SORTED / 2).map(|Reverse(item)| item));
        self.sorted.reverse();
    }

    /// Removes the smallest item.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let smallest = self.sorted.pop();
        if self.sorted.is_empty() && !self.rest.is_empty() {
            self.move_half_to_sorted();
        }
        smallest
    }

    /// Removes the items of which `is_removed` is true.
    pub fn remove(&mut self, mut is_removed: impl FnMut(&T) -> bool) {
        self.sorted.retain(|item| !is_removed(item));
        self.rest.retain(|Reverse(item)| !is_removed(item));
        if self.sorted.is_empty() {
            self.move_half_to_sorted();
        }
    }

    /// All items, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.sorted.iter().chain(self.rest.iter().map(|Reverse(item)| item))
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
        for max_len in [1, 5, MAX_SORTED as u64, 200] {
            let (mut heap, mut expected) = (SmallHeap::new(), Vec::new());
            for _ in 0..5_000 {
                if next(20) == 0 {
                    let removed = next(1000);
                    heap.remove(|item| *item == removed);
                    expected.retain(|item| *item != removed);
                } else if (heap.len() as u64) < next(max_len + 1) {
                    let item = next(1000);
                    heap.push(item);
                    expected.push(item);
                    expected.sort_unstable();
                } else {
                    let smallest = (!expected.is_empty()).then(|| expected.remove(0));
                    assert_eq!(heap.peek(), smallest.as_ref());
                    assert_eq!(heap.pop(), smallest);
                }
                assert_eq!(heap.len(), expected.len());
                let mut all: Vec<u64> = heap.iter().copied().collect();
                all.sort_unstable();
                assert_eq!(all, expected);
            }
        }
    }
}
