//! The columns of the timeline.

use super::field::{Field, Fields};
use crate::experiment::Unit::{Instances, Requests, Seconds, Share};
use crate::sim::{PoolName, Window};

/// The columns of `timeline.csv` for any run, each stated once: header, rows, documentation and the lines of the chart follow from it.
pub const WINDOW_COLUMNS: &[Field<Window>] = &[
    Field::number("time_s", Seconds, "end of the window, seconds from the start of the run", |window| {
        window.end_s
    }),
    Field::number("length_s", Seconds, "length of the window, seconds", |window| window.length_s),
    Field::count("arrived", Requests, "requests that arrived", |window| window.arrived),
    Field::count("served", Requests, "requests answered", |window| window.served),
    Field::count("lost", Requests, "requests rejected, timed out or failed", |window| window.lost),
    Field::count("good", Requests, "requests answered within the SLO", |window| window.good),
    Field::maybe(
        "latency_mean_s",
        Some(Seconds),
        "mean latency of the requests answered, seconds",
        |window| window.latency_mean_s,
    ),
    Field::maybe(
        "latency_p50_s",
        Some(Seconds),
        "median latency of the requests answered, seconds",
        |window| window.latency_p50_s,
    ),
    Field::maybe(
        "latency_p99_s",
        Some(Seconds),
        "99th percentile of the latency of the requests answered, seconds",
        |window| window.latency_p99_s,
    ),
    Field::maybe(
        "ttft_mean_s",
        Some(Seconds),
        "mean time to the first token of the answers that ended, seconds; empty where tokens are not counted",
        |window| window.ttft_mean_s,
    ),
    Field::maybe(
        "tpot_mean_s",
        Some(Seconds),
        "mean time of a further token of the answers that ended, seconds; empty where tokens are not counted",
        |window| window.tpot_mean_s,
    ),
    Field::maybe(
        "promised_s",
        Some(Seconds),
        "the time promised (to the first token, else per token, else the latency) at the SLO's percentile, seconds; empty without an SLO",
        |window| window.promised_s,
    ),
    Field::maybe(
        "burn_rate",
        None,
        "share of the requests that missed the SLO over the share that it allows: 1 uses up the error budget as fast as it is given; empty without such requests or an SLO",
        |window| window.burn_rate,
    ),
    Field::number("waiting", Requests, "requests waiting, averaged over the window", |window| window.waiting),
    Field::number(
        "in_flight",
        Requests,
        "requests waiting or in service, averaged over the window",
        |window| window.in_flight,
    ),
    Field::maybe(
        "utilization",
        Some(Share),
        "busy share of the capacity of ready instances, 0 to 1; empty while there is none",
        |window| window.utilization,
    ),
    Field::count("desired", Instances, "desired instances at the end", |window| window.desired.into()),
    Field::count("ready", Instances, "ready instances at the end", |window| window.ready.into()),
    Field::count(
        "starting",
        Instances,
        "instances starting, or waiting for capacity to start, at the end",
        |window| window.starting.into(),
    ),
    Field::count("draining", Instances, "draining instances at the end", |window| window.draining.into()),
    Field::count(
        "desired_least",
        Instances,
        "minimum of the desired instances within the window",
        |window| window.desired_range.0.into(),
    ),
    Field::count("desired_most", Instances, "maximum of the desired instances within the window", |window| {
        window.desired_range.1.into()
    }),
    Field::count("ready_least", Instances, "minimum of the ready instances within the window", |window| {
        window.ready_range.0.into()
    }),
    Field::count("ready_most", Instances, "maximum of the ready instances within the window", |window| {
        window.ready_range.1.into()
    }),
    Field::maybe(
        "prefix_hit",
        Some(Share),
        "share of the tokens of prompts begun that prefix caches had; empty without `service.prefix_cache`",
        |window| window.prefix_hit,
    ),
];

