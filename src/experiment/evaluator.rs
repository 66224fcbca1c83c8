//! The evaluation service: cases in, records out. Everything that simulates more than one run goes through it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::task::{Finished, tasks};
use super::work::Work;
use super::{Case, DrawnRequests, Observer, Progress, Record, Replications, RunError, Shard, Store};
use crate::cancel::CancelToken;
use crate::parallel;
use crate::sorting::Sorting as _;

/// Evaluates batches of cases: takes from the store what is there, simulates the rest in parallel, on common random
/// numbers, and can be watched and stopped.
///
/// What a batch comes to depends on its cases alone, never on threads or on what the store holds. Whoever decides from
/// records what to run next (until a figure is precise, for example) does so between two batches.
///
/// ```
/// use kneepoint::internals::experiment::{Case, Evaluator};
/// use kneepoint::internals::scenario::ScenarioFile;
///
/// let text = r#"
/// [arrivals]
/// kind = "poisson"
/// rate = 20
/// [service]
/// time = "200ms"
/// [autoscaler]
/// kind = "fixed"
/// instances = 6
/// [run]
/// duration = "10m"
/// "#;
/// let scenario = ScenarioFile::parse("example.toml", text, ".").unwrap().scenario().unwrap();
/// let evaluator = Evaluator::default();
/// let found = evaluator.replications(&[Case::whole(&scenario)], &()).unwrap();
/// assert_eq!(found[0].len(), 20);
/// assert!(found[0].figures().get("latency.p99").mean.is_some_and(|seconds| seconds >= 0.2));
/// ```
#[derive(Debug, Clone)]
pub struct Evaluator<'a> {
    /// Where records are looked for before anything is simulated, and kept afterwards; `None` keeps none.
    pub store: Option<&'a dyn Store>,
    /// Requests of earlier runs, and where those of new ones are kept; `None` keeps none beyond a batch.
    pub drawn: Option<&'a DrawnRequests>,
    /// Stops the work: at the next event of a pool or block of requests.
    pub cancel: CancelToken,
    /// Told how far the work has come.
    pub progress: Progress,
    /// Requests that may wait in one run, so that all that run at a time fit into memory.
    pub max_waiting: u64,
}

/// Without a store and without a bound.
impl Default for Evaluator<'_> {
    fn default() -> Self {
        Evaluator {
            store: None,
            drawn: None,
            cancel: CancelToken::default(),
            progress: Progress::default(),
            max_waiting: u64::MAX,
        }
    }
}

impl Evaluator<'_> {
    /// Evaluates every case of the batch. As soon as the records of a case are all there, `finish` makes of them, in the order of
    /// their numbers, what is returned for it: so the times of all requests of a whole sweep are never held at once. If the
    /// work is cancelled meanwhile, the records that are there are made use of.
    ///
    /// # Errors
    /// A run lost or made up requests, or outgrew its bound.
    pub fn evaluate<T: Send>(
        &self,
        batch: &[Case<'_>],
        observer: &dyn Observer,
        finish: impl Fn(usize, Vec<Record>) -> T + Sync,
    ) -> Result<Vec<T>, RunError> {
        let own = DrawnRequests::default();
        let work = Work {
            store: self.store,
            drawn: self.drawn.unwrap_or(&own),
            keeps_drawn: self.drawn.is_some(),
            progress: &self.progress,
            max_waiting: self.max_waiting,
            batch,
            observer,
            stop: self.cancel.child(),
        };
        let look_up = |case: usize| {
            let (found, missing) = work.look_up(case);
            let gathered = Gathered::begin(found, missing.len(), |records| finish(case, records));
            (Mutex::new(gathered), missing)
        };
        let (gathered, missing): (Vec<Mutex<Gathered<T>>>, Vec<Vec<u32>>) =
            parallel::map(batch.len(), look_up).into_iter().unzip();
        self.simulate(&work, &missing, &|Finished { case, record }| {
            lock(&gathered[case]).add(record, |records| finish(case, records));
        })?;
        let result = |(case, gathered): (usize, Mutex<Gathered<T>>)| {
            let gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
            gathered.result(|records| finish(case, records))
        };
        Ok(gathered.into_iter().enumerate().map(result).collect())
    }

    /// Simulates what is `missing` of each case, and passes each record on as soon as it is there.
    fn simulate(
        &self,
        work: &Work<'_>,
        missing: &[Vec<u32>],
        add: &(dyn Fn(Finished) + Sync),
    ) -> Result<(), RunError> {
        // Each thread takes the next task there is: halves handed out whole would leave a thread idle at the end.
        let threads = rayon::current_num_threads();
        let (mut tasks, next) = (tasks(work.batch, missing, threads), AtomicUsize::new(0));
        let shard = self.store.and_then(Store::shard);
        if let Some(shard) = shard {
            tasks = in_turn(tasks, shard);
        }
        let failed = Mutex::new(None);
        parallel::each(threads, &|_| {
            while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                // Another process may have done it meanwhile.
                let found = shard.and_then(|_| task.found(work));
                match found.map_or_else(|| task.run(work), Ok) {
                    Ok(finished) => finished.into_iter().for_each(add),
                    Err(error) => {
                        next.store(tasks.len(), Ordering::Relaxed);
                        lock(&failed).get_or_insert(error);
                    }
                }
            }
        });
        lock(&failed).take().map_or(Ok(()), Err)
    }

    /// The replications of every case together, in the order given. More cannot be added to them: the times of their
    /// requests are forgotten.
    ///
    /// # Errors
    /// A run lost or made up requests, or outgrew its bound.
    pub fn replications(
        &self,
        batch: &[Case<'_>],
        observer: &dyn Observer,
    ) -> Result<Vec<Replications>, RunError> {
        let pooled =
            |case: usize, records| Replications::new(records, batch[case].scenario.model.slo).without_times();
        self.evaluate(batch, observer, pooled)
    }
}

