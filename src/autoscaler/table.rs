//! The `[autoscaler]` table: a policy with its settings.

use std::any::Any;
use std::sync::Arc;

use super::general::fixed;
use super::metric::Query;
use super::policy::{Limits, MetricsDefaults, Policy, PolicyContext, Schedule, Settings, Watched};
use super::reading::quantity::Quantity;
use super::registry;
use super::replay::Replay;
use super::times::Timed;
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, UnionSpec, Value};

/// The `[autoscaler]` table: a policy with its settings, before any observation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Autoscaler(Arc<dyn Settings>);

impl PartialEq for Autoscaler {
    fn eq(&self, other: &Self) -> bool {
        let other: &dyn Any = other.0.as_ref();
        self.0.dyn_eq(other)
    }
}

const FROM: Key<Option<String>> = Key::optional(
    "from",
    "A manifest in the form the system is deployed with (YAML or JSON), relative to the scenario. Its settings stand beneath the keys written here, which override them; it says the `kind` too. What it sets that is not modelled is named in a warning.",
);
const NAME: Key<Option<String>> = Key::optional(
    "name",
    "Which object of the manifest is meant, where it has several: its name, or kind and name as in \"ScaledObject/chat\".",
);
const REQUESTS: Key<Option<Requests>> = Key::optional(
    "requests",
    "What a pod requests, where the manifest has a target in cores or bytes and not the workload itself.",
);
const CPU: Key<Option<Quantity>> = Key::optional("cpu", "Cores: a number or a quantity (\"500m\").");
const MEMORY: Key<Option<Quantity>> = Key::optional("memory", "Memory: a quantity (\"8Gi\").");
const REQUESTS_SPEC: TableSpec = TableSpec {
    name: "autoscaler.requests",
    doc: "What a pod requests of each resource, for the manifest that `from` names.",
    keys: &[&CPU, &MEMORY],
};

/// `requests` by itself: the manifest is read with it.
struct Requests;

impl Value for Requests {
    fn kind() -> Kind {
        Kind::Table(&REQUESTS_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &REQUESTS_SPEC, context)?;
        reader.find(&CPU)?;
        reader.find(&MEMORY)?;
        Ok(Requests)
    }
}

impl Autoscaler {
    /// The `[autoscaler]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "autoscaler",
        doc: "The autoscaler that watches the pool.",
        tag: "kind",
        default: None,
        common: &[&FROM, &NAME, &REQUESTS],
        variants: &registry::SPECS,
    };

    /// A pool of fixed size.
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
        let has_manifest = reader.has(FROM.name());
        if let Some(alone) =
            [NAME.name(), REQUESTS.name()].into_iter().find(|key| reader.has(key) && !has_manifest)
        {
            let message = format!("`{}` is about a manifest, and none is named", reader.path_of(alone));
            return Err(reader.problem(alone, message, "expected with `from`"));
        }
        reader.find(&REQUESTS)?;
        registry::read(variant, &reader).map(Autoscaler)
    }

    /// When the policy is evaluated; `None` if never.
    pub fn schedule(&self) -> Option<Schedule> {
        self.0.schedule()
    }

    /// The metric it uses, if any.
    pub fn query(&self) -> Option<Query> {
        self.0.query()
    }

    /// What it compares its signals with.
    pub fn watched(&self) -> Vec<Watched> {
        self.0.watched()
    }

    /// What it goes by besides, a sentence each: what is no signal.
    pub fn aims(&self) -> Vec<String> {
        self.0.aims()
    }

    /// Defaults of the keys of `[metrics]`.
    pub fn metrics_defaults(&self) -> MetricsDefaults {
        self.0.metrics_defaults()
    }

    /// Whether it takes raw scrapes.
    pub fn scrapes(&self) -> bool {
        self.0.scrapes()
    }

    /// The times of requests that its scrapes are to have.
    pub(crate) fn times(&self) -> Vec<Timed> {
        self.0.times()
    }

    /// Whether its metric is averaged over `[metrics] window`.
    pub fn uses_metrics_window(&self) -> bool {
        self.0.uses_metrics_window()
    }

    /// Whether it looks at each instance.
    pub fn watches_instances(&self) -> bool {
        self.0.watches_instances()
    }

    /// Whether it is evaluated at once when a request arrives while no instance is desired.
    pub fn wakes(&self) -> bool {
        self.0.wakes()
    }

    /// Minimum and maximum of the desired instances.
    pub fn limits(&self) -> Limits {
        self.0.limits()
    }

    /// The path of the key that sets the maximum.
    pub fn limiting_path(&self) -> String {
        format!("autoscaler.{}", self.0.limiting_key())
    }

    /// The policy at the start of a run.
    pub fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        self.0.policy(start)
    }

    /// The policy as `replay` drives it.
    pub fn replay(&self) -> Box<dyn Replay> {
        self.0.replay()
    }

    /// The autoscalers that give the minimum cost of each SLO attainment, for the policy that is the bound of the others;
    /// else none.
    pub fn bound(&self) -> Vec<Autoscaler> {
        self.0.bound().into_iter().map(Autoscaler).collect()
    }

    /// Whether it goes by the tokens of a KV cache.
    pub fn counts_tokens(&self) -> bool {
        self.0.counts_tokens()
    }

    /// Whether it acts at every arrival and departure, rather than periodically on metrics.
    pub fn is_reactive(&self) -> bool {
        self.0.is_reactive()
    }
}
