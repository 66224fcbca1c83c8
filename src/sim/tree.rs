//! A tournament tree: the least of many keys, each of which can change.
//!
//! Changing the key of one leaf costs one comparison a level and no branch that depends on data, which on the small,
//! ever-changing sets of a pool (the slots of a few dozen instances) beats a binary heap. Knuth, *The Art of Computer
//! Programming*, vol. 3, §5.4.1 (tree of winners).

/// The least of the keys of `n` leaves. Keys order events exactly: instant first, then insertion.
#[derive(Debug, Clone, Default)]
pub struct Tournament {
    /// A complete binary tree as an array: the root at 1, the leaves from `width` on.
    nodes: Vec<Key>,
    width: usize,
    leaves: usize,
}

/// An instant, an order within the instant, and the leaf it belongs to, compared in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u128);

impl Key {
    /// Later than every key: an empty leaf.
    pub const NEVER: Key = Key(u128::MAX);

    /// Leaves a tree may have.
    pub const MOST_LEAVES: u32 = 1 << LEAF_BITS;

    /// The key of `leaf` at `nanos`; `order` counts insertions and decides between equal instants.
    #[inline]
    pub fn new(nanos: u64, order: u64, leaf: usize) -> Key {
        Key((nanos as u128) << 64 | ((order << LEAF_BITS) | leaf as u64) as u128)
    }

    /// The instant, in nanoseconds.
    #[inline]
    pub fn nanos(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// The leaf.
    #[inline]
    pub fn leaf(self) -> usize {
        (self.0 as u64 & (Key::MOST_LEAVES as u64 - 1)) as usize
    }
}

/// 2²⁰ leaves and 2⁴⁴ insertions.
const LEAF_BITS: u32 = 20;

impl Tournament {
    /// The least key; [`Key::NEVER`] if every leaf is empty.
    #[inline]
    pub fn least(&self) -> Key {
        self.nodes.get(1).copied().unwrap_or(Key::NEVER)
    }

    /// Changes the key of `leaf`.
    #[inline]
    pub fn set(&mut self, leaf: usize, key: Key) {
        let nodes = self.nodes.as_mut_slice();
        let mut at = self.width + leaf;
        nodes[at] = key;
        let mut winner = key;
        while at > 1 {
            winner = winner.min(nodes[at ^ 1]);
            at >>= 1;
            nodes[at] = winner;
        }
    }

    /// Starts anew with these keys; leaf `i` gets the `i`-th.
    pub fn rebuild(&mut self, keys: impl ExactSizeIterator<Item = Key>) {
        self.leaves = keys.len();
        self.width = self.leaves.next_power_of_two();
        self.nodes.clear();
        self.nodes.resize(2 * self.width, Key::NEVER);
        for (leaf, key) in keys.enumerate() {
            self.nodes[self.width + leaf] = key;
        }
        for at in (1..self.width).rev() {
            self.nodes[at] = self.nodes[2 * at].min(self.nodes[2 * at + 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_key_is_at_the_top_after_every_change() {
        let mut tree = Tournament::default();
        assert_eq!(tree.least(), Key::NEVER);
        let mut keys = vec![Key::NEVER; 5];
        tree.rebuild(keys.iter().copied());
        let mut nanos = 12_345_u64;
        for order in 0..1000 {
            nanos = nanos.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let leaf = (nanos >> 33) as usize % keys.len();
            keys[leaf] = Key::new(nanos >> 40, order, leaf);
            tree.set(leaf, keys[leaf]);
            assert_eq!(tree.least(), *keys.iter().min().unwrap());
        }
    }

    #[test]
    fn equal_instants_go_by_insertion() {
        assert!(Key::new(5, 1, 9) < Key::new(5, 2, 0));
        assert!(Key::new(4, 9, 9) < Key::new(5, 0, 0));
        assert_eq!((Key::new(7, 3, 11).nanos(), Key::new(7, 3, 11).leaf()), (7, 11));
    }
}
