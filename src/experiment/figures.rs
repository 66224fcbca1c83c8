//! The figures a run is reported by: each stated once, with its unit and how it follows from an outcome.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::types::{ByName, OfType};
use crate::sim::{Class, Outcome, Promised, Slo, TokenOutcome};
use crate::stats::{Digest, Estimate};

/// Unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A share, 0 to 1.
    Share,
    /// Requests.
    Requests,
    /// Instances.
    Instances,
    /// Hours of one instance.
    InstanceHours,
    /// The scenario's currency.
    Currency,
    /// How many times.
    Count,
    /// So many a second.
    PerSecond,
}

/// A figure in one replication.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Sample {
    /// The replication does not have it: no request was answered, or nothing is promised.
    Missing,
    /// A value of its own.
    Value(f64),
    /// A ratio; over several replications, of their totals.
    Ratio {
        /// Numerator.
        of: f64,
        /// Denominator.
        to: f64,
    },
}

impl Sample {
    fn maybe(value: Option<f64>) -> Sample {
        value.map_or(Sample::Missing, Sample::Value)
    }

    fn ratio(of: f64, to: f64) -> Sample {
        if to > 0.0 { Sample::Ratio { of, to } } else { Sample::Missing }
    }

    /// The replication's own value, if it has one and it is finite.
    pub fn value(self) -> Option<f64> {
        match self {
            Sample::Missing => None,
            Sample::Value(value) => Some(value),
            Sample::Ratio { of, to } => Some(of / to),
        }
        .filter(|value| value.is_finite())
    }
}

/// A figure: its name everywhere, what it means, its unit, and how it follows from a run.
#[derive(Debug)]
pub struct Figure {
    /// Name in `summary.json` (a dot opens a table), in the CSV files and on the terminal.
    pub name: &'static str,
    /// Unit.
    pub unit: Unit,
    /// What it is.
    pub doc: &'static str,
    source: Source,
}

/// How a figure follows from runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// From each by itself.
    Run(fn(&Outcome, Option<Slo>) -> Sample),
    /// The mean of such times.
    Mean(Times),
    /// The longest of such times.
    Longest(Times),
    /// The quantile of such times; over several replications, of all their requests together.
    Quantile(Times, f64),
    /// The time promised at the SLO's percentile (the latency's p99 without an SLO), of all requests that ended; over
    /// several replications, of all their requests together.
    SloLatency,
}

/// Times that requests took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    Latency,
    Wait,
    LatencyOf(Class),
    WaitOf(Class),
    /// Latency of cold requests.
    Cold,
    /// To the first token.
    Ttft,
    /// Of each further token.
    Tpot,
}

impl Times {
    pub const ALL: [Times; 9] = [
        Times::Latency,
        Times::Wait,
        Times::LatencyOf(Class::High),
        Times::WaitOf(Class::High),
        Times::LatencyOf(Class::Low),
        Times::WaitOf(Class::Low),
        Times::Cold,
        Times::Ttft,
        Times::Tpot,
    ];

    /// Those of one run; `None` where classes are not told apart, none are cold, or tokens not counted.
    pub fn of(self, run: &Outcome) -> Option<&Digest> {
        let class = |class| run.classes.as_ref().map(|classes| &classes[class as usize]);
        match self {
            Times::Latency => Some(&run.latency),
            Times::Wait => Some(&run.wait),
            Times::LatencyOf(of) => class(of).map(|times| &times.latency),
            Times::WaitOf(of) => class(of).map(|times| &times.wait),
            Times::Cold => run.cold.as_ref(),
            Times::Ttft => run.tokens.as_ref().map(|tokens| &tokens.ttft),
            Times::Tpot => run.tokens.as_ref().map(|tokens| &tokens.tpot),
        }
    }
}

use Unit::{Count, Currency, InstanceHours, Instances, PerSecond, Requests, Seconds, Share};

const fn figure(
    name: &'static str,
    unit: Unit,
    doc: &'static str,
    of: fn(&Outcome, Option<Slo>) -> Sample,
) -> Figure {
    Figure { name, unit, doc, source: Source::Run(of) }
}

const fn quantile(name: &'static str, doc: &'static str, times: Times, q: f64) -> Figure {
    Figure { name, unit: Seconds, doc, source: Source::Quantile(times, q) }
}

const fn mean(name: &'static str, doc: &'static str, times: Times) -> Figure {
    Figure { name, unit: Seconds, doc, source: Source::Mean(times) }
}

