//! `kind = "hpa"`: the keys of the table and their defaults.

use super::behavior::{Behavior, Bounds, MAX_REPLICAS, Rate, RateKind, Rules, Select};
use super::metric::MetricSpec;
use super::replica_calculator::Tolerance;
use super::{Hpa, Release};
use crate::schema::{
    AnyKey, Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice,
};
use crate::time::Span;

const MIN: Key<u32> = Key::or(
    "min",
    "1",
    "Minimum replicas (`minReplicas`). From 0 only an object or external metric brings them back.",
)
.at_most(MAX_REPLICAS);
const MAX: Key<u32> =
    Key::required("max", "Maximum replicas (`maxReplicas`).").at_least(1.0).at_most(MAX_REPLICAS);
const METRICS: Key<Option<Vec<MetricSpec>>> = Key::optional(
    "metrics",
    "The metrics; the one with the largest desired number counts. Without them, 80 % of the CPU, the default of the API.",
);
const BEHAVIOR: Key<Option<GivenBehavior>> = Key::optional(
    "behavior",
    "How fast the replicas may change. Without it the rules are older ones, not the defaults of this table: up to double or 4 at each sync, and no scale-down below the recommendations within `downscale_stabilization`.",
);
const TOLERANCE: Key<f64> = Key::or(
    "tolerance",
    "0.1",
    "How far metric over target may be from 1 without a change (flag `horizontal-pod-autoscaler-tolerance`).",
)
.at_least(0.0);
const SYNC_PERIOD: Key<Span> = Key::or(
    "sync_period",
    "\"15s\"",
    "Time between two syncs (flag `horizontal-pod-autoscaler-sync-period`).",
)
.at_least(1e-3);
const SYNC_DELAY: Key<Span> = Key::or(
    "sync_delay",
    "\"100ms\"",
    "What a sync takes: the next one comes `sync_period` after it has been processed, so that syncs drift, and what one recommended is a little more than a period old at the next. With 0 they are a metronome's. In a replay the rows are the syncs.",
);
const PHASE: Key<Span> = Key::or(
    "phase",
    "\"0s\"",
    "Shifts the syncs: the first falls at `phase`, or after one `sync_period` if that is zero, each further one `sync_period` + `sync_delay` later.",
);
const DOWNSCALE_STABILIZATION: Key<Span> = Key::or(
    "downscale_stabilization",
    "\"5m\"",
    "How long a recommendation keeps the pool from shrinking below it (flag `horizontal-pod-autoscaler-downscale-stabilization`).",
);
const CPU_INITIALIZATION_PERIOD: Key<Span> = Key::or(
    "cpu_initialization_period",
    "\"5m\"",
    "Time from a pod's start during which its CPU counts only if it is ready and the sample began after it became so (flag of that name).",
);
const INITIAL_READINESS_DELAY: Key<Span> = Key::or(
    "initial_readiness_delay",
    "\"30s\"",
    "A pod whose readiness last changed sooner than this after its start has never been ready (flag of that name).",
);
const SCALE_TO_ZERO: Key<Option<bool>> = Key::optional(
    "scale_to_zero",
    "Whether the feature gate `HPAScaleToZero` is on, so that an HPA that scaled to zero comes back from there. Without it, whether `min` is 0, which the API accepts with the gate only.",
);
/// The same where a system has a release of its own.
pub(crate) const KUBERNETES_RELEASE: Key<Release> = Key::or(
    "kubernetes_release",
    "\"newest\"",
    "The release of Kubernetes whose HPA it generates, where its rules differ.",
);
const RELEASE: Key<Release> = Key::or(
    "release",
    "\"newest\"",
    "The release of Kubernetes whose rules apply, where they differ: the edge of the tolerance, pods that succeeded, leaving zero.",
);
const WINDOW: Key<Option<Span>> = Key::optional(
    "stabilization_window",
    "How long a recommendation counts (`stabilizationWindowSeconds`): the smallest within it on the way up, the largest on the way down. Without it, \"0s\" for `scale_up` and `downscale_stabilization` for `scale_down`.",
)
.at_most(3600.0);
const SELECT: Key<Select> =
    Key::or("select_policy", "\"max\"", "Which of several policies counts, or that none may.");
const POLICIES: Key<Option<Vec<Rate>>> = Key::optional(
    "policies",
    "By how much the replicas may change within a period. Without it, for `scale_up` 4 pods and 100 % in 15 s, for `scale_down` 100 % in 15 s.",
);
const OWN_TOLERANCE: Key<Option<f64>> =
    Key::optional("tolerance", "The tolerance of this direction. Without it, that of the autoscaler.")
        .at_least(0.0);
const RATE_TYPE: Key<RateKind> = Key::required("type", "What `value` counts.");
const RATE_VALUE: Key<u32> =
    Key::required("value", "By how much the replicas may change.").at_most(MAX_REPLICAS);
