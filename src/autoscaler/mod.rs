//! Autoscaling policies, one file (or folder) each.
//!
//! A policy is a pure function of its own state and what it is shown to the instances it wants: no engine, no
//! randomness, no clock of its own. The same object serves the simulator, `replay` and the conformance tests.
//!
//! Adding a policy: write its file, with its settings and its [`Policy`], and list it in the table of kinds.
//! Policies are called once an evaluation, far from the loop over requests, so they stand behind trait objects.

mod aws;
mod azure;
mod clairvoyant;
mod cloud_run;
mod explanation;
mod fields;
mod fixed;
mod forecast;
mod hpa;
mod hugging_face;
mod hysteresis;
mod in_flight_target;
mod keda;
mod kinds;
mod kpa;
mod llmd;
pub mod manifest;
mod metric;
mod observation;
mod predictive;
mod ray_serve;
mod replay;
mod scheduled;
mod setup;
mod sizing;
mod started;
mod target;
mod threshold;
mod trailing;
mod vertex;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

pub use explanation::{Explanation, Shown};
pub use metric::{METRIC, Metric, PER, Per, QUANTILE, Query};
pub use observation::{InstanceSample, InstanceState, InstanceView, Observation, Sample};
pub use replay::{Line, Replay, Row, RowProblem};

use crate::arrivals::Arrivals;
use crate::random::Streams;
use crate::same::SameAs;
use crate::schema::{Context, Key, Node, Problem, Reader, UnionSpec};
use crate::time::{Instant, Span};

/// The settings of a policy as the scenario gives them: immutable, shared by threads.
pub(crate) trait Settings: Debug + Send + Sync + Any + SameAs {
    /// Fewest and most instances it will ever ask for.
    fn limits(&self) -> Limits;
    /// The key of `[autoscaler]` that sets the most instances, for messages.
    fn limiting_key(&self) -> &'static str {
        "max"
    }
    /// When it is evaluated; `None`: never.
    fn schedule(&self) -> Option<Schedule>;
    /// The metric it asks for, made by the pipeline of `[metrics]`.
    fn query(&self) -> Option<Query> {
        None
    }
    /// What the keys of `[metrics]` are where the scenario leaves them out.
    fn rhythm(&self) -> Rhythm {
        Rhythm::DEFAULT
    }
    /// Whether it takes in raw scrapes, through [`Policy::scrape`].
    fn scrapes(&self) -> bool {
        false
    }
    /// Whether what it sees is averaged over `[metrics] window`, and not over windows of its own.
    fn uses_metrics_window(&self) -> bool {
        self.query().is_some()
    }
    /// Whether it looks at each instance.
    fn watches_instances(&self) -> bool {
        false
    }
    /// Whether a request that arrives while no instance is asked for has it evaluated at once.
    fn wakes(&self) -> bool {
        false
    }
    /// Whether it acts at every arrival and departure, through [`Policy::react`].
    fn is_reactive(&self) -> bool {
        false
    }
    /// The policy at the start of a run.
    fn policy(&self, start: &Start) -> Box<dyn Policy>;
    /// The policy as `replay` drives it.
    fn replay(&self) -> Box<dyn Replay> {
        let start = Start::unknown(self.limits().min.max(1));
        let policy = self.policy(&start);
        Box::new(replay::Generic::new(policy, self.query(), self.is_reactive(), start.initial))
    }
    /// The settings that trace the least cost at which the SLO is kept more or less often, if this is the policy that
    /// others are judged against; else none.
    fn bound(&self) -> Vec<Arc<dyn Settings>> {
        Vec::new()
    }
}

