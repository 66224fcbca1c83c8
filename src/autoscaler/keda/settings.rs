//! `kind = "keda"`: the keys of the table and their defaults.

use super::fallback::Fallback;
use super::release::Release;
use super::{Activation, Keda, Pause};
use crate::autoscaler::hpa::behavior::{Bounds, MAX_REPLICAS};
use crate::autoscaler::hpa::metric::{HpaSignal, MetricSpec, Source, Target};
use crate::autoscaler::hpa::settings::{KUBERNETES_RELEASE, TUNING_KEYS, Tuning};
use crate::autoscaler::reading::quantity::Quantity;
use crate::autoscaler::{PER, Signal};
use crate::schema::{
    AnyKey, Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice,
};
use crate::time::Span;

const MIN: Key<u32> = Key::or(
    "min",
    "0",
    "Minimum replicas (`minReplicaCount`). With 0 the pool goes to zero while no trigger is active.",
)
.at_most(MAX_REPLICAS);
const MAX: Key<u32> =
    Key::or("max", "100", "Maximum replicas (`maxReplicaCount`).").at_least(1.0).at_most(MAX_REPLICAS);
const IDLE: Key<Option<u32>> = Key::optional(
    "idle",
    "Replicas while no trigger is active, fewer than `min` (`idleReplicaCount`). Without it, `min`.",
)
.at_most(MAX_REPLICAS);
const TRIGGERS: Key<Vec<Trigger>> = Key::required("triggers", "What it watches.");
const POLLING_INTERVAL: Key<Span> = Key::or(
    "polling_interval",
    "\"30s\"",
    "Time between two polls of the triggers, which decide between zero and one (`pollingInterval`). From one on the HPA decides, every `sync_period`.",
)
.at_least(1e-3);
const POLLING_PHASE: Key<Span> = Key::or(
    "polling_phase",
    "\"0s\"",
    "Shifts the polls: they fall at `polling_phase` + k × `polling_interval`, k = 1, 2, … (k = 0 too when it is not zero).",
);
const COOLDOWN_PERIOD: Key<Span> = Key::or(
    "cooldown_period",
    "\"5m\"",
    "How long after the last poll that found a trigger active the pool goes to zero, or to idle (`cooldownPeriod`); from any size at once. It does not apply from N to one, which is the HPA's.",
);
const INITIAL_COOLDOWN_PERIOD: Key<Span> = Key::or(
    "initial_cooldown_period",
    "\"0s\"",
    "The same from the start of the run, while no trigger has been active (`initialCooldownPeriod`).",
);
const FALLBACK: Key<Option<Fallback>> =
    Key::optional("fallback", "What counts while a trigger fails. Without it, nothing changes then.");
const RELEASE: Key<Release> = Key::or("release", "\"newest\"", "Whose rules, where they differ.");
const PAUSED: Key<bool> =
    Key::or("paused", "false", "All scaling stops (annotation `autoscaling.keda.sh/paused`).");
const PAUSED_REPLICAS: Key<Option<u32>> = Key::optional(
    "paused_replicas",
    "All scaling stops, at this number of replicas (annotation `autoscaling.keda.sh/paused-replicas`).",
)
.at_most(MAX_REPLICAS);
const PAUSE_SCALE_IN: Key<bool> = Key::or(
    "pause_scale_in",
    "false",
    "Nothing shrinks the pool (annotation `autoscaling.keda.sh/paused-scale-in`); the HPA then has a `behavior`.",
);
const PAUSE_SCALE_OUT: Key<bool> = Key::or(
    "pause_scale_out",
    "false",
    "Nothing grows the pool (annotation `autoscaling.keda.sh/paused-scale-out`); the HPA then has a `behavior`.",
);
const FORCE_ACTIVATION: Key<bool> = Key::or(
    "force_activation",
    "false",
    "The pool is kept from zero as if a trigger were active (annotation `autoscaling.keda.sh/force-activation`).",
);

const TYPE: Key<TriggerType> = Key::or("type", "\"external\"", "What kind of trigger it is.");
const NAME: Key<Option<String>> =
    Key::optional("name", "Name of the metric, for logs. Without it, that of the signal.");
const SIGNAL: Key<Option<HpaSignal>> = Key::optional(
    "signal",
    "What the trigger's metric is in a simulation. Without it, \"in_flight\"; \"utilization\" for cpu and memory.",
);
const METRIC_TYPE: Key<Option<MetricType>> = Key::optional(
    "metric_type",
    "How `threshold` is meant (`metricType`). Without it, \"average_value\"; \"utilization\" for cpu and memory.",
);
const THRESHOLD: Key<Quantity> = Key::required(
    "threshold",
    "The target, which the trigger calls its threshold, value or length: a number or a quantity.",
);
const ACTIVATION_THRESHOLD: Key<f64> = Key::or(
    "activation_threshold",
    "0",
    "The trigger is active while its value, of the whole pool, is above this (strictly). It decides between zero and one only.",
);

