//! Tokens of prompts per second.

use super::Quantity;
use super::measure::{OfInstance, OfPool, SignalSpec};

pub(super) const SPEC: SignalSpec = SignalSpec {
    name: "prompt_token_rate",
    doc: "tokens of prompts per second, counted when their requests end (service kind \"llm\")",
    quantity: Quantity::TokensPerSecond,
    of_pool: OfPool::Count { since: |scrape| scrape.tokens[0] as f64, total: |counters| counters.tokens[0] },
    of_instance: OfInstance::EqualPart,
};