/// The tasks in the order in which the process of `shard` does them, where others do the same: its own first, then those of the
/// others, each from its end, so that two who are at one share meet in its middle.
fn in_turn<T: Clone>(tasks: Vec<T>, shard: Shard) -> Vec<T> {
    let of = shard.of() as usize;
    let share = |index: usize| tasks.iter().skip(index % of).step_by(of);
    let own = shard.index() as usize;
    let others = (1..of).flat_map(|more| share(own + more).rev());
    share(own).chain(others).cloned().collect()
}

/// What has come of one case so far.
struct Gathered<T> {
    records: Vec<Record>,
    /// Records to come.
    missing: usize,
    done: Option<T>,
}

impl<T> Gathered<T> {
    /// With the records that are there already; if they are all, `finish` makes of them what is wanted.
    fn begin(records: Vec<Record>, missing: usize, finish: impl FnOnce(Vec<Record>) -> T) -> Self {
        let mut gathered = Gathered { records, missing, done: None };
        if missing == 0 {
            gathered.done = Some(finish(gathered.in_order()));
        }
        gathered
    }

    /// Takes a record; the last one lets `finish` make of all what is wanted.
    fn add(&mut self, record: Record, finish: impl FnOnce(Vec<Record>) -> T) {
        self.records.push(record);
        self.missing = self.missing.saturating_sub(1);
        if self.missing == 0 {
            self.done = Some(finish(self.in_order()));
        }
    }

    fn in_order(&mut self) -> Vec<Record> {
        let mut records = std::mem::take(&mut self.records);
        records.sort_once_by_key(|record| record.number);
        records
    }

    fn result(mut self, finish: impl FnOnce(Vec<Record>) -> T) -> T {
        match self.done.take() {
            Some(done) => done,
            None => finish(self.in_order()),
        }
    }
}

