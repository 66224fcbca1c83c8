//! Sequences by the iteration after which they end.

/// A hashed timing wheel (Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987, scheme 6): places, each due
/// after an iteration. Adding and taking one costs the same for any number of places.
///
/// The bucket of a place is its iteration modulo [`BUCKETS`]; the places of a bucket are a linked list, the one added last
/// first. A place due more than one turn of the wheel ahead stays in its bucket until its turn.
///
/// ```text
/// heads  [  |  | 7 |  | 3 |  ...  ]      marks: a bit per bucket, so that the next one in use is found 64 at a time
///               ↓       ↓
///               2       5 → 0            places, by `before`
/// ```
#[derive(Debug, Clone)]
pub(super) struct TimingWheel {
    /// By bucket: the place added last, from which the others follow.
    heads: Vec<u32>,
    /// By bucket, a bit: whether it holds a place.
    marks: [u64; WORDS],
    places: Vec<Due>,
}

/// When a place is due, and the place added to its bucket before it.
#[derive(Debug, Clone, Copy)]
struct Due {
    iteration: u64,
    before: u32,
}

/// More than the tokens of most answers, so that few places wait for another turn, and few enough to stay in the cache.
const BUCKETS: u64 = 512;
const WORDS: usize = BUCKETS as usize / 64;
const NONE: u32 = u32::MAX;

impl TimingWheel {
    /// Without places.
    pub fn new() -> Self {
        TimingWheel { heads: vec![NONE; BUCKETS as usize], marks: [0; WORDS], places: Vec::new() }
    }

    /// Adds `place`, which is not on the wheel, due after `iteration`.
    #[inline]
    pub fn add(&mut self, place: usize, iteration: u64) {
        if place >= self.places.len() {
            self.places.resize(place + 1, Due { iteration: 0, before: NONE });
        }
        let bucket = (iteration % BUCKETS) as usize;
        self.places[place] = Due { iteration, before: self.heads[bucket] };
        self.heads[bucket] = place as u32;
        self.marks[bucket / 64] |= 1 << (bucket % 64);
    }

    /// Removes `place`.
    pub fn remove(&mut self, place: usize) {
        let bucket = self.places[place].iteration % BUCKETS;
        self.retain(bucket as usize, |other, _| other as usize != place);
    }

    /// Moves the places due after `iteration` to `due`, the one added last first.
    #[inline]
    pub fn take_due(&mut self, iteration: u64, due: &mut Vec<usize>) {
        let bucket = (iteration % BUCKETS) as usize;
        if self.marks[bucket / 64] & (1 << (bucket % 64)) != 0 {
            self.take_from(bucket, iteration, due);
        }
    }

    #[inline(never)]
    fn take_from(&mut self, bucket: usize, iteration: u64, due: &mut Vec<usize>) {
        self.retain(bucket, |place, at| {
            if at == iteration {
                due.push(place as usize);
            }
            at != iteration
        });
    }

    /// Keeps the places of a bucket for which `stays`, given the place and its iteration, is true, in their order.
    #[inline]
    fn retain(&mut self, bucket: usize, mut stays: impl FnMut(u32, u64) -> bool) {
        let mut place = std::mem::replace(&mut self.heads[bucket], NONE);
        let mut after = NONE;
        while place != NONE {
            let Due { iteration, before } = self.places[place as usize];
            if stays(place, iteration) {
                match after {
                    NONE => self.heads[bucket] = place,
                    after => self.places[after as usize].before = place,
                }
                self.places[place as usize].before = NONE;
                after = place;
            }
            place = before;
        }
        if after == NONE {
            self.marks[bucket / 64] &= !(1 << (bucket % 64));
        }
    }

    /// Iterations from `iteration` to the next after which a place is due, at least 1; or fewer, to a bucket whose places
    /// are due in a later turn. `None` if there are no places.
    #[inline]
    pub fn until_next(&self, iteration: u64) -> Option<u64> {
        let from = (iteration + 1) % BUCKETS;
        let (word, bit) = (from as usize / 64, from % 64);
        let first = self.marks[word] >> bit;
        if first != 0 {
            return Some(1 + u64::from(first.trailing_zeros()));
        }
        let further = (1..=WORDS).find(|further| self.marks[(word + further) % WORDS] != 0)?;
        let offset = self.marks[(word + further) % WORDS].trailing_zeros();
        Some(1 + 64 * further as u64 - bit + u64::from(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_off_when_they_are_due_and_in_their_order() {
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut wheel = TimingWheel::new();
        let mut listed: Vec<(usize, u64)> = Vec::new();
        let mut iteration = 0;
        for _ in 0..20_000 {
            let place = (0..40).find(|place| listed.iter().all(|(other, _)| other != place));
            if let Some(place) = place.filter(|_| next(3) > 0) {
                let reach = [10, 100, 5 * BUCKETS][next(3) as usize];
                let at = iteration + 1 + next(reach);
                wheel.add(place, at);
                listed.push((place, at));
            }
            if next(20) == 0 && !listed.is_empty() {
                let (place, _) = listed.remove(next(listed.len() as u64) as usize);
                wheel.remove(place);
            }
            let nearest = listed.iter().map(|(_, at)| at - iteration).min();
            let step = wheel.until_next(iteration);
            assert_eq!(step.is_some(), nearest.is_some());
            let step = step.unwrap_or(1);
            assert!((1..=nearest.unwrap_or(1)).contains(&step));
            iteration += step.min(1 + next(50));
            let mut due = Vec::new();
            wheel.take_due(iteration, &mut due);
            due.reverse();
            let expected: Vec<usize> =
                listed.iter().filter(|(_, at)| *at == iteration).map(|(place, _)| *place).collect();
            assert_eq!(due, expected);
            listed.retain(|(_, at)| *at != iteration);
        }
    }
}
