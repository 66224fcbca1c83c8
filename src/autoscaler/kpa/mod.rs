//! Knative's pod autoscaler (KPA): concurrency or requests per second per pod, a panic mode, scale to zero.
//!
//! Source: Knative Serving at commit 98e5ef9, `pkg/autoscaler` and `pkg/reconciler/autoscaling/kpa`; the defaults are
//! those of the `config-autoscaler` and `config-deployment` config maps. Each part names its own files.

mod activator;
mod annotations;
mod apply;
mod decider;
mod evaluation;
pub(super) mod manifest;
mod parts;
mod policy;
mod reason;
mod replay;
mod spec;
mod target;

use super::replay::Replay;
use super::{Limits, MetricsDefaults, Policy, PolicyContext, Schedule, Settings, Watched};
use crate::autoscaler::windows::buckets::Aggregation;
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::Span;
use apply::Rules;
use decider::TICK_S;
use spec::Spec;
use target::Load;

/// Instances that stand for "no bound": about what the simulator can hold of instances with a hundred slots each.
const UNBOUNDED: u32 = 10_000;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Knative {
    phase: Span,
    load: Load,
    spec: Spec,
    rules: Rules,
    panic_window: Span,
    scale_down_delay: Span,
    aggregation: Aggregation,
    activator_capacity: f64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rps(bool);

impl Choice for Rps {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "concurrency",
            Rps(false),
            "requests in flight: buffered by the activator, queued at a pod or in service",
        ),
        ("rps", Rps(true), "requests per second"),
    ];
}

impl Value for Rps {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Choice for Aggregation {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("linear", Aggregation::Linear, "the mean of the seconds of the window"),
        (
            "weighted-exponential",
            Aggregation::WeightedExponential,
            "each second counts less than the one after it",
        ),
    ];
}

