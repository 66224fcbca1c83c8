//! What the arrivals of a scenario ask of a pool.

use super::Scenario;
use crate::random::Streams;
use crate::sim::Model;
use crate::time::Span;

/// Stretches of a run whose rates are looked at, at most.
const STRETCHES: u64 = 10_000;

/// Length of such a stretch, at least: shorter ones are chance.
const SHORTEST: Span = Span::from_secs(30);

impl Scenario {
    /// Instances that the arrivals of a replication keep busy in their busiest stretch of half a minute.
    pub fn instances_needed(&self, replication: u32) -> f64 {
        self.instances_needed_of(&self.model, replication)
    }

    /// The same of a pool of it.
    pub fn instances_needed_of(&self, model: &Model, replication: u32) -> f64 {
        let streams = Streams::new(self.run.seed, u64::from(replication));
        let start = model.start(streams);
        let interval = SHORTEST.max(Span::from_nanos(model.duration.as_nanos() / STRETCHES));
        let count = model.duration.as_nanos().div_ceil(interval.as_nanos()).max(1) as usize;
        let rates = start.future_rates(interval, count);
        rates.into_iter().fold(0.0, f64::max) * start.service_mean_s / f64::from(start.slots.max(1))
    }
}
