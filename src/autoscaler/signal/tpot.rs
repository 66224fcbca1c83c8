//! A quantile of the time of each further token.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};
use crate::autoscaler::times::Timed;

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "tpot",
    doc: "quantile of the time of each further token of completed requests, in seconds (service kind \"llm\")",
    quantity: Quantity::Seconds,
    of_pool: OfPool::Quantile(Timed::Tpot),
    of_instance: OfInstance::AsPool,
};
