//! The metrics an autoscaler can watch.

use super::signal::{OfPool, Signal};
use crate::schema::{Choice, Context, Key, Kind, Node, Place, Problem, Reader, Value, read_choice};

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
    pub metric: Signal,
    /// Over the pool or per instance; utilization and latency are the same either way.
    pub per: Per,
    /// The quantile of a time, 0 to 1.
    pub quantile: f64,
}

/// Keys of a table that asks for a metric.
pub const METRIC: Key<Signal> = Key::required("metric", "The metric watched.");
/// See [`Query::per`].
pub const PER: Key<Per> =
    Key::or("per", "\"total\"", "Whether the metric is the pool's total or divided by its ready instances.");
/// See [`Query::quantile`].
pub const QUANTILE: Key<f64> = Key::or(
    "quantile",
    "0.99",
    "Which quantile of the times, when the metric is \"latency\", \"ttft\" or \"tpot\".",
)
.above(0.0)
.at_most(1.0);

/// Reads [`QUANTILE`], which only a time has.
///
/// # Errors
/// What is wrong with it.
pub(super) fn quantile_of(reader: &Reader<'_>, signal: Signal) -> Result<f64, Problem> {
    let has_quantile = matches!(signal.spec().of_pool, OfPool::Quantile(_));
    // A manifest's own goes with a signal that the scenario may have replaced.
    let is_written =
        reader.node(QUANTILE.name()).is_some_and(|node| !matches!(node.place, Place::Manifest(_)));
    if !has_quantile && is_written {
        let path = reader.path_of(QUANTILE.name());
        let message = format!("`{path}` applies to a metric of times only: latency, ttft, tpot");
        return Err(reader.problem(QUANTILE.name(), message, "remove it, or watch the latency"));
    }
    reader.get(&QUANTILE)
}

impl Query {
    /// Reads [`METRIC`], [`PER`] and [`QUANTILE`].
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn read(reader: &Reader<'_>) -> Result<Query, Problem> {
        let metric = reader.get(&METRIC)?;
        let query = Query { metric, per: reader.get(&PER)?, quantile: quantile_of(reader, metric)? };
        if query.per == Per::Instance && !query.metric.quantity().is_additive() {
            let message = format!("`{}` does not apply to this metric", reader.path_of(PER.name()));
            return Err(reader.problem(
                PER.name(),
                message,
                "shares and times are the same per instance and in total",
            ));
        }
        Ok(query)
    }

    /// The metric as the user wrote it.
    pub fn name(&self) -> &'static str {
        self.metric.name()
    }
}
