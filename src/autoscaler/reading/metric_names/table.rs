//! The form of the tables: a row a metric.

use crate::autoscaler::Signal;

/// How a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value that rises and falls.
    Gauge,
    /// A count that only grows.
    Counter,
    /// Buckets, a sum and a count.
    Histogram,
}

/// What one series of a metric is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One instance.
    Pod,
    /// One accelerator.
    Gpu,
    /// The endpoint.
    Total,
    /// The mean of the instances.
    Mean,
    /// A part of the endpoint: a partition, a router.
    Parts,
    /// More than the endpoint: every host of a controller.
    Everything,
}

/// What a metric is of a simulated endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A signal, in its unit or one that [`Row::divisor`] tells.
    Is(Signal),
    /// A signal once it is taken as a rate.
    RateIs(Signal),
    /// Requests that end: their rate is that of arrivals below saturation alone.
    Completions,
    /// A signal once a quantile of the histogram is taken.
    QuantileIs(Signal),
    /// A signal once the sum of a period is divided by the period.
    CountOf(Signal),
    /// Instances.
    Replicas,
    /// Processor time, which a pod's request makes a utilization.
    Cores,
    /// No signal: what it is instead, for messages.
    Other(&'static str),
}

/// A metric that is known by its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// Its name.
    pub name: &'static str,
    /// How it counts.
    pub kind: Kind,
    /// Its unit, as its documentation writes it.
    pub unit: &'static str,
    /// What one series is of.
    pub scope: Scope,
    /// What it is of the endpoint.
    pub meaning: Meaning,
    /// What a user must know who scales by it; empty for nothing.
    pub note: &'static str,
}

/// The metrics of a system. Where they were read stands above each.
#[derive(Debug)]
pub(super) struct Group {
    /// Who exports them.
    pub system: &'static str,
    /// The metrics.
    pub rows: &'static [Row],
}

/// A row of a table.
pub(super) const fn row(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    scope: Scope,
    meaning: Meaning,
    note: &'static str,
) -> Row {
    Row { name, kind, unit, scope, meaning, note }
}

impl Row {
    /// What a value is divided by to be in the signal's unit.
    pub fn divisor(&self) -> f64 {
        match self.unit {
            unit if unit.starts_with("percent") => 100.0,
            "requests/min" => 60.0,
            "ms" => 1e3,
            "us" => 1e6,
            _ => 1.0,
        }
    }
}