const fn longest(name: &'static str, doc: &'static str, times: Times) -> Figure {
    Figure { name, unit: Seconds, doc, source: Source::Longest(times) }
}

const HIGH: Times = Times::LatencyOf(Class::High);
const LOW: Times = Times::LatencyOf(Class::Low);
const HIGH_WAIT: Times = Times::WaitOf(Class::High);
const LOW_WAIT: Times = Times::WaitOf(Class::Low);

/// All figures, in the order they are reported.
pub static FIGURES: &[Figure] = &[
    mean("latency.mean", "mean latency of the requests answered", Times::Latency),
    quantile("latency.p50", "median latency", Times::Latency, 0.5),
    quantile("latency.p90", "90th percentile of the latency", Times::Latency, 0.9),
    quantile("latency.p95", "95th percentile of the latency", Times::Latency, 0.95),
    quantile("latency.p99", "99th percentile of the latency", Times::Latency, 0.99),
    quantile("latency.p999", "99.9th percentile of the latency", Times::Latency, 0.999),
    longest("latency.max", "longest latency", Times::Latency),
    mean("wait.mean", "mean wait of the requests answered", Times::Wait),
    quantile("wait.p50", "median wait", Times::Wait, 0.5),
    quantile("wait.p90", "90th percentile of the wait", Times::Wait, 0.9),
    quantile("wait.p95", "95th percentile of the wait", Times::Wait, 0.95),
    quantile("wait.p99", "99th percentile of the wait", Times::Wait, 0.99),
    quantile("wait.p999", "99.9th percentile of the wait", Times::Wait, 0.999),
    longest("wait.max", "longest wait", Times::Wait),
    mean("ttft.mean", "mean time to the first token", Times::Ttft),
    quantile("ttft.p50", "median time to the first token", Times::Ttft, 0.5),
    quantile("ttft.p90", "90th percentile of the time to the first token", Times::Ttft, 0.9),
    quantile("ttft.p95", "95th percentile of the time to the first token", Times::Ttft, 0.95),
    quantile("ttft.p99", "99th percentile of the time to the first token", Times::Ttft, 0.99),
    quantile("ttft.p999", "99.9th percentile of the time to the first token", Times::Ttft, 0.999),
    longest("ttft.max", "longest time to the first token", Times::Ttft),
    mean("tpot.mean", "mean time of each further token", Times::Tpot),
    quantile("tpot.p50", "median time of each further token", Times::Tpot, 0.5),
    quantile("tpot.p90", "90th percentile of the time of each further token", Times::Tpot, 0.9),
    quantile("tpot.p95", "95th percentile of the time of each further token", Times::Tpot, 0.95),
    quantile("tpot.p99", "99th percentile of the time of each further token", Times::Tpot, 0.99),
    quantile("tpot.p999", "99.9th percentile of the time of each further token", Times::Tpot, 0.999),
    longest("tpot.max", "longest time of each further token", Times::Tpot),
    mean("latency_high.mean", "mean latency of the high class", HIGH),
    quantile("latency_high.p50", "median latency of the high class", HIGH, 0.5),
    quantile("latency_high.p90", "90th percentile of the latency of the high class", HIGH, 0.9),
    quantile("latency_high.p95", "95th percentile of the latency of the high class", HIGH, 0.95),
    quantile("latency_high.p99", "99th percentile of the latency of the high class", HIGH, 0.99),
    quantile("latency_high.p999", "99.9th percentile of the latency of the high class", HIGH, 0.999),
    longest("latency_high.max", "longest latency of the high class", HIGH),
    mean("latency_low.mean", "mean latency of the low class", LOW),
    quantile("latency_low.p50", "median latency of the low class", LOW, 0.5),
    quantile("latency_low.p90", "90th percentile of the latency of the low class", LOW, 0.9),
    quantile("latency_low.p95", "95th percentile of the latency of the low class", LOW, 0.95),
    quantile("latency_low.p99", "99th percentile of the latency of the low class", LOW, 0.99),
    quantile("latency_low.p999", "99.9th percentile of the latency of the low class", LOW, 0.999),
    longest("latency_low.max", "longest latency of the low class", LOW),
    mean("wait_high.mean", "mean wait of the high class", HIGH_WAIT),
    quantile("wait_high.p99", "99th percentile of the wait of the high class", HIGH_WAIT, 0.99),
    mean("wait_low.mean", "mean wait of the low class", LOW_WAIT),
    quantile("wait_low.p99", "99th percentile of the wait of the low class", LOW_WAIT, 0.99),
    figure(
        "cold.share",
        Share,
        "share of the requests answered that found no instance ready, or were the first of theirs",
        |run, _| {
            let cold = run.cold.as_ref().map_or(0, Digest::count);
            Sample::ratio(cold as f64, run.counts.served as f64)
        },
    ),
    mean("cold.mean", "mean latency of these cold requests", Times::Cold),
    quantile("cold.p50", "median latency of the cold requests", Times::Cold, 0.5),
    quantile("cold.p99", "99th percentile of the latency of the cold requests", Times::Cold, 0.99),
    figure("cold.warm_mean", Seconds, "mean latency of the other requests, where some are cold", |run, _| {
        Sample::maybe(run.cold.as_ref().and_then(|cold| warm_mean(run, cold)))
    }),
    Figure {
        name: SLO_LATENCY,
        unit: Seconds,
        doc: "the time promised (to the first token, else per token, else the latency) at the SLO's percentile (p99 without an SLO), requests lost counting as never answered",
        source: Source::SloLatency,
    },
    figure(SLO_ATTAINMENT, Share, "share of the requests ended that were answered within the SLO", {
        |run, slo| match slo {
            Some(_) => Sample::ratio(run.good as f64, ended(run) as f64),
            None => Sample::Missing,
        }
    }),
    figure("below_slo_s", Seconds, "time in windows that missed the SLO", |run, slo| {
        Sample::maybe(slo.map(|_| run.below_slo_s))
    }),
    figure("arrived", Requests, "requests that arrived", |run, _| Sample::Value(run.counts.arrived as f64)),
    figure("served", Requests, "requests answered", |run, _| Sample::Value(run.counts.served as f64)),
    figure("rejected", Requests, "requests turned away by a full queue", |run, _| {
        Sample::Value(run.counts.rejected as f64)
    }),
    figure("timed_out", Requests, "requests that gave up waiting", |run, _| {
        Sample::Value(run.counts.timed_out as f64)
    }),
    figure("failed", Requests, "requests lost with their instance", |run, _| {
        Sample::Value(run.counts.failed as f64)
    }),
    figure("retried", Count, "times a request was sent again after a fault", |run, _| {
        Sample::Value(run.sending.retried as f64)
    }),
    figure("hedged", Count, "second copies sent because no answer had come", |run, _| {
        Sample::Value(run.sending.hedged as f64)
    }),
    figure("wasted", Share, "share of the service given that nobody waited for at its end", |run, _| {
        Sample::ratio(run.sending.wasted_s, run.integrals.in_service)
    }),
    figure("in_flight_at_end", Requests, "requests waiting or in service at the end", |run, _| {
        Sample::Value(run.counts.in_flight as f64)
    }),
    figure("utilization", Share, "busy share of the capacity of ready instances", |run, _| {
        Sample::ratio(run.integrals.work, run.integrals.ready * f64::from(run.slots))
    }),
    figure(
        "prompt_tokens_per_s",
        PerSecond,
        "prompt tokens of the requests answered, per second",
        |run, _| tokens(run, |tokens| tokens.prompt as f64),
    ),
    figure(
        "output_tokens_per_s",
        PerSecond,
        "output tokens of the requests answered, per second",
        |run, _| tokens(run, |tokens| tokens.output as f64),
    ),
    figure(
        "preemptions",
        Count,
        "sequences that gave way for want of KV cache and were computed again",
        |run, _| Sample::maybe(run.tokens.as_ref().map(|tokens| tokens.preemptions as f64)),
    ),
    figure(
        "kv_cache.mean",
        Share,
        "mean use of the KV cache of ready instances, sampled at the ends of windows",
        {
            |run, _| match &run.tokens {
                Some(tokens) => Sample::ratio(tokens.kv_cache.0, tokens.kv_cache.1 as f64),
                None => Sample::Missing,
            }
        },
    ),
    figure(
        "kv_cache.peak",
        Share,
        "greatest use of the KV cache of ready instances at the end of a window",
        |run, _| Sample::maybe(run.tokens.as_ref().map(|tokens| tokens.kv_cache_peak)),
    ),
    figure("mean_queue", Requests, "time-average of requests waiting", |run, _| {
        per_time(run, run.integrals.waiting)
    }),
    figure(
        "peak_queue_sampled",
        Requests,
        "most requests waiting at the end of a window of the timeline",
        |run, _| Sample::Value(run.peak_waiting as f64),
    ),
    figure(
        "mean_in_flight",
        Requests,
        "time-average of requests that have arrived and not ended",
        |run, _| per_time(run, run.integrals.in_flight),
    ),
    figure("mean_ready", Instances, "time-average of ready instances", |run, _| {
        per_time(run, run.integrals.ready)
    }),
    figure("peak_ready", Instances, "most instances ready at once", |run, _| {
        Sample::Value(f64::from(run.peak_ready))
    }),
    figure("mean_starting", Instances, "time-average of instances starting", |run, _| {
        per_time(run, run.integrals.starting)
    }),
    figure(
        "mean_pending",
        Instances,
        "time-average of instances that wait for capacity to start",
        |run, _| per_time(run, run.integrals.pending),
    ),
    figure("mean_draining", Instances, "time-average of instances draining", |run, _| {
        per_time(run, run.integrals.draining)
    }),
    figure("mean_warming", Instances, "time-average of instances starting to be kept warm", |run, _| {
        per_time(run, run.integrals.warming)
    }),
    figure("mean_warm", Instances, "time-average of warm instances", |run, _| {
        per_time(run, run.integrals.warm)
    }),
    figure("warm_starts", Count, "starts from the warm pool", |run, _| Sample::Value(run.warm_starts as f64)),
    figure("starts", Count, "instances started from nothing", |run, _| Sample::Value(run.started as f64)),
    figure("refused_starts", Count, "starts refused for want of capacity, each attempt", |run, _| {
        Sample::Value(run.failure_counts.refused_starts as f64)
    }),
    figure("failed_starts", Count, "starts that failed, each attempt", |run, _| {
        Sample::Value(run.failure_counts.failed_starts as f64)
    }),
    figure("instance_failures", Count, "instances that failed", |run, _| {
        Sample::Value(run.failure_counts.failures as f64)
    }),
    figure("interruptions", Count, "instances given notice", |run, _| {
        Sample::Value(run.failure_counts.interruptions as f64)
    }),
    figure("node_failures", Count, "nodes that failed", |run, _| {
        Sample::Value(run.failure_counts.node_failures as f64)
    }),
    figure("scale_ups", Count, "decisions that raised the instances asked for", |run, _| {
        Sample::Value(run.actions.up as f64)
    }),
    figure("scale_downs", Count, "decisions that lowered the instances asked for", |run, _| {
        Sample::Value(run.actions.down as f64)
    }),
    figure("flaps", Count, "decisions that undid one of the five minutes before", |run, _| {
        Sample::Value(run.actions.flaps as f64)
    }),
    figure("instance_hours", InstanceHours, "instance-hours billed", |run, _| {
        Sample::Value(run.billed_hours)
    }),
    figure("warm_hours", InstanceHours, "instance-hours warm, at their fraction of the price", |run, _| {
        Sample::Value(run.integrals.warm / 3600.0)
    }),
    figure(
        COST,
        Currency,
        "price of the instance-hours billed, of those warm and of node-hours",
        |run, _| Sample::Value(run.cost),
    ),
    figure("warm_cost", Currency, "price of the instance-hours warm, part of the cost", |run, _| {
        Sample::Value(run.by_type.iter().map(|share| share.warm_cost).sum())
    }),
    figure("node_hours", InstanceHours, "hours of nodes", |run, _| {
        Sample::Value(run.by_type.iter().map(|share| share.node_hours).sum())
    }),
    figure("node_cost", Currency, "price of the node-hours, part of the cost", |run, _| {
        Sample::Value(run.by_type.iter().map(|share| share.node_cost).sum())
    }),
    figure("cost_per_1000", Currency, "cost per thousand requests answered", |run, _| {
        Sample::ratio(run.cost * 1000.0, run.counts.served as f64)
    }),
    figure("cost_per_1000_within_slo", Currency, "cost per thousand requests answered within the SLO", {
        |run, slo| match slo {
            Some(_) => Sample::ratio(run.cost * 1000.0, run.good as f64),
            None => Sample::Missing,
        }
    }),
];

