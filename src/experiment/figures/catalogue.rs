//! Every figure of a run as a whole, in the order they are reported: its name, its unit, what it means, and where it comes from.

use super::Unit::{Count, Currency, InstanceHours, Instances, PerSecond, Requests, Seconds, Share};
use super::figure::{Source, Times, ended, with_unanswered};
use super::{COST, FIGURES, Figure, SLO_ATTAINMENT, SLO_LATENCY, SLO_LATENCY_OF_RUN, Sample, Unit};
use crate::sim::{Class, Outcome, Slo, TokenOutcome};
use crate::stats::Digest;

pub(super) const fn figure(
    name: &'static str,
    unit: Unit,
    doc: &'static str,
    of: fn(&Outcome, Option<Slo>) -> Sample,
) -> Figure {
    Figure { name, unit, doc, source: Source::Run(of) }
}

pub(super) const fn quantile(name: &'static str, doc: &'static str, times: Times, q: f64) -> Figure {
    Figure { name, unit: Seconds, doc, source: Source::Quantile(times, q) }
}

pub(super) const fn mean(name: &'static str, doc: &'static str, times: Times) -> Figure {
    Figure { name, unit: Seconds, doc, source: Source::Mean(times) }
}

const fn longest(name: &'static str, doc: &'static str, times: Times) -> Figure {
    Figure { name, unit: Seconds, doc, source: Source::Longest(times) }
}

const HIGH: Times = Times::LatencyOf(Class::High);
const LOW: Times = Times::LatencyOf(Class::Low);
const HIGH_WAIT: Times = Times::WaitOf(Class::High);
const LOW_WAIT: Times = Times::WaitOf(Class::Low);

