//! A quantile of the latency.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};
use crate::autoscaler::times::Timed;

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "latency",
    doc: "quantile of the latency of completed requests, in seconds",
    quantity: Quantity::Seconds,
    of_pool: OfPool::Quantile(Timed::Latency),
    of_instance: OfInstance::AsPool,
};
