//! What an iteration computes, and the law of its time.

use std::sync::Arc;

use super::roofline::Roofline;

/// What an iteration computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IterationWork {
    /// Prompt tokens.
    pub prefill: u64,
    /// Decoding sequences, a token of each.
    pub decoding: u64,
    /// Tokens of the decoding sequences in the cache.
    pub context: u64,
    /// Pairs of a prompt token computed and a token before it, twice: of a chunk of n tokens after `start` others,
    /// n × (2 × start + n).
    pub attended_twice: u64,
}

impl IterationWork {
    /// Adds a chunk of a prompt, of which `start` tokens are computed already.
    #[inline]
    pub fn add_chunk(&mut self, start: u64, chunk: u64) {
        self.prefill = self.prefill.saturating_add(chunk);
        let attended_twice = chunk.saturating_mul(start.saturating_mul(2).saturating_add(chunk));
        self.attended_twice = self.attended_twice.saturating_add(attended_twice);
    }
}

/// The law of an iteration's time. Each part is optional; times in nanoseconds where no other unit is given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IterationLaw {
    /// Fixed time.
    pub fixed: u64,
    /// Time for each prompt token computed.
    pub per_prefill_token: u64,
    /// Time for each decoding sequence.
    pub per_sequence: u64,
    /// Time for each token of the decoding sequences in the cache, picoseconds.
    pub per_kv_token: u64,
    /// The same in layers that attend to a window, picoseconds, and the tokens of it.
    pub window: Option<(u64, u64)>,
    /// Time for each pair of [`IterationWork::attended_twice`].
    pub per_attended_twice: f64,
    /// Time of an iteration that computes prompts besides.
    pub per_prompt_iteration: u64,
    /// Time by the number of decoding sequences from 0 on, in place of `per_sequence`; beyond its end as between its last two.
    pub curve: Option<Arc<[u64]>>,
    /// Time by the number of tokens, of all kinds.
    pub roofline: Option<Roofline>,
}

const PICOS: u64 = 1000;
/// Numbers below it have products whose sums, a few at a time, fit into a word.
const SMALL: u64 = 1 << 31;

impl IterationLaw {
    /// Time of an iteration, nanoseconds.
    #[inline]
    pub fn time(&self, work: IterationWork) -> u64 {
        let IterationWork { prefill, decoding, context, .. } = work;
        let all = self.fixed | self.per_prefill_token | self.per_sequence | self.per_kv_token;
        if (all | prefill | decoding | context) >= SMALL || !self.is_linear() {
            return self.time_of_any(work);
        }
        let per_token = self.per_prefill_token * prefill + self.per_sequence * decoding;
        self.fixed + per_token + self.per_kv_token * context / PICOS
    }

    /// As [`IterationLaw::time`], where products may be beyond all bounds or the law has further parts.
    #[inline(never)]
    fn time_of_any(&self, work: IterationWork) -> u64 {
        let linear = self
            .fixed
            .saturating_add(self.per_prefill_token.saturating_mul(work.prefill))
            .saturating_add(self.per_sequence.saturating_mul(work.decoding))
            .saturating_add(self.per_kv_token.saturating_mul(work.context) / PICOS);
        if self.is_linear() { linear } else { linear.saturating_add(self.other(work)) }
    }

    /// Time by which each iteration lasts longer than the one before, while nothing begins or ends, nanoseconds.
    #[inline]
    pub fn growth(&self, work: IterationWork) -> u64 {
        let full = self.per_kv_token.saturating_mul(work.decoding);
        let windowed = match self.window {
            Some((each, window)) if work.context < window.saturating_mul(work.decoding) => {
                each.saturating_mul(work.decoding)
            }
            _ => 0,
        };
        full.saturating_add(windowed) / PICOS
    }

    #[inline]
    fn is_linear(&self) -> bool {
        self.roofline.is_none()
            && self.curve.is_none()
            && self.window.is_none()
            && self.per_attended_twice == 0.0
            && self.per_prompt_iteration == 0
    }

    fn other(&self, work: IterationWork) -> u64 {
        let windowed = self.window.map_or(0, |(each, window)| {
            each.saturating_mul(work.context.min(window.saturating_mul(work.decoding))) / PICOS
        });
        let attended = (self.per_attended_twice * work.attended_twice as f64).round() as u64;
        let roofline =
            self.roofline.map_or(0, |roofline| roofline.time(work.prefill.saturating_add(work.decoding)));
        let curve = self.curve.as_ref().map_or(0, |curve| at(curve, work.decoding));
        let prompts = if work.prefill > 0 { self.per_prompt_iteration } else { 0 };
        [attended, roofline, curve, prompts].into_iter().fold(windowed, u64::saturating_add)
    }
}

/// The curve at this many sequences.
fn at(curve: &[u64], sequences: u64) -> u64 {
    if let Some(time) = usize::try_from(sequences).ok().and_then(|index| curve.get(index)) {
        return *time;
    }
    match *curve {
        [.., before, last] => {
            let beyond = sequences - (curve.len() as u64 - 1);
            last.saturating_add(last.saturating_sub(before).saturating_mul(beyond))
        }
        [only] => only,
        [] => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_beyond_all_bounds_are_the_greatest_there_is() {
        let law = IterationLaw {
            fixed: u64::MAX,
            per_kv_token: u64::MAX,
            window: Some((u64::MAX, u64::MAX)),
            per_attended_twice: f64::MAX,
            ..IterationLaw::default()
        };
        let mut work = IterationWork { decoding: u64::MAX, context: u64::MAX, ..IterationWork::default() };
        work.add_chunk(u64::MAX, u64::MAX);
        assert_eq!((law.time(work), work.prefill), (u64::MAX, u64::MAX));
        assert!(law.growth(work) > 0);
    }
}
