//! Statistics of recorded traffic: how much, how bursty, when in the day and the week, and what requests asked for.
//!
//! Definitions: the rate is the number of rows over the time from the first to the last; the CV is that of the times between
//! them; the index of dispersion of a window is the variance over the mean of the counts in windows of that length, whole ones
//! only, aligned to the first row (1 for Poisson arrivals at any length); percentiles are interpolated linearly between ranks.

mod counts;
mod profile;
#[cfg(test)]
mod tests;

use serde::Serialize;

use counts::{Bins, dispersion, peak, peak_of_instants};
pub use profile::Profile;

use super::moment;
use super::packed::{Cursor, Packed, sorted};
use super::recording::{Recorded, Requests, Series};

/// Windows of which peaks are given, seconds.
const PEAKS_S: [f64; 3] = [1.0, 60.0, 3600.0];

/// Windows of which dispersions are given, seconds.
const WINDOWS_S: [f64; 8] = [0.1, 1.0, 10.0, 60.0, 300.0, 600.0, 3600.0, 21_600.0];

/// Windows of one length of which a variance means something.
const WINDOWS_LEAST: usize = 10;

/// Windows of one length that are gone through at most.
const WINDOWS_MOST: f64 = 1e7;

/// Statistics of recorded traffic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Rows, for requests; requests in all intervals, for numbers per interval.
    pub requests: f64,
    /// From the first instant to the last; for numbers per interval, to the end of the last.
    pub span_s: f64,
    /// The first instant, as a date where it is one.
    pub first: String,
    /// The last instant.
    pub last: String,
    /// Requests per second.
    pub mean_rate: f64,
    /// The busiest windows.
    pub peaks: Vec<Peak>,
    /// Coefficient of variation of the times between requests; `None` for numbers per interval.
    pub interarrival_cv: Option<f64>,
    /// Requests at the same instant as the one before.
    pub same_instant: Option<u64>,
    /// Index of dispersion against the length of the window.
    pub dispersion: Vec<Dispersion>,
    /// Mean rates by hour of the day and day of the week, where the file covers them.
    pub profile: Profile,
    /// The longest times without a request, or intervals without a value, longest first.
    pub gaps: Vec<Gap>,
    /// Tokens of prompts.
    pub prompt_tokens: Option<Spread>,
    /// Tokens of answers.
    pub output_tokens: Option<Spread>,
    /// How long requests took, seconds.
    pub duration_s: Option<Spread>,
}

/// The busiest window of one length.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Peak {
    /// Length of the window, seconds.
    pub window_s: f64,
    /// Requests per second in it.
    pub rate: f64,
    /// Its start.
    pub at: String,
}

/// The index of dispersion at one length of window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dispersion {
    /// Length of the window, seconds.
    pub window_s: f64,
    /// Variance over mean of the counts.
    pub index: f64,
    /// Windows it is of.
    pub windows: usize,
}

/// A time without requests, or without values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gap {
    /// Its length, seconds.
    pub seconds: f64,
    /// Its start.
    pub from: String,
}

/// How values are spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Number of values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their coefficient of variation.
    pub cv: f64,
    /// The median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of the values of a column, in so many of a unit; `None` if there are none.
    fn of_column(column: &Packed, per_unit: f64) -> Option<Spread> {
        let [values] = sorted(std::array::from_ref(column), 0);
        let value = |value: u64| value as f64 / per_unit;
        let max = value(values.last()?);
        let (mean, variance) = moments(values.iter().map(value));
        let mut cursor = Cursor::default();
        let mut at = |share: f64| {
            let rank = share * (values.len() - 1) as f64;
            let (low, part) = (rank.floor() as usize, rank.fract());
            let high = value(cursor.get(&values, (low + 1).min(values.len() - 1)));
            let low = value(cursor.get(&values, low));
            low + part * (high - low)
        };
        Some(Spread {
            count: values.len(),
            mean,
            cv: if mean > 0.0 { variance.sqrt() / mean } else { 0.0 },
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max,
        })
    }
}

/// Mean and variance over all values.
pub(super) fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let apart = value - mean;
        mean += apart / count;
        squares += apart * (value - mean);
    }
    if count == 0.0 { (0.0, 0.0) } else { (mean, squares / count) }
}

/// The statistics of what a file holds.
pub fn measure(recorded: &Recorded) -> Measured {
    match recorded {
        Recorded::Requests(requests) => of_requests(requests),
        Recorded::Series(series) => of_series(series),
    }
}

fn at(origin: Option<i64>, nanos: u64) -> String {
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    moment::shown(origin.unwrap_or(0).saturating_add(nanos), origin.is_some())
}

