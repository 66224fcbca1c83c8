//! Requests waiting or in service.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "in_flight",
    doc: "requests waiting or in service",
    quantity: Quantity::Requests,
    of_pool: OfPool::Gauge { mean: |scrape| scrape.in_flight, now: |counters| counters.in_flight as f64 },
    of_instance: OfInstance::EqualPart,
};
