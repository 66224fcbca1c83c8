//! The token-capacity analyzer (V2), which is the default from 0.9 on: demand and capacity of a model in tokens of the KV
//! cache, the replicas that the difference asks for, the GPUs there are, and zero.
//!
//! llm-d workload-variant-autoscaler at b08b1c7: `internal/engines/analyzers/saturation_v2`, and the optimizer, the limiter and
//! the enforcer of `internal/engines/pipeline`.

pub(super) mod analysis;
pub(super) mod capacity;
pub(super) mod pipeline;
pub(super) mod replay;
pub(super) mod words;
