//! When each of the slots of a pool falls free, and which does first.
//!
//! A tournament of one word a slot: the instant above, the slot below. Half as large as a tournament of instants with their
//! order and slot, it takes one comparison of whole words a level. Equal instants are found by a test at each level that
//! hardly ever holds; then the order decides, which stands apart. An instant that does not fit beside the slot (78 h of
//! nanoseconds beside 65,536 slots, 9 years beside 64) has all slots move to a tournament of full keys.

use std::hint::select_unpredictable;

use super::tournament::{InstantKey, Tournament, replay, replay_in};

/// See the module.
#[derive(Debug, Clone)]
pub struct FreeTimes {
    /// A complete binary tree as an array: the root at 1, the leaves from `width` on; [`NEVER`] where there is no slot.
    nodes: Vec<u64>,
    /// Its root, which is the least word.
    root: u64,
    /// Of each slot, by which equal instants go.
    orders: Vec<u64>,
    width: usize,
    /// Bits of a slot.
    bits: u32,
    /// The same as a mask.
    mask: u64,
    /// Instants from here on do not fit into a word; 0 where `wide` holds.
    reach: u64,
    /// All slots, where an instant does not fit into a word; then there are no other nodes.
    wide: Option<Tournament>,
}

const NEVER: u64 = u64::MAX;

impl Default for FreeTimes {
    fn default() -> Self {
        let mut free = FreeTimes {
            nodes: Vec::new(),
            root: NEVER,
            orders: Vec::new(),
            width: 0,
            bits: 0,
            mask: 0,
            reach: 0,
            wide: None,
        };
        free.rebuild(&[]);
        free
    }
}

impl FreeTimes {
    /// The first instant at which a slot falls free, nanoseconds, and the slot; [`u64::MAX`] if there is none.
    #[inline]
    pub fn least(&self) -> (u64, usize) {
        let word = self.root;
        if word == NEVER {
            return self.least_of_wide();
        }
        (word >> self.bits, (word & self.mask) as usize)
    }

    #[cold]
    fn least_of_wide(&self) -> (u64, usize) {
        self.wide.as_ref().map_or((u64::MAX, 0), |wide| (wide.least().nanos(), wide.least().leaf()))
    }

    /// When `slot` falls free, nanoseconds, and its order among equal instants.
    pub fn key(&self, slot: usize) -> (u64, u64) {
        let nanos = match &self.wide {
            Some(wide) => wide.key(slot).nanos(),
            None => self.nodes[self.width + slot] >> self.bits,
        };
        (nanos, self.orders[slot])
    }