impl Value for Aggregation {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const METRIC: Key<Rps> = Key::or("metric", "\"concurrency\"", "What is counted per pod.");
const TARGET: Key<Option<f64>> = Key::optional(
    "target",
    "What one pod can take, in the unit of `metric`; the autoscaler aims at `target_utilization_percentage` of it. Left out: `container_concurrency` if that is not 0, else the default of the metric. With concurrency never more than `container_concurrency`.",
)
.at_least(0.01);
const CONTAINER_CONCURRENCY: Key<u32> = Key::or(
    "container_concurrency",
    "0",
    "Requests a pod may work on at a time; 0: any number. A hard limit in Knative: set it to the instances' own `service.concurrency`.",
)
.at_most(1000.0);
const UTILIZATION: Key<f64> = Key::or(
    "target_utilization_percentage",
    "70",
    "Share of a pod's total to aim at, in percent; up to 1 it is read as a fraction. Both the annotation of the revision and `container-concurrency-target-percentage`.",
)
.above(0.0)
.at_most(100.0);
const DEFAULT_CONCURRENCY: Key<f64> = Key::or(
    "container_concurrency_target_default",
    "100",
    "What one pod can take where nothing else says it, in requests at a time.",
)
.at_least(0.01);
const DEFAULT_RPS: Key<f64> = Key::or(
    "requests_per_second_target_default",
    "200",
    "What one pod can take where `target` does not say it, in requests per second.",
)
.at_least(0.01);
const STABLE_WINDOW: Key<Span> = Key::or(
    "stable_window",
    "\"60s\"",
    "Length of the long averaging window, in whole seconds. After a silence of this length, the mean is over the seconds since then.",
)
.at_least(6.0)
.at_most(3600.0);
const PANIC_WINDOW: Key<f64> = Key::or(
    "panic_window_percentage",
    "10",
    "Length of the short mean, in percent of `stable_window`, rounded to whole seconds.",
)
.at_least(1.0)
.at_most(100.0);
const PANIC_THRESHOLD: Key<f64> = Key::or(
    "panic_threshold_percentage",
    "200",
    "When the short mean needs this share of the ready pods or more, the pool panics: it follows the larger mean and does not shrink, until `stable_window` after that was last so.",
)
.at_least(110.0)
.at_most(1000.0);
const UP_RATE: Key<f64> =
    Key::or("max_scale_up_rate", "1000", "Maximum scale-up: as a multiple of the ready pods.").above(1.0);
const DOWN_RATE: Key<f64> =
    Key::or("max_scale_down_rate", "2", "Maximum scale-down: the ready pods are divided by at most this.")
        .above(1.0);
const DOWN_DELAY: Key<Span> = Key::or(
    "scale_down_delay",
    "\"0s\"",
    "Scale-down delay: fewer pods are requested only after they sufficed for this long, in whole seconds.",
)
.at_most(3600.0);
const BURST: Key<f64> = Key::or(
    "target_burst_capacity",
    "211",
    "Burst, in the unit of `metric`, that the pods must have room for before the activator leaves the path of the requests; 0: it is in the path at zero only; -1: always.",
)
.at_least(-1.0);
const ACTIVATOR_CAPACITY: Key<f64> = Key::or(
    "activator_capacity",
    "100",
    "What one activator can hold; decides how many a revision is given, which changes the log but not the pool.",
)
.at_least(1.0);
const ZERO: Key<bool> = Key::or("enable_scale_to_zero", "true", "Whether the last pod may go.");
const GRACE: Key<Span> = Key::or(
    "scale_to_zero_grace_period",
    "\"30s\"",
    "How long the activator has been in the path before the last pod goes.",
)
.at_least(6.0);
const RETENTION: Key<Span> = Key::or(
    "scale_to_zero_pod_retention_period",
    "\"0s\"",
    "How long the last pod is kept after the revision became inactive, in any case.",
)
.at_most(3600.0);
const MIN: Key<u32> = Key::or("min_scale", "0", "Minimum pods.");
const MAX: Key<u32> = Key::or("max_scale", "0", "Maximum pods; 0: no bound (the simulator stops at 10 000).")
    .at_most(100_000.0);
const INITIAL: Key<u32> = Key::or(
    "initial_scale",
    "1",
    "Pods a new revision has to reach once before it follows its load. A run that begins with fewer instances (`instances.initial`) begins as a new revision.",
)
.at_most(100_000.0);
const ACTIVATION: Key<u32> = Key::or(
    "activation_scale",
    "0",
    "Minimum pods whenever there are any, such as after a scale-up from zero; 0 and 1: no such bound.",
)
.at_most(100_000.0);
const DEADLINE: Key<Span> = Key::or(
    "progress_deadline",
    "\"600s\"",
    "Maximum time of a start from zero; half a minute later it is abandoned.",
)
.at_least(1.0);
const AGGREGATION: Key<Aggregation> =
    Key::or("metric_aggregation_algorithm", "\"linear\"", "How the seconds of a window become one value.");
const PHASE: Key<Span> = Key::or(
    "phase",
    "\"0s\"",
    "Shifts the evaluations: they fall at `phase` + k × 2 s, k = 1, 2, … (k = 0 too when `phase` is not zero).",
);

/// `kind = "knative"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "knative",
    doc: "Knative's pod autoscaler (KPA). Every 2 s it compares two means of the load, over `stable_window` and over a tenth of it, with the target of one pod. The keys are those of the `config-autoscaler` config map and of the annotations of a revision.",
    keys: &[
        &METRIC,
        &TARGET,
        &UTILIZATION,
        &CONTAINER_CONCURRENCY,
        &MIN,
        &MAX,
        &INITIAL,
        &ACTIVATION,
        &STABLE_WINDOW,
        &PANIC_WINDOW,
        &PANIC_THRESHOLD,
        &UP_RATE,
        &DOWN_RATE,
        &DOWN_DELAY,
        &BURST,
        &ZERO,
        &GRACE,
        &RETENTION,
        &DEADLINE,
        &AGGREGATION,
        &DEFAULT_CONCURRENCY,
        &DEFAULT_RPS,
        &ACTIVATOR_CAPACITY,
        &PHASE,
    ],
};

