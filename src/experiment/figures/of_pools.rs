//! The figures of two pools, each by itself, and of the way of the KV caches between them.

use super::Unit::{Count, Currency, InstanceHours, Instances, Requests, Share};
use super::catalogue::{figure, kv_cache, mean, per_time, quantile, sustainable_share};
use super::figure::{Source, Times};
use super::{Figure, Sample, Unit};
use crate::sim::{Outcome, PoolName};

/// Figures of one pool.
const OF_ONE: usize = 12;

/// The figures of a pool: its name in theirs, and what its times are. A macro, for a name is put together before the program runs.
macro_rules! of_pool {
    ($pool:expr, $name:literal, latency: $latency:literal, wait: $wait:literal) => {{
        const fn of(name: &'static str, unit: Unit, doc: &'static str, of: fn(&Outcome) -> Sample) -> Figure {
            Figure { name, unit, doc, source: Source::OfPool($pool, of) }
        }
        const FIGURES: [Figure; OF_ONE] = [
            mean(concat!($name, ".latency_mean"), concat!("mean time ", $latency), Times::LatencyIn($pool)),
            quantile(
                concat!($name, ".latency_p99"),
                "99th percentile of that time",
                Times::LatencyIn($pool),
                0.99,
            ),
            mean(concat!($name, ".wait_mean"), concat!("mean wait for ", $wait), Times::WaitIn($pool)),
            quantile(concat!($name, ".wait_p99"), "99th percentile of that wait", Times::WaitIn($pool), 0.99),
            of(
                concat!($name, ".mean_queue"),
                Requests,
                concat!("time-average of requests waiting in the ", $name, " pool"),
                |pool| per_time(pool, pool.integrals.waiting),
            ),
            of(
                concat!($name, ".utilization"),
                Share,
                concat!("busy share of the ready instances of the ", $name, " pool"),
                |pool| Sample::ratio(pool.integrals.work, pool.integrals.ready * f64::from(pool.slots)),
            ),
            of(
                concat!($name, ".sustainable_share"),
                Share,
                concat!(
                    "requests that came to the ",
                    $name,
                    " pool, as a share of what its ready instances can do at most (approximate)"
                ),
                sustainable_share,
            ),
            of(
                concat!($name, ".kv_cache"),
                Share,
                "mean use of the KV cache of its ready instances, at the ends of windows",
                kv_cache,
            ),
            of(
                concat!($name, ".mean_ready"),
                Instances,
                concat!("time-average of ready instances of the ", $name, " pool"),
                |pool| per_time(pool, pool.integrals.ready),
            ),
            of(
                concat!($name, ".peak_ready"),
                Instances,
                concat!("maximum of the ready instances of the ", $name, " pool"),
                |pool| Sample::Value(f64::from(pool.peak_ready)),
            ),
            of(
                concat!($name, ".instance_hours"),
                InstanceHours,
                concat!("instance-hours billed of the ", $name, " pool"),
                |pool| Sample::Value(pool.billed_hours),
            ),
            of(
                concat!($name, ".cost"),
                Currency,
                concat!("cost of the ", $name, " pool, part of the cost"),
                |pool| Sample::Value(pool.cost),
            ),
        ];
        FIGURES
    }};
}

const PREFILL: [Figure; OF_ONE] = of_pool!(
    PoolName::Prefill, "prefill",
    latency: "from arrival to the end of the prompt's computation",
    wait: "a prompt to begin"
);

const TRANSFER: [Figure; 7] = [
    mean("transfer.mean", "mean time of the transfer of a KV cache", Times::Transfer),
    quantile("transfer.p50", "median of that time", Times::Transfer, 0.5),
    quantile("transfer.p99", "99th percentile of that time", Times::Transfer, 0.99),
    mean("transfer.wait_mean", "mean wait of a KV cache for its transfer to begin", Times::TransferWait),
    quantile("transfer.wait_p99", "99th percentile of that wait", Times::TransferWait, 0.99),
    figure("transfer.mean_under_way", Count, "time-average of the transfers under way", |run, _| match &run
        .pools
    {
        Some(pools) => per_time(run, pools.transfer.under_way),
        None => Sample::Missing,
    }),
    figure(
        "transfer.gigabytes_per_s",
        Count,
        "gigabytes (10⁹ bytes) of KV caches transferred per second",
        |run, _| match &run.pools {
            Some(pools) => per_time(run, pools.transfer.bytes / 1e9),
            None => Sample::Missing,
        },
    ),
];

const DECODE: [Figure; OF_ONE] = of_pool!(
    PoolName::Decode, "decode",
    latency: "from the arrival of the KV cache to the last token",
    wait: "decoding to begin"
);

/// All of them, in the order of a request's way.
pub(super) const OF_POOLS: [Figure; 2 * OF_ONE + TRANSFER.len()] = {
    let mut all = [PREFILL[0]; 2 * OF_ONE + TRANSFER.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = match at {
            0..OF_ONE => PREFILL[at],
            _ if at < OF_ONE + TRANSFER.len() => TRANSFER[at - OF_ONE],
            _ => DECODE[at - OF_ONE - TRANSFER.len()],
        };
        at += 1;
    }
    all
};