/// The columns of one of two pools, whose name theirs begin with. A macro, for a name is put together before the program runs.
macro_rules! of_pool {
    ($pool:expr, $name:literal, $arrived:literal) => {{
        fn share(window: &Window, of: fn(&Window) -> Option<f64>) -> Option<f64> {
            window.of_pool($pool).and_then(of)
        }
        fn mean(window: &Window, of: fn(&Window) -> f64) -> f64 {
            window.of_pool($pool).map_or(0.0, of)
        }
        fn count(window: &Window, of: fn(&Window) -> u32) -> u64 {
            window.of_pool($pool).map_or(0, of).into()
        }
        &[
            Field::count(concat!($name, "_arrived"), Requests, $arrived, |window| {
                window.of_pool($pool).map_or(0, |pool| pool.arrived)
            }),
            Field::number(
                concat!($name, "_waiting"),
                Requests,
                concat!("requests waiting in the ", $name, " pool, averaged over the window"),
                |window| mean(window, |pool| pool.waiting),
            ),
            Field::number(
                concat!($name, "_in_flight"),
                Requests,
                concat!("requests waiting or in service in the ", $name, " pool, averaged over the window"),
                |window| mean(window, |pool| pool.in_flight),
            ),
            Field::maybe(
                concat!($name, "_utilization"),
                Some(Share),
                "busy share of the capacity of its ready instances; empty while there is none",
                |window| share(window, |pool| pool.utilization),
            ),
            Field::number(
                concat!($name, "_kv_cache"),
                Share,
                "mean use of the KV cache of its ready instances, at the end",
                |window| mean(window, |pool| pool.kv_cache),
            ),
            Field::count(
                concat!($name, "_desired"),
                Instances,
                concat!("desired instances of the ", $name, " pool at the end"),
                |window| count(window, |pool| pool.desired),
            ),
            Field::count(
                concat!($name, "_ready"),
                Instances,
                concat!("ready instances of the ", $name, " pool at the end"),
                |window| count(window, |pool| pool.ready),
            ),
            Field::count(
                concat!($name, "_starting"),
                Instances,
                "its instances starting, or waiting for capacity to start, at the end",
                |window| count(window, |pool| pool.starting),
            ),
            Field::count(
                concat!($name, "_draining"),
                Instances,
                "its draining instances at the end",
                |window| count(window, |pool| pool.draining),
            ),
            Field::count(
                concat!($name, "_desired_least"),
                Instances,
                "minimum of its desired instances within the window",
                |window| count(window, |pool| pool.desired_range.0),
            ),
            Field::count(
                concat!($name, "_desired_most"),
                Instances,
                "maximum of its desired instances within the window",
                |window| count(window, |pool| pool.desired_range.1),
            ),
            Field::count(
                concat!($name, "_ready_least"),
                Instances,
                "minimum of its ready instances within the window",
                |window| count(window, |pool| pool.ready_range.0),
            ),
            Field::count(
                concat!($name, "_ready_most"),
                Instances,
                "maximum of its ready instances within the window",
                |window| count(window, |pool| pool.ready_range.1),
            ),
        ]
    }};
}

const PREFILL_COLUMNS: &[Field<Window>] =
    of_pool!(PoolName::Prefill, "prefill", "requests that came to the prefill pool");

const TRANSFER_COLUMNS: &[Field<Window>] = &[
    Field::number(
        "transfer_waiting",
        Requests,
        "KV caches that wait for their transfer from pool to pool, averaged over the window",
        |window| window.transfers[0],
    ),
    Field::number(
        "transfer_under_way",
        Requests,
        "transfers under way, averaged over the window",
        |window| window.transfers[1],
    ),
];

const DECODE_COLUMNS: &[Field<Window>] =
    of_pool!(PoolName::Decode, "decode", "KV caches that came to the decode pool");

/// The columns of a timeline, of one pool or of two.
pub fn window_fields(two_pools: bool) -> Fields<Window> {
    if two_pools {
        &[WINDOW_COLUMNS, PREFILL_COLUMNS, TRANSFER_COLUMNS, DECODE_COLUMNS]
    } else {
        &[WINDOW_COLUMNS]
    }
}

/// The column of the timeline called `name`.
pub fn window_column(name: &str) -> Option<&'static Field<Window>> {
    window_fields(true).iter().copied().flatten().find(|field| field.name == name)
}