/// A policy at work: its settings and what it remembers.
pub trait Policy: Debug + Send {
    /// Takes in one scrape. They come in time order, each before the decisions at or after the instant it arrives.
    fn scrape(&mut self, _sample: &Sample<'_>) {}

    /// The instances wanted from `now` on, given what is observed. Called in time order.
    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32;

    /// How the last decision or reaction came about. Built only when somebody will read it.
    fn explain(&self) -> Explanation;

    /// When it is to be evaluated next after an evaluation at `now`; `None`: after the interval of its schedule.
    fn next(&self, _now: Instant) -> Option<Instant> {
        None
    }

    /// The instances wanted after an arrival, a departure or a change of the pool, if the policy acts at these.
    fn react(&mut self, _glance: &Glance) -> Option<u32> {
        None
    }

    /// How long instance number `instance` is kept without work after so many spells of it; `None`: the policy does
    /// not let instances go for being idle.
    fn keep_alive(&self, _streams: Streams, _instance: u32, _spells: u64) -> Option<Span> {
        None
    }
}

/// What a policy can know of the system before the run begins.
#[derive(Debug, Clone)]
pub struct Start {
    /// Instances ready at the start.
    pub initial: u32,
    /// What a pipeline of the policy's own is to average over: `[metrics] window`.
    pub window: Span,
    /// Requests one instance serves at a time.
    pub slots: u32,
    /// Mean service requirement of a request, seconds.
    pub service_mean_s: f64,
    /// Mean time from asking for an instance to ready, seconds.
    pub cold_start_mean_s: f64,
    /// The latency promised, in seconds, and the share of requests it is promised for, 0 to 1.
    pub slo: Option<(f64, f64)>,
    /// When requests will arrive: for policies that are given the future, as a bound for those that are not.
    pub arrivals: Arrivals,
    /// The streams of the run, under which `arrivals` gives its very requests.
    pub streams: Streams,
    /// Length of the run.
    pub duration: Span,
}

impl Start {
    /// Nothing is known but the instances ready: as when recorded observations are replayed.
    pub fn unknown(initial: u32) -> Start {
        Start {
            initial,
            window: Span::ZERO,
            slots: 1,
            service_mean_s: 0.0,
            cold_start_mean_s: 0.0,
            slo: None,
            arrivals: Arrivals::poisson(0.0),
            streams: Streams::new(0, 0),
            duration: Span::ZERO,
        }
    }
}

/// What a policy that acts at every arrival and departure sees: the truth of the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Requests waiting or in service.
    pub in_flight: u64,
    /// Requests waiting.
    pub waiting: u64,
    /// Instances ready.
    pub ready: u32,
    /// Instances starting.
    pub starting: u32,
}

/// How far an autoscaler may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Fewest instances.
    pub min: u32,
    /// Most instances.
    pub max: u32,
}

impl Limits {
    /// Reads both keys.
    fn read(reader: &Reader<'_>, min: &Key<u32>, max: &Key<u32>) -> Result<Limits, Problem> {
        let limits = Limits { min: reader.get(min)?, max: reader.get(max)? };
        if limits.min <= limits.max {
            return Ok(limits);
        }
        let Limits { min: least, max: most } = limits;
        let message = format!("`{}` is {least} but the maximum is {most}", reader.path_of(min.name()));
        Err(reader.problem(min.name(), message, format!("expected at most {most}")))
    }
}

/// How a system's metrics reach its autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Time between two scrapes; not zero.
    pub scrape_interval: Span,
    /// Length of the average.
    pub window: Span,
    /// Age a scrape must have before the autoscaler sees it.
    pub delay: Span,
}

impl Rhythm {
    /// Scrapes every 15 s, averaged over a minute, at once: what a plain Prometheus set-up gives.
    pub const DEFAULT: Rhythm =
        Rhythm { scrape_interval: Span::from_secs(15), window: Span::from_secs(60), delay: Span::ZERO };
}

/// The `[autoscaler]` table: a policy with its settings, before it has seen anything. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Autoscaler(Arc<dyn Settings>);

impl PartialEq for Autoscaler {
    fn eq(&self, other: &Self) -> bool {
        let other: &dyn Any = other.0.as_ref();
        self.0.same_as(other)
    }
}

