//! The `[autoscaler]` table: a policy with its settings.

use std::any::Any;
use std::sync::Arc;

use super::general::fixed;
use super::metric::Query;
use super::policy::{Limits, MetricsDefaults, Policy, PolicyContext, Schedule, Settings, Watched};
use super::registry;
use super::replay::Replay;
use crate::schema::{Context, Key, Node, Problem, UnionSpec};

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
impl Autoscaler {
    /// The `[autoscaler]` table.
    pub const SPEC: UnionSpec = UnionSpec {
        name: "autoscaler",
        doc: "The autoscaler that watches the pool.",
        tag: "kind",
        default: None,
        common: &[&FROM],
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

    /// What it compares its signals with, where that is known.
    pub fn watched(&self) -> Vec<Watched> {
        self.0.watched()
    }

    /// Defaults of the keys of `[metrics]`.
    pub fn metrics_defaults(&self) -> MetricsDefaults {
        self.0.metrics_defaults()
    }

    /// Whether it takes raw scrapes.
    pub fn scrapes(&self) -> bool {
        self.0.scrapes()
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

    /// Whether it acts at every arrival and departure, rather than periodically on metrics.
    pub fn is_reactive(&self) -> bool {
        self.0.is_reactive()
    }
}
