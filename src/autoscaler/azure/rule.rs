//! One rule: a metric over a while, a threshold, and a change of the instances.

use std::collections::VecDeque;

use crate::autoscaler::{Quantity, Role, Scrape, Signal, Watched};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    pub metric: Metric,
    pub aggregation: Aggregation,
    pub duration: Span,
    pub time_grain: Span,
    pub operator: Operator,
    pub threshold: f64,
    pub direction: Direction,
    pub change: Change,
    pub value: f64,
    pub cooldown: Span,
}

/// What is measured: a signal per instance, in Azure Monitor's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Metric {
    signal: Signal,
    factor: f64,
}

/// How the values of the duration become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregation {
    Average,
    Minimum,
    Maximum,
    Total,
    Last,
}

/// Which values trigger the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equals,
    NotEquals,
}

/// Whether a rule adds or removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Out,
    In,
}

/// What the value of a change means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Count,
    Percent,
    Exact,
}

impl Choice for Metric {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "utilization",
            Metric::UTILIZATION,
            "busy share of the capacity in percent (`CpuUtilizationPercentage`)",
        ),
        (
            "requests_per_minute",
            Metric { signal: Signal::RequestRate, factor: 60.0 },
            "requests a minute and instance",
        ),
        (
            "in_flight",
            Metric { signal: Signal::InFlight, factor: 1.0 },
            "requests waiting or in service an instance",
        ),
        ("queue_length", Metric { signal: Signal::QueueLength, factor: 1.0 }, "requests waiting an instance"),
    ];
}

impl Choice for Aggregation {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("average", Aggregation::Average, "their mean"),
        ("minimum", Aggregation::Minimum, "their minimum"),
        ("maximum", Aggregation::Maximum, "their maximum"),
        ("total", Aggregation::Total, "their sum"),
        ("last", Aggregation::Last, "the last one"),
    ];
}

impl Choice for Operator {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("greater_than", Operator::Above, "above the threshold"),
        ("greater_than_or_equal", Operator::AtLeast, "above it or equal"),
        ("less_than", Operator::Below, "below the threshold"),
        ("less_than_or_equal", Operator::AtMost, "below it or equal"),
        ("equals", Operator::Equals, "equal to the threshold"),
        ("not_equals", Operator::NotEquals, "not equal to it"),
    ];
}

impl Choice for Direction {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] =
        &[("out", Direction::Out, "adds instances"), ("in", Direction::In, "removes instances")];
}

impl Choice for Change {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("count", Change::Count, "by this number of instances"),
        ("percent", Change::Percent, "by this percentage of the instances, rounded up"),
        ("exact", Change::Exact, "to this number of instances"),
    ];
}

impl Value for Metric {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Value for Aggregation {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Value for Operator {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Value for Direction {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Value for Change {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

impl Metric {
    /// The busy share in percent.
    pub const UTILIZATION: Metric = Metric { signal: Signal::Utilization, factor: 100.0 };

    /// As a scenario writes it.
    pub fn name(self) -> &'static str {
        Self::OPTIONS.iter().find(|(_, metric, _)| *metric == self).map_or("", |(name, _, _)| *name)
    }
}

impl Operator {
    pub fn holds(self, metric: f64, threshold: f64) -> bool {
        match self {
            Operator::Above => metric > threshold,
            Operator::AtLeast => metric >= threshold,
            Operator::Below => metric < threshold,
            Operator::AtMost => metric <= threshold,
            Operator::Equals => metric == threshold,
            Operator::NotEquals => metric != threshold,
        }
    }

