//! When each of many next changes by itself, and which does first.

use std::hint::select_unpredictable;

use super::tournament::replay;

/// The next change of each index, as a tournament of one word each: the nanoseconds since the last rebuild above, the
/// index below, so that of two at one instant the lower index comes first. None is to come before the last rebuild.
#[derive(Debug, Clone)]
pub struct DueTimes {
    /// A complete binary tree as an array: the root at 1, the leaves from `width` on; [`NEVER`] for no change.
    nodes: Vec<u64>,
    /// Its root, which is the least word.
    root: u64,
    width: usize,
    /// Bits of an index.
    bits: u32,
    /// Instant of the last rebuild, nanoseconds.
    from: u64,
    /// What comes this long after it, or later, has to wait for the next.
    reach: u64,
}

/// Above every other word, and so low that two words differ by less than 2⁶³.
const NEVER: u64 = u64::MAX >> 1;

impl Default for DueTimes {
    fn default() -> Self {
        DueTimes { nodes: vec![NEVER; 16], root: NEVER, width: 8, bits: 3, from: 0, reach: 0 }
    }
}

impl DueTimes {
    #[inline]
    fn key(&self, index: usize, at: u64) -> u64 {
        let after = at.saturating_sub(self.from);
        if after >= self.reach { NEVER } else { (after << self.bits) | index as u64 }
    }

    /// Changes when that of `index` comes; [`u64::MAX`] for never.
    #[inline(always)]
    pub fn set(&mut self, index: usize, at: u64) {
        let word = self.key(index, at);
        if self.nodes[self.width + index] != word {
            self.root = replay(&mut self.nodes, index, word, first);
        }
    }

    /// The index whose change comes first, if that is by `now`.
    #[inline]
    pub fn next_by(&self, now: u64) -> Option<usize> {
        self.next_below(self.limit(now))
    }

    /// What words of changes by `now` are below: for [`DueTimes::next_below`].
    #[inline]
    pub fn limit(&self, now: u64) -> u64 {
        match now.checked_sub(self.from) {
            Some(passed) if passed < self.reach => (passed + 1) << self.bits,
            Some(_) => NEVER,
            None => 0,
        }
    }

    /// The index whose change comes first, if that is below a limit.
    #[inline]
    pub fn next_below(&self, limit: u64) -> Option<usize> {
        (self.root < limit).then_some((self.root & !(u64::MAX << self.bits)) as usize)
    }

    /// Whether `now` is so late that changes by then may be missing until all is rebuilt.
    #[inline]
    pub fn is_beyond(&self, now: u64) -> bool {
        now.saturating_sub(self.from) >= self.reach
    }

    /// Starts anew at `from`, with the changes of all.
    pub fn rebuild(&mut self, from: u64, changes: impl ExactSizeIterator<Item = u64>) {
        self.from = from;
        self.width = changes.len().next_power_of_two().max(8);
        self.bits = self.width.trailing_zeros();
        self.reach = NEVER >> self.bits;
        self.nodes.clear();
        self.nodes.resize(2 * self.width, NEVER);
        for (index, at) in changes.enumerate() {
            self.nodes[self.width + index] = self.key(index, at);
        }
        for at in (1..self.width).rev() {
            self.nodes[at] = first(self.nodes[2 * at], self.nodes[2 * at + 1]);
        }
        self.root = self.nodes[1];
    }
}

/// The first of two words, which of two at one instant is that of the lower index. Which it is is as good as random, so it
/// is to be selected, not branched on; a comparison would be taken for a minimum, of which the compiler makes a branch.
#[inline]
fn first(one: u64, other: u64) -> u64 {
    select_unpredictable((other.wrapping_sub(one) as i64) < 0, other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_change_is_found_and_one_beyond_the_reach_after_the_next_rebuild() {
        let mut due = DueTimes::default();
        let mut changes = [700, u64::MAX, 500, 500, 600];
        due.rebuild(400, changes.into_iter());
        assert_eq!((due.next_by(499), due.next_by(500)), (None, Some(2)));
        due.set(2, 800);
        due.set(3, u64::MAX);
        assert_eq!((due.next_by(599), due.next_by(900)), (None, Some(4)));
        // Three bits of index leave 2^60 ns.
        changes = [1 << 61, (1 << 61) + 1, u64::MAX, u64::MAX, u64::MAX];
        due.rebuild(0, changes.into_iter());
        assert_eq!((due.next_by(1 << 59), due.is_beyond(1 << 59)), (None, false));
        assert!(due.is_beyond(1 << 60));
        due.rebuild((1 << 60) + 2, changes.into_iter());
        assert_eq!(due.next_by(1 << 61), Some(0));
        due.rebuild(5, [9].into_iter());
        assert_eq!((due.next_by(8), due.next_by(9)), (None, Some(0)));
    }
}