/// Reads the table.
pub(super) fn read(reader: &Reader<'_>) -> Result<Knative, Problem> {
    let whole_seconds = |key: &Key<Span>| -> Result<Span, Problem> {
        let span = reader.get(key)?;
        match span.as_nanos() % 1_000_000_000 {
            0 => Ok(span),
            _ => {
                let message = format!("`{}` is {span}", reader.path_of(key.name()));
                Err(reader.problem(key.name(), message, "expected whole seconds"))
            }
        }
    };
    let stable_window = whole_seconds(&STABLE_WINDOW)?;
    let panic_seconds = (stable_window.as_secs_f64() * reader.get(&PANIC_WINDOW)? / 100.0).round();
    let load = Load {
        rps: reader.get(&METRIC)?.0,
        container_concurrency: reader.get(&CONTAINER_CONCURRENCY)?,
        target: reader.find(&TARGET)?,
        utilization: target::fraction(reader.get(&UTILIZATION)?),
        default_concurrency: reader.get(&DEFAULT_CONCURRENCY)?,
        default_rps: reader.get(&DEFAULT_RPS)?,
    };
    let (target, total) = load.resolve();
    let target_burst_capacity = burst(reader)?;
    let rules = Rules {
        min_scale: reader.get(&MIN)?,
        max_scale: reader.get(&MAX)?,
        initial_scale: reader.get(&INITIAL)?,
        enable_scale_to_zero: reader.get(&ZERO)?,
        stable_window,
        grace_period: reader.get(&GRACE)?,
        pod_retention: reader.get(&RETENTION)?,
        progress_deadline: reader.get(&DEADLINE)?,
        target_burst_capacity,
    };
    for (key, least) in [(MIN.name(), rules.min_scale), (INITIAL.name(), rules.initial_scale)] {
        let most = most(rules.max_scale);
        if least > most {
            let message = format!("`{}` is {least} but the maximum is {most}", reader.path_of(key));
            return Err(reader.problem(key, message, format!("expected at most {most}")));
        }
    }
    let spec = Spec {
        target,
        total,
        target_burst_capacity,
        panic_threshold: reader.get(&PANIC_THRESHOLD)? / 100.0,
        max_scale_up_rate: reader.get(&UP_RATE)?,
        max_scale_down_rate: reader.get(&DOWN_RATE)?,
        stable_window,
        activation_scale: reader.get(&ACTIVATION)?,
        reachable: true,
    };
    Ok(Knative {
        phase: reader.get(&PHASE)?,
        load,
        spec,
        rules,
        panic_window: Span::from_secs(panic_seconds.max(1.0) as u64),
        scale_down_delay: whole_seconds(&DOWN_DELAY)?,
        aggregation: reader.get(&AGGREGATION)?,
        activator_capacity: reader.get(&ACTIVATOR_CAPACITY)?,
    })
}

/// −1 stands for any burst; nothing lies between it and 0.
fn burst(reader: &Reader<'_>) -> Result<f64, Problem> {
    let burst = reader.get(&BURST)?;
    if burst < 0.0 && burst != -1.0 {
        let message = format!("`{}` is {burst}", reader.path_of(BURST.name()));
        return Err(reader.problem(BURST.name(), message, "expected -1, 0 or more"));
    }
    Ok(burst)
}

fn most(max_scale: u32) -> u32 {
    if max_scale == 0 { UNBOUNDED } else { max_scale }
}

impl Knative {
    fn schedule_of_ticks(&self) -> Schedule {
        Schedule { interval: Span::from_secs(TICK_S), phase: self.phase }
    }
}

impl Settings for Knative {
    fn limits(&self) -> Limits {
        let last = u32::from(!self.rules.enable_scale_to_zero);
        Limits { min: self.rules.min_scale.max(last), max: most(self.rules.max_scale) }
    }
    fn limiting_key(&self) -> &'static str {
        MAX.name()
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule_of_ticks())
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        MetricsDefaults {
            scrape_interval: Span::from_secs(1),
            window: self.spec.stable_window,
            delay: Span::ZERO,
        }
    }
    fn watched(&self) -> Vec<Watched> {
        let Load { rps, container_concurrency, target, .. } = self.load;
        let key = match (rps, target, container_concurrency) {
            (false, None, 0) => DEFAULT_CONCURRENCY.name(),
            (false, None, _) => CONTAINER_CONCURRENCY.name(),
            (true, None, _) => DEFAULT_RPS.name(),
            (_, Some(_), _) => TARGET.name(),
        };
        vec![Watched::new(key, self.load.metric(), self.spec.target)]
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn wakes(&self) -> bool {
        true
    }
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        Box::new(policy::KpaPolicy::new(*self, start.initial, crate::time::Instant::ZERO))
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::Parts::new(*self))
    }
}