/// `kind = "keda"`.
pub(crate) const SPEC: TableSpec = TableSpec {
    name: "keda",
    doc: "A KEDA ScaledObject (keda.sh/v1alpha1): its executor between zero and one, and the HPA it generates from there on, which has no `behavior` unless one is written. What it sees comes through `[metrics]`, by default the average since a scrape of 15 s before.",
    keys: &KEYS,
};

const OWN_KEYS: [&dyn AnyKey; 14] = [
    &MIN,
    &MAX,
    &IDLE,
    &TRIGGERS,
    &POLLING_INTERVAL,
    &POLLING_PHASE,
    &COOLDOWN_PERIOD,
    &INITIAL_COOLDOWN_PERIOD,
    &FALLBACK,
    &RELEASE,
    &PAUSED,
    &PAUSED_REPLICAS,
    &PAUSE_SCALE_IN,
    &PAUSE_SCALE_OUT,
];

const KEYS: [&dyn AnyKey; OWN_KEYS.len() + 1 + TUNING_KEYS.len()] = {
    let mut keys: [&dyn AnyKey; OWN_KEYS.len() + 1 + TUNING_KEYS.len()] =
        [&FORCE_ACTIVATION; OWN_KEYS.len() + 1 + TUNING_KEYS.len()];
    let mut index = 0;
    while index < OWN_KEYS.len() {
        keys[index] = OWN_KEYS[index];
        index += 1;
    }
    let mut index = 0;
    while index < TUNING_KEYS.len() {
        keys[OWN_KEYS.len() + 1 + index] = TUNING_KEYS[index];
        index += 1;
    }
    keys
};

const TRIGGER_SPEC: TableSpec = TableSpec {
    name: "triggers",
    doc: "A trigger: what it measures, and what a replica should have of it.",
    keys: &[&TYPE, &NAME, &SIGNAL, &PER, &METRIC_TYPE, &THRESHOLD, &ACTIVATION_THRESHOLD],
};

/// What a trigger reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TriggerType {
    External,
    Cpu,
    Memory,
}

impl Choice for TriggerType {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("external", TriggerType::External, "a queue, a database, Prometheus: anything outside the pods"),
        ("cpu", TriggerType::Cpu, "the CPU of the pods; alone it keeps the pool from zero"),
        ("memory", TriggerType::Memory, "the memory of the pods; alone it keeps the pool from zero"),
    ];
}

impl Value for TriggerType {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// How a threshold is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MetricType {
    AverageValue,
    Value,
    Utilization,
}

impl Choice for MetricType {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("average_value", MetricType::AverageValue, "for each replica: the total is divided by it"),
        (
            "value",
            MetricType::Value,
            "for all ready replicas together: they are scaled by metric over target",
        ),
        ("utilization", MetricType::Utilization, "percent of what the pods request, for cpu and memory"),
    ];
}