const FROM: Key<Option<String>> = Key::optional(
    "from",
    "A manifest in the form the system is deployed with (YAML or JSON), relative to the scenario. Its settings stand beneath the keys written here, which override them; it says the `kind` too. What it sets that is not modelled is named in a warning.",
);
const INTERVAL: Key<Span> = Key::or("interval", "\"15s\"", "Time between two evaluations.").at_least(1e-3);
const PHASE: Key<Span> = Key::or(
    "phase",
    "\"0s\"",
    "Shifts the evaluations: they fall at `phase` + k × `interval`, k = 1, 2, … (k = 0 too when `phase` is not zero).",
);

impl Autoscaler {
    /// The `[autoscaler]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "autoscaler",
        doc: "The autoscaler that watches the pool.",
        tag: "kind",
        default: None,
        common: &[&FROM],
        variants: &kinds::SPECS,
    };

    /// A pool of `instances` instances, whatever happens.
    pub fn fixed(instances: u32) -> Autoscaler {
        Autoscaler(Arc::new(fixed::Fixed { instances }))
    }

    /// A policy that no scenario can name.
    #[cfg(test)]
    pub(crate) fn of(settings: Arc<dyn Settings>) -> Autoscaler {
        Autoscaler(settings)
    }

    /// Reads the `[autoscaler]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(node: &Node, path: &str, context: &Context) -> Result<Autoscaler, Problem> {
        let (variant, reader) = const { &Self::SPEC }.open(node, path, context)?;
        kinds::read(variant, &reader).map(Autoscaler)
    }

    /// When the policy is evaluated; `None` if never.
    pub fn schedule(&self) -> Option<Schedule> {
        self.0.schedule()
    }

    /// The metric it asks for, if it asks for one.
    pub fn query(&self) -> Option<Query> {
        self.0.query()
    }

    /// What the keys of `[metrics]` are where the scenario leaves them out.
    pub fn rhythm(&self) -> Rhythm {
        self.0.rhythm()
    }

    /// Whether it takes in raw scrapes.
    pub fn scrapes(&self) -> bool {
        self.0.scrapes()
    }

    /// Whether what it sees is averaged over `[metrics] window`.
    pub fn uses_metrics_window(&self) -> bool {
        self.0.uses_metrics_window()
    }

    /// Whether it looks at each instance.
    pub fn watches_instances(&self) -> bool {
        self.0.watches_instances()
    }

    /// Whether a request that arrives while no instance is asked for has it evaluated at once.
    pub fn wakes(&self) -> bool {
        self.0.wakes()
    }

    /// Fewest and most instances it will ever ask for.
    pub fn limits(&self) -> Limits {
        self.0.limits()
    }

    /// The path of the key that sets the most instances.
    pub fn limiting_path(&self) -> String {
        format!("autoscaler.{}", self.0.limiting_key())
    }

    /// The policy at the start of a run.
    pub fn policy(&self, start: &Start) -> Box<dyn Policy> {
        self.0.policy(start)
    }

    /// The policy as `replay` drives it.
    pub fn replay(&self) -> Box<dyn Replay> {
        self.0.replay()
    }
    /// The autoscalers that trace the least cost at which the SLO is kept more or less often, if this is the policy that
    /// others are judged against; else none.
    pub fn bound(&self) -> Vec<Autoscaler> {
        self.0.bound().into_iter().map(Autoscaler).collect()
    }

    /// Whether it acts at every arrival and departure, rather than now and then on metrics.
    pub fn is_reactive(&self) -> bool {
        self.0.is_reactive()
    }
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
    fn read(reader: &Reader<'_>) -> Result<Schedule, Problem> {
        Ok(Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? })
    }

    /// The first evaluation: never at the very start of the run, when nothing has been observed.
    pub fn first(&self) -> Instant {
        Instant::ZERO + if self.phase.is_zero() { self.interval } else { self.phase }
    }
}