/// Those of a run as a whole.
pub(super) const OF_RUNS: &[Figure] = &[
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
    mean(
        "send_delay.mean",
        "mean time that requests waited at the client for others outstanding, before they were sent",
        Times::SendDelay,
    ),
    quantile("send_delay.p99", "99th percentile of that time", Times::SendDelay, 0.99),
    mean(
        "latency_as_meant.mean",
        "mean latency from when a request was meant to be sent",
        Times::LatencyAsMeant,
    ),
    quantile("latency_as_meant.p50", "median of that latency", Times::LatencyAsMeant, 0.5),
    quantile("latency_as_meant.p99", "99th percentile of that latency", Times::LatencyAsMeant, 0.99),
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
    Figure {
        name: SLO_LATENCY_OF_RUN,
        unit: Seconds,
        doc: "the same of one replication by itself: what one run of this length shows",
        source: Source::SloLatencyOfRun,
    },
    figure(SLO_ATTAINMENT, Share, "share of the requests ended that were answered within the SLO", {
        |run, slo| match slo {
            Some(_) => Sample::ratio(run.good as f64, ended(run) as f64),
            None => Sample::Missing,
        }
    }),
    figure("below_slo_s", Seconds, "time in windows that missed the SLO beyond chance", |run, slo| {
        Sample::maybe(slo.map(|_| run.below_slo_s))
    }),
    figure("arrived", Requests, "requests that arrived", |run, _| Sample::Value(run.counts.arrived as f64)),
    figure("served", Requests, "requests answered", |run, _| Sample::Value(run.counts.served as f64)),
    figure("rejected", Requests, "requests rejected by a full queue", |run, _| {
        Sample::Value(run.counts.rejected as f64)
    }),
    figure("timed_out", Requests, "requests that timed out", |run, _| {
        Sample::Value(run.counts.timed_out as f64)
    }),
    figure("failed", Requests, "requests lost with their instance", |run, _| {
        Sample::Value(run.counts.failed as f64)
    }),
    figure("retried", Count, "retries", |run, _| Sample::Value(run.sending.retried as f64)),
    figure("hedged", Count, "hedges: second copies sent while the first was unanswered", |run, _| {
        Sample::Value(run.sending.hedged as f64)
    }),
    figure("wasted", Share, "share of the service time spent on requests that were abandoned", |run, _| {
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
    figure("preemptions", Count, "sequences preempted by a full KV cache and computed again", |run, _| {
        Sample::maybe(run.tokens.as_ref().map(|tokens| tokens.preemptions as f64))
    }),
    figure(
        "prefix_hit",
        Share,
        "tokens of the prompts begun that prefix caches had, as a share of their tokens",
        |run, _| match &run.tokens {
            Some(tokens) if tokens.prefix.1 > 0 => {
                Sample::ratio(tokens.prefix.0 as f64, tokens.prefix.1 as f64)
            }
            _ => Sample::Missing,
        },
    ),
    figure(
        "kv_cache.mean",
        Share,
        "mean use of the KV cache of ready instances, sampled at the ends of windows",
        |run, _| kv_cache(run),
    ),
    figure(
        "kv_cache.peak",
        Share,
        "maximum use of the KV cache of ready instances at the end of a window",
        |run, _| Sample::maybe(run.tokens.as_ref().map(|tokens| tokens.kv_cache_peak)),
    ),
    figure(
        "sustainable_share",
        Share,
        "requests that arrived, as a share of what the ready instances can answer at most (service kind \"llm\", approximate)",
        |run, _| sustainable_share(run),
    ),
    figure("mean_queue", Requests, "time-average of requests waiting", |run, _| {
        per_time(run, run.integrals.waiting)
    }),
    figure("peak_queue", Requests, "maximum of the requests waiting at a time", |run, _| {
        Sample::Value(run.peak_waiting as f64)
    }),
    figure(
        "mean_in_flight",
        Requests,
        "time-average of requests that have arrived and not ended",
        |run, _| per_time(run, run.integrals.in_flight),
    ),
    figure("mean_ready", Instances, "time-average of ready instances", |run, _| {
        per_time(run, run.integrals.ready)
    }),
    figure("peak_ready", Instances, "maximum of the instances ready", |run, _| {
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
    figure("starts", Count, "cold starts of instances", |run, _| Sample::Value(run.started as f64)),
    figure("refused_starts", Count, "starts refused for lack of capacity, each attempt", |run, _| {
        Sample::Value(run.failure_counts.refused_starts as f64)
    }),
    figure("failed_starts", Count, "starts that failed, each attempt", |run, _| {
        Sample::Value(run.failure_counts.failed_starts as f64)
    }),
    figure("instance_failures", Count, "instances that failed", |run, _| {
        Sample::Value(run.failure_counts.failures as f64)
    }),
    figure("interruptions", Count, "instances interrupted with notice", |run, _| {
        Sample::Value(run.failure_counts.interruptions as f64)
    }),
    figure("node_failures", Count, "nodes that failed", |run, _| {
        Sample::Value(run.failure_counts.node_failures as f64)
    }),
    figure("scale_ups", Count, "decisions that raised the desired instances", |run, _| {
        Sample::Value(run.actions.up as f64)
    }),
    figure("scale_downs", Count, "decisions that lowered the desired instances", |run, _| {
        Sample::Value(run.actions.down as f64)
    }),
    figure(
        "flaps",
        Count,
        "decisions that reversed one in the other direction of the last five minutes",
        |run, _| Sample::Value(run.actions.flaps as f64),
    ),
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
    figure("cost_per_month", Currency, "the cost, at the same rate, of a month of 730 hours", |run, _| {
        per_time(run, run.cost * 730.0 * 3600.0)
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
    figure("goodput", PerSecond, "requests answered within the SLO, per second", |run, slo| match slo {
        Some(_) => per_time(run, run.good as f64),
        None => Sample::Missing,
    }),
    figure("goodput_per_cost", Requests, "requests answered within the SLO for one unit of the currency", {
        |run, slo| match slo {
            Some(_) => Sample::ratio(run.good as f64, run.cost),
            None => Sample::Missing,
        }
    }),
    figure(
        "cost_per_million_prompt_tokens",
        Currency,
        "the whole cost per million prompt tokens answered",
        |run, _| per_million(run, |tokens| tokens.prompt as f64),
    ),
    figure("cost_per_million_output_tokens", Currency, "the whole cost per million output tokens", {
        |run, _| per_million(run, |tokens| tokens.output as f64)
    }),
    figure("cost_per_million_tokens", Currency, "cost per million tokens, of prompts and of answers", {
        |run, _| per_million(run, |tokens| (tokens.prompt + tokens.output) as f64)
    }),
];

pub(super) fn sustainable_share(run: &Outcome) -> Sample {
    match run.tokens.as_ref().and_then(|tokens| tokens.sustainable_per_s) {
        Some(rate) => Sample::ratio(run.counts.arrived as f64, run.integrals.ready * rate),
        None => Sample::Missing,
    }
}

pub(super) fn kv_cache(run: &Outcome) -> Sample {
    match &run.tokens {
        Some(tokens) => Sample::ratio(tokens.kv_cache.0, tokens.kv_cache.1 as f64),
        None => Sample::Missing,
    }
}

/// Mean latency of the requests answered that are not cold.
fn warm_mean(run: &Outcome, cold: &Digest) -> Option<f64> {
    let warm = run.latency.count().checked_sub(cold.count()).filter(|warm| *warm > 0)?;
    Some((run.latency.sum_s() - cold.sum_s()).max(0.0) / warm as f64)
}

/// The cost of a million of a run's tokens.
fn per_million(run: &Outcome, of: fn(&TokenOutcome) -> f64) -> Sample {
    run.tokens.as_ref().map_or(Sample::Missing, |tokens| Sample::ratio(run.cost * 1e6, of(tokens)))
}

/// So many of a run's tokens a second.
fn tokens(run: &Outcome, of: fn(&TokenOutcome) -> f64) -> Sample {
    run.tokens.as_ref().map_or(Sample::Missing, |tokens| Sample::ratio(of(tokens), run.measured_s))
}

pub(super) fn per_time(run: &Outcome, integral: f64) -> Sample {
    Sample::ratio(integral, run.measured_s).value().map_or(Sample::Missing, Sample::Value)
}

/// All figures of one run, in the order of [`FIGURES`]. The quantiles of the same times are read in one pass.
pub(in crate::experiment) fn samples(run: &Outcome, slo: Option<Slo>) -> Vec<Sample> {
    let follows = |one: &Figure, next: &Figure| match (one.source, next.source) {
        (Source::Quantile(times, q), Source::Quantile(next, higher)) => times == next && q < higher,
        _ => false,
    };
    let mut samples = Vec::with_capacity(FIGURES.len());
    for figures in FIGURES.chunk_by(follows) {
        let shares: Vec<f64> = figures.iter().filter_map(Figure::share).collect();
        match figures[0].source {
            Source::Quantile(times, _) => {
                let found = with_unanswered(times, run).and_then(|times| times.quantiles(&shares));
                samples.extend(
                    (0..shares.len()).map(|index| Sample::maybe(found.as_ref().map(|found| found[index]))),
                );
            }
            _ => samples.extend(figures.iter().map(|figure| figure.of(run, slo))),
        }
    }
    samples
}
