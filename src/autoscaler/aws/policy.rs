//! One scaling policy: a metric, and a rule.

use super::alarms::{Alarm, Comparison, Missing};
use super::metrics::Metric;
use super::step_scaling::{AdjustmentType, Step, StepScaling};
use super::target_tracking::{ScaleIn, TargetTracking};
use crate::autoscaler::{Quantity, Role, Watched};
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, UnionSpec, Value};
use crate::time::Span;

/// The cooldown of SageMaker and ECS targets, and of EC2 groups, unless set.
pub(super) const COOLDOWN: Span = Span::from_secs(300);
/// CloudWatch's standard period.
pub(super) const PERIOD: Span = Span::from_secs(60);

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScalingPolicy {
    pub metric: Metric,
    pub period: Span,
    pub scale_out_cooldown: Option<Span>,
    pub scale_in_cooldown: Option<Span>,
    pub rule: Rule,
}

/// How the metric turns into capacity.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    TargetTracking(TargetTracking),
    StepScaling(StepScaling),
}

const METRIC: Key<Metric> = Key::required("metric", "The CloudWatch metric watched.");
const PERIOD_KEY: Key<Span> = Key::or(
    "period",
    "\"60s\"",
    "Length of a datapoint; \"10s\" for high-resolution metrics. Periods are aligned with the start of the run.",
)
.at_least(1.0);
const TARGET: Key<f64> =
    Key::required("target", "The value of the metric to hold (`TargetValue`).").above(0.0);
const SCALE_OUT_COOLDOWN: Key<Option<Span>> = Key::optional(
    "scale_out_cooldown",
    "Time after a scale-out in which what it added counts towards the next; left out, 300 s. Not with EC2.",
);
const SCALE_IN_COOLDOWN: Key<Option<Span>> = Key::optional(
    "scale_in_cooldown",
    "Time after a scale-in without another; a scale-out ends it. Left out, 300 s. Not with EC2.",
);
const DISABLE_SCALE_IN: Key<bool> =
    Key::or("disable_scale_in", "false", "Whether the policy only scales out.");
const SCALE_OUT_PERIODS: Key<u32> = Key::or(
    "scale_out_periods",
    "3",
    "Datapoints in a row above the target that scale out. As seen on consoles; AWS does not publish it.",
)
.at_least(1.0)
.at_most(10_000.0);
const SCALE_IN_PERIODS: Key<Option<u32>> = Key::optional(
    "scale_in_periods",
    "Datapoints in a row below `scale_in_below` of the target that scale in; left out, those of a quarter of an hour. As seen on consoles.",
)
.at_least(1.0)
.at_most(10_000.0);
const SCALE_IN_BELOW: Key<Option<f64>> = Key::optional(
    "scale_in_below",
    "Share of the target below which the metric counts towards scale-in; left out, 0.9 (EC2: 0.7). As seen on consoles.",
)
.above(0.0)
.at_most(1.0);
const SCALE_IN: Key<ScaleIn> = Key::or(
    "scale_in",
    "\"proportional\"",
    "How much a scale-in removes. An assumption: AWS only says that it is gradual.",
);
const THRESHOLD: Key<f64> = Key::required("threshold", "The threshold of the alarm.");
const COMPARISON: Key<Comparison> =
    Key::required("comparison", "Which side of the threshold breaches it (`ComparisonOperator`).");
const ADJUSTMENT_TYPE: Key<AdjustmentType> =
    Key::or("adjustment_type", "\"change_in_capacity\"", "What the adjustments of the steps mean.");
const STEPS: Key<Vec<Step>> =
    Key::required("steps", "The steps; the metric falls into one of them, or none.");
const MIN_ADJUSTMENT_MAGNITUDE: Key<u32> = Key::or(
    "min_adjustment_magnitude",
    "0",
    "Minimum instances that a percentage adds or removes (`MinAdjustmentMagnitude`).",
);
const COOLDOWN_KEY: Key<Option<Span>> = Key::optional(
    "cooldown",
    "Scaling out, time in which what was added counts towards the next step; scaling in, time without another. Left out, 300 s. Not with EC2.",
);
const EVALUATION_PERIODS: Key<u32> =
    Key::or("evaluation_periods", "1", "Datapoints that the alarm evaluates.")
        .at_least(1.0)
        .at_most(10_000.0);
const DATAPOINTS_TO_ALARM: Key<Option<u32>> =
    Key::optional("datapoints_to_alarm", "Datapoints that must breach the threshold; left out, all.")
        .at_least(1.0);
const MISSING_DATA: Key<Missing> = Key::or(
    "missing_data",
    "\"missing\"",
    "What a period without a datapoint counts as (`TreatMissingData`).",
);

