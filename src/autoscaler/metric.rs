//! The metrics an autoscaler can watch.

use super::signal::{OfPool, Signal, Source};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, Value, read_choice};

/// A signal as the pipeline of `[metrics]` observes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSignal(pub Signal);

impl Choice for PoolSignal {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &{
        let signals = Signal::options::<{ Signal::count(Source::Pipeline) }>(Source::Pipeline);
        let mut options = [("", PoolSignal(Signal::ALL[0]), ""); Signal::count(Source::Pipeline)];
        let mut at = 0;
        while at < options.len() {
            options[at] = (signals[at].0, PoolSignal(signals[at].1), signals[at].2);
            at += 1;
        }
        options
    };
}

impl Value for PoolSignal {
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
    pub metric: Signal,
    /// Over the pool or per instance; utilization and latency are the same either way.
    pub per: Per,
    /// The quantile of a time, 0 to 1.
    pub quantile: f64,
}

/// Keys of a table that asks for a metric.
pub const METRIC: Key<PoolSignal> = Key::required("metric", "The metric watched.");
/// See [`Query::per`].
pub const PER: Key<Per> =
    Key::or("per", "\"total\"", "Whether the metric is the pool's total or divided by its ready instances.");
/// See [`Query::quantile`].
pub const QUANTILE: Key<f64> = Key::or(
    "quantile",
    "0.99",
    "Which quantile of the times, when `metric` is \"latency\", \"ttft\" or \"tpot\".",
)
.above(0.0)
.at_most(1.0);

impl Query {
    /// Reads [`METRIC`], [`PER`] and [`QUANTILE`].
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn read(reader: &Reader<'_>) -> Result<Query, Problem> {
        let query = Query {
            metric: reader.get(&METRIC)?.0,
            per: reader.get(&PER)?,
            quantile: reader.get(&QUANTILE)?,
        };
        if query.per == Per::Instance && !query.metric.quantity().is_additive() {
            let message = format!("`{}` does not apply to this metric", reader.path_of(PER.name()));
            return Err(reader.problem(
                PER.name(),
                message,
                "shares and times are the same per instance and in total",
            ));
        }
        let has_quantile = matches!(query.metric.spec().of_pool, OfPool::Quantile(_));
        if !has_quantile && reader.has(QUANTILE.name()) {
            let path = reader.path_of(QUANTILE.name());
            let message = format!("`{path}` applies to a metric of times only: latency, ttft, tpot");
            return Err(reader.problem(QUANTILE.name(), message, "remove it, or watch the latency"));
        }
        Ok(query)
    }

    /// The metric as the user wrote it.
    pub fn name(&self) -> &'static str {
        self.metric.name()
    }
}
