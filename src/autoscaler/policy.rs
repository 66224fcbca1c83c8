//! What a policy is: its settings, its state, and what it is given.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use super::explanation::Explanation;
use super::metric::{Per, Query};
use super::observation::{Observation, Scrape};
use super::replay::{Generic, Replay};
use super::signal::Signal;
use super::times::Timed;
use crate::arrivals::Arrivals;
use crate::dyn_eq::DynEq;
use crate::random::Streams;
use crate::schema::{Key, Problem, Reader};
use crate::service::{EngineRole, SteadyIterations};
use crate::time::{Instant, Span};

pub(super) const INTERVAL: Key<Span> =
    Key::or("interval", "\"15s\"", "Time between two evaluations.").at_least(1e-3);
pub(super) const PHASE: Key<Span> = Key::or(
    "phase",
    "\"0s\"",
    "Shifts the evaluations: they fall at `phase` + k × `interval`, k = 1, 2, … (k = 0 too when `phase` is not zero).",
);

/// The settings of a policy as the scenario gives them: immutable, shared by threads.
pub(crate) trait Settings: Debug + Send + Sync + Any + DynEq {
    /// Minimum and maximum of the desired instances.
    fn limits(&self) -> Limits;
    /// The key of `[autoscaler]` that sets the maximum, for messages.
    fn limiting_key(&self) -> &'static str {
        "max"
    }
    /// When it is evaluated; `None`: never.
    fn schedule(&self) -> Option<Schedule>;
    /// The metric it asks for, made by the pipeline of `[metrics]`.
    fn query(&self) -> Option<Query> {
        None
    }
    /// What it compares its signals with.
    fn watched(&self) -> Vec<Watched> {
        Vec::new()
    }
    /// What it goes by besides, a sentence each: what is no signal.
    fn aims(&self) -> Vec<String> {
        Vec::new()
    }
    /// Defaults of the keys of `[metrics]`.
    fn metrics_defaults(&self) -> MetricsDefaults {
        MetricsDefaults::DEFAULT
    }
    /// Whether it takes raw scrapes, through [`Policy::scrape`].
    fn scrapes(&self) -> bool {
        false
    }
    /// The times of requests that its scrapes are to have.
    fn times(&self) -> Vec<Timed> {
        Vec::new()
    }
    /// Whether its metric is averaged over `[metrics] window`, and not over windows of its own.
    fn uses_metrics_window(&self) -> bool {
        self.query().is_some()
    }
    /// Whether it looks at each instance.
    fn watches_instances(&self) -> bool {
        false
    }
    /// Whether it is evaluated at once when a request arrives while no instance is desired.
    fn wakes(&self) -> bool {
        false
    }
    /// Whether it goes by the tokens of a KV cache, so that the service must have one.
    fn counts_tokens(&self) -> bool {
        false
    }
    /// Whether it acts at every arrival and departure, through [`Policy::react`].
    fn is_reactive(&self) -> bool {
        false
    }
    /// The policy at the start of a run.
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy>;
    /// The policy as `replay` drives it.
    fn replay(&self) -> Box<dyn Replay> {
        let start = PolicyContext::unknown(self.limits().min.max(1));
        let policy = self.policy(&start);
        Box::new(Generic::new(policy, self.query(), self.is_reactive(), start.initial))
    }
    /// The settings that give the minimum cost of each SLO attainment, for the policy that is the bound of the others; else
    /// none.
    fn bound(&self) -> Vec<Arc<dyn Settings>> {
        Vec::new()
    }
}

/// A signal and the value that it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The key that holds the value, within `[autoscaler]`.
    pub key: String,
    /// What is observed.
    pub signal: Signal,
    /// The value, in the unit of the signal.
    pub target: f64,
    /// Whether it is a value of the pool or of one instance.
    pub per: Per,
    /// What comes of values beyond it.
    pub role: Role,
    /// Whether the key holds a percentage of what is here a share.
    pub is_percent: bool,
    /// Whether the system watches the signal among others, whatever the service is; else the user named it.
    pub is_of_system: bool,
}