    /// The keys of all slots, in order.
    pub fn keys(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..self.orders.len()).map(|slot| self.key(slot))
    }

    /// How many nodes the tree has, for [`FreeTimes::set_in`].
    #[inline]
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Changes when `slot` falls free; `order` decides between equal instants.
    #[inline]
    pub fn set(&mut self, slot: usize, nanos: u64, order: u64) {
        self.set_in::<0>(slot, nanos, order);
    }

    /// As [`FreeTimes::set`], compiled for a tree of `NODES` nodes, which it has; 0 for any.
    #[inline(always)]
    pub fn set_in<const NODES: usize>(&mut self, slot: usize, nanos: u64, order: u64) {
        self.orders[slot] = order;
        if nanos >= self.reach {
            return self.set_wide(slot, nanos, order);
        }
        let (word, mask, orders) = ((nanos << self.bits) | slot as u64, self.mask, self.orders.as_slice());
        let first = |one, other| first(one, other, mask, orders);
        self.root = match NODES {
            0 => replay(&mut self.nodes, slot, word, first),
            _ => replay_in::<NODES>(&mut self.nodes, slot, word, first),
        };
    }

    /// Adds a slot after the last.
    pub fn push(&mut self, nanos: u64, order: u64) {
        let slot = self.orders.len();
        if slot < self.width || self.wide.is_some() {
            self.orders.push(order);
            match &mut self.wide {
                Some(wide) => wide.push(InstantKey::new(nanos, order, slot)),
                None => self.set(slot, nanos, order),
            }
        } else {
            // Twice the room: adding one after the other stays cheap.
            let keys: Vec<(u64, u64)> = self.keys().chain([(nanos, order)]).collect();
            self.rebuild(&keys);
        }
    }

    #[cold]
    fn set_wide(&mut self, slot: usize, nanos: u64, order: u64) {
        if self.wide.is_none() {
            let keys: Vec<(u64, u64)> = self.keys().collect();
            self.widen(&keys);
        }
        if let Some(wide) = &mut self.wide {
            wide.set(slot, InstantKey::new(nanos, order, slot));
        }
    }

    fn widen(&mut self, keys: &[(u64, u64)]) {
        let mut wide = Tournament::default();
        let full = |(slot, key): (usize, &(u64, u64))| InstantKey::new(key.0, key.1, slot);
        wide.rebuild(keys.iter().enumerate().map(full));
        self.wide = Some(wide);
        self.reach = 0;
        self.root = NEVER;
    }

    /// Starts anew with these instants and orders, one for each slot.
    pub fn rebuild(&mut self, keys: &[(u64, u64)]) {
        self.orders.clear();
        self.orders.extend(keys.iter().map(|key| key.1));
        self.width = keys.len().next_power_of_two().max(2);
        self.bits = self.width.trailing_zeros();
        self.mask = self.width as u64 - 1;
        self.reach = u64::MAX >> self.bits;
        self.wide = None;
        if keys.iter().any(|key| key.0 >= self.reach) {
            return self.widen(keys);
        }
        self.nodes.clear();
        self.nodes.resize(2 * self.width, NEVER);
        for (slot, key) in keys.iter().enumerate() {
            self.nodes[self.width + slot] = (key.0 << self.bits) | slot as u64;
        }
        for at in (1..self.width).rev() {
            self.nodes[at] = first(self.nodes[2 * at], self.nodes[2 * at + 1], self.mask, &self.orders);
        }
        self.root = self.nodes[1];
    }
}

/// The first of two words. Which it is is as good as random, so it is to be selected, not branched on. What is compared is
/// not the words themselves, which would be taken for a minimum, of which the compiler makes a branch: at different instants,
/// the slot of one does not matter.
#[inline]
fn first(one: u64, other: u64, mask: u64, orders: &[u64]) -> u64 {
    if one ^ other <= mask {
        return first_by_order(one, other, mask, orders);
    }
    select_unpredictable(other | mask < one, other, one)
}

#[cold]
fn first_by_order(one: u64, other: u64, mask: u64, orders: &[u64]) -> u64 {
    // Two leaves without a slot are the same.
    let order = |word: u64| orders.get((word & mask) as usize);
    if order(other).is_some_and(|order_of_other| Some(order_of_other) < order(one)) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_fall_free_by_instant_then_by_order_whatever_the_instants() {
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for (slots, from) in [(1, 0), (2, 0), (5, 0), (64, 0), (5, u64::MAX >> 3), (8, u64::MAX - 50)] {
            let mut keys: Vec<(u64, u64)> = (0..slots).map(|slot| (from / 2, slot)).collect();
            let mut free = FreeTimes::default();
            assert_eq!(free.least().0, u64::MAX);
            let (half, rest) = keys.split_at(keys.len() / 2);
            free.rebuild(half);
            rest.iter().for_each(|key| free.push(key.0, key.1));
            // Few instants, so that many are equal.
            for order in slots..slots + 3000 {
                let (slot, nanos) = (next(slots) as usize, from - from / 1000 + next(20));
                keys[slot] = (nanos, order);
                free.set(slot, nanos, order);
                let expected = (0..keys.len()).min_by_key(|slot| keys[*slot]).unwrap();
                assert_eq!(free.least(), (keys[expected].0, expected), "{slots} slots from {from}");
                assert!(free.keys().eq(keys.iter().copied()));
            }
        }
    }
}
