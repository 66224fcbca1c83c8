//! Rows from the levels of a load test.
//!
//! At a level of `r` answers per second with a latency of `l` and a time to the first token of `f`, r (l − f) sequences decode at a time,
//! by Little's law; a sequence meets itself and the others. In an open test the others are all of them; among `n` users they are
//! (n − 1)/n. They bring r times the prompt of a request in each second. A level where requests wait for a place tells nothing of the
//! time to the first token: its time per token counts, that to the first token does not.

use super::level::{Driven, Level};
use crate::traffic::iterations::{FirstToken, IterationTimes, Row, fit};

/// Times to the first token, in times of a token, so many times the least of all levels have a queue in them.
const QUEUED: f64 = 4.0;
/// And more requests than this share of the decoding ones are before their first token then.
const BEFORE: f64 = 0.1;

/// How far the answers of a level with users may be from what they would be if all of them always waited for one.
const ALL_WAIT: f64 = 0.1;
/// How far above the sequences that were counted the engine's limit may be.
const LIMIT: f64 = 0.05;

/// The law of the levels, and what each of them is to it.
#[derive(Debug)]
pub(super) struct LevelsFit {
    pub times: IterationTimes,
    pub rows: Vec<LevelRow>,
    /// Sequences that decode at a time where requests wait for a place.
    pub full: Option<f64>,
    pub prompt_tokens: f64,
    pub output_tokens: f64,
}

#[derive(Debug)]
pub(super) struct LevelRow {
    pub level: usize,
    row: Row,
    prompt: f64,
    /// Whether requests wait for a place.
    pub queued: bool,
    /// Whether nothing of it counts: the rate of an overloaded level is that of the requests, not of the answers.
    pub left_out: bool,
}

impl LevelRow {
    pub fn decoding(&self) -> f64 {
        self.row.decoding
    }
    pub fn token_s(&self, times: &IterationTimes) -> f64 {
        times.time_s(&self.row)
    }
    pub fn first_token_s(&self, times: &IterationTimes) -> f64 {
        times.first_token_s(&self.row, self.prompt)
    }
}

/// Fits the times of an iteration to levels that have times of tokens.
///
/// # Errors
/// A level lacks something, or there are too few; says what.
pub(super) fn of_levels(levels: &[&Level]) -> Result<LevelsFit, String> {
    let of = |value: Option<f64>, level: &Level, what: &str| {
        value.ok_or_else(|| format!("level {} has no {what}", level.name))
    };
    let mut rows: Vec<LevelRow> = Vec::new();
    for (index, level) in levels.iter().enumerate() {
        let tpot = of(level.tpot_s, level, "time per output token")?;
        let ttft = of(level.ttft_s, level, "time to the first token")?;
        let prompt = of(level.prompt_tokens, level, "tokens of prompts")?;
        let output = of(level.output_tokens, level, "tokens of answers")?;
        let further_s =
            level.latency_s.map_or((output - 1.0).max(0.0) * tpot, |latency| latency - ttft).max(0.0);
        // The rate of a whole test has the way in and out in it; users who always wait for an answer have not.
        let (rate, others) = match level.driven {
            Driven::Users(users) if users >= 1.0 => {
                let by_users = users / (ttft + further_s);
                let all_wait = (level.rate / by_users - 1.0).abs() < ALL_WAIT;
                (if all_wait { by_users } else { level.rate }, (users - 1.0) / users)
            }
            _ => (level.rate, 1.0),
        };
        let decoding = 1.0 + others * rate * further_s;
        let row = Row {
            decoding,
            context: decoding * (prompt + output / 2.0),
            prefill: others * rate * prompt * tpot,
            time_s: tpot,
            first: Some(FirstToken { prompt, time_s: ttft }),
            weight: 1.0,
        };
        rows.push(LevelRow { level: index, row, prompt, queued: false, left_out: false });
    }
    let ratio = |row: &Row| row.first.map_or(0.0, |first| first.time_s / row.time_s);
    let least = rows.iter().map(|row| ratio(&row.row)).fold(f64::INFINITY, f64::min);
    for found in &mut rows {
        let level = levels[found.level];
        let before = level.rate * level.ttft_s.unwrap_or(0.0);
        if ratio(&found.row) > QUEUED * least && before > BEFORE * found.row.decoding {
            found.queued = true;
            found.row.first = None;
            found.left_out = !matches!(level.driven, Driven::Users(_));
        }
    }
    let used: Vec<Row> = rows.iter().filter(|row| !row.left_out).map(|row| row.row).collect();
    let (least, most) = used
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(low, high), row| (low.min(row.decoding), high.max(row.decoding)));
    if used.len() < 2 || most - least < 0.05 * most {
        return Err("has one level: times by concurrency need two or more, of different concurrency".into());
    }
    let queued: Vec<f64> =
        rows.iter().filter(|row| row.queued && !row.left_out).map(|row| row.row.decoding).collect();
    let full = (!queued.is_empty()).then(|| limit(queued.iter().sum::<f64>() / queued.len() as f64));
    let mean = |of: fn(&Level) -> Option<f64>| {
        let counted = rows.iter().filter(|row| !row.left_out).filter_map(|row| of(levels[row.level]));
        counted.sum::<f64>() / used.len() as f64
    };
    let (prompt_tokens, output_tokens) =
        (mean(|level| level.prompt_tokens), mean(|level| level.output_tokens));
    Ok(LevelsFit { times: fit(&used), rows, full, prompt_tokens, output_tokens })
}

/// The limit of an engine in which so many sequences were counted when it was full: a power of two if one is near, as limits are.
fn limit(counted: f64) -> f64 {
    let power = counted.log2().round().exp2();
    if (power / counted - 1.0).abs() <= LIMIT { power } else { counted.round() }
}
