//! How one instance serves requests: service models, one file each.
//!
//! A model knows nothing of the pool it stands in. Which one a scenario uses is decided once; the engine's loop is
//! compiled for each.

mod batch;
mod brought;
mod fit;
mod llm;
mod llm_server;
mod paging;
mod presets;
mod server;
mod shared;
mod slots;
mod soonest;
mod stride;
mod wheel;

pub use batch::{Batch, BatchServer};
pub use brought::{Brought, FromTrace};
pub use llm::{Llm, TokenLaws};
pub use llm_server::LlmServer;
pub use presets::{PRESETS, Preset};
pub use server::{Active, FULL, Line, Queue, Request, Server, Tokens};
pub use shared::{Shared, SharedServer};
pub use slots::Slots;

use crate::distribution::{Distribution, Durations, Numbers};
use crate::schema::{Context, Key, Node, Problem, UnionSpec};

/// The `[service]` table: what a request needs, and how an instance gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Service requirement of a request: the time it takes on an instance that serves it at full speed.
    pub time: Durations,
    /// Tokens of a request, under the models that count them.
    pub tokens: Option<TokenLaws>,
    /// Which of these each request takes from its row of the trace; the distribution then stands for the mean only.
    pub from_trace: FromTrace,
    /// How an instance serves the requests it has.
    pub model: Model,
}

/// A service model with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// See [`Slots`].
    Slots(Slots),
    /// See [`Shared`].
    Shared(Shared),
    /// See [`Batch`].
    Batch(Batch),
    /// See [`Llm`].
    Llm(Llm),
}

impl Model {
    /// What the utilization of an instance is measured in: so many places, each of which can be busy.
    pub fn places(&self) -> u32 {
        match self {
            Model::Slots(slots) => slots.concurrency,
            Model::Shared(_) => 1,
            Model::Batch(batch) => batch.copies,
            Model::Llm(_) => 1,
        }
    }
}

const TIME: Key<Option<Durations>> = Key::optional(
    "time",
    "Service requirement of a request: how long it takes on an instance that serves it at full speed. Drawn as it arrives. Only where `arrivals` is a trace that tells it (`service_time`) may it be left out: then it is that of the request's row.",
);
const EXTRA_TIME: Key<Durations> = Key::or(
    "time",
    "\"0s\"",
    "What a request adds to the time of its batch, drawn as it arrives; of the requests in a batch only the longest counts.",
);

impl Service {
    /// Requests that one instance can answer per second, about.
    pub fn throughput(&self) -> f64 {
        let mean_s = self.time.0.mean();
        match &self.model {
            Model::Slots(slots) => f64::from(slots.concurrency) / mean_s,
            Model::Shared(shared) => shared.throughput(mean_s),
            Model::Batch(batch) => batch.throughput(mean_s),
            Model::Llm(llm) => {
                let mean = |of: fn(&TokenLaws) -> &Numbers| {
                    self.tokens.as_ref().map_or(1.0, |laws| of(laws).0.mean())
                };
                llm.throughput(mean(|laws| &laws.prompt), mean(|laws| &laws.output))
            }
        }
    }

    /// The `[service]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "service",
        doc: "What a request needs, and how one instance serves it.",
        tag: "model",
        default: Some("slots"),
        common: &[],
        variants: &[&Slots::SPEC, &Shared::SPEC, &Batch::SPEC, &Llm::SPEC],
    };

    /// Reads the `[service]` table, for requests that bring nothing.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Service, Problem> {
        Self::read_for(node, path, context, Brought::default())
    }

    /// Reads the `[service]` table, for requests of a trace that tells of them what is `brought`.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read_for(
        node: &Node,
        path: &str,
        context: &Context,
        brought: Brought,
    ) -> Result<Service, Problem> {
        let (variant, reader) = Self::SPEC.open(node, path, context)?;
        let mut from_trace = FromTrace::default();
        let mut tokens = None;
        let (time, model) = match variant.name {
            "slots" => (brought.time(&reader, &mut from_trace)?, Model::Slots(Slots::read(&reader)?)),
            "shared" => (brought.time(&reader, &mut from_trace)?, Model::Shared(Shared::read(&reader)?)),
            "batch" => (reader.get(&EXTRA_TIME)?, Model::Batch(Batch::read(&reader)?)),
            _ => {
                tokens = Some(brought.tokens(&reader, &mut from_trace)?);
                (Durations(Distribution::constant(0.0)), Model::Llm(Llm::read(&reader)?))
            }
        };
        Ok(Service { time, tokens, from_trace, model })
    }
}
