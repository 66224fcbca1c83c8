//! Single runs of settings as a page shows them beside the figures: the timeline in as many windows as a screen has room for,
//! scaling events with their reasons, and latencies by percentile.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::chart::{Distribution, LatencySeries, ShownRun};
use super::data::window_column;
use crate::experiment::SeenRun;
use crate::scenario::Scenario;
use crate::sim::{DecisionRecord, PoolName, Window};

/// Windows of all runs of a report together: beyond, a page would be slow to open.
const MOST_WINDOWS: usize = 6000;

/// Windows of one run, at most: as many as a wide screen can tell apart.
const MOST_WINDOWS_OF_ONE: usize = 1000;

/// Windows that a run is shown in at least, however many runs there are.
const LEAST_WINDOWS_OF_ONE: usize = 150;

/// One run of a setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    /// Place of its setting among the points of a sweep, or the alternatives of a run.
    pub point: usize,
    /// What was run.
    pub title: String,
    /// Length of the run in seconds.
    pub duration_s: f64,
    /// Its windows, neighbours taken together where they are too many.
    pub windows: Windows,
    /// The decisions that changed the number of instances.
    pub events: Vec<Event>,
    /// Latency and wait by percentile.
    pub distribution: Vec<LatencySeries>,
}

/// A decision that changed the number of instances: seconds from the start, instances before and after, why, and of which pool,
/// where there are two.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event(f64, u32, u32, String, #[serde(skip_serializing_if = "Option::is_none")] Option<PoolName>);

/// Windows of a timeline, written column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows(Vec<Window>);

/// The looks at some runs: place, title, scenario and run of each.
pub fn looks(seen: Vec<(usize, String, &Scenario, &SeenRun)>) -> Vec<Look> {
    let each = MOST_WINDOWS / seen.len().max(1);
    let limit = each.clamp(LEAST_WINDOWS_OF_ONE, MOST_WINDOWS_OF_ONE);
    let look = |(point, title, scenario, seen): (usize, String, &Scenario, &SeenRun)| Look {
        point,
        duration_s: scenario.model.duration.as_secs_f64(),
        windows: Windows(thinned(&seen.outcome.timeline, limit)),
        events: seen.changes.iter().map(event).collect(),
        distribution: Distribution::of_run(ShownRun { scenario, title: &title, outcome: &seen.outcome })
            .series,
        title,
    };
    seen.into_iter().map(look).collect()
}

fn event(record: &DecisionRecord) -> Event {
    let reason = record.explanation.reason.clone();
    Event(record.at.as_secs_f64(), record.before, record.desired, reason, record.pool)
}

/// At most `limit` windows: neighbours are taken together, the same number of them everywhere.
fn thinned(windows: &[Window], limit: usize) -> Vec<Window> {
    windows.chunks(windows.len().div_ceil(limit).max(1)).filter_map(together).collect()
}

/// Windows that follow each other as one: sums of requests, averages over time, the worst p99, the levels at its end.
fn together(windows: &[Window]) -> Option<Window> {
    let last = windows.last()?;
    let length_s: f64 = windows.iter().map(|window| window.length_s).sum();
    let sum = |of: fn(&Window) -> u64| windows.iter().map(of).sum::<u64>();
    let average = |of: fn(&Window) -> f64| {
        windows.iter().map(|window| of(window) * window.length_s).sum::<f64>() / length_s
    };
    // Of the windows that have one, each by the requests that it was measured on.
    let weighted = |of: fn(&Window) -> Option<f64>, weight: fn(&Window) -> f64| {
        let known = windows.iter().filter_map(|window| Some((of(window)?, weight(window))));
        let (total, weights) =
            known.fold((0.0, 0.0), |(total, all), (value, weight)| (total + value * weight, all + weight));
        (weights > 0.0).then(|| total / weights)
    };
    let served = |window: &Window| window.served as f64;
    let range = |of: fn(&Window) -> (u32, u32)| {
        let ends = windows.iter().map(of);
        ends.reduce(|(low, high), (least, most)| (low.min(least), high.max(most))).unwrap_or_default()
    };
    Some(Window {
        end_s: last.end_s,
        length_s,
        arrived: sum(|window| window.arrived),
        served: sum(|window| window.served),
        lost: sum(|window| window.lost),
        good: sum(|window| window.good),
        overdue: last.overdue,
        latency_mean_s: weighted(|window| window.latency_mean_s, served),
        latency_p50_s: weighted(|window| window.latency_p50_s, served),
        latency_p99_s: windows.iter().filter_map(|window| window.latency_p99_s).reduce(f64::max),
        ttft_mean_s: weighted(|window| window.ttft_mean_s, served),
        tpot_mean_s: weighted(|window| window.tpot_mean_s, served),
        promised_s: windows.iter().filter_map(|window| window.promised_s).reduce(f64::max),
        burn_rate: windows.iter().filter_map(|window| window.burn_rate).reduce(f64::max),
        waiting: average(|window| window.waiting),
        in_flight: average(|window| window.in_flight),
        utilization: weighted(|window| window.utilization, |window| window.length_s),
        desired: last.desired,
        ready: last.ready,
        desired_range: range(|window| window.desired_range),
        ready_range: range(|window| window.ready_range),
        starting: last.starting,
        draining: last.draining,
        prefix_hit: weighted(|window| window.prefix_hit, served),
        kv_cache: last.kv_cache,
        transfers: [average(|window| window.transfers[0]), average(|window| window.transfers[1])],
        pools: pools_together(windows),
    })
}

