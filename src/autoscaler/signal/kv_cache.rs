//! The share of the KV cache in use.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "kv_cache",
    doc: "share of the KV cache in use, 0 to 1, over the ready instances (service kind \"llm\")",
    quantity: Quantity::Share,
    of_pool: OfPool::Instances(|counters| counters.kv_cache),
    of_instance: OfInstance::Now(|instance| instance.kv_cache),
};
