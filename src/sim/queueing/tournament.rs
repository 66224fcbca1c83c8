//! A tournament tree: the minimum of many keys, each of which can change.
//!
//! Changing the key of one leaf costs one comparison a level and no branch that depends on data, which on the small,
//! ever-changing sets of a pool (the slots of a few dozen instances) beats a binary heap. Knuth, *The Art of Computer
//! Programming*, vol. 3, §5.4.1 (tree of winners).

use std::hint::select_unpredictable;

/// The minimum of the keys of its leaves.
#[derive(Debug, Clone, Default)]
pub struct Tournament {
    /// A complete binary tree as an array: the root at 1, the leaves from `width` on.
    nodes: Vec<InstantKey>,
    width: usize,
    leaves: usize,
}

/// An instant, an order within the instant, and the leaf it belongs to, compared in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstantKey {
    nanos: u64,
    /// Order and leaf.
    rest: u64,
}

impl InstantKey {
    /// Leaves a tree may have.
    pub const MAX_LEAVES: u32 = 1 << LEAF_BITS;

    /// The key of `leaf` at `nanos`; `order` counts insertions and decides between equal instants.
    #[inline]
    pub fn new(nanos: u64, order: u64, leaf: usize) -> InstantKey {
        InstantKey { nanos, rest: (order << LEAF_BITS) | leaf as u64 }
    }

    /// The instant, in nanoseconds.
    #[inline]
    pub fn nanos(self) -> u64 {
        self.nanos
    }

    /// The leaf.
    #[inline]
    pub fn leaf(self) -> usize {
        (self.rest & (InstantKey::MAX_LEAVES as u64 - 1)) as usize
    }
}

impl InstantKey {
    /// Greater than every key: an empty leaf.
    pub const NEVER: InstantKey = InstantKey { nanos: u64::MAX, rest: u64::MAX };

    /// The lesser of two. Which it is is as good as random, so it is selected, not branched on; equal instants are rare,
    /// and looked at apart.
    #[inline]
    fn lesser(self, other: InstantKey) -> InstantKey {
        if self.nanos == other.nanos {
            return if other.rest < self.rest { other } else { self };
        }
        let less = other.nanos < self.nanos;
        InstantKey {
            nanos: select_unpredictable(less, other.nanos, self.nanos),
            rest: select_unpredictable(less, other.rest, self.rest),
        }
    }
}

/// 2²² leaves and 2⁴² insertions.
const LEAF_BITS: u32 = 22;

impl Tournament {
    /// The least key; [`InstantKey::NEVER`] if every leaf is empty.
    #[inline]
    pub fn least(&self) -> InstantKey {
        self.nodes.get(1).copied().unwrap_or(InstantKey::NEVER)
    }

    /// The keys of the leaves, in order.
    pub fn keys(&self) -> &[InstantKey] {
        self.nodes.get(self.width..self.width + self.leaves).unwrap_or_default()
    }

    /// The key of `leaf`.
    #[inline]
    pub fn key(&self, leaf: usize) -> InstantKey {
        self.nodes[self.width + leaf]
    }

    /// Changes the key of `leaf`.
    #[inline]
    pub fn set(&mut self, leaf: usize, key: InstantKey) {
        let nodes = self.nodes.as_mut_slice();
        let mut at = self.width + leaf;
        nodes[at] = key;
        let mut winner = key;
        while at > 1 {
            winner = winner.lesser(nodes[at ^ 1]);
            at >>= 1;
            nodes[at] = winner;
        }
    }

    /// Adds a leaf after the last.
    pub fn push(&mut self, key: InstantKey) {
        if self.leaves == self.width {
            // Twice the room: adding one after the other stays cheap.
            let mut keys = self.keys().to_vec();
            let leaves = keys.len();
            keys.resize((2 * leaves).max(1), InstantKey::NEVER);
            self.rebuild(keys.into_iter());
            self.leaves = leaves;
        }
        self.leaves += 1;
        self.set(self.leaves - 1, key);
    }

    /// Starts anew with these keys; leaf `i` gets the `i`-th.
    pub fn rebuild(&mut self, keys: impl ExactSizeIterator<Item = InstantKey>) {
        self.leaves = keys.len();
        self.width = self.leaves.next_power_of_two();
        self.nodes.clear();
        self.nodes.resize(2 * self.width, InstantKey::NEVER);
        for (leaf, key) in keys.enumerate() {
            self.nodes[self.width + leaf] = key;
        }
        for at in (1..self.width).rev() {
            self.nodes[at] = self.nodes[2 * at].lesser(self.nodes[2 * at + 1]);
        }
    }
}

/// Puts `word` at a leaf of a tournament and carries the winners up to the root, which is returned. `nodes` is a complete
/// binary tree as an array, the root at 1, its length a power of two; `first` gives the winner of two words.
///
/// For the trees of common pools it is compiled once each: nothing is asked on the way but who wins.
#[inline(always)]
pub(super) fn replay(nodes: &mut [u64], leaf: usize, word: u64, first: impl Fn(u64, u64) -> u64) -> u64 {
    match nodes.len() {
        16 => replay_in::<16>(nodes, leaf, word, first),
        32 => replay_in::<32>(nodes, leaf, word, first),
        128 => replay_in::<128>(nodes, leaf, word, first),
        _ => {
            let (mut winner, mut at) = (word, nodes.len() / 2 + leaf);
            nodes[at] = winner;
            while at > 1 {
                winner = first(winner, nodes[at ^ 1]);
                at >>= 1;
                nodes[at] = winner;
            }
            winner
        }
    }
}

/// As [`replay`], in a tree of so many nodes.
#[inline(always)]
pub(super) fn replay_in<const NODES: usize>(
    nodes: &mut [u64],
    leaf: usize,
    word: u64,
    first: impl Fn(u64, u64) -> u64,
) -> u64 {
    let Some(nodes) = nodes.first_chunk_mut::<NODES>() else { return word };
    let (mut winner, mut at) = (word, NODES / 2 + leaf % (NODES / 2));
    nodes[at] = winner;
    for _ in 1..NODES.ilog2() {
        winner = first(winner, nodes[at ^ 1]);
        at >>= 1;
        nodes[at] = winner;
    }
    winner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_key_is_at_the_top_after_every_change() {
        let mut tree = Tournament::default();
        assert_eq!(tree.least(), InstantKey::NEVER);
        let mut keys = [InstantKey::NEVER; 5];
        tree.rebuild(keys.iter().copied());
        let mut nanos = 12_345_u64;
        for order in 0..1000 {
            nanos = nanos.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let leaf = (nanos >> 33) as usize % keys.len();
            keys[leaf] = InstantKey::new(nanos >> 40, order, leaf);
            tree.set(leaf, keys[leaf]);
            assert_eq!(tree.least(), *keys.iter().min().unwrap());
        }
    }

    #[test]
    fn equal_instants_go_by_insertion() {
        assert!(InstantKey::new(5, 1, 9) < InstantKey::new(5, 2, 0));
        assert!(InstantKey::new(4, 9, 9) < InstantKey::new(5, 0, 0));
        assert_eq!((InstantKey::new(7, 3, 11).nanos(), InstantKey::new(7, 3, 11).leaf()), (7, 11));
    }
}
