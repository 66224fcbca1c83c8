//! Requests waiting.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "queue_length",
    doc: "requests waiting: buffered, and at the instances",
    quantity: Quantity::Requests,
    of_pool: OfPool::Gauge { mean: |scrape| scrape.waiting, now: |counters| counters.waiting as f64 },
    of_instance: OfInstance::EqualPart,
};
