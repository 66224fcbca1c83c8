//! `kind = "keda"`: the keys of the table and their defaults.

use super::cron::WallClock;
use super::cron_settings::{DESIRED, END, NamedCron, START, ZONE, interval};
use super::expression::Expression;
use super::fallback::{Behavior, Fallback};
use super::release::Release;
use super::{Activation, Formula, Keda, Pause, TriggerValue};
use crate::autoscaler::general::scheduled::{LocalTime, STARTS_AT, Zone};
use crate::autoscaler::hpa::behavior::{Bounds, MAX_REPLICAS};
use crate::autoscaler::hpa::metric::{MetricSpec, Source, Target};
use crate::autoscaler::hpa::settings::{KUBERNETES_RELEASE, TUNING_KEYS, Tuning};
use crate::autoscaler::metric::quantile_of;
use crate::autoscaler::reading::quantity::Quantity;
use crate::autoscaler::{PER, QUANTILE, Signal};
use crate::schema::{
    AnyKey, Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, nearest, read_choice,
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
const NAME: Key<Option<String>> = Key::optional(
    "name",
    "Name of the metric: that of a signal says which it is, any other is for logs. Without it, that of the signal.",
);
const SIGNAL: Key<Option<Signal>> = Key::optional(
    "signal",
    "What the trigger's metric is in a simulation. Without it, the signal that `name` names, else \"in_flight\"; \"utilization\" for cpu and memory.",
);
const METRIC_TYPE: Key<Option<MetricType>> = Key::optional(
    "metric_type",
    "How `threshold` is meant (`metricType`). Without it, \"average_value\"; \"utilization\" for cpu and memory.",
);
const THRESHOLD: Key<Option<Quantity>> = Key::optional(
    "threshold",
    "The target, which the trigger calls its threshold, value or length: a number or a quantity. Of a cron trigger 1, else it has to be written.",
);
const FORMULA: Key<Option<String>> = Key::optional(
    "formula",
    "A formula in the place of `signal`, as `scalingModifiers` has one, over the signals by their names, `instances`, the ready ones (one at least), and what `crons` names: \"max(queue_length, 100 * utilization)\". Arithmetic, comparison, `?:`, `&&`, `||`, `max`, `min`, `sum`, `mean`, `median`, `count`, `abs`, `ceil`, `floor`, `round`, `int`.",
);
const USE_CACHED_METRICS: Key<bool> = Key::or(
    "use_cached_metrics",
    "false",
    "The HPA is given the value of the last poll rather than that of its own sync (`useCachedMetrics`).",
);
const CRONS: Key<Option<Vec<NamedCron>>> =
    Key::optional("crons", "Cron triggers that the formula uses by their names. Without it, none.");
const CLOCK_ZONE: Key<Zone> = Key::or("time_zone", "\"UTC\"", "IANA time zone of `starts_at`.");

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

const OWN_KEYS: [&dyn AnyKey; 16] = [
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
    &STARTS_AT,
    &CLOCK_ZONE,
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
    keys: &[
        &TYPE,
        &NAME,
        &SIGNAL,
        &PER,
        &QUANTILE,
        &FORMULA,
        &CRONS,
        &START,
        &END,
        &ZONE,
        &DESIRED,
        &METRIC_TYPE,
        &THRESHOLD,
        &ACTIVATION_THRESHOLD,
        &USE_CACHED_METRICS,
    ],
};

/// What a trigger reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TriggerType {
    External,
    Cron,
    Cpu,
    Memory,
}

impl Choice for TriggerType {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("external", TriggerType::External, "a queue, a database, Prometheus: anything outside the pods"),
        ("cron", TriggerType::Cron, "replicas by the clock: `start`, `end`, `time_zone`, `desired`"),
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
    value: TriggerValue,
    is_cached: bool,
}

impl Value for Trigger {
    fn kind() -> Kind {
        Kind::Table(&TRIGGER_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &TRIGGER_SPEC, context)?;
        let trigger_type = reader.get(&TYPE)?;
        let is_external = matches!(trigger_type, TriggerType::External | TriggerType::Cron);
        let value = value(&reader, trigger_type, context)?;
        let (default_signal, default_type) = match is_external {
            true => (Signal::InFlight, MetricType::AverageValue),
            false => (Signal::Utilization, MetricType::Utilization),
        };
        let metric_type = reader.find(&METRIC_TYPE)?.unwrap_or(default_type);
        // Recorded values are what they are, whatever they are called.
        let written = reader.find(&NAME)?.filter(|_| is_external && !context.is_recorded());
        let called = written.as_deref().and_then(Signal::called);
        let signal = reader.find(&SIGNAL)?.or(called).unwrap_or(default_signal);
        let is_timed = matches!(&value, TriggerValue::Formula(formula) if formula.uses_times());
        let quantile = if is_timed { reader.get(&QUANTILE)? } else { quantile_of(&reader, signal)? };
        let threshold = match (reader.find(&THRESHOLD)?, trigger_type) {
            (Some(Quantity(threshold)), _) => threshold,
            (None, TriggerType::Cron) => 1000,
            (None, _) => return Err(reader.missing(THRESHOLD.name())),
        };
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
            TriggerType::External if value != TriggerValue::Signal => (Source::External, "formula"),
            TriggerType::External => (Source::External, signal.name()),
            TriggerType::Cron => (Source::External, "cron"),
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
            metric: MetricSpec { source, name, target, signal, per: reader.get(&PER)?, quantile },
            value,
            is_cached: reader.get(&USE_CACHED_METRICS)?,
        })
    }
}

