//! The `[service]` table: a service model and what a request requires of it.

use super::contents::Contents;
use super::llm::SteadyIterations;
use super::registry::{self, Model};
use super::request::MeanTokens;
use super::requirement::{FIT_ERROR, TokenLaws};
use super::service_model::Requirement;
use super::trace_input::{FromTrace, TraceColumnMeans};
use crate::distribution::Durations;
use crate::schema::{Context, Node, Problem, UnionSpec};

/// The `[service]` table: what a request requires, and how an instance provides it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Service requirement of a request: its service time, in seconds, on an instance that serves it at full speed.
    pub time: Durations,
    /// Tokens of a request, for the models that count them.
    pub tokens: Option<TokenLaws>,
    /// The same on average where requests are turns of sessions, of which `tokens` has what each adds.
    pub in_sessions: Option<MeanTokens>,
    /// Which requirements each request takes from its row of the trace; their distributions then give the mean only.
    pub from_trace: FromTrace,
    /// How an instance serves the requests it has.
    pub model: Model,
    /// How far off its own load test the service is, as a share, where it was fitted to one.
    pub fit_error: Option<f64>,
}

impl Service {
    /// The `[service]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "service",
        doc: "What a request requires, and how one instance serves it.",
        tag: "model",
        default: Some("slots"),
        common: &[&FIT_ERROR],
        variants: registry::SPECS,
    };

    /// Maximum throughput of one instance, requests per second; approximate for `llm`.
    pub fn throughput(&self) -> f64 {
        if let (Model::Llm(llm), Some(mean)) = (&self.model, self.in_sessions) {
            return llm.in_sessions(mean).throughput(mean.prompt, mean.output);
        }
        self.model.throughput(self.time.0.mean(), self.tokens.as_ref())
    }

    /// Whether requests take something from their rows of a trace.
    pub fn takes_rows(&self) -> bool {
        self.from_trace.is_any() || self.has_content_of_rows()
    }

    /// Whether prompts hold what their rows of a trace say.
    pub fn has_content_of_rows(&self) -> bool {
        matches!(&self.model, Model::Llm(llm) if matches!(llm.prefix_cache, Some(Contents::Rows(_))))
    }

    /// What prompts hold, where that is known, and the tokens in a block of an instance's cache.
    pub fn contents(&self) -> (Contents, u32) {
        match &self.model {
            Model::Llm(llm) => (llm.prefix_cache.clone().unwrap_or_default(), llm.block_tokens),
            _ => (Contents::Unknown, 1),
        }
    }

    /// Iterations in a steady state, of a model that computes token by token.
    pub fn steady_iterations(&self) -> Option<SteadyIterations> {
        if let (Model::Llm(llm), Some(mean)) = (&self.model, self.in_sessions) {
            return Some(llm.in_sessions(mean).steady(mean.prompt, mean.output));
        }
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
        let (Requirement { time, tokens, from_trace }, model) =
            registry::read(variant.name, &reader, columns)?;
        Ok(Service {
            time,
            tokens,
            in_sessions: None,
            from_trace,
            model,
            fit_error: reader.find(&FIT_ERROR)?,
        })
    }
}