/// What comes of a signal beyond a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Above it instances are added, below it removed.
    Both,
    /// Above it instances are added.
    Up,
    /// Below it instances are removed.
    Down,
}

impl Watched {
    /// A value of one instance, from `key` within `[autoscaler]`, that works in both directions.
    pub(super) fn new(key: impl Into<String>, signal: Signal, target: f64) -> Watched {
        Watched {
            key: key.into(),
            signal,
            target,
            per: Per::Instance,
            role: Role::Both,
            is_percent: false,
            is_of_system: false,
        }
    }

    /// Whether instances are added above the value.
    pub fn adds(&self) -> bool {
        self.role != Role::Down
    }
}

/// A policy in a run: its settings and its state.
pub trait Policy: Debug + Send {
    /// Takes one scrape. Scrapes come in time order, each before the decisions at or after the instant at which it arrives.
    fn scrape(&mut self, _sample: &Scrape<'_>) {}

    /// Desired instances from `now` on, given the observation. Called in time order.
    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32;

    /// The explanation of the last decision or reaction. Built only when it will be read.
    fn explain(&self) -> Explanation;

    /// When it is to be evaluated next after an evaluation at `now`; `None`: after the interval of its schedule.
    fn next(&self, _now: Instant) -> Option<Instant> {
        None
    }

    /// Desired instances after an arrival, a departure or a change of the pool, for policies that act at these.
    fn react(&mut self, _pool: &PoolState) -> Option<u32> {
        None
    }

    /// Keep-alive of instance number `instance` in its idle period number `spells`; `None`: the policy does not remove
    /// instances for being idle.
    fn keep_alive(&self, _streams: Streams, _instance: u32, _spells: u64) -> Option<Span> {
        None
    }
}

/// The KV cache of an instance, its engine, and the means of the requests, in tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenContext {
    /// What the cache of an instance holds.
    pub cache: f64,
    /// Most tokens of one iteration.
    pub token_budget: f64,
    /// Most sequences at a time.
    pub max_sequences: f64,
    /// Mean tokens of a prompt.
    pub prompt: f64,
    /// Mean tokens of an answer.
    pub output: f64,
    /// Share of a prompt that is found in the prefix cache, 0 to 1.
    pub prefix_hit: f64,
    /// What of a request an instance computes.
    pub role: EngineRole,
    /// Iterations of an instance with such requests.
    pub iterations: SteadyIterations,
}

/// What a policy knows of the system before the run begins.
#[derive(Debug, Clone)]
pub struct PolicyContext {
    /// Instances ready at the start.
    pub initial: u32,
    /// Averaging time of a pipeline of the policy's own: `[metrics] window`.
    pub window: Span,
    /// What a policy that counts tokens goes by; none for services without a KV cache.
    pub tokens: Option<TokenContext>,
    /// Requests one instance serves at a time.
    pub slots: u32,
    /// Mean service requirement of a request, seconds.
    pub service_mean_s: f64,
    /// Mean time from asking for an instance to ready, seconds.
    pub cold_start_mean_s: f64,
    /// The latency promised, in seconds, and the share of requests it is promised for, 0 to 1.
    pub slo: Option<(f64, f64)>,
    /// The times promised of an answer token by token.
    pub token_promise: Option<TokenPromise>,
    /// Future arrivals, for the policy that is the bound of the others; see [`PolicyContext::future_rates`].
    pub arrivals: Arrivals,
    /// What follows an arrival, where each begins a session.
    pub session: Option<SessionPace>,
    /// The random streams of the run, with which `arrivals` gives exactly its requests.
    pub streams: Streams,
    /// Length of the run.
    pub duration: Span,
}

/// How the turns of a session follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionPace {
    /// Mean number of turns.
    pub turns: f64,
    /// Mean time from one turn to the next, seconds, but for that of its answer.
    pub think_s: f64,
}

/// The times promised of answers token by token, with what decides them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenPromise {
    /// Time to the first token promised, seconds.
    pub ttft_s: Option<f64>,
    /// Mean time of each further token promised, seconds.
    pub tpot_s: Option<f64>,
    /// The share of requests it is promised for, 0 to 1.
    pub quantile: f64,
    /// Iterations of an instance.
    pub iterations: SteadyIterations,
}