/// The figure a frontier is drawn over.
pub const COST: &str = "cost";
/// The latency figure a frontier is drawn against.
pub const SLO_LATENCY: &str = "slo_latency";
/// The share of requests that keeps the promise.
pub const SLO_ATTAINMENT: &str = "slo_attainment";

/// Mean latency of the requests answered that are not cold.
fn warm_mean(run: &Outcome, cold: &Digest) -> Option<f64> {
    let warm = run.latency.count().checked_sub(cold.count()).filter(|warm| *warm > 0)?;
    Some((run.latency.sum_s() - cold.sum_s()).max(0.0) / warm as f64)
}

/// The times that `slo_latency` is of.
pub(super) fn slo_times(slo: Option<Slo>) -> Times {
    match slo.map(|slo| slo.leading().0) {
        Some(Promised::Ttft) => Times::Ttft,
        Some(Promised::Tpot) => Times::Tpot,
        Some(Promised::Latency) | None => Times::Latency,
    }
}

/// The quantile that `slo_latency` is at.
pub(super) fn slo_quantile(slo: Option<Slo>) -> f64 {
    slo.map_or(0.99, |slo| slo.quantile())
}

/// Requests that have ended, and those that have missed the SLO without.
pub(super) fn ended(run: &Outcome) -> u64 {
    run.counts.arrived - run.counts.in_flight + run.overdue
}

