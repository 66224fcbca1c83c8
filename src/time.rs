//! Simulated time: an integer count of nanoseconds from the start of the run.
//!
//! Integers make equal instants equal, whatever the order of additions that led to them, so the order of
//! events is exact and the same on every machine. 2⁶⁴ ns are 584 years.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

const NANOS_PER_SECOND: f64 = 1e9;

/// A point of simulated time, in nanoseconds from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

/// A length of simulated time, in nanoseconds; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Instant {
    /// The start of the run.
    pub const ZERO: Instant = Instant(0);
    /// Later than every event; stands for "never".
    pub const MAX: Instant = Instant(u64::MAX);

    /// The instant `nanos` nanoseconds after the start of the run.
    pub const fn from_nanos(nanos: u64) -> Self {
        Instant(nanos)
    }

    /// Nanoseconds from the start of the run.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds from the start of the run.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// The time from `earlier` to this instant; zero if `earlier` is in fact later.
    pub const fn since(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest span; stands for "forever".
    pub const MAX: Span = Span(u64::MAX);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Span(nanos)
    }

    /// A span of `seconds` whole seconds; saturates at [`Span::MAX`].
    pub const fn from_secs(seconds: u64) -> Self {
        Span(seconds.saturating_mul(1_000_000_000))
    }

    /// The span nearest to `seconds`; negative and NaN become zero, the too large [`Span::MAX`].
    pub fn from_secs_f64(seconds: f64) -> Self {
        // `as` truncates, saturates and maps NaN to zero: half added rounds to nearest, and no input can panic here.
        Span((seconds * NANOS_PER_SECOND + 0.5) as u64)
    }

    /// Replaces what `nanos` holds by the lengths, in nanoseconds, of [`Span::from_secs_f64`] of all of `seconds`.
    pub fn all_from_secs_f64(seconds: &[f64], nanos: &mut Vec<u64>) {
        nanos.clear();
        truncate_all(seconds, |seconds| seconds * NANOS_PER_SECOND + 0.5, nanos);
    }

    /// Length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Length in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// Whether the span has no length.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Saturates at [`Instant::MAX`]: what would happen after the end of time never happens.
impl Add<Span> for Instant {
    type Output = Instant;
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

/// Saturates at zero.
impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.saturating_mul(times))
    }
}

/// Appends `of` each of `values`, truncated; negative and NaN become zero, the too large [`u64::MAX`].
///
/// Many at a time, because a processor does without asking for these cases what `as` asks for each: below 2⁵² a number and
/// 2⁵² add up to a float whose last bits are the number's nearest whole one.
pub fn truncate_all(values: &[f64], of: impl Fn(f64) -> f64, whole: &mut Vec<u64>) {
    const UNIT: f64 = (1_u64 << 52) as f64;
    const GREATEST: f64 = (1_u64 << 51) as f64;
    let small = values.iter().fold(true, |small, value| {
        let value = of(*value);
        small & (0.0..GREATEST).contains(&value)
    });
    if small {
        whole.extend(values.iter().map(|value| {
            let value = of(*value);
            let nearest = value + UNIT;
            nearest.to_bits() - UNIT.to_bits() - u64::from(nearest - UNIT > value)
        }));
    } else {
        whole.extend(values.iter().map(|value| of(*value) as u64));
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_nanosecond() {
        assert_eq!(Span::from_secs_f64(1.000_000_000_4), Span::from_nanos(1_000_000_000));
        assert_eq!(Span::from_secs_f64(0.000_000_000_6), Span::from_nanos(1));
    }

    #[test]
    fn many_are_truncated_as_one_is() {
        let mut state = 1_u64;
        let drawn = (0..100_000).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Of every magnitude, whole ones, and those next to whole ones.
            let any = (state >> 11) as f64 / 2_f64.powi((state % 54) as i32);
            [any, any.floor(), any.floor().next_down().max(0.0), any.floor() + 0.5]
                [(state >> 32) as usize % 4]
        });
        let drawn: Vec<f64> = drawn.collect();
        let (small, large): (Vec<f64>, Vec<f64>) =
            drawn.into_iter().partition(|value| *value < 2_f64.powi(51));
        assert!(small.len() > 80_000 && large.len() > 1_000);
        let odd = [f64::NAN, -1.0, f64::INFINITY, 1e300, 0.0, 2_f64.powi(51)];
        for values in [&small[..], &large[..], &odd[..], &[]] {
            let mut whole = Vec::new();
            truncate_all(values, |value| value, &mut whole);
            let each: Vec<u64> = values.iter().map(|value| *value as u64).collect();
            assert_eq!(whole, each);
        }
    }

    #[test]
    fn impossible_seconds_saturate_instead_of_panicking() {
        assert_eq!(Span::from_secs_f64(-1.0), Span::ZERO);
        assert_eq!(Span::from_secs_f64(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_secs_f64(f64::INFINITY), Span::MAX);
        assert_eq!(Instant::MAX + Span::from_secs(1), Instant::MAX);
    }
}
