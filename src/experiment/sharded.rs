//! The share of a sweep's runs that is a shard's, and what there is of each.

use super::shard::MOST_SHARDS;
use super::task::MAX_TOGETHER;
use super::{Case, Evaluator, RecordKey, RunError, Shard, settle_warmup};
use crate::scenario::{Point, Scenario};

/// How many parts of runs a sweep of these scenarios has that may be divided: more shards than that are empty.
pub fn shards_max(scenarios: &[&Scenario]) -> u32 {
    let groups = scenarios.len().div_ceil(MAX_TOGETHER) as u64;
    let most = scenarios.iter().map(|scenario| scenario.run.replications).max().unwrap_or(0);
    u32::try_from(groups * u64::from(most)).unwrap_or(MOST_SHARDS).clamp(1, MOST_SHARDS)
}

/// The runs of `shard`, a range of replications for each scenario.
///
/// Runs are counted replication by replication, and within one by groups of as many settings as are fed from one source of
/// requests: a share is whole replications of all settings where it can be, since settings that meet the same requests are
/// cheaper together.
fn share<'a>(scenarios: &[&'a Scenario], shard: Shard) -> Vec<Case<'a>> {
    let groups = scenarios.len().div_ceil(MAX_TOGETHER) as u64;
    let most = scenarios.iter().map(|scenario| scenario.run.replications).max().unwrap_or(0);
    let part = shard.part(groups * u64::from(most));
    let case = |(index, scenario): (usize, &&'a Scenario)| {
        let group = (index / MAX_TOGETHER) as u64;
        // Replications r with `part.start <= r * groups + group < part.end`.
        let first = |bound: u64| {
            let replication = bound.saturating_sub(group).div_ceil(groups);
            u32::try_from(replication).unwrap_or(most).min(scenario.run.replications)
        };
        Case::some(scenario, first(part.start)..first(part.end))
    };
    scenarios.iter().enumerate().map(case).filter(|case| !case.replications.is_empty()).collect()
}

/// What there is of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardState {
    /// Which one.
    pub shard: Shard,
    /// Runs that belong to it.
    pub planned: u64,
    /// Those of them that are in the store.
    pub stored: u64,
}

/// Settles the warm-up of the points where the scenario leaves it to be found, as `sweep` does.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn settle_points(points: &mut [Point], evaluator: &Evaluator<'_>) -> Result<(), RunError> {
    let mut cases: Vec<&mut Scenario> = points.iter_mut().map(|point| &mut point.scenario).collect();
    settle_warmup(&mut cases, evaluator).map(|_| ())
}

/// Simulates the share of `shard` in the sweep of `points` into the evaluator's store, and says how much of it is there: all, unless
/// the work was stopped.
///
/// Of a sweep to a given precision these are the runs before the first look.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn simulate_shard(
    mut points: Vec<Point>,
    shard: Shard,
    evaluator: &Evaluator<'_>,
) -> Result<ShardState, RunError> {
    settle_points(&mut points, evaluator)?;
    let scenarios: Vec<&Scenario> = points.iter().map(|point| &point.scenario).collect();
    let share = share(&scenarios, shard);
    let stored = evaluator.evaluate(&share, &(), |_, records| records.len() as u64)?.iter().sum();
    Ok(ShardState { shard, planned: planned(&share), stored })
}

/// What the evaluator's store has of each of `of` shards of the sweep of `points`.
///
/// # Errors
/// A run lost or made up requests, or outgrew its bound.
pub fn shards(
    mut points: Vec<Point>,
    of: u32,
    evaluator: &Evaluator<'_>,
) -> Result<Vec<ShardState>, RunError> {
    settle_points(&mut points, evaluator)?;
    let scenarios: Vec<&Scenario> = points.iter().map(|point| &point.scenario).collect();
    let state = |shard: Shard| {
        let share = share(&scenarios, shard);
        let stored = |case: &Case<'_>| {
            let first = case.key(case.replications.start);
            let there = |replication: &u32| {
                let key = RecordKey { replication: *replication, ..first };
                evaluator.store.is_some_and(|store| store.has(&key))
            };
            case.replications.clone().filter(there).count() as u64
        };
        ShardState { shard, planned: planned(&share), stored: share.iter().map(stored).sum() }
    };
    Ok(Shard::all(of).map(state).collect())
}

fn planned(share: &[Case<'_>]) -> u64 {
    share.iter().map(|case| case.replications.len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::task::tests::scenario;

    #[test]
    fn shards_share_every_run_once_and_evenly() {
        let base = scenario(8.0);
        for (settings, replications) in [(1, 1), (1, 7), (16, 5), (17, 3), (40, 20), (5, 400)] {
            let mut scenarios = vec![base.clone(); settings];
            scenarios.iter_mut().for_each(|scenario| scenario.run.replications = replications);
            let scenarios: Vec<&Scenario> = scenarios.iter().collect();
            for of in [1, 2, 3, 7, 64] {
                let mut times = vec![vec![0; replications as usize]; settings];
                let sizes: Vec<u64> = Shard::all(of)
                    .map(|shard| {
                        let share = share(&scenarios, shard);
                        for case in &share {
                            let place =
                                scenarios.iter().position(|each| std::ptr::eq(*each, case.scenario)).unwrap();
                            case.replications.clone().for_each(|number| times[place][number as usize] += 1);
                        }
                        planned(&share)
                    })
                    .collect();
                assert!(times.iter().flatten().all(|count| *count == 1), "{settings} {replications} {of}");
                let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
                assert!(most - least <= MAX_TOGETHER as u64, "{settings} {replications} {of}: {sizes:?}");
            }
        }
    }
}