/// Nothing panics while it holds such a lock; if anything did, what was gathered is whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::observer::FirstRuns;
    use crate::experiment::{MemoryStore, RunFailure, task};
    use crate::scenario::{Scenario, ScenarioFile};
    use crate::sim::DecisionRecord;

    fn scenarios(rates: &[f64]) -> Vec<Scenario> {
        rates.iter().map(|rate| task::tests::scenario(*rate)).collect()
    }

    fn replications(scenarios: &[&Scenario]) -> Vec<Replications> {
        let batch: Vec<Case<'_>> = scenarios.iter().map(|scenario| Case::whole(scenario)).collect();
        Evaluator::default().replications(&batch, &()).unwrap()
    }

    #[test]
    fn a_case_comes_out_the_same_alone_and_in_company() {
        let mut scenarios = scenarios(&[8.0, 9.0, 8.0]);
        scenarios[2].model.duration = crate::time::Span::from_secs(60);
        let scenarios: Vec<&Scenario> = scenarios.iter().collect();
        let together = replications(&scenarios);
        for (together, scenario) in together.iter().zip(scenarios) {
            let alone = replications(&[scenario]);
            assert_eq!(together, &alone[0]);
            let numbers: Vec<u32> = alone[0].iter().map(|each| each.number).collect();
            assert_eq!(numbers, [0, 1, 2]);
        }
    }

    #[test]
    fn the_decisions_of_replication_0_are_heard_in_order_and_no_others() {
        let scenarios = scenarios(&[8.0]);
        let heard = Mutex::new(Vec::new());
        let log = |case: usize, decisions: &[DecisionRecord]| {
            assert_eq!(case, 0);
            heard.lock().unwrap().extend(decisions.iter().map(|record| record.at.as_secs_f64()));
        };
        let first_runs = FirstRuns::new(1, &log);
        Evaluator::default().replications(&[Case::whole(&scenarios[0])], &first_runs).unwrap();
        let first = first_runs.into_seen().pop().flatten();
        // Every 15 s for 10 minutes; the end of the run is not within it.
        let evaluations: Vec<f64> = (1..).map(|k| f64::from(k) * 15.0).take_while(|at| *at < 600.0).collect();
        let heard = heard.into_inner().unwrap();
        assert_eq!(heard[..evaluations.len()], evaluations);
        assert!(heard.len() <= evaluations.len() + 1);
        assert!(first.is_some_and(|first| !first.outcome.timeline.is_empty()));
    }

    #[test]
    fn a_queue_that_outgrows_its_bound_stops_the_work_and_says_where() {
        // 8 requests/s that need 0.2 s each, and an autoscaler that adds nothing to the one instance: 3 more wait every
        // second, some 10,000 within an hour. The pool it might have would serve them easily.
        let scenario = |rate: f64| {
            let text = format!(
                "[arrivals]\nkind = \"poisson\"\nrate = {rate}\n[service]\ntime = \"200ms\"\n[autoscaler]\n\
                 kind = \"threshold\"\nmetric = \"queue_length\"\nmax = 9\nup = {{ above = 1000000 }}\n\
                 down = {{ below = 1 }}\n[run]\nduration = \"1d\"\nreplications = 3"
            );
            ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap()
        };
        let scenarios = [scenario(3.0), scenario(8.0)];
        assert!(scenarios.iter().all(|scenario| scenario.check_fits(1 << 20, 1).is_ok()));
        let batch: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
        let evaluator = Evaluator { max_waiting: 10_000, ..Evaluator::default() };
        let error = evaluator.replications(&batch, &()).unwrap_err();
        let RunFailure::Overgrown { at, most_waiting } = error.what else { panic!("{error}") };
        assert_eq!((error.case, most_waiting), (1, 10_000));
        // Looked at once in 16,384 arrivals, some 34 min.
        let minutes = at.as_secs_f64() / 60.0;
        assert!((55.0..100.0).contains(&minutes), "{minutes}");
        assert!(error.to_string().starts_with("more than 10000 requests wait at 1h"), "{error}");
        assert!(!evaluator.cancel.is_cancelled(), "the work failed; nobody cancelled it");
        assert!(evaluator.replications(&batch[..1], &()).is_ok());
    }

    #[test]
    fn cancelled_work_returns_nothing_unfinished() {
        let scenarios = scenarios(&[8.0]);
        let evaluator = Evaluator::default();
        evaluator.cancel.cancel();
        let found = evaluator.replications(&[Case::whole(&scenarios[0])], &()).unwrap();
        assert!(found[0].is_empty() && evaluator.progress.runs() == 0);
    }

    #[test]
    fn batches_that_follow_one_another_come_to_what_one_batch_comes_to() {
        let scenario = &scenarios(&[8.0])[0];
        let records = |replications| {
            let case = Case::some(scenario, replications);
            Evaluator::default().evaluate(&[case], &(), |_, records| records).unwrap().swap_remove(0)
        };
        let parts = [records(0..1), records(1..3)].concat();
        assert_eq!(parts, records(0..3));
    }

    #[test]
    fn each_process_begins_with_its_own_share_and_comes_to_the_others_from_their_ends() {
        let order = |index| in_turn((0..7).collect(), Shard::new(index, 3).unwrap());
        assert_eq!(order(0), [0, 3, 6, 4, 1, 5, 2]);
        assert_eq!(order(1), [1, 4, 5, 2, 6, 3, 0]);
        assert_eq!(in_turn((0..3).collect(), Shard::new(4, 5).unwrap()), [0, 1, 2]);
    }

    /// A board on paper.
    #[derive(Debug, Default)]
    struct Paper {
        entries: Mutex<Vec<Vec<u8>>>,
        read: AtomicUsize,
    }

    impl crate::experiment::Board for Paper {
        fn put(&self, entry: Vec<u8>) {
            self.entries.lock().unwrap().push(entry);
        }

        fn take(&self) -> Vec<Vec<u8>> {
            let entries = self.entries.lock().unwrap();
            entries[self.read.swap(entries.len(), Ordering::Relaxed)..].to_vec()
        }
    }

    #[test]
    fn what_others_have_put_on_a_board_is_not_simulated_again_and_comes_to_the_same() {
        let scenarios = scenarios(&[8.0, 9.0]);
        let batch: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
        let cold = Evaluator::default().replications(&batch, &()).unwrap();
        let paper = Paper::default();
        let shard = |index| Shard::new(index, 2).unwrap();
        let of = |index, batch: &[Case<'_>]| {
            let store = crate::experiment::BoardStore::new(&paper, shard(index));
            let evaluator = Evaluator { store: Some(&store), ..Evaluator::default() };
            let found = evaluator.replications(batch, &()).unwrap();
            (found, evaluator.progress.stored())
        };
        // One process does a part and is lost; the other does the rest.
        of(1, &batch[1..]);
        paper.entries.lock().unwrap().push(b"damaged".to_vec());
        paper.read.store(0, Ordering::Relaxed);
        assert_eq!(of(0, &batch), (cold, 3));
    }

    /// Looks like a run that nobody may simulate.
    const NEVER: u64 = 0;

    #[test]
    fn what_a_store_holds_is_not_simulated_again_and_comes_to_the_same() {
        let scenarios = scenarios(&[8.0, 9.0, 8.0]);
        let batch: Vec<Case<'_>> = scenarios.iter().map(Case::whole).collect();
        let cold = Evaluator::default().replications(&batch, &()).unwrap();
        // Half of the records: every other replication of each case, so that what is missing differs.
        let store = MemoryStore::default();
        let all = Evaluator::default().evaluate(&batch, &(), |_, records| records).unwrap();
        for (index, (case, records)) in batch.iter().zip(&all).enumerate() {
            for record in records.iter().filter(|record| (record.number as usize + index).is_multiple_of(2)) {
                store.put(&case.key(record.number), record);
            }
        }
        // Cases 0 and 2 are the same: one of them has what the other lacks.
        assert_eq!(store.len(), 3);
        let evaluator = Evaluator { store: Some(&store), ..Evaluator::default() };
        assert_eq!(evaluator.replications(&batch, &()).unwrap(), cold);
        assert_eq!((evaluator.progress.runs(), evaluator.progress.stored()), (9, 5));
        assert_eq!(store.len(), 6);
        let again = Evaluator { store: Some(&store), ..Evaluator::default() };
        assert_eq!(again.replications(&batch, &()).unwrap(), cold);
        assert_eq!((again.progress.stored(), again.progress.requests()), (9, NEVER));
    }

    #[test]
    fn a_run_that_is_to_be_seen_is_simulated_whatever_the_store_holds() {
        let (scenario, store) = (&scenarios(&[8.0])[0], MemoryStore::default());
        let evaluator = Evaluator { store: Some(&store), ..Evaluator::default() };
        evaluator.replications(&[Case::whole(scenario)], &()).unwrap();
        let first_runs = FirstRuns::new(1, &|_, _| ());
        let found = evaluator.replications(&[Case::whole(scenario)], &first_runs).unwrap();
        assert!(first_runs.into_seen()[0].is_some());
        assert_eq!((found[0].len(), evaluator.progress.stored(), store.len()), (3, 2, 3));
    }
}
