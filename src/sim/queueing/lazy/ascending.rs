//! Instants that come in ascending order and leave in it.

use std::hint::select_unpredictable;

/// A ring of instants, none before the one that came before it. Its memory holds a power of two of them.
#[derive(Debug, Clone)]
pub(super) struct Ascending {
    instants: Vec<u64>,
    /// How many have left, and how many have come.
    left: usize,
    came: usize,
}

impl Default for Ascending {
    fn default() -> Self {
        Ascending { instants: vec![0; 4], left: 0, came: 0 }
    }
}

impl Ascending {
    #[inline]
    pub fn len(&self) -> usize {
        self.came - self.left
    }

    /// The first; [`u64::MAX`] if there is none.
    #[inline]
    pub fn first(&self) -> u64 {
        let first = self.instants[self.left & (self.instants.len() - 1)];
        select_unpredictable(self.left == self.came, u64::MAX, first)
    }

    /// The one that came last, or an earlier one if it has left.
    #[inline]
    pub fn last(&self) -> u64 {
        self.instants[self.came.wrapping_sub(1) & (self.instants.len() - 1)]
    }

    /// Adds one, which is not before the last.
    #[inline]
    pub fn push(&mut self, instant: u64) {
        if self.len() == self.instants.len() {
            self.grow();
        }
        let at = self.came & (self.instants.len() - 1);
        self.instants[at] = instant;
        self.came += 1;
    }

    #[cold]
    fn grow(&mut self) {
        let start = self.left & (self.instants.len() - 1);
        self.instants.rotate_left(start);
        (self.left, self.came) = (0, self.len());
        self.instants.resize(2 * self.came, 0);
    }

    /// Takes off those up to `now`, which is not the end of time. Whether the first is one is as good as random, so it is not
    /// asked with a branch.
    #[inline]
    pub fn pass(&mut self, now: u64) {
        debug_assert!(now < u64::MAX, "no instant is as late");
        self.left += usize::from(self.first() <= now);
        while self.first() <= now {
            self.left += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_leaves_and_the_others_stay_in_order() {
        let (mut ring, mut listed) = (Ascending::default(), std::collections::VecDeque::new());
        let mut instant = 0;
        for step in 0..5_000_u64 {
            // More and more at a time, then none.
            for further in 0..(step % 37) / 4 {
                instant += (step + further) % 3;
                ring.push(instant);
                listed.push_back(instant);
            }
            let now = instant.saturating_sub(step * step % 41);
            ring.pass(now);
            while listed.front().is_some_and(|first| *first <= now) {
                listed.pop_front();
            }
            assert_eq!(
                (ring.len(), ring.first()),
                (listed.len(), listed.front().copied().unwrap_or(u64::MAX))
            );
            if let Some(last) = listed.back() {
                assert_eq!(ring.last(), *last);
            }
        }
    }
}
