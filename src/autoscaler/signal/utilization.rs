//! The busy share of the capacity.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "utilization",
    doc: "busy share of the ready instances' capacity, 0 to 1",
    quantity: Quantity::Share,
    of_pool: OfPool::Share {
        used: |scrape| scrape.work,
        of: |scrape| scrape.slots,
        used_total: |counters| counters.work,
        of_total: |counters| counters.capacity,
    },
    of_instance: OfInstance::Integral(|instance| instance.busy_seconds),
};