/// What the value of a trigger is, of a type.
fn value(reader: &Reader<'_>, trigger_type: TriggerType, context: &Context) -> Result<TriggerValue, Problem> {
    let of_cron = [START.name(), END.name(), DESIRED.name(), ZONE.name()];
    let of_signal = [SIGNAL.name(), PER.name(), QUANTILE.name(), FORMULA.name(), CRONS.name()];
    let is_cron = trigger_type == TriggerType::Cron;
    let others: &[&str] = if is_cron { &of_signal } else { &of_cron };
    if let Some(name) = others.iter().find(|name| reader.has(name)) {
        let message = format!("`{}` does not apply to this trigger", reader.path_of(name));
        let label = match is_cron {
            true => "a trigger of type \"cron\" goes by the clock: remove it",
            false => "it is of triggers of type \"cron\": remove it, or set the type",
        };
        return Err(reader.problem(name, message, label));
    }
    if is_cron {
        return Ok(TriggerValue::Cron(interval(reader)?));
    }
    let crons = reader.find(&CRONS)?.unwrap_or_default();
    let Some(text) = reader.find(&FORMULA)? else {
        if reader.has(CRONS.name()) {
            let message = format!("`{}` applies to a formula", reader.path_of(CRONS.name()));
            return Err(reader.problem(CRONS.name(), message, "remove it, or write the formula"));
        }
        return Ok(TriggerValue::Signal);
    };
    let refused = |message: String, label: String| Err(reader.problem(FORMULA.name(), message, label));
    let path = reader.path_of(FORMULA.name());
    for name in [SIGNAL.name(), PER.name()] {
        if reader.has(name) {
            let message = format!("`{}` and `{path}` are both written", reader.path_of(name));
            return Err(reader.problem(name, message, "expected one of them"));
        }
    }
    if trigger_type != TriggerType::External {
        return refused(format!("`{path}` applies to external triggers"), "remove it".into());
    }
    let formula = match Expression::parse(&text) {
        Ok(formula) => formula,
        Err(why) => return refused(format!("`{path}`: {why}"), "expected a formula over signals".into()),
    };
    if context.is_recorded() {
        // A recording has values by any name.
        return Ok(TriggerValue::Formula(Formula { expression: formula, crons }));
    }
    let signals: Vec<&str> = Signal::OPTIONS.iter().map(|(name, ..)| *name).chain([INSTANCES]).collect();
    let of_crons = || crons.iter().map(|named| named.name.as_str());
    if let Some(name) = of_crons().find(|name| signals.contains(name)) {
        let message = format!("`{}` has `{name}`, which is a signal", reader.path_of(CRONS.name()));
        return Err(reader.problem(CRONS.name(), message, "expected another name"));
    }
    let known: Vec<&str> = signals.into_iter().chain(of_crons()).collect();
    if let Some(name) = formula.names().find(|name| !known.contains(name)) {
        let label = format!("expected one of {}", known.join(", "));
        let problem = reader.problem(FORMULA.name(), format!("`{path}`: `{name}` is no signal"), label);
        return Err(match nearest(name, known) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
    Ok(TriggerValue::Formula(Formula { expression: formula, crons }))
}

/// The name that a formula has for the ready instances, one at least.
pub(super) const INSTANCES: &str = "instances";

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
    let (mut activations, mut metrics) = (Vec::new(), Vec::new());
    let (mut values, mut cached) = (Vec::new(), Vec::new());
    for trigger in triggers {
        activations.push(trigger.activation);
        metrics.push(trigger.metric);
        values.push(trigger.value);
        cached.push(trigger.is_cached);
    }
    let fallback = reader.find(&FALLBACK)?;
    let has_formula = values.iter().any(|value| matches!(value, TriggerValue::Formula(_)));
    if fallback.is_some_and(|fallback| fallback.behavior == Behavior::ScalingModifiers) && !has_formula {
        let message = "the fallback leaves failures to a formula, and no trigger has one".to_owned();
        let label = "expected another `behavior`, or a trigger with a `formula`";
        return Err(reader.problem(FALLBACK.name(), message, label));
    }
    let starts_at: LocalTime = reader.get(&STARTS_AT)?;
    let tuning = Tuning::read(reader, &KUBERNETES_RELEASE)?.paused(pause.scale_out, pause.scale_in);
    Ok(Keda {
        min,
        idle,
        polling_interval: reader.get(&POLLING_INTERVAL)?,
        polling_phase: reader.get(&POLLING_PHASE)?,
        cooldown_period: reader.get(&COOLDOWN_PERIOD)?,
        initial_cooldown_period: reader.get(&INITIAL_COOLDOWN_PERIOD)?,
        activations,
        values,
        cached,
        clock: WallClock::new(starts_at, &reader.get(&CLOCK_ZONE)?),
        fallback,
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
        let triggers = if keys.contains("triggers") { "" } else { "\ntriggers = [{ threshold = 5 }]" };
        let text = format!("{keys}{triggers}");
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
