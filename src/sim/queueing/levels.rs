//! Many loads, and which is the least.
//!
//! ```text
//!   level      indices with that load, a bit each
//!   base + 0   0 0 0 0 0 0
//!   base + 1   0 1 0 0 1 0     <- the lowest level in use; its lowest bit is the answer: 1
//!   base + 2   1 0 0 1 0 0
//!   ...
//!   above      what is not within the levels is in none; it counts once the base has followed
//! ```
//!
//! A load that changes by one costs two bits, whatever the number of indices.

/// The load of what is not to be found.
pub const ABSENT: u64 = u64::MAX;
/// Levels at a time.
const LEVELS: usize = 64;
/// Levels below the least load where the base is put, so that it need not follow at once when a load falls.
const ROOM: u64 = 16;

/// See the module.
#[derive(Debug, Clone)]
pub struct Levels {
    loads: Vec<u64>,
    /// How many of them are not [`ABSENT`].
    present: usize,
    /// The lowest level; no load is below it.
    base: u64,
    /// Whether a level is in use, a bit each from the lowest on.
    used: u64,
    /// Words of a level, 64 indices each.
    width: usize,
    /// Whether an index is at a level: the words of one level after the other.
    bits: Vec<u64>,
    /// How many are at each level.
    counts: Box<[u32; LEVELS]>,
}

impl Levels {
    /// Changes a load.
    #[inline]
    pub fn set(&mut self, index: usize, load: u64) {
        let before = std::mem::replace(&mut self.loads[index], load);
        if before == load {
            return;
        }
        let (from, to) = (before.wrapping_sub(self.base), load.wrapping_sub(self.base));
        if (from | to) < LEVELS as u64 {
            self.remove(index, from as usize);
            self.put(index, to as usize);
        } else {
            self.set_beyond(index, before, load);
        }
    }

    /// As [`Levels::set`], where one of the loads is at no level.
    fn set_beyond(&mut self, index: usize, before: u64, load: u64) {
        self.present += usize::from(before == ABSENT);
        self.present -= usize::from(load == ABSENT);
        if load < self.base {
            return self.follow();
        }
        if before - self.base < LEVELS as u64 {
            self.remove(index, (before - self.base) as usize);
        }
        if load - self.base < LEVELS as u64 {
            self.put(index, (load - self.base) as usize);
        }
    }

    /// The index with the least load, the lowest among equals, if any is present.
    #[inline]
    pub fn least(&mut self) -> Option<usize> {
        if self.used == 0 {
            if self.present == 0 {
                return None;
            }
            self.follow();
        }
        let level = self.used.trailing_zeros() as usize;
        let words = &self.bits[level * self.width..(level + 1) * self.width];
        let at = words.iter().position(|word| *word != 0)?;
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
        self.width = self.loads.len().div_ceil(64);
        self.follow();
    }

    /// Puts the base under the least load.
    #[cold]
    fn follow(&mut self) {
        let present = || self.loads.iter().filter(|load| **load != ABSENT);
        self.present = present().count();
        self.base = present().min().map_or(0, |least| least.saturating_sub(ROOM));
        self.used = 0;
        self.bits.clear();
        self.bits.resize(LEVELS * self.width, 0);
        self.counts.fill(0);
        for index in 0..self.loads.len() {
            let level = self.loads[index] - self.base;
            if level < LEVELS as u64 {
                self.put(index, level as usize);
            }
        }
    }

    #[inline]
    fn put(&mut self, index: usize, level: usize) {
        self.bits[level * self.width + index / 64] |= 1 << (index % 64);
        self.counts[level] += 1;
        self.used |= 1 << level;
    }

    #[inline]
    fn remove(&mut self, index: usize, level: usize) {
        self.bits[level * self.width + index / 64] &= !(1 << (index % 64));
        self.counts[level] -= 1;
        self.used &= !(u64::from(self.counts[level] == 0) << level);
    }
}

impl Default for Levels {
    fn default() -> Self {
        let (loads, bits, counts) = (Vec::new(), Vec::new(), Box::new([0; LEVELS]));
        Levels { loads, present: 0, base: 0, used: 0, width: 0, bits, counts }
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
        for count in [1, 5, 64, 65, 200] {
            let (mut levels, mut loads) = (Levels::default(), vec![0_u64; count]);
            levels.rebuild(loads.iter().copied());
            for step in 0..20_000_u64 {
                // Up far beyond the levels and down again.
                let index = next(count as u64) as usize;
                let center = if step < 10_000 { step / 20 } else { (20_000 - step) / 20 };
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
