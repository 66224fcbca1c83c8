//! The requests of a run, drawn in blocks.

use super::Model;
use crate::arrivals::ArrivalStream;
use crate::distribution::Distribution;
use crate::random::{Purpose, Rng, Streams};
use crate::time::Span;

/// Consecutive requests, column by column. What a request brings is drawn as it arrives, from streams that nothing
/// else draws from, so that every setting under one seed meets the same requests.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// When each arrives, nanoseconds from the start of the run, in order.
    pub arrival: Vec<u64>,
    /// Service requirement of each, nanoseconds.
    pub service: Vec<u64>,
}

/// Requests drawn at a time: enough to hide what a block costs, few enough to stay in the cache.
pub const BLOCK: usize = 1024;

/// Draws the requests of one replication. Several simulations may be fed from one source.
#[derive(Debug)]
pub struct RequestSource {
    arrivals: ArrivalStream,
    service: Distribution,
    rng: Rng,
    seconds: Vec<f64>,
}

impl RequestSource {
    /// The requests that `model` meets under `streams`.
    pub fn new(model: &Model, streams: Streams) -> Self {
        RequestSource {
            arrivals: model.arrivals.stream(streams),
            service: model.service.time.0.clone(),
            rng: streams.stream(Purpose::Service),
            seconds: vec![0.0; BLOCK],
        }
    }

    /// Whether two models meet the same requests under the same streams.
    pub fn same(one: &Model, other: &Model) -> bool {
        one.arrivals == other.arrivals && one.service.time == other.service.time
    }

    /// Replaces what `block` holds by the next [`BLOCK`] requests; by fewer only when no more come.
    pub fn fill(&mut self, block: &mut Block) {
        block.arrival.clear();
        self.arrivals.fill(&mut block.arrival, BLOCK);
        let seconds = &mut self.seconds[..block.arrival.len()];
        self.service.fill(&mut self.rng, seconds);
        block.service.clear();
        block.service.extend(seconds.iter().map(|seconds| Span::from_secs_f64(*seconds).as_nanos()));
    }
}
