//! A share of a sweep's runs, for one machine of several.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::task::MAX_TOGETHER;
use super::{Case, Evaluator, RunError, settle_warmup};
use crate::scenario::{Point, Scenario};

/// Most shards of one sweep.
const MOST: u32 = 1_000_000;

/// Which share: written `2/8`, counted from 1, or `1:8`, counted from 0 as job arrays of Kubernetes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// From 0.
    index: u32,
    of: u32,
}

impl Shard {
    /// Every shard of a sweep that is divided into `of`.
    pub fn all(of: u32) -> impl Iterator<Item = Shard> {
        (0..of).map(move |index| Shard { index, of })
    }

    /// Into how many the sweep is divided.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The name of its file.
    pub fn file_name(self) -> String {
        format!("shard-{}-of-{}.records", self.index + 1, self.of)
    }

    /// Its part of `count` things in a row: the parts of all shards follow one another, and differ by at most one.
    fn part(self, count: u64) -> Range<u64> {
        let begin = |index: u32| {
            u64::try_from(u128::from(count) * u128::from(index) / u128::from(self.of)).unwrap_or(count)
        };
        begin(self.index)..begin(self.index + 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let wrong = || {
            format!(
                "expected I/N, as in 2/8: one of N shards (at most {MOST}), counted from 1; or 1:8, counted from 0"
            )
        };
        let ((index, of), first) = match text.split_once('/') {
            Some(parts) => (parts, 1),
            None => (text.split_once(':').ok_or_else(wrong)?, 0),
        };
        let (index, of): (u32, u32) = (index.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
        let index = index.checked_sub(first).ok_or_else(wrong)?;
        if index >= of || of > MOST {
            return Err(wrong());
        }
        Ok(Shard { index, of })
    }
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

/// Settles the warm-up where the scenario leaves it to be found, as `sweep` does.
fn settled(points: &mut [Point], evaluator: &Evaluator<'_>) -> Result<(), RunError> {
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
    settled(&mut points, evaluator)?;
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
    settled(&mut points, evaluator)?;
    let scenarios: Vec<&Scenario> = points.iter().map(|point| &point.scenario).collect();
    let state = |shard: Shard| {
        let share = share(&scenarios, shard);
        let stored = |case: &Case<'_>| {
            let first = case.key(case.replications.start);
            let there = |replication: &u32| {
                let key = super::RecordKey { replication: *replication, ..first };
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
    fn a_shard_is_written_as_it_is_read() {
        let shard: Shard = "2/8".parse().unwrap();
        assert_eq!(
            (shard.to_string(), shard.file_name()),
            ("2/8".to_owned(), "shard-2-of-8.records".to_owned())
        );
        assert_eq!("1:8".parse(), Ok(shard));
        for wrong in ["", "8:8", "1:", "2", "0/8", "9/8", "-1/8", "1/0", "1/1000001", "a/b", "1/2/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

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
