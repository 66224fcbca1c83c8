//! What a service model states: its keys, what requests require under it, what one instance can do, and its server.

use super::requirement::TokenLaws;
use super::server::Server;
use super::trace_input::{FromTrace, TraceColumnMeans};
use crate::distribution::{Distribution, Durations};
use crate::schema::{Problem, Reader, TableSpec};

/// What requests require.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// Service requirement of a request: its service time, in seconds, on an instance that serves it at full speed.
    pub time: Durations,
    /// Tokens of a request, for the models that count them.
    pub tokens: Option<TokenLaws>,
    /// Which requirements each request takes from its row of the trace; their distributions then give the mean only.
    pub from_trace: FromTrace,
}

impl Requirement {
    /// A service time alone, written or in the trace.
    pub(super) fn time(reader: &Reader<'_>, columns: TraceColumnMeans) -> Result<Requirement, Problem> {
        let mut from_trace = FromTrace::default();
        let time = columns.time(reader, &mut from_trace)?;
        Ok(Requirement { time, tokens: None, from_trace })
    }

    /// Tokens alone, written or in the trace.
    pub(super) fn tokens(reader: &Reader<'_>, columns: TraceColumnMeans) -> Result<Requirement, Problem> {
        let mut from_trace = FromTrace::default();
        let tokens = Some(columns.tokens(reader, &mut from_trace)?);
        Ok(Requirement { time: Durations(Distribution::constant(0.0)), tokens, from_trace })
    }
}

/// A service model, by its settings. Registered in `registry.rs`.
pub(crate) trait ServiceModel: Sized {
    /// Its keys, with those of what requests require.
    const SPEC: TableSpec;
    /// Whether its throughput is an approximation.
    const IS_APPROXIMATE: bool = false;

    /// Reads its settings, and what requests require under it.
    ///
    /// # Errors
    /// What is wrong with a key, at its place.
    fn read(reader: &Reader<'_>, columns: TraceColumnMeans) -> Result<(Requirement, Self), Problem>;

    /// Places of an instance, each of which is busy or idle: the utilization is the mean share of them that is busy.
    fn places(&self) -> u32 {
        1
    }

    /// Most requests that an instance serves at a time.
    fn most_at_once(&self) -> u32 {
        self.places()
    }

    /// Slots for which memory is allocated when an instance starts; models without slots allocate it by request.
    fn slots_allocated(&self) -> u32 {
        1
    }

    /// Maximum throughput of one instance, requests per second, for requests of a mean time of `time_s` and of these tokens.
    fn throughput(&self, time_s: f64, tokens: Option<&TokenLaws>) -> f64;

    /// How an instance serves, for the reading of a scenario; `alone` is the mean service time of a request by itself.
    fn in_words(&self, alone: &str) -> String;

    /// Chooses its server.
    fn choose<C: ServerChoice>(&self, choice: C) -> C::Chosen;
}

/// Who compiles something for each server: the construction of an engine.
pub(crate) trait ServerChoice {
    /// What is made of a server.
    type Chosen;

    /// Slots, whose course is known once a request has started: there are faster queues for them than for a server.
    fn slots(self, concurrency: u32) -> Self::Chosen;

    /// A server that is taken event by event.
    fn served<S: Server<Settings: 'static> + 'static>(self, settings: &S::Settings) -> Self::Chosen;
}
