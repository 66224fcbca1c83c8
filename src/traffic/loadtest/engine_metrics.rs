//! Rows from an engine's own metrics: counters and gauges as Prometheus scrapes them from vLLM or SGLang.
//!
//! Between two scrapes the engine generated ΔG tokens and computed ΔP prompt tokens with `r` sequences running, on average; each of them
//! gets a token an iteration, so there were ΔG / r iterations. Whole intervals are summed by the number of sequences running: gauges
//! are instants, and their errors cancel in sums.

use std::collections::BTreeMap;

use crate::sorting::Sorting as _;
use crate::traffic::iterations::Row;

/// One scrape of an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Scrape {
    /// Seconds.
    pub at_s: f64,
    /// Counter of prompt tokens.
    pub prompt: f64,
    /// Counter of generated tokens.
    pub generated: f64,
    /// Sequences running.
    pub running: f64,
    /// Share of the cache in use; `None` where it is not recorded.
    pub cache: Option<f64>,
}

/// A cache this full makes sequences wait or be computed again, which counters do not tell apart.
const FULL: f64 = 0.95;
/// Groups of intervals at most.
const GROUPS: usize = 24;

/// What the intervals between scrapes were.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Intervals {
    pub used: usize,
    /// Without sequences at one of their ends.
    pub idle: usize,
    pub full: usize,
    /// With a counter that fell.
    pub restarted: usize,
}

/// Rows of iterations from the scrapes of each instance; a cache of `kv_tokens`, if that is known.
pub(super) fn rows(
    instances: &BTreeMap<String, Vec<Scrape>>,
    kv_tokens: Option<f64>,
) -> (Vec<Row>, Intervals) {
    let mut found: Vec<Row> = Vec::new();
    let mut intervals = Intervals::default();
    for pair in instances.values().flat_map(|scrapes| scrapes.windows(2)) {
        let (before, after) = (pair[0], pair[1]);
        let (seconds, prompt, generated) =
            (after.at_s - before.at_s, after.prompt - before.prompt, after.generated - before.generated);
        let running = f64::midpoint(before.running, after.running);
        let cache = before.cache.zip(after.cache).map(|(one, other)| f64::midpoint(one, other));
        if prompt < 0.0 || generated < 0.0 {
            intervals.restarted += 1;
        } else if before.running < 1.0 || after.running < 1.0 || generated <= 0.0 || seconds <= 0.0 {
            intervals.idle += 1;
        } else if cache.is_some_and(|share| share >= FULL) {
            intervals.full += 1;
        } else {
            intervals.used += 1;
            let iterations = generated / running;
            found.push(Row {
                decoding: running,
                context: cache.zip(kv_tokens).map_or(0.0, |(share, tokens)| share * tokens),
                prefill: prompt / iterations,
                time_s: seconds / iterations,
                first: None,
                weight: iterations,
            });
        }
    }
    (grouped(found), intervals)
}

/// Rows joined into groups of about as many iterations, by the sequences that decode. A group weighs as any other.
pub(super) fn grouped(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_once_by(|one, other| one.decoding.total_cmp(&other.decoding));
    let size = rows.len().div_ceil(GROUPS).max(1);
    let join = |group: &[Row]| {
        let total: f64 = group.iter().map(|row| row.weight).sum();
        let mean = |of: fn(&Row) -> f64| group.iter().map(|row| row.weight * of(row)).sum::<f64>() / total;
        Row {
            decoding: mean(|row| row.decoding),
            context: mean(|row| row.context),
            prefill: mean(|row| row.prefill),
            time_s: mean(|row| row.time_s),
            first: None,
            weight: 1.0,
        }
    };
    rows.chunks(size).map(join).collect()
}
