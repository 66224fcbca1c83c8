//! Requests in service.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "concurrency",
    doc: "requests in service on ready instances",
    quantity: Quantity::Requests,
    of_pool: OfPool::Gauge { mean: |scrape| scrape.in_service, now: |counters| counters.in_service as f64 },
    of_instance: OfInstance::Integral(|instance| instance.service_seconds),
};