const RATE_PERIOD: Key<Span> =
    Key::required("period", "The time within which they may (`periodSeconds`).").above(0.0);
const SCALE_UP: Key<Option<GivenRules>> =
    Key::optional("scale_up", "The way up. Without it, its keys' defaults.");
const SCALE_DOWN: Key<Option<GivenRules>> =
    Key::optional("scale_down", "The way down. Without it, its keys' defaults.");

/// `kind = "hpa"`.
pub(crate) const SPEC: TableSpec = TableSpec {
    name: "hpa",
    doc: "The Kubernetes HorizontalPodAutoscaler (autoscaling/v2) as its controller works, integers, roundings and memory included. It sees each pod's newest sample through `[metrics]`, whose defaults are then those of metrics-server: scrapes every 15 s, each sample the average since the scrape before.",
    keys: &[
        &MIN,
        &MAX,
        &METRICS,
        &BEHAVIOR,
        &TOLERANCE,
        &SYNC_PERIOD,
        &SYNC_DELAY,
        &PHASE,
        &DOWNSCALE_STABILIZATION,
        &CPU_INITIALIZATION_PERIOD,
        &INITIAL_READINESS_DELAY,
        &SCALE_TO_ZERO,
        &RELEASE,
    ],
};

/// The keys that [`Tuning`] reads.
pub(crate) const TUNING_KEYS: [&dyn AnyKey; 9] = [
    &BEHAVIOR,
    &TOLERANCE,
    &SYNC_PERIOD,
    &SYNC_DELAY,
    &PHASE,
    &DOWNSCALE_STABILIZATION,
    &CPU_INITIALIZATION_PERIOD,
    &INITIAL_READINESS_DELAY,
    &KUBERNETES_RELEASE,
];

const BEHAVIOR_SPEC: TableSpec = TableSpec {
    name: "behavior",
    doc: "How fast the replicas may change, as in `spec.behavior` of the manifest. What it leaves out has the API's defaults.",
    keys: &[&SCALE_UP, &SCALE_DOWN],
};

const RULES_SPEC: TableSpec = TableSpec {
    name: "scale_up",
    doc: "The rules of one direction.",
    keys: &[&WINDOW, &SELECT, &POLICIES, &OWN_TOLERANCE],
};

const RATE_SPEC: TableSpec = TableSpec {
    name: "policies",
    doc: "By how much the replicas may change within a period.",
    keys: &[&RATE_TYPE, &RATE_VALUE, &RATE_PERIOD],
};

impl Choice for Release {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("newest", Release::Newest, "main of 2026"),
        (
            "1.32",
            Release::V1_32,
            "1.22 to 1.32: scales at a ratio of exactly 1 + tolerance, counts pods that succeeded, and at zero is paused unless `min` is 0",
        ),
    ];
}

impl Choice for Select {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("max", Select::Max, "the one that allows the largest change"),
        ("min", Select::Min, "the one that allows the smallest change"),
        ("disabled", Select::Disabled, "no change in this direction"),
    ];
}

impl Choice for RateKind {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("pods", RateKind::Pods, "replicas"),
        ("percent", RateKind::Percent, "percent of the replicas at the start of the period"),
    ];
}

impl Value for Release {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Value for Select {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Value for RateKind {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Value for Rate {
    fn kind() -> Kind {
        Kind::Table(&RATE_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &RATE_SPEC, context)?;
        let (kind, value, period) =
            (reader.get(&RATE_TYPE)?, reader.get(&RATE_VALUE)?, reader.get(&RATE_PERIOD)?);
        Ok(Rate { kind, value, period })
    }
}

/// One direction as written.
#[derive(Debug, Clone)]
pub(crate) struct GivenRules {
    window: Option<Span>,
    select: Select,
    rates: Option<Vec<Rate>>,
    tolerance: Option<f64>,
}

impl GivenRules {
    const DEFAULT: GivenRules =
        GivenRules { window: None, select: Select::Max, rates: None, tolerance: None };