/// The same of each of two pools, where there are two.
fn pools_together(windows: &[Window]) -> Option<Box<[Window; 2]>> {
    let of = |pool: PoolName| {
        let parts = windows.iter().map(|window| window.of_pool(pool).cloned());
        together(&parts.collect::<Option<Vec<_>>>()?)
    };
    Some(Box::new([of(PoolName::Prefill)?, of(PoolName::Decode)?]))
}

/// How a column of a page follows from a window; NaN where it has no value.
type Value = fn(&Window) -> f64;

/// The columns that a page draws, under the names of `timeline.csv`.
const COLUMNS: [(&str, Value); 14] = [
    ("time_s", |window| window.end_s),
    ("length_s", |window| window.length_s),
    ("arrived", |window| window.arrived as f64),
    ("served", |window| window.served as f64),
    ("lost", |window| window.lost as f64),
    ("good", |window| window.good as f64),
    ("latency_p50_s", |window| window.latency_p50_s.unwrap_or(f64::NAN)),
    ("latency_p99_s", |window| window.latency_p99_s.unwrap_or(f64::NAN)),
    ("promised_s", |window| window.promised_s.unwrap_or(f64::NAN)),
    ("burn_rate", |window| window.burn_rate.unwrap_or(f64::NAN)),
    ("waiting", |window| window.waiting),
    ("utilization", |window| window.utilization.unwrap_or(f64::NAN)),
    ("desired", |window| f64::from(window.desired)),
    ("ready", |window| f64::from(window.ready)),
];

/// The columns of two pools that a page draws, as `timeline.csv` has them.
const COLUMNS_OF_POOLS: [&str; 10] = [
    "prefill_desired",
    "prefill_ready",
    "prefill_waiting",
    "prefill_in_flight",
    "transfer_waiting",
    "transfer_under_way",
    "decode_desired",
    "decode_ready",
    "decode_waiting",
    "decode_in_flight",
];

impl Serialize for Windows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, of) in COLUMNS {
            map.serialize_entry(name, &Rounded::all(self.0.iter().map(of)))?;
        }
        let two_pools = self.0.first().is_some_and(|window| window.pools.is_some());
        for column in COLUMNS_OF_POOLS.into_iter().filter(|_| two_pools).filter_map(window_column) {
            let values = self.0.iter().map(|window| column.of(window).number());
            map.serialize_entry(column.name, &Rounded::all(values))?;
        }
        map.end()
    }
}

/// A number with as many digits as a page can show; NaN is written as null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounded(pub f64);

impl Rounded {
    /// Each of `values`, rounded.
    pub fn all(values: impl Iterator<Item = f64>) -> Vec<Rounded> {
        values.map(Rounded).collect()
    }
}

impl Serialize for Rounded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = self.0.fract() == 0.0 && self.0.abs() < 1e15;
        if whole {
            return serializer.serialize_i64(self.0 as i64);
        }
        // Rust reads back what it has written: there is no other outcome, and the number as it is would be right too.
        serializer.serialize_f64(format!("{:.4e}", self.0).parse().unwrap_or(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(end_s: f64, served: u64, p99: Option<f64>) -> Window {
        Window {
            end_s,
            length_s: 10.0,
            arrived: served,
            served,
            latency_p50_s: p99,
            latency_p99_s: p99,
            waiting: end_s,
            ready_range: (served as u32, served as u32 + 1),
            ..Window::default()
        }
    }

    #[test]
    fn windows_taken_together_keep_sums_and_the_worst() {
        let windows = [window(10.0, 1, Some(4.0)), window(20.0, 3, Some(8.0)), window(30.0, 0, None)];
        let thin = thinned(&windows, 1);
        assert_eq!(thin.len(), 1);
        assert_eq!((thin[0].end_s, thin[0].length_s, thin[0].served), (30.0, 30.0, 4));
        assert_eq!((thin[0].latency_p50_s, thin[0].latency_p99_s), (Some(7.0), Some(8.0)));
        assert_eq!((thin[0].waiting, thin[0].ready_range), (20.0, (0, 4)));
        assert_eq!(thinned(&windows, 3), windows);
        assert_eq!(thinned(&windows, 2).len(), 2);
        assert!(thinned(&[], 5).is_empty());
    }

    #[test]
    fn numbers_are_written_short_and_missing_ones_as_null() {
        let json =
            serde_json::to_string(&Rounded::all([0.1 + 0.2, 86400.0, f64::NAN, 1e-7, 1.0 / 3.0].into_iter()));
        assert_eq!(json.unwrap(), "[0.3,86400,null,1e-7,0.33333]");
    }
}
