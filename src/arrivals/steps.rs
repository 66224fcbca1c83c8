//! Steps: a load for each step, its requests evenly spaced.

use std::sync::Arc;

use super::poisson::MAX_RATE;
use super::process::{Process, Stream};
use crate::random::Rng;
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};

const LOADS: Key<Vec<f64>> =
    Key::required("loads", "Requests per second in each step.").at_least(0.0).at_most(MAX_RATE);
const STEP: Key<Span> = Key::required("step", "Length of a step.").above(0.0);

pub(super) const SPEC: TableSpec = TableSpec {
    name: "steps",
    doc: "A load for each step, its requests evenly spaced and nothing random. Counting from 0, request k comes when \
          the load so far adds up to k + ½, so a step of 60 s at 10 per second holds exactly 600 requests, none of \
          them on its edge.",
    keys: &[&LOADS, &STEP],
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    pub(super) loads: Vec<f64>,
    pub(super) step: Span,
}

pub(super) fn read(reader: &Reader) -> Result<Steps, Problem> {
    let (loads, step) = (reader.get(&LOADS)?, reader.get(&STEP)?);
    if loads.is_empty() {
        let path = reader.path_of("loads");
        return Err(reader.problem("loads", format!("`{path}` is empty"), "expected at least one load"));
    }
    Ok(Steps { loads, step })
}

impl Steps {
    fn end(&self) -> Span {
        self.step * self.loads.len() as u64
    }
}

impl Process for Steps {
    fn stream(self: Arc<Self>, _: Rng) -> Box<dyn Stream> {
        Box::new(StepsStream { config: self, index: 0, before: 0.0, next: 0 })
    }
    fn natural_duration(&self) -> Option<Span> {
        Some(self.end())
    }
    fn mean_rate(&self, duration: Span) -> f64 {
        if duration.is_zero() {
            return self.loads[0];
        }
        let within = |index: usize| {
            let start = self.step * index as u64;
            (duration - start).min(self.step).as_secs_f64()
        };
        let requests: f64 = self.loads.iter().enumerate().map(|(index, load)| load * within(index)).sum();
        requests / duration.as_secs_f64()
    }
    fn rate_at(&self, at: Instant) -> Option<f64> {
        let index = at.as_nanos() / self.step.as_nanos();
        Some(usize::try_from(index).ok().and_then(|index| self.loads.get(index)).copied().unwrap_or(0.0))
    }
    fn peak_rate(&self) -> f64 {
        self.loads.iter().copied().fold(0.0, f64::max)
    }
}

#[derive(Debug)]
struct StepsStream {
    config: Arc<Steps>,
    /// Index of the step.
    index: usize,
    /// Requests before the step.
    before: f64,
    /// Number of the next request.
    next: u64,
}

impl StepsStream {
    fn next(&mut self) -> Option<u64> {
        let target = self.next as f64 + 0.5;
        let step = self.config.step;
        loop {
            let load = *self.config.loads.get(self.index)?;
            let whole = load * step.as_secs_f64();
            if target < self.before + whole {
                self.next += 1;
                let offset = Span::from_secs_f64((target - self.before) / load);
                let start = step * self.index as u64;
                // Rounding never moves a request out of its step.
                return Some((start + offset.min(Span::from_nanos(step.as_nanos() - 1))).as_nanos());
            }
            self.before += whole;
            self.index += 1;
        }
    }
}

impl Stream for StepsStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        out.extend(std::iter::from_fn(|| self.next()).take(count));
    }
}
