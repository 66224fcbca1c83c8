//! `model = "llm"`: continuous batching at iteration granularity, with chunked prefill and a paged KV cache.
//!
//! The scheduler is that of vLLM's engine V1. In every iteration each decoding sequence gets a token; what the token budget
//! leaves goes to prompts, first come first served, cut into chunks to fit; a sequence that finds no block for its next
//! token preempts the sequence begun last, which is computed again from its start later (Kwon et al., "Efficient memory
//! management for large language model serving with PagedAttention", 2023; Agrawal et al., "Taming throughput-latency
//! tradeoff in LLM inference with Sarathi-Serve", 2024).
//!
//! A simulation of each iteration would cost as much as the engine has iterations, some 30 per second of simulated time
//! and instance. Three structures make the cost depend on the requests instead:
//!
//! ```text
//! one instance:   | prefill A | A decodes: 120 iterations alike | prefill B, A decodes | A and B decode: ...
//! simulated as:   | 1 event   | 1 run of 120 iterations         | 1 event              | 1 run, cut short by C's arrival
//!
//! iteration_run   A run: iterations in which nothing begins or ends. Each lasts longer than the one before by the same
//!                 time, as every sequence gains a token, so the time of n iterations is a closed form in n. The run ends
//!                 with the first sequence to end, or when blocks run out; an arrival that could begin cuts it short.
//! timing_wheel    Which sequence ends first: sequences by the iteration after which they end. Insertion, removal and the
//!                 next end cost the same for any number of sequences.
//!                      bucket: 0   1   2   3 ... 511 (iteration modulo 512)
//!                              |   A       B → C
//! decoding        How many blocks are in use after n more iterations: counts of sequences by phase, the iteration modulo
//!                 the block size at which a sequence needs its next block. No sequence is visited.
//! ```
//!
//! The times of an iteration are whole nanoseconds, so sums are exact: a run ends at the instant at which single iterations
//! would. Tests hold runs against single iterations.

mod decoding;
mod decoding_curve;
mod fit;
mod hardware;
mod iteration;
mod iteration_run;
mod paging;
mod prefix_cache;
mod presets;
mod roofline;
mod scheduler;
mod sequence;
mod server;
mod settings;
mod timing_wheel;

#[cfg(feature = "internals")]
pub use hardware::law_with;
pub use hardware::{FITTED, Fitted, Uncertainty};
pub use iteration::{IterationLaw, IterationWork};
pub use presets::{PRESETS, Preset};
pub use server::{DecodeServer, LlmServer};
pub use settings::{EngineRole, Llm, SteadyIterations};

use crate::distribution::Numbers;
use crate::schema::{Problem, Reader, TableSpec};
use crate::service::requirement::TokenLaws;
use crate::service::service_model::{Requirement, ServerChoice, ServiceModel};
use crate::service::trace_input::TraceColumnMeans;

impl ServiceModel for Llm {
    const SPEC: TableSpec = Llm::SPEC;
    const IS_APPROXIMATE: bool = true;

    fn read(reader: &Reader<'_>, columns: TraceColumnMeans) -> Result<(Requirement, Llm), Problem> {
        Ok((Requirement::tokens(reader, columns)?, Llm::read(reader)?))
    }

    fn most_at_once(&self) -> u32 {
        self.max_sequences
    }

    fn throughput(&self, _: f64, tokens: Option<&TokenLaws>) -> f64 {
        let mean = |law: fn(&TokenLaws) -> &Numbers| tokens.map_or(1.0, |laws| law(laws).0.mean());
        self.throughput(mean(|laws| &laws.prompt), mean(|laws| &laws.output))
    }

    fn in_words(&self, _: &str) -> String {
        let what = match self.role {
            EngineRole::Whole => "tokens",
            EngineRole::Prefill => "prompts alone",
            EngineRole::Decode => "answers alone",
        };
        format!("{what}, batched continuously")
    }

    fn choose<C: ServerChoice>(&self, choice: C) -> C::Chosen {
        choice.served::<LlmServer>(self)
    }
}
