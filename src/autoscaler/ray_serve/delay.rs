//! How long Ray Serve must want another number of replicas before it asks for it.
//!
//! Only the direction has to last; what is asked for in the end is the number wanted at the last tick. Newest releases go by
//! the clock. Legacy releases count ticks, which are longer than they assume when the controller is slow.

use crate::time::{Instant, Span};

/// How long each direction has to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// To more replicas.
    pub up: Span,
    /// To fewer, but not to none.
    pub down: Span,
    /// From one replica to none; `None`: as `down`.
    pub to_zero: Option<Span>,
}

/// Slack of the clock comparison: `_DELAY_ELAPSED_EPS_S`, 1e-6.
const SLACK: Span = Span::from_nanos(1_000);
/// The tick that legacy releases count with, whatever the loop really takes.
const TICK_S: f64 = 0.1;

/// Another number of replicas being wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Whether more are wanted, else fewer.
    pub up: bool,
    /// Since when; legacy releases: for how many ticks, in tenths of a second.
    pub elapsed: Span,
    /// How long is needed.
    pub needed: Span,
}

/// The way through a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Path {
    /// No replica runs and requests are there: start without delay.
    ColdStart,
    /// No replica runs yet and there are no requests: keep what was asked for.
    Starting,
    /// What is wanted is what was asked for.
    Steady,
    /// Another number is wanted, but not for long enough.
    Waiting(Wait),
    /// Another number has been wanted for long enough.
    Acted(Wait),
}

/// What a deployment remembers between ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// Ticks in a row that wanted more (positive) or fewer (negative).
    pub ticks: i64,
    /// When the first of them was.
    pub since: Option<Instant>,
}

/// What is wanted at a tick, and what that takes.
struct Wish {
    up: bool,
    replicas: u32,
    needed: Span,
}

impl Delays {
    /// `None`: what is wanted is what has been asked for.
    fn wish(&self, wanted: u32, target: u32, stops_at_one: bool) -> Option<Wish> {
        match wanted.cmp(&target) {
            std::cmp::Ordering::Greater => Some(Wish { up: true, replicas: wanted, needed: self.up }),
            // Down to zero leads over one, and waits again there; up to 2.49 it does not.
            std::cmp::Ordering::Less if !stops_at_one => {
                Some(Wish { up: false, replicas: wanted, needed: self.down })
            }
            std::cmp::Ordering::Less if target == 1 => {
                Some(Wish { up: false, replicas: wanted, needed: self.to_zero.unwrap_or(self.down) })
            }
            std::cmp::Ordering::Less => Some(Wish { up: false, replicas: wanted.max(1), needed: self.down }),
            std::cmp::Ordering::Equal => None,
        }
    }
}

impl Delay {
    /// One more tick in a direction; another direction before it starts the count anew.
    fn count(&mut self, up: bool) {
        if (self.ticks < 0) == up && self.ticks != 0 {
            *self = Delay::default();
        }
        self.ticks += if up { 1 } else { -1 };
    }

    fn settle(&mut self, wish: &Wish, elapsed: Span, due: bool, target: u32) -> (u32, Path) {
        let wait = Wait { up: wish.up, elapsed, needed: wish.needed };
        if due {
            *self = Delay::default();
            (wish.replicas, Path::Acted(wait))
        } else {
            (target, Path::Waiting(wait))
        }
    }

    /// Newest releases: by the clock.
    pub fn by_time(&mut self, delays: &Delays, now: Instant, wanted: u32, target: u32) -> (u32, Path) {
        let Some(wish) = delays.wish(wanted, target, true) else {
            *self = Delay::default();
            return (target, Path::Steady);
        };
        self.count(wish.up);
        let elapsed = now.since(*self.since.get_or_insert(now));
        self.settle(&wish, elapsed, elapsed + SLACK >= wish.needed, target)
    }

    /// Earlier releases: by ticks, more than the delay divided by a tick of 0.1 s. `stops_at_one` says whether zero is
    /// reached over one replica.
    pub fn by_ticks(&mut self, delays: &Delays, wanted: u32, target: u32, stops_at_one: bool) -> (u32, Path) {
        let Some(wish) = delays.wish(wanted, target, stops_at_one) else {
            *self = Delay::default();
            return (target, Path::Steady);
        };
        self.count(wish.up);
        let elapsed = Span::from_secs_f64(TICK_S) * self.ticks.unsigned_abs();
        // The division is done in floating point and cut, as there: 0.3 s are 2 ticks.
        let needed = (wish.needed.as_secs_f64() / TICK_S) as u64;
        self.settle(&wish, elapsed, self.ticks.unsigned_abs() > needed, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: Delays =
        Delays { up: Span::from_secs(30), down: Span::from_secs(600), to_zero: Some(Span::from_secs(5)) };

    fn at(seconds: f64) -> Instant {
        Instant::ZERO + Span::from_secs_f64(seconds)
    }

    #[test]
    fn more_is_asked_for_once_it_has_been_wanted_for_long_enough() {
        let mut delay = Delay::default();
        let mut ask = |seconds, wanted| delay.by_time(&DELAYS, at(seconds), wanted, 2).0;
        assert_eq!((ask(0.0, 5), ask(29.9, 9), ask(30.0, 7)), (2, 2, 7));
        assert_eq!(ask(30.1, 7), 2, "the wait starts anew");
    }

    #[test]
    fn a_steady_tick_or_the_other_direction_starts_the_wait_anew() {
        let mut delay = Delay::default();
        let mut ask = |seconds, wanted| delay.by_time(&DELAYS, at(seconds), wanted, 2).0;
        assert_eq!((ask(0.0, 5), ask(20.0, 2), ask(31.0, 5), ask(60.9, 5)), (2, 2, 2, 2));
        assert_eq!((ask(61.0, 1), ask(62.0, 5), ask(91.9, 5), ask(92.0, 5)), (2, 2, 2, 5));
    }

    #[test]
    fn zero_is_reached_over_one_with_a_delay_of_its_own() {
        let mut delay = Delay::default();
        assert_eq!(delay.by_time(&DELAYS, at(0.0), 0, 4).0, 4);
        assert_eq!(delay.by_time(&DELAYS, at(600.0), 0, 4).0, 1);
        assert_eq!(delay.by_time(&DELAYS, at(600.1), 0, 1).0, 1);
        assert_eq!(delay.by_time(&DELAYS, at(605.1), 0, 1).0, 0);
    }

    #[test]
    fn legacy_counts_ticks_whatever_they_take() {
        let delays = Delays { up: Span::from_secs_f64(0.3), ..DELAYS };
        let mut delay = Delay::default();
        // 0.3 / 0.1 is 2.9999999999999996: the third tick acts.
        let asked = [(); 3].map(|()| delay.by_ticks(&delays, 5, 2, true).0);
        assert_eq!(asked, [2, 2, 5]);
        let at_once = Delays { down: Span::ZERO, ..DELAYS };
        assert_eq!(Delay::default().by_ticks(&at_once, 0, 5, true).0, 1);
        assert_eq!(Delay::default().by_ticks(&at_once, 0, 5, false).0, 0);
    }
}
