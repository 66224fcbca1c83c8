//! The law of an iteration's time as it is fitted, and the rows that it is fitted to.
//!
//! An iteration takes `fixed` + a piecewise-linear function of the decoding sequences + tokens of their cache + prompt tokens computed.
//! The first token of a request comes `overhead` and so many iterations after the one that computes its prompt. All of it is linear in
//! its parts once the bends are chosen, so it is fitted by least squares of relative errors, no part below 0. Bends are added one after
//! the other, each where it helps most, while a row is off by more than [`BENT`].

use serde::Serialize;

use super::least_squares::non_negative;

/// What is shared between parts that the rows do not tell apart: see [`non_negative`].
const RIDGE: f64 = 1e-3;
/// Weight of a time to the first token beside one of a further token: queueing and the client are in it.
const FIRST_TOKEN: f64 = 0.3;
/// A row that is further off than this asks for a bend.
const BENT: f64 = 0.03;
/// Tokens in the cache a sequence that differ by no more tell nothing of what a token takes.
const ALIKE: f64 = 1.1;
/// The bends at most.
const BENDS: usize = 6;

/// One row: what an iteration computed, on average, and how long it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::traffic) struct Row {
    /// Decoding sequences.
    pub decoding: f64,
    /// Tokens in the cache of the decoding sequences.
    pub context: f64,
    /// Prompt tokens computed.
    pub prefill: f64,
    /// Time, seconds.
    pub time_s: f64,
    /// A time to the first token that no queue is in.
    pub first: Option<FirstToken>,
    /// What the row counts for beside others.
    pub weight: f64,
}

/// A time to the first token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::traffic) struct FirstToken {
    /// Tokens of the prompt.
    pub prompt: f64,
    /// The time, seconds.
    pub time_s: f64,
}

/// The times of an iteration, seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IterationTimes {
    /// Of an iteration, whatever is in it.
    pub fixed_s: f64,
    /// What the decoding sequences add, by their number: points, linear between them and beyond the last; the first is at none.
    pub decoding: Vec<(f64, f64)>,
    /// For each token in the cache of the decoding sequences.
    pub per_kv_token_s: f64,
    /// For each prompt token.
    pub per_prefill_token_s: f64,
    /// Of a request outside the engine, before its first token.
    pub overhead_before_s: f64,
    /// Iterations before the first token, besides that which computes the prompt and the wait for it.
    pub overhead_iterations: f64,
}

impl IterationTimes {
    /// The points without those in a straight line; two where there is no bend.
    pub fn bends(&self) -> &[(f64, f64)] {
        let last = self.decoding.len().saturating_sub(1);
        self.decoding.get(1..last).unwrap_or_default()
    }

    /// Time that each decoding sequence adds; `None` where that depends on their number.
    pub fn per_sequence_s(&self) -> Option<f64> {
        match *self.decoding {
            [(from, low), (to, high)] => Some((high - low) / (to - from)),
            _ => None,
        }
    }

    /// Time that as many decoding sequences as there were, and their cache, add at most.
    pub(in crate::traffic) fn added_s(&self) -> f64 {
        self.decoding.last().map_or(0.0, |(_, time)| *time) + self.per_kv_token_s
    }

    /// Time that so many decoding sequences add, seconds.
    pub fn decoding_s(&self, sequences: f64) -> f64 {
        let hats = hats(&self.decoding.iter().map(|(at, _)| *at).collect::<Vec<f64>>(), sequences);
        let steps = self.decoding.windows(2).map(|pair| pair[1].1 - pair[0].1);
        steps.zip(hats).map(|(step, hat)| step * hat).sum()
    }

    /// Time of an iteration without prompts.
    fn base_s(&self, row: &Row) -> f64 {
        self.fixed_s + self.decoding_s(row.decoding) + self.per_kv_token_s * row.context
    }

    /// Time of an iteration that computes what a row says, seconds.
    pub(in crate::traffic) fn time_s(&self, row: &Row) -> f64 {
        self.base_s(row) + self.per_prefill_token_s * row.prefill
    }

    /// Time to the first token of a request beside what a row says, seconds: half an iteration until its own begins, its own, and what
    /// is outside.
    pub(in crate::traffic) fn first_token_s(&self, row: &Row, prompt: f64) -> f64 {
        let computed = prompt + row.prefill / 2.0;
        1.5 * self.base_s(row)
            + self.per_prefill_token_s * computed
            + self.overhead_before_s
            + self.overhead_iterations * row.time_s
    }
}

