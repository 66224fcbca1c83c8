//! The statement of a signal: how its value follows from what is scraped of the pool and of its instances.

use super::Quantity;
use crate::autoscaler::observation::{InstanceScrape, Scrape};
use crate::autoscaler::times::Timed;

/// One signal, stated once.
#[derive(Debug)]
pub(crate) struct SignalSpec {
    /// As a scenario writes it.
    pub name: &'static str,
    /// What it is, for the documentation of keys.
    pub doc: &'static str,
    /// What it is a number of.
    pub quantity: Quantity,
    /// How the pool shows it.
    pub of_pool: OfPool,
    /// How one instance shows it.
    pub of_instance: OfInstance,
}

/// Counters of the pool from the start of the run, and what there is at the instant: what the pipeline of `[metrics]` keeps
/// of a scrape.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PoolCounters {
    /// Requests arrived.
    pub arrived: u64,
    /// Capacity used on ready instances: place-nanoseconds times [`FULL`](crate::service::FULL).
    pub work: u128,
    /// Place-nanoseconds of ready instances.
    pub capacity: u128,
    /// Requests waiting or in service at the instant.
    pub in_flight: u64,
    /// Requests in service on ready instances at the instant.
    pub in_service: u64,
    /// Requests waiting at the instant.
    pub waiting: u64,
    /// Tokens of the prompts and of the answers of requests that have ended.
    pub tokens: [u64; 2],
    /// Share of the KV cache in use at the instant, the mean of the ready instances; 0 unless it is watched.
    pub kv_cache: f64,
}

/// How a signal of the pool follows from scrapes. Of each kind there are two forms: what a scrape says of the time since the
/// one before, and what the counters say that a pipeline of samples keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OfPool {
    /// A number there is at each instant: its mean.
    Gauge {
        /// Mean over the time since the scrape before.
        mean: fn(&Scrape<'_>) -> f64,
        /// At the instant.
        now: fn(&PoolCounters) -> f64,
    },
    /// A number of events: their rate, per second.
    Count {
        /// Since the scrape before.
        since: fn(&Scrape<'_>) -> f64,
        /// Since the start of the run.
        total: fn(&PoolCounters) -> u64,
    },
    /// What is used of what there is: a share.
    Share {
        /// Mean of what is used, over the time since the scrape before.
        used: fn(&Scrape<'_>) -> f64,
        /// Mean of what there is.
        of: fn(&Scrape<'_>) -> f64,
        /// Used since the start of the run, times [`FULL`](crate::service::FULL).
        used_total: fn(&PoolCounters) -> u128,
        /// There since the start of the run.
        of_total: fn(&PoolCounters) -> u128,
    },
    /// A quantile of a time of what completed: kept as a histogram.
    Quantile(Timed),
    /// Instances show it; the pool's value is the mean of theirs, here at the instant.
    Instances(fn(&PoolCounters) -> f64),
}

/// How a signal of one instance follows from scrapes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OfInstance {
    /// An integral over the time measured: its mean.
    Integral(fn(&InstanceScrape) -> f64),
    /// A value at the instant of a scrape: the mean over scrapes.
    Now(fn(&InstanceScrape) -> f64),
    /// Only the pool shows it: its equal part.
    EqualPart,
    /// Only the pool shows it, and what it shows is taken for that of each.
    AsPool,
}