impl PolicyContext {
    /// Requests per second to come in each of the first `count` intervals of length `interval`: see [`Arrivals::future_rates`]. The
    /// turns of a session come its mean time to think apart.
    pub fn future_rates(&self, interval: Span, count: usize) -> Vec<f64> {
        let begun = self.arrivals.future_rates(self.streams, interval, count);
        let Some(SessionPace { turns, think_s }) = self.session else { return begun };
        let apart = think_s / interval.as_secs_f64();
        let mut rates = begun.clone();
        for turn in 1..turns.ceil() as usize {
            let (from, share) = ((turn as f64 * apart).round() as usize, (turns - turn as f64).min(1.0));
            let later = rates.iter_mut().skip(from).zip(&begun);
            later.for_each(|(rate, begun)| *rate += share * begun);
            if from >= count {
                break;
            }
        }
        rates
    }

    /// Only the ready instances are known: for a replay of recorded observations.
    pub fn unknown(initial: u32) -> PolicyContext {
        PolicyContext {
            initial,
            window: Span::ZERO,
            tokens: None,
            slots: 1,
            service_mean_s: 0.0,
            cold_start_mean_s: 0.0,
            slo: None,
            token_promise: None,
            arrivals: Arrivals::poisson(0.0),
            session: None,
            streams: Streams::new(0, 0),
            duration: Span::ZERO,
        }
    }
}

/// State of the pool at one instant, for policies that act at every arrival and departure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Requests waiting or in service.
    pub in_flight: u64,
    /// Requests waiting.
    pub waiting: u64,
    /// Instances ready.
    pub ready: u32,
    /// Instances starting.
    pub starting: u32,
}

/// Minimum and maximum of an autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Minimum instances.
    pub min: u32,
    /// Maximum instances.
    pub max: u32,
}

impl Limits {
    /// What they make of the instances wanted, in words to follow others: empty where they leave them as they are.
    pub(super) fn words(self, wanted: u32) -> String {
        match wanted {
            _ if wanted > self.max => format!(", held at the maximum of {}", self.max),
            _ if wanted < self.min => format!(", held at the minimum of {}", self.min),
            _ => String::new(),
        }
    }

    /// Reads both keys; the minimum may not exceed the maximum.
    pub(super) fn read(reader: &Reader<'_>, min: &Key<u32>, max: &Key<u32>) -> Result<Limits, Problem> {
        let limits = Limits { min: reader.get(min)?, max: reader.get(max)? };
        if limits.min <= limits.max {
            return Ok(limits);
        }
        let Limits { min: lower, max: upper } = limits;
        let message = format!("`{}` is {lower} but the maximum is {upper}", reader.path_of(min.name()));
        Err(reader.problem(min.name(), message, format!("expected at most {upper}")))
    }
}

/// Defaults of `[metrics]` for a system: how its metrics reach its autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsDefaults {
    /// Time between two scrapes; not zero.
    pub scrape_interval: Span,
    /// Averaging time.
    pub window: Span,
    /// Delay: the age of a scrape when the autoscaler first sees it.
    pub delay: Span,
}

impl MetricsDefaults {
    /// Scrapes every 15 s, averaged over a minute, at once: what a plain Prometheus set-up gives.
    pub const DEFAULT: MetricsDefaults = MetricsDefaults {
        scrape_interval: Span::from_secs(15),
        window: Span::from_secs(60),
        delay: Span::ZERO,
    };
}

/// When a periodic policy is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Time between two evaluations; not zero.
    pub interval: Span,
    /// Shift of the evaluations from the multiples of `interval`.
    pub phase: Span,
}

impl Schedule {
    pub(super) fn read(reader: &Reader<'_>) -> Result<Schedule, Problem> {
        Ok(Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? })
    }

    /// The first evaluation: never at the very start of the run, when nothing has been observed.
    pub fn first(&self) -> Instant {
        Instant::ZERO + if self.phase.is_zero() { self.interval } else { self.phase }
    }
}
