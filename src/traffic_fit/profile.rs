//! Rates over time: the same throughout, by parts of the recording, or by hour of the day or the week.

use crate::time::Span;

/// Factors on the mean rate, each for the same time, repeated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factors {
    pub every: Span,
    pub factors: Vec<f64>,
}

const HOUR: Span = Span::from_secs(3600);

const TEN_SECONDS: Span = Span::from_secs(10);

/// Requests of a part, on average, that its rate is known by.
const LEAST: f64 = 20.0;

/// Every way to divide a recording of this length with so many requests; the first has one part.
pub(super) fn divisions(length: Span, requests: f64, finest: Span) -> Vec<(Span, usize)> {
    let mut found = vec![(length, 1)];
    for parts in [2_usize, 3, 4, 6, 8, 12, 16, 24, 36, 48, 72, 96] {
        let every = Span::from_nanos(length.as_nanos().div_ceil(parts as u64));
        if requests / parts as f64 >= LEAST && every >= finest && !every.is_zero() {
            // A part ends with an interval, if there are some, and is of whole seconds where it has many.
            let seconds = if every >= TEN_SECONDS && finest.is_zero() { 1_000_000_000 } else { 1 };
            let unit = finest.as_nanos().max(seconds);
            let even = Span::from_nanos(every.as_nanos().div_ceil(unit) * unit);
            let parts = length.as_nanos().div_ceil(even.as_nanos()) as usize;
            if found.iter().all(|(_, known)| *known != parts) {
                found.push((even, parts));
            }
        }
    }
    for (hours, turns) in [(24_usize, 2), (168, 2)] {
        let is_seen = length.as_nanos() >= HOUR.as_nanos().saturating_mul(hours as u64 * turns);
        if is_seen && finest <= HOUR && HOUR.as_nanos().is_multiple_of(finest.as_nanos().max(1)) {
            found.push((HOUR, hours));
        }
    }
    found
}

impl Factors {
    /// Factors of the parts by the requests of each and the time it was seen, both in turn over all repetitions.
    pub(super) fn of(every: Span, requests: &[f64], seen_s: &[f64]) -> (f64, Factors) {
        let mean = requests.iter().sum::<f64>() / seen_s.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let factor = |(requests, seen): (&f64, &f64)| if *seen > 0.0 { requests / seen / mean } else { 1.0 };
        (mean, Factors { every, factors: requests.iter().zip(seen_s).map(factor).collect() })
    }

    pub(super) fn part(&self, nanos: u64) -> usize {
        (nanos / self.every.as_nanos().max(1) % self.factors.len() as u64) as usize
    }

    /// Seconds that each part was seen in a recording of this length.
    pub(super) fn seen(every: Span, parts: usize, length: Span) -> Vec<f64> {
        let (every_s, turn) = (every.as_secs_f64(), every.as_nanos().saturating_mul(parts as u64).max(1));
        let turns = (length.as_nanos() / turn) as f64;
        let left = (length.as_nanos() % turn) as f64 / 1e9;
        (0..parts).map(|part| turns * every_s + (left - part as f64 * every_s).clamp(0.0, every_s)).collect()
    }

    /// Operational seconds from the start to each instant: seconds in which requests come at the mean rate.
    pub(super) fn operational(&self, instants: &[u64]) -> Vec<f64> {
        let every = self.every.as_nanos().max(1);
        let (mut part, mut start, mut before) = (0_usize, 0_u64, 0.0);
        let mut out = Vec::with_capacity(instants.len());
        for instant in instants {
            while instant - start >= every {
                before += self.factors[part] * self.every.as_secs_f64();
                start += every;
                part = (part + 1) % self.factors.len();
            }
            out.push(before + self.factors[part] * (instant - start) as f64 / 1e9);
        }
        out
    }
}