/// So many of a run's tokens a second.
fn tokens(run: &Outcome, of: fn(&TokenOutcome) -> f64) -> Sample {
    run.tokens.as_ref().map_or(Sample::Missing, |tokens| Sample::ratio(of(tokens), run.measured_s))
}

fn per_time(run: &Outcome, integral: f64) -> Sample {
    Sample::ratio(integral, run.measured_s).value().map_or(Sample::Missing, Sample::Value)
}

/// The one of `times` within which a share `quantile` of the requests that ended was answered; infinite if more were lost
/// than that allows, for a pool that turns its users away must not look fast. An answer of one token, which has no time
/// per further token, does not count there.
fn slo_latency(run: &Outcome, times: Times, quantile: f64) -> Option<f64> {
    let times = times.of(run)?;
    let timed = times.count() as f64;
    let ended = ended(run) as f64 - (run.counts.served as f64 - timed);
    if ended <= 0.0 {
        return None;
    }
    if timed == ended {
        return times.quantile(quantile);
    }
    let among_timed = quantile * ended / timed;
    if among_timed <= 1.0 { times.quantile(among_timed) } else { Some(f64::INFINITY) }
}

/// All figures of one run, in the order of [`FIGURES`]. The quantiles of the same times are read in one pass.
pub(super) fn samples(run: &Outcome, slo: Option<Slo>) -> Vec<Sample> {
    let follows = |one: &Figure, next: &Figure| match (one.source, next.source) {
        (Source::Quantile(times, q), Source::Quantile(next, higher)) => times == next && q < higher,
        _ => false,
    };
    let mut samples = Vec::with_capacity(FIGURES.len());
    for figures in FIGURES.chunk_by(follows) {
        let shares: Vec<f64> = figures.iter().filter_map(Figure::share).collect();
        match figures[0].source {
            Source::Quantile(times, _) => {
                let found = times.of(run).and_then(|times| times.quantiles(&shares));
                samples.extend(
                    (0..shares.len()).map(|index| Sample::maybe(found.as_ref().map(|found| found[index]))),
                );
            }
            _ => samples.extend(figures.iter().map(|figure| figure.of(run, slo))),
        }
    }
    samples
}

