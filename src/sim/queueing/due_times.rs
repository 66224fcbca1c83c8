//! When each of many next changes by itself, and which does first.

use super::tournament::{Ordered as _, Tournament};

/// The next change of each index, as a tournament of one word each: the nanoseconds since the last rebuild above, the
/// index below, so that of two at one instant the lower index comes first. None is to come before the last rebuild.
#[derive(Debug, Clone, Default)]
pub struct DueTimes {
    tree: Tournament<u64>,
    /// Bits of an index.
    bits: u32,
    /// Instant of the last rebuild, nanoseconds.
    from: u64,
    /// What comes this long after it, or later, has to wait for the next.
    reach: u64,
}

impl DueTimes {
    #[inline]
    fn key(&self, index: usize, at: u64) -> u64 {
        let after = at.saturating_sub(self.from);
        if after >= self.reach { u64::NEVER } else { (after << self.bits) | index as u64 }
    }

    /// Changes when that of `index` comes; [`u64::MAX`] for never.
    #[inline]
    pub fn set(&mut self, index: usize, at: u64) {
        let key = self.key(index, at);
        if self.tree.key(index) != key {
            self.tree.set(index, key);
        }
    }

    /// The index whose change comes first, if that is by `now`.
    #[inline]
    pub fn next_by(&self, now: u64) -> Option<usize> {
        let (least, passed) = (self.tree.least(), now.checked_sub(self.from)?);
        (least >> self.bits <= passed && least != u64::NEVER)
            .then_some((least & !(u64::MAX << self.bits)) as usize)
    }

    /// Whether `now` is so late that changes by then may be missing until all is rebuilt.
    #[inline]
    pub fn is_beyond(&self, now: u64) -> bool {
        now.saturating_sub(self.from) >= self.reach
    }

    /// Starts anew at `from`, with the changes of all.
    pub fn rebuild(&mut self, from: u64, changes: impl ExactSizeIterator<Item = u64>) {
        self.from = from;
        self.bits = usize::BITS - changes.len().saturating_sub(1).leading_zeros();
        self.reach = u64::MAX >> self.bits;
        let keys: Vec<u64> = changes.enumerate().map(|(index, at)| self.key(index, at)).collect();
        self.tree.rebuild(keys.into_iter());
    }
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
        // Three bits of index leave 2^61 ns.
        changes = [1 << 62, (1 << 62) + 1, u64::MAX, u64::MAX, u64::MAX];
        due.rebuild(0, changes.into_iter());
        assert_eq!((due.next_by(1 << 60), due.is_beyond(1 << 60)), (None, false));
        assert!(due.is_beyond(1 << 61));
        due.rebuild((1 << 61) + 2, changes.into_iter());
        assert_eq!(due.next_by(1 << 62), Some(0));
        due.rebuild(5, [9].into_iter());
        assert_eq!((due.next_by(8), due.next_by(9)), (None, Some(0)));
    }
}