/// Share of the step between each two knots that is behind a number of sequences; beyond the last knot more than all of it.
fn hats(knots: &[f64], sequences: f64) -> Vec<f64> {
    let last = knots.len().saturating_sub(2);
    let share = |(index, pair): (usize, &[f64])| {
        let share = ((sequences - pair[0]) / (pair[1] - pair[0])).max(0.0);
        if index == last { share } else { share.min(1.0) }
    };
    knots.windows(2).enumerate().map(share).collect()
}

/// Fits the law to rows.
pub(in crate::traffic) fn fit(rows: &[Row]) -> IterationTimes {
    // Points of a scenario stand at whole numbers.
    let mut numbers: Vec<f64> = rows.iter().map(|row| row.decoding.round().max(1.0)).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup_by(|one, other| *one - *other < 0.05 * *other);
    let most = numbers.last().copied().unwrap_or(1.0).max(1.0);
    let mut knots = vec![0.0, most];
    let mut law = with_knots(rows, &knots);
    // A bend needs a level on each side of it, or there is nothing but the bend.
    while knots.len() < (numbers.len()).min(BENDS + 2) && worst(&law, rows) > BENT {
        let candidates = numbers.iter().filter(|number| !knots.contains(number) && **number < most);
        let tried = candidates.map(|number| {
            let mut knots = knots.clone();
            knots.push(*number);
            knots.sort_by(f64::total_cmp);
            let law = with_knots(rows, &knots);
            (squares(&law, rows), knots, law)
        });
        let Some(best) = tried.min_by(|one, other| one.0.total_cmp(&other.0)) else { break };
        // A bend that changes little follows noise.
        if best.0 > 0.8 * squares(&law, rows) {
            break;
        }
        (knots, law) = (best.1, best.2);
    }
    law
}

fn off(law: &IterationTimes, row: &Row) -> f64 {
    (law.time_s(row) / row.time_s - 1.0).abs()
}

fn worst(law: &IterationTimes, rows: &[Row]) -> f64 {
    rows.iter().map(|row| off(law, row)).fold(0.0, f64::max)
}

fn squares(law: &IterationTimes, rows: &[Row]) -> f64 {
    rows.iter().map(|row| row.weight * off(law, row).powi(2)).sum()
}

fn with_knots(rows: &[Row], knots: &[f64]) -> IterationTimes {
    // Where each sequence has as much in the cache, what it adds is that of a sequence.
    let each = || rows.iter().map(|row| row.context / row.decoding.max(1.0));
    let (least, most) = (each().fold(f64::INFINITY, f64::min), each().fold(0.0, f64::max));
    if most <= ALIKE * least {
        return solved(rows, knots, Some(0.0));
    }
    let free = solved(rows, knots, None);
    // A scenario takes whole nanoseconds for a token of the cache: the other parts make up for the rounding.
    let rounded = (free.per_kv_token_s * 1e9).round() / 1e9;
    solved(rows, knots, Some(rounded))
}

fn solved(rows: &[Row], knots: &[f64], per_kv_token_s: Option<f64>) -> IterationTimes {
    let steps = knots.len() - 1;
    let (mut table, mut targets) = (Vec::new(), Vec::new());
    let known_s = |row: &Row| per_kv_token_s.map_or(0.0, |each| each * row.context);
    for row in rows {
        let mut base = vec![1.0];
        base.extend(hats(knots, row.decoding));
        base.push(if per_kv_token_s.is_some() { 0.0 } else { row.context });
        let scale = row.weight.sqrt() / row.time_s;
        table
            .push(base.iter().chain(&[row.prefill, 0.0, 0.0]).map(|part| part * scale).collect::<Vec<f64>>());
        targets.push(scale * (row.time_s - known_s(row)));
        if let Some(first) = row.first {
            let scale = FIRST_TOKEN * row.weight.sqrt() / first.time_s;
            let own = base.iter().map(|part| 1.5 * part);
            let rest = [first.prompt + row.prefill / 2.0, 1.0, row.time_s];
            table.push(own.chain(rest).map(|part| part * scale).collect());
            targets.push(scale * (first.time_s - 1.5 * known_s(row)));
        }
    }
    let parts = non_negative(&table, &targets, RIDGE);
    let mut height = 0.0;
    let mut decoding = vec![(0.0, 0.0)];
    for (knot, step) in knots[1..].iter().zip(&parts[1..=steps]) {
        height += step;
        decoding.push((*knot, height));
    }
    let [kv, prefill, before, iterations] = [1, 2, 3, 4].map(|after| parts[steps + after]);
    IterationTimes {
        fixed_s: parts[0],
        decoding,
        per_kv_token_s: per_kv_token_s.unwrap_or(kv),
        per_prefill_token_s: prefill,
        overhead_before_s: before,
        overhead_iterations: iterations,
    }
}