impl Figure {
    /// The share that a quantile is at.
    fn share(&self) -> Option<f64> {
        match self.source {
            Source::Quantile(_, q) => Some(q),
            _ => None,
        }
    }

    /// The figure in one run.
    fn of(&self, run: &Outcome, slo: Option<Slo>) -> Sample {
        match self.source {
            Source::Run(of) => of(run, slo),
            Source::Mean(times) => Sample::maybe(times.of(run).and_then(Digest::mean)),
            Source::Longest(times) => Sample::maybe(times.of(run).and_then(Digest::max)),
            Source::Quantile(times, q) => Sample::maybe(times.of(run).and_then(|times| times.quantile(q))),
            Source::SloLatency => Sample::maybe(slo_latency(run, slo_times(slo), slo_quantile(slo))),
        }
    }

    pub(super) fn source(&self) -> Source {
        self.source
    }

    /// Whether it is one of a priority class, which runs that do not tell classes apart lack.
    pub fn is_of_a_class(&self) -> bool {
        match self.source {
            Source::Mean(times) | Source::Longest(times) | Source::Quantile(times, _) => {
                matches!(times, Times::LatencyOf(_) | Times::WaitOf(_))
            }
            Source::Run(_) | Source::SloLatency => false,
        }
    }
}

/// All figures over the replications of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// In the order of [`FIGURES`].
    all: Vec<Estimate>,
    types: Vec<OfType>,
}

