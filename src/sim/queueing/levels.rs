//! Many loads, and which is the least.
//!
//! ```text
//!   level      indices with that load, a bit each
//!   base + 0   0 0 0 0 0 0
//!   base + 1   0 1 0 0 1 0     <- the lowest level in use; its lowest bit is the answer: 1
//!   base + 2   1 0 0 1 0 0
//!   ...
//!   above      what is not within the levels is in none; it counts once the base has followed
//!   absent     0 0 1 0 0 1     what is not to be found has a level of its own, after all others
//! ```
//!
//! A load that changes by one costs two bits, whatever the number of indices. Beyond 64 of them, a further word of each level
//! tells where among its words to look.

use std::hint::select_unpredictable;

/// The load of what is not to be found.
pub const ABSENT: u64 = u64::MAX;
/// Levels at a time, with that of what is absent: as many as a word has bits.
const LEVELS: usize = 64;
/// The level of what is absent.
const LAST: u64 = LEVELS as u64 - 1;
/// Levels below the least load where the base is put, so that it need not follow at once when a load falls.
const ROOM: u64 = 16;

/// See the module.
#[derive(Debug, Clone)]
pub struct Levels {
    loads: Vec<u64>,
    /// How many of them are above the levels.
    above: usize,
    /// The lowest level; no load is below it.
    base: u64,
    /// Whether a level is in use, a bit each from the lowest on.
    used: u64,
    /// Of each level, the indices at it, a bit each; beyond 64 indices, the parts of its words in `bits` that are not all
    /// zero, a bit each.
    heads: Box<[u64; LEVELS]>,
    /// Words of a level in `bits`, 64 indices each; 0 where `heads` has them.
    width: usize,
    /// The binary logarithm of the words of a part.
    part: u32,
    /// Beyond 64 indices, whether an index is at a level: the words of one level after the other.
    bits: Vec<u64>,
}

impl Levels {
    /// Changes a load.
    #[inline(always)]
    pub fn set(&mut self, index: usize, load: u64) {
        let before = std::mem::replace(&mut self.loads[index], load);
        if before == load {
            return;
        }
        let (from, to) = (self.level(before), self.level(load));
        if (from | to) > LAST || self.width > 0 {
            return self.set_elsewhere(index, load, from, to);
        }
        let (bit, from, to) = (1 << index, from as usize % LEVELS, to as usize % LEVELS);
        let left = self.heads[from] & !bit;
        self.heads[from] = left;
        self.heads[to] |= bit;
        self.used = self.used & !(u64::from(left == 0) << from) | 1 << to;
    }

    /// The level of a load; [`u64::MAX`] if it is at none. Which of the three it is may be as good as random.
    #[inline]
    fn level(&self, load: u64) -> u64 {
        let level = load.wrapping_sub(self.base);
        let level = select_unpredictable(level >= LAST, u64::MAX, level);
        select_unpredictable(load == ABSENT, LAST, level)
    }

    /// As [`Levels::set`], from a level to another of which one is none, or beyond 64 indices.
    #[inline(never)]
    fn set_elsewhere(&mut self, index: usize, load: u64, from: u64, to: u64) {
        if load < self.base {
            return self.follow();
        }
        if from <= LAST {
            self.remove(index, from as usize)
        } else {
            self.above -= 1
        }
        if to <= LAST { self.put(index, to as usize) } else { self.above += 1 }
    }

    /// The index with the least load, the lowest among equals, if any is present.
    #[inline]
    pub fn least(&mut self) -> Option<usize> {
        if self.used << 1 == 0 {
            if self.above == 0 {
                return None;
            }
            self.follow();
        }
        let level = self.used.trailing_zeros() as usize % LEVELS;
        let head = self.heads[level].trailing_zeros() as usize;
        if self.width == 0 {
            return Some(head);
        }
        let words = &self.bits[level * self.width..(level + 1) * self.width];
        let at = (head << self.part..self.width).find(|at| words[*at] != 0)?;
        Some(64 * at + words[at].trailing_zeros() as usize)
    }

    /// The load of an index.
    #[inline]
    pub fn load(&self, index: usize) -> u64 {
        self.loads[index]
    }

    /// Starts anew with these loads.
    pub fn rebuild(&mut self, loads: impl Iterator<Item = u64>) {
        self.loads.clear();
        self.loads.extend(loads);
        self.width = if self.loads.len() <= 64 { 0 } else { self.loads.len().div_ceil(64) };
        self.part = self.width.div_ceil(64).next_power_of_two().trailing_zeros();
        self.follow();
    }

    /// Puts the base under the least load.
    #[cold]
    fn follow(&mut self) {
        let least = self.loads.iter().filter(|load| **load != ABSENT).min();
        self.base = least.map_or(0, |least| least.saturating_sub(ROOM));
        (self.used, self.above) = (0, 0);
        self.bits.clear();
        self.bits.resize(LEVELS * self.width, 0);
        self.heads.fill(0);
        for index in 0..self.loads.len() {
            match self.level(self.loads[index]) {
                level @ ..=LAST => self.put(index, level as usize),
                _ => self.above += 1,
            }
        }
    }

    fn put(&mut self, index: usize, level: usize) {
        self.used |= 1 << level;
        if self.width == 0 {
            self.heads[level] |= 1 << index;
        } else {
            self.bits[level * self.width + index / 64] |= 1 << (index % 64);
            self.heads[level] |= 1 << ((index / 64) >> self.part);
        }
    }

    fn remove(&mut self, index: usize, level: usize) {
        if self.width == 0 {
            self.heads[level] &= !(1 << index);
        } else {
            let words = &mut self.bits[level * self.width..(level + 1) * self.width];
            words[index / 64] &= !(1 << (index % 64));
            let part = (index / 64) >> self.part;
            let end = ((part + 1) << self.part).min(words.len());
            if words[part << self.part..end].iter().all(|word| *word == 0) {
                self.heads[level] &= !(1 << part);
            }
        }
        self.used &= !(u64::from(self.heads[level] == 0) << level);
    }
}

impl Default for Levels {
    fn default() -> Self {
        let (loads, bits, heads) = (Vec::new(), Vec::new(), Box::new([0; LEVELS]));
        Levels { loads, above: 0, base: 0, used: 0, heads, width: 0, part: 0, bits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_the_least_loaded_is_found_at_any_load() {
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for count in [1, 5, 64, 65, 200, 9000] {
            let (mut levels, mut loads) = (Levels::default(), vec![0_u64; count]);
            levels.rebuild(loads.iter().copied());
            let steps = if count > 1000 { 2_000 } else { 20_000 };
            for step in 0..steps {
                // Up far beyond the levels and down again.
                let index = next(count as u64) as usize;
                let center = step.min(steps - step) / 20;
                let load = center + next(if step % 7 == 0 { 90 } else { 4 });
                loads[index] = if next(3) == 0 { ABSENT } else { load };
                levels.set(index, loads[index]);
                let expected =
                    (0..count).min_by_key(|index| loads[*index]).filter(|index| loads[*index] != ABSENT);
                assert_eq!(levels.least(), expected, "{count} at step {step}");
            }
        }
    }
}
