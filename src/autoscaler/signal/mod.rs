//! What a pool shows of itself, once for all systems: one file a signal, which states its name, its quantity and how it
//! follows from what is scraped.
//!
//! Each system has names and units of its own for what it watches: they are views onto [`Signal`], beside the keys of the
//! system. A further signal is a file here and its lines in the list: the pipeline of `[metrics]`, the HPA, CloudWatch and
//! Azure Monitor read it from its statement.
mod concurrency;
mod in_flight;
mod kv_cache;
mod latency;
mod measure;
mod output_token_rate;
mod prompt_token_rate;
mod queue_length;
mod request_rate;
mod tpot;
mod ttft;
mod utilization;

pub(crate) use measure::{OfInstance, OfPool, PoolCounters, SignalSpec};

use super::observation::Scrape;
use super::times::Timed;
use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};

/// States the signals: an enum of them, each with its statement.
macro_rules! signals {
    ($($module:ident::$signal:ident: $doc:literal,)*) => {
        /// What is measured.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Signal {
            $(#[doc = $doc] $signal,)*
        }

        impl Signal {
            /// Every signal.
            pub const ALL: &'static [Signal] = &[$(Signal::$signal),*];

            /// Its statement.
            pub(crate) const fn spec(self) -> &'static SignalSpec {
                match self { $(Signal::$signal => &$module::SPEC,)* }
            }
        }
    };
}

signals! {
    request_rate::RequestRate: "Requests arriving per second.",
    in_flight::InFlight: "Requests waiting or in service.",
    concurrency::Concurrency: "Requests in service on ready instances.",
    queue_length::QueueLength: "Requests waiting, buffered or at the instances.",
    utilization::Utilization: "Busy share of the capacity of the ready instances, 0 to 1.",
    latency::Latency: "A quantile of the latency of completed requests, in seconds.",
    kv_cache::KvCache: "Share of the KV cache in use over the ready instances, 0 to 1.",
    ttft::Ttft: "A quantile of the time to the first token, in seconds.",
    tpot::Tpot: "A quantile of the time of each further token, in seconds.",
    prompt_token_rate::PromptTokenRate: "Tokens of prompts per second.",
    output_token_rate::OutputTokenRate: "Tokens of answers per second.",
}

/// What a signal is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// A share, 0 to 1.
    Share,
    /// Requests.
    Requests,
    /// Requests per second.
    RequestsPerSecond,
    /// Tokens per second.
    TokensPerSecond,
    /// Seconds.
    Seconds,
}

impl Signal {
    /// As a scenario writes it.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// The signal called `name`, as a scenario writes it.
    pub fn named(name: &str) -> Option<Signal> {
        Signal::ALL.iter().copied().find(|signal| signal.name() == name)
    }

    /// What it is a number of.
    pub const fn quantity(self) -> Quantity {
        self.spec().quantity
    }

    /// The time of which it is a quantile, if it is one.
    pub(crate) const fn timed(self) -> Option<Timed> {
        match self.spec().of_pool {
            OfPool::Quantile(timed) => Some(timed),
            _ => None,
        }
    }

    /// What one scrape adds to a mean per ready instance: to what is shared, `factor` times, and to what it is shared by.
    /// Zeros for a signal that no scrape carries for the pool.
    pub(crate) fn per_instance(self, scrape: &Scrape<'_>, factor: f64) -> (f64, f64) {
        let seconds = scrape.seconds();
        let ready = f64::from(scrape.ready) * seconds;
        match self.spec().of_pool {
            OfPool::Count { since, .. } => (since(scrape) * factor, ready),
            OfPool::Gauge { mean, .. } => (mean(scrape) * factor * seconds, ready),
            OfPool::Share { used, of, .. } => (used(scrape) * factor * seconds, of(scrape) * seconds),
            OfPool::Quantile(_) | OfPool::Instances(_) => (0.0, 0.0),
        }
    }
}

impl Signal {
    /// The signal of this name.
    pub(crate) fn called(name: &str) -> Option<Signal> {
        Signal::ALL.iter().copied().find(|signal| signal.name() == name)
    }
}

impl Choice for Signal {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &{
        let mut options = [("", Signal::ALL[0], ""); Signal::ALL.len()];
        let mut at = 0;
        while at < options.len() {
            let spec = Signal::ALL[at].spec();
            options[at] = (spec.name, Signal::ALL[at], spec.doc);
            at += 1;
        }
        options
    };
}

impl Value for Signal {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Quantity {
    /// The unit of a value, for people.
    pub const fn unit(self) -> &'static str {
        match self {
            Quantity::Share => "(a share, 0 to 1)",
            Quantity::Requests => "requests",
            Quantity::RequestsPerSecond => "requests/s",
            Quantity::TokensPerSecond => "tokens/s",
            Quantity::Seconds => "s",
        }
    }

    /// Whether the pool's value is the sum of its instances', so that a value per instance is a part of it.
    pub const fn is_additive(self) -> bool {
        matches!(self, Quantity::Requests | Quantity::RequestsPerSecond | Quantity::TokensPerSecond)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_differ_and_what_is_shared_out_is_what_is_counted() {
        let names: HashSet<&str> = Signal::ALL.iter().map(|signal| signal.name()).collect();
        assert_eq!(names.len(), Signal::ALL.len());
        let additive: Vec<&str> = Signal::ALL
            .iter()
            .filter(|signal| signal.quantity().is_additive())
            .map(|signal| signal.name())
            .collect();
        assert_eq!(
            additive,
            [
                "request_rate",
                "in_flight",
                "concurrency",
                "queue_length",
                "prompt_token_rate",
                "output_token_rate"
            ]
        );
    }
}