impl Figures {
    /// Takes an estimate of each figure, in their order, and the figures of each type of instance.
    pub(super) fn new(all: Vec<Estimate>, types: Vec<OfType>) -> Figures {
        Figures { all, types }
    }

    /// The figures of each type of instance; none where all are alike.
    pub fn types(&self) -> &[OfType] {
        &self.types
    }

    /// The figure called `name`; one without a mean if there is none of that name.
    pub fn get(&self, name: &str) -> Estimate {
        self.iter().find(|(figure, _)| figure.name == name).map(|(_, estimate)| estimate).unwrap_or_default()
    }

    /// Every figure with its estimate.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Figure, Estimate)> {
        FIGURES.iter().zip(self.all.iter().copied())
    }
}

/// As tables: `latency.p99` becomes the key `p99` of `latency`; the types of instance, where there are several, under
/// `by_type`.
impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let told =
            |(figure, estimate): &(&Figure, Estimate)| !figure.is_of_a_class() || estimate.replications > 0;
        let all: Vec<_> = self.iter().filter(told).collect();
        for group in all.chunk_by(|(one, _), (next, _)| table(one).is_some() && table(one) == table(next)) {
            let (first, estimate) = group[0];
            match table(first) {
                None => map.serialize_entry(first.name, &estimate)?,
                Some(name) => map.serialize_entry(name, &Nested(group))?,
            }
        }
        if !self.types.is_empty() {
            map.serialize_entry("by_type", &ByName(&self.types))?;
        }
        map.end()
    }
}

struct Nested<'a>(&'a [(&'static Figure, Estimate)]);

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = |figure: &Figure| figure.name.split_once('.').map_or(figure.name, |(_, key)| key);
        serializer.collect_map(self.0.iter().map(|(figure, estimate)| (key(figure), estimate)))
    }
}

fn table(figure: &Figure) -> Option<&'static str> {
    figure.name.split_once('.').map(|(table, _)| table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    /// Requests answered after 1, 2, … seconds, and some that were not.
    fn latency(served: u64, rejected: u64, quantile: f64) -> Option<f64> {
        let mut latency = Digest::new(Span::from_secs(1000));
        (1..=served).for_each(|seconds| latency.record(seconds * 1_000_000_000));
        let run = Outcome {
            queue_overflow: None,
            measured_s: 1.0,
            counts: crate::sim::Counts { arrived: served + rejected, served, rejected, ..Default::default() },
            wait: latency.clone(),
            latency,
            classes: None,
            tokens: None,
            good: 0,
            overdue: 0,
            integrals: crate::sim::Integrals::default(),
            slots: 1,
            peak_waiting: 0,
            peak_ready: 1,
            started: 1,
            warm_starts: 0,
            billed_hours: 1.0,
            cost: 1.0,
            by_type: Vec::new(),
            cold: None,
            sending: crate::sim::Sending::default(),
            failure_counts: crate::sim::FailureCounts::default(),
            actions: crate::sim::Actions::default(),
            below_slo_s: 0.0,
            timeline: Vec::new(),
            decisions: Vec::new(),
        };
        slo_latency(&run, Times::Latency, quantile)
    }

    #[test]
    fn requests_lost_count_as_never_answered() {
        let near = |found: Option<f64>, exact: f64| {
            let found = found.unwrap();
            assert!((found - exact).abs() <= exact * 1e-3, "{found} for {exact}");
        };
        near(latency(100, 0, 0.9), 90.0);
        // 90 of 100 is all that were answered: the 90th took 90 s.
        near(latency(90, 10, 0.9), 90.0);
        near(latency(90, 10, 0.45), 45.0);
        assert_eq!(latency(89, 11, 0.9), Some(f64::INFINITY));
        assert_eq!(latency(0, 5, 0.9), Some(f64::INFINITY));
        assert_eq!(latency(0, 0, 0.9), None);
    }

    #[test]
    fn names_are_given_once_and_tables_of_names_stand_together() {
        let names: std::collections::BTreeSet<&str> = FIGURES.iter().map(|figure| figure.name).collect();
        assert_eq!(names.len(), FIGURES.len());
        let json = serde_json::to_value(crate::experiment::Replications::default().figures()).unwrap();
        // Those of priority classes are there only where classes are told apart.
        for figure in FIGURES.iter().filter(|figure| !figure.is_of_a_class()) {
            let pointer = format!("/{}", figure.name.replace('.', "/"));
            assert!(json.pointer(&pointer).is_some_and(|value| value.get("mean").is_some()), "{pointer}");
        }
    }
}