    fn fill(self, window: Span, rates: impl FnOnce() -> Vec<Rate>) -> Rules {
        Rules {
            window: self.window.unwrap_or(window),
            select: self.select,
            rates: self.rates.unwrap_or_else(rates),
        }
    }
}

impl Value for GivenRules {
    fn kind() -> Kind {
        Kind::Table(&RULES_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &RULES_SPEC, context)?;
        let rates = reader.find(&POLICIES)?;
        if rates.as_ref().is_some_and(Vec::is_empty) {
            let message = format!("`{}` is empty", reader.path_of(POLICIES.name()));
            let label = "expected one policy or more; or select_policy = \"disabled\"";
            return Err(reader.problem(POLICIES.name(), message, label));
        }
        Ok(GivenRules {
            window: reader.find(&WINDOW)?,
            select: reader.get(&SELECT)?,
            rates,
            tolerance: reader.find(&OWN_TOLERANCE)?,
        })
    }
}

/// `[autoscaler.behavior]` as written.
#[derive(Debug, Clone)]
pub(crate) struct GivenBehavior {
    up: GivenRules,
    down: GivenRules,
}

impl Value for GivenBehavior {
    fn kind() -> Kind {
        Kind::Table(&BEHAVIOR_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &BEHAVIOR_SPEC, context)?;
        Ok(GivenBehavior {
            up: reader.find(&SCALE_UP)?.unwrap_or(GivenRules::DEFAULT),
            down: reader.find(&SCALE_DOWN)?.unwrap_or(GivenRules::DEFAULT),
        })
    }
}

impl GivenBehavior {
    /// The tolerances of up and down, and the rules with what is left out filled in.
    fn fill(self, downscale_stabilization: Span) -> ([Option<f64>; 2], Behavior) {
        let fifteen = Span::from_secs(15);
        let percent = Rate { kind: RateKind::Percent, value: 100, period: fifteen };
        let pods = Rate { kind: RateKind::Pods, value: 4, period: fifteen };
        let tolerances = [self.up.tolerance, self.down.tolerance];
        let up = self.up.fill(Span::ZERO, || vec![pods, percent]);
        let down = self.down.fill(downscale_stabilization, || vec![percent]);
        (tolerances, Behavior { up, down })
    }
}

/// Reads the table.
///
/// # Errors
/// What is wrong with it, at its place.
pub(crate) fn read(reader: &Reader<'_>) -> Result<Hpa, Problem> {
    let (min, max) = (reader.get(&MIN)?, reader.get(&MAX)?);
    if min > max {
        let message = format!("`{}` is {min} but the maximum is {max}", reader.path_of(MIN.name()));
        return Err(reader.problem(MIN.name(), message, format!("expected at most {max}")));
    }
    let metrics = match reader.find(&METRICS)? {
        Some(metrics) if !metrics.is_empty() => metrics,
        _ => vec![MetricSpec::default_cpu()],
    };
    let tuning = Tuning::read(reader, &RELEASE)?;
    Ok(Hpa {
        scale_to_zero: reader.find(&SCALE_TO_ZERO)?.unwrap_or(min == 0),
        ..tuning.hpa(Bounds { min: min as i32, max: max as i32 }, metrics)
    })
}

/// The keys of an HPA's pace, which a KEDA scaled object shares.
#[derive(Debug, Clone)]
pub(crate) struct Tuning(Hpa);

impl Tuning {
    /// Reads `behavior` and the flags of the controller.
    pub fn read(reader: &Reader<'_>, release: &Key<Release>) -> Result<Tuning, Problem> {
        let downscale_stabilization = reader.get(&DOWNSCALE_STABILIZATION)?;
        let (tolerances, behavior) = match reader.find(&BEHAVIOR)? {
            Some(given) => {
                let (tolerances, behavior) = given.fill(downscale_stabilization);
                (tolerances, Some(behavior))
            }
            None => ([None, None], None),
        };
        let release = reader.get(release)?;
        let common = reader.get(&TOLERANCE)?;
        let [up, down] = tolerances.map(|own| own.unwrap_or(common));
        Ok(Tuning(Hpa {
            bounds: Bounds { min: 1, max: 1 },
            metrics: Vec::new(),
            behavior,
            tolerance: Tolerance { down, up, release },
            sync_period: reader.get(&SYNC_PERIOD)?,
            sync_delay: reader.get(&SYNC_DELAY)?,
            phase: reader.get(&PHASE)?,
            downscale_stabilization,
            cpu_initialization_period: reader.get(&CPU_INITIALIZATION_PERIOD)?,
            initial_readiness_delay: reader.get(&INITIAL_READINESS_DELAY)?,
            scale_to_zero: false,
            release,
        }))
    }

    /// The same with directions disabled; a direction that is not has its rules, or the API's defaults.
    pub fn paused(mut self, up: bool, down: bool) -> Tuning {
        if up || down {
            let window = self.0.downscale_stabilization;
            let both = GivenBehavior { up: GivenRules::DEFAULT, down: GivenRules::DEFAULT };
            let behavior = self.0.behavior.get_or_insert_with(|| both.fill(window).1);
            for (rules, disabled) in [(&mut behavior.up, up), (&mut behavior.down, down)] {
                if disabled {
                    rules.select = Select::Disabled;
                }
            }
        }
        self
    }

    /// An HPA with these bounds and metrics.
    pub fn hpa(self, bounds: Bounds, metrics: Vec<MetricSpec>) -> Hpa {
        Hpa { bounds, metrics, ..self.0 }
    }
}
