//! Rows from a log of requests: when each arrived, when its first token came, when it ended, and its tokens.
//!
//! From its first token to its last a request sees an iteration a token. How many others decoded meanwhile, what they held in the cache,
//! and which prompts were computed follow from the log itself; what is asked of one instance has to be logged of one instance.

use crate::sorting::Sorting as _;
use crate::traffic::iterations::{FirstToken, Row};

/// One request; seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Logged {
    pub arrival_s: f64,
    pub first_s: f64,
    pub end_s: f64,
    pub prompt: f64,
    pub output: f64,
}

/// Times to the first token, in times of a token, so many times those of the luckiest requests have a queue in them.
const QUEUED: f64 = 4.0;
/// Groups by sequences, and by the length of prompts within each.
const GROUPS: [usize; 2] = [12, 3];

/// What is known at one instant, all integrals from the start of the log.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    at_s: f64,
    decoding: f64,
    context: f64,
    /// Tokens a second that are added to `context`.
    growth: f64,
    /// ∫ decoding, ∫ context, and prompt tokens computed.
    sums: [f64; 3],
}

/// Rows of iterations of a log, and how many requests had a queue before their first token.
pub(super) fn rows(requests: &[Logged]) -> (Vec<Row>, usize) {
    let marks = course(requests);
    let seen = |at_s: f64| -> [f64; 3] {
        let next = marks.partition_point(|mark| mark.at_s <= at_s);
        let Some(mark) = next.checked_sub(1).and_then(|index| marks.get(index)) else { return [0.0; 3] };
        let passed = at_s - mark.at_s;
        [
            mark.sums[0] + mark.decoding * passed,
            mark.sums[1] + mark.context * passed + mark.growth * passed * passed / 2.0,
            mark.sums[2],
        ]
    };
    let mut found: Vec<Row> = Vec::new();
    for request in requests.iter().filter(|request| request.output > 1.0 && request.end_s > request.first_s) {
        let (from, to) = (seen(request.first_s), seen(request.end_s));
        let seconds = request.end_s - request.first_s;
        let tokens = request.output - 1.0;
        found.push(Row {
            decoding: (to[0] - from[0]) / seconds,
            context: (to[1] - from[1]) / seconds,
            prefill: (to[2] - from[2]) / tokens,
            time_s: seconds / tokens,
            first: Some(FirstToken { prompt: request.prompt, time_s: request.first_s - request.arrival_s }),
            weight: 1.0,
        });
    }
    let ratio = |row: &Row| row.first.map_or(0.0, |first| first.time_s / row.time_s);
    let mut ratios: Vec<f64> = found.iter().map(ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let lucky = ratios.get(ratios.len() / 10).copied().unwrap_or(0.0);
    let mut queued = 0;
    for row in found.iter_mut().filter(|row| ratio(row) > QUEUED * lucky) {
        row.first = None;
        queued += 1;
    }
    (grouped(found), queued)
}

/// How many decode and what they hold, from one change to the next.
fn course(requests: &[Logged]) -> Vec<Mark> {
    // Instant, sequences more, context more, growth more, prompt tokens computed.
    let mut changes: Vec<(f64, [f64; 4])> = Vec::new();
    for request in requests.iter().filter(|request| request.end_s >= request.first_s) {
        let seconds = request.end_s - request.first_s;
        let growth = if seconds > 0.0 { (request.output - 1.0).max(0.0) / seconds } else { 0.0 };
        changes.push((request.first_s, [1.0, request.prompt, growth, request.prompt]));
        let held = request.prompt + growth * seconds;
        changes.push((request.end_s, [-1.0, -held, -growth, 0.0]));
    }
    changes.sort_once_by(|one, other| one.0.total_cmp(&other.0));
    let mut mark = Mark { at_s: changes.first().map_or(0.0, |change| change.0), ..Mark::default() };
    let mut marks = Vec::with_capacity(changes.len());
    for (at_s, [sequences, context, growth, prompt]) in changes {
        let passed = at_s - mark.at_s;
        mark.sums[0] += mark.decoding * passed;
        mark.sums[1] += mark.context * passed + mark.growth * passed * passed / 2.0;
        mark.sums[2] += prompt;
        mark.context += mark.growth * passed + context;
        mark.decoding += sequences;
        mark.growth += growth;
        mark.at_s = at_s;
        marks.push(mark);
    }
    marks
}

/// Rows joined by the sequences that decode and by the length of the prompt; each group counts alike.
fn grouped(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_once_by(|one, other| one.decoding.total_cmp(&other.decoding));
    let size = rows.len().div_ceil(GROUPS[0]).max(1);
    let prompt = |row: &Row| row.first.map_or(0.0, |first| first.prompt);
    let mut joined = Vec::new();
    for alike in rows.chunks_mut(size) {
        alike.sort_once_by(|one, other| prompt(one).total_cmp(&prompt(other)));
        let size = alike.len().div_ceil(GROUPS[1]).max(1);
        joined.extend(alike.chunks(size).map(join));
    }
    joined
}

fn join(group: &[Row]) -> Row {
    let count = group.len() as f64;
    let mean = |of: fn(&Row) -> f64| group.iter().map(of).sum::<f64>() / count;
    let firsts: Vec<FirstToken> = group.iter().filter_map(|row| row.first).collect();
    // A few requests without a queue among many with one are the lucky ones, not those that tell of it.
    let enough = 2 * firsts.len() > group.len();
    let each = |of: fn(&FirstToken) -> f64| firsts.iter().map(of).sum::<f64>() / firsts.len() as f64;
    Row {
        decoding: mean(|row| row.decoding),
        context: mean(|row| row.context),
        prefill: mean(|row| row.prefill),
        time_s: mean(|row| row.time_s),
        first: enough
            .then(|| FirstToken { prompt: each(|first| first.prompt), time_s: each(|first| first.time_s) }),
        weight: 1.0,
    }
}
