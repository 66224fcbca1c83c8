//! The columns of the timeline.

use super::field::Field;
use crate::experiment::Unit::{Instances, Requests, Seconds, Share};
use crate::sim::Window;

/// The columns of `timeline.csv`, each stated once: header, rows, documentation and the lines of the chart follow from it.
pub static WINDOW_COLUMNS: &[Field<Window>] = &[
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

/// The column of the timeline called `name`.
pub fn window_column(name: &str) -> Option<&'static Field<Window>> {
    WINDOW_COLUMNS.iter().find(|field| field.name == name)
}