fn of_requests(requests: &Requests) -> Measured {
    let (instants, origin) = (&requests.trace.instants, requests.origin);
    let last = instants.last().unwrap_or(0);
    let span_s = last as f64 / 1e9;
    let between = || instants.pairs().map(|(one, other)| (other - one) as f64 / 1e9);
    let (mean, variance) = moments(between());
    let bins = |window_s: f64| Bins::of_instants(instants, window_s);
    // The three longest, the earlier of equal ones first.
    let mut gaps: Vec<(u64, u64)> = Vec::new();
    let mut same_instant = 0;
    for (one, other) in instants.pairs() {
        let length = other - one;
        same_instant += u64::from(length == 0);
        let at = gaps.partition_point(|(known, _)| *known >= length);
        if at < 3 {
            gaps.insert(at, (length, one));
            gaps.truncate(3);
        }
    }
    let notable = gaps.iter().filter(|(length, _)| *length as f64 / 1e9 > 10.0 * mean.max(0.1));
    Measured {
        requests: instants.len() as f64,
        span_s,
        first: at(origin, 0),
        last: at(origin, last),
        mean_rate: if span_s > 0.0 { instants.len() as f64 / span_s } else { 0.0 },
        peaks: PEAKS_S
            .iter()
            .filter(|window_s| span_s >= **window_s)
            .filter_map(|window_s| peak_of_instants(instants, *window_s, origin))
            .collect(),
        interarrival_cv: (mean > 0.0).then(|| variance.sqrt() / mean),
        same_instant: Some(same_instant),
        dispersion: WINDOWS_S
            .iter()
            .filter(|window_s| (WINDOWS_LEAST as f64..=WINDOWS_MOST).contains(&(span_s / **window_s)))
            .filter_map(|window_s| dispersion(&bins(*window_s), WINDOWS_LEAST))
            .collect(),
        profile: Profile::of(
            origin,
            span_s,
            &bins(3600.0),
            &bins(if span_s / 60.0 > WINDOWS_MOST { 3600.0 } else { 60.0 }),
        ),
        gaps: notable
            .map(|(length, from)| Gap { seconds: *length as f64 / 1e9, from: at(origin, *from) })
            .collect(),
        prompt_tokens: Spread::of_column(&requests.trace.prompt_tokens, 1.0),
        output_tokens: Spread::of_column(&requests.trace.output_tokens, 1.0),
        duration_s: Spread::of_column(requests.durations(), 1e9),
    }
}

fn of_series(series: &Series) -> Measured {
    let interval_s = series.interval.as_secs_f64();
    let (origin, counts) = (series.origin, &series.counts);
    let known = || counts.iter().filter(|count| !count.is_nan());
    let requests: f64 = known().sum();
    let known_s = known().count() as f64 * interval_s;
    let start = |row: usize| at(origin, (row as u64).saturating_mul(series.interval.as_nanos()));
    let bins = |window_s: f64| Bins::of_counts(counts, interval_s, window_s);
    let mut gaps = Vec::new();
    let mut row = 0;
    for run in counts.chunk_by(|one, other| one.is_nan() == other.is_nan()) {
        if run[0].is_nan() {
            gaps.push(Gap { seconds: run.len() as f64 * interval_s, from: start(row) });
        }
        row += run.len();
    }
    gaps.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    gaps.truncate(3);
    let mut windows: Vec<f64> = WINDOWS_S.iter().copied().filter(|window_s| *window_s > interval_s).collect();
    windows.insert(0, interval_s);
    let mut peaks_at: Vec<f64> = PEAKS_S.iter().copied().filter(|window_s| *window_s > interval_s).collect();
    peaks_at.insert(0, interval_s);
    let span_s = counts.len() as f64 * interval_s;
    Measured {
        requests,
        span_s,
        first: start(0),
        last: start(counts.len().saturating_sub(1)),
        mean_rate: if known_s > 0.0 { requests / known_s } else { 0.0 },
        peaks: peaks_at
            .iter()
            .filter(|window_s| span_s >= **window_s)
            .filter_map(|window_s| peak(&bins(*window_s)?, origin))
            .collect(),
        interarrival_cv: None,
        same_instant: None,
        dispersion: windows
            .iter()
            .filter(|window_s| span_s / **window_s >= WINDOWS_LEAST as f64)
            .filter_map(|window_s| dispersion(&bins(*window_s)?, WINDOWS_LEAST))
            .collect(),
        profile: match (bins(3600.0), bins(interval_s)) {
            (Some(hours), Some(own)) => Profile::of(origin, span_s, &hours, &own),
            _ => Profile::default(),
        },
        gaps,
        prompt_tokens: None,
        output_tokens: None,
        duration_s: None,
    }
}

/// Requests per second over time, in at most `points` windows of equal length, as (start in seconds, rate); NaN where the file
/// has no values.
pub fn rate_over_time(recorded: &Recorded, points: usize) -> Vec<(f64, f64)> {
    let points = points.max(1);
    let nice = |least: f64| {
        let steps = [
            1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 21_600.0,
            86_400.0,
        ];
        steps.into_iter().find(|step| *step >= least).unwrap_or(least)
    };
    let bins = match recorded {
        Recorded::Requests(requests) => {
            let span_s = requests.trace.instants.last().unwrap_or(0) as f64 / 1e9;
            Some(Bins::of_instants(&requests.trace.instants, nice(span_s / points as f64)))
        }
        Recorded::Series(series) => {
            let interval_s = series.interval.as_secs_f64();
            let merged = series.counts.len().div_ceil(points).max(1);
            Bins::of_counts(&series.counts, interval_s, interval_s * merged as f64)
        }
    };
    let Some(bins) = bins else { return Vec::new() };
    (0..bins.counts.len()).map(|at| (at as f64 * bins.window_s, bins.counts[at] / bins.window_s)).collect()
}
