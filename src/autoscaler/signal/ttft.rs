//! A quantile of the time to the first token.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};
use crate::autoscaler::times::Timed;

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "ttft",
    doc: "quantile of the time to the first token of completed requests, in seconds (service kind \"llm\")",
    quantity: Quantity::Seconds,
    of_pool: OfPool::Quantile(Timed::Ttft),
    of_instance: OfInstance::AsPool,
};
