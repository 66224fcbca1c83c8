//! `[[autoscaler.metrics]]`: what an HPA watches, and which signal of the simulated pool that is.

use super::behavior::MAX_REPLICAS;
use crate::autoscaler::metric::quantile_of;
use crate::autoscaler::reading::quantity::Quantity;
use crate::autoscaler::signal::Quantity as SignalQuantity;
use crate::autoscaler::{PER, Per, QUANTILE, Signal};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};

/// One metric of an HPA.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetricSpec {
    pub source: Source,
    /// Name of the resource or metric.
    pub name: String,
    pub target: Target,
    /// What it is in a simulation.
    pub signal: Signal,
    /// Whether it is the pool's, or divided by the ready instances.
    pub per: Per,
    /// Which quantile of a time, 0 to 1.
    pub quantile: f64,
}

/// Where a metric comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Resource,
    ContainerResource,
    Pods,
    Object,
    External,
}

/// What a metric should be. Values in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Of what pods request, in percent.
    Utilization(i32),
    /// For each replica.
    AverageValue(i64),
    /// For all of them together.
    Value(i64),
}

impl Choice for Source {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("resource", Source::Resource, "CPU, memory or another resource of the pods"),
        ("container_resource", Source::ContainerResource, "the same, of one container of each pod"),
        ("pods", Source::Pods, "a custom metric of each pod"),
        ("object", Source::Object, "a metric of one other object, such as an ingress"),
        ("external", Source::External, "a metric from outside the cluster, such as the length of a queue"),
    ];
}

impl Value for Source {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const TYPE: Key<Source> = Key::or("type", "\"resource\"", "Where the metric comes from.");
const NAME: Key<Option<String>> = Key::optional(
    "name",
    "Name of the resource or metric. Of a resource, \"cpu\" unless written; for \"cpu\" alone pods that have just started do not count until their samples say something. Of other metrics that of a signal says which it is; else it is for logs only.",
);
const AVERAGE_UTILIZATION: Key<Option<u32>> = Key::optional(
    "average_utilization",
    "Target in percent of what the pods request, for a resource. The measured utilization is truncated to a whole percent.",
)
.at_least(1.0)
.at_most(MAX_REPLICAS);
const AVERAGE_VALUE: Key<Option<Quantity>> = Key::optional(
    "average_value",
    "Target for each replica: a number, or a quantity (\"500m\"). Of objects and external metrics the total is divided by it.",
);
const VALUE: Key<Option<Quantity>> = Key::optional(
    "value",
    "Target for all replicas together, of an object or external metric: the ready pods are scaled by metric over target.",
);
const SIGNAL: Key<Option<Signal>> = Key::optional(
    "signal",
    "What the metric is in a simulation. Without it, the signal that `name` names, else \"utilization\" for a resource and \"in_flight\" for others. Of a resource, the utilization is that of the busy slots, an instance's slots being its request. For `pods`, in_flight, queue_length and request_rate are the pool's, in equal parts, and quantiles of times are those of the pool, the same for each.",
);

const SPEC: TableSpec = TableSpec {
    name: "metrics",
    doc: "A metric of the HPA, as in `spec.metrics` of its manifest; the one with the largest desired number counts. One of `average_utilization`, `average_value` and `value` is its target.",
    keys: &[&TYPE, &NAME, &AVERAGE_UTILIZATION, &AVERAGE_VALUE, &VALUE, &SIGNAL, &PER, &QUANTILE],
};

impl Value for MetricSpec {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let written = reader.find(&NAME)?;
        let source = reader.get(&TYPE)?;
        let is_resource = matches!(source, Source::Resource | Source::ContainerResource);
        let default_signal = if is_resource { Signal::Utilization } else { Signal::InFlight };
        // Recorded values are what they are, whatever they are called.
        let called =
            written.as_deref().filter(|_| !is_resource && !context.is_recorded()).and_then(Signal::called);
        let signal = reader.find(&SIGNAL)?.or(called).unwrap_or(default_signal);
        if is_resource && signal.quantity() != SignalQuantity::Share {
            let message = format!("`{}` is \"{}\"", reader.path_of(SIGNAL.name()), signal.name());
            let label =
                "expected \"utilization\" or \"kv_cache\": what a resource can be; or type = \"pods\"";
            return Err(reader.problem(SIGNAL.name(), message, label));
        }
        let default_name = if is_resource { "cpu" } else { signal.name() };
        let name = written.unwrap_or_else(|| default_name.to_owned());
        let per = reader.get(&PER)?;
        let quantile = quantile_of(&reader, signal)?;
        Ok(MetricSpec { source, name, target: read_target(&reader, source)?, signal, per, quantile })
    }
}

fn read_target(reader: &Reader<'_>, source: Source) -> Result<Target, Problem> {
    let utilization = reader.find(&AVERAGE_UTILIZATION)?.map(|percent| Target::Utilization(percent as i32));
    let average = reader.find(&AVERAGE_VALUE)?.map(|Quantity(value)| Target::AverageValue(value));
    let value = reader.find(&VALUE)?.map(|Quantity(value)| Target::Value(value));
    let allowed: &[&str] = match source {
        Source::Resource | Source::ContainerResource => &["average_utilization", "average_value"],
        Source::Pods => &["average_value"],
        Source::Object | Source::External => &["average_value", "value"],
    };
    let given = [("average_utilization", utilization), ("average_value", average), ("value", value)];
    let mut given = given.into_iter().filter_map(|(name, target)| Some((name, target?)));
    let expected = format!("expected one of {}", allowed.join(", "));
    match (given.next(), given.next()) {
        (Some((name, target)), None) if allowed.contains(&name) => Ok(target),
        (Some((name, _)), None) => {
            let message = format!("`{}` is no target of this type", reader.path_of(name));
            Err(reader.problem(name, message, expected))
        }
        (Some(_), Some((name, _))) => {
            Err(reader.problem(name, "the metric has two targets", "expected one of them"))
        }
        (None, _) => Err(reader.problem("type", "the metric has no target", expected)),
    }
}

impl MetricSpec {
    /// The metric of an HPA that names none: 80 % of the CPU.
    pub fn default_cpu() -> MetricSpec {
        MetricSpec {
            source: Source::Resource,
            name: "cpu".into(),
            target: Target::Utilization(80),
            signal: Signal::Utilization,
            per: Per::Total,
            quantile: 0.99,
        }
    }
}
