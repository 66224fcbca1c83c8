//! Requests arriving per second.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "request_rate",
    doc: "requests arriving per second",
    quantity: Quantity::RequestsPerSecond,
    of_pool: OfPool::Count { since: |scrape| scrape.arrived as f64, total: |counters| counters.arrived },
    of_instance: OfInstance::EqualPart,
};
