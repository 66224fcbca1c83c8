//! The metrics an autoscaler can watch.

use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, Value, read_choice};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Requests arriving per second.
    RequestRate,
    /// Requests waiting or in service.
    InFlight,
    /// Requests in service on ready instances.
    Concurrency,
    /// Requests waiting, at the door and at the instances.
    QueueLength,
    /// Busy share of the capacity of the ready instances, 0 to 1.
    Utilization,
    /// A quantile of the latency of completed requests, in seconds.
    Latency,
}

impl Choice for Metric {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("request_rate", Metric::RequestRate, "requests arriving per second"),
        ("in_flight", Metric::InFlight, "requests waiting or in service"),
        ("concurrency", Metric::Concurrency, "requests in service on ready instances"),
        ("queue_length", Metric::QueueLength, "requests waiting, at the door and at the instances"),
        ("utilization", Metric::Utilization, "busy share of the ready instances' capacity, 0 to 1"),
        ("latency", Metric::Latency, "quantile of the latency of completed requests, in seconds"),
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

/// Whether a metric is taken over the pool or per ready instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// The whole pool's value.
    Total,
    /// The pool's value divided by the number of ready instances (by one while there is none).
    Instance,
}

impl Choice for Per {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("total", Per::Total, "the whole pool's value"),
        ("instance", Per::Instance, "divided by the number of ready instances (by one while there is none)"),
    ];
}

impl Value for Per {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// What an autoscaler asks of the observation pipeline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Query {
    /// What is measured.
    pub metric: Metric,
    /// Over the pool or per instance; utilization and latency are the same either way.
    pub per: Per,
    /// The quantile of [`Metric::Latency`], 0 to 1.
    pub quantile: f64,
}

/// Keys of a table that asks for a metric.
pub const METRIC: Key<Metric> = Key::required("metric", "The metric watched.");
/// See [`Query::per`].
pub const PER: Key<Per> =
    Key::or("per", "\"total\"", "Whether the metric is the pool's total or divided by its ready instances.");
/// See [`Query::quantile`].
pub const QUANTILE: Key<f64> =
    Key::or("quantile", "0.99", "Which quantile of the latency, when `metric` is \"latency\".")
        .above(0.0)
        .at_most(1.0);

impl Query {
    /// Reads [`METRIC`], [`PER`] and [`QUANTILE`].
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn read(reader: &Reader<'_>) -> Result<Query, Problem> {
        let query =
            Query { metric: reader.get(&METRIC)?, per: reader.get(&PER)?, quantile: reader.get(&QUANTILE)? };
        if query.per == Per::Instance && matches!(query.metric, Metric::Utilization | Metric::Latency) {
            let message = format!("`{}` does not apply to this metric", reader.path_of(PER.name()));
            return Err(reader.problem(
                PER.name(),
                message,
                "utilization and latency are the same per instance and in total",
            ));
        }
        if query.metric != Metric::Latency && reader.has(QUANTILE.name()) {
            let message =
                format!("`{}` applies to metric = \"latency\" only", reader.path_of(QUANTILE.name()));
            return Err(reader.problem(QUANTILE.name(), message, "remove it, or watch the latency"));
        }
        Ok(query)
    }

    /// The metric as the user wrote it.
    pub fn name(&self) -> &'static str {
        Metric::OPTIONS.iter().find(|(_, metric, _)| *metric == self.metric).map_or("", |(name, _, _)| name)
    }
}
