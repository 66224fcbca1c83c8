//! Renewal arrivals: independent gaps of one distribution.

use std::sync::Arc;

use super::poisson::MAX_RATE;
use super::process::{Process, Stream};
use super::shape::PROFILE;
use crate::distribution::{Distribution, Durations};
use crate::random::Rng;
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};

const INTERARRIVAL: Key<Option<Durations>> = Key::optional(
    "interarrival",
    "Distribution of the time between two requests; instead of `rate` and `cv`.",
);
const RATE: Key<Option<f64>> =
    Key::optional("rate", "Requests per second, on average; with `cv`.").above(0.0).at_most(MAX_RATE);
const CV: Key<Option<f64>> = Key::optional(
    "cv",
    "Coefficient of variation of the gamma-distributed time between two requests: 1 is Poisson, more is burstier.",
)
.at_least(1e-3).at_most(1e3);

pub(super) const SPEC: TableSpec = TableSpec {
    name: "renewal",
    doc: "Independent times between requests, of any distribution; the first request comes one such time after the start.",
    keys: &[&INTERARRIVAL, &RATE, &CV, &PROFILE],
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Renewal {
    /// Seconds between two requests; the mean is positive.
    pub(super) interarrival: Distribution,
}

pub(super) fn read(reader: &Reader) -> Result<Renewal, Problem> {
    let expected = "expected either `interarrival`, or `rate` and `cv`";
    match (reader.find(&INTERARRIVAL)?, reader.find(&RATE)?, reader.find(&CV)?) {
        (Some(Durations(interarrival)), None, None) if interarrival.mean() * MAX_RATE >= 1.0 => {
            Ok(Renewal { interarrival })
        }
        (Some(Durations(interarrival)), None, None) => {
            let mean = Span::from_secs_f64(interarrival.mean());
            let path = reader.path_of("interarrival");
            Err(reader.problem(
                "interarrival",
                format!("`{path}` has a mean of {mean}"),
                "expected at least 100ns",
            ))
        }
        (None, Some(rate), Some(cv)) => Distribution::gamma(1.0 / rate, cv)
            .map(|interarrival| Renewal { interarrival })
            .map_err(|why| reader.problem("cv", why, expected)),
        (None, Some(_), None) => {
            Err(reader.missing("cv").help("for Poisson arrivals use kind = \"poisson\""))
        }
        (None, None, Some(_)) => Err(reader.missing("rate")),
        (None, None, None) => Err(reader.problem("kind", "nothing says how often requests arrive", expected)),
        _ => Err(reader.problem("interarrival", "the time between requests is given twice", expected)),
    }
}

impl Process for Renewal {
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream> {
        Box::new(RenewalStream { config: self, now: 0, rng })
    }
    /// The long-run rate: over a finite time the expected number of requests differs by at most about (cv² − 1)/2.
    fn mean_rate(&self, _: Span) -> f64 {
        1.0 / self.interarrival.mean()
    }
    fn rate_at(&self, _: Instant) -> Option<f64> {
        Some(1.0 / self.interarrival.mean())
    }
    fn rate_is_random(&self) -> bool {
        true
    }
    fn peak_rate(&self) -> f64 {
        1.0 / self.interarrival.mean()
    }
}

#[derive(Debug)]
struct RenewalStream {
    config: Arc<Renewal>,
    now: u64,
    rng: Rng,
}

impl Stream for RenewalStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        let mut block = [0.0; 256];
        let mut left = count;
        while left > 0 {
            let gaps = &mut block[..left.min(256)];
            self.config.interarrival.fill(&mut self.rng, gaps);
            out.extend(gaps.iter().map(|gap| {
                self.now = self.now.saturating_add((gap * 1e9 + 0.5) as u64);
                self.now
            }));
            left -= gaps.len();
        }
    }
}