const TARGET_TRACKING: TableSpec = TableSpec {
    name: "target_tracking",
    doc: "Holds a metric at a target: capacity in proportion to it.",
    keys: &[
        &METRIC,
        &TARGET,
        &PERIOD_KEY,
        &SCALE_OUT_COOLDOWN,
        &SCALE_IN_COOLDOWN,
        &DISABLE_SCALE_IN,
        &SCALE_OUT_PERIODS,
        &SCALE_IN_PERIODS,
        &SCALE_IN_BELOW,
        &SCALE_IN,
    ],
};
const STEP_SCALING: TableSpec = TableSpec {
    name: "step_scaling",
    doc: "While an alarm is raised, changes capacity by how far the metric is past the threshold.",
    keys: &[
        &METRIC,
        &THRESHOLD,
        &COMPARISON,
        &STEPS,
        &ADJUSTMENT_TYPE,
        &MIN_ADJUSTMENT_MAGNITUDE,
        &COOLDOWN_KEY,
        &PERIOD_KEY,
        &EVALUATION_PERIODS,
        &DATAPOINTS_TO_ALARM,
        &MISSING_DATA,
    ],
};
const SPEC: UnionSpec = UnionSpec {
    name: "scaling policy",
    doc: "One AWS scaling policy.",
    tag: "type",
    default: None,
    common: &[],
    variants: &[&TARGET_TRACKING, &STEP_SCALING],
};

impl Value for ScalingPolicy {
    fn kind() -> Kind {
        Kind::Union(const { &SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let (variant, reader) = const { &SPEC }.open(node, path, context)?;
        let both = |rule, out, back| {
            let (metric, period) = (reader.get(&METRIC)?, reader.get(&PERIOD_KEY)?);
            Ok(ScalingPolicy { metric, period, scale_out_cooldown: out, scale_in_cooldown: back, rule })
        };
        if variant.name == TARGET_TRACKING.name {
            let (out, back) = (reader.find(&SCALE_OUT_COOLDOWN)?, reader.find(&SCALE_IN_COOLDOWN)?);
            return both(Rule::TargetTracking(read_target_tracking(&reader)?), out, back);
        }
        let cooldown = reader.find(&COOLDOWN_KEY)?;
        both(Rule::StepScaling(read_step_scaling(&reader)?), cooldown, cooldown)
    }
}

fn read_target_tracking(reader: &Reader<'_>) -> Result<TargetTracking, Problem> {
    Ok(TargetTracking {
        target: reader.get(&TARGET)?,
        scale_out_periods: reader.get(&SCALE_OUT_PERIODS)?,
        scale_in_periods: reader.find(&SCALE_IN_PERIODS)?,
        scale_in_below: reader.find(&SCALE_IN_BELOW)?,
        scale_in: reader.get(&SCALE_IN)?,
        disable_scale_in: reader.get(&DISABLE_SCALE_IN)?,
    })
}

fn read_step_scaling(reader: &Reader<'_>) -> Result<StepScaling, Problem> {
    let periods = reader.get(&EVALUATION_PERIODS)?;
    let datapoints = reader.find(&DATAPOINTS_TO_ALARM)?.unwrap_or(periods);
    if datapoints > periods {
        let message = format!("`{}` is {datapoints}", reader.path_of("datapoints_to_alarm"));
        let label = format!("expected at most the {periods} of `evaluation_periods`");
        return Err(reader.problem("datapoints_to_alarm", message, label));
    }
    let alarm = Alarm {
        comparison: reader.get(&COMPARISON)?,
        threshold: reader.get(&THRESHOLD)?,
        periods,
        datapoints,
        missing: reader.get(&MISSING_DATA)?,
    };
    Ok(StepScaling {
        alarm,
        adjustment_type: reader.get(&ADJUSTMENT_TYPE)?,
        steps: reader.get(&STEPS)?,
        min_adjustment_magnitude: reader.get(&MIN_ADJUSTMENT_MAGNITUDE)?,
    })
}

impl ScalingPolicy {
    /// Whether the scenario sets a cooldown.
    pub fn sets_cooldowns(&self) -> bool {
        self.scale_out_cooldown.is_some() || self.scale_in_cooldown.is_some()
    }

    /// What it compares its metric with, as the policy at `at`.
    pub fn watched(&self, at: usize) -> Option<Watched> {
        let Metric::PerInstance(signal, factor) = self.metric else { return None };
        let (key, value, role) = match &self.rule {
            Rule::TargetTracking(tracking) if tracking.disable_scale_in => {
                (TARGET.name(), tracking.target, Role::Up)
            }
            Rule::TargetTracking(tracking) => (TARGET.name(), tracking.target, Role::Both),
            Rule::StepScaling(steps) => match steps.alarm.comparison.is_upward() {
                true => (THRESHOLD.name(), steps.alarm.threshold, Role::Up),
                false => (THRESHOLD.name(), steps.alarm.threshold, Role::Down),
            },
        };
        let is_percent = signal.quantity() == Quantity::Share;
        let path = format!("policies.{at}.{key}");
        Some(Watched { role, is_percent, ..Watched::new(path, signal, value / factor) })
    }

    /// Above which value of its metric it scales out, if it does.
    pub fn scales_out_above(&self) -> Option<f64> {
        match &self.rule {
            Rule::TargetTracking(tracking) => Some(tracking.target),
            Rule::StepScaling(steps) => {
                Some(steps.alarm.threshold).filter(|_| steps.alarm.comparison.is_upward())
            }
        }
    }

    /// Most datapoints one of its alarms evaluates.
    pub fn periods(&self) -> u32 {
        match &self.rule {
            Rule::TargetTracking(tracking) => {
                tracking.scale_out_periods.max(tracking.low(self.period, 1.0).periods)
            }
            Rule::StepScaling(steps) => steps.alarm.periods,
        }
    }
}
