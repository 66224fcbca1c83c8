//! Poisson arrivals at a constant rate.

use std::sync::Arc;

use rand_distr::{Distribution as _, Exp1};

use super::process::{Process, Stream};
use super::shape::PROFILE;
use crate::random::Rng;
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span, truncate_all};

/// Maximum rate of a scenario, requests per second. Gaps are rounded to whole nanoseconds, which shifts their mean m by a
/// share of about 1/(24 m²): 4 in a million at this rate, and less at lower ones.
pub(super) const MAX_RATE: f64 = 1e7;

const RATE: Key<f64> =
    Key::required("rate", "Requests per second, on average.").at_least(0.0).at_most(MAX_RATE);

pub(super) const SPEC: TableSpec = TableSpec {
    name: "poisson",
    doc: "Poisson arrivals: independent, at a constant rate.",
    keys: &[&RATE, &PROFILE],
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Poisson {
    /// Requests per second.
    pub(super) rate: f64,
}

pub(super) fn read(reader: &Reader) -> Result<Poisson, Problem> {
    Ok(Poisson { rate: reader.get(&RATE)? })
}

impl Process for Poisson {
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream> {
        Box::new(PoissonStream { mean_gap: 1e9 / self.rate, now: 0, rng, draws: Vec::new() })
    }
    fn mean_rate(&self, _: Span) -> f64 {
        self.rate
    }
    fn rate_at(&self, _: Instant) -> Option<f64> {
        Some(self.rate)
    }
    fn peak_rate(&self) -> f64 {
        self.rate
    }
}

/// Time is a sum of whole nanoseconds, so precision does not fall with the length of the run.
#[derive(Debug)]
struct PoissonStream {
    /// In nanoseconds; infinite at rate 0.
    mean_gap: f64,
    now: u64,
    rng: Rng,
    /// The draws of one block, kept to keep their memory.
    draws: Vec<f64>,
}

impl Stream for PoissonStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        if self.mean_gap.is_infinite() {
            return;
        }
        let PoissonStream { mean_gap, now, rng, draws } = self;
        draws.resize(count, 0.0);
        // A generator of its own can stay in registers.
        let mut local = rng.clone();
        draws.iter_mut().for_each(|draw| *draw = Exp1.sample(&mut local));
        *rng = local;
        let first = out.len();
        truncate_all(draws, |draw| draw * *mean_gap + 0.5, out);
        for instant in &mut out[first..] {
            *now = now.saturating_add(*instant);
            *instant = *now;
        }
    }
}
