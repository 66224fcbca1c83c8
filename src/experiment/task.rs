//! The kernel of the evaluation: runs that meet the same requests, fed from one source.

use std::cmp::Reverse;

use super::drawn_requests::{DrawnRequests, Requests};
use super::work::Work;
use super::{Case, Record, Retain, RunError, RunFailure};
use crate::random::Streams;
use crate::sim::{Options, RequestSource, RunLimits, Simulation};

/// Maximum number of simulations fed from one source at a time. Their histograms share the cache with the requests.
pub const MAX_TOGETHER: usize = 16;

/// Cases that meet the same requests, in one replication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    cases: Vec<usize>,
    replication: u32,
    /// Whether other tasks meet the same requests, near enough to keep them.
    shares: bool,
}

/// A run that has finished.
pub(super) struct Finished {
    pub case: usize,
    pub record: Record,
}

/// Divides the work: groups of cases that meet the same requests in the replications that are `missing` of each, those with
/// the most requests first, and smaller ones towards the end. To be begun in this order.
///
/// A task is at most what is left for a thread, and no less than that where there is room: each meets the requests once, and what
/// is left after it is enough for the others to end at the same time. The cases of a task are far apart in the batch, since
/// neighbours are alike, and a task of the longest would be longer than all others together.
pub(super) fn tasks(batch: &[Case<'_>], missing: &[Vec<u32>], threads: usize) -> Vec<Task> {
    let mut left: usize = missing.iter().map(Vec::len).sum();
    let together = |left: usize| match threads {
        1 => MAX_TOGETHER,
        _ => (left / threads).clamp(1, MAX_TOGETHER),
    };
    let mut tasks = Vec::new();
    for alike in longest_first(batch, alike(batch, missing)) {
        let kept = DrawnRequests::may_keep(batch[alike[0]].scenario, missing[alike[0]].len());
        let (count, mut rest) = (alike.len(), alike);
        while !rest.is_empty() {
            let group = take_apart(&mut rest, together(left));
            for replication in &missing[group[0]] {
                let mut parts = group.clone();
                while !parts.is_empty() {
                    let cases = take_apart(&mut parts, together(left));
                    left -= cases.len();
                    // Parts of a group follow one another; the next group begins again with the first replication.
                    let shares = cases.len() < group.len() || kept && group.len() < count;
                    tasks.push(Task { cases, replication: *replication, shares });
                }
            }
        }
    }
    tasks
}

/// Takes at most so many of them, which are far apart: in parts of that size, as few and as even as can be.
fn take_apart(rest: &mut Vec<usize>, most: usize) -> Vec<usize> {
    let of = rest.len();
    let count = of.div_ceil(of.div_ceil(most).max(1));
    let mut index = 0;
    rest.extract_if(.., |_| {
        index += 1;
        (index - 1) * count % of < count
    })
    .collect()
}

/// By the requests that are to be expected in a run.
fn longest_first(batch: &[Case<'_>], mut classes: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let expected = |class: &Vec<usize>| {
        let model = &batch[class[0]].scenario.model;
        model.expected_requests(model.duration)
    };
    if classes.len() > 1 {
        classes.sort_by_cached_key(|class| Reverse(expected(class) as u64));
    }
    classes
}

/// The cases of which something is missing, by the requests they meet and the replications that are missing.
fn alike(batch: &[Case<'_>], missing: &[Vec<u32>]) -> Vec<Vec<usize>> {
    let mut classes: Vec<Vec<usize>> = Vec::new();
    for index in (0..batch.len()).filter(|index| !missing[*index].is_empty()) {
        let scenario = batch[index].scenario;
        let same = |class: &&mut Vec<usize>| {
            let first = batch[class[0]].scenario;
            first.run.seed == scenario.run.seed
                && missing[class[0]] == missing[index]
                && RequestSource::same(&first.model, &scenario.model)
        };
        match classes.iter_mut().find(same) {
            Some(class) => class.push(index),
            None => classes.push(vec![index]),
        }
    }
    classes
}

impl Task {
    /// What of it is in the store by now, if that is all of it and nothing of it is to be seen.
    pub fn found(&self, work: &Work<'_>) -> Option<Vec<Finished>> {
        let store = work.store?;
        let record = |case: &usize| {
            let is_seen = work.retain(*case, self.replication) != Retain::Nothing;
            let key = work.batch[*case].key(self.replication);
            let record = if is_seen { None } else { store.get(&key) };
            record.map(|record| Finished { case: *case, record })
        };
        let found: Vec<Finished> = self.cases.iter().map(record).collect::<Option<_>>()?;
        work.progress.add_stored(found.len() as u64);
        Some(found)
    }

    /// Meets the requests once, block by block, and feeds every case with them; nothing if stopped.
    pub fn run(&self, work: &Work<'_>) -> Result<Vec<Finished>, RunError> {
        let scenario = |case: &usize| work.batch[*case].scenario;
        let Some(first) = self.cases.first().map(scenario) else { return Ok(Vec::new()) };
        let streams = Streams::new(first.run.seed, u64::from(self.replication));
        let start = |case: &usize| {
            let (scenario, retain) = (scenario(case), work.retain(*case, self.replication));
            let options = Options {
                mark_interval: scenario.run.timeline_interval,
                timeline: retain >= Retain::Timeline,
                decisions: retain >= Retain::Decisions,
            };
            let mut simulation = Simulation::new(&scenario.model, streams, &options, ());
            simulation.limit(RunLimits { cancel: work.stop.clone(), max_waiting: work.max_waiting });
            Started { case: *case, retain, simulation }
        };
        let mut runs: Vec<Started> = self.cases.iter().map(start).collect();
        let place = Some(work.drawn).filter(|_| self.shares || work.keeps_drawn);
        let mut requests = Requests::of(first, self.replication, place);
        loop {
            if work.stop.is_cancelled() {
                return Ok(Vec::new());
            }
            let block = requests.next();
            let mut wanted = false;
            for run in &mut runs {
                wanted |= run.simulation.feed(block);
                if run.retain >= Retain::Decisions {
                    work.observer.decisions(run.case, &run.simulation.take_decisions());
                }
            }
            work.progress.add_requests((block.arrival.len() * runs.len()) as u64);
            if block.arrival.is_empty() || !wanted {
                break;
            }
        }
        runs.into_iter().map(|run| run.finish(self.replication, work)).filter_map(Result::transpose).collect()
    }
}

/// A run on its way.
struct Started {
    case: usize,
    retain: Retain,
    simulation: Simulation,
}

impl Started {
    /// Lets the rest of the run happen; `None` if it was stopped.
    fn finish(self, replication: u32, work: &Work<'_>) -> Result<Option<Finished>, RunError> {
        let Started { case, retain, simulation } = self;
        let (outcome, ()) = simulation.finish();
        if work.stop.is_cancelled() {
            return Ok(None);
        }
        let failed = |what| {
            // One is enough: what the others would come to is of no use.
            work.stop.cancel();
            Err(RunError { case, replication, what })
        };
        if let Some(at) = outcome.queue_overflow {
            return failed(RunFailure::Overgrown { at, most_waiting: work.max_waiting });
        }
        if !outcome.counts.conserved() {
            return failed(RunFailure::NotConserved(outcome.counts));
        }
        work.progress.add_simulated();
        let record = Record::of(replication, &outcome, work.batch[case].scenario.model.slo);
        work.keep(case, &record);
        if retain >= Retain::Decisions {
            work.observer.decisions(case, &outcome.decisions);
        }
        if retain >= Retain::Outcome {
            work.observer.outcome(case, replication, outcome);
        }
        Ok(Some(Finished { case, record }))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::scenario::{Scenario, ScenarioFile};

    pub fn scenario(rate: f64) -> Scenario {
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = {rate}\n[service]\ntime = \"200ms\"\n\
             [autoscaler]\nkind = \"threshold\"\nmetric = \"queue_length\"\nmax = 9\n\
             up = {{ above = 5 }}\ndown = {{ below = 1 }}\n[run]\nduration = \"10m\"\nreplications = 3"
        );
        ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap()
    }

    fn whole(scenarios: &[Scenario]) -> (Vec<Case<'_>>, Vec<Vec<u32>>) {
        (scenarios.iter().map(Case::whole).collect(), vec![vec![0, 1, 2]; scenarios.len()])
    }

    fn found(tasks: Vec<Task>) -> Vec<(Vec<usize>, u32)> {
        tasks.into_iter().map(|task| (task.cases, task.replication)).collect()
    }

    #[test]
    fn cases_that_meet_the_same_requests_share_a_task_and_the_longest_come_first() {
        let mut scenarios = [8.0, 9.0, 8.0, 8.0, 8.0, 8.0].map(scenario);
        scenarios[3].run.seed = 2;
        let (batch, missing) = whole(&scenarios);
        assert_eq!(alike(&batch, &missing), [vec![0, 2, 4, 5], vec![1], vec![3]]);
        let in_all = |cases: &[usize]| (0..3).map(|number| (cases.to_vec(), number)).collect::<Vec<_>>();
        let expected = [in_all(&[1]), in_all(&[0, 2, 4, 5]), in_all(&[3])].concat();
        assert_eq!(found(tasks(&batch, &missing, 1)), expected);
    }

    #[test]
    fn what_is_missing_is_grouped_and_nothing_else() {
        let scenarios = [8.0; 6].map(scenario);
        let (batch, mut missing) = whole(&scenarios);
        missing[0] = vec![];
        missing[3] = vec![2];
        missing[5] = vec![2];
        assert_eq!(alike(&batch, &missing), [vec![1, 2, 4], vec![3, 5]]);
        let in_all = |cases: &[usize]| (0..3).map(|number| (cases.to_vec(), number)).collect::<Vec<_>>();
        let expected = [in_all(&[1, 2, 4]), vec![(vec![3, 5], 2)]].concat();
        assert_eq!(found(tasks(&batch, &missing, 1)), expected);
    }

    #[test]
    fn requests_are_shared_where_several_tasks_meet_them() {
        let scenarios = [8.0; 8].map(scenario);
        let (batch, mut missing) = whole(&scenarios);
        assert!(tasks(&batch, &missing, 1).iter().all(|task| !task.shares));
        missing.fill(vec![0]);
        let tasks = tasks(&batch, &missing, 2);
        assert!(tasks.len() > 2 && tasks.iter().all(|task| task.shares));
    }

    #[test]
    fn groups_are_as_even_as_can_be() {
        let scenarios = [8.0; 18].map(scenario);
        let (batch, missing) = whole(&scenarios);
        let sizes = tasks(&batch, &missing, 1).iter().map(|task| task.cases.len()).collect::<Vec<_>>();
        assert_eq!(sizes, [9; 6]);
    }

    #[test]
    fn the_cases_of_a_task_are_far_apart_in_the_batch() {
        let scenarios = [8.0; 8].map(scenario);
        let (batch, mut missing) = whole(&scenarios);
        missing.fill(vec![0]);
        let expected = [vec![0, 2, 4, 6], vec![1, 5], vec![3], vec![7]];
        assert_eq!(
            tasks(&batch, &missing, 2).into_iter().map(|task| task.cases).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn tasks_shrink_towards_the_end_so_that_no_thread_idles() {
        let scenarios = [8.0; 20].map(scenario);
        let (batch, missing) = whole(&scenarios);
        for threads in [2, 3, 8] {
            let sizes: Vec<usize> =
                tasks(&batch, &missing, threads).iter().map(|task| task.cases.len()).collect();
            assert_eq!(sizes.iter().sum::<usize>(), 60, "every run once");
            let mut left = 60;
            for size in &sizes {
                assert!(*size <= (left / threads).max(1), "{threads} threads: {sizes:?}");
                left -= size;
            }
            assert_eq!(sizes.last(), Some(&1), "{threads} threads: {sizes:?}");
        }
    }
}