impl Value for MetricType {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// One trigger: when it is active, and what it is to the HPA.
#[derive(Debug, Clone)]
struct Trigger {
    activation: Activation,
    metric: MetricSpec,
}

impl Value for Trigger {
    fn kind() -> Kind {
        Kind::Table(&TRIGGER_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &TRIGGER_SPEC, context)?;
        let trigger_type = reader.get(&TYPE)?;
        let is_external = trigger_type == TriggerType::External;
        let (default_signal, default_type) = match is_external {
            true => (Signal::InFlight, MetricType::AverageValue),
            false => (Signal::Utilization, MetricType::Utilization),
        };
        let metric_type = reader.find(&METRIC_TYPE)?.unwrap_or(default_type);
        let signal = reader.find(&SIGNAL)?.map_or(default_signal, |HpaSignal(signal)| signal);
        let Quantity(threshold) = reader.get(&THRESHOLD)?;
        let target = match (metric_type, is_external) {
            (MetricType::AverageValue, _) => Target::AverageValue(threshold),
            (MetricType::Value, true) => Target::Value(threshold),
            (MetricType::Utilization, false) => {
                Target::Utilization(i32::try_from(threshold / 1000).unwrap_or(i32::MAX).max(1))
            }
            _ => {
                let message = format!("`{}` does not fit the type", reader.path_of(METRIC_TYPE.name()));
                let label = "expected \"average_value\" or \"value\" of an external trigger, \"utilization\" or \"average_value\" of cpu and memory";
                return Err(reader.problem(METRIC_TYPE.name(), message, label));
            }
        };
        let (source, default_name) = match trigger_type {
            TriggerType::External => (Source::External, signal.name()),
            TriggerType::Cpu => (Source::Resource, "cpu"),
            TriggerType::Memory => (Source::Resource, "memory"),
        };
        if !is_external && reader.has(NAME.name()) {
            let message = format!("`{}` applies to external triggers", reader.path_of(NAME.name()));
            return Err(reader.problem(NAME.name(), message, "remove it"));
        }
        let name = reader.find(&NAME)?.unwrap_or_else(|| default_name.to_owned());
        let activation = match is_external {
            true => Activation::Above(reader.get(&ACTIVATION_THRESHOLD)?),
            false => Activation::Resource,
        };
        Ok(Trigger {
            activation,
            metric: MetricSpec { source, name, target, signal, per: reader.get(&PER)? },
        })
    }
}

/// Reads the table.
///
/// # Errors
/// What is wrong with it, at its place.
pub(crate) fn read(reader: &Reader<'_>) -> Result<Keda, Problem> {
    let (min, max) = (reader.get(&MIN)? as i32, reader.get(&MAX)? as i32);
    if min > max {
        let message = format!("`{}` is {min} but the maximum is {max}", reader.path_of(MIN.name()));
        return Err(reader.problem(MIN.name(), message, format!("expected at most {max}")));
    }
    let idle = reader.find(&IDLE)?.map(|idle| idle as i32);
    if let Some(idle) = idle.filter(|idle| *idle >= min) {
        let message = format!("`{}` is {idle} but the minimum is {min}", reader.path_of(IDLE.name()));
        return Err(reader.problem(IDLE.name(), message, "expected fewer than the minimum"));
    }
    let triggers = reader.get(&TRIGGERS)?;
    if triggers.is_empty() {
        let message = format!("`{}` is empty", reader.path_of(TRIGGERS.name()));
        return Err(reader.problem(TRIGGERS.name(), message, "expected one trigger or more"));
    }
    let pause = Pause {
        all: reader.get(&PAUSED)?,
        at: reader.find(&PAUSED_REPLICAS)?.map(|replicas| replicas as i32),
        scale_in: reader.get(&PAUSE_SCALE_IN)?,
        scale_out: reader.get(&PAUSE_SCALE_OUT)?,
    };
    let (activations, metrics) =
        triggers.into_iter().map(|trigger| (trigger.activation, trigger.metric)).unzip();
    let tuning = Tuning::read(reader, &KUBERNETES_RELEASE)?.paused(pause.scale_out, pause.scale_in);
    Ok(Keda {
        min,
        idle,
        polling_interval: reader.get(&POLLING_INTERVAL)?,
        polling_phase: reader.get(&POLLING_PHASE)?,
        cooldown_period: reader.get(&COOLDOWN_PERIOD)?,
        initial_cooldown_period: reader.get(&INITIAL_COOLDOWN_PERIOD)?,
        activations,
        fallback: reader.find(&FALLBACK)?,
        pause,
        force_activation: reader.get(&FORCE_ACTIVATION)?,
        // The HPA never leaves the replicas at zero: that is the executor's.
        hpa: tuning.hpa(Bounds { min: min.max(1), max }, metrics),
        release: reader.get(&RELEASE)?,
    })
}

impl Activation {
    /// What the trigger's value must be above; `None` if it has no say.
    pub fn threshold(self) -> Option<f64> {
        match self {
            Activation::Above(threshold) => Some(threshold),
            Activation::Resource => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::schema::Tree;

    /// A scaled object on the requests in flight, 5 a replica.
    pub(crate) fn keda(keys: &str) -> Keda {
        let text = format!("{keys}\ntriggers = [{{ threshold = 5 }}]");
        let (tree, context) = (Tree::parse(&text).unwrap(), Context::default());
        read(&Reader::open(tree.root(), "autoscaler", &SPEC, &context).unwrap()).unwrap()
    }

    #[test]
    fn the_hpa_it_generates_has_no_behavior_and_at_least_one_replica() {
        let keda = keda("max = 10");
        assert_eq!((keda.hpa.bounds, keda.hpa.behavior), (Bounds { min: 1, max: 10 }, None));
        assert_eq!(keda.hpa.metrics[0].target, Target::AverageValue(5000));
    }

    #[test]
    fn a_pause_of_one_direction_disables_it_in_the_hpa_and_gives_the_other_its_defaults() {
        let behavior = keda("max = 10\npause_scale_in = true").hpa.behavior.unwrap();
        assert_eq!(behavior.down.select, crate::autoscaler::hpa::behavior::Select::Disabled);
        assert_eq!(behavior.up.rates.len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |text: &str| {
            let (tree, context) = (Tree::parse(text).unwrap(), Context::default());
            read(&Reader::open(tree.root(), "autoscaler", &SPEC, &context).unwrap()).unwrap_err().message
        };
        assert_eq!(refused("triggers = []"), "`autoscaler.triggers` is empty");
        assert_eq!(
            refused("idle = 2\nmin = 2\ntriggers = [{ threshold = 5 }]"),
            "`autoscaler.idle` is 2 but the minimum is 2"
        );
        assert_eq!(
            refused("triggers = [{ type = \"cpu\", threshold = 5, metric_type = \"value\" }]"),
            "`autoscaler.triggers.0.metric_type` does not fit the type"
        );
    }
}
