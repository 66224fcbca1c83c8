//! The `[service]` table: a service model and what a request requires of it.

use super::batch::Batch;
use super::llm::{Llm, SteadyIterations};
use super::requirement::{EXTRA_TIME, TokenLaws};
use super::shared::Shared;
use super::slots::Slots;
use super::trace_input::{FromTrace, TraceColumnMeans};
use crate::distribution::{Distribution, Durations, Numbers};
use crate::schema::{Context, Node, Problem, UnionSpec};

/// The `[service]` table: what a request requires, and how an instance provides it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Service requirement of a request: its service time, in seconds, on an instance that serves it at full speed.
    pub time: Durations,
    /// Tokens of a request, for the models that count them.
    pub tokens: Option<TokenLaws>,
    /// Which requirements each request takes from its row of the trace; their distributions then give the mean only.
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
    /// Places of an instance, each of which is busy or idle: the utilization is the mean share of them that is busy.
    pub fn places(&self) -> u32 {
        match self {
            Model::Slots(slots) => slots.concurrency,
            Model::Shared(_) => 1,
            Model::Batch(batch) => batch.copies,
            Model::Llm(_) => 1,
        }
    }

    /// Slots for which memory is allocated when an instance starts; models without slots allocate it by request.
    pub fn slots_allocated(&self) -> u32 {
        if let Model::Slots(slots) = self { slots.concurrency } else { 1 }
    }
}

impl Service {
    /// The `[service]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "service",
        doc: "What a request requires, and how one instance serves it.",
        tag: "model",
        default: Some("slots"),
        common: &[],
        variants: &[&Slots::SPEC, &Shared::SPEC, &Batch::SPEC, &Llm::SPEC],
    };

    /// Maximum throughput of one instance, requests per second; approximate for `llm`.
    pub fn throughput(&self) -> f64 {
        let mean_s = self.time.0.mean();
        match &self.model {
            Model::Slots(slots) => f64::from(slots.concurrency) / mean_s,
            Model::Shared(shared) => shared.throughput(mean_s),
            Model::Batch(batch) => batch.throughput(mean_s),
            Model::Llm(llm) => {
                let mean = |law: fn(&TokenLaws) -> &Numbers| {
                    self.tokens.as_ref().map_or(1.0, |laws| law(laws).0.mean())
                };
                llm.throughput(mean(|laws| &laws.prompt), mean(|laws| &laws.output))
            }
        }
    }

    /// Iterations in a steady state, of a model that computes token by token.
    pub fn steady_iterations(&self) -> Option<SteadyIterations> {
        let (Model::Llm(llm), Some(laws)) = (&self.model, &self.tokens) else { return None };
        Some(llm.steady(laws.prompt.0.mean(), laws.output.0.mean()))
    }

    /// Reads the `[service]` table, for arrivals other than a trace.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Service, Problem> {
        Self::read_for(node, path, context, TraceColumnMeans::default())
    }

    /// Reads the `[service]` table, for the requests of a trace with these columns.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read_for(
        node: &Node,
        path: &str,
        context: &Context,
        columns: TraceColumnMeans,
    ) -> Result<Service, Problem> {
        let (variant, reader) = Self::SPEC.open(node, path, context)?;
        let mut from_trace = FromTrace::default();
        let mut tokens = None;
        let (time, model) = match variant.name {
            "slots" => (columns.time(&reader, &mut from_trace)?, Model::Slots(Slots::read(&reader)?)),
            "shared" => (columns.time(&reader, &mut from_trace)?, Model::Shared(Shared::read(&reader)?)),
            "batch" => (reader.get(&EXTRA_TIME)?, Model::Batch(Batch::read(&reader)?)),
            _ => {
                tokens = Some(columns.tokens(&reader, &mut from_trace)?);
                (Durations(Distribution::constant(0.0)), Model::Llm(Llm::read(&reader)?))
            }
        };
        Ok(Service { time, tokens, from_trace, model })
    }
}
