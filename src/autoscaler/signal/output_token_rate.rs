//! Tokens of answers per second.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "output_token_rate",
    doc: "tokens of answers per second, counted when their requests end (service kind \"llm\")",
    quantity: Quantity::TokensPerSecond,
    of_pool: OfPool::Count { since: |scrape| scrape.tokens[1] as f64, total: |counters| counters.tokens[1] },
    of_instance: OfInstance::EqualPart,
};