    /// "above", for sentences.
    pub fn words(self) -> &'static str {
        match self {
            Operator::Above => "above",
            Operator::AtLeast => "at or above",
            Operator::Below => "below",
            Operator::AtMost => "at or below",
            Operator::Equals => "equal to",
            Operator::NotEquals => "not",
        }
    }
}

const METRIC: Key<Metric> = Key::required("metric", "What is measured, an instance each.");
const AGGREGATION: Key<Aggregation> = Key::or(
    "aggregation",
    "\"average\"",
    "How the values within the duration become one (`timeAggregation`).",
);
const DURATION: Key<Span> =
    Key::or("duration", "\"10m\"", "How long the rule looks back (`timeWindow`).").above(0.0);
const TIME_GRAIN: Key<Span> =
    Key::or("time_grain", "\"1m\"", "Length of one value of the metric (`timeGrain`).").at_least(1.0);
const OPERATOR: Key<Operator> = Key::required("operator", "Which values trigger the rule.");
const THRESHOLD: Key<f64> = Key::required("threshold", "What the metric is compared with.");
const DIRECTION: Key<Direction> =
    Key::required("direction", "Whether the rule adds instances or removes some.");
const CHANGE: Key<Change> = Key::or("change", "\"count\"", "What `value` means (`scaleAction.type`).");
const VALUE: Key<f64> = Key::or("value", "1", "By how much, or to how many.").at_least(0.0).at_most(1e6);
const COOLDOWN: Key<Span> =
    Key::or("cooldown", "\"5m\"", "Time after any scale action during which this rule does not act.");
const SPEC: TableSpec = TableSpec {
    name: "rule",
    doc: "One rule of an Azure Monitor autoscale profile.",
    keys: &[
        &METRIC,
        &OPERATOR,
        &THRESHOLD,
        &DIRECTION,
        &CHANGE,
        &VALUE,
        &COOLDOWN,
        &AGGREGATION,
        &DURATION,
        &TIME_GRAIN,
    ],
};

impl Value for Rule {
    fn kind() -> Kind {
        Kind::Table(const { &SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        Ok(Rule {
            metric: reader.get(&METRIC)?,
            aggregation: reader.get(&AGGREGATION)?,
            duration: reader.get(&DURATION)?,
            time_grain: reader.get(&TIME_GRAIN)?,
            operator: reader.get(&OPERATOR)?,
            threshold: reader.get(&THRESHOLD)?,
            direction: reader.get(&DIRECTION)?,
            change: reader.get(&CHANGE)?,
            value: reader.get(&VALUE)?,
            cooldown: reader.get(&COOLDOWN)?,
        })
    }
}

impl Rule {
    /// What it compares its metric with, as the rule at `at`; `None` where neither side of the threshold asks for what its
    /// direction gives.
    pub fn watched(&self, at: usize) -> Option<Watched> {
        let role = match (self.direction, self.operator) {
            (Direction::Out, Operator::Above | Operator::AtLeast) => Role::Up,
            (Direction::In, Operator::Below | Operator::AtMost) => Role::Down,
            _ => return None,
        };
        // A sum is that of so many values.
        let values = match self.aggregation {
            Aggregation::Total => self.values() as f64,
            _ => 1.0,
        };
        let Metric { signal, factor } = self.metric;
        let is_percent = signal.quantity() == Quantity::Share;
        let key = format!("rules.{at}.{}", THRESHOLD.name());
        let target = self.threshold / values / factor;
        Some(Watched { role, is_percent, ..Watched::new(key, signal, target) })
    }

    /// Values of the metric within the duration.
    fn values(&self) -> usize {
        self.duration.as_nanos().div_ceil(self.time_grain.as_nanos().max(1)).clamp(1, 100_000) as usize
    }

    /// The instances the rule makes of `current`, before limits.
    pub fn changed(&self, current: u32) -> u32 {
        // `as` saturates.
        let by = match self.change {
            Change::Exact => return self.value as u32,
            Change::Count => self.value as u32,
            // Azure does not publish the rounding.
            Change::Percent => (f64::from(current) * self.value / 100.0).ceil() as u32,
        };
        match self.direction {
            Direction::Out => current.saturating_add(by),
            Direction::In => current.saturating_sub(by),
        }
    }
}

/// The values of a rule's metric, one a time grain. Grains are aligned with the start of the run.
#[derive(Debug, Clone)]
pub(super) struct Window {
    metric: Metric,
    aggregation: Aggregation,
    grain: Span,
    kept: usize,
    ends: Instant,
    /// Sums over the scrapes of the grain under way: of what is shared, and of the instances it is shared by.
    shared: f64,
    by: f64,
    values: VecDeque<Option<f64>>,
}

impl Window {
    pub fn new(rule: &Rule) -> Window {
        let kept = rule.values();
        Window {
            metric: rule.metric,
            aggregation: rule.aggregation,
            grain: rule.time_grain,
            kept,
            ends: Instant::ZERO + rule.time_grain,
            shared: 0.0,
            by: 0.0,
            values: VecDeque::with_capacity(kept),
        }
    }

    /// Takes in a scrape. One that spans the end of a grain counts for the grain in which it was made.
    pub fn scrape(&mut self, sample: &Scrape<'_>) {
        while self.ends < sample.at {
            self.end_grain();
        }
        let (shared, by) = self.metric.signal.per_instance(sample, self.metric.factor);
        self.shared += shared;
        self.by += by;
        if self.ends == sample.at {
            self.end_grain();
        }
    }

    fn end_grain(&mut self) {
        let value = (self.by > 0.0).then(|| self.shared / self.by);
        (self.shared, self.by) = (0.0, 0.0);
        self.ends += self.grain;
        self.push(value);
    }

    /// The value of the next grain; `None`: there was nothing to measure.
    pub fn push(&mut self, value: Option<f64>) {
        if self.values.len() == self.kept {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// The metric over the duration; `None`: there are no values in it.
    pub fn value(&self) -> Option<f64> {
        let values = || self.values.iter().copied().flatten();
        let count = values().count();
        match self.aggregation {
            Aggregation::Average => (count > 0).then(|| values().sum::<f64>() / count as f64),
            Aggregation::Total => (count > 0).then(|| values().sum()),
            Aggregation::Minimum => values().reduce(f64::min),
            Aggregation::Maximum => values().reduce(f64::max),
            Aggregation::Last => values().next_back(),
        }
    }
}
