//! What two pools came to together.

use crate::sim::accounting::{DecisionRecord, Outcome, PoolName, PoolOutcomes, TypeShare, Window};

/// The outcome of the whole with the instances of its pools.
pub(super) fn together(mut whole: Outcome, mut pools: PoolOutcomes, peak_ready: u32) -> Outcome {
    let decisions =
        merged(std::mem::take(&mut pools.prefill.decisions), std::mem::take(&mut pools.decode.decisions));
    let timeline = std::mem::take(&mut whole.timeline);
    let parts = std::mem::take(&mut pools.prefill.timeline)
        .into_iter()
        .zip(std::mem::take(&mut pools.decode.timeline));
    whole.timeline = timeline.into_iter().zip(parts).map(of_pools).collect();
    let PoolOutcomes { prefill, decode, .. } = &pools;
    let integrals = whole.integrals.and_instances(&prefill.integrals).and_instances(&decode.integrals);
    let named =
        |pool: PoolName, share: &TypeShare| TypeShare { name: pool.with(&share.name), ..share.clone() };
    let by_type = prefill.by_type.iter().map(|share| named(PoolName::Prefill, share));
    let by_type = by_type.chain(decode.by_type.iter().map(|share| named(PoolName::Decode, share))).collect();
    let failure_counts = prefill.failure_counts.and(decode.failure_counts);
    Outcome {
        integrals,
        peak_ready,
        started: prefill.started + decode.started,
        warm_starts: prefill.warm_starts + decode.warm_starts,
        billed_hours: prefill.billed_hours + decode.billed_hours,
        cost: prefill.cost + decode.cost,
        by_type,
        failure_counts,
        actions: prefill.actions.and(decode.actions),
        decisions,
        pools: Some(Box::new(pools)),
        ..whole
    }
}

/// A window of both pools, with those of each: their marks are at the same instants.
fn of_pools((whole, (prefill, decode)): (Window, (Window, Window))) -> Window {
    debug_assert!(whole.end_s == prefill.end_s && whole.end_s == decode.end_s, "windows of one time");
    Window { pools: Some(Box::new([prefill, decode])), ..whole }
}

/// The decisions of both pools in the order in which they were made, each with its pool.
pub(super) fn merged(prefill: Vec<DecisionRecord>, decode: Vec<DecisionRecord>) -> Vec<DecisionRecord> {
    let of = |pool: PoolName| {
        move |mut decision: DecisionRecord| {
            decision.pool = Some(pool);
            decision
        }
    };
    let mut all: Vec<DecisionRecord> = prefill
        .into_iter()
        .map(of(PoolName::Prefill))
        .chain(decode.into_iter().map(of(PoolName::Decode)))
        .collect();
    all.sort_by_key(|decision| decision.at);
    all
}
