//! Which place is due after which iteration.

/// Places by the iteration after which each is due: a hashed timing wheel (Varghese and Lauck, "Hashed and hierarchical
/// timing wheels", 1987, scheme 6). Adding and taking one costs the same however many there are.
#[derive(Debug, Clone)]
pub(super) struct Wheel {
    /// By the iteration modulo [`SPOKES`]: the place added last, from which the others follow.
    last: Vec<u32>,
    /// A bit for each of them: whether there is one.
    marks: [u64; WORDS],
    places: Vec<Due>,
}

/// When a place is due, and the one added to its spoke before it.
#[derive(Debug, Clone, Copy)]
struct Due {
    iteration: u64,
    before: u32,
}

/// More than most answers have tokens, so that few wait for another turn of the wheel, and few enough to stay in the cache.
const SPOKES: u64 = 512;
const WORDS: usize = SPOKES as usize / 64;
const NONE: u32 = u32::MAX;

impl Wheel {
    /// Nothing is due.
    pub fn new() -> Self {
        Wheel { last: vec![NONE; SPOKES as usize], marks: [0; WORDS], places: Vec::new() }
    }

    /// Has `place`, which is not on it, be due after `iteration`.
    #[inline]
    pub fn add(&mut self, place: usize, iteration: u64) {
        if place >= self.places.len() {
            self.places.resize(place + 1, Due { iteration: 0, before: NONE });
        }
        let spoke = (iteration % SPOKES) as usize;
        self.places[place] = Due { iteration, before: self.last[spoke] };
        self.last[spoke] = place as u32;
        self.marks[spoke / 64] |= 1 << (spoke % 64);
    }

    /// Takes `place` off.
    pub fn remove(&mut self, place: usize) {
        let spoke = self.places[place].iteration % SPOKES;
        self.filter(spoke as usize, |other, _| other as usize != place);
    }

    /// Takes off what is due after `iteration`; `due` gets the places, the one added last first.
    #[inline]
    pub fn take(&mut self, iteration: u64, due: &mut Vec<usize>) {
        let spoke = (iteration % SPOKES) as usize;
        if self.marks[spoke / 64] & (1 << (spoke % 64)) != 0 {
            self.filter(spoke, |place, at| {
                if at == iteration {
                    due.push(place as usize);
                }
                at != iteration
            });
        }
    }

    /// Leaves on a spoke what `stays` says of a place and its iteration, in its order.
    #[inline]
    fn filter(&mut self, spoke: usize, mut stays: impl FnMut(u32, u64) -> bool) {
        let mut place = std::mem::replace(&mut self.last[spoke], NONE);
        let mut after = NONE;
        while place != NONE {
            let Due { iteration, before } = self.places[place as usize];
            if stays(place, iteration) {
                match after {
                    NONE => self.last[spoke] = place,
                    after => self.places[after as usize].before = place,
                }
                self.places[place as usize].before = NONE;
                after = place;
            }
            place = before;
        }
        if after == NONE {
            self.marks[spoke / 64] &= !(1 << (spoke % 64));
        }
    }

    /// Iterations from `iteration` to the next after it that something is due after, at least 1, or to an earlier one whose
    /// spoke has something for another turn; `None` if nothing is due any more.
    #[inline]
    pub fn until_next(&self, iteration: u64) -> Option<u64> {
        let from = (iteration + 1) % SPOKES;
        let (word, bit) = (from as usize / 64, from % 64);
        let first = self.marks[word] >> bit;
        if first != 0 {
            return Some(1 + u64::from(first.trailing_zeros()));
        }
        let further = (1..=WORDS).find(|further| self.marks[(word + further) % WORDS] != 0)?;
        let found = self.marks[(word + further) % WORDS].trailing_zeros();
        Some(1 + 64 * further as u64 - bit + u64::from(found))
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
        let mut wheel = Wheel::new();
        let mut listed: Vec<(usize, u64)> = Vec::new();
        let mut iteration = 0;
        for _ in 0..20_000 {
            let place = (0..40).find(|place| listed.iter().all(|(other, _)| other != place));
            if let Some(place) = place.filter(|_| next(3) > 0) {
                let reach = [10, 100, 5 * SPOKES][next(3) as usize];
                let at = iteration + 1 + next(reach);
                wheel.add(place, at);
                listed.push((place, at));
            }
            if next(20) == 0 && !listed.is_empty() {
                let (place, _) = listed.remove(next(listed.len() as u64) as usize);
                wheel.remove(place);
            }
            let soonest = listed.iter().map(|(_, at)| at - iteration).min();
            let step = wheel.until_next(iteration);
            assert_eq!(step.is_some(), soonest.is_some());
            let step = step.unwrap_or(1);
            assert!((1..=soonest.unwrap_or(1)).contains(&step));
            iteration += step.min(1 + next(50));
            let mut due = Vec::new();
            wheel.take(iteration, &mut due);
            due.reverse();
            let expected: Vec<usize> =
                listed.iter().filter(|(_, at)| *at == iteration).map(|(place, _)| *place).collect();
            assert_eq!(due, expected);
            listed.retain(|(_, at)| *at != iteration);
        }
    }
}
