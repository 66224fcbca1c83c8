//! Demand against capacity, over the variants of a model.

use super::capacity::{Engine, History, Replica, by_cache, median};
use crate::time::{Instant, Span};

/// How long a record of a capacity counts.
const RECORD_AGE: Span = Span::from_secs(7 * 24 * 3600);

/// The thresholds of the analyzer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler::llmd) struct Rules {
    /// Share of a cache that is to be used.
    pub kv_cache_threshold: f64,
    /// Waiting requests from which on a replica is full with what it holds.
    pub queue_length_threshold: f64,
    /// Share of the capacity that demand may take before more is asked for.
    pub scale_up_threshold: f64,
    /// Share of the capacity that demand has to leave free of before some may go.
    pub scale_down_boundary: f64,
}

/// A variant of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::autoscaler::llmd) struct Variant {
    pub name: String,
    pub cost: f64,
    /// Replicas that exist.
    pub current: u32,
    /// Those of them that are not ready.
    pub pending: u32,
    pub accelerator: String,
    pub engine: Engine,
    /// Tokens of its cache, where that is known without a replica.
    pub cache: f64,
    /// All else that records must agree in to stand for one another (GPUs, parameters of the engine).
    pub parameters: String,
}

/// How a capacity became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::autoscaler::llmd) enum Learned {
    /// From replicas that ran.
    Live,
    /// From what the deployment says of its engine.
    Deployment,
}

/// A capacity that is remembered.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler::llmd) struct Record {
    pub variant: String,
    pub effective: i64,
    pub learned: Learned,
    pub accelerator: String,
    pub parameters: String,
    pub at: Instant,
}

/// The requests that wait before they have a replica.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::autoscaler::llmd) struct SchedulerQueue {
    pub size: f64,
    pub bytes: f64,
}

/// What the analyzer remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::autoscaler::llmd) struct Memory {
    pub history: History,
    pub records: Vec<Record>,
}

/// What an analysis found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::autoscaler::llmd) struct TokenAnalysis {
    /// The capacity of a replica of each variant, in their order.
    pub capacities: Vec<i64>,
    pub demand: f64,
    /// Of what is ready.
    pub supply: f64,
    /// Of what exists.
    pub anticipated: f64,
    /// Tokens that are lacking, and that are more than enough.
    pub required: f64,
    pub spare: f64,
}

impl Memory {
    /// Analyses the `replicas` of `variants` at `now`.
    pub fn analyse(
        &mut self,
        rules: &Rules,
        variants: &[Variant],
        replicas: &[Replica<'_>],
        queue: Option<SchedulerQueue>,
        now: Instant,
    ) -> TokenAnalysis {
        self.records.retain(|record| record.at + RECORD_AGE >= now);
        let live: Vec<Option<i64>> =
            variants.iter().map(|variant| self.of_replicas(rules, variant, replicas, now)).collect();
        let capacities = variants.iter().zip(live);
        let capacities: Vec<i64> = capacities
            .map(|(variant, live)| live.unwrap_or_else(|| self.without_replicas(rules, variant, replicas)))
            .collect();
        let mut found = TokenAnalysis { capacities, ..TokenAnalysis::default() };
        found.demand = replicas.iter().map(Replica::demand).sum::<f64>();
        found.demand += queue.map_or(0.0, |queue| queue_demand(queue, replicas));
        for (variant, capacity) in variants.iter().zip(&found.capacities) {
            let ready = variant.current.saturating_sub(variant.pending);
            found.supply += f64::from(ready) * *capacity as f64;
            found.anticipated += f64::from(variant.current) * *capacity as f64;
        }
        found.required = (found.demand / rules.scale_up_threshold - found.anticipated).max(0.0);
        found.spare = (found.supply - found.demand / rules.scale_down_boundary).max(0.0);
        found
    }

    /// The capacity of a variant by its replicas, which is remembered; `None` if none reports.
    fn of_replicas(
        &mut self,
        rules: &Rules,
        variant: &Variant,
        replicas: &[Replica<'_>],
        now: Instant,
    ) -> Option<i64> {
        let thresholds = (rules.kv_cache_threshold, rules.queue_length_threshold);
        let engine = (&variant.engine, variant.accelerator.as_str());
        let own = replicas.iter().filter(|replica| replica.variant == variant.name);
        let each: Vec<i64> =
            own.map(|replica| replica.capacity(thresholds, engine, &mut self.history, now)).collect();
        if each.is_empty() {
            return None;
        }
        let effective = median(each);
        self.records.retain(|record| record.variant != variant.name);
        self.records.push(Record {
            variant: variant.name.clone(),
            effective,
            learned: Learned::Live,
            accelerator: variant.accelerator.clone(),
            parameters: variant.parameters.clone(),
            at: now,
        });
        Some(effective)
    }

    /// The capacity of a variant of which no replica reports, by what is remembered.
    fn without_replicas(&self, rules: &Rules, variant: &Variant, replicas: &[Replica<'_>]) -> i64 {
        let own = self.records.iter().find(|record| record.variant == variant.name && record.effective > 0);
        match own {
            Some(Record { effective, learned: Learned::Live, .. }) => *effective,
            Some(Record { effective, learned: Learned::Deployment, .. }) => {
                let (prompt, output) =
                    (mean(replicas, |replica| replica.prompt), mean(replicas, |replica| replica.output));
                let Some(computed) = variant.engine.computed(prompt, output) else { return *effective };
                let cache =
                    Some(by_cache(variant.cache, rules.kv_cache_threshold)).filter(|cache| *cache > 0);
                let alike = self.compatible(variant).filter(|record| record.learned == Learned::Live);
                let alike = alike.map(|record| record.effective);
                [cache, alike].into_iter().flatten().fold(computed, i64::min)
            }
            None => self.compatible(variant).map_or(0, |record| record.effective),
        }
    }

    /// A record that stands for the variant: of the same accelerator and parameters, one of replicas that ran first.
    pub fn compatible(&self, variant: &Variant) -> Option<&Record> {
        let alike = |record: &&Record| {
            let same = record.accelerator == variant.accelerator && record.parameters == variant.parameters;
            same && record.variant != variant.name && record.effective > 0
        };
        let mut alike: Vec<&Record> = self.records.iter().filter(alike).collect();
        alike.sort_by_key(|record| record.learned != Learned::Live);
        alike.first().copied()
    }
}

/// The tokens that wait in the scheduler: their prompts, less what caches hold of them, and their answers. Four bytes are a
/// token.
fn queue_demand(queue: SchedulerQueue, replicas: &[Replica<'_>]) -> f64 {
    let (prompt, output) =
        (mean(replicas, |replica| replica.prompt), mean(replicas, |replica| replica.output));
    let prompts = (queue.bytes / 4.0).max(queue.size * prompt);
    prompts * (1.0 - mean(replicas, |replica| replica.prefix_hit)) + queue.size * output
}

fn mean(replicas: &[Replica<'_>], of: impl Fn(&Replica<'_>) -> f64) -> f64 {
    match replicas.len() {
        0 => 0.0,
        count => replicas.iter().map(of).sum::<f64>() / count as f64,
    }
}
