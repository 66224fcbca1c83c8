//! Observations of a setting under all its conditions: what a selection is told, and fresh ones to confirm it by.

use std::ops::Range;

use super::{Case, Evaluator, Record, Replications, RunError};
use crate::scenario::Scenario;
use crate::stats::{Misses, Observation};

/// Numbers of the fresh replications of a proposal start at as many millions: no race has as many of its own.
const FRESH_FROM: u32 = 1_000_000;

/// The share of requests, or of windows, that may miss each promise, condition by condition; `None` if nothing is promised
/// under one.
pub fn allowed(conditions: &[&Scenario]) -> Option<Vec<f64>> {
    let mut all = Vec::new();
    for scenario in conditions {
        all.extend(scenario.model.slo?.promises().map(|promise| promise.allowed()));
    }
    Some(all)
}

/// What replications say of promises and cost, those that say something under every condition: the promises of all
/// conditions, and the mean of their costs.
pub fn observations(conditions: &[Vec<Record>]) -> Vec<Observation> {
    let replications = conditions.iter().map(Vec::len).min().unwrap_or(0);
    let one = |replication: usize| {
        let mut promises = Vec::new();
        let mut cost = 0.0;
        for records in conditions {
            let (kept, of_this) = records[replication].kept()?;
            promises.extend(kept);
            cost += of_this / conditions.len() as f64;
        }
        Some(Observation { promises, cost })
    };
    (0..replications).filter_map(one).collect()
}

/// The fresh replications of a proposal, which had no part in choosing it.
#[derive(Debug, Default)]
pub struct Fresh {
    /// By condition.
    records: Vec<Vec<Record>>,
}

impl Fresh {
    /// The number of a fresh replication of a proposal.
    pub fn number(proposal: u32, replication: u32) -> u32 {
        FRESH_FROM * (proposal + 1) + replication
    }

    /// Simulates more of a setting under all `conditions`; the first of a proposal forget those of another. Returns what they
    /// say: less than asked for if the work was stopped, or if nothing was answered.
    ///
    /// # Errors
    /// A run lost or made up requests, or outgrew its bound; its case is the number of the condition.
    pub fn simulate(
        &mut self,
        conditions: &[&Scenario],
        proposal: u32,
        replications: Range<u32>,
        evaluator: &Evaluator<'_>,
    ) -> Result<Vec<Observation>, RunError> {
        if replications.start == 0 {
            self.records = conditions.iter().map(|_| Vec::new()).collect();
        }
        let numbers = Fresh::number(proposal, replications.start)..Fresh::number(proposal, replications.end);
        let batch: Vec<Case<'_>> =
            conditions.iter().map(|scenario| Case::some(scenario, numbers.clone())).collect();
        let more = evaluator.evaluate(&batch, &(), |_, records| records)?;
        let told = match more.iter().all(|records| records.len() == numbers.len()) {
            true => observations(&more),
            false => Vec::new(),
        };
        self.records.iter_mut().zip(more).for_each(|(all, more)| all.extend(more));
        Ok(told)
    }

    /// The replications under each condition.
    pub fn replications(&self, conditions: &[&Scenario]) -> Vec<Replications> {
        let of = |(records, scenario): (&Vec<Record>, &&Scenario)| {
            Replications::new(records.clone(), scenario.model.slo).without_times()
        };
        self.records.iter().zip(conditions).map(of).collect()
    }

    /// The misses of a promise so far, by its place among those of all conditions.
    pub fn misses(&self, promise: usize) -> Option<Misses> {
        let each = observations(&self.records);
        Misses::of(
            each.iter().filter_map(|seen| seen.promises.get(promise)).map(|kept| (kept.missed, kept.counted)),
        )
    }
}
