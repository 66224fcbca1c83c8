//! The kernel of the evaluation: runs that meet the same requests, fed from one source.

use super::evaluator::Work;
use super::{Case, Record, Retain, RunError, RunFailure};
use crate::random::Streams;
use crate::sim::{Block, Options, RequestSource, RunLimits, Simulation};

/// Simulations fed from one source at a time, at the most. Their histograms share the cache with the requests.
pub const MAX_TOGETHER: usize = 4;

/// Tasks a thread should find at least, so that none idles for long while another ends its last one.
const TASKS_A_THREAD: usize = 4;

/// Cases that meet the same requests, in one replication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    cases: Vec<usize>,
    replication: u32,
}

/// A run that has finished.
pub(super) struct Finished {
    pub case: usize,
    pub record: Record,
}

/// Divides the work: groups of cases that meet the same requests in the replications that are `missing` of each, small
/// enough that every thread has enough tasks.
pub(super) fn tasks(batch: &[Case<'_>], missing: &[Vec<u32>], threads: usize) -> Vec<Task> {
    let runs: usize = missing.iter().map(Vec::len).sum();
    let together = (runs / (threads * TASKS_A_THREAD)).clamp(1, MAX_TOGETHER);
    let mut tasks = Vec::new();
    for alike in alike(batch, missing) {
        for group in alike.chunks(together) {
            let task = |replication: &u32| Task { cases: group.to_vec(), replication: *replication };
            tasks.extend(missing[group[0]].iter().map(task));
        }
    }
    tasks
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
    /// Draws the requests once, block by block, and feeds every case with them; nothing if stopped.
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
            simulation
                .limit(RunLimits { cancel: work.stop.clone(), max_waiting: work.evaluator.max_waiting });
            Started { case: *case, retain, simulation }
        };
        let mut runs: Vec<Started> = self.cases.iter().map(start).collect();
        let mut source = RequestSource::new(&first.model, streams);
        let mut block = Block::default();
        loop {
            if work.stop.is_cancelled() {
                return Ok(Vec::new());
            }
            source.fill(&mut block);
            let mut wanted = false;
            for run in &mut runs {
                wanted |= run.simulation.feed(&block);
                if run.retain >= Retain::Decisions {
                    work.observer.decisions(run.case, &run.simulation.take_decisions());
                }
            }
            work.evaluator.progress.add_requests((block.arrival.len() * runs.len()) as u64);
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
            return failed(RunFailure::Overgrown { at, most_waiting: work.evaluator.max_waiting });
        }
        if !outcome.counts.conserved() {
            return failed(RunFailure::NotConserved(outcome.counts));
        }
        work.evaluator.progress.add_simulated();
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

    #[test]
    fn cases_that_meet_the_same_requests_share_a_task() {
        let mut scenarios = [8.0, 9.0, 8.0, 8.0, 8.0, 8.0].map(scenario);
        scenarios[3].run.seed = 2;
        let (batch, missing) = whole(&scenarios);
        assert_eq!(alike(&batch, &missing), [vec![0, 2, 4, 5], vec![1], vec![3]]);
        let shared = tasks(&batch, &missing, 1);
        assert_eq!(shared.len(), 3 * 3);
        assert_eq!(shared[1], Task { cases: vec![0, 2, 4, 5], replication: 1 });
    }

    #[test]
    fn what_is_missing_is_grouped_and_nothing_else() {
        let scenarios = [8.0; 6].map(scenario);
        let (batch, mut missing) = whole(&scenarios);
        missing[0] = vec![];
        missing[3] = vec![2];
        missing[5] = vec![2];
        assert_eq!(alike(&batch, &missing), [vec![1, 2, 4], vec![3, 5]]);
        let found: Vec<(Vec<usize>, u32)> =
            tasks(&batch, &missing, 1).into_iter().map(|task| (task.cases, task.replication)).collect();
        // 11 runs for one thread: two at a time.
        let pairs = |cases: &[usize]| (0..3).map(|number| (cases.to_vec(), number)).collect::<Vec<_>>();
        assert_eq!(found, [pairs(&[1, 2]), pairs(&[4]), vec![(vec![3, 5], 2)]].concat());
    }

    #[test]
    fn threads_that_would_idle_get_smaller_tasks() {
        let scenarios = [8.0; 4].map(scenario);
        let (batch, missing) = whole(&scenarios);
        // 12 runs: for one thread three at a time, so two groups in each of three replications.
        assert_eq!(tasks(&batch, &missing, 1).len(), 6);
        assert_eq!(tasks(&batch, &missing, 8).len(), 12);
    }
}
