//! A piecewise linear rate, and Poisson arrivals at that rate.

use std::sync::Arc;

use rand_distr::{Distribution as _, Exp1};

use super::process::Stream;
use crate::random::Rng;
use crate::time::Span;

/// A span of time over which the rate is linear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    /// Nanoseconds.
    pub(super) length: u64,
    /// Requests per second at its start.
    pub(super) from: f64,
    /// Requests per second at its end.
    pub(super) to: f64,
}

impl Segment {
    pub(super) fn flat(length: Span, rate: f64) -> Self {
        Segment { length: length.as_nanos(), from: rate, to: rate }
    }

    fn seconds(&self) -> f64 {
        self.length as f64 / 1e9
    }

    /// Expected requests over the first `seconds`.
    fn requests_within(&self, seconds: f64) -> f64 {
        seconds * (self.from + 0.5 * (self.to - self.from) * seconds / self.seconds())
    }

    fn requests(&self) -> f64 {
        0.5 * (self.from + self.to) * self.seconds()
    }

    /// Time, nanoseconds, after which the expected requests are `requests`: the root of a t + (b − a) t²/(2 L) = requests,
    /// in the form that does not cancel.
    #[inline]
    fn offset(&self, requests: f64) -> u64 {
        let slope = (self.to - self.from) / self.seconds();
        let root = (self.from * self.from + 2.0 * requests * slope).max(0.0).sqrt();
        let seconds = 2.0 * requests / (self.from + root);
        // 0/0 at the very start of a rise from 0 becomes 0, as it should.
        ((seconds * 1e9 + 0.5) as u64).min(self.length)
    }

    fn rate_at(&self, offset: u64) -> f64 {
        self.from + (self.to - self.from) * (offset as f64 / self.length as f64)
    }
}

/// Consecutive segments, none empty; after the last, they repeat from one of them on, or there are no more requests.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile {
    segments: Vec<Segment>,
    repeat_from: Option<usize>,
}

impl Profile {
    /// Segments of length 0 are left out; `repeat_from` is an index into those given.
    pub(super) fn new(segments: &[Segment], repeat_from: Option<usize>) -> Self {
        let kept = |segments: &[Segment]| segments.iter().filter(|s| s.length > 0).count();
        Profile {
            segments: segments.iter().copied().filter(|segment| segment.length > 0).collect(),
            repeat_from: repeat_from.map(|index| kept(&segments[..index])),
        }
    }

    /// The segments that repeat, if any.
    fn cycle(&self) -> &[Segment] {
        self.repeat_from.map_or(&[], |index| &self.segments[index..])
    }

    pub(super) fn peak_rate(&self) -> f64 {
        self.segments.iter().map(|segment| segment.from.max(segment.to)).fold(0.0, f64::max)
    }

    /// The segment at `nanos`, and the offset into it.
    fn locate(&self, nanos: u64) -> Option<(&Segment, u64)> {
        let walk = |segments: &[Segment], mut left: u64| {
            for (index, segment) in segments.iter().enumerate() {
                if left < segment.length {
                    return Ok((index, left));
                }
                left -= segment.length;
            }
            Err(left)
        };
        match walk(&self.segments, nanos) {
            Ok((index, offset)) => Some((&self.segments[index], offset)),
            Err(left) => {
                let length: u64 = self.cycle().iter().map(|segment| segment.length).sum();
                let within = left.checked_rem(length)?;
                walk(self.cycle(), within).ok().map(|(index, offset)| (&self.cycle()[index], offset))
            }
        }
    }

    /// Expected requests per second at `nanos` from the start; at a jump, the rate after it.
    pub(super) fn rate_at(&self, nanos: u64) -> f64 {
        self.locate(nanos).map_or(0.0, |(segment, offset)| segment.rate_at(offset))
    }

    /// Expected requests in the first `nanos`.
    pub(super) fn requests_before(&self, nanos: u64) -> f64 {
        let (first, left) = requests_along(&self.segments, nanos);
        let length: u64 = self.cycle().iter().map(|segment| segment.length).sum();
        let (Some(cycles), Some(within)) = (left.checked_div(length), left.checked_rem(length)) else {
            return first;
        };
        let whole: f64 = self.cycle().iter().map(Segment::requests).sum();
        first + cycles as f64 * whole + requests_along(self.cycle(), within).0
    }

    pub(super) fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream> {
        let cycle_length = self.cycle().iter().map(|segment| segment.length).sum();
        let cycle_requests = self.cycle().iter().map(Segment::requests).sum();
        Box::new(ProfileStream {
            cycle_length,
            cycle_requests,
            index: 0,
            start: 0,
            position: 0.0,
            now: 0,
            profile: self,
            rng,
        })
    }
}

/// Expected requests in the first `nanos` of these segments, and the part of `nanos` after their end.
fn requests_along(segments: &[Segment], nanos: u64) -> (f64, u64) {
    let mut left = nanos;
    let mut requests = 0.0;
    for segment in segments {
        if left < segment.length {
            return (requests + segment.requests_within(left as f64 / 1e9), 0);
        }
        requests += segment.requests();
        left -= segment.length;
    }
    (requests, left)
}

/// Poisson arrivals by exact inversion of the cumulative rate (Çinlar, *Introduction to Stochastic Processes*,
/// 1975, §4.7): a unit-rate process run along the expected number of requests. The position is kept within one
/// segment, so it loses nothing however long the run.
#[derive(Debug)]
struct ProfileStream {
    profile: Arc<Profile>,
    cycle_length: u64,
    cycle_requests: f64,
    /// Index of the segment.
    index: usize,
    /// Start of the segment, nanoseconds.
    start: u64,
    /// Position in the segment, in expected requests.
    position: f64,
    /// Instant of the last arrival: rounding never places a later one before it.
    now: u64,
    rng: Rng,
}

impl ProfileStream {
    fn next(&mut self) -> Option<u64> {
        if self.index >= self.profile.segments.len() {
            return None;
        }
        let step: f64 = Exp1.sample(&mut self.rng);
        let mut target = self.position + step;
        loop {
            let segment = &self.profile.segments[self.index];
            let whole = segment.requests();
            if target < whole {
                self.position = target;
                self.now = self.now.max(self.start.saturating_add(segment.offset(target)));
                return Some(self.now);
            }
            target -= whole;
            self.start = self.start.saturating_add(segment.length);
            self.index += 1;
            if self.index == self.profile.segments.len() {
                target = self.wrap(target)?;
            }
        }
    }

    /// Continues with the first segment that repeats, after the whole cycles that `target` covers.
    fn wrap(&mut self, target: f64) -> Option<f64> {
        self.index = self.profile.repeat_from.filter(|_| self.cycle_requests > 0.0).unwrap_or(usize::MAX);
        if self.index == usize::MAX {
            return None;
        }
        let cycles = (target / self.cycle_requests).floor();
        self.start = self.start.saturating_add(self.cycle_length.saturating_mul(cycles as u64));
        Some((target - cycles * self.cycle_requests).max(0.0))
    }
}

impl Stream for ProfileStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        out.extend(std::iter::from_fn(|| self.next()).take(count));
    }
}
