//! How many tokens a replica can hold: by its cache, or by what its engine can compute.

use std::collections::{BTreeMap, VecDeque};

use crate::time::{Instant, Span};

/// Observations of a computed capacity that are averaged.
const KEPT: usize = 10;
/// How long they count.
const HISTORY_AGE: Span = Span::from_secs(24 * 3600);

/// Mean output of a workload, by which observed capacities are kept apart (`constants.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::autoscaler::llmd) enum Bucket {
    Short,
    Medium,
    Long,
}

impl Bucket {
    pub fn of(output: f64) -> Bucket {
        match output {
            output if output < 100.0 => Bucket::Short,
            output if output < 500.0 => Bucket::Medium,
            _ => Bucket::Long,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Bucket::Short => "short",
            Bucket::Medium => "medium",
            Bucket::Long => "long",
        }
    }
}

/// The mean of the last few observations.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::autoscaler::llmd) struct Rolling {
    values: VecDeque<f64>,
    newest: Instant,
}

impl Rolling {
    /// Adds an observation; of more than `size` the oldest goes.
    pub fn add(&mut self, value: f64, size: usize, now: Instant) {
        self.values.push_back(value);
        while self.values.len() > size {
            self.values.pop_front();
        }
        self.newest = now;
    }

    /// Their mean; 0 if there are none.
    pub fn mean(&self) -> f64 {
        match self.values.len() {
            0 => 0.0,
            count => self.values.iter().sum::<f64>() / count as f64,
        }
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }
}

/// What was observed of capacities that computing limits, by accelerator and mean output.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::autoscaler::llmd) struct History(pub BTreeMap<(String, Bucket), Rolling>);

impl History {
    fn add(&mut self, accelerator: &str, bucket: Bucket, capacity: i64, now: Instant) {
        self.0.entry((accelerator.to_owned(), bucket)).or_default().add(capacity as f64, KEPT, now);
    }

    fn mean(&self, accelerator: &str, bucket: Bucket, now: Instant) -> Option<i64> {
        let rolling = self.0.get(&(accelerator.to_owned(), bucket))?;
        (rolling.newest + HISTORY_AGE >= now).then(|| rolling.mean() as i64).filter(|mean| *mean > 0)
    }
}

/// What an engine was started with, as far as it bounds what is computed at once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::autoscaler::llmd) struct Engine {
    /// Tokens of one iteration (`--max-num-batched-tokens`); 0: not known.
    pub token_budget: f64,
    /// Sequences at a time (`--max-num-seqs`); 0: not known.
    pub max_sequences: f64,
}

impl Engine {
    /// The tokens that requests of these means hold while as many run as the engine can compute: as many answers as the
    /// share of an iteration that is output allows, each with its prompt and half of its answer. `None` where it is not known.
    pub fn computed(&self, prompt: f64, output: f64) -> Option<i64> {
        let known = self.token_budget > 0.0 && self.max_sequences > 0.0 && output > 0.0 && prompt >= 0.0;
        let running = || (self.token_budget * output / (prompt + output)).min(self.max_sequences);
        known.then(|| (running() * (prompt + output / 2.0)) as i64)
    }
}

/// What one replica reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler::llmd) struct Replica<'a> {
    pub variant: &'a str,
    /// Tokens in its KV cache.
    pub in_use: f64,
    /// Tokens that the cache can hold.
    pub cache: f64,
    /// Requests waiting at it.
    pub waiting: f64,
    /// Mean tokens of a prompt and of an answer; 0: not known.
    pub prompt: f64,
    pub output: f64,
    /// Share of prompt tokens found in the cache, 0 to 1.
    pub prefix_hit: f64,
}

impl Replica<'_> {
    /// The tokens that it holds and that wait for it.
    pub fn demand(&self) -> f64 {
        self.in_use + self.waiting * self.prompt
    }

    /// The tokens it can hold: by the cache, or by what was seen, or is worked out, of its engine.
    pub fn capacity(
        &self,
        (kv_threshold, queue_threshold): (f64, f64),
        (engine, accelerator): (&Engine, &str),
        history: &mut History,
        now: Instant,
    ) -> i64 {
        let by_cache = by_cache(self.cache, kv_threshold);
        let bucket = Bucket::of(self.output);
        let by_computing = match self.waiting >= queue_threshold && self.in_use > 0.0 {
            // It is full with what it holds, whatever its cache could hold.
            true => {
                history.add(accelerator, bucket, self.in_use as i64, now);
                Some(self.in_use as i64)
            }
            false => {
                history.mean(accelerator, bucket, now).or_else(|| engine.computed(self.prompt, self.output))
            }
        };
        by_computing.map_or(by_cache, |computed| computed.min(by_cache))
    }
}

/// The tokens of a cache that are to be used.
pub(in crate::autoscaler::llmd) fn by_cache(cache: f64, kv_threshold: f64) -> i64 {
    (cache * kv_threshold) as i64
}

/// The median of whole numbers: of an even count the mean of the middle two, truncated; 0 of none.
pub(in crate::autoscaler::llmd) fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    let middle = values.len() / 2;
    match values.len() {
        0 => 0,
        count if count % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2,
    }
}

/// The token budget of an engine of vLLM: as given, else by how it was started.
pub(in crate::autoscaler::llmd) fn token_budget(
    given: Option<u32>,
    chunked_prefill: bool,
    is_v1: bool,
    max_model_len: u32,
) -> u32 {
    const V1: u32 = 8192;
    const V0: u32 = 2048;
    match (given, chunked_prefill) {
        (Some(given), _) => given,
        (None, true) if is_v1 => V1,
        (None, true) => V0,
        (None, false) => max_model_len.max(V0),
    }
}
