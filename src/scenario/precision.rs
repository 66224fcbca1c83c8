//! `[run] precision`: replications until a figure is known well enough.

use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};

/// How sure a figure has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// The figure, by its name in the results.
    pub metric: &'static str,
    /// Maximum of half the width of its interval, as a share of its mean.
    pub relative: f64,
    /// Maximum number of replications.
    pub most: u32,
}

/// A figure that replications can be counted by.
#[derive(Clone, Copy)]
struct Metric(&'static str);

impl Choice for Metric {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("latency.mean", Metric("latency.mean"), "mean latency"),
        ("latency.p50", Metric("latency.p50"), "median latency"),
        ("latency.p90", Metric("latency.p90"), "90th percentile of the latency"),
        ("latency.p95", Metric("latency.p95"), "95th percentile of the latency"),
        ("latency.p99", Metric("latency.p99"), "99th percentile of the latency"),
        ("latency.p999", Metric("latency.p999"), "99.9th percentile of the latency"),
        ("wait.mean", Metric("wait.mean"), "mean wait"),
        ("wait.p99", Metric("wait.p99"), "99th percentile of the wait"),
        (
            "slo_latency",
            Metric("slo_latency"),
            "the time promised (TTFT, else TPOT, else latency) at the SLO's percentile, lost requests included",
        ),
        ("slo_attainment", Metric("slo_attainment"), "share of requests within the SLO"),
        ("utilization", Metric("utilization"), "busy share of the ready capacity"),
        ("mean_queue", Metric("mean_queue"), "requests waiting, averaged over time"),
        ("mean_ready", Metric("mean_ready"), "instances ready, averaged over time"),
        ("cost", Metric("cost"), "cost"),
        ("cost_per_1000", Metric("cost_per_1000"), "cost per thousand requests answered"),
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

const METRIC: Key<Metric> = Key::required("metric", "The figure that must be precise.");
const RELATIVE: Key<f64> = Key::required(
    "relative",
    "Maximum half-width of its 95 % interval, as a share of its mean: 0.02 for ±2 %.",
)
.above(0.0)
.at_most(1.0);
const MOST: Key<u32> =
    Key::or("most", "200", "Maximum number of replications.").at_least(2.0).at_most(10_000.0);

impl Precision {
    /// The table `run.precision`.
    pub const SPEC: TableSpec = TableSpec {
        name: "precision",
        doc: "Replications are added, ten at a time and at least ten in all, until the interval of `metric` is narrow enough in every setting that is run, or `most` is reached; the result shows which.",
        keys: &[&METRIC, &RELATIVE, &MOST],
    };

    /// The names `metric` takes.
    pub fn metrics() -> impl Iterator<Item = &'static str> {
        Metric::OPTIONS.iter().map(|(name, _, _)| *name)
    }
}

impl Value for Precision {
    fn kind() -> Kind {
        Kind::Table(&Precision::SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &Precision::SPEC, context)?;
        let Metric(metric) = reader.get(&METRIC)?;
        Ok(Precision { metric, relative: reader.get(&RELATIVE)?, most: reader.get(&MOST)? })
    }
}
